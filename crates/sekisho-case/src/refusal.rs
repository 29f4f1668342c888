//! Why something was not done: a stable code, and a sentence that says what to do.

use serde::{Deserialize, Serialize};

/// Stable codes of refusals. They outlive the wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The applicant would decide the own case.
    SelfDecision,
    /// Whoever performed would confirm the own performance.
    OwnPerformance,
    /// Another eligible person exists, so there is no ground for an override.
    OverrideNotNeeded,
    /// An override, or an act that needs one, came without a reason.
    ReasonRequired,
    /// The content shown is not the present one.
    StaleContent,
    /// The step is not open, or the case has ended.
    NotOpen,
    /// The person holds no post on that day.
    NotInOffice,
    /// Somebody acts for a deputy.
    DeputyOfDeputy,
    /// The auditor belongs to the section that is audited.
    OwnAudit,
    /// The delegation is not in force on that day.
    LapsedDelegation,
    /// The delegation is another person's or for another seat.
    OtherDelegation,
    /// The holder is present, so nobody acts in the holder's stead.
    HolderPresent,
    /// Only a final decision can be taken in the holder's stead.
    NotFinalDecision,
    /// The higher role's turn has not come.
    NotEscalated,
    /// The person holds none of the posts that may act.
    NotAuthorized,
    /// The form is not filled in as it must be.
    InvalidForm,
    /// The handling rules prohibit it.
    Prohibited,
    /// No step of the route decides.
    NoDecision,
    /// The next actor has opened it already.
    AlreadySeen,
    /// Not possible in the present state of the case.
    WrongState,
    /// The permit does not cover it.
    NotCovered,
    /// The period is longer than allowed.
    PeriodTooLong,
    /// Something is still outside.
    StillOut,
    /// The case runs under another version of the pack, or names what the pack does not have.
    WrongPack,
    /// There is nothing to change.
    NothingToDo,
}

impl Code {
    /// The code as stored and shown in answers of the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SelfDecision => "self_decision",
            Self::OwnPerformance => "own_performance",
            Self::OverrideNotNeeded => "override_not_needed",
            Self::ReasonRequired => "reason_required",
            Self::StaleContent => "stale_content",
            Self::NotOpen => "not_open",
            Self::NotInOffice => "not_in_office",
            Self::DeputyOfDeputy => "deputy_of_deputy",
            Self::OwnAudit => "own_audit",
            Self::LapsedDelegation => "lapsed_delegation",
            Self::OtherDelegation => "other_delegation",
            Self::HolderPresent => "holder_present",
            Self::NotFinalDecision => "not_final_decision",
            Self::NotEscalated => "not_escalated",
            Self::NotAuthorized => "not_authorized",
            Self::InvalidForm => "invalid_form",
            Self::Prohibited => "prohibited",
            Self::NoDecision => "no_decision",
            Self::AlreadySeen => "already_seen",
            Self::WrongState => "wrong_state",
            Self::NotCovered => "not_covered",
            Self::PeriodTooLong => "period_too_long",
            Self::StillOut => "still_out",
            Self::WrongPack => "wrong_pack",
            Self::NothingToDo => "nothing_to_do",
        }
    }
}

/// A refusal. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Stable code.
    pub code: Code,
    /// What was wrong and what to do, in Japanese.
    pub message: String,
    /// Faults of single fields, by field id, in form order.
    pub fields: Vec<FieldFault>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Field id.
    pub field: String,
    /// What to do, in Japanese.
    pub message: String,
}

impl Refusal {
    /// A refusal without field faults.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new() }
    }

    /// A refusal for a form's faults.
    #[must_use]
    pub fn form(fields: Vec<FieldFault>) -> Self {
        let message =
            format!("入力に誤りが{}件あります。各項目の説明を確かめて直してください。", fields.len());
        Self { code: Code::InvalidForm, message, fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_in_json() {
        for code in [Code::SelfDecision, Code::NotInOffice, Code::DeputyOfDeputy, Code::NothingToDo] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        }
    }
}
