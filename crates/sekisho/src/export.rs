//! `sekisho export`: the standard and its state in formats of other tools.

use std::path::PathBuf;
use std::process::ExitCode;

use sekisho_app::first::open_for_terminal;
use sekisho_app::oscal::OscalKind;

use crate::config::{Outcome, Place, start_logging};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// OSCAL 1.2.1（catalog、component-definition、assessment-results、poam）
    Oscal {
        /// catalog、component-definition、assessment-results、poam のどれか
        kind: String,
        #[command(flatten)]
        about: About,
    },
    /// CISO Assistant のライブラリ（YAML）
    CisoAssistant {
        #[command(flatten)]
        about: About,
    },
}

#[derive(Debug, clap::Args)]
struct About {
    #[command(flatten)]
    place: Place,
    /// 書き出すファイル（指定しなければ画面に出す）
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Outcome {
    start_logging();
    let (about, kind) = match args.what {
        What::Oscal { kind, about } => {
            let wrong = || {
                format!(
                    "{kind} は書き出せません。catalog、component-definition、assessment-results、poam のどれかを指定してください。"
                )
            };
            let known = OscalKind::named(&kind).ok_or_else(wrong)?;
            (about, Some(known))
        }
        What::CisoAssistant { about } => (about, None),
    };
    let store = about.place.store().await?;
    let office = open_for_terminal(store, "", "").await.map_err(|e| e.to_string())?;
    let made = match kind {
        Some(kind) => office.oscal_text(kind).await,
        None => office.ciso_assistant().await,
    };
    let (_, text) = made.map_err(|e| e.to_string())?;
    match about.out {
        Some(file) => std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?,
        None => println!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}
