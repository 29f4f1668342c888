//! The typed tree that conditions are lowered to. Every node has one type; nothing is left to decide at run time.

use sekisho_base::Date;
use serde::{Deserialize, Serialize};

use super::env::{Place, Scalar};

/// Order of a comparison of whole numbers or dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Cmp {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    pub(super) fn holds(self, o: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => o.is_eq(),
            Self::Ne => o.is_ne(),
            Self::Lt => o.is_lt(),
            Self::Le => o.is_le(),
            Self::Gt => o.is_gt(),
            Self::Ge => o.is_ge(),
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Node {
    /// A scalar name.
    Var {
        name: String,
        scalar: Scalar,
        place: Option<Place>,
    },
    /// Rank of a class: the highest where several codes are held, null for an unknown code.
    Rank {
        name: String,
        ranks: Vec<(String, i64)>,
        place: Option<Place>,
    },
    /// Whether a class holds one of these codes; null without class.
    ClassIn {
        name: String,
        codes: Vec<String>,
        place: Option<Place>,
    },
    /// Whether a list holds a text.
    ListHas {
        name: String,
        item: Box<Node>,
        place: Option<Place>,
    },
    /// Length of a list.
    ListSize {
        name: String,
        place: Option<Place>,
    },
    /// Whether a scalar name or a class has no value.
    IsNull {
        of: Box<Node>,
    },
    Int(i64),
    Text(String),
    Bool(bool),
    Date(Date),
    Today,
    /// Both sides have the same scalar type.
    Compare {
        op: Cmp,
        a: Box<Node>,
        b: Box<Node>,
    },
    In {
        item: Box<Node>,
        list: Vec<Node>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    If {
        cond: Box<Node>,
        then: Box<Node>,
        other: Box<Node>,
    },
    Add(Box<Node>, Box<Node>),
    Sub(Box<Node>, Box<Node>),
    /// A date some months, then some days, later.
    Shift {
        date: Box<Node>,
        months: i32,
        days: i64,
    },
    FiscalYearEnd(Box<Node>),
    TextSize(Box<Node>),
    StartsWith {
        text: Box<Node>,
        prefix: String,
    },
    Contains {
        text: Box<Node>,
        part: String,
    },
}

impl Node {
    /// The name a node reads itself.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Var { name, .. }
            | Self::Rank { name, .. }
            | Self::ClassIn { name, .. }
            | Self::ListHas { name, .. }
            | Self::ListSize { name, .. } => Some(name),
            _ => None,
        }
    }

    /// This node and all below it.
    pub(super) fn visit(&self, f: &mut dyn FnMut(&Self)) {
        f(self);
        match self {
            Self::IsNull { of: a }
            | Self::Not(a)
            | Self::Shift { date: a, .. }
            | Self::FiscalYearEnd(a)
            | Self::TextSize(a)
            | Self::StartsWith { text: a, .. }
            | Self::Contains { text: a, .. }
            | Self::ListHas { item: a, .. } => a.visit(f),
            Self::Compare { a, b, .. }
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Add(a, b)
            | Self::Sub(a, b) => {
                a.visit(f);
                b.visit(f);
            }
            Self::If { cond, then, other } => {
                cond.visit(f);
                then.visit(f);
                other.visit(f);
            }
            Self::In { item, list } => {
                item.visit(f);
                list.iter().for_each(|n| n.visit(f));
            }
            Self::Var { .. } | Self::Rank { .. } | Self::ClassIn { .. } | Self::ListSize { .. } => {}
            Self::Int(_) | Self::Text(_) | Self::Bool(_) | Self::Date(_) | Self::Today => {}
        }
    }
}

impl Node {
    /// Whether its value is a truth value by its form alone.
    pub(super) fn is_truth(&self) -> bool {
        match self {
            Self::Var { scalar, .. } => *scalar == Scalar::Bool,
            Self::If { then, .. } => then.is_truth(),
            Self::ClassIn { .. }
            | Self::ListHas { .. }
            | Self::IsNull { .. }
            | Self::Bool(_)
            | Self::Compare { .. } => true,
            Self::In { .. }
            | Self::And(..)
            | Self::Or(..)
            | Self::Not(_)
            | Self::StartsWith { .. }
            | Self::Contains { .. } => true,
            _ => false,
        }
    }
}
