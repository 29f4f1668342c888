//! What pages show of duties. Text is ready to be read; nothing here decides.

use schemars::JsonSchema;
use sekisho_base::Date;
use serde::Serialize;

use crate::clauses::ClauseLink;
use crate::registers::{FieldView, Pair};

/// An occurrence in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DutyLine {
    /// Page.
    pub link: String,
    /// Title.
    pub title: String,
    /// Where.
    pub unit: String,
    /// Who it is about, or empty.
    pub subject: String,
    /// Due date.
    pub due: String,
    /// The same as ISO 8601, for programs.
    #[schemars(with = "String")]
    pub due_on: Date,
    /// 期限切れ, まもなく期限, 済, 対象外, or empty.
    pub status: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Who holds the role there today; 「空席」 when nobody does.
    pub holder: String,
    /// When and by whom it was done, or why it fell away.
    pub done: String,
}

/// What a list of duties was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutiesQuery {
    /// Everything that may be seen, not only one's own.
    pub all: bool,
    /// Late ones only.
    pub late: bool,
    /// Page from 1.
    pub page: i64,
}

/// One duty over all its places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DutySummary {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Role.
    pub role: String,
    /// How often.
    pub cycle: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// The page of duties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DutiesView {
    /// Lines.
    pub rows: Vec<DutyLine>,
    /// Everything, not only one's own.
    pub all: bool,
    /// Late only.
    pub late: bool,
    /// Page from 1.
    pub page: i64,
    /// Whether there is another.
    pub more: bool,
    /// How many lines there are.
    pub total: i64,
    /// Every duty of the pack, when all are shown.
    pub summary: Vec<DutySummary>,
}

/// One duty's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DutyPage {
    /// Title.
    pub title: String,
    /// What is to be done.
    pub says: String,
    /// Role, place, how often, by when, reminders, escalation.
    pub facts: Vec<Pair>,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
    /// Occurrences that may be seen.
    pub rows: Vec<DutyLine>,
    /// How many there are.
    pub total: i64,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}

/// One occurrence's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OccurrencePage {
    /// Address.
    pub link: String,
    /// Duty.
    pub duty: String,
    /// Title.
    pub title: String,
    /// What is to be done.
    pub says: String,
    /// Line as in lists.
    pub line: DutyLine,
    /// Role, capacity and so on of the record.
    pub facts: Vec<Pair>,
    /// Whether this person may record it now.
    pub may: bool,
    /// Something to know: the capacity, or who may instead.
    pub note: String,
    /// Fields to fill.
    pub fields: Vec<FieldView>,
    /// What was recorded.
    pub evidence: Vec<Pair>,
    /// Ledger entry of the record, or empty.
    pub entry: String,
    /// Ledger entry with which it arose.
    pub open_entry: String,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}
