//! Declared names: what a condition may read, of which type, and where it lies in the database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Axis, Choice};

/// Type of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// Text, code, choice, unit, post, person, reference.
    Text,
    /// Whole number.
    Int,
    /// Truth value.
    Bool,
    /// Civil date.
    Date,
}

impl Scalar {
    pub(super) fn japanese(self) -> &'static str {
        match self {
            Self::Text => "文字",
            Self::Int => "整数",
            Self::Bool => "真偽",
            Self::Date => "日付",
        }
    }
}

/// Type of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// One of these codes.
    Choice(Vec<String>),
    /// Whole number.
    Int,
    /// Truth value.
    Bool,
    /// Civil date.
    Date,
    /// Level of an axis: code and rank of each.
    Class(Vec<(String, i64)>),
    /// List of texts; only these codes when they are given.
    List(Option<Vec<String>>),
}

impl Type {
    /// Class type of an axis.
    #[must_use]
    pub fn class_of(axis: &Axis) -> Self {
        Self::Class(axis.levels.iter().map(|l| (l.code.clone(), l.rank)).collect())
    }

    /// Choice type of choices.
    #[must_use]
    pub fn choice_of(choices: &[Choice]) -> Self {
        Self::Choice(choices.iter().map(|c| c.code.clone()).collect())
    }
}

/// Where a name lies in the database, for [`super::sql::to_sql`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Column `c_<id>` of the row `r`.
    Column(String),
    /// Rows of `m_<register>` with this column id.
    Many {
        /// Register id.
        register: String,
        /// Column id.
        column: String,
    },
}

/// One declared name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Type.
    pub kind: Type,
    /// Place in the database; none where the condition is never compiled to SQL.
    pub place: Option<Place>,
}

/// The names a condition may read. Dots are part of a name: `class.confidentiality`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    names: BTreeMap<String, Binding>,
    sql: bool,
}

impl Env {
    /// Nothing declared but `today`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For conditions that are compiled to SQL: what SQL cannot say on both databases is refused.
    #[must_use]
    pub fn for_sql() -> Self {
        Self { names: BTreeMap::new(), sql: true }
    }

    /// Declares a name.
    #[must_use]
    pub fn with(mut self, name: &str, kind: Type) -> Self {
        self.declare(name, kind, None);
        self
    }

    /// Declares a name that lies in the database.
    pub fn declare(&mut self, name: &str, kind: Type, place: Option<Place>) {
        self.names.insert(name.to_owned(), Binding { kind, place });
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Binding> {
        self.names.get(name)
    }

    pub(super) fn is_sql(&self) -> bool {
        self.sql
    }

    /// Declared names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}
