//! `sekisho restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use sekisho_app::backup::restore::{Target, Wanted, restore};

use crate::config::{Outcome, passphrase};
use crate::settings::{Options, Settings, table};

/// Exit code of a restore after which acts are known to be missing.
const MISSING: u8 = 3;

/// 終了コード: 0 戻した、1 戻せない、3 戻したが、控えより後の処理が失われている
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// sekisho backup が作ったフォルダ
    backup: PathBuf,
    /// 外で保管していた、または立会人が署名した、新しい控え（チェックポイント）のファイル（何度でも指定できる）
    #[arg(long)]
    against: Vec<PathBuf>,
    /// バックアップに封をして入れた署名鍵も戻す。合言葉を書いたファイルを指定する
    #[arg(long, value_name = "PASSPHRASE_FILE")]
    with_key: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub(crate) async fn run(args: Args) -> Outcome {
    let settings = Settings::load_or_say(&args.options)?;
    let target = match settings.text(table::DATABASE) {
        Some(address) => Target::Postgres(address.to_owned()),
        None => Target::Folder(settings.data()?),
    };
    let read = |f: &PathBuf| std::fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()));
    let wanted = Wanted {
        target,
        against: args.against.iter().map(read).collect::<Result<_, _>>()?,
        key: match args.with_key {
            Some(file) => Some((settings.key()?, passphrase(&file)?)),
            None => None,
        },
    };
    let done = restore(&args.backup, &wanted).await.map_err(|e| e.to_string())?;
    done.verdict.text.iter().for_each(|line| println!("{line}"));
    Ok(match (done.verdict.sound, done.missing) {
        (false, _) => ExitCode::FAILURE,
        (true, true) => ExitCode::from(MISSING),
        (true, false) => ExitCode::SUCCESS,
    })
}
