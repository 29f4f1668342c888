//! Commands to acts. Nothing here changes anything: given a state, the organization, the pack, the time and a command, it
//! answers with the acts to record, or with a refusal.

mod applicant;
mod explain;
mod form;
mod number;
mod offers;
mod permit;
mod related;
mod review;
mod route;
mod run;
mod step;
mod system;
mod who;

use std::collections::BTreeMap;

use sekisho_base::{Date, Instant};
use sekisho_pack::model::Pack;
use serde::{Deserialize, Serialize};

pub use applicant::apply;
pub use explain::explain;
pub use form::check_form;
pub use number::case_number;
pub use offers::{Offer, offers, own_offer};
pub use related::{Opening, child_moved, may_open, open_without_applicant, opened};
pub use system::{reclassified, refresh, tick};
pub use who::told;

use crate::authority::Rules;
use crate::case::{Act, Attachment, CaseState, Direction, Item, Parent, Resume};
use crate::org::Org;
use crate::refusal::{Code, Refusal};
use run::Run;

/// What a decision is made with.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// The organization.
    pub org: &'a Org,
    /// The pack version that the case is pinned to.
    pub pack: &'a Pack,
    /// The rules of that pack.
    pub rules: &'a Rules,
    /// The moment.
    pub now: Instant,
    /// Person number from the session. Nothing that a client sends names who acts.
    pub person: &'a str,
}

impl Ctx<'_> {
    /// The day in Asia/Tokyo.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now.date()
    }
}

/// What an applicant fills in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// Values by field id.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// Items, as the registers have them now.
    pub items: Vec<Item>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Id of the new case.
    pub case: String,
    /// Number of the new case, see [`case_number`].
    pub number: String,
    /// Post applied from: one of the person's appointments of the day.
    pub post: String,
    /// What was filled in.
    pub draft: Draft,
    /// The case whose step opens this one; the caller links both, see [`opened`].
    pub parent: Option<Parent>,
}

/// What a person asks to do with a case. `shown` is the hash of the content that the page showed:
/// [`CaseState::content_hash`] of the step for acts on a step, of the whole case otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// A holder opened the page: from now on the applicant cannot take it back.
    See {
        /// Step.
        step: String,
    },
    /// The step's own act: permit, confirm, perform, answer …
    Act {
        /// Step.
        step: String,
        /// Hash shown.
        shown: String,
        /// Item keys; none: all that the person may decide.
        items: Vec<String>,
        /// Opinion, remark.
        says: String,
        /// Conditions of a permit.
        conditions: Vec<String>,
        /// Evidence by field id.
        evidence: BTreeMap<String, serde_json::Value>,
        /// Why the person decides the own case, when nobody else is there.
        override_reason: Option<String>,
    },
    /// 不許可.
    Refuse {
        /// Step.
        step: String,
        /// Hash shown.
        shown: String,
        /// Item keys; none: all that the person may decide.
        items: Vec<String>,
        /// Why.
        says: String,
    },
    /// 差戻し.
    SendBack {
        /// Step that sends back.
        step: String,
        /// Hash shown.
        shown: String,
        /// Earlier step; none: the applicant.
        to: Option<String>,
        /// How it goes on afterwards.
        resume: Resume,
        /// Why.
        says: String,
    },
    /// Apply again after 差戻し.
    Resubmit {
        /// Hash shown.
        shown: String,
        /// The draft, changed or not.
        draft: Draft,
    },
    /// 引戻し.
    Withdraw {
        /// Hash shown.
        shown: String,
        /// Why.
        says: String,
    },
    /// Record that things go out or come in.
    Move {
        /// Hash shown.
        shown: String,
        /// Item keys; none: all that the permit covers and that can move so.
        items: Vec<String>,
        /// Out or in.
        direction: Direction,
        /// Remark.
        note: String,
    },
    /// Ask for more time.
    AskExtension {
        /// Hash shown.
        shown: String,
        /// Until when.
        until: Date,
        /// Why.
        says: String,
    },
    /// Give more time.
    Extend {
        /// Hash shown.
        shown: String,
        /// Until when.
        until: Date,
        /// Why.
        says: String,
    },
    /// Give no more time.
    DeclineExtension {
        /// Hash shown.
        shown: String,
        /// Why.
        says: String,
    },
    /// 取消し.
    Revoke {
        /// Hash shown.
        shown: String,
        /// Why.
        says: String,
    },
    /// End a case whose permit is over or was never used.
    Close {
        /// Hash shown.
        shown: String,
        /// Why.
        says: String,
    },
    /// A remark.
    Comment {
        /// Hash shown.
        shown: String,
        /// What.
        says: String,
    },
    /// Post-review (後閲) of an act, or the review of a reclassified permit that may stand.
    Review {
        /// Act that is reviewed.
        of: u32,
        /// Hash shown.
        shown: String,
        /// Remark.
        says: String,
    },
}

/// Decides a command.
///
/// # Errors
/// The refusal, with a stable code and a sentence that names who may act.
pub fn decide(state: &CaseState, ctx: &Ctx<'_>, command: Command) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    match command {
        Command::See { step } => step::see(&mut run, &step)?,
        Command::Act { step, shown, items, says, conditions, evidence, override_reason } => {
            let given = step::Given { shown, items, says, conditions, evidence, reason: override_reason };
            step::act(&mut run, &step, given)?;
        }
        Command::Refuse { step, shown, items, says } => step::refuse(&mut run, &step, &shown, &items, &says)?,
        Command::SendBack { step, shown, to, resume, says } => {
            step::send_back(&mut run, &step, &shown, to, resume, &says)?
        }
        Command::Resubmit { shown, draft } => applicant::resubmit(&mut run, &shown, draft)?,
        Command::Withdraw { shown, says } => applicant::withdraw(&mut run, &shown, says)?,
        Command::Move { shown, items, direction, note } => {
            permit::moved(&mut run, &shown, &items, direction, &note)?
        }
        Command::AskExtension { shown, until, says } => {
            permit::ask_extension(&mut run, &shown, until, &says)?
        }
        Command::Extend { shown, until, says } => permit::extend(&mut run, &shown, until, &says)?,
        Command::DeclineExtension { shown, says } => permit::decline_extension(&mut run, &shown, &says)?,
        Command::Revoke { shown, says } => permit::revoke(&mut run, &shown, &says)?,
        Command::Close { shown, says } => permit::close(&mut run, &shown, &says)?,
        Command::Comment { shown, says } => related::comment(&mut run, &shown, says)?,
        Command::Review { of, shown, says } => review::review(&mut run, of, &shown, says)?,
    }
    Ok(run.acts)
}

/// A text that must be given.
fn need_text(says: &str, what: &str) -> Result<(), Refusal> {
    if says.trim().is_empty() {
        return Err(Refusal::new(Code::ReasonRequired, format!("{what}を記入してください。")));
    }
    if says.chars().count() > sekisho_base::limits::TEXT_CHARS {
        let limit = sekisho_base::limits::TEXT_CHARS;
        return Err(Refusal::new(Code::InvalidForm, format!("{what}は{limit}文字以内で記入してください。")));
    }
    Ok(())
}
