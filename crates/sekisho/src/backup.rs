//! `sekisho backup`, `sekisho backup verify` and `sekisho backup prune`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::backup::prune::{Keep, prune};
use sekisho_app::backup::{self, Extras, verify};
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use sekisho_base::os::in_japanese;

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
    /// 設定の backup.keep_daily などで残すものを決め、ほかの古いバックアップを消す
    Prune {
        /// バックアップのあるフォルダ（指定しなければ設定の backup.folder）
        folder: Option<PathBuf>,
        /// 消えるものを示すだけで、消さない
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        options: Options,
    },
}

/// Which backups stay.
pub(crate) fn keep(s: &Settings) -> Keep {
    let many = |key| s.number(key).unwrap_or(0);
    Keep {
        daily: many(table::KEEP_DAILY),
        weekly: many(table::KEEP_WEEKLY),
        monthly: many(table::KEEP_MONTHLY),
    }
}

pub(crate) async fn run(args: Args) -> Outcome {
    match args.command {
        Some(Command::Verify { backup, quick }) => {
            let found = verify::verify(&backup, quick).await.map_err(|e| e.to_string())?;
            found.text.iter().for_each(|line| println!("{line}"));
            Ok(if found.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Command::Prune { folder, dry_run, options }) => {
            let configured = Configured::load_or_say(&options)?;
            for_each(&configured, async |settings| thin(settings, folder.as_deref(), dry_run).await).await
        }
        None => {
            let configured = Configured::load_or_say(&args.options)?;
            let passphrase = args.with_key.as_deref().map(passphrase).transpose()?;
            let folder = args.folder.as_deref();
            let done = for_each(&configured, async |settings| {
                take(settings, folder, passphrase.clone()).await?;
                // Where the operator names another place, that place is the operator's.
                if folder.is_none() && keep(settings).is_set() {
                    thin(settings, None, false).await?;
                }
                Ok(())
            })
            .await?;
            if passphrase.is_none() {
                println!("署名鍵は入っていません。鍵の控えは、別の場所に別の人が保管してください。");
            }
            Ok(done)
        }
    }
}

/// Does something for each body; where there are several, one that fails keeps the others from nothing.
async fn for_each(configured: &Configured, act: impl AsyncFn(&Settings) -> Result<(), String>) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    for settings in configured.each() {
        match act(settings).await {
            Ok(()) => {}
            Err(e) if settings.hosted.is_none() => return Err(e),
            Err(e) => {
                eprintln!("団体 {}: {}", settings.label(), in_japanese(&e));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Where the backups of a body are.
fn below(settings: &Settings, given: Option<&Path>) -> Result<PathBuf, String> {
    let below = match (given, &settings.hosted) {
        (Some(folder), Some(hosted)) => Some(folder.join(&hosted.name)),
        (Some(folder), None) => Some(folder.to_path_buf()),
        (None, _) => settings.path(table::BACKUP_FOLDER),
    };
    below.ok_or_else(|| {
        "バックアップを置くフォルダが指定されていません。sekisho backup フォルダ のように指定するか、設定の [backup] に folder を書いてください。".to_owned()
    })
}

/// Begins a line that is about one of several bodies.
fn of(settings: &Settings) -> String {
    if settings.hosted.is_some() { format!("団体 {}: ", settings.label()) } else { String::new() }
}

/// Makes the backup of one body.
async fn take(settings: &Settings, given: Option<&Path>, passphrase: Option<String>) -> Result<(), String> {
    let below = below(settings, given)?;
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
    println!(
        "{}{} に作りました。署名済みの記録 {}件、順番待ち {}件。",
        of(settings),
        taken.folder.display(),
        taken.manifest.size,
        taken.manifest.waiting
    );
    Ok(())
}

/// Removes the old backups of one body.
async fn thin(settings: &Settings, given: Option<&Path>, dry: bool) -> Result<(), String> {
    let (below, keep) = (below(settings, given)?, keep(settings));
    if !keep.is_set() {
        return Err("残す数が決まっていません。設定の [backup] に keep_daily、keep_weekly、keep_monthly のどれかを書いてください。何も消していません。".to_owned());
    }
    let pruned =
        prune(&settings.database()?, &below, keep, dry, &SystemClock).await.map_err(|e| e.to_string())?;
    pruned.text.iter().for_each(|line| println!("{}{line}", of(settings)));
    Ok(())
}
