//! What the pages about clauses and checks show.

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
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chapter {
    /// 「第5章 人的セキュリティ対策」.
    pub title: String,
    /// Clauses that ask something.
    pub clauses: Vec<ClauseLine>,
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
}

/// An exception in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExceptionLine {
    /// Case id.
    pub case: String,
    /// Number.
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
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}
