//! A case (案件): one run of a procedure, as a fold over recorded acts.

mod act;
mod content;
mod fold;
mod permit;
mod step;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use serde::{Deserialize, Serialize};

pub use act::{Act, Cover, Resume, SYSTEM, StepHead, Verdict, What};
pub use content::{Attachment, Content, Item, Snapshot};
pub use fold::{FoldError, fold};
pub use permit::{Direction, Extension, Movement, Permit, Revocation};
pub use step::{
    Decision, Due, Round, Slot, StepRun, StepStatus, is_final_decision, is_judging, step_actions,
};
pub use tasks::{OpenTask, TaskKind, next_change_on, open_tasks};

use crate::authority::Level;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On its route, before the decision.
    Open,
    /// Sent back to the applicant (差戻し).
    SentBack,
    /// Withdrawn by the applicant (引戻し).
    Withdrawn,
    /// Refused.
    Refused,
    /// Permitted; later steps are open.
    InForce,
    /// The permit was revoked; what is outside must still come back.
    Revoked,
    /// Ended.
    Closed,
}

impl Status {
    /// Stable code, as stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SentBack => "sent_back",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
            Self::InForce => "in_force",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Open => "審査中",
            Self::SentBack => "差戻し",
            Self::Withdrawn => "引戻し",
            Self::Refused => "不許可",
            Self::InForce => "許可（継続中）",
            Self::Revoked => "許可取消し",
            Self::Closed => "完了",
        }
    }

    /// Whether nothing more can be done to it.
    #[must_use]
    pub fn ended(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Refused | Self::Closed)
    }
}

/// The pack version a case is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackRef {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Hash: the key under which the version is stored.
    pub hash: String,
}

impl PackRef {
    /// A pack's version.
    #[must_use]
    pub fn of(pack: &sekisho_pack::model::Pack) -> Self {
        let meta = &pack.meta;
        Self { name: meta.name.clone(), version: meta.version.clone(), hash: pack.hash.clone() }
    }
}

/// Who applied, from which appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicant {
    /// Person number.
    pub person: String,
    /// Post applied from.
    pub post: String,
    /// Unit of that post.
    pub unit: String,
}

/// Something that must be read, or decided again, after the fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Act it concerns; for a reclassification the act that noted it.
    pub of: u32,
    /// Why.
    pub cause: ReviewCause,
    /// Who does it.
    pub by: Level,
    /// Person whose act is reviewed, who never reviews it.
    pub author: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// Act by which it was done.
    pub done: Option<u32>,
}

/// Why something is reviewed after the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewCause {
    /// Somebody decided the own case because nobody else was there.
    Override,
    /// Decided in absence of the holder (後閲).
    Acting,
    /// A step was passed over in absence (後閲).
    PassedOver,
    /// An item was reclassified after the permit.
    Reclassified,
}

/// The folded state of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseState {
    /// Id.
    pub id: String,
    /// Procedure id.
    pub procedure: String,
    /// Pack version it runs under.
    pub pack: PackRef,
    /// Number (`持出-R8-0001`).
    pub number: String,
    /// What people see in a list.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// Who applied.
    pub applicant: Applicant,
    /// What was applied for: the content that decisions bind to.
    pub content: Content,
    /// Steps in the order of the procedure.
    pub steps: Vec<StepRun>,
    /// After 差戻し: whether the route resumes in order or jumps back.
    pub resume: Option<SentBack>,
    /// The permit.
    pub permit: Option<Permit>,
    /// Post-reviews and reviews.
    pub reviews: Vec<Review>,
    /// When it was applied for.
    pub opened_at: Instant,
    /// When it ended.
    pub closed_at: Option<Instant>,
    /// Acts so far; the next act has this number plus one.
    pub acts: u32,
    /// Persons who took part.
    pub parties: BTreeSet<String>,
    /// What opened it, when nobody applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The case whose step opened this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Cases that steps of this one opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Child>,
    /// Remarks, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
}

/// What opened a case without an applicant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// `check:<id>`, `duty:<id>` or `import`.
    pub by: String,
    /// Key of the row, occurrence or file.
    pub row: String,
    /// What it says, in Japanese.
    pub says: String,
}

/// The case, and its step, that opened another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Case id.
    pub case: String,
    /// Number.
    pub number: String,
    /// Step.
    pub step: String,
}

/// A case that a step opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Step that opened it.
    pub step: String,
    /// Case id.
    pub case: String,
    /// Number.
    pub number: String,
    /// Where it stands, as last told.
    pub status: Status,
}

/// A remark on a case: it decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Act.
    pub seq: u32,
    /// Who.
    pub person: String,
    /// When.
    pub at: Instant,
    /// What.
    pub says: String,
}

/// A case in the applicant's hands again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBack {
    /// Step that sent it back.
    pub step: String,
    /// How it resumes.
    pub resume: Resume,
    /// Why.
    pub reason: String,
}

impl CaseState {
    /// A step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepRun> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// The open step, if one is.
    #[must_use]
    pub fn open_step(&self) -> Option<&StepRun> {
        self.steps.iter().find(|s| s.status == StepStatus::Open)
    }

    /// The last deciding step that was decided: whoever holds it answers for the permit.
    #[must_use]
    pub fn deciding_step(&self) -> Option<&StepRun> {
        self.steps.iter().rev().find(|s| is_final_decision(s.kind) && s.status == StepStatus::Done)
    }

    /// Items still in the case: those no step refused.
    #[must_use]
    pub fn items(&self) -> Vec<&Item> {
        let refused = self.refused_items();
        self.content.items.iter().filter(|i| !refused.contains(&i.key())).collect()
    }

    /// Keys of the items that some step refused.
    #[must_use]
    pub fn refused_items(&self) -> BTreeSet<String> {
        self.steps.iter().flat_map(StepRun::refused_items).collect()
    }

    /// Evidence of steps done, by step.
    #[must_use]
    pub fn evidence(&self) -> BTreeMap<&str, &BTreeMap<String, serde_json::Value>> {
        self.steps.iter().filter(|s| !s.evidence.is_empty()).map(|s| (s.id.as_str(), &s.evidence)).collect()
    }

    /// Open steps past their deadline at a moment.
    #[must_use]
    pub fn overdue(&self, now: Instant) -> Vec<&StepRun> {
        self.steps
            .iter()
            .filter(|s| s.status == StepStatus::Open && s.due.is_some_and(|d| d.passed(now)))
            .collect()
    }

    /// Whether the permit is valid on a day.
    #[must_use]
    pub fn permit_valid(&self, day: Date) -> bool {
        self.permit.as_ref().is_some_and(|p| p.valid(day))
    }

    /// Persons whose performance a step judges: those who did `perform` steps before it.
    #[must_use]
    pub fn performers_before(&self, step: &str) -> BTreeSet<String> {
        let before = self.steps.iter().take_while(|s| s.id != step);
        let performed = before.filter(|s| s.kind == sekisho_pack::model::StepKind::Perform);
        let now = |s: &StepRun| s.decisions.iter().map(|d| d.person.clone()).collect::<Vec<_>>();
        let before = |s: &StepRun| {
            s.rounds.iter().flat_map(|r| &r.decisions).map(|d| d.person.clone()).collect::<Vec<_>>()
        };
        performed.flat_map(|s| [now(s), before(s)]).flatten().collect()
    }

    /// Overrides not yet post-reviewed: the rows of `check:self_approval`.
    #[must_use]
    pub fn unreviewed_overrides(&self) -> Vec<&Review> {
        self.reviews.iter().filter(|r| r.cause == ReviewCause::Override && r.done.is_none()).collect()
    }
}
