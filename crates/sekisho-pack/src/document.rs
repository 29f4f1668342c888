//! Documents that must exist (文書), and rules of conduct shown to staff and asked about (周知).

use serde::{Deserialize, Serialize};

use crate::model::Period;

/// One document that must exist (`documents/*.toml`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Identifier, as clauses name it: `document:<id>`.
    pub id: String,
    /// Japanese name (情報セキュリティ基本方針).
    pub title: String,
    /// What it must say, in plain words.
    pub says: String,
    /// Role that decides it.
    pub decided_by: String,
    /// Role that keeps the record of it.
    pub kept_by: String,
    /// How long after its decision it is reviewed.
    pub review: Period,
    /// Who may read it.
    pub readers: Readers,
}

/// Who may read a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Everybody, citizens too.
    Public,
    /// All staff.
    Staff,
    /// Holders of these roles, whoever decides and whoever keeps it.
    Roles(Vec<String>),
}

/// One rule of conduct (`notices/*.toml`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Identifier, as clauses name it: `notice:<id>`.
    pub id: String,
    /// Japanese name (パスワードの扱い).
    pub title: String,
    /// The rule, as staff read it.
    pub says: String,
    /// The question of the self-assessment; the answer that keeps the rule is yes.
    pub question: String,
    /// Month and day on which it is asked, once a fiscal year.
    pub asked: (i8, i8),
    /// How long answers are taken.
    pub within: Period,
    /// Share of the staff, in percent, that must have answered, and of the answers that must be yes.
    pub good_from: u8,
}
