//! The state of every clause, computed from evidence (design §2), with the rows behind each state.

use std::collections::BTreeMap;

use sekisho_base::{Date, Instant};
use sekisho_case::state::{ClauseState, worst_of};
use sekisho_pack::model::{Check, CheckRule, Clause, MechanismKind, MechanismRef, Pack};
use sekisho_store::violation::{self, RunRow};
use sekisho_store::{ledger, register};

use crate::checks::register_of;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::{BUILT_GATES, Office};
use crate::registers::table_spec;

/// How many rows of a check are shown.
const SHOWN: i64 = 200;

/// A state with its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// Style class, also the code in addresses.
    pub class: &'static str,
    /// Japanese.
    pub label: &'static str,
    /// Clauses.
    pub count: usize,
}

/// A clause in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseLine {
    /// Id.
    pub id: String,
    /// As Japanese readers cite it.
    pub citation: String,
    /// The duty in our words.
    pub says: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Mechanisms nobody has built.
    pub planned: usize,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// 「第5章 人的セキュリティ対策」.
    pub title: String,
    /// Clauses that ask something.
    pub clauses: Vec<ClauseLine>,
}

/// The page of all clauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClausesView {
    /// Title of the pack.
    pub standard: String,
    /// Counts by state.
    pub totals: Vec<StateCount>,
    /// Mechanisms nobody has built, over all clauses.
    pub planned: usize,
    /// Chosen state.
    pub state: String,
    /// Day asked for, as typed.
    pub on: String,
    /// What is wrong with the day, if anything.
    pub message: String,
    /// Chapters.
    pub chapters: Vec<Chapter>,
}

/// A mechanism of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MechanismLine {
    /// 手続, 台帳 …
    pub kind: &'static str,
    /// Name.
    pub title: String,
    /// Where it is seen, or empty.
    pub link: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// A clause's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClausePage {
    /// Citation.
    pub citation: String,
    /// The duty.
    pub says: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Mechanisms nobody has built.
    pub planned: usize,
    /// Who must.
    pub actors: String,
    /// How strongly.
    pub modality: &'static str,
    /// Area of the ministerial ordinance.
    pub area: String,
    /// Mechanisms.
    pub mechanisms: Vec<MechanismLine>,
}

/// A clause to link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseLink {
    /// Id.
    pub id: String,
    /// Citation.
    pub citation: String,
}

/// A row that breaks a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// What is wrong.
    pub says: String,
    /// Where it is seen.
    pub link: String,
    /// Unit.
    pub unit: String,
    /// When it was first known.
    pub opened: String,
    /// When it was known to be gone; empty while it lasts.
    pub closed: String,
}

/// A check's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPage {
    /// Title.
    pub title: String,
    /// What to do.
    pub remedy: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// When it last ran.
    pub ran: String,
    /// Over how many rows.
    pub looked_at: i64,
    /// Rows the viewer may see.
    pub rows: Vec<CheckRow>,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}

/// Evidence for one moment, read once for all clauses.
pub(crate) struct Evidence {
    open: BTreeMap<String, i64>,
    runs: BTreeMap<String, RunRow>,
    registers: BTreeMap<String, i64>,
    procedures: BTreeMap<String, i64>,
    entries: i64,
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
    fn check(&self, check: &Check) -> (ClauseState, String) {
        let open = self.open.get(&check.id).copied().unwrap_or(0);
        let run = self.runs.get(&check.id);
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

    fn of_checks<'a>(&self, checks: impl Iterator<Item = &'a Check>) -> Option<(ClauseState, String)> {
        let mut states = Vec::new();
        let mut reasons = Vec::new();
        for k in checks {
            let (state, reason) = self.check(k);
            if matches!(state, ClauseState::Broken | ClauseState::Due) {
                reasons.push(format!("{}：{reason}", k.title));
            }
            states.push(state);
        }
        if states.is_empty() { None } else { Some((worst_of(states), reasons.join("、"))) }
    }

    /// State and reason of a mechanism, or nothing when nobody has built it.
    fn mechanism(&self, pack: &Pack, m: &MechanismRef) -> Option<(ClauseState, String)> {
        match m.kind {
            MechanismKind::Check => {
                let check = pack.checks.get(&m.name).filter(|k| !matches!(k.rule, CheckRule::Sql { .. }))?;
                Some(self.check(check))
            }
            MechanismKind::Register => {
                pack.registers.get(&m.name)?;
                let rows = self.registers.get(&m.name).copied().unwrap_or(0);
                if rows == 0 {
                    return Some((ClauseState::Unknown, "まだ1件も登録されていません".to_owned()));
                }
                let found = self.of_checks(
                    pack.checks.values().filter(|k| k.derived && register_of(k) == Some(m.name.as_str())),
                );
                let (state, why) = found.unwrap_or((ClauseState::Met, String::new()));
                Some((state, if why.is_empty() { format!("{rows}件を登録") } else { why }))
            }
            MechanismKind::Procedure => {
                pack.procedures.get(&m.name)?;
                let cases = self.procedures.get(&m.name).copied().unwrap_or(0);
                if cases == 0 {
                    return Some((ClauseState::Unknown, "まだ申請がありません".to_owned()));
                }
                let own = |k: &&Check| matches!(&k.rule, CheckRule::Overdue { procedure, .. } if *procedure == m.name);
                let (state, why) = self
                    .of_checks(pack.checks.values().filter(own))
                    .unwrap_or((ClauseState::Met, String::new()));
                Some((state, if why.is_empty() { format!("{cases}件の案件") } else { why }))
            }
            MechanismKind::Role => {
                let role = pack.roles.get(&m.name)?;
                let own = |k: &&Check| matches!(&k.rule, CheckRule::Vacant { role } if *role == m.name);
                let (state, why) = self
                    .of_checks(pack.checks.values().filter(own))
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
            MechanismKind::Gate | MechanismKind::Duty | MechanismKind::Document | MechanismKind::Notice => {
                None
            }
        }
    }

    /// State of a clause and how many of its mechanisms nobody has built.
    fn clause(&self, pack: &Pack, clause: &Clause) -> (ClauseState, usize) {
        let found: Vec<Option<(ClauseState, String)>> =
            clause.mechanisms.iter().map(|m| self.mechanism(pack, m)).collect();
        let planned = found.iter().filter(|f| f.is_none()).count();
        (worst_of(found.into_iter().flatten().map(|(s, _)| s)), planned)
    }
}

/// 「第5章第1節(1)③(イ)」 of `5.1.1.3.イ`.
#[must_use]
pub fn citation(id: &str) -> String {
    let circled = |n: &str| {
        n.parse::<u32>()
            .ok()
            .filter(|n| (1..=20).contains(n))
            .and_then(|n| char::from_u32(0x245f + n))
            .map_or_else(|| format!("[{n}]"), String::from)
    };
    let (basic, rest) = id.strip_prefix("B.").map_or((false, id), |r| (true, r));
    if id == "B" || rest.is_empty() {
        return "基本方針".to_owned();
    }
    if basic && rest == "0" {
        return "基本方針 改正の経過".to_owned();
    }
    let mut out = String::new();
    for (level, part) in rest.split('.').enumerate() {
        if part == "0" {
            continue;
        }
        out += &match (basic, level) {
            (false, 0) if part == "P" => "序章".to_owned(),
            (false, 0) => format!("第{part}章"),
            (false, 1) => format!("第{part}節"),
            (true, 0) => format!("基本方針 {part}"),
            (true, 1) => format!("({part})"),
            (false, 2) => format!("({part})"),
            (false, 3) | (true, 2) => circled(part),
            (false, 4) | (true, 3) => format!("({part})"),
            _ => format!("・{part}"),
        };
    }
    out
}

impl Office {
    /// Evidence as it was known at a moment: a fixed number of queries.
    pub(crate) async fn evidence(&self, at: Instant) -> Result<Evidence, AppError> {
        let pack = self.pack();
        let specs: Vec<_> = pack.registers.values().map(table_spec).collect();
        let procedures: Vec<String> = pack.procedures.keys().cloned().collect();
        let past = at.date() < self.clock.today();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let mut registers = BTreeMap::new();
                    for spec in &specs {
                        registers.insert(spec.id.clone(), register::count(c, spec).await?);
                    }
                    let mut cases = BTreeMap::new();
                    for p in procedures {
                        let n = sekisho_store::case::count_of(c, &p).await?;
                        cases.insert(p, n);
                    }
                    let entries = ledger::head(c).await?.map_or(0, |h| h.size);
                    Ok::<_, AppError>(Evidence {
                        open: violation::counts(c, at).await?,
                        runs: violation::runs(c).await?,
                        registers,
                        procedures: cases,
                        entries,
                        past,
                    })
                })
            })
            .await
    }

    /// All clauses, of one state when `state` names one, on a past day when `on` does.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clauses(&self, who: &Identity, state: &str, on: &str) -> Result<ClausesView, AppError> {
        self.me(who).await?;
        let now = self.clock.now();
        let (at, message) = match Date::parse_japanese(on) {
            _ if on.trim().is_empty() => (now, String::new()),
            Ok(day) if day > now.date() => {
                (now, "先の日付の状態は分かりません。今日までの日付を入力してください。".to_owned())
            }
            Ok(day) => (Instant::start_of(day.plus_days(1)).plus_millis(-1).min(now), String::new()),
            Err(e) => (now, e.to_string()),
        };
        let evidence = self.evidence(at).await?;
        let pack = self.pack();
        let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut planned_total = 0;
        let mut chapters: Vec<Chapter> = Vec::new();
        for clause in &pack.clauses {
            if !clause.id.contains('.') && clause.kind == "heading" {
                let (cited, title) = (citation(&clause.id), clause.title.clone().unwrap_or_default());
                let title = if cited == title { cited } else { format!("{cited} {title}") };
                chapters.push(Chapter { title, clauses: vec![] });
                continue;
            }
            if clause.kind == "heading" || clause.mechanisms.is_empty() {
                continue;
            }
            let (s, planned) = evidence.clause(&pack, clause);
            let (class, label) = state_words(s);
            *totals.entry(class).or_default() += 1;
            planned_total += planned;
            if clause.id.starts_with("B.") && chapters.last().is_none_or(|c| !c.title.starts_with("基本方針"))
            {
                chapters.push(Chapter { title: "基本方針".to_owned(), clauses: vec![] });
            }
            if let Some(chapter) = chapters.last_mut().filter(|_| state.is_empty() || state == class) {
                let line = ClauseLine {
                    id: clause.id.clone(),
                    citation: citation(&clause.id),
                    says: clause.says.clone(),
                    state: label,
                    class,
                    planned,
                };
                chapter.clauses.push(line);
            }
        }
        chapters.retain(|c| !c.clauses.is_empty());
        let order = [
            ClauseState::Broken,
            ClauseState::Unknown,
            ClauseState::Due,
            ClauseState::Excepted,
            ClauseState::Met,
        ];
        let totals = order
            .into_iter()
            .map(|s| {
                let (class, label) = state_words(s);
                StateCount { class, label, count: totals.get(class).copied().unwrap_or(0) }
            })
            .collect();
        Ok(ClausesView {
            standard: pack.meta.title.clone(),
            totals,
            planned: planned_total,
            state: state.to_owned(),
            on: on.to_owned(),
            message,
            chapters,
        })
    }

    /// One clause.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn clause(&self, who: &Identity, id: &str) -> Result<ClausePage, AppError> {
        self.me(who).await?;
        let evidence = self.evidence(self.clock.now()).await?;
        let pack = self.pack();
        let clause = pack.clauses.iter().find(|c| c.id == id).ok_or(AppError::NotFound)?;
        let (state, planned) = evidence.clause(&pack, clause);
        let (class, label) = state_words(state);
        let role = |id: &String| pack.roles.get(id).map_or_else(|| id.clone(), |r| r.title.clone());
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
            mechanisms: clause.mechanisms.iter().map(|m| mechanism_line(&pack, &evidence, m)).collect(),
        })
    }

    /// One check with the rows behind it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn check(&self, who: &Identity, id: &str) -> Result<CheckPage, AppError> {
        let me = self.me(who).await?;
        let evidence = self.evidence(self.clock.now()).await?;
        let pack = self.pack();
        let check = pack.checks.get(id).ok_or(AppError::NotFound)?;
        let (state, _) = evidence.check(check);
        let (class, label) = state_words(state);
        let (viewer, check_id) = (me.viewer().clone(), id.to_owned());
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    violation::list(c, &viewer, &check_id, SHOWN).await.map_err(AppError::from)
                })
            })
            .await?;
        let d = self.directory().await?;
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
                    opened: v.opened_at.japanese(),
                    closed: v.closed_at.map(Instant::japanese).unwrap_or_default(),
                })
                .collect(),
            clauses: pack
                .clauses
                .iter()
                .filter(|c| c.mechanisms.iter().any(named))
                .map(|c| ClauseLink { id: c.id.clone(), citation: citation(&c.id) })
                .collect(),
        })
    }
}

fn mechanism_line(pack: &Pack, evidence: &Evidence, m: &MechanismRef) -> MechanismLine {
    let found = evidence.mechanism(pack, m);
    let (class, state, reason) = match found {
        Some((s, why)) => {
            let (class, label) = state_words(s);
            (class, label, why)
        }
        None => ("none", "未整備", "この仕組みはまだ作られていません".to_owned()),
    };
    let (title, link) = match m.kind {
        MechanismKind::Role => (pack.roles.get(&m.name).map(|r| r.title.clone()), "/organization".to_owned()),
        MechanismKind::Register => {
            (pack.registers.get(&m.name).map(|r| r.title.clone()), format!("/registers/{}", m.name))
        }
        MechanismKind::Procedure => {
            (pack.procedures.get(&m.name).map(|p| p.title.clone()), "/cases".to_owned())
        }
        MechanismKind::Check => {
            (pack.checks.get(&m.name).map(|k| k.title.clone()), format!("/checks/{}", m.name))
        }
        MechanismKind::Gate => (
            BUILT_GATES
                .contains(&m.name.as_str())
                .then(|| if m.name == "ledger" { "証跡" } else { "取扱判定" }.to_owned()),
            "/ledger".to_owned(),
        ),
        MechanismKind::Duty | MechanismKind::Document | MechanismKind::Notice => (None, String::new()),
    };
    let link = if title.is_some() { link } else { String::new() };
    MechanismLine {
        kind: kind_label(m.kind),
        title: title.unwrap_or_else(|| m.name.clone()),
        link,
        state,
        class,
        reason,
    }
}

fn modality(m: &str) -> &'static str {
    match m {
        "must" => "しなければならない",
        "must_not" => "してはならない",
        "may" => "できる",
        "should" => "努める",
        _ => "定義・説明",
    }
}

fn area(n: u8) -> String {
    let names = [
        "組織体制",
        "情報資産の分類と管理",
        "物理的な対策",
        "人的な対策",
        "技術的な対策",
        "運用",
        "業務委託と外部サービス",
        "評価と見直し",
    ];
    names.get(usize::from(n).wrapping_sub(1)).map_or_else(String::new, |name| format!("{n} {name}"))
}

#[cfg(test)]
mod tests {
    use super::citation;

    #[test]
    fn cites_as_japanese_readers_do() {
        assert_eq!(citation("5.1.1.3.イ"), "第5章第1節(1)③(イ)");
        assert_eq!(citation("2.0.2.8.ア"), "第2章(2)⑧(ア)");
        assert_eq!(citation("P.0.1"), "序章(1)");
        assert_eq!(citation("B.6.3.1"), "基本方針 6(3)①");
        assert_eq!(citation("1"), "第1章");
    }
}
