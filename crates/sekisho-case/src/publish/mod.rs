//! The check before a pack takes effect (design §3): every procedure can be completed in every section, also with any one
//! person absent, or the section, the step and the reason are named.
//!
//! What the pack itself makes impossible blocks: nothing but another pack mends it. What the present staffing makes
//! impossible, or leaves to waiting, is a warning that somebody acknowledges. Who may act is not worked out here but
//! asked of the same code that decides acts ([`crate::authority`]); sections whose posts are held alike are asked once.
//!
//! Everybody counts as present but the one supposed to be absent: who happens to be on leave today says nothing about a
//! pack. A step that waits, but that the next role may do once its deadline has passed, counts as one that can be
//! completed.

mod form;
mod place;
mod report;
mod seats;
mod shape;
mod steps;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_pack::model::Pack;
use serde::{Deserialize, Serialize};

use crate::org::Org;

/// Most findings kept; a pack that finds more has the same fault everywhere.
pub const MAX_FINDINGS: usize = 2_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 不可: the pack must not take effect.
    Block,
    /// 警告: to be acknowledged by whoever lets it take effect.
    Warning,
}

impl Severity {
    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Block => "不可",
            Self::Warning => "警告",
        }
    }
}

/// What is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Roles escalate in a circle, or procedures open each other in one.
    Circle,
    /// Nobody holds the role, nor any that it escalates to.
    NoHolder,
    /// A post is vacant.
    Vacant,
    /// Fewer persons hold the role than must act.
    TooFew,
    /// A step that judges is held by the applicant alone.
    OwnCase,
    /// Whoever performed would confirm the own work.
    OwnWork,
    /// Nobody else is there: the applicant would decide the own case for a reason, reviewed afterwards.
    SelfDecision,
    /// The only one who may act is away.
    Away,
    /// The condition of a step never holds.
    Unreachable,
    /// A form accepts no values.
    Form,
    /// Whatever is applied for is prohibited by the handling rules.
    Prohibited,
}

impl Fault {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::NoHolder => "no_holder",
            Self::Vacant => "vacant",
            Self::TooFew => "too_few",
            Self::OwnCase => "own_case",
            Self::OwnWork => "own_work",
            Self::SelfDecision => "self_decision",
            Self::Away => "away",
            Self::Unreachable => "unreachable",
            Self::Form => "form",
            Self::Prohibited => "prohibited",
        }
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter.
    pub fault: Fault,
    /// Procedure id; empty when it is about the pack as a whole.
    pub procedure: String,
    /// Step id; empty when it is about the procedure as a whole.
    pub step: String,
    /// Code of the section in which it is so; empty when it is so everywhere.
    pub section: String,
    /// Number of the applicant for whom it is so; none: for anybody.
    pub applicant: Option<String>,
    /// Number of the person whose absence makes it so.
    pub absent: Option<String>,
    /// Why, in Japanese, with names.
    pub reason: String,
    /// What to do, in Japanese.
    pub remedy: String,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Looked {
    /// Procedures.
    pub procedures: usize,
    /// Places (sections, or 係 where the pack distinguishes them) from which somebody may apply.
    pub places: usize,
    /// Situations asked about: a step in a place with a certain applicant and a certain person absent.
    pub situations: usize,
    /// Different situations among them, each asked of the engine.
    pub asked: usize,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub looked: Looked,
    /// Whether more was found than is kept.
    pub truncated: bool,
}

impl Report {
    /// Whether the pack may take effect once the warnings are acknowledged.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.findings.iter().all(|f| f.severity != Severity::Block)
    }

    /// Findings that say the same of several sections or persons, brought together.
    #[must_use]
    pub fn grouped(&self) -> Vec<Group<'_>> {
        let mut groups: BTreeMap<(Severity, Fault, &str, &str), Vec<&Finding>> = BTreeMap::new();
        for f in &self.findings {
            groups.entry((f.severity, f.fault, &f.procedure, &f.step)).or_default().push(f);
        }
        let mut out = Vec::new();
        for ((severity, fault, procedure, step), findings) in groups {
            let sections: BTreeSet<&str> =
                findings.iter().map(|f| f.section.as_str()).filter(|s| !s.is_empty()).collect();
            let sections = sections.into_iter().map(str::to_owned).collect();
            out.push(Group { severity, fault, procedure, step, sections, findings });
        }
        out
    }
}

/// Findings of one kind at one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'r> {
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter.
    pub fault: Fault,
    /// Procedure id.
    pub procedure: &'r str,
    /// Step id.
    pub step: &'r str,
    /// Codes of the sections, each once; none when it is so everywhere.
    pub sections: Vec<String>,
    /// The findings.
    pub findings: Vec<&'r Finding>,
}

/// Checks a pack against an organization on a day.
#[must_use]
pub fn check(pack: &Pack, org: &Org, day: Date) -> Report {
    let mut findings = shape::circles(pack);
    for procedure in pack.procedures.values() {
        findings.extend(form::check(pack, procedure, day));
    }
    let mut looked = Looked { procedures: pack.procedures.len(), ..Looked::default() };
    findings.extend(steps::check(pack, org, day, &mut looked));
    findings.sort();
    findings.dedup();
    let truncated = findings.len() > MAX_FINDINGS;
    findings.truncate(MAX_FINDINGS);
    Report { findings, looked, truncated }
}
