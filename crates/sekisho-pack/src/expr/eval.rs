//! Evaluation in Rust, with the null rules of SQL.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::table::Value;

use super::env::Scalar;
use super::tree::Node;

/// Largest whole number a condition sees: sums of a whole condition stay within 64 bits on every database.
pub(super) const MAX_INT: i64 = 1_000_000_000_000_000;
/// First day a condition sees: text order is date order, and the year has four digits.
pub(super) const MIN_DATE: &str = "1000-01-01";

/// Values of names on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bindings {
    /// Today in Asia/Tokyo.
    pub today: Date,
    /// Value by name. Dates are ISO text; a class is its code, or a list of codes where contents are mixed.
    pub values: BTreeMap<String, Value>,
}

impl Bindings {
    /// No values.
    #[must_use]
    pub fn on(today: Date) -> Self {
        Self { today, values: BTreeMap::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Whether there is a value at all: a list that is not bound is unknown, not empty.
    fn knows(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|v| *v != Value::Null)
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        match self.values.get(name) {
            Some(Value::Text(s)) if !s.is_empty() => vec![s],
            Some(Value::List(l)) => l.iter().map(String::as_str).filter(|s| !s.is_empty()).collect(),
            _ => vec![],
        }
    }
}

pub(super) fn eval(node: &Node, b: &Bindings) -> Value {
    let bool_or_null = |o: Option<bool>| o.map_or(Value::Null, Value::Bool);
    match node {
        Node::Var { name, scalar, .. } => read(b.values.get(name), *scalar),
        Node::Rank { name, ranks, .. } => {
            let rank = |code: &str| ranks.iter().find(|(c, _)| c == code).map(|(_, r)| *r);
            b.texts(name).into_iter().filter_map(rank).max().map_or(Value::Null, Value::Int)
        }
        Node::ClassIn { name, codes, .. } => {
            let held = b.texts(name);
            bool_or_null((!held.is_empty()).then(|| held.iter().any(|h| codes.iter().any(|c| c == h))))
        }
        Node::ListHas { name, item, .. } => match eval(item, b) {
            Value::Text(s) if b.knows(name) => Value::Bool(b.texts(name).contains(&s.as_str())),
            _ => Value::Null,
        },
        Node::ListSize { name, .. } if b.knows(name) => {
            Value::Int(i64::try_from(b.texts(name).len()).unwrap_or(MAX_INT))
        }
        Node::ListSize { .. } => Value::Null,
        Node::IsNull { of } => Value::Bool(eval(of, b) == Value::Null),
        Node::Int(n) => Value::Int(*n),
        Node::Text(s) => Value::Text(s.clone()),
        Node::Bool(v) => Value::Bool(*v),
        Node::Date(d) => date_value(*d),
        Node::Today => date_value(b.today),
        Node::Compare { op, a, b: right } => bool_or_null(match (eval(a, b), eval(right, b)) {
            (Value::Int(x), Value::Int(y)) => Some(op.holds(x.cmp(&y))),
            (Value::Text(x), Value::Text(y)) => Some(op.holds(x.cmp(&y))),
            (Value::Bool(x), Value::Bool(y)) => Some(op.holds(x.cmp(&y))),
            _ => None,
        }),
        Node::In { item, list } => match eval(item, b) {
            Value::Null => Value::Null,
            value => Value::Bool(list.iter().any(|n| eval(n, b) == value)),
        },
        Node::And(x, y) => bool_or_null(match (truth(x, b), truth(y, b)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }),
        Node::Or(x, y) => bool_or_null(match (truth(x, b), truth(y, b)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }),
        Node::Not(x) => bool_or_null(truth(x, b).map(|v| !v)),
        Node::If { cond, then, other } => match truth(cond, b) {
            Some(true) => eval(then, b),
            Some(false) => eval(other, b),
            None => Value::Null,
        },
        Node::Add(x, y) => match (eval(x, b), eval(y, b)) {
            (Value::Int(x), Value::Int(y)) => x.checked_add(y).map_or(Value::Null, Value::Int),
            _ => Value::Null,
        },
        Node::Sub(x, y) => match (eval(x, b), eval(y, b)) {
            (Value::Int(x), Value::Int(y)) => x.checked_sub(y).map_or(Value::Null, Value::Int),
            _ => Value::Null,
        },
        Node::Shift { date, months, days } => {
            day(date, b).map_or(Value::Null, |d| date_value(d.plus_months(*months).plus_days(*days)))
        }
        Node::FiscalYearEnd(date) => day(date, b).map_or(Value::Null, |d| date_value(d.fiscal_year_end())),
        Node::TextSize(text) => match eval(text, b) {
            Value::Text(s) => i64::try_from(s.chars().count()).map_or(Value::Null, Value::Int),
            _ => Value::Null,
        },
        Node::StartsWith { text, prefix } => match eval(text, b) {
            Value::Text(s) => Value::Bool(s.starts_with(prefix)),
            _ => Value::Null,
        },
        Node::Contains { text, part } => match eval(text, b) {
            Value::Text(s) => Value::Bool(s.contains(part)),
            _ => Value::Null,
        },
    }
}

/// A date as the tree sees it: null before the first day it sees.
pub(super) fn date_value(d: Date) -> Value {
    let text = d.to_string();
    if text.as_str() < MIN_DATE { Value::Null } else { Value::Text(text) }
}

fn read(value: Option<&Value>, scalar: Scalar) -> Value {
    match (value, scalar) {
        (Some(Value::Text(s)), Scalar::Text) if !s.is_empty() => Value::Text(s.clone()),
        (Some(Value::Text(s)), Scalar::Date) => s.parse().map_or(Value::Null, date_value),
        (Some(Value::Int(n)), Scalar::Int) if (-MAX_INT..=MAX_INT).contains(n) => Value::Int(*n),
        (Some(Value::Bool(v)), Scalar::Bool) => Value::Bool(*v),
        _ => Value::Null,
    }
}

fn truth(node: &Node, b: &Bindings) -> Option<bool> {
    match eval(node, b) {
        Value::Bool(v) => Some(v),
        _ => None,
    }
}

fn day(node: &Node, b: &Bindings) -> Option<Date> {
    eval(node, b).as_text().and_then(|s| s.parse().ok())
}
