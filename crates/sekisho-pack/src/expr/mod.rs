//! Conditions of a pack: a small typed language with CEL syntax.
//!
//! The `cel` crate parses; [`Expr::parse`] checks the result against a declared [`Env`] and lowers it to an own typed
//! tree, from which both [`Expr::eval`] and [`sql::to_sql`] work, so that a condition means the same in a form and in a
//! query.
//!
//! # Values
//! text, whole number, truth value, date (civil, ISO), class (level of an axis), list of texts. An empty text is null.
//! A whole number beyond ±10¹⁵ and a date before the year 1000 are null.
//!
//! # Null
//! As in SQL: an operation on null gives null, `&&` and `||` are Kleene's, a ternary over null is null, and
//! `x == null`, `x != null`, `has(class.confidentiality)` ask for it. A list that is not bound is null, one without value is
//! empty (in the database there are only the latter). The caller says what null means: a step's `when` applies, a field's `required_when` requires, a check's `when` does
//! not list the row.
//!
//! # What can be written
//! `== != < <= > >=`, `&& || !`, `c ? a : b`, `x in ["a", "b"]`, `"a" in list`, `size(list)`, `size(text)`,
//! `text.startsWith("…")`, `text.contains("…")`, `+` and `-` on whole numbers, `today`, `date("2027-03-31")`,
//! `d + days(30)`, `d - months(12)`, `fiscal_year_end(d)`. Texts are compared for equality only, because databases
//! order them differently. A class compares by rank with whole numbers (`class.confidentiality >= 2`) and by code
//! with texts (`class.confidentiality == "3A"`).

mod env;
mod eval;
mod japanese;
mod lower;
pub mod sql;
mod tree;

pub use env::{Binding, Env, Place, Scalar, Type};
pub use eval::Bindings;
pub use japanese::Labels;

use sekisho_base::Date;
use sekisho_base::table::Value;
use serde::{Deserialize, Serialize};

use tree::Node;

/// Longest source text, in bytes.
pub const MAX_BYTES: usize = 1_000;
/// Deepest nesting of the parsed tree.
pub const MAX_DEPTH: u16 = 24;
/// Most nodes of the typed tree.
pub const MAX_NODES: usize = 200;

/// Stack on which conditions are parsed: the parser descends through a dozen calls for each level of nesting, up to
/// 180 KiB in a build without optimization, more than an ordinary thread holds for [`MAX_DEPTH`] levels.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs work on a thread with room for parsing conditions; none when it could not start or panicked.
pub(crate) fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|s| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(s, work);
        thread.ok()?.join().ok()
    })
}

/// A checked condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expr {
    source: String,
    tree: Node,
}

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ExprError {
    /// Character of the source, counted from 1.
    pub column: usize,
    /// What is wrong, in Japanese.
    pub problem: String,
    /// What to write instead, in Japanese.
    pub remedy: String,
}

impl Expr {
    /// Parses and type-checks a condition: its value must be a truth value.
    ///
    /// # Errors
    /// [`ExprError`] for the first thing that is wrong.
    pub fn parse(source: &str, env: &Env) -> Result<Self, ExprError> {
        deep(|| Self::parse_here(source, env)).unwrap_or_else(|| {
            let (problem, remedy) = ("条件を読む途中で失敗しました", "条件を短く書き直してください");
            Err(ExprError { column: 1, problem: problem.to_owned(), remedy: remedy.to_owned() })
        })
    }

    /// As [`Expr::parse`], on a thread that [`deep`] made.
    pub(crate) fn parse_here(source: &str, env: &Env) -> Result<Self, ExprError> {
        Ok(Self { source: source.to_owned(), tree: lower::condition(source, env)? })
    }

    /// As written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Value in these bindings; `None` for null or an operand of the wrong type.
    #[must_use]
    pub fn eval_bool(&self, bindings: &Bindings) -> Option<bool> {
        match eval::eval(&self.tree, bindings) {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// Names it reads, without duplicates, in order of the alphabet (`class.confidentiality`, `return_by`).
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = std::collections::BTreeSet::new();
        self.tree.visit(&mut |n| {
            if let Some(name) = n.name() {
                names.insert(name.to_owned());
            }
        });
        names.into_iter().collect()
    }
}

/// What the searches for undecided paths and for fillable forms ask.
impl Expr {
    /// Whole numbers written in it.
    pub(crate) fn ints(&self) -> Vec<i64> {
        let mut out = Vec::new();
        self.tree.visit(&mut |n| {
            if let Node::Int(i) = n {
                out.push(*i);
            }
        });
        out
    }

    /// Texts written in it.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.tree.visit(&mut |n| {
            if let Node::Text(s) = n {
                out.push(s.clone());
            }
        });
        out
    }

    /// Dates written in it.
    pub(crate) fn dates(&self) -> Vec<Date> {
        let mut out = Vec::new();
        self.tree.visit(&mut |n| {
            if let Node::Date(d) = n {
                out.push(*d);
            }
        });
        out
    }

    /// Months and days by which it shifts dates.
    pub(crate) fn shifts(&self) -> Vec<(i32, i64)> {
        let mut out = Vec::new();
        self.tree.visit(&mut |n| {
            if let Node::Shift { months, days, .. } = n {
                out.push((*months, *days));
            }
        });
        out
    }

    /// Whether finitely many values of its names tell all its outcomes apart: only equality of texts with constants,
    /// whole numbers against constants, classes, truth values and membership.
    pub(crate) fn is_finite(&self) -> bool {
        let mut finite = true;
        self.tree.visit(&mut |n| {
            finite &= match n {
                Node::Compare { a, b, .. } => match (&**a, &**b) {
                    (Node::Var { .. } | Node::Rank { .. }, Node::Int(_) | Node::Text(_))
                    | (Node::Int(_) | Node::Text(_), Node::Var { .. } | Node::Rank { .. }) => true,
                    (a, b) => a.is_truth() && b.is_truth(),
                },
                Node::In { item, .. } => matches!(**item, Node::Var { .. }),
                Node::ListHas { item, .. } => matches!(**item, Node::Text(_)),
                Node::Var { scalar, .. } => *scalar != Scalar::Date,
                Node::Date(_)
                | Node::Today
                | Node::ListSize { .. }
                | Node::Add(..)
                | Node::Sub(..)
                | Node::Shift { .. }
                | Node::FiscalYearEnd(_)
                | Node::TextSize(_)
                | Node::StartsWith { .. }
                | Node::Contains { .. } => false,
                _ => true,
            }
        });
        finite
    }
}
