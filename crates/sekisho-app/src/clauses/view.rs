//! What the pages about clauses and checks show.

use crate::registers::RefChoice;
use schemars::JsonSchema;
use serde::Serialize;

/// A state with its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateCount {
    /// Style class, also the code in addresses.
    pub class: &'static str,
    /// Japanese.
    pub label: &'static str,
    /// Clauses.
    pub count: usize,
}

/// A clause in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// The city's own clauses that it answers, or empty.
    pub own: String,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chapter {
    /// First part of its clauses' ids.
    pub id: String,
    /// 「第5章 人的セキュリティ対策」.
    pub title: String,
    /// Clauses that the query leaves.
    pub count: usize,
    /// Those by state, the worst first, without states that none has.
    pub states: Vec<StateCount>,
    /// Sections, in order; none when the page would grow too large: the chapter is then asked for by itself.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Section {
    /// 「第5章第1節 職員等の遵守事項」; empty in a chapter without sections.
    pub title: String,
    /// Clauses that ask something.
    pub clauses: Vec<ClauseLine>,
}

/// What the page of all clauses is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClausesQuery {
    /// Style class of a state; empty for all.
    pub state: String,
    /// A past day as typed; empty for now.
    pub on: String,
    /// Area 1 to 8; 0 for all.
    pub area: u8,
    /// Role that must; empty for all.
    pub actor: String,
    /// Chapter; empty for all.
    pub chapter: String,
}

impl ClausesQuery {
    /// Whether it leaves clauses out.
    #[must_use]
    pub fn narrows(&self) -> bool {
        self.area != 0 || [&self.state, &self.actor, &self.chapter].iter().any(|t| !t.is_empty())
    }
}

/// What the city's own standard says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnText {
    /// 第3条第2項.
    pub citation: String,
    /// Its words; empty in bindings that were made without them.
    pub text: String,
    /// When and by whom it was confirmed.
    pub confirmed: String,
}

/// Something that proves a clause or breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EvidenceLine {
    /// 該当する行, 行った記録, 文書, 案件.
    pub kind: &'static str,
    /// What.
    pub text: String,
    /// Its page.
    pub link: String,
    /// When.
    pub when: String,
    /// Ledger entry, or empty.
    pub entry: String,
}

/// A day on which a clause turned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TurnLine {
    /// Day.
    pub day: String,
    /// State from then on.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// The page of all clauses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClausesView {
    /// Title of the pack.
    pub standard: String,
    /// Counts by state.
    pub totals: Vec<StateCount>,
    /// Mechanisms nobody has built, over all clauses.
    pub planned: usize,
    /// Areas to choose from.
    pub areas: Vec<RefChoice>,
    /// Roles to choose from.
    pub actors: Vec<RefChoice>,
    /// What was asked for.
    pub query: ClausesQuery,
    /// What is wrong with the day, if anything.
    pub message: String,
    /// Chapters.
    pub chapters: Vec<Chapter>,
}

/// A mechanism of a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// Exceptions in force.
    pub exceptions: Vec<ExceptionLine>,
    /// The city's own words.
    pub own: Vec<OwnText>,
    /// What proves it or breaks it, as far as the viewer may see.
    pub proofs: Vec<EvidenceLine>,
    /// When it turned, the latest first.
    pub turns: Vec<TurnLine>,
    /// The headings above it.
    pub above: Vec<ClauseLink>,
    /// The clause before it.
    pub before: Option<ClauseLink>,
    /// The clause after it.
    pub after: Option<ClauseLink>,
}

/// An exception in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExceptionLine {
    /// Case id; empty for whoever may not see it.
    pub case: String,
    /// Number; likewise.
    pub number: String,
    /// For which unit.
    pub unit: String,
    /// Until when.
    pub until: String,
}

/// A clause to link to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClauseLink {
    /// Id.
    pub id: String,
    /// Citation.
    pub citation: String,
}

impl ClauseLink {
    /// To a clause by its id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned(), citation: super::citation(id) }
    }
}

/// A row that breaks a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

/// A row that is about to break a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SoonRow {
    /// What is about to be wrong.
    pub says: String,
    /// Where it is seen.
    pub link: String,
    /// Unit.
    pub unit: String,
}

/// A check in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckLine {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it looks for, in words.
    pub looks_at: String,
    /// 台帳の決まりから, パックに書いたもの …
    pub origin: &'static str,
    /// Clauses that it speaks about, by its name or by what it was made from.
    pub clauses: Vec<ClauseLink>,
    /// When it last ran; empty when it never did.
    pub ran: String,
    /// Over how many rows.
    pub looked_at: i64,
    /// Rows that break it, in the whole body.
    pub found: i64,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// The page of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChecksView {
    /// Counts by state, the worst first, of all checks.
    pub totals: Vec<StateCount>,
    /// Style class of the state that was asked for; empty for all.
    pub asked: String,
    /// Checks, those that find something first.
    pub rows: Vec<CheckLine>,
}

/// A check's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// Rows the viewer may see that break it before long.
    pub soon: Vec<SoonRow>,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}
