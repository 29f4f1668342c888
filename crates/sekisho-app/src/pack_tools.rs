//! Packs for the terminal: where one comes from, what is wrong with it, what it covers.

use std::collections::BTreeMap;
use std::path::Path;

use sekisho_pack::coverage::{Built, coverage};
use sekisho_pack::message::Message;
use sekisho_pack::model::Pack;

use crate::office::BUILT_GATES;
use crate::pack_oracle::PackOracle;
use crate::setup::Verdict;

/// Files of a pack folder, or of the pack that comes with the program.
///
/// # Errors
/// What cannot be read.
pub fn files(folder: Option<&Path>) -> Result<BTreeMap<String, String>, Vec<Message>> {
    folder.map_or_else(|| Ok(Pack::model_city_files()), sekisho_pack::load::read_dir)
}

/// Validates files; messages also when it loads.
#[must_use]
pub fn examine(files: &BTreeMap<String, String>) -> (Option<Pack>, Vec<Message>) {
    Pack::examine(files)
}

/// Coverage as the JSON that scripts rely on: `{"clauses":[{"id","mechanisms","planned"}]}`.
///
/// # Errors
/// It cannot be written as JSON.
pub fn coverage_json(pack: &Pack) -> Result<String, String> {
    serde_json::to_string(&coverage(pack, &built())).map_err(|e| e.to_string())
}

/// Coverage for people.
#[must_use]
pub fn coverage_text(pack: &Pack) -> String {
    coverage(pack, &built()).summary()
}

fn built() -> Built<'static> {
    Built { gates: &BUILT_GATES }
}

/// Runs the pack's data tests and says what came out otherwise than expected.
#[must_use]
pub fn test(pack: &Pack) -> Verdict {
    let failures = sekisho_pack::test::run(pack, &PackOracle::new(pack));
    let mut text: Vec<String> = failures.iter().map(ToString::to_string).collect();
    text.push(format!("{}件の例を確かめ、{}件が期待と違いました。", pack.tests.len(), failures.len()));
    Verdict { text, sound: failures.is_empty() }
}
