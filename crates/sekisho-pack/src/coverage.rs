//! Which mechanisms of each clause can be evaluated now, and which are planned.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::model::{Clause, MechanismKind, MechanismRef, Pack};

/// What the program has beside the pack.
#[derive(Debug, Clone, Copy, Default)]
pub struct Built<'a> {
    /// Gates whose engine exists and whose last run is known (`ledger`, `handling`).
    pub gates: &'a [&'a str],
}

/// Gates that this program has an engine for.
pub const GATES: [&str; 2] = ["ledger", "handling"];

/// Coverage of a pack: the JSON of `sekisho pack coverage --format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Clauses in document order.
    pub clauses: Vec<ClauseCoverage>,
}

/// Coverage of one clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClauseCoverage {
    /// Clause id.
    pub id: String,
    /// `kind:name` of what is defined and can be evaluated.
    pub mechanisms: Vec<String>,
    /// `kind:name` of the rest.
    pub planned: Vec<String>,
}

/// Whether a mechanism is defined in the pack and can be evaluated by this program.
#[must_use]
pub fn is_built(pack: &Pack, built: &Built<'_>, m: &MechanismRef) -> bool {
    match m.kind {
        MechanismKind::Role => pack.roles.contains_key(&m.name),
        MechanismKind::Register => pack.registers.contains_key(&m.name),
        MechanismKind::Procedure => pack.procedures.contains_key(&m.name),
        MechanismKind::Check => pack.checks.contains_key(&m.name),
        MechanismKind::Gate => built.gates.contains(&m.name.as_str()),
        MechanismKind::Duty => pack.duties.contains_key(&m.name),
        MechanismKind::Document => pack.documents.contains_key(&m.name),
        MechanismKind::Notice => pack.notices.contains_key(&m.name),
    }
}

/// Coverage of every clause.
#[must_use]
pub fn coverage(pack: &Pack, built: &Built<'_>) -> Coverage {
    let of = |c: &Clause| {
        let (have, planned): (Vec<_>, Vec<_>) = c.mechanisms.iter().partition(|m| is_built(pack, built, m));
        let text = |list: Vec<&MechanismRef>| list.into_iter().map(ToString::to_string).collect();
        ClauseCoverage { id: c.id.clone(), mechanisms: text(have), planned: text(planned) }
    };
    Coverage { clauses: pack.clauses.iter().map(of).collect() }
}

impl Pack {
    /// What people call a mechanism: the title of what is defined, else of what is planned; none in a pack that names
    /// neither.
    #[must_use]
    pub fn title_of(&self, m: &MechanismRef) -> Option<&str> {
        let name = &m.name;
        let defined = match m.kind {
            MechanismKind::Role => self.roles.get(name).map(|r| r.title.as_str()),
            MechanismKind::Register => self.registers.get(name).map(|r| r.title.as_str()),
            MechanismKind::Procedure => self.procedures.get(name).map(|p| p.title.as_str()),
            MechanismKind::Check => self.checks.get(name).map(|c| c.title.as_str()),
            MechanismKind::Duty => self.duties.get(name).map(|d| d.title.as_str()),
            MechanismKind::Document => self.documents.get(name).map(|d| d.title.as_str()),
            MechanismKind::Notice => self.notices.get(name).map(|n| n.title.as_str()),
            MechanismKind::Gate => match name.as_str() {
                "ledger" => Some("証跡"),
                "handling" => Some("取扱判定"),
                _ => None,
            },
        };
        defined.or_else(|| self.planned.get(m).map(String::as_str))
    }
}

impl MechanismKind {
    /// All kinds, in the order of the standard's description.
    pub const ALL: [Self; 8] = [
        Self::Role,
        Self::Register,
        Self::Procedure,
        Self::Duty,
        Self::Check,
        Self::Gate,
        Self::Document,
        Self::Notice,
    ];

    /// The word before the colon.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Register => "register",
            Self::Procedure => "procedure",
            Self::Duty => "duty",
            Self::Check => "check",
            Self::Gate => "gate",
            Self::Document => "document",
            Self::Notice => "notice",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Role => "役割",
            Self::Register => "台帳",
            Self::Procedure => "手続",
            Self::Duty => "定期の仕事",
            Self::Check => "点検",
            Self::Gate => "関門",
            Self::Document => "文書",
            Self::Notice => "周知",
        }
    }
}

impl fmt::Display for MechanismRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.name)
    }
}

/// Counts of bindings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    built: usize,
    planned: usize,
}

impl Count {
    fn line(self, name: &str) -> String {
        format!("  {name}: 整備済み {}件、未整備 {}件", self.built, self.planned)
    }
}

impl Coverage {
    /// Counts by kind and by chapter, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut kinds: BTreeMap<&str, Count> = BTreeMap::new();
        let mut chapters: Vec<(&str, Count)> = Vec::new();
        let mut all = Count::default();
        let (mut bound, mut complete) = (0usize, 0usize);
        for c in &self.clauses {
            bound += usize::from(!c.mechanisms.is_empty() || !c.planned.is_empty());
            complete += usize::from(!c.mechanisms.is_empty() && c.planned.is_empty());
            let count = Count { built: c.mechanisms.len(), planned: c.planned.len() };
            let chapter = c.id.split('.').next().unwrap_or_default();
            if chapters.last().is_none_or(|(last, _)| *last != chapter) {
                chapters.push((chapter, Count::default()));
            }
            if let Some((_, sum)) = chapters.last_mut() {
                sum.built += count.built;
                sum.planned += count.planned;
            }
            all.built += count.built;
            all.planned += count.planned;
            for (list, built) in [(&c.mechanisms, true), (&c.planned, false)] {
                for m in list {
                    let k = kinds.entry(m.split(':').next().unwrap_or_default()).or_default();
                    if built { k.built += 1 } else { k.planned += 1 }
                }
            }
        }
        let mut out = vec![
            format!(
                "条項 {}件。仕組みと結び付いた条項 {bound}件、そのうち全て整備済み {complete}件。",
                self.clauses.len()
            ),
            all.line("結び付き"),
            "種類ごと".to_owned(),
        ];
        for k in MechanismKind::ALL {
            if let Some(count) = kinds.get(k.word()) {
                out.push(count.line(k.japanese()));
            }
        }
        out.push("章ごと".to_owned());
        for (chapter, count) in chapters {
            out.push(count.line(&chapter_name(chapter)));
        }
        out.join("\n")
    }
}

/// A chapter as people say it, from the first part of its clauses' ids.
#[must_use]
pub fn chapter_name(chapter: &str) -> String {
    match chapter {
        "P" => "序章".to_owned(),
        "B" => "基本方針".to_owned(),
        n => format!("第{n}章"),
    }
}
