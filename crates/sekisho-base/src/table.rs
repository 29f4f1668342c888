//! Specification of a register's table, as the store builds it: `r_<id>` with columns `c_<id>`, and for columns with
//! many values the child table `m_<id>`. Lives here so that the store knows no pack.

use serde::{Deserialize, Serialize};

/// Storage class of a column: the closed list that both databases share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// TEXT: text, codes, dates (ISO), references.
    Text,
    /// BIGINT.
    Int,
    /// BOOLEAN.
    Bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSpec {
    /// Identifier, see [`valid_ident`].
    pub id: String,
    /// Storage class.
    pub storage: Storage,
    /// Several values in a child table.
    pub many: bool,
    /// Lists sort and filter by it, so it gets an index. Text only.
    pub indexed: bool,
    /// Words are not looked for in it: it holds what not everybody who sees the row may read.
    #[serde(default)]
    pub unsearched: bool,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// Identifier of the register.
    pub id: String,
    /// Column with the key that people see, unique.
    pub key: String,
    /// Column with the row's name.
    pub name: String,
    /// Column with the code of the owner unit.
    pub owner: String,
    /// Columns in order.
    pub columns: Vec<ColumnSpec>,
}

/// A value of a register cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing.
    Null,
    /// BOOLEAN.
    Bool(bool),
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl Value {
    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            _ => None,
        }
    }

    /// Nothing, an empty text or an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(s) => s.is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Bool(_) | Self::Int(_) => false,
        }
    }
}

/// Whether a name may become part of a table or column name: `[a-z][a-z0-9_]{0,40}`.
#[must_use]
pub fn valid_ident(s: &str) -> bool {
    s.len() <= 41
        && s.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_narrow() {
        for ok in ["a", "asset", "c_2", &"a".repeat(41)] {
            assert!(valid_ident(ok), "{ok}");
        }
        for bad in ["", "2a", "_a", "Asset", "a-b", "a;drop", "資産", &"a".repeat(42)] {
            assert!(!valid_ident(bad), "{bad}");
        }
    }
}
