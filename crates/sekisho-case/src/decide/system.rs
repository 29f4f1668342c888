//! What follows without anybody's command: time passes, the organization changes, an item is reclassified.

use super::Ctx;
use super::applicant::reached;
use super::form::handling_of;
use super::route::{advance, end_rounds, pin};
use super::run::Run;
use crate::authority::Seat;
use crate::case::{Act, CaseState, Review, ReviewCause, Snapshot, Status, StepStatus, What};
use crate::org::in_force;
use crate::refusal::Refusal;

/// Records what the passing of time has changed: deadlines that have passed (the next role is told and may act; nothing
/// is ever approved by lapse of time) and the permit's expiry. The person in `ctx` is not looked at.
///
/// # Errors
/// The case runs under another pack version.
pub fn tick(state: &CaseState, ctx: &Ctx<'_>) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    let late: Vec<(String, crate::case::Due)> = state
        .overdue(ctx.now)
        .into_iter()
        .filter(|s| s.escalated == 0)
        .filter_map(|s| Some((s.id.clone(), s.due?)))
        .collect();
    for (step, due) in late {
        run.emit_system(What::Overdue { step, due })?;
    }
    let over = state.permit.as_ref().is_some_and(|p| !p.expiry_noted && ctx.today() > p.until);
    if over && state.status == Status::InForce {
        run.emit_system(What::Expired)?;
        end_rounds(&mut run)?;
    }
    Ok(run.acts)
}

/// Resolves an open step anew where a pinned post was abolished or moved, or where it had no seat and now has one.
/// Without such a change nothing happens: a new holder of the same post needs no new resolution.
///
/// # Errors
/// The case runs under another pack version.
pub fn refresh(state: &CaseState, ctx: &Ctx<'_>) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    for step in state.steps.iter().filter(|s| s.status == StepStatus::Open) {
        let fresh = pin(&run, run.spec(&step.id)?)?;
        let same_turns = fresh.parts.iter().map(|p| p.turn).eq(step.parts.iter().map(|p| p.turn));
        let stale = step.parts.iter().any(|p| {
            p.levels.iter().any(|l| l.seats.is_empty() || l.seats.iter().any(|s| gone(s, &l.unit, ctx)))
        });
        // Decisions are recorded by part; when parts no longer line up the step starts anew, and nothing is lost silently.
        let same_shape = fresh.parts.len() == step.parts.len() && fresh.slots == step.slots;
        if (stale || !same_turns) && fresh.parts != step.parts && (same_shape || step.decisions.is_empty()) {
            run.emit_system(What::Repinned {
                step: step.id.clone(),
                parts: fresh.parts,
                slots: fresh.slots,
            })?;
        }
    }
    Ok(run.acts)
}

/// Whether a pinned seat no longer stands where it was pinned.
fn gone(seat: &Seat, unit: &str, ctx: &Ctx<'_>) -> bool {
    let Some(post) = seat.post() else { return false };
    let day = ctx.today();
    let Some(post) = ctx.org.post(post) else { return true };
    let in_unit = |code: &str| ctx.org.unit(code).is_some_and(|u| in_force(u.from, u.until, day));
    let moved = matches!(seat, Seat::Post(_))
        && !unit.is_empty()
        && ctx.org.ancestors(&post.unit).all(|u| u.code != unit);
    !in_unit(&post.unit) || moved
}

/// Takes note that an item's class or owner changed in its register. Before a permit the content follows and decisions
/// on the old one no longer count; after a permit a review is opened.
///
/// # Errors
/// The case runs under another pack version.
pub fn reclassified(
    state: &CaseState,
    ctx: &Ctx<'_>,
    item: &str,
    now: Snapshot,
) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    let Some(old) = state.content.items.iter().find(|i| i.key() == item) else { return Ok(vec![]) };
    if old.snapshot == now || state.status.ended() {
        return Ok(vec![]);
    }
    let permitted = state.permit.as_ref().is_some_and(|p| p.items.iter().any(|i| i == item));
    if state.permit.is_some() {
        let noted = state.reviews.iter().any(|r| r.cause == ReviewCause::Reclassified && r.done.is_none());
        let class_changed = old.snapshot.class != now.class || old.snapshot.owner != now.owner;
        if !permitted || !class_changed {
            return Ok(vec![]);
        }
        run.emit_system(What::Reclassified { item: item.to_owned(), now, handling: None, voided: vec![] })?;
        if noted {
            return Ok(run.acts);
        }
        let part = run.state.deciding_step().and_then(|s| s.parts.first());
        if let Some(by) = part.and_then(|p| p.levels.get(p.turn)).cloned() {
            let (of, opened_at, author) = (run.state.acts, ctx.now, String::new());
            let review = Review { of, cause: ReviewCause::Reclassified, by, author, opened_at, done: None };
            run.emit_system(What::ReviewOpened { review })?;
        }
        return Ok(run.acts);
    }
    let mut items = state.content.items.clone();
    for i in items.iter_mut().filter(|i| i.key() == item) {
        i.snapshot.clone_from(&now);
    }
    let handling = handling_of(run.procedure, ctx, &items);
    let voided = reached(&run);
    run.emit_system(What::Reclassified { item: item.to_owned(), now, handling, voided })?;
    advance(&mut run)?;
    Ok(run.acts)
}
