//! `sekisho backup` and `sekisho backup verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::backup::{self, Extras, verify};
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::config::{Outcome, passphrase};
use crate::settings::{Options, Settings, table};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// バックアップを置くフォルダ（指定しなければ設定の backup.folder）
    folder: Option<PathBuf>,
    /// 署名鍵も入れる。このファイルに書いた合言葉（12文字以上）で封をする
    #[arg(long, value_name = "PASSPHRASE_FILE")]
    with_key: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// バックアップが壊れていないか、記録がつながっているかを確かめる
    Verify {
        /// sekisho backup が作ったフォルダ
        backup: PathBuf,
        /// ファイルの照合だけを行い、記録の検証をしない
        #[arg(long)]
        quick: bool,
    },
}

pub(crate) async fn run(args: Args) -> Outcome {
    if let Some(Command::Verify { backup, quick }) = args.command {
        let found = verify::verify(&backup, quick).await.map_err(|e| e.to_string())?;
        found.text.iter().for_each(|line| println!("{line}"));
        return Ok(if found.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let settings = Settings::load_or_say(&args.options)?;
    let below = args.folder.or_else(|| settings.path(table::BACKUP_FOLDER)).ok_or(
        "バックアップを置くフォルダが指定されていません。sekisho backup フォルダ のように指定するか、設定の [backup] に folder を書いてください。",
    )?;
    let key = match args.with_key {
        Some(file) => Some((settings.key()?, passphrase(&file)?)),
        None => None,
    };
    let extras = Extras { config: settings.file.clone(), key };
    let taken = backup::take(&settings.database()?, &below, &extras, &SystemClock, &OsEntropy)
        .await
        .map_err(|e| e.to_string())?;
    println!(
        "{} に作りました。署名済みの記録 {}件、順番待ち {}件。",
        taken.folder.display(),
        taken.manifest.size,
        taken.manifest.waiting
    );
    if extras.key.is_none() {
        println!("署名鍵は入っていません。鍵の控えは、別の場所に別の人が保管してください。");
    }
    Ok(ExitCode::SUCCESS)
}
