//! Acts: what is recorded. A case is nothing but the fold of its acts; each act becomes one ledger entry.

use std::collections::BTreeMap;

use sekisho_base::{Date, Instant};
use sekisho_pack::model::StepKind;
use serde::{Deserialize, Serialize};

use super::{
    Applicant, Cause, Child, Content, Due, Movement, PackRef, Parent, Permit, Review, Slot, Snapshot, Status,
};
use crate::authority::{Held, Part};

/// Who acts when the passing of time, or a change elsewhere, is recorded.
pub const SYSTEM: &str = "system";

/// One act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Number in the case, dense from 1.
    pub seq: u32,
    /// When.
    pub at: Instant,
    /// Person number, or [`SYSTEM`].
    pub person: String,
    /// Post from which the person acts; empty for the applicant as a person and for the system.
    pub post: String,
    /// Capacities and the authority behind each; one act may be done in several.
    pub held: Vec<Held>,
    /// Hash of the content that was shown.
    pub content: String,
    /// Hash of the pack version.
    pub pack: String,
    /// Reason of an override; none when there was no override.
    pub overridden: Option<String>,
    /// Why 代決 could not wait, where the pack bars it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgent: Option<String>,
    /// What was done.
    pub what: What,
}

/// What a decision says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Permitted, resolved, confirmed, reviewed, answered, performed, reported, instructed, read: the step's own act.
    Done,
    /// Refused.
    Refuse,
    /// Passed over in absence, to be read afterwards.
    PassedOver,
}

/// What an act on a step covers: a part, for an item or for the whole step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cover {
    /// Item key.
    pub item: Option<String>,
    /// Part of the step.
    pub part: usize,
}

/// How a case goes on after 差戻し.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// Through every step again.
    InOrder,
    /// Straight to the step that sent it back; what was decided on unchanged content still counts.
    JumpBack,
}

/// A step as the procedure lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHead {
    /// Step id.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// Kind.
    pub kind: StepKind,
}

impl StepHead {
    /// A step of a procedure.
    #[must_use]
    pub fn of(step: &sekisho_pack::model::Step) -> Self {
        Self { id: step.id.clone(), title: step.title.clone(), kind: step.kind }
    }
}

/// The kinds of act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "acts are few and short-lived; a box would help nobody")]
pub enum What {
    /// 申請.
    Applied {
        /// Case id.
        case: String,
        /// Procedure id.
        procedure: String,
        /// Number.
        number: String,
        /// Title in lists.
        title: String,
        /// Pack version.
        pack: PackRef,
        /// Who, from which appointment.
        applicant: Applicant,
        /// Content.
        content: Content,
        /// Steps of the procedure.
        route: Vec<StepHead>,
        /// What opened it, when nobody applied; the applicant is then [`SYSTEM`] with the unit concerned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// The case whose step opened it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Parent>,
    },
    /// A step opened, with its seats pinned.
    StepOpened {
        /// Step.
        step: String,
        /// Deadline.
        due: Option<Due>,
        /// Parts.
        parts: Vec<Part>,
        /// What is to be filled.
        slots: Vec<Slot>,
    },
    /// A step does not apply to this case.
    StepNotApplicable {
        /// Step.
        step: String,
    },
    /// A holder opened the case to look at it.
    Seen {
        /// Step.
        step: String,
    },
    /// The step's own act, a refusal, or a passing over.
    Decided {
        /// Step.
        step: String,
        /// What it says.
        verdict: Verdict,
        /// What it covers.
        covers: Vec<Cover>,
        /// Opinion, reason, instruction.
        says: String,
        /// Conditions of a permit.
        conditions: Vec<String>,
        /// Evidence by field id.
        evidence: BTreeMap<String, serde_json::Value>,
        /// A refusal after which the case goes on without permit.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        goes_on: bool,
    },
    /// 差戻し.
    SentBack {
        /// Step that sends back.
        step: String,
        /// Earlier step that it goes back to; none: the applicant.
        to: Option<String>,
        /// How it goes on.
        resume: Resume,
        /// Why.
        says: String,
    },
    /// Applied again after 差戻し.
    Resubmitted {
        /// Content, changed or not.
        content: Content,
        /// Title in lists.
        title: String,
        /// Steps whose decisions no longer count.
        voided: Vec<String>,
    },
    /// 引戻し.
    Withdrawn {
        /// Why.
        says: String,
    },
    /// The decision is complete.
    PermitIssued {
        /// The permit.
        permit: Permit,
    },
    /// Things went out or came in.
    Moved {
        /// Movements.
        movements: Vec<Movement>,
    },
    /// The holder asks for more time.
    ExtensionAsked {
        /// Until when.
        until: Date,
        /// Why.
        says: String,
    },
    /// More time was given.
    Extended {
        /// New last day.
        until: Date,
        /// Why.
        says: String,
    },
    /// More time was not given.
    ExtensionDeclined {
        /// Why.
        says: String,
    },
    /// 取消し.
    Revoked {
        /// Why.
        says: String,
    },
    /// An item's class or owner changed in the register.
    Reclassified {
        /// Item key.
        item: String,
        /// What it is now.
        now: Snapshot,
        /// Handling result that follows, before a permit.
        handling: Option<crate::handling::Handling>,
        /// Steps whose decisions no longer count, before a permit.
        voided: Vec<String>,
    },
    /// Something has to be reviewed.
    ReviewOpened {
        /// The review.
        review: Review,
    },
    /// A review or post-review was done.
    Reviewed {
        /// Act it concerns.
        of: u32,
        /// Remark.
        says: String,
    },
    /// A deadline passed; the next role is told and may act.
    Overdue {
        /// Step.
        step: String,
        /// The deadline.
        due: Due,
    },
    /// The permit's period ended.
    Expired,
    /// A pinned post was abolished or moved; seats were resolved anew.
    Repinned {
        /// Step.
        step: String,
        /// Parts.
        parts: Vec<Part>,
        /// What is to be filled.
        slots: Vec<Slot>,
    },
    /// A step opened another case.
    Opened {
        /// The other case.
        child: Child,
    },
    /// A case that a step opened stands elsewhere now.
    ChildMoved {
        /// Case id.
        case: String,
        /// Where it stands.
        status: Status,
    },
    /// A remark.
    Commented {
        /// What.
        says: String,
    },
    /// The case ended.
    Closed {
        /// Why; empty when every step is done.
        says: String,
    },
}

impl What {
    /// Stable code, as stored.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::StepOpened { .. } => "step_opened",
            Self::StepNotApplicable { .. } => "step_not_applicable",
            Self::Seen { .. } => "seen",
            Self::Decided { .. } => "decided",
            Self::SentBack { .. } => "sent_back",
            Self::Resubmitted { .. } => "resubmitted",
            Self::Withdrawn { .. } => "withdrawn",
            Self::PermitIssued { .. } => "permit_issued",
            Self::Moved { .. } => "moved",
            Self::ExtensionAsked { .. } => "extension_asked",
            Self::Extended { .. } => "extended",
            Self::ExtensionDeclined { .. } => "extension_declined",
            Self::Revoked { .. } => "revoked",
            Self::Reclassified { .. } => "reclassified",
            Self::ReviewOpened { .. } => "review_opened",
            Self::Reviewed { .. } => "reviewed",
            Self::Overdue { .. } => "overdue",
            Self::Expired => "expired",
            Self::Repinned { .. } => "repinned",
            Self::Opened { .. } => "opened",
            Self::ChildMoved { .. } => "child_moved",
            Self::Commented { .. } => "commented",
            Self::Closed { .. } => "closed",
        }
    }

    /// As people read it in the history.
    #[must_use]
    pub fn japanese(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "申請",
            Self::StepOpened { .. } => "手順の開始",
            Self::StepNotApplicable { .. } => "対象外の手順",
            Self::Seen { .. } => "閲覧",
            Self::Decided { verdict: Verdict::Done, .. } => "実施",
            Self::Decided { verdict: Verdict::Refuse, .. } => "不許可",
            Self::Decided { verdict: Verdict::PassedOver, .. } => "不在のため後閲",
            Self::SentBack { .. } => "差戻し",
            Self::Resubmitted { .. } => "再申請",
            Self::Withdrawn { .. } => "引戻し",
            Self::PermitIssued { .. } => "許可証の発行",
            Self::Moved { .. } => "出し入れの記録",
            Self::ExtensionAsked { .. } => "延長の願い出",
            Self::Extended { .. } => "期間の延長",
            Self::ExtensionDeclined { .. } => "延長を認めない",
            Self::Revoked { .. } => "許可の取消し",
            Self::Reclassified { .. } => "分類の変更",
            Self::ReviewOpened { .. } => "確認の依頼",
            Self::Reviewed { .. } => "確認・後閲",
            Self::Overdue { .. } => "期限の超過",
            Self::Expired => "許可期間の満了",
            Self::Repinned { .. } => "担当職の見直し",
            Self::Opened { .. } => "関連案件の申請",
            Self::ChildMoved { .. } => "関連案件の進み",
            Self::Commented { .. } => "コメント",
            Self::Closed { .. } => "完了",
        }
    }
}
