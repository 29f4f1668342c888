//! `sekisho pack check|coverage|test`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use sekisho_app::pack_tools;

use crate::config::Outcome;

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let dir = match &args.command {
        Command::Check { dir } | Command::Test { dir } => dir,
        Command::Coverage { pack, .. } => pack,
    };
    let (pack, messages) = match pack_tools::files(dir.as_deref()) {
        Ok(files) => pack_tools::examine(&files),
        Err(messages) => (None, messages),
    };
    for m in &messages {
        eprintln!("{m}");
    }
    let Some(pack) = pack else {
        eprintln!("誤りがあるため、このパックは使えません（{}件）。", messages.len());
        return Ok(ExitCode::FAILURE);
    };
    match &args.command {
        Command::Check { .. } => println!(
            "{} {}：誤りはありません（注意 {}件）。",
            pack.meta.title,
            pack.meta.version,
            messages.len()
        ),
        Command::Coverage { format: Format::Json, .. } => println!("{}", pack_tools::coverage_json(&pack)?),
        Command::Coverage { format: Format::Text, .. } => print!("{}", pack_tools::coverage_text(&pack)),
        Command::Test { .. } => {
            let told = pack_tools::test(&pack);
            for line in &told.text {
                println!("{line}");
            }
            return Ok(if told.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
