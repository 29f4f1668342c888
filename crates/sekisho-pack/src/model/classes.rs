//! What can be said of classes without knowing a thing: ranks, the levels offered, conversions between schemes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Axis, Choice, Classification, Level};

/// A way of changing the classes of many things at once: from code to code on one axis (旧方式の3を3Bにする).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// Identifier.
    pub id: String,
    /// Axis.
    pub axis: String,
    /// Japanese name.
    pub title: String,
    /// New code by old code; other codes stay.
    pub codes: BTreeMap<String, String>,
}

impl Level {
    /// As something to choose.
    #[must_use]
    pub fn choice(&self) -> Choice {
        Choice { code: self.code.clone(), label: self.title.clone() }
    }
}

impl Axis {
    /// The level with a code.
    #[must_use]
    pub fn level(&self, code: &str) -> Option<&Level> {
        self.levels.iter().find(|l| l.code == code)
    }
}

impl Classification {
    /// Rank of a code on an axis. A code that the axis does not know stands above every known one, so that it never lowers a
    /// class; an empty one is no class.
    #[must_use]
    pub fn rank(&self, axis: &str, code: &str) -> Option<i64> {
        let level = self.axes.get(axis).and_then(|a| a.level(code));
        (!code.is_empty()).then(|| level.map_or(i64::MAX, |l| l.rank))
    }

    /// Levels that can be chosen on an axis: those of the scheme in use, and where none is named those of any scheme.
    pub fn offered<'a>(&'a self, axis: &'a Axis) -> impl Iterator<Item = &'a Level> {
        axis.levels.iter().filter(|l| match &self.scheme {
            Some(used) => l.schemes.contains(used),
            None => !l.schemes.is_empty(),
        })
    }

    /// What a field that asks for a new class offers: the levels, then the conversions of the axis.
    #[must_use]
    pub fn targets(&self, axis: &str) -> Vec<Choice> {
        let levels = self.axes.get(axis).into_iter().flat_map(|a| self.offered(a));
        let levels = levels.map(Level::choice);
        let conversions = self.conversions.iter().filter(|c| c.axis == axis);
        levels.chain(conversions.map(|c| Choice { code: c.id.clone(), label: c.title.clone() })).collect()
    }

    /// The class that a target makes of a class; the class itself where the target says nothing about it.
    #[must_use]
    pub fn converted(&self, axis: &str, now: &str, target: &str) -> String {
        let known = self.axes.get(axis).is_some_and(|a| a.level(target).is_some());
        let conversion = self.conversions.iter().find(|c| c.axis == axis && c.id == target);
        match conversion {
            _ if known => target.to_owned(),
            Some(c) => c.codes.get(now).map_or_else(|| now.to_owned(), String::clone),
            None => now.to_owned(),
        }
    }
}
