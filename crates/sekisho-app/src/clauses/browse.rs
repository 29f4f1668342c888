//! The standard from above: chapters, sections and clauses with their states, narrowed by state, area and who must.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_pack::model::{Clause, Pack};

use super::view::{Chapter, ClauseLine, ClausesQuery, ClausesView, Section, StateCount};
use super::{Evidence, area, citation, state_words};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::RefChoice;

/// States as pages list them, the worst first.
pub(crate) const ORDER: [ClauseState; 5] =
    [ClauseState::Broken, ClauseState::Unknown, ClauseState::Due, ClauseState::Excepted, ClauseState::Met];

/// Whether a clause asks something, so that it has a state.
pub(crate) fn asks(c: &Clause) -> bool {
    c.kind != "heading" && !c.mechanisms.is_empty()
}

/// 「第5章 人的セキュリティ対策」, 「第5章第1節 職員等の遵守事項」.
pub(super) fn heading(c: &Clause) -> String {
    let (cited, title) = (citation(&c.id), c.title.clone().unwrap_or_default());
    if cited == title || title.is_empty() { cited } else { format!("{cited} {title}") }
}

/// Chapter of a clause: its number as written, or the first part of the basic policy's ids.
pub(crate) fn chapter_of(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

fn chapter_title(pack: &Pack, id: &str) -> String {
    pack.clauses.iter().find(|c| c.id == id).map_or_else(|| citation(id), heading)
}

/// Chapters in the order of the text: id and title.
pub(crate) fn chapters(pack: &Pack) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for c in pack.clauses.iter() {
        let id = chapter_of(&c.id);
        if found.iter().any(|(known, _)| known == id) {
            continue;
        }
        found.push((id.to_owned(), chapter_title(pack, id)));
    }
    found
}

/// The eight areas: number and name.
pub(crate) fn areas() -> impl Iterator<Item = (u8, String)> {
    (1..=8).map(|n| (n, area(n)))
}

/// Bytes of clauses that one page shows: a page has 150 kB at most, and its head and filters take some.
const PAGE_BYTES: usize = 110_000;
/// Bytes of markup around the words of one clause, about.
const MARKUP: usize = 180;

/// Leaves the chapters that fit on one page, the first one always; of the others only their names and counts.
fn fit(chapters: &mut [Chapter]) {
    let mut bytes = 0;
    for (n, chapter) in chapters.iter_mut().enumerate() {
        let clauses = || chapter.sections.iter().flat_map(|s| &s.clauses);
        chapter.count = clauses().count();
        let mut totals = BTreeMap::new();
        clauses().for_each(|c| *totals.entry(c.class).or_default() += 1);
        chapter.states = state_counts(&totals).into_iter().filter(|s| s.count > 0).collect();
        bytes += clauses().map(|c| c.says.len() + c.own.len() + MARKUP).sum::<usize>();
        if n > 0 && bytes > PAGE_BYTES {
            chapter.sections.clear();
        }
    }
}

struct Tree<'a> {
    pack: &'a Pack,
    headings: BTreeMap<&'a str, &'a Clause>,
    chapters: Vec<Chapter>,
}

impl Tree<'_> {
    fn chapter(&mut self, id: &str) -> &mut Chapter {
        let id = chapter_of(id);
        let at = self.chapters.iter().position(|c| c.id == id).unwrap_or_else(|| {
            let title = chapter_title(self.pack, id);
            self.chapters.push(Chapter {
                id: id.to_owned(),
                title,
                count: 0,
                states: vec![],
                sections: vec![],
            });
            self.chapters.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was just found or made")]
        &mut self.chapters[at]
    }

    fn section(&mut self, id: &str) -> &mut Section {
        let section: String = id.split('.').take(2).collect::<Vec<_>>().join(".");
        let head = self.headings.get(section.as_str());
        // A chapter without sections has one, which needs no heading of its own.
        let title = head.filter(|_| section != id).map(|c| heading(c)).unwrap_or_default();
        let chapter = self.chapter(id);
        if chapter.sections.last().is_none_or(|s| s.title != title) {
            chapter.sections.push(Section { title, clauses: vec![] });
        }
        let last = chapter.sections.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is one: it was just made where there was none")]
        &mut chapter.sections[last]
    }
}

#[boxed]
impl Office {
    /// The moment that a day stands for, and what is wrong with it: its end, or now.
    pub(crate) fn moment_of(&self, on: &str) -> (Instant, String) {
        let now = self.clock.now();
        match Date::parse_japanese(on) {
            _ if on.trim().is_empty() => (now, String::new()),
            Ok(day) if day > now.date() => {
                (now, "先の日付の状態は分かりません。今日までの日付を入力してください。".to_owned())
            }
            Ok(day) => (Instant::end_of(day).min(now), String::new()),
            Err(e) => (now, e.to_string()),
        }
    }

    /// All clauses that the query leaves.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clauses(&self, who: &Identity, q: &ClausesQuery) -> Result<ClausesView, AppError> {
        let me = self.me(who).await?;
        let (at, message) = self.moment_of(&q.on);
        let evidence = self.evidence(me.directory(), at).await?;
        let pack = self.pack();
        let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut planned_total = 0;
        let headings = pack.clauses.iter().filter(|c| c.kind == "heading").map(|c| (c.id.as_str(), c));
        let mut tree = Tree { pack: &pack, headings: headings.collect(), chapters: vec![] };
        let mut own: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for b in &pack.bindings {
            b.clauses.iter().for_each(|c| own.entry(c).or_default().push(&b.citation));
        }
        for clause in pack.clauses.iter().filter(|c| asks(c)) {
            let (s, planned) = evidence.clause(&pack, clause);
            let (class, label) = state_words(s);
            *totals.entry(class).or_default() += 1;
            planned_total += planned;
            let shown = (q.state.is_empty() || q.state == class)
                && (q.area == 0 || q.area == clause.area)
                && (q.chapter.is_empty() || q.chapter == chapter_of(&clause.id))
                && (q.actor.is_empty() || clause.actors.contains(&q.actor));
            if shown {
                tree.section(&clause.id).clauses.push(ClauseLine {
                    id: clause.id.clone(),
                    citation: citation(&clause.id),
                    says: clause.says.clone(),
                    state: label,
                    class,
                    planned,
                    own: own.get(clause.id.as_str()).map(|all| all.join("、")).unwrap_or_default(),
                });
            }
        }
        fit(&mut tree.chapters);
        let actors: BTreeSet<&String> =
            pack.clauses.iter().filter(|c| asks(c)).flat_map(|c| &c.actors).collect();
        let choice = |code: &str, label: &str| RefChoice { code: code.to_owned(), label: label.to_owned() };
        let actor = |id: &&String| {
            let title = pack.roles.get(*id).map_or(id.as_str(), |r| r.title.as_str());
            choice(id, title)
        };
        Ok(ClausesView {
            standard: pack.meta.title.clone(),
            totals: state_counts(&totals),
            planned: planned_total,
            areas: areas().map(|(n, title)| choice(&n.to_string(), &title)).collect(),
            actors: actors.iter().map(actor).collect(),
            query: q.clone(),
            message,
            chapters: tree.chapters,
        })
    }
}

/// Counts by style class, the worst state first.
pub(crate) fn state_counts(totals: &BTreeMap<&'static str, usize>) -> Vec<StateCount> {
    ORDER
        .into_iter()
        .map(|s| {
            let (class, label) = state_words(s);
            StateCount { class, label, count: totals.get(class).copied().unwrap_or(0) }
        })
        .collect()
}

/// State and reason of every clause that asks something.
pub(crate) fn all_states<'p>(pack: &'p Pack, evidence: &Evidence) -> Vec<(&'p Clause, ClauseState, String)> {
    let asking = pack.clauses.iter().filter(|c| asks(c));
    asking
        .map(|c| {
            let (state, reason) = evidence.judged(pack, c);
            (c, state, reason)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stays_small_and_no_chapter_is_lost() {
        let clause = |n: usize| ClauseLine {
            id: n.to_string(),
            citation: String::new(),
            says: "あ".repeat(100),
            state: "未評価",
            class: "unknown",
            planned: 0,
            own: String::new(),
        };
        let chapter = |clauses: usize| Chapter {
            id: String::new(),
            title: String::new(),
            count: 0,
            states: vec![],
            sections: vec![Section { title: String::new(), clauses: (0..clauses).map(clause).collect() }],
        };
        let mut all = [300, 10, 10].map(chapter);
        fit(&mut all);
        assert_eq!(
            all.iter().map(|c| (c.count, c.sections.len())).collect::<Vec<_>>(),
            [(300, 1), (10, 0), (10, 0)]
        );
        let mut all = [100, 100, 100].map(chapter);
        fit(&mut all);
        assert_eq!(all.iter().map(|c| c.sections.len()).collect::<Vec<_>>(), [1, 1, 0]);
        // What a chapter holds is told also where its clauses are not.
        for chapter in &all {
            let told: Vec<_> = chapter.states.iter().map(|s| (s.class, s.count)).collect();
            assert_eq!(told, [("unknown", 100)]);
        }
    }
}
