//! What a page may offer a person.

use serde::{Deserialize, Serialize};

use super::Ctx;
use super::applicant::applicants;
use super::related::leave_to_comment;
use super::run::Run;
use super::step::any_part;
use super::who::Asking;
use crate::case::{CaseState, Direction, Status, StepStatus, is_final_decision, is_judging, step_actions};
use crate::refusal::{Code, Refusal};

/// One thing the person may do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Action (`permit`, `send_back`, `withdraw`, `move_out` …).
    pub action: String,
    /// Step, for acts on a step; empty otherwise. For a review, the number of the act.
    pub step: String,
    /// The person would decide the own case, because nobody else is there: a reason is demanded.
    pub needs_reason: bool,
    /// 代決 of an important, exceptional or disputed case: a reason is demanded.
    pub urgent: bool,
}

/// What the person in `ctx` may do now. Every offer has been asked of Cedar; the act asks again.
#[must_use]
pub fn offers(state: &CaseState, ctx: &Ctx<'_>) -> Vec<Offer> {
    let Ok(run) = Run::on(state, ctx) else { return vec![] };
    let mut found = Vec::new();
    step_offers(&run, &mut found);
    applicant_offers(&run, &mut found);
    permit_offers(&run, &mut found);
    let content = state.content_hash(None);
    let asking = Asking {
        action: "post_review",
        shown: &content,
        content: &content,
        reason: true,
        open: true,
        judging: true,
    };
    let remark =
        Asking { action: "comment", reason: false, judging: false, open: !state.status.ended(), ..asking };
    if leave_to_comment(&run, remark).is_ok() {
        offer(&mut found, "comment", "", false);
    }
    for r in state.reviews.iter().filter(|r| r.done.is_none()) {
        if run.leave_to_review(&r.by, &r.author, asking).is_ok() {
            offer(&mut found, "post_review", &r.of.to_string(), false);
        }
    }
    found
}

fn offer(found: &mut Vec<Offer>, action: &str, step: &str, needs_reason: bool) {
    add(found, Offer { action: action.to_owned(), step: step.to_owned(), needs_reason, urgent: false });
}

fn add(found: &mut Vec<Offer>, new: Offer) {
    if !found.contains(&new) {
        found.push(new);
    }
}

fn step_offers(run: &Run<'_>, found: &mut Vec<Offer>) {
    for step in run.state.steps.iter().filter(|s| s.status == StepStatus::Open) {
        let content = run.state.content_hash(Some(&step.id));
        let own = step_actions(step.kind).first().copied().unwrap_or_default();
        let wanted = ["refuse", "send_back"];
        let actions = step_actions(step.kind).iter().copied().filter(|a| *a == own || wanted.contains(a));
        for action in actions {
            for part in step.waiting_for(run.ctx.person).into_iter().filter_map(|i| step.parts.get(i)) {
                let asking = Asking {
                    action,
                    shown: &content,
                    content: &content,
                    reason: true,
                    open: true,
                    judging: is_judging(step.kind),
                };
                if let Ok(leave) = run.leave(step, part, asking)
                    // Deciding the own case is offered for the decision alone.
                    && (!leave.overridden || action == own)
                {
                    let (action, step) = (action.to_owned(), step.id.clone());
                    // A refusal in absence needs no more reason than any refusal does.
                    let urgent = leave.urgent && action == own;
                    add(found, Offer { action, step, needs_reason: leave.overridden, urgent });
                }
            }
        }
        if !step.seen_by.contains(run.ctx.person) && any_part(run, step, "see", &content, &content).is_ok() {
            offer(found, "see", &step.id, false);
        }
    }
}

fn applicant_offers(run: &Run<'_>, found: &mut Vec<Offer>) {
    let state = &run.state;
    let content = state.content_hash(None);
    let may = |action: &str, open: bool| {
        run.leave_as_applicant(applicants(action, &content, &content, open)).is_ok()
    };
    let untouched = state.steps.iter().all(|s| s.seen_by.is_empty() && s.decisions.is_empty());
    if may("withdraw", state.status == Status::SentBack || (state.status == Status::Open && untouched)) {
        offer(found, "withdraw", "", false);
    }
    if may("resubmit", state.status == Status::SentBack) {
        offer(found, "resubmit", "", false);
    }
    if may("ask_extension", state.status == Status::InForce) {
        offer(found, "ask_extension", "", false);
    }
}

fn permit_offers(run: &Run<'_>, found: &mut Vec<Offer>) {
    let state = &run.state;
    let Some(permit) = state.permit.as_ref().filter(|_| !state.status.ended()) else { return };
    let content = state.content_hash(None);
    let deciding = state.deciding_step().filter(|s| is_final_decision(s.kind));
    let decider = |action: &str, judging: bool| -> Result<(), Refusal> {
        let refused = || Refusal::new(Code::NotAuthorized, String::new());
        let step = deciding.ok_or_else(refused)?;
        let asking =
            Asking { action, shown: &content, content: &content, reason: false, open: true, judging };
        step.parts.iter().any(|p| run.leave(step, p, asking).is_ok()).then_some(()).ok_or_else(refused)
    };
    let in_force = state.status == Status::InForce;
    for (action, when) in
        [("revoke", in_force), ("extend", in_force), ("decline_extension", permit.extension.is_some())]
    {
        if when && decider(action, true).is_ok() {
            offer(found, action, "", false);
        }
    }
    let unused = permit.movements.is_empty() || !permit.valid(run.ctx.today());
    if permit.outside().is_empty() && unused && decider("close", true).is_ok() {
        offer(found, "close", "", false);
    }
    let mover = run.leave_as_applicant(applicants("move", &content, &content, true)).is_ok()
        || decider("move", false).is_ok();
    for (direction, action) in [(Direction::Out, "move_out"), (Direction::In, "move_in")] {
        if mover && super::permit::can_move(run, direction) {
            offer(found, action, "", false);
        }
    }
}
