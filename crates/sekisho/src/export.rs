//! `sekisho export`: the standard and its state in formats of other tools.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sekisho_app::Office;
use sekisho_app::office::Opening;
use sekisho_app::oscal::OscalKind;
use sekisho_app::setup;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::config::{Outcome, open_store, start_logging};

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
        place: Place,
    },
    /// CISO Assistant のライブラリ（YAML）
    CisoAssistant {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// データフォルダ、または PostgreSQL のアドレス
    #[arg(long)]
    data: PathBuf,
    /// 書き出すファイル（指定しなければ画面に出す）
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Outcome {
    start_logging();
    let (place, kind) = match args.what {
        What::Oscal { kind, place } => {
            let wrong = || {
                format!(
                    "{kind} は書き出せません。catalog、component-definition、assessment-results、poam のどれかを指定してください。"
                )
            };
            let known = OscalKind::named(&kind).ok_or_else(wrong)?;
            (place, Some(known))
        }
        What::CisoAssistant { place } => (place, None),
    };
    let opening = Opening {
        store: open_store(&place.data, false).await?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        seed: None,
        body: String::new(),
        title: String::new(),
        pack: setup::model_pack().map_err(|e| e.to_string())?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    let office = Office::open(opening).await.map_err(|e| e.to_string())?;
    let made = match kind {
        Some(kind) => office.oscal_text(kind).await,
        None => office.ciso_assistant().await,
    };
    let (_, text) = made.map_err(|e| e.to_string())?;
    match place.out {
        Some(file) => std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?,
        None => println!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}
