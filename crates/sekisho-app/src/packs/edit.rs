//! The editor of the standard: one's own copies of its files beside the running version, what is wrong with them, what they change, and proposing
//! them. Nothing here takes effect: that is a second person's (`super::confirm_pack_proposal`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_pack::coverage::is_built;
use sekisho_pack::diff::diff;
use sekisho_pack::message::{Message, Severity};
use sekisho_pack::model::Pack;
use sekisho_pack::words::Words;
use sekisho_store::pack as versions;
use sekisho_store::pack_draft::{self, DraftFileRow};

use super::view::{AreaView, area_views};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::pack_tools;

/// Longest file, in bytes: percent-encoded it must still fit into an ordinary form, or what was typed would be lost.
const FILE_BYTES: usize = sekisho_base::limits::FORM_BYTES / 3 - 8 * 1024;
/// Files that one may work on at once.
const FILES: usize = 200;
/// Files and failures that a page lists.
const SHOWN: usize = 100;

/// A file in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditFile {
    /// Place within the pack folder.
    pub path: String,
    /// 変更, 追加, 外す; empty when it is as in the running version.
    pub change: &'static str,
    /// Errors in it.
    pub errors: usize,
}

/// A folder in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditFolder {
    /// What its files hold.
    pub title: String,
    /// Files, by name.
    pub files: Vec<EditFile>,
}

/// The page 規程・手続の編集.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditPage {
    /// The running version.
    pub running: String,
    /// Folders.
    pub folders: Vec<EditFolder>,
    /// Files that differ from the running version.
    pub changed: usize,
    /// Errors in all files.
    pub errors: usize,
    /// Files were edited from a version that no longer runs.
    pub stale: bool,
}

/// What the loader says about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditMessage {
    /// Line from 1.
    pub line: usize,
    /// That line as it stands.
    pub quoted: String,
    /// Key within the file.
    pub key: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
    /// The pack cannot be loaded.
    pub error: bool,
}

/// The page of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditFilePage {
    /// Place within the pack folder.
    pub path: String,
    /// The text, as typed or as it is kept.
    pub text: String,
    /// The version that the form was made from.
    pub version: i64,
    /// As [`EditFile::change`].
    pub change: &'static str,
    /// What is wrong with it.
    pub messages: Vec<EditMessage>,
    /// Errors in other files.
    pub elsewhere: usize,
}

/// The page that says what the changes would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditCheck {
    /// What is wrong, by file.
    pub messages: Vec<(String, EditMessage)>,
    /// Examples that do not come out as expected, and how many there are.
    pub tests: Vec<String>,
    /// Whether every example came out as expected.
    pub tested: bool,
    /// What changes.
    pub areas: Vec<AreaView>,
    /// Clauses whose mechanisms change: clause and what.
    pub clauses: Vec<(String, String)>,
    /// It can be proposed.
    pub ready: bool,
    /// As [`EditPage::changed`].
    pub changed: usize,
}

/// What somebody is working on.
struct Draft {
    running: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    rows: BTreeMap<String, DraftFileRow>,
}

impl Draft {
    fn change(&self, path: &str) -> &'static str {
        match (self.running.get(path), self.files.get(path)) {
            (None, Some(_)) => "追加",
            (Some(_), None) => "外す",
            (Some(was), Some(is)) if was != is => "変更",
            _ => "",
        }
    }

    fn paths(&self) -> BTreeSet<&String> {
        self.running.keys().chain(self.files.keys()).collect()
    }

    fn changed(&self) -> usize {
        self.paths().into_iter().filter(|p| !self.change(p).is_empty()).count()
    }
}

pub(super) fn folder_title(folder: &str) -> String {
    match folder {
        "" => "全体（名札、役割、分類、暦など）",
        "clauses" => "条項",
        "procedures" => "手続",
        "registers" => "台帳",
        "duties" => "定期の仕事",
        "checks" => "点検",
        "documents" => "文書",
        "notices" => "守ること",
        "forms" => "様式",
        "tests" => "例（決まりどおりに動くかを確かめるもの）",
        other => other,
    }
    .to_owned()
}

/// A place that a new file may have.
fn usable(path: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let Some((stem, kind)) = path.rsplit_once('.') else { return false };
    path.len() <= 80
        && matches!(kind, "toml" | "typ")
        && stem.split('/').count() <= 2
        && stem.split('/').all(part)
}

fn message(m: Message, files: &BTreeMap<String, String>) -> (String, EditMessage) {
    let quoted = files.get(&m.file).and_then(|t| t.lines().nth(m.line.saturating_sub(1)));
    let shown = EditMessage {
        quoted: quoted.map(|q| sekisho_base::text::shorten(q.trim(), 120)).unwrap_or_default(),
        line: m.line,
        key: m.key,
        text: m.text,
        remedy: m.remedy,
        error: m.severity == Severity::Error,
    };
    (m.file, shown)
}

async fn examine(
    files: BTreeMap<String, String>,
) -> Result<(Option<Pack>, Vec<(String, EditMessage)>), AppError> {
    // Some tenths of a second: not on the threads that answer.
    let work = move || {
        let (pack, messages) = Pack::examine(&files);
        (pack, messages.into_iter().map(|m| message(m, &files)).collect())
    };
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}

/// Clauses whose mechanisms, built or planned, differ.
pub(super) fn covered(old: &Pack, new: &Pack) -> Vec<(String, String)> {
    // Both halves as people call them: a name alone would say nothing to whoever decides.
    let of = |pack: &Pack| -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
        let (words, built) = (Words::of(pack), pack_tools::built());
        let clauses = pack.clauses.iter();
        clauses
            .map(|c| {
                let (have, planned): (Vec<_>, Vec<_>) =
                    c.mechanisms.iter().partition(|m| is_built(pack, &built, m));
                let said = |list: Vec<_>| list.into_iter().map(|m| words.mechanism(m)).collect();
                (c.id.clone(), (said(have), said(planned)))
            })
            .collect()
    };
    let (before, after) = (of(old), of(new));
    let mut out = Vec::new();
    for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let empty = (BTreeSet::new(), BTreeSet::new());
        let (b, a) = (before.get(id).unwrap_or(&empty), after.get(id).unwrap_or(&empty));
        let list = |x: &BTreeSet<String>, y: &BTreeSet<String>| {
            x.difference(y).cloned().collect::<Vec<_>>().join("、")
        };
        let parts = [
            ("整備済みから外れる", list(&b.0, &a.0)),
            ("新しく整備済み", list(&a.0, &b.0)),
            ("未整備が増える", list(&a.1, &b.1)),
            ("未整備が減る", list(&b.1, &a.1)),
        ];
        let said: Vec<String> =
            parts.iter().filter(|(_, t)| !t.is_empty()).map(|(l, t)| format!("{l}：{t}")).collect();
        if !said.is_empty() {
            out.push((id.clone(), said.join("。")));
        }
    }
    out
}

#[boxed]
impl Office {
    async fn pack_draft(&self, who: &Identity) -> Result<Draft, AppError> {
        self.may_propose_pack(who).await?;
        let (person, hash) = (who.person.clone(), self.pack().hash.clone());
        let (stored, rows) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((versions::get(c, &hash).await?, pack_draft::list(c, &person).await?))
                })
            })
            .await?;
        let running = stored.ok_or_else(|| AppError::internal("the running pack is not stored"))?.files;
        let mut files = running.clone();
        for row in &rows {
            if row.body.is_empty() {
                files.remove(&row.path);
            } else {
                files.insert(row.path.clone(), row.body.clone());
            }
        }
        Ok(Draft { running, files, rows: rows.into_iter().map(|r| (r.path.clone(), r)).collect() })
    }

    /// The page 規程・手続の編集.
    ///
    /// # Errors
    /// Refused for others than proposers.
    pub async fn pack_edit_page(&self, who: &Identity) -> Result<EditPage, AppError> {
        let draft = self.pack_draft(who).await?;
        let (_, messages) = examine(draft.files.clone()).await?;
        let errors = |path: &str| messages.iter().filter(|(file, m)| file == path && m.error).count();
        let pack = self.pack();
        let mut folders: BTreeMap<&str, Vec<EditFile>> = BTreeMap::new();
        for path in draft.paths() {
            let folder = path.rsplit_once('/').map_or("", |(f, _)| f);
            folders.entry(folder).or_default().push(EditFile {
                path: path.clone(),
                change: draft.change(path),
                errors: errors(path),
            });
        }
        let folder = |(folder, files)| EditFolder { title: folder_title(folder), files };
        Ok(EditPage {
            running: format!("{} {}", pack.meta.title, pack.meta.version),
            folders: folders.into_iter().map(folder).collect(),
            changed: draft.changed(),
            errors: messages.iter().filter(|(_, m)| m.error).count(),
            stale: draft.rows.values().any(|r| r.base != pack.hash),
        })
    }

    /// The page of one file; `typed` is shown instead of what is kept, with the version that the form was made from.
    ///
    /// # Errors
    /// Refused for others than proposers; [`AppError::NotFound`] for a path that no file has.
    pub async fn pack_edit_file(
        &self,
        who: &Identity,
        path: &str,
        typed: Option<(&str, i64)>,
    ) -> Result<EditFilePage, AppError> {
        let draft = self.pack_draft(who).await?;
        if !draft.running.contains_key(path) && !draft.files.contains_key(path) && !usable(path) {
            return Err(AppError::NotFound);
        }
        let mut files = draft.files.clone();
        match typed {
            // Saved like this the file is taken out.
            Some(("", _)) => drop(files.remove(path)),
            Some((text, _)) => drop(files.insert(path.to_owned(), text.to_owned())),
            None => {}
        }
        let (_, messages) = examine(files.clone()).await?;
        let (own, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(file, _)| file == path);
        let kept = draft.rows.get(path).map_or(0, |r| r.version);
        Ok(EditFilePage {
            path: path.to_owned(),
            text: typed.map_or_else(|| files.get(path).cloned().unwrap_or_default(), |(t, _)| t.to_owned()),
            version: typed.map_or(kept, |(_, v)| v),
            change: draft.change(path),
            messages: own.into_iter().map(|(_, m)| m).collect(),
            elsewhere: others.iter().filter(|(_, m)| m.error).count(),
        })
    }

    /// Keeps a file as typed, right or wrong: what is wrong with it is told, and nothing takes effect.
    ///
    /// # Errors
    /// Fields that cannot be taken, also when another window saved it in between; refused for others than proposers.
    pub async fn save_pack_file(
        &self,
        who: &Identity,
        path: &str,
        text: &str,
        seen: i64,
    ) -> Result<(), AppError> {
        let draft = self.pack_draft(who).await?;
        let known = draft.running.contains_key(path) || draft.rows.contains_key(path);
        if !known && !usable(path) {
            return Err(AppError::field(
                "path",
                "「procedures/名前.toml」のように、フォルダーと、半角の英小文字・数字・「_」の名前で入力してください。",
            ));
        }
        if text.len() > FILE_BYTES {
            return Err(AppError::field("text", "1つの文書は160KBまでです。分けてください。"));
        }
        if draft.rows.len() >= FILES && !draft.rows.contains_key(path) {
            return Err(AppError::field(
                "text",
                "一度に直せるのは200ファイルまでです。先に提案するか、やめてください。",
            ));
        }
        let text = text.replace("\r\n", "\n");
        let person = who.person.clone();
        let row = DraftFileRow {
            path: path.to_owned(),
            base: self.pack().hash.clone(),
            body: text,
            version: seen,
            updated_at: self.clock.now(),
        };
        let kept = self
            .store
            .write(move |c| {
                Box::pin(async move { pack_draft::put(c, &person, &row, seen).await.map_err(AppError::from) })
            })
            .await;
        match kept {
            Err(AppError::Refused { code: "A002", .. }) => Err(AppError::field(
                "text",
                "ほかの画面で、このファイルが保存されました。今の内容を別の画面で開いて見比べ、必要なら書き直してから保存してください。ここに入力した内容は残っています。",
            )),
            other => other,
        }
    }

    /// Forgets the changes to one file, or with an empty path to all.
    ///
    /// # Errors
    /// Refused for others than proposers.
    pub async fn drop_pack_draft(&self, who: &Identity, path: &str) -> Result<(), AppError> {
        self.may_propose_pack(who).await?;
        let (person, path) = (who.person.clone(), path.to_owned());
        self.store
            .write(move |c| {
                Box::pin(async move { pack_draft::forget(c, &person, &path).await.map_err(AppError::from) })
            })
            .await
    }

    /// What the changes would do: messages, examples, routes and rights, clauses.
    ///
    /// # Errors
    /// Refused for others than proposers.
    pub async fn check_pack_draft(&self, who: &Identity) -> Result<EditCheck, AppError> {
        let draft = self.pack_draft(who).await?;
        let changed = draft.changed();
        let (pack, mut messages) = examine(draft.files).await?;
        messages.truncate(SHOWN);
        let Some(pack) = pack else { return Ok(EditCheck { messages, changed, ..EditCheck::default() }) };
        let base = self.pack();
        let work = move || {
            let told = pack_tools::test(&pack);
            EditCheck {
                messages,
                ready: told.sound && changed > 0,
                tested: told.sound,
                tests: told.text.into_iter().rev().take(SHOWN).collect(),
                areas: area_views(&diff(&base, &pack).changes),
                clauses: covered(&base, &pack),
                changed,
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
    }

    /// Proposes what one is working on, as the terminal would a folder; the copies are gone afterwards.
    ///
    /// # Errors
    /// The pack is not valid, fails its examples or changes nothing; refused for others than proposers.
    pub async fn propose_pack_draft(self: &Arc<Self>, who: &Identity) -> Result<String, AppError> {
        let draft = self.pack_draft(who).await?;
        self.proved(who)?;
        let id = self.keep_pack_proposal(draft.files, "", &who.person).await?;
        self.drop_pack_draft(who, "").await?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn new_files_have_plain_places() {
        for good in ["procedures/visit.toml", "roles.toml", "forms/take_out.typ"] {
            assert!(usable(good), "{good}");
        }
        for bad in [
            "",
            "../roles.toml",
            "a/b/c.toml",
            "x.exe",
            "procedures/.toml",
            "Procedures/x.toml",
            "/x.toml",
            "手続/x.toml",
        ] {
            assert!(!usable(bad), "{bad}");
        }
    }
}
