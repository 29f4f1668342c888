//! Versions of the standard in time: which was in force on a day, how its files stood then, what differs between two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_pack::diff::diff;
use sekisho_pack::diff::lines::{Line, Mark, counts, lines};
use sekisho_pack::model::Pack;
use sekisho_store::pack::{self as versions, PackRow};
use sekisho_store::pack_proposal::{self, AppliedRow};
use sekisho_store::setting;

use super::edit::{covered, folder_title};
use super::publishes;
use super::view::{AreaView, area_views, short};
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::{Office, RUNNING};

/// Unchanged lines shown on each side of a change.
const AROUND: usize = 3;
/// Lines that a page shows.
const SHOWN: usize = 6_000;

/// A version while it was in force without a break.
struct Term {
    hash: String,
    /// Name and own version of the pack.
    name: String,
    from: Instant,
    /// When the next one took its place; nothing: it runs.
    until: Option<Instant>,
    /// The proposal that put it in force; nothing for the one of the first start.
    applied: Option<AppliedRow>,
}

impl Term {
    /// Whether it was in force at some moment of a day.
    fn on(&self, day: Date) -> bool {
        self.from <= Instant::end_of(day) && self.until.is_none_or(|u| u > Instant::start_of(day))
    }

    fn period(&self) -> String {
        let until = self.until.map_or_else(|| "使用中".to_owned(), |u| format!("{}まで", u.short()));
        format!("{}から　{until}", self.from.short())
    }
}

/// A time in which a version was in force, as a page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermLine {
    /// Key of the version.
    pub hash: String,
    /// First characters of it.
    pub short: String,
    /// Name and version of the pack.
    pub name: String,
    /// From when to when.
    pub period: String,
    /// Who proposed it, and when.
    pub proposed: String,
    /// Who let it take effect, and when.
    pub decided: String,
    /// Id of the proposal; empty for the version of the first start, and for those who may not open proposals.
    pub proposal: String,
    /// Whether it runs.
    pub running: bool,
}

/// What was in force on a day that somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnDay {
    /// The day as typed; empty: none was asked for.
    pub typed: String,
    /// The day as a page shows it; empty where it cannot be answered.
    pub day: String,
    /// What was in force, in order: more than one where versions changed on that day, none before the first.
    pub terms: Vec<TermLine>,
    /// What is wrong with the day.
    pub message: String,
}

/// A version that can be read and compared: key and what it is called in a choice.
pub type Choice = (String, String);

/// The page of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Key of the version.
    pub hash: String,
    /// First characters of it.
    pub short: String,
    /// Name and version of the pack.
    pub name: String,
    /// When it was stored, and by whom.
    pub stored: String,
    /// When it was in force, the latest first; none for one that never was.
    pub terms: Vec<TermLine>,
    /// Whether it runs.
    pub running: bool,
    /// Key of the version that was in force just before it; empty when none was.
    pub before: String,
    /// Its files: what a folder holds, and the places in it.
    pub folders: Vec<(String, Vec<String>)>,
}

/// A file of a version, to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionFilePage {
    /// Key of the version.
    pub hash: String,
    /// Name and version of the pack.
    pub name: String,
    /// First characters of the key.
    pub short: String,
    /// Place within the pack folder.
    pub path: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// Whether there are more lines than are shown.
    pub cut: bool,
}

/// One of two versions that are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side {
    /// Key of the version.
    pub hash: String,
    /// Name and version of the pack.
    pub name: String,
    /// First characters of the key.
    pub short: String,
    /// When it was in force; empty when it never was.
    pub periods: Vec<String>,
}

/// A file that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChange {
    /// Place within the pack folder.
    pub path: String,
    /// 変更, 追加, 削除.
    pub change: &'static str,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// What differs between two versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComparePage {
    /// The one.
    pub old: Side,
    /// The other.
    pub new: Side,
    /// Versions that can be chosen.
    pub choices: Vec<Choice>,
    /// What it means: rights, roles, steps, deadlines.
    pub areas: Vec<AreaView>,
    /// Clauses whose mechanisms differ: the clause, what differs, and whether the running version has it.
    pub clauses: Vec<(String, String, bool)>,
    /// Why the meaning cannot be told; empty when it can.
    pub unread: String,
    /// Files that differ.
    pub files: Vec<FileChange>,
}

/// A line of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedLine {
    /// Number in the old file; empty for an added line.
    pub old: String,
    /// Number in the new file; empty for a removed line.
    pub new: String,
    /// Style class: `same`, `added`, `removed`, or `gap` for lines left out.
    pub class: &'static str,
    /// 追加, 削除, or empty.
    pub mark: &'static str,
    /// The line; how many are left out.
    pub text: String,
}

/// How one file differs between two versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompareFilePage {
    /// The one.
    pub old: Side,
    /// The other.
    pub new: Side,
    /// What differs.
    pub file: FileChange,
    /// Changed lines and some around them.
    pub lines: Vec<ChangedLine>,
    /// Whether there are more lines than are shown.
    pub cut: bool,
}

fn shown(d: &Directory, t: &Term, may_open: bool) -> TermLine {
    let told = |(person, at): &(String, Instant)| format!("{}（{}）", d.person_name(person), at.short());
    let first = || "最初の設定".to_owned();
    TermLine {
        hash: t.hash.clone(),
        short: short(&t.hash),
        name: t.name.clone(),
        period: t.period(),
        proposed: t.applied.as_ref().map_or_else(first, |a| told(&a.proposed)),
        decided: t.applied.as_ref().map_or_else(first, |a| told(&a.decided)),
        proposal: t.applied.as_ref().filter(|_| may_open).map(|a| a.id.clone()).unwrap_or_default(),
        running: t.until.is_none(),
    }
}

fn side(row: &PackRow, terms: &[Term]) -> Side {
    Side {
        hash: row.hash.clone(),
        short: short(&row.hash),
        name: format!("{} {}", row.name, row.version),
        periods: terms.iter().filter(|t| t.hash == row.hash).map(Term::period).collect(),
    }
}

/// How a file differs; nothing when it does not.
fn changed<'t>(
    old: Option<&'t str>,
    new: Option<&'t str>,
    path: &str,
) -> Option<(FileChange, Vec<Line<'t>>)> {
    let change = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => "追加",
        (Some(_), None) => "削除",
        (Some(a), Some(b)) if a == b => return None,
        _ => "変更",
    };
    let all = lines(old.unwrap_or_default(), new.unwrap_or_default());
    let (added, removed) = counts(&all);
    Some((FileChange { path: path.to_owned(), change, added, removed }, all))
}

/// Changed lines with some around them; what is left out is told as one line.
fn around(all: &[Line<'_>]) -> Vec<ChangedLine> {
    let mut near = vec![false; all.len()];
    for (i, _) in all.iter().enumerate().filter(|(_, l)| l.mark != Mark::Same) {
        near.iter_mut().take(i + AROUND + 1).skip(i.saturating_sub(AROUND)).for_each(|n| *n = true);
    }
    let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
    let mut out = Vec::new();
    let mut left = 0;
    let gap = |left: usize, out: &mut Vec<ChangedLine>| {
        if left > 0 {
            let text = format!("（同じ{left}行を省いています）");
            out.push(ChangedLine { class: "gap", text, ..ChangedLine::default() });
        }
    };
    for (line, near) in all.iter().zip(near) {
        if !near {
            left += 1;
            continue;
        }
        gap(std::mem::take(&mut left), &mut out);
        let (class, mark) = match line.mark {
            Mark::Same => ("same", ""),
            Mark::Removed => ("removed", "削除"),
            Mark::Added => ("added", "追加"),
        };
        let text = line.text.to_owned();
        out.push(ChangedLine { old: number(line.old), new: number(line.new), class, mark, text });
    }
    gap(left, &mut out);
    out
}

/// A version that this program can still read, or why not.
fn read(row: &PackRow, running: &Arc<Pack>) -> Result<Arc<Pack>, String> {
    if row.hash == running.hash {
        return Ok(Arc::clone(running));
    }
    Pack::load_files(&row.files).map(Arc::new).map_err(|_| {
        format!(
            "版「{} {}」（{}）は、今のプログラムでは読み解けない書き方なので、意味の違いは示せません。文書の違いは下で読めます。",
            row.name, row.version, short(&row.hash)
        )
    })
}

#[boxed]
impl Office {
    /// Every version that was in force, the first one first.
    async fn pack_terms(&self) -> Result<Vec<Term>, AppError> {
        let (applied, first) = self
            .store
            .read(|c| {
                Box::pin(async move {
                    let applied = pack_proposal::applied(c).await?;
                    let first = match applied.first() {
                        Some(a) => Some(a.base.clone()),
                        None => setting::get(c, RUNNING).await?,
                    };
                    let head = match first {
                        Some(hash) => versions::head(c, &hash).await?,
                        None => None,
                    };
                    Ok::<_, AppError>((applied, head))
                })
            })
            .await?;
        let mut terms: Vec<Term> = Vec::new();
        if let Some(v) = first {
            let name = format!("{} {}", v.name, v.version);
            terms.push(Term { hash: v.hash, name, from: v.loaded_at, until: None, applied: None });
        }
        for a in applied {
            if let Some(last) = terms.last_mut() {
                last.until = Some(a.decided.1);
            }
            terms.push(Term {
                hash: a.hash.clone(),
                name: a.name.clone(),
                from: a.decided.1,
                until: None,
                applied: Some(a),
            });
        }
        Ok(terms)
    }

    /// What the page 「基準の版」 shows of the past: what was in force on a day, and all of it, the latest first.
    pub(super) async fn packs_in_time(
        &self,
        d: &Directory,
        on: &str,
        may_open: bool,
    ) -> Result<(OnDay, Vec<TermLine>), AppError> {
        let terms = self.pack_terms().await?;
        let mut asked = OnDay { typed: on.trim().to_owned(), ..OnDay::default() };
        if !asked.typed.is_empty() {
            match Date::parse_japanese(on) {
                Err(e) => asked.message = e.to_string(),
                Ok(day) if day > self.clock.today() => {
                    asked.message =
                        "先の日付にどの版が有効かは、まだ決まっていません。今日までの日付を入力してください。"
                            .to_owned();
                }
                Ok(day) => {
                    asked.day = day.japanese();
                    asked.terms = terms.iter().filter(|t| t.on(day)).map(|t| shown(d, t, may_open)).collect();
                }
            }
        }
        Ok((asked, terms.iter().rev().map(|t| shown(d, t, may_open)).collect()))
    }

    /// Whether somebody may open proposals, and with them versions that were never in force.
    async fn may_open_packs(&self, who: &Identity) -> Result<bool, AppError> {
        let me = self.me(who).await?;
        Ok(me.administers() || publishes(&me))
    }

    /// A version that somebody may read: one that was in force for everybody, any other for those who propose and decide.
    async fn readable_pack(
        &self,
        hash: &str,
        terms: &[Term],
        may_open: bool,
    ) -> Result<Arc<PackRow>, AppError> {
        if !may_open && terms.iter().all(|t| t.hash != hash) {
            return Err(AppError::NotFound);
        }
        let key = hash.to_owned();
        self.store
            .read(move |c| Box::pin(async move { versions::get(c, &key).await.map_err(AppError::from) }))
            .await?
            .map(Arc::new)
            .ok_or(AppError::NotFound)
    }

    /// The page of one version.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not stored, and for one that was never in force also for those who neither propose nor decide.
    pub async fn pack_version_page(&self, who: &Identity, hash: &str) -> Result<VersionPage, AppError> {
        let (terms, may_open) = (self.pack_terms().await?, self.may_open_packs(who).await?);
        let row = self.readable_pack(hash, &terms, may_open).await?;
        let d = self.directory().await?;
        let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for path in row.files.keys() {
            folders.entry(path.rsplit_once('/').map_or("", |(f, _)| f)).or_default().push(path.clone());
        }
        let pairs = terms.iter().zip(terms.iter().skip(1));
        let before = pairs.rev().find(|(_, t)| t.hash == hash).map(|(before, _)| before.hash.clone());
        let own = terms.iter().rev().filter(|t| t.hash == hash);
        Ok(VersionPage {
            hash: row.hash.clone(),
            short: short(&row.hash),
            name: format!("{} {}", row.name, row.version),
            stored: format!("{} {}", row.loaded_at.japanese(), d.person_name(&row.loaded_by)),
            terms: own.map(|t| shown(&d, t, may_open)).collect(),
            running: row.hash == self.pack().hash,
            before: before.unwrap_or_default(),
            folders: folders.into_iter().map(|(f, files)| (folder_title(f), files)).collect(),
        })
    }

    /// One file of a version, as it stands in it.
    ///
    /// # Errors
    /// As [`Self::pack_version_page`], and when the version has no such file.
    pub async fn pack_version_file(
        &self,
        who: &Identity,
        hash: &str,
        path: &str,
    ) -> Result<VersionFilePage, AppError> {
        let (terms, may_open) = (self.pack_terms().await?, self.may_open_packs(who).await?);
        let row = self.readable_pack(hash, &terms, may_open).await?;
        let text = row.files.get(path).ok_or(AppError::NotFound)?;
        Ok(VersionFilePage {
            hash: row.hash.clone(),
            name: format!("{} {}", row.name, row.version),
            short: short(&row.hash),
            path: path.to_owned(),
            lines: text.lines().take(SHOWN).map(str::to_owned).collect(),
            cut: text.lines().nth(SHOWN).is_some(),
        })
    }

    /// Two versions to be compared. Where the new one is not named it is the running one; where the old one is not, it is the one in force before
    /// the new one.
    async fn two_packs(
        &self,
        who: &Identity,
        old: &str,
        new: &str,
    ) -> Result<(Arc<PackRow>, Arc<PackRow>, Vec<Term>, bool), AppError> {
        let (terms, may_open) = (self.pack_terms().await?, self.may_open_packs(who).await?);
        let running = self.pack().hash.clone();
        let new = if new.is_empty() { running.as_str() } else { new };
        let pairs = terms.iter().zip(terms.iter().skip(1));
        let before =
            pairs.rev().find(|(_, t)| t.hash == new).map_or(running.as_str(), |(b, _)| b.hash.as_str());
        let old = if old.is_empty() { before } else { old };
        let old = self.readable_pack(old, &terms, may_open).await?;
        let new = self.readable_pack(new, &terms, may_open).await?;
        Ok((old, new, terms, may_open))
    }

    /// What differs between two versions, in meaning and in their files.
    ///
    /// # Errors
    /// As [`Self::pack_version_page`], for either.
    pub async fn compare_packs(&self, who: &Identity, old: &str, new: &str) -> Result<ComparePage, AppError> {
        let (old, new, terms, may_open) = self.two_packs(who, old, new).await?;
        let choices = self.pack_choices(&terms, may_open, &[&old, &new]).await?;
        let mut page = ComparePage {
            old: side(&old, &terms),
            new: side(&new, &terms),
            choices,
            ..ComparePage::default()
        };
        let running = self.pack();
        // Some tenths of a second: not on the threads that answer.
        let work = move || {
            let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
            page.files = paths
                .into_iter()
                .filter_map(|path| {
                    let (a, b) = (old.files.get(path), new.files.get(path));
                    changed(a.map(String::as_str), b.map(String::as_str), path).map(|(file, _)| file)
                })
                .collect();
            match (read(&old, &running), read(&new, &running)) {
                (Ok(a), Ok(b)) => {
                    page.areas = area_views(&diff(&a, &b).changes);
                    let known = |id: &str| running.clauses.iter().any(|c| c.id == id);
                    page.clauses = covered(&a, &b)
                        .into_iter()
                        .map(|(id, says)| {
                            let known = known(&id);
                            (id, says, known)
                        })
                        .collect();
                }
                (Err(why), _) | (_, Err(why)) => page.unread = why,
            }
            page
        };
        tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
    }

    /// Versions for a choice: those that were in force, the latest first, and the two that are compared.
    async fn pack_choices(
        &self,
        terms: &[Term],
        may_open: bool,
        compared: &[&Arc<PackRow>],
    ) -> Result<Vec<Choice>, AppError> {
        let mut out: Vec<Choice> = Vec::new();
        let mut add = |hash: &str, label: String| {
            if out.iter().all(|(h, _)| h != hash) {
                out.push((hash.to_owned(), label));
            }
        };
        for t in terms.iter().rev() {
            add(&t.hash, format!("{}（{}）　{}", t.name, short(&t.hash), t.period()));
        }
        for row in compared {
            add(&row.hash, format!("{} {}（{}）", row.name, row.version, short(&row.hash)));
        }
        if may_open {
            let heads = self
                .store
                .read(|c| {
                    Box::pin(
                        async move { versions::list(c, super::view::SHOWN).await.map_err(AppError::from) },
                    )
                })
                .await?;
            for v in heads {
                add(&v.hash, format!("{} {}（{}）", v.name, v.version, short(&v.hash)));
            }
        }
        Ok(out)
    }

    /// How one file differs between two versions.
    ///
    /// # Errors
    /// As [`Self::compare_packs`], and when neither version has the file.
    pub async fn compare_pack_file(
        &self,
        who: &Identity,
        old: &str,
        new: &str,
        path: &str,
    ) -> Result<CompareFilePage, AppError> {
        let (old, new, terms, _) = self.two_packs(who, old, new).await?;
        let (a, b) = (old.files.get(path), new.files.get(path));
        if a.is_none() && b.is_none() {
            return Err(AppError::NotFound);
        }
        let mut page = CompareFilePage {
            old: side(&old, &terms),
            new: side(&new, &terms),
            file: FileChange { path: path.to_owned(), ..FileChange::default() },
            ..CompareFilePage::default()
        };
        if let Some((file, all)) = changed(a.map(String::as_str), b.map(String::as_str), path) {
            page.file = file;
            page.lines = around(&all);
            page.cut = page.lines.len() > SHOWN;
            page.lines.truncate(SHOWN);
        }
        Ok(page)
    }
}
