//! The state of every clause, computed from evidence (design §2), with the rows behind each state.

mod browse;
mod checks;
mod cite;
mod exceptions;
mod proof;
mod report;
mod turns;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::limits::count_words;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::{ClauseState, worst_of};
use sekisho_pack::coverage::is_built;
use sekisho_pack::model::{Check, Clause, MechanismKind, MechanismRef, Pack};
use sekisho_store::violation::{self, RunRow};
use sekisho_store::{case, document, duty, ledger, register};

use crate::assessment::NoticeFacts;
use crate::checks::due_soon;
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::{BUILT_GATES, Office};
use crate::pack_tools::built;
use crate::registers::table_spec;
use crate::{assessment, documents, duties};

pub(crate) use browse::{ORDER, all_states, areas, chapter_of, chapters, state_counts};
use cite::{area, modality};
pub use cite::{citation, clause_number};
use exceptions::{Exception, exceptions};
pub(crate) use proof::About;
pub(crate) use report::{ToldClause, ToldMechanism};
pub(crate) use turns::{month_ends, state_of_code};
pub use view::{
    Chapter, CheckLine, CheckPage, CheckRow, ChecksView, ClauseLine, ClauseLink, ClausePage, ClausesQuery,
    ClausesView, EvidenceLine, ExceptionLine, MechanismLine, OwnText, Section, SoonRow, StateCount, TurnLine,
};

/// How many rows of a check are shown.
const SHOWN: i64 = 200;

/// Evidence for one moment, read once for all clauses.
pub(crate) struct Evidence {
    open: BTreeMap<String, i64>,
    /// The same by check and unit.
    open_in: BTreeMap<(String, String), i64>,
    about: About,
    exceptions: Vec<Exception>,
    runs: BTreeMap<String, RunRow>,
    registers: BTreeMap<String, i64>,
    procedures: BTreeMap<String, i64>,
    entries: i64,
    duties: BTreeMap<String, duty::Standing>,
    documents: BTreeMap<String, document::VersionRow>,
    notices: NoticeFacts,
    day: Date,
    /// A past day: what is due soon is a matter of today only.
    past: bool,
}

/// Style class and Japanese of a state.
#[must_use]
pub fn state_words(s: ClauseState) -> (&'static str, &'static str) {
    match s {
        ClauseState::Met => ("met", "適合"),
        ClauseState::Due => ("due", "注意"),
        ClauseState::Broken => ("broken", "不適合"),
        ClauseState::Unknown => ("unknown", "未評価"),
        ClauseState::Excepted => ("excepted", "例外"),
        ClauseState::NotApplicable => ("none", "対象外"),
    }
}

fn kind_label(kind: MechanismKind) -> &'static str {
    match kind {
        MechanismKind::Role => "役割",
        MechanismKind::Register => "台帳",
        MechanismKind::Procedure => "手続",
        MechanismKind::Duty => "定期の仕事",
        MechanismKind::Check => "点検",
        MechanismKind::Gate => "関門",
        MechanismKind::Document => "文書",
        MechanismKind::Notice => "周知",
    }
}

impl Evidence {
    /// `excepted` names the units that an exception takes out of the clause that is asked about.
    fn check(&self, check: &Check, excepted: &BTreeSet<&str>) -> (ClauseState, String) {
        let all = self.open.get(&check.id).copied().unwrap_or(0);
        let covered: i64 =
            excepted.iter().filter_map(|u| self.open_in.get(&(check.id.clone(), (*u).to_owned()))).sum();
        let open = all - covered;
        let run = self.runs.get(&check.id);
        if open <= 0 && covered > 0 {
            return (ClauseState::Excepted, format!("例外として認めているもの {covered}件"));
        }
        if open > 0 {
            return (ClauseState::Broken, format!("該当 {open}件"));
        }
        match run {
            None => (ClauseState::Unknown, "まだ点検していません".to_owned()),
            Some(r) if r.looked_at == 0 => (ClauseState::Unknown, "点検の対象がありません".to_owned()),
            Some(r) if r.due_rows > 0 && !self.past => {
                (ClauseState::Due, format!("まもなく期限 {}件", r.due_rows))
            }
            Some(r) => (ClauseState::Met, format!("{}件を点検し、該当なし", r.looked_at)),
        }
    }

    fn of_checks<'a>(
        &self,
        checks: impl Iterator<Item = &'a Check>,
        excepted: &BTreeSet<&str>,
    ) -> Option<(ClauseState, String)> {
        let mut states = Vec::new();
        let mut reasons = Vec::new();
        for k in checks {
            let (state, reason) = self.check(k, excepted);
            if matches!(state, ClauseState::Broken | ClauseState::Due) {
                reasons.push(format!("{}：{reason}", k.title));
            }
            states.push(state);
        }
        if states.is_empty() { None } else { Some((worst_of(states), reasons.join("、"))) }
    }

    /// State and reason of a mechanism, or nothing when nobody has built it.
    fn mechanism(
        &self,
        pack: &Pack,
        m: &MechanismRef,
        excepted: &BTreeSet<&str>,
    ) -> Option<(ClauseState, String)> {
        match m.kind {
            MechanismKind::Check => Some(self.check(pack.checks.get(&m.name)?, excepted)),
            MechanismKind::Register => {
                pack.registers.get(&m.name)?;
                let rows = self.registers.get(&m.name).copied().unwrap_or(0);
                if rows == 0 {
                    return Some((ClauseState::Unknown, "まだ1件も登録されていません".to_owned()));
                }
                let (state, why) = self
                    .of_checks(self.about.checks(pack, m), excepted)
                    .unwrap_or((ClauseState::Met, String::new()));
                let why = if why.is_empty() { format!("{}件を登録", count_words(rows)) } else { why };
                Some((state, why))
            }
            MechanismKind::Procedure => {
                let procedure = pack.procedures.get(&m.name)?;
                let cases = self.procedures.get(&m.name).copied().unwrap_or(0);
                if cases == 0 && procedure.event {
                    let why = "必要になったときだけ行う手続で、まだ行われていません".to_owned();
                    return Some((ClauseState::NotApplicable, why));
                }
                if cases == 0 {
                    return Some((ClauseState::Unknown, "まだ申請がありません".to_owned()));
                }
                let (state, why) = self
                    .of_checks(self.about.checks(pack, m), excepted)
                    .unwrap_or((ClauseState::Met, String::new()));
                let why = if why.is_empty() { format!("{}件の案件", count_words(cases)) } else { why };
                Some((state, why))
            }
            MechanismKind::Role => {
                let role = pack.roles.get(&m.name)?;
                let (state, why) = self
                    .of_checks(self.about.checks(pack, m), excepted)
                    .unwrap_or((ClauseState::Unknown, String::new()));
                let why = match (why.is_empty(), state) {
                    (false, _) => why,
                    (true, ClauseState::Met) => format!("{}が置かれています", role.title),
                    (true, _) => "置くかどうかがまだ記録されていません".to_owned(),
                };
                Some((state, why))
            }
            MechanismKind::Gate if BUILT_GATES.contains(&m.name.as_str()) => Some(match m.name.as_str() {
                "ledger" if self.entries == 0 => (ClauseState::Unknown, "まだ記録がありません".to_owned()),
                "ledger" => (ClauseState::Met, format!("{}件を署名つきで記録", self.entries)),
                _ => (ClauseState::Met, "申請のたびに判定しています".to_owned()),
            }),
            MechanismKind::Duty => {
                let duty = pack.duties.get(&m.name)?;
                Some(duties::state_of(self.duties.get(&m.name), &duty.occasion, self.past))
            }
            MechanismKind::Document => {
                pack.documents.get(&m.name)?;
                Some(documents::state_of(self.documents.get(&m.name), self.day, self.past))
            }
            MechanismKind::Notice => {
                let notice = pack.notices.get(&m.name)?;
                Some(assessment::state_of(notice, &self.notices, self.day, &pack.calendar))
            }
            MechanismKind::Gate => None,
        }
    }

    /// State and reason of each of a clause's mechanisms.
    fn found(&self, pack: &Pack, clause: &Clause) -> Vec<Option<(ClauseState, String)>> {
        let excepted = self.excepted(&clause.id);
        clause.mechanisms.iter().map(|m| self.mechanism(pack, m, &excepted)).collect()
    }

    /// State of a clause and how many of its mechanisms nobody has built.
    fn clause(&self, pack: &Pack, clause: &Clause) -> (ClauseState, usize) {
        let found = self.found(pack, clause);
        let planned = found.iter().filter(|f| f.is_none()).count();
        (worst_of(found.into_iter().flatten().map(|(s, _)| s)), planned)
    }

    /// Rows that break a check, by check and unit.
    pub(crate) fn broken(&self) -> &BTreeMap<(String, String), i64> {
        &self.open_in
    }

    /// Which checks speak about what.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }
}

#[boxed]
impl Office {
    /// Evidence as it was known at a moment: a fixed number of queries, ten.
    pub(crate) async fn evidence(&self, d: &Arc<Directory>, at: Instant) -> Result<Evidence, AppError> {
        let pack = self.pack();
        let specs: Vec<_> = pack.registers.values().map(table_spec).collect();
        let registers: Vec<String> = pack.registers.keys().cloned().collect();
        let procedures: Vec<String> = pack.procedures.keys().cloned().collect();
        let asked = procedures.clone();
        // What is counted, and what was found, at the same time: neither is judged by the other.
        let counted = self.store.read(move |c| {
            Box::pin(async move {
                Ok::<_, AppError>((
                    register::counts(c, &specs).await?,
                    case::counts_of(c, &asked).await?,
                    duty::standings(c, at, at.date().plus_days(duties::SOON_DAYS)).await?,
                    ledger::head(c).await?.map_or(0, |h| h.size),
                ))
            })
        });
        let (inner, here) = (Arc::clone(&pack), Arc::clone(d));
        let found = self.store.read(move |c| {
            Box::pin(async move {
                Ok::<_, AppError>((
                    violation::counts_by_unit(c, at).await?,
                    violation::runs(c).await?,
                    exceptions(c, &inner, &here, at).await?,
                    document::present(c, at).await?,
                    NoticeFacts::read(c, assessment::staff_on(&here, at.date()), at).await?,
                ))
            })
        });
        let ((rows, cases, duties, entries), (open_in, runs, exceptions, documents, notices)) =
            tokio::try_join!(counted, found)?;
        let mut open: BTreeMap<String, i64> = BTreeMap::new();
        for ((check, _), n) in &open_in {
            match open.get_mut(check) {
                Some(all) => *all += n,
                None => drop(open.insert(check.clone(), *n)),
            }
        }
        Ok(Evidence {
            open,
            open_in,
            about: About::of(&pack),
            exceptions,
            runs,
            registers: registers.into_iter().zip(rows).collect(),
            procedures: procedures.into_iter().zip(cases).collect(),
            entries,
            duties,
            documents: documents.into_iter().map(|v| (v.document.clone(), v)).collect(),
            notices,
            day: at.date(),
            past: at.date() < self.clock.today(),
        })
    }

    /// One clause.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn clause(&self, who: &Identity, id: &str) -> Result<ClausePage, AppError> {
        let me = self.me(who).await?;
        let d = me.directory();
        let evidence = self.evidence(d, self.clock.now()).await?;
        let pack = self.pack();
        let clause = pack.clauses.iter().find(|c| c.id == id).ok_or(AppError::NotFound)?;
        let (state, planned) = evidence.clause(&pack, clause);
        let (class, label) = state_words(state);
        let role = |id: &String| pack.roles.get(id).map_or_else(|| id.clone(), |r| r.title.clone());
        let (proofs, turns) = (self.proofs(&me, &evidence, clause).await?, self.turns_of(id).await?);
        let above: Vec<ClauseLink> = pack
            .clauses
            .iter()
            .filter(|c| c.kind == "heading" && id.starts_with(&format!("{}.", c.id)))
            .map(|c| ClauseLink {
                id: c.id.clone(),
                citation: format!("{} {}", citation(&c.id), c.title.as_deref().unwrap_or_default()),
            })
            .collect();
        let asking: Vec<&Clause> = pack.clauses.iter().filter(|c| browse::asks(c)).collect();
        let at = asking.iter().position(|c| c.id == id);
        let beside = |step: isize| {
            let c = asking.get(at?.checked_add_signed(step)?)?;
            Some(ClauseLink::of(&c.id))
        };
        let joint = if clause.actor_mode == "any" { "又は" } else { "及び" };
        Ok(ClausePage {
            citation: citation(&clause.id)
                + &clause.title.as_ref().map(|t| format!(" {t}")).unwrap_or_default(),
            says: clause.says.clone(),
            state: label,
            class,
            planned,
            actors: clause.actors.iter().map(role).collect::<Vec<_>>().join(joint),
            modality: modality(&clause.modality),
            area: area(clause.area),
            mechanisms: clause
                .mechanisms
                .iter()
                .map(|m| mechanism_line(&pack, &evidence, m, &evidence.excepted(&clause.id)))
                .collect(),
            exceptions: evidence.exception_lines(&clause.id, &me, d),
            own: proof::own_texts(&pack, id),
            proofs,
            turns,
            above,
            before: beside(-1),
            after: beside(1),
        })
    }

    /// One check with the rows behind it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn check(&self, who: &Identity, id: &str) -> Result<CheckPage, AppError> {
        let me = self.me(who).await?;
        let d = me.directory();
        let evidence = self.evidence(d, self.clock.now()).await?;
        let pack = self.pack();
        let check = pack.checks.get(id).ok_or(AppError::NotFound)?;
        let (state, _) = evidence.check(check, &BTreeSet::new());
        let (class, label) = state_words(state);
        let (viewer, check_id, inner, today) =
            (me.viewer().clone(), id.to_owned(), Arc::clone(&pack), self.clock.today());
        let (rows, due) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let rows = violation::list(c, &viewer, &check_id, SHOWN).await?;
                    let mut due = match inner.checks.get(&check_id) {
                        Some(check) => due_soon(c, &inner, check, today).await?,
                        None => vec![],
                    };
                    due.retain(|s| viewer.sees_unit(&s.unit));
                    due.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
                    Ok::<_, AppError>((rows, due))
                })
            })
            .await?;
        let run = evidence.runs.get(id);
        let named = |m: &MechanismRef| m.kind == MechanismKind::Check && m.name == id;
        Ok(CheckPage {
            title: check.title.clone(),
            remedy: check.remedy.clone(),
            state: label,
            class,
            ran: run.map(|r| r.ran_at.japanese()).unwrap_or_default(),
            looked_at: run.map_or(0, |r| r.looked_at),
            rows: rows
                .into_iter()
                .map(|v| CheckRow {
                    says: v.says,
                    link: v.link,
                    unit: d.unit_name(&v.unit).to_owned(),
                    opened: v.opened_at.short(),
                    closed: v.closed_at.map(Instant::short).unwrap_or_default(),
                })
                .collect(),
            soon: due
                .into_iter()
                .map(|s| SoonRow { says: s.says, link: s.link, unit: d.unit_name(&s.unit).to_owned() })
                .collect(),
            clauses: pack
                .clauses
                .iter()
                .filter(|c| c.mechanisms.iter().any(named))
                .map(|c| ClauseLink::of(&c.id))
                .collect(),
        })
    }
}

fn mechanism_line(
    pack: &Pack,
    evidence: &Evidence,
    m: &MechanismRef,
    excepted: &BTreeSet<&str>,
) -> MechanismLine {
    let found = evidence.mechanism(pack, m, excepted);
    let (class, state, reason) = match found {
        Some((s, why)) => {
            let (class, label) = state_words(s);
            (class, label, why)
        }
        None => ("none", "未整備", "この仕組みはまだ作られていません".to_owned()),
    };
    let link = match m.kind {
        MechanismKind::Role => "/organization".to_owned(),
        MechanismKind::Register => format!("/registers/{}", m.name),
        MechanismKind::Procedure => format!("/cases?procedure={}", m.name),
        MechanismKind::Check => format!("/checks/{}", m.name),
        MechanismKind::Gate => "/ledger".to_owned(),
        MechanismKind::Duty => format!("/duties/{}", m.name),
        MechanismKind::Document => format!("/documents/{}", m.name),
        MechanismKind::Notice => format!("/notices/{}", m.name),
    };
    let link = if is_built(pack, &built(), m) { link } else { String::new() };
    MechanismLine {
        kind: kind_label(m.kind),
        title: pack.title_of(m).unwrap_or(&m.name).to_owned(),
        link,
        state,
        class,
        reason,
    }
}
