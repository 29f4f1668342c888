//! One step of a running case.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use sekisho_pack::model::StepKind;
use serde::{Deserialize, Serialize};

use super::{Cover, Verdict};
use crate::authority::{Held, Part, Path, Who};

/// Whether a step of this kind is a final decision: the only kind that can be taken in absence (代決), and the kind a
/// route must have.
#[must_use]
pub fn is_final_decision(kind: StepKind) -> bool {
    matches!(kind, StepKind::Permit | StepKind::Resolve)
}

/// Whether a step of this kind judges the applicant's case or somebody's work, so that neither may do it.
#[must_use]
pub fn is_judging(kind: StepKind) -> bool {
    match kind {
        StepKind::Permit | StepKind::Resolve | StepKind::Review | StepKind::Confirm | StepKind::Consult => {
            true
        }
        StepKind::Report | StepKind::Instruct | StepKind::Perform | StepKind::Inform => false,
    }
}

/// Cedar actions open to whoever holds a step of this kind, the step's own act first.
#[must_use]
pub fn step_actions(kind: StepKind) -> &'static [&'static str] {
    match kind {
        StepKind::Permit => &[
            "permit",
            "refuse",
            "send_back",
            "see",
            "move",
            "revoke",
            "extend",
            "decline_extension",
            "close",
        ],
        StepKind::Resolve => &[
            "resolve",
            "refuse",
            "send_back",
            "see",
            "move",
            "revoke",
            "extend",
            "decline_extension",
            "close",
        ],
        StepKind::Review => &["review", "send_back", "see"],
        StepKind::Confirm => &["confirm", "send_back", "see"],
        StepKind::Consult => &["answer", "see"],
        StepKind::Report => &["report", "see"],
        StepKind::Instruct => &["instruct", "see"],
        StepKind::Perform => &["perform", "see"],
        StepKind::Inform => &["read", "see"],
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not reached.
    Pending,
    /// Waits for its holders.
    Open,
    /// Done.
    Done,
    /// Does not apply to this case.
    NotApplicable,
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// By the end of this day.
    On(Date),
    /// By this moment (wall-clock hours).
    At(Instant),
}

impl Due {
    /// The day it falls on.
    #[must_use]
    pub fn date(self) -> Date {
        match self {
            Self::On(date) => date,
            Self::At(at) => at.date(),
        }
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self, now: Instant) -> bool {
        match self {
            Self::On(date) => now.date() > date,
            Self::At(at) => now > at,
        }
    }
}

/// A place to be filled in a step: the whole step, or one item of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Item key, when the step is held item by item.
    pub item: Option<String>,
    /// Which parts, and how joined.
    pub who: Who,
}

/// A recorded act on a step that counts for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Act number.
    pub seq: u32,
    /// Person.
    pub person: String,
    /// When.
    pub at: Instant,
    /// What it says.
    pub verdict: Verdict,
    /// What it covers.
    pub covers: Vec<Cover>,
    /// Capacities.
    pub held: Vec<Held>,
    /// Content it binds to.
    pub content: String,
    /// Opinion, reason or instruction given.
    pub says: String,
    /// Conditions set.
    pub conditions: Vec<String>,
    /// Evidence given with it: of the items it covers, where a step is held item by item.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, serde_json::Value>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    /// Step id.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// Kind.
    pub kind: StepKind,
    /// Where it stands.
    pub status: StepStatus,
    /// When it opened.
    pub opened_at: Option<Instant>,
    /// Deadline.
    pub due: Option<Due>,
    /// Distinct parts, pinned at opening.
    pub parts: Vec<Part>,
    /// What is to be filled.
    pub slots: Vec<Slot>,
    /// Who has opened it to look: from then on the applicant cannot take it back.
    pub seen_by: BTreeSet<String>,
    /// Levels that lateness has opened.
    pub escalated: usize,
    /// Decisions that count.
    pub decisions: Vec<Decision>,
    /// Evidence given.
    pub evidence: BTreeMap<String, serde_json::Value>,
    /// Earlier rounds of a step that is done again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
}

/// One finished round of a step that is done again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Deadline it had.
    pub due: Option<Due>,
    /// What was decided or done.
    pub decisions: Vec<Decision>,
    /// Evidence given.
    pub evidence: BTreeMap<String, serde_json::Value>,
}

impl StepRun {
    /// A step not reached yet.
    #[must_use]
    pub fn pending(id: &str, title: &str, kind: StepKind) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            kind,
            status: StepStatus::Pending,
            opened_at: None,
            due: None,
            parts: Vec::new(),
            slots: Vec::new(),
            seen_by: BTreeSet::new(),
            escalated: 0,
            decisions: Vec::new(),
            evidence: BTreeMap::new(),
            rounds: Vec::new(),
        }
    }

    /// Opens it for the next round, the present one kept.
    pub fn next_round(&mut self) {
        let round = Round {
            due: self.due,
            decisions: std::mem::take(&mut self.decisions),
            evidence: std::mem::take(&mut self.evidence),
        };
        let mut rounds = std::mem::take(&mut self.rounds);
        rounds.push(round);
        self.reset();
        self.rounds = rounds;
    }

    /// Back to not reached: what was decided no longer counts.
    pub fn reset(&mut self) {
        *self = Self::pending(&self.id, &self.title, self.kind);
    }

    fn covering(&self, item: Option<&str>, part: usize) -> impl Iterator<Item = &Decision> {
        let covers = move |c: &Cover| c.part == part && c.item.as_deref() == item;
        self.decisions.iter().filter(move |d| d.covers.iter().any(covers))
    }

    /// Whether a part has acted for an item (or the whole step), by as many persons as it needs.
    #[must_use]
    pub fn acted(&self, item: Option<&str>, part: usize) -> bool {
        let (need, role) = self.parts.get(part).map_or((1, ""), |p| (p.need, p.role.as_str()));
        let alone = |d: &Decision| {
            d.verdict == Verdict::PassedOver
                || d.held.iter().any(|h| h.role == role && matches!(h.path, Path::Escalated | Path::Override))
        };
        let mut persons = BTreeSet::new();
        for d in self.covering(item, part) {
            if need <= 1 || alone(d) {
                return true;
            }
            persons.insert(d.person.as_str());
        }
        u32::try_from(persons.len()).is_ok_and(|n| n >= need)
    }

    /// Whether this person has acted in a part for an item (or the whole step): nobody counts twice.
    #[must_use]
    pub fn acted_by(&self, person: &str, item: Option<&str>, part: usize) -> bool {
        self.covering(item, part).any(|d| d.person == person)
    }

    /// Posts whose holder has acted in a part that needs several.
    #[must_use]
    pub fn posts_done(&self, part: usize) -> BTreeSet<&str> {
        let role = self.parts.get(part).filter(|p| p.need > 1).map(|p| p.role.as_str());
        let held = self.decisions.iter().flat_map(|d| &d.held);
        held.filter(|h| Some(h.role.as_str()) == role).map(|h| h.post.as_str()).collect()
    }

    /// Whether an item (or the whole step) was refused.
    #[must_use]
    pub fn refused(&self, item: Option<&str>) -> bool {
        let refusals = self.decisions.iter().filter(|d| d.verdict == Verdict::Refuse);
        refusals.flat_map(|d| &d.covers).any(|c| c.item.as_deref() == item)
    }

    /// Keys of items refused here.
    #[must_use]
    pub fn refused_items(&self) -> BTreeSet<String> {
        let refusals = self.decisions.iter().filter(|d| d.verdict == Verdict::Refuse);
        refusals.flat_map(|d| &d.covers).filter_map(|c| c.item.clone()).collect()
    }

    /// Whether nothing more is to be done for a slot.
    #[must_use]
    pub fn settled(&self, slot: &Slot) -> bool {
        let item = slot.item.as_deref();
        self.refused(item) || slot.who.satisfied(&|part| self.acted(item, part))
    }

    /// Slots still to be filled.
    pub fn unsettled(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|s| !self.settled(s))
    }

    /// Parts that still have to act somewhere.
    #[must_use]
    pub fn waiting_parts(&self) -> BTreeSet<usize> {
        let mut parts = BTreeSet::new();
        for slot in self.unsettled() {
            parts.extend(slot.who.parts().into_iter().filter(|p| !self.acted(slot.item.as_deref(), *p)));
        }
        parts
    }

    /// Parts that still wait for something this person has not done.
    #[must_use]
    pub fn waiting_for(&self, person: &str) -> BTreeSet<usize> {
        let mut parts = BTreeSet::new();
        for slot in self.unsettled() {
            let item = slot.item.as_deref();
            let open = |p: &usize| !self.acted(item, *p) && !self.acted_by(person, item, *p);
            parts.extend(slot.who.parts().into_iter().filter(open));
        }
        parts
    }

    /// What was recorded for each item, where a step is held item by item; the last word counts.
    #[must_use]
    pub fn evidence_by_item(&self) -> BTreeMap<&str, serde_json::Value> {
        let given = self.decisions.iter().filter(|d| !d.evidence.is_empty());
        let each = given.flat_map(|d| d.covers.iter().filter_map(move |c| Some((c.item.as_deref()?, d))));
        each.map(|(item, d)| (item, serde_json::json!(d.evidence))).collect()
    }

    /// Whether everything was refused.
    #[must_use]
    pub fn all_refused(&self) -> bool {
        !self.slots.is_empty() && self.slots.iter().all(|s| self.refused(s.item.as_deref()))
    }
}
