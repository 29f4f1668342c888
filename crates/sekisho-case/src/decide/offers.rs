//! What a page may offer a person.

use std::collections::BTreeSet;

use sekisho_pack::model::StepKind;
use serde::{Deserialize, Serialize};

use super::Ctx;
use super::applicant::applicants;
use super::related::leave_to_comment;
use super::route::missing;
use super::run::Run;
use super::step::any_part;
use super::who::Asking;
use crate::case::{
    CaseState, Direction, Slot, Status, StepRun, StepStatus, is_final_decision, is_judging, step_actions,
};
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
    /// Keys of the items that the act could name, where it may name some and leave others; in the order of the case.
    pub items: Vec<String>,
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

/// The offer of a step's own act (`permit`, `confirm`, `do` …), where the step is open and the person in `ctx` may: the
/// same as in [`offers`], without asking for anything else.
#[must_use]
pub fn own_offer(state: &CaseState, ctx: &Ctx<'_>, step: &str) -> Option<Offer> {
    let run = Run::on(state, ctx).ok()?;
    let step = run.state.step(step).filter(|s| s.status == StepStatus::Open)?;
    let mut found = Vec::new();
    action_offers(&run, step, own_action(step.kind), &run.state.content_hash(Some(&step.id)), &mut found);
    found.into_iter().next()
}

fn offer(found: &mut Vec<Offer>, action: &str, step: &str, needs_reason: bool) {
    let (action, step) = (action.to_owned(), step.to_owned());
    add(found, Offer { action, step, needs_reason, urgent: false, items: vec![] });
}

fn add(found: &mut Vec<Offer>, new: Offer) {
    if !found.contains(&new) {
        found.push(new);
    }
}

fn step_offers(run: &Run<'_>, found: &mut Vec<Offer>) {
    for step in run.state.steps.iter().filter(|s| s.status == StepStatus::Open) {
        let content = run.state.content_hash(Some(&step.id));
        let own = own_action(step.kind);
        let wanted = ["refuse", "send_back"];
        for action in step_actions(step.kind).iter().copied().filter(|a| *a == own || wanted.contains(a)) {
            action_offers(run, step, action, &content, found);
        }
        if !step.seen_by.contains(run.ctx.person) && any_part(run, step, "see", &content, &content).is_ok() {
            offer(found, "see", &step.id, false);
        }
    }
}

fn own_action(kind: StepKind) -> &'static str {
    step_actions(kind).first().copied().unwrap_or_default()
}

/// One action of an open step.
fn action_offers(run: &Run<'_>, step: &StepRun, action: &str, content: &str, found: &mut Vec<Offer>) {
    let own = own_action(step.kind);
    let mut held = BTreeSet::new();
    for index in step.waiting_for(run.ctx.person) {
        let Some(part) = step.parts.get(index) else { continue };
        let asking = Asking {
            action,
            shown: content,
            content,
            reason: true,
            open: true,
            judging: is_judging(step.kind),
        };
        if let Ok(leave) = run.leave(step, part, asking)
            // Deciding the own case is offered for the decision alone.
            && (!leave.overridden || action == own)
        {
            held.insert(index);
            let (action, step) = (action.to_owned(), step.id.clone());
            // A refusal in absence needs no more reason than any refusal does.
            let urgent = leave.urgent && action == own;
            let needs_reason = leave.overridden;
            add(found, Offer { action, step, needs_reason, urgent, items: vec![] });
        }
    }
    if action != "send_back" {
        let items = items_open_to(step, &held, run.ctx.person);
        for o in found.iter_mut().filter(|o| o.step == step.id && o.action == action) {
            o.items.clone_from(&items);
        }
    }
}

/// Items of a step on which a person may still act in one of some parts.
fn items_open_to(step: &StepRun, parts: &BTreeSet<usize>, person: &str) -> Vec<String> {
    let open = |slot: &&Slot| {
        let item = slot.item.as_deref();
        missing(step, slot).into_iter().any(|p| parts.contains(&p) && !step.acted_by(person, item, p))
    };
    step.unsettled().filter(open).filter_map(|slot| slot.item.clone()).collect()
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
        let items = if mover { super::permit::all_movable(run, direction) } else { vec![] };
        if !items.is_empty() {
            let (action, step) = (action.to_owned(), String::new());
            add(found, Offer { action, step, needs_reason: false, urgent: false, items });
        }
    }
}
