//! The handling decision (取扱判定): may this act be done with these contents, and how? A pure function of class, act,
//! zone, device and personal-data marks; every part of the answer names its clause.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::expr::Bindings;
use sekisho_pack::expr::Expr;
use sekisho_pack::model::{HandlingEffect, HandlingRule, Pack};
use serde::{Deserialize, Serialize};

use crate::facts::{applies, bind_class, mixed_class};

/// What the question is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandlingFacts {
    /// Class code by axis, of each content; several contents are mixed.
    pub classes: Vec<BTreeMap<String, String>>,
    /// Further facts of each content, in the same order: `zone`, `device`, `personal` … A fact that differs between
    /// contents is looked at for each of them. A fact that is absent, null or an empty text is unknown: a rule applies
    /// if it would for any value. A content that certainly has none says so with an empty list.
    pub facts: Vec<BTreeMap<String, Value>>,
}

/// The answer, from mild to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Allowed.
    Allowed,
    /// Allowed when the safeguards are taken.
    AllowedWith,
    /// Needs a permit of the procedures named, and the safeguards.
    NeedsPermit,
    /// Prohibited.
    Prohibited,
}

impl Outcome {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::AllowedWith => "allowed_with",
            Self::NeedsPermit => "needs_permit",
            Self::Prohibited => "prohibited",
        }
    }

    /// The answer in a word.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Allowed => "可",
            Self::AllowedWith => "対策をとれば可",
            Self::NeedsPermit => "許可が必要",
            Self::Prohibited => "禁止",
        }
    }
}

/// One thing a rule says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// Rule id.
    pub rule: String,
    /// What it says.
    pub says: String,
    /// Clause it comes from.
    pub clause: String,
}

/// A permit that is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NeededPermit {
    /// Procedure that gives it.
    pub procedure: String,
    /// What the rule says.
    pub note: Note,
}

/// The handling decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Act asked about.
    pub act: String,
    /// The strictest effect.
    pub outcome: Outcome,
    /// Codes of the highest class on each axis.
    pub class: BTreeMap<String, Vec<String>>,
    /// Safeguards to take.
    pub safeguards: Vec<Note>,
    /// Permits needed.
    pub permits: Vec<NeededPermit>,
    /// Why it is prohibited.
    pub prohibitions: Vec<Note>,
}

/// Decides. Every rule of the act whose condition holds contributes; a condition that cannot be evaluated holds; the
/// strictest effect wins and safeguards add up. An act that occurs in no rule has no answer: silence about a typing
/// error would be leave.
#[must_use]
pub fn decide_handling(pack: &Pack, act: &str, facts: &HandlingFacts, today: Date) -> Option<Handling> {
    let classification = &pack.classification;
    let rules: Vec<&HandlingRule> =
        classification.handling.iter().filter(|r| r.acts.iter().any(|a| a == act)).collect();
    if rules.is_empty() {
        return None;
    }
    let class = mixed_class(classification, &facts.classes);
    let none = [BTreeMap::new()];
    let each = if facts.facts.is_empty() { &none[..] } else { &facts.facts[..] };
    let mut found = Handling {
        act: act.to_owned(),
        outcome: Outcome::Allowed,
        class,
        safeguards: vec![],
        permits: vec![],
        prohibitions: vec![],
    };
    for rule in rules {
        let holds = |f| {
            possible(pack, rule.when.as_ref(), &found.class, f, today)
                .iter()
                .any(|b| applies(rule.when.as_ref(), b))
        };
        if !each.iter().any(holds) {
            continue;
        }
        let note = Note { rule: rule.id.clone(), says: rule.says.clone(), clause: rule.clause.clone() };
        let outcome = match &rule.effect {
            HandlingEffect::Safeguard => {
                found.safeguards.push(note);
                Outcome::AllowedWith
            }
            HandlingEffect::Permit(procedure) => {
                found.permits.push(NeededPermit { procedure: procedure.clone(), note });
                Outcome::NeedsPermit
            }
            HandlingEffect::Prohibited => {
                found.prohibitions.push(note);
                Outcome::Prohibited
            }
        };
        found.outcome = found.outcome.max(outcome);
    }
    Some(found)
}

/// Whether every look at a record of this class with these marks is recorded, as the pack's condition says. A record whose marks
/// leave the condition open is one of them.
#[must_use]
pub fn looks_recorded(
    pack: &Pack,
    class: &BTreeMap<String, String>,
    marks: &BTreeMap<String, Value>,
    today: Date,
) -> bool {
    let Some(when) = &pack.classification.looks else { return false };
    let start = bind_class(Bindings::on(today), &mixed_class(&pack.classification, [class]));
    let b = marks.iter().filter(|(_, v)| known(v)).fold(start, |b, (name, v)| b.with(name, v.clone()));
    applies(Some(when), &b)
}

/// Names that the rules of an act ask about and that are not known of every content: `class.confidentiality`, `zone` …
/// Whatever rests on them was decided as if the strictest were true.
#[must_use]
pub fn unknown_facts(pack: &Pack, act: &str, facts: &HandlingFacts) -> BTreeSet<String> {
    let classification = &pack.classification;
    let rules = classification.handling.iter().filter(|r| r.acts.iter().any(|a| a == act));
    let asked: BTreeSet<String> = rules.filter_map(|r| r.when.as_ref()).flat_map(Expr::names).collect();
    let class = mixed_class(classification, &facts.classes);
    let unknown = |name: &String| match name.strip_prefix("class.") {
        Some(axis) => {
            let levels = classification.axes.get(axis);
            let known = |code: &String| levels.is_some_and(|a| a.level(code).is_some());
            !class.get(axis).is_some_and(|codes| codes.iter().all(known))
        }
        None => facts.facts.is_empty() || facts.facts.iter().any(|f| !f.get(name).is_some_and(known)),
    };
    asked.into_iter().filter(unknown).collect()
}

/// Whether a fact is stated at all.
fn known(value: &Value) -> bool {
    !matches!(value, Value::Null) && value.as_text() != Some("")
}

/// What may be the case: the facts as they are, and for an unknown fact every value the registers know for it. (A
/// missing scalar is null and needs no more; a missing list would be an empty one, which is a statement.)
fn possible(
    pack: &Pack,
    when: Option<&Expr>,
    class: &BTreeMap<String, Vec<String>>,
    facts: &BTreeMap<String, Value>,
    today: Date,
) -> Vec<Bindings> {
    let start = bind_class(Bindings::on(today), class);
    let mut worlds =
        vec![facts.iter().filter(|(_, v)| known(v)).fold(start, |b, (name, v)| b.with(name, v.clone()))];
    for name in when.map(Expr::names).unwrap_or_default() {
        if name.starts_with("class.") || facts.get(&name).is_some_and(known) {
            continue;
        }
        let codes = codes(pack, &name);
        let more: Vec<Bindings> = worlds
            .iter()
            .flat_map(|b| codes.iter().map(|code| b.clone().with(&name, Value::List(vec![code.clone()]))))
            .take(MOST_WORLDS)
            .collect();
        worlds.extend(more);
    }
    worlds
}

/// Most combinations of unknown facts looked at for one rule: three unknown facts of eight values each.
const MOST_WORLDS: usize = 800;

/// The choices that registers' columns of this name offer.
fn codes(pack: &Pack, name: &str) -> BTreeSet<String> {
    let columns = pack.registers.values().flat_map(|r| &r.columns).filter(|c| c.id == name);
    columns.flat_map(|c| &c.choices).map(|c| c.code.clone()).collect()
}
