//! The difference between two versions of a pack in plain Japanese, for whoever has to decide whether the new one may take
//! effect: above all who loses or gains which power, then every other change with the words before and after.

pub mod lines;
mod other;
mod powers;
mod procedures;
mod registers;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Pack;
use crate::words::Words;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Somebody gains or loses the power to do something.
    Power,
    /// Roles and how they are held.
    Role,
    /// Classification and handling rules.
    Classification,
    /// Procedures: fields, steps, permits.
    Procedure,
    /// Registers.
    Register,
    /// Checks.
    Check,
    /// Recurring duties.
    Duty,
    /// Documents that must exist, and rules of conduct.
    Document,
    /// Clauses and what is bound to them.
    Clause,
    /// Name, calendar, forms, tests.
    Other,
}

impl Area {
    /// Heading above the changes of an area.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Power => "権限（だれが得て、だれが失うか）",
            Self::Role => "役割",
            Self::Classification => "分類と取扱い",
            Self::Procedure => "手続",
            Self::Register => "台帳",
            Self::Check => "点検",
            Self::Duty => "定期の仕事",
            Self::Document => "文書と周知",
            Self::Clause => "条項",
            Self::Other => "その他",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is about.
    pub area: Area,
    /// Where: 「情報資産等の持出」の「許可」.
    pub place: String,
    /// What: 行う人, 期限, 得る権限.
    pub what: String,
    /// As it was; none: it is new.
    pub old: Option<String>,
    /// As it will be; none: it goes.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, .. } = self;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{place} {what}: {old} → {new}"),
            (None, Some(new)) => write!(f, "{place} {what}（新しい）: {new}"),
            (Some(old), None) => write!(f, "{place} {what}（なくなる）: {old}"),
            (None, None) => write!(f, "{place} {what}"),
        }
    }
}

/// All changes, by area.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Changes in the order in which they are read.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Changes of one area.
    pub fn of(&self, area: Area) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |c| c.area == area)
    }

    /// As text for a terminal: a heading for each area, a line for each change.
    #[must_use]
    pub fn text(&self) -> String {
        if self.changes.is_empty() {
            return "違いはありません。\n".to_owned();
        }
        let mut out = String::new();
        let mut area = None;
        for c in &self.changes {
            if area != Some(c.area) {
                area = Some(c.area);
                out.push_str(&format!("■ {}\n", c.area.japanese()));
            }
            out.push_str(&format!("  {c}\n"));
        }
        out
    }
}

/// What changes from one pack to another.
#[must_use]
pub fn diff(old: &Pack, new: &Pack) -> Difference {
    let mut found = Found { changes: vec![], old: Words::of(old), new: Words::of(new) };
    powers::compare(old, new, &mut found);
    other::roles(old, new, &mut found);
    other::classification(old, new, &mut found);
    procedures::compare(old, new, &mut found);
    registers::compare(old, new, &mut found);
    registers::checks(old, new, &mut found);
    other::duties(old, new, &mut found);
    other::clauses(old, new, &mut found);
    other::rest(old, new, &mut found);
    found.changes.sort_by_key(|c| c.area);
    Difference { changes: found.changes }
}

/// Changes found so far, with the words of both packs.
struct Found<'a> {
    changes: Vec<Change>,
    old: Words<'a>,
    new: Words<'a>,
}

impl Found<'_> {
    /// A value that may have changed; an empty one counts as not there.
    fn value(&mut self, area: Area, place: &str, what: &str, old: &str, new: &str) {
        let some = |s: &str| Some(s.to_owned()).filter(|s| !s.is_empty());
        self.option(area, place, what, some(old), some(new));
    }

    fn option(&mut self, area: Area, place: &str, what: &str, old: Option<String>, new: Option<String>) {
        if old != new {
            self.changes.push(Change { area, place: place.to_owned(), what: what.to_owned(), old, new });
        }
    }

    /// Something that is only in the new pack.
    fn added(&mut self, area: Area, place: &str, what: &str, new: String) {
        self.option(area, place, what, None, Some(new));
    }

    /// Something that is only in the old pack.
    fn removed(&mut self, area: Area, place: &str, what: &str, old: String) {
        self.option(area, place, what, Some(old), None);
    }
}

/// The two sides of one id.
enum Side<'x, T> {
    Old(&'x T),
    New(&'x T),
    Both(&'x T, &'x T),
}

/// Pairs what has the same id, in the order of the old list, what is new at the end.
fn pairs<'x, T, K: Ord>(
    old: impl IntoIterator<Item = &'x T>,
    new: impl IntoIterator<Item = &'x T>,
    id: impl Fn(&'x T) -> K,
) -> Vec<Side<'x, T>> {
    let mut order: Vec<(K, &'x T)> = Vec::new();
    let mut left: BTreeMap<K, &'x T> = BTreeMap::new();
    for t in new {
        left.insert(id(t), t);
        order.push((id(t), t));
    }
    let mut out: Vec<Side<'x, T>> = Vec::new();
    for t in old {
        out.push(match left.remove(&id(t)) {
            Some(n) => Side::Both(t, n),
            None => Side::Old(t),
        });
    }
    out.extend(order.into_iter().filter(|(k, _)| left.contains_key(k)).map(|(_, t)| Side::New(t)));
    out
}

/// はい or nothing.
fn yes(flag: bool) -> &'static str {
    if flag { "はい" } else { "いいえ" }
}
