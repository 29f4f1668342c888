//! The one file with which guards check permits where there is no network: page, script, keys and list together.

use askama::Template;
use sekisho_app::permits::Checker;

const SCRIPT: &str = include_str!("../assets/checker.js");

#[derive(Template)]
#[template(path = "checker.html")]
struct CheckerFile<'c> {
    checker: &'c Checker,
    script: &'static str,
}

/// The file as text.
///
/// # Errors
/// The template failed.
pub fn checker_file(checker: &Checker) -> Result<String, askama::Error> {
    CheckerFile { checker, script: SCRIPT }.render()
}
