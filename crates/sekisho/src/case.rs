//! `sekisho case explain`: who may act on a case now, and why not the others.

use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::first;

use crate::config::{Outcome, Place};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 案件を今だれが処理でき、ほかの人はなぜできないかを表示する
    Explain {
        #[command(flatten)]
        place: Place,
        /// 案件の番号（例: 持出-R8-0001）
        number: String,
    },
}

pub(crate) async fn run(args: Args) -> Outcome {
    let Command::Explain { place, number } = args.command;
    let store = place.store().await?;
    let office = first::open_for_terminal(store, "", "").await.map_err(|e| e.to_string())?;
    let found = office.explain_case(&number).await;
    let e = match found {
        Ok(e) => e,
        Err(sekisho_app::AppError::NotFound) => {
            return Err(format!(
                "番号「{number}」の案件はありません。案件の画面の番号をそのまま入れてください。"
            ));
        }
        Err(e) => return Err(e.to_string()),
    };
    println!("{} {}（{}）", e.number, e.title, e.status);
    if e.open.is_empty() {
        println!("処理を待っている手順はありません。");
    }
    for step in &e.open {
        println!("処理待ち: {step}");
    }
    for line in &e.lines {
        println!("  {} {} — {}", if line.may { "できる  " } else { "できない" }, line.who, line.why);
    }
    Ok(ExitCode::SUCCESS)
}
