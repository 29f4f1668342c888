//! How the standard is kept, at one look (遵守の状況): by chapter, by area, by department, over twelve months, and what changed since a
//! month ago.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_pack::model::{MechanismKind, Pack};
use sekisho_store::duty;
use sekisho_store::turn::{self, TurnRow};
use serde::Serialize;

use crate::clauses::{
    ClauseLink, Evidence, StateCount, all_states, areas, chapter_of, chapters, month_ends, state_counts,
    state_of_code, state_words,
};
use crate::error::AppError;
use crate::office::Office;
use crate::people::Me;

/// Turns that the page names.
const SHOWN: usize = 60;

/// A bar of states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateBar {
    /// What it is about.
    pub label: String,
    /// Where its clauses are listed; empty for a past month.
    pub link: String,
    /// Clauses by state, the worst first.
    pub counts: Vec<StateCount>,
}

/// What of a department is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DepartmentState {
    /// Name.
    pub name: String,
    /// Clauses that something in it breaks.
    pub clauses: usize,
    /// Rows that break a check.
    pub rows: i64,
    /// Duties past their due date.
    pub late: i64,
}

/// A clause that turned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Turned {
    /// The clause.
    pub clause: ClauseLink,
    /// What it asks.
    pub says: String,
    /// State before: words and style class.
    pub before: (&'static str, &'static str),
    /// State now.
    pub now: (&'static str, &'static str),
    /// Whether it became worse.
    pub worse: bool,
    /// Since which day.
    pub day: String,
    /// Why.
    pub reason: String,
}

/// A clause that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The clause.
    pub clause: ClauseLink,
    /// What it asks.
    pub says: String,
    /// Since which day.
    pub since: String,
    /// Why.
    pub reason: String,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Dashboard {
    /// Title of the pack.
    pub standard: String,
    /// All clauses.
    pub totals: Vec<StateCount>,
    /// The ends of the last months, and today.
    pub trend: Vec<StateBar>,
    /// By chapter.
    pub chapters: Vec<StateBar>,
    /// By area of the ministerial ordinance.
    pub areas: Vec<StateBar>,
    /// Departments, as far as the viewer may see.
    pub departments: Vec<DepartmentState>,
    /// Whether those are all.
    pub all_departments: bool,
    /// The day with which today is compared.
    pub since: String,
    /// Clauses that turned since then, those that became worse first.
    pub turned: Vec<Turned>,
    /// How many turned besides.
    pub more_turned: usize,
    /// Clauses that do not hold, those that have not for longest first. For the home page; the interface lists clauses by state.
    #[serde(skip)]
    pub broken: Vec<Unmet>,
}

type Totals = BTreeMap<&'static str, usize>;

fn add(totals: &mut Totals, state: ClauseState) {
    *totals.entry(state_words(state).0).or_default() += 1;
}

/// 「令和8年11月末」, under a bar.
fn month(day: Date) -> String {
    format!("{}末", day.month_japanese())
}

/// States of the clauses at the ends of months, from the turns in order.
fn trend(turns: &[TurnRow], ends: &[Date]) -> Vec<(Date, Totals)> {
    let mut now: BTreeMap<&str, ClauseState> = BTreeMap::new();
    let mut rest = turns.iter().peekable();
    let mut out = Vec::new();
    for end in ends {
        while let Some(t) = rest.next_if(|t| t.day <= *end) {
            now.insert(&t.clause, state_of_code(&t.state));
        }
        let mut totals = Totals::new();
        now.values().for_each(|s| add(&mut totals, *s));
        if !now.is_empty() {
            out.push((*end, totals));
        }
    }
    out
}

#[boxed]
impl Office {
    /// The page 遵守の状況.
    ///
    /// # Errors
    /// The database failed.
    pub async fn dashboard(&self, me: &Me) -> Result<Dashboard, AppError> {
        let (now, today) = (self.clock.now(), self.clock.today());
        let since = today.plus_months(-1);
        let past = self.store.read(move |c| {
            Box::pin(async move {
                Ok::<_, AppError>((
                    turn::between(c, Date::from_epoch_days(0), today).await?,
                    turn::last_until(c, since).await?,
                    duty::late_by_unit(c, today).await?,
                ))
            })
        });
        let (evidence, (turns, was, late)) = tokio::try_join!(self.evidence(me.directory(), now), past)?;
        let pack = self.pack();
        let states = all_states(&pack, &evidence);
        let (mut totals, mut by_chapter, mut by_area) =
            (Totals::new(), BTreeMap::<&str, Totals>::new(), BTreeMap::<u8, Totals>::new());
        for (c, state, _) in &states {
            add(&mut totals, *state);
            add(by_chapter.entry(chapter_of(&c.id)).or_default(), *state);
            add(by_area.entry(c.area).or_default(), *state);
        }
        let bar = |label: String, link: String, totals: &Totals| StateBar {
            label,
            link,
            counts: state_counts(totals),
        };
        let mut months: Vec<StateBar> = trend(&turns, &month_ends(today))
            .into_iter()
            .map(|(day, totals)| bar(month(day), format!("/clauses?on={day}"), &totals))
            .collect();
        months.push(bar("今日".to_owned(), "/clauses".to_owned(), &totals));
        // With what today is compared: the state of a month ago, or the first that is known.
        let first: BTreeMap<&str, &TurnRow> = turns.iter().rev().map(|t| (t.clause.as_str(), t)).collect();
        let last: BTreeMap<&str, &TurnRow> = turns.iter().map(|t| (t.clause.as_str(), t)).collect();
        // A turn of today is known at the end of the day.
        let turned_on = |id: &str, now: ClauseState| {
            last.get(id).filter(|t| state_of_code(&t.state) == now).map_or(today, |t| t.day)
        };
        let mut turned: Vec<(bool, Turned)> = Vec::new();
        for (c, state, reason) in &states {
            let before = was.get(&c.id).or_else(|| first.get(c.id.as_str()).copied());
            let Some(before) = before.map(|t| state_of_code(&t.state)).filter(|b| b != state) else {
                continue;
            };
            // What came into scope has become neither.
            let worse = state.weight() > before.weight() && before != ClauseState::NotApplicable;
            let words = |s: ClauseState| {
                let (class, label) = state_words(s);
                (label, class)
            };
            let line = Turned {
                clause: ClauseLink::of(&c.id),
                says: c.says.clone(),
                before: words(before),
                now: words(*state),
                worse,
                day: turned_on(&c.id, *state).short(),
                reason: reason.clone(),
            };
            turned.push((worse, line));
        }
        let mut broken: Vec<(Date, Unmet)> = Vec::new();
        for (c, _, reason) in states.iter().filter(|(_, state, _)| *state == ClauseState::Broken) {
            let day = turned_on(&c.id, ClauseState::Broken);
            let clause = ClauseLink::of(&c.id);
            let line = Unmet { clause, says: c.says.clone(), since: day.short(), reason: reason.clone() };
            broken.push((day, line));
        }
        broken.sort_by_key(|(day, _)| *day);
        turned.sort_by_key(|(worse, _)| !worse);
        let more_turned = turned.len().saturating_sub(SHOWN);
        turned.truncate(SHOWN);
        Ok(Dashboard {
            standard: pack.meta.title.clone(),
            totals: state_counts(&totals),
            trend: months,
            chapters: chapters(&pack)
                .into_iter()
                .filter_map(|(id, title)| {
                    let link = format!("/clauses?chapter={id}");
                    Some(bar(title, link, by_chapter.get(id.as_str())?))
                })
                .collect(),
            areas: areas()
                .filter_map(|(n, title)| Some(bar(title, format!("/clauses?area={n}"), by_area.get(&n)?)))
                .collect(),
            departments: self.departments(me, &pack, &evidence, &late),
            all_departments: me.sees_whole_body(),
            since: since.japanese(),
            turned: turned.into_iter().map(|(_, t)| t).collect(),
            more_turned,
            broken: broken.into_iter().map(|(_, line)| line).collect(),
        })
    }

    /// Departments and organs in which the viewer sees units, with what in those units is not as it should be.
    fn departments(
        &self,
        me: &Me,
        pack: &Pack,
        evidence: &Evidence,
        late: &[(String, String, i64)],
    ) -> Vec<DepartmentState> {
        let (d, today) = (me.directory(), self.clock.today());
        let clauses = evidence.about().clauses_by_check(pack);
        let mut of_duty: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for c in &pack.clauses {
            for m in c.mechanisms.iter().filter(|m| m.kind == MechanismKind::Duty) {
                of_duty.entry(&m.name).or_default().insert(&c.id);
            }
        }
        let exists = |u: &&sekisho_store::org::UnitRow| {
            matches!(u.kind.as_str(), "department" | "organ") && u.exists_on(today)
        };
        let mut out = Vec::new();
        for u in d.rows().units.iter().filter(exists) {
            let units: BTreeSet<String> = d.below(&u.code).into_iter().filter(|x| me.sees_unit(x)).collect();
            if units.is_empty() {
                continue;
            }
            let (mut hit, mut rows, mut overdue) = (BTreeSet::<&str>::new(), 0, 0);
            for ((check, _), n) in evidence.broken().iter().filter(|((_, unit), _)| units.contains(unit)) {
                rows += n;
                hit.extend(clauses.get(check.as_str()).into_iter().flatten().copied());
            }
            for (duty, _, n) in late.iter().filter(|(_, unit, _)| units.contains(unit)) {
                overdue += n;
                hit.extend(of_duty.get(duty.as_str()).into_iter().flatten().copied());
            }
            out.push(DepartmentState { name: u.name.clone(), clauses: hit.len(), rows, late: overdue });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_lasts_until_it_turns() {
        let turn = |clause: &str, day: &str, state: &str| TurnRow {
            clause: clause.into(),
            day: day.parse().unwrap(),
            state: state.into(),
            reason: String::new(),
        };
        let turns = [
            turn("1", "2026-09-10", "unknown"),
            turn("2", "2026-09-10", "met"),
            turn("1", "2026-10-05", "met"),
            turn("2", "2026-11-01", "broken"),
        ];
        let ends: Vec<Date> =
            ["2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30"].map(|d| d.parse().unwrap()).into();
        let found = trend(&turns, &ends);
        let counts: Vec<_> = found
            .iter()
            .map(|(_, t)| ["met", "unknown", "broken"].map(|c| t.get(c).copied().unwrap_or(0)))
            .collect();
        assert_eq!(counts, [[1, 1, 0], [2, 0, 0], [1, 0, 1]], "nothing is known before the first turn");
    }
}
