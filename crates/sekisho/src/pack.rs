//! `sekisho pack check|coverage|test|doc|new|diff|publish-check|propose`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use sekisho_app::{first, pack_tools};

use crate::config::{Outcome, Place, on_runtime};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 規程データを調べ、誤りを場所と直し方とともに示す
    Check {
        /// パックのフォルダ（指定しなければ付属のモデル市）
        dir: Option<PathBuf>,
    },
    /// 条項ごとに、働いている仕組みと未整備の仕組みを示す
    Coverage {
        /// パックのフォルダ（指定しなければ付属のモデル市）
        #[arg(long)]
        pack: Option<PathBuf>,
        /// 出力の形
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// パックに書かれた「だれが・何を・どうなる」の例を確かめる
    Test {
        /// パックのフォルダ（指定しなければ付属のモデル市）
        dir: Option<PathBuf>,
    },
    /// パック全体を、人が読む日本語の文書にする
    Doc {
        /// パックのフォルダ（指定しなければ付属のモデル市）
        dir: Option<PathBuf>,
        /// 文書の形
        #[arg(long, value_enum, default_value = "md")]
        format: DocFormat,
    },
    /// モデル市のパックを写して、自分の市のパックを始める
    New {
        /// 作るフォルダ（空か、まだ無いもの）
        dir: PathBuf,
        /// パックの名前（英小文字・数字・-。例: minato-city）
        #[arg(long)]
        name: String,
        /// 題名（例: 港市 情報セキュリティ対策基準）
        #[arg(long)]
        title: String,
    },
    /// 二つのパックの違いを言葉で示す（だれの権限が変わるかを先に）
    Diff {
        /// 前のパックのフォルダ
        old: PathBuf,
        /// 新しいパックのフォルダ
        new: PathBuf,
    },
    /// この版を使う提案をする（指定した人が画面で引き取り、別の人が確認すると使われる）
    Propose {
        /// パックのフォルダ
        dir: PathBuf,
        #[command(flatten)]
        place: Place,
        /// 提案する人のログイン名
        #[arg(long)]
        by: String,
    },
    /// 使い始めてよいかを組織に照らして確かめる（どの手続も、どの所属からも、だれか一人が不在でも進められるか）
    PublishCheck {
        /// パックのフォルダ（指定しなければ付属のモデル市）
        dir: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DocFormat {
    Md,
    Html,
}

pub(crate) fn run(args: &Args) -> Outcome {
    match &args.command {
        Command::Check { dir } => {
            let Some((pack, warnings)) = load(dir.as_deref()) else { return Ok(ExitCode::FAILURE) };
            println!("{} {}：誤りはありません（注意 {warnings}件）。", pack.meta.title, pack.meta.version);
        }
        Command::Coverage { pack: dir, format } => {
            let Some((pack, _)) = load(dir.as_deref()) else { return Ok(ExitCode::FAILURE) };
            match format {
                Format::Json => println!("{}", pack_tools::coverage_json(&pack)?),
                Format::Text => print!("{}", pack_tools::coverage_text(&pack)),
            }
        }
        Command::Test { dir } => {
            let Some((pack, _)) = load(dir.as_deref()) else { return Ok(ExitCode::FAILURE) };
            return Ok(told(&pack_tools::test(&pack)));
        }
        Command::Doc { dir, format } => {
            let Some((pack, _)) = load(dir.as_deref()) else { return Ok(ExitCode::FAILURE) };
            match format {
                DocFormat::Md => print!("{}", pack_tools::document_markdown(&pack)),
                DocFormat::Html => print!("{}", pack_tools::document_html(&pack)),
            }
        }
        Command::New { dir, name, title } => {
            let written = pack_tools::start(dir, name, title).map_err(|e| e.to_string())?;
            println!("{} に{written}個のファイルを作りました。", dir.display());
            println!("直したら `sekisho pack check` と `sekisho pack test` で確かめてください。");
        }
        Command::Diff { old, new } => {
            let (Some((old, _)), Some((new, _))) = (load(Some(old)), load(Some(new))) else {
                return Ok(ExitCode::FAILURE);
            };
            print!("{}", pack_tools::difference(&old, &new).text());
        }
        Command::Propose { dir, place, by } => {
            let Some(files) = read(Some(dir)) else { return Ok(ExitCode::FAILURE) };
            return on_runtime(async {
                let office = office(place).await?;
                let id = office.propose_pack_from_terminal(files, by).await.map_err(|e| e.to_string())?;
                println!("提案しました（/packs/proposals/{id}）。");
                println!("{by} の人が「基準の版」の画面で引き取ると、別の人が確認して使い始められます。");
                Ok(ExitCode::SUCCESS)
            });
        }
        Command::PublishCheck { dir, place } => {
            let Some((pack, _)) = load(dir.as_deref()) else { return Ok(ExitCode::FAILURE) };
            return on_runtime(async {
                let office = office(place).await?;
                let verdict = pack_tools::publish_check(&office, &pack).await.map_err(|e| e.to_string())?;
                Ok(told(&verdict))
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The body that is meant.
async fn office(place: &Place) -> Result<std::sync::Arc<sekisho_app::Office>, String> {
    let store = place.store().await?;
    first::open_for_terminal(store, "city", "").await.map_err(|e| e.to_string())
}

/// Reads the files of a pack, or says on the standard error stream what cannot be read.
fn read(dir: Option<&Path>) -> Option<BTreeMap<String, String>> {
    pack_tools::files(dir).map_err(|messages| messages.iter().for_each(|m| eprintln!("{m}"))).ok()
}

/// Loads a pack and says on the standard error stream what is wrong with it; how many warnings there are.
fn load(dir: Option<&Path>) -> Option<(pack_tools::Pack, usize)> {
    let (pack, messages) = pack_tools::examine(&read(dir)?);
    for m in &messages {
        eprintln!("{m}");
    }
    if pack.is_none() {
        eprintln!("誤りがあるため、このパックは使えません（{}件）。", messages.len());
    }
    pack.map(|p| (p, messages.len()))
}

fn told(verdict: &sekisho_app::setup::Verdict) -> ExitCode {
    for line in &verdict.text {
        println!("{line}");
    }
    if verdict.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
