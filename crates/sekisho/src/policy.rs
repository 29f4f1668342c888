//! `sekisho policy parse FILE --format json|text|md`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use sekisho_app::policy;

use crate::config::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 規程の文章（テキスト、Markdown、Word、例規HTML）を条項の木にする
    Parse {
        /// 読み取るファイル
        file: PathBuf,
        /// 出力の形
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Text,
    Md,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let Command::Parse { file, format } = &args.command;
    let bytes = std::fs::read(file).map_err(|e| format!("{} を読めません: {e}", file.display()))?;
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned());
    let text = policy::parse(&bytes, name.as_deref()).map_err(|e| format!("{}: {e}", file.display()))?;
    for w in &text.warnings {
        eprintln!("{}:{}: {}", file.display(), w.line, w.message);
    }
    match format {
        Format::Json => println!("{}", serde_json::to_string(&text).map_err(|e| e.to_string())?),
        Format::Text => print!("{}", policy::to_text(&text)),
        Format::Md => print!("{}", policy::to_markdown(&text)),
    }
    Ok(ExitCode::SUCCESS)
}
