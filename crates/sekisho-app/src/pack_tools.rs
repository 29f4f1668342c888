//! Packs for the terminal: where one comes from, what is wrong with it, what it covers, what it says, how it differs from
//! another, whether it could take effect in a body.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sekisho_boxed::boxed;
use sekisho_pack::coverage::{Built, coverage};
use sekisho_pack::diff::Difference;
use sekisho_pack::message::Message;
pub use sekisho_pack::model::Pack;

use crate::error::AppError;
use crate::office::{BUILT_GATES, Office};
use crate::pack_oracle::PackOracle;
use crate::setup::Verdict;

/// Packs whose test result is kept.
const KEPT: usize = 8;

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

pub(crate) fn built() -> Built<'static> {
    Built { gates: &BUILT_GATES }
}

/// Runs the pack's data tests and says what came out otherwise than expected. The answer follows from the pack's files
/// alone: those given last are kept, because each look at a proposal wants it again.
#[must_use]
pub fn test(pack: &Pack) -> Verdict {
    type Known = (String, Arc<OnceLock<Verdict>>);
    static KNOWN: Mutex<VecDeque<Known>> = Mutex::new(VecDeque::new());
    let verdict = {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(hash, _)| *hash == pack.hash).map(|(_, v)| Arc::clone(v));
        found.unwrap_or_else(|| {
            let new = Arc::default();
            known.truncate(KEPT - 1);
            known.push_front((pack.hash.clone(), Arc::clone(&new)));
            new
        })
    };
    // Whoever asks for the same pack meanwhile waits for this one answer.
    verdict.get_or_init(|| run_tests(pack)).clone()
}

fn run_tests(pack: &Pack) -> Verdict {
    let failures = sekisho_pack::test::run(pack, &PackOracle::new(pack));
    let mut text: Vec<String> = failures.iter().map(ToString::to_string).collect();
    text.push(format!("{}件の例を確かめ、{}件が期待と違いました。", pack.tests.len(), failures.len()));
    Verdict { text, sound: failures.is_empty() }
}

/// The whole pack as a readable document, as Markdown.
#[must_use]
pub fn document_markdown(pack: &Pack) -> String {
    sekisho_pack::doc::markdown(pack, &built())
}

/// The whole pack as a readable document, as one HTML file.
#[must_use]
pub fn document_html(pack: &Pack) -> String {
    sekisho_pack::doc::html(pack, &built())
}

/// What changes from one pack to another.
#[must_use]
pub fn difference(old: &Pack, new: &Pack) -> Difference {
    sekisho_pack::diff::diff(old, new)
}

/// Starts a city's own pack from the model in an empty folder; makes the folder when it is missing. Answers how many
/// files were written.
///
/// # Errors
/// The name or title cannot be used, the folder holds something, or it cannot be written.
pub fn start(folder: &Path, name: &str, title: &str) -> Result<usize, AppError> {
    let files =
        sekisho_pack::own::from_model(name, title).map_err(|e| AppError::refused("B001", e.to_string()))?;
    let place =
        |e: std::io::Error| AppError::refused("B002", format!("{} に書けません: {e}", folder.display()));
    std::fs::create_dir_all(folder).map_err(place)?;
    if std::fs::read_dir(folder).map_err(place)?.next().is_some() {
        return Err(AppError::refused(
            "B003",
            format!("{} は空ではありません。新しいフォルダーを指定してください。", folder.display()),
        ));
    }
    for (path, text) in &files {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(place)?;
        }
        std::fs::write(&file, text).map_err(place)?;
    }
    Ok(files.len())
}

/// Whether a pack could take effect in a body today: every procedure completable in every section, also with any one
/// person absent. The verdict is sound when nothing blocks; warnings remain to be acknowledged.
///
/// # Errors
/// The body's data could not be read.
#[boxed]
pub async fn publish_check(office: &Office, pack: &Pack) -> Result<Verdict, AppError> {
    let org = office.org().await?;
    let report = sekisho_case::publish::check(pack, &org, office.clock.today());
    Ok(Verdict { text: report.lines(pack, &org), sound: report.sound() })
}
