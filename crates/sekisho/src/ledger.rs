//! `sekisho ledger export|verify|checkpoint`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::ledger;
use sekisho_app::setup;

use crate::config::{Outcome, open_store};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 証跡を、ほかの道具で検証できる形（C2SP tlog-tiles）で書き出す
    Export {
        /// データフォルダ、または postgres:// で始まるアドレス
        #[arg(long)]
        data: PathBuf,
        /// 書き出す先（空のフォルダ）
        out: PathBuf,
    },
    /// 証跡を検証する（データフォルダ、または書き出したフォルダ）
    Verify {
        /// データフォルダ、または postgres:// で始まるアドレス
        #[arg(long, conflicts_with = "folder")]
        data: Option<PathBuf>,
        /// 書き出したフォルダ
        folder: Option<PathBuf>,
        /// 紙などで別に受け取った公開鍵（vkey）
        #[arg(long)]
        vkey: Option<String>,
        /// 以前に控えたチェックポイントのファイル（何度でも指定できる）
        #[arg(long = "since")]
        since: Vec<PathBuf>,
    },
    /// 最新の署名つき控え（チェックポイント）を表示する
    Checkpoint {
        /// データフォルダ、または postgres:// で始まるアドレス
        #[arg(long)]
        data: PathBuf,
    },
}

pub(crate) async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Export { data, out } => {
            if out.read_dir().is_ok_and(|mut d| d.next().is_some()) {
                return Err(format!(
                    "{} は空ではありません。新しいフォルダを指定してください。",
                    out.display()
                ));
            }
            let store = open_store(&data, false).await?;
            let size = ledger::export_to(&store, &out).await.map_err(|e| e.to_string())?;
            println!("{size}件の記録を {} に書き出しました。", out.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { data, folder, vkey, since } => {
            let kept = since
                .iter()
                .map(|f| std::fs::read_to_string(f).map_err(|e| format!("{} を読めません: {e}", f.display())))
                .collect::<Result<Vec<_>, _>>()?;
            let lines = match (data, folder) {
                (Some(data), _) => {
                    setup::verify_data(&open_store(&data, false).await?, vkey.as_deref(), &kept).await
                }
                (None, Some(folder)) => setup::verify_exported(&folder, vkey.as_deref(), &kept),
                (None, None) => return Err("--data または書き出したフォルダを指定してください。".to_owned()),
            }
            .map_err(|e| e.to_string())?;
            for line in &lines.text {
                println!("{line}");
            }
            Ok(if lines.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Checkpoint { data } => {
            print!(
                "{}",
                setup::checkpoint(&open_store(&data, false).await?).await.map_err(|e| e.to_string())?
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}
