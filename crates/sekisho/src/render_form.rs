//! `sekisho render-form`: one printed form, in a process of its own with limits. Reads a request, writes a PDF.

use std::process::ExitCode;

use crate::config::Outcome;

pub(crate) fn run() -> Outcome {
    sekisho_app::forms::child_main()?;
    Ok(ExitCode::SUCCESS)
}
