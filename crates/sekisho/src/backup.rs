//! `sekisho backup` and `sekisho backup verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::backup::{self, Extras, verify};
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::config::{Outcome, passphrase};
use crate::settings::{Configured, Options, Settings, table};

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
    let configured = Configured::load_or_say(&args.options)?;
    let passphrase = args.with_key.as_deref().map(passphrase).transpose()?;
    let mut code = ExitCode::SUCCESS;
    for settings in configured.each() {
        match take(settings, args.folder.as_deref(), passphrase.clone()).await {
            Ok(lines) => print!("{lines}"),
            Err(e) if settings.hosted.is_none() => return Err(e),
            // The others have theirs all the same.
            Err(e) => {
                eprintln!("団体 {}: {e}", settings.label());
                code = ExitCode::FAILURE;
            }
        }
    }
    if passphrase.is_none() {
        println!("署名鍵は入っていません。鍵の控えは、別の場所に別の人が保管してください。");
    }
    Ok(code)
}

/// Makes the backup of one body.
async fn take(
    settings: &Settings,
    given: Option<&Path>,
    passphrase: Option<String>,
) -> Result<String, String> {
    let below = match (given, &settings.hosted) {
        (Some(folder), Some(hosted)) => Some(folder.join(&hosted.name)),
        (Some(folder), None) => Some(folder.to_path_buf()),
        (None, _) => settings.path(table::BACKUP_FOLDER),
    };
    let below = below.ok_or(
        "バックアップを置くフォルダが指定されていません。sekisho backup フォルダ のように指定するか、設定の [backup] に folder を書いてください。",
    )?;
    let key = match passphrase {
        Some(passphrase) => Some((settings.key()?, passphrase)),
        None => None,
    };
    // Where there are several the file is about the others too.
    let config = settings.file.clone().filter(|_| settings.hosted.is_none());
    let extras = Extras { config, key };
    let taken = backup::take(&settings.database()?, &below, &extras, &SystemClock, &OsEntropy)
        .await
        .map_err(|e| e.to_string())?;
    let of = if settings.hosted.is_some() { format!("団体 {}: ", settings.label()) } else { String::new() };
    Ok(format!(
        "{of}{} に作りました。署名済みの記録 {}件、順番待ち {}件。\n",
        taken.folder.display(),
        taken.manifest.size,
        taken.manifest.waiting
    ))
}
