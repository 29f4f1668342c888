//! The route: which step opens next, with which seats pinned and which deadline; when the permit is issued; when the
//! case ends.

use sekisho_base::{Date, Instant};
use sekisho_pack::model::{OnAbsent, Period, Quorum, Step};

use super::run::{Run, Stamp};
use crate::authority::{Anchors, Level, Part, Route, resolve};
use crate::case::{
    Cover, Due, Item, Permit, Review, ReviewCause, Slot, Status, StepRun, StepStatus, Verdict, What,
    is_final_decision,
};
use crate::facts::{applies, case_bindings};
use crate::refusal::{Code, Refusal};

/// Seats pinned for a step.
#[derive(Debug)]
pub(super) struct Pins {
    pub parts: Vec<Part>,
    pub slots: Vec<Slot>,
}

/// Goes on until somebody has to act: skips what does not apply, issues the permit, opens the next step, ends the case.
pub(super) fn advance(run: &mut Run<'_>) -> Result<(), Refusal> {
    // Bounded: every turn settles one step or ends.
    for _ in 0..=run.state.steps.len() * 2 + 2 {
        let waiting = matches!(run.state.status, Status::Open | Status::InForce | Status::Revoked);
        if !waiting || run.state.open_step().is_some() {
            return Ok(());
        }
        let next =
            run.state.steps.iter().find(|s| s.status == StepStatus::Pending).map(|s| (s.id.clone(), s.kind));
        let decision_left =
            run.state.steps.iter().any(|s| s.status == StepStatus::Pending && is_final_decision(s.kind));
        let decided = run.state.deciding_step().is_some_and(|s| !s.all_refused());
        if !decision_left && decided && run.state.permit.is_none() && run.procedure.permit.is_some() {
            issue(run)?;
            continue;
        }
        match next {
            Some((id, _)) if !step_applies(run, &id)? || never_due(run, &id)? => {
                if is_last_hope(run, &id) {
                    return Err(no_decision());
                }
                run.emit_system(What::StepNotApplicable { step: id })?;
            }
            Some((id, _)) => open(run, &id)?,
            None => {
                if run.state.permit.as_ref().is_none_or(|p| p.outside().is_empty()) {
                    run.emit_system(What::Closed { says: String::new() })?;
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether a step applies: an error or a null in its condition means that it does.
pub(super) fn step_applies(run: &Run<'_>, step: &str) -> Result<bool, Refusal> {
    let spec = run.spec(step)?;
    let b = case_bindings(&run.state, &run.ctx.pack.classification, run.ctx.today());
    Ok(applies(spec.when.as_ref(), &b))
}

/// Whether nobody owes a step: a recurring one that would be due for the first time only after the permit has ended, or
/// the reading of a report that is not owed.
fn never_due(run: &Run<'_>, step: &str) -> Result<bool, Refusal> {
    let report = step.strip_suffix("_read").and_then(|id| run.state.step(id));
    if report.is_some_and(|s| s.status == StepStatus::NotApplicable) {
        return Ok(true);
    }
    let spec = run.spec(step)?;
    let first = due(run, spec).filter(|_| spec.every.is_some());
    Ok(run.state.permit.as_ref().zip(first).is_some_and(|(p, first)| first.date() > p.until))
}

/// When the permit has ended, a round that is open is owed no longer: what comes after begins.
pub(super) fn end_rounds(run: &mut Run<'_>) -> Result<(), Refusal> {
    let open = run.state.open_step().map(|s| s.id.clone());
    let Some(step) = open else { return Ok(()) };
    if run.spec(&step)?.every.is_none() {
        return Ok(());
    }
    run.emit_system(What::StepNotApplicable { step })?;
    advance(run)
}

/// After a step is done: its reading where it is delivered to somebody, its next round where there is another, what
/// comes after it otherwise.
pub(super) fn go_on(run: &mut Run<'_>, step: &str) -> Result<(), Refusal> {
    if run.state.step(step).is_none_or(|s| s.status != StepStatus::Done) {
        return advance(run);
    }
    let reading = format!("{step}_read");
    if run.spec(step)?.every.is_some() && run.state.step(&reading).is_some() {
        // The reading of the round before is kept, and this one is read anew.
        return open(run, &reading);
    }
    let read = step.strip_suffix("_read").filter(|s| run.spec(s).is_ok_and(|s| s.every.is_some()));
    if next_round(run, read.unwrap_or(step))? { Ok(()) } else { advance(run) }
}

/// Refuses a path on which nobody decides, whatever the pack's check said. A procedure that only reports decides nothing.
pub(super) fn require_decision(run: &Run<'_>) -> Result<(), Refusal> {
    let decides = run.procedure.steps.iter().any(|s| is_final_decision(s.kind));
    if !decides && run.procedure.permit.is_none() {
        return Ok(());
    }
    for step in run.procedure.steps.iter().filter(|s| is_final_decision(s.kind)) {
        if step_applies(run, &step.id)? {
            return Ok(());
        }
    }
    Err(no_decision())
}

fn no_decision() -> Refusal {
    Refusal::new(
        Code::NoDecision,
        "この内容では、許可や議決を行う手順が一つもありません。基準の設定を管理者に確かめてください。",
    )
}

/// Whether this is the only final decision the case could still get.
fn is_last_hope(run: &Run<'_>, step: &str) -> bool {
    let finals = || run.state.steps.iter().filter(|s| is_final_decision(s.kind));
    finals().any(|s| s.id == step) && finals().all(|s| s.id == step || s.status == StepStatus::NotApplicable)
}

/// Resolves a step's `by` to seats, item by item where the step says so.
pub(super) fn pin(run: &Run<'_>, spec: &Step) -> Result<Pins, Refusal> {
    let day = run.ctx.today();
    let successors = successors(run);
    let applicant = &run.state.applicant;
    let mut route = Route::default();
    let mut slots = Vec::new();
    let items = run.state.items();
    let each = spec.each.iter().flat_map(|field| items.iter().filter(|i| i.field == *field));
    let mut places: Vec<(Option<String>, Option<&Item>)> = each.map(|i| (Some(i.key()), Some(*i))).collect();
    if places.is_empty() {
        // A step for the case as a whole; where it anchors at an item it takes the first one.
        places.push((None, items.first().copied()));
    }
    for (key, item) in places {
        let anchors = Anchors {
            applicant: &applicant.person,
            applicant_unit: &applicant.unit,
            item_owner: item.map(|i| i.snapshot.owner.as_str()),
            item_role: item
                .and_then(|i| run.ctx.pack.registers.get(&i.register))
                .and_then(|r| r.managed_by.as_deref()),
            successors: &successors,
        };
        let who = resolve(&spec.by, &anchors, run.ctx.pack, run.ctx.org, day, &mut route);
        slots.push(Slot { item: key, who });
    }
    let mut parts = route.parts;
    let probe = StepRun::pending(&spec.id, &spec.title, spec.kind);
    for part in &mut parts {
        let standing = run.standing_of(&probe, part)?;
        // Whoever is there comes before whoever is away: where nobody stands in, the next role finds the task.
        let there =
            standing.eligible().filter(|c| !run.ctx.org.absent(&c.person, day)).map(|c| c.level).min();
        let first = there.or_else(|| standing.eligible().map(|c| c.level).min());
        part.turn = first.unwrap_or(if standing.exhausted { 0 } else { standing.reached });
        part.need = need(spec.quorum, part);
    }
    Ok(Pins { parts, slots })
}

/// How many must act: of the role's own seats. Where the case went up, the higher role decides alone.
fn need(quorum: Quorum, part: &Part) -> u32 {
    let seats = part.levels.first().map_or(0, |l| l.seats.len());
    match quorum {
        _ if part.turn > 0 => 1,
        Quorum::One => 1,
        Quorum::All => u32::try_from(seats).unwrap_or(u32::MAX).max(1),
        Quorum::AtLeast(n) => n,
    }
}

/// Opens a step again that is done again and again while the permit runs; tells whether there is another round.
fn next_round(run: &mut Run<'_>, step: &str) -> Result<bool, Refusal> {
    let spec = run.spec(step)?;
    let (Some(every), Some(done)) = (spec.every, run.state.step(step)) else { return Ok(false) };
    let permit = run.state.permit.as_ref().filter(|_| run.state.status == Status::InForce);
    let from = done.due.map_or_else(|| run.ctx.today(), Due::date);
    let next = after(run, every, from);
    if permit.is_none_or(|p| next.date() > p.until) {
        return Ok(false);
    }
    let Pins { parts, slots } = pin(run, spec)?;
    run.emit_system(What::StepOpened { step: step.to_owned(), due: Some(next), parts, slots })?;
    Ok(true)
}

/// Levels that take the applicant's place when the applicant has left office: whoever answers for the permit.
fn successors(run: &Run<'_>) -> Vec<Level> {
    let part = run.state.deciding_step().and_then(|s| s.parts.first());
    part.map(|p| p.levels.iter().skip(p.turn).cloned().collect()).unwrap_or_default()
}

fn open(run: &mut Run<'_>, step: &str) -> Result<(), Refusal> {
    let spec = run.spec(step)?;
    let Pins { parts, slots } = pin(run, spec)?;
    let due = due(run, spec);
    run.emit_system(What::StepOpened { step: step.to_owned(), due, parts, slots })?;
    if spec.on_absent == OnAbsent::PostReview && !is_final_decision(spec.kind) {
        pass_over(run, step)?;
    }
    Ok(())
}

/// An intermediate step whose holders are all away is passed over and put before them afterwards (後閲).
fn pass_over(run: &mut Run<'_>, step: &str) -> Result<(), Refusal> {
    let Some(opened) = run.state.step(step).cloned() else { return Ok(()) };
    for (index, part) in opened.parts.iter().enumerate() {
        let standing = run.standing_of(&opened, part)?;
        // Somebody who may act is away; who is barred from the own work is no such person.
        let away = standing.eligible().next().is_some() && standing.present.is_empty();
        let Some(level) = part.levels.get(part.turn).filter(|_| away) else { continue };
        let covers: Vec<Cover> = opened
            .slots
            .iter()
            .filter(|s| s.who.parts().contains(&index))
            .map(|s| Cover { item: s.item.clone(), part: index })
            .collect();
        let says = "担当者が不在のため、後で確認します。".to_owned();
        let (conditions, evidence) = (vec![], Default::default());
        let (step, verdict) = (step.to_owned(), Verdict::PassedOver);
        let goes_on = false;
        run.emit_system(What::Decided { step, verdict, covers, says, conditions, evidence, goes_on })?;
        let of = run.state.acts;
        let (by, author, opened_at) = (level.clone(), String::new(), run.ctx.now);
        let review = Review { of, cause: ReviewCause::PassedOver, by, author, opened_at, done: None };
        run.emit_system(What::ReviewOpened { review })?;
    }
    Ok(())
}

/// The deadline: the date of the field named, or the period after opening; the earlier where there are both.
pub(super) fn due(run: &Run<'_>, spec: &Step) -> Option<Due> {
    let period = spec.within.or(spec.every).map(|p| after(run, p, run.ctx.today()));
    let field = spec.due.as_ref().and_then(|id| {
        let permit_end = run
            .procedure
            .permit
            .as_ref()
            .filter(|p| p.until == *id)
            .and(run.state.permit.as_ref())
            .map(|p| p.until);
        permit_end.or_else(|| date_field(run, id)).map(Due::On)
    });
    match (field, period) {
        (Some(a), Some(b)) => Some(if a.date() <= b.date() { a } else { b }),
        (a, b) => a.or(b),
    }
}

/// The deadline a period after a day; hours count from now.
fn after(run: &Run<'_>, period: Period, day: Date) -> Due {
    let (now, calendar) = (run.ctx.now, &run.ctx.pack.calendar);
    match period {
        Period::Hours(h) => Due::At(Instant::plus_millis(now, i64::from(h) * 3_600_000)),
        Period::Days(d) => Due::On(calendar.roll_on(day.plus_days(i64::from(d)))),
        Period::BusinessDays(d) => Due::On(calendar.plus_business_days(day, d)),
        Period::Months(m) => Due::On(calendar.roll_on(day.plus_months(i32::try_from(m).unwrap_or(i32::MAX)))),
    }
}

/// A date of the content, or of the evidence of a step.
pub(super) fn date_field(run: &Run<'_>, id: &str) -> Option<Date> {
    let evidence = || run.state.steps.iter().rev().find_map(|s| s.evidence.get(id));
    run.state.content.fields.get(id).or_else(evidence)?.as_str()?.parse().ok()
}

/// Issues the permit. Every decision must bind to the content as it is.
fn issue(run: &mut Run<'_>) -> Result<(), Refusal> {
    let Some(spec) = &run.procedure.permit else { return Ok(()) };
    let finals = run.state.steps.iter().filter(|s| s.status == StepStatus::Done && is_final_decision(s.kind));
    for step in finals {
        let content = run.state.content_hash(Some(&step.id));
        if step.decisions.iter().any(|d| d.content != content) {
            return Err(Refusal::new(
                Code::StaleContent,
                "決定した後に内容が変わったため、許可証を発行できません。もう一度決定してください。",
            ));
        }
    }
    let today = run.ctx.today();
    let from = date_field(run, &spec.from).unwrap_or(today);
    let mut until = date_field(run, &spec.until).unwrap_or(from);
    if spec.within_fiscal_year {
        until = until.min(from.fiscal_year_end());
    }
    let blanket = spec
        .blanket
        .as_ref()
        .and_then(|f| run.state.content.fields.get(f))
        .and_then(serde_json::Value::as_bool);
    let permit = Permit {
        number: run.state.number.clone(),
        title: spec.title.clone(),
        holder: run.state.applicant.person.clone(),
        items: run.state.items().iter().map(|i| i.key()).collect(),
        from,
        until,
        blanket: blanket.unwrap_or(false),
        conditions: conditions(run),
        issued_at: run.ctx.now,
        seq: run.state.acts,
        movements: vec![],
        extension: None,
        revoked: None,
        expiry_noted: false,
    };
    run.emit_system(What::PermitIssued { permit })
}

/// Conditions set by those who decided, each once.
fn conditions(run: &Run<'_>) -> Vec<String> {
    let finals = run.state.steps.iter().filter(|s| is_final_decision(s.kind));
    let mut all: Vec<String> = Vec::new();
    for c in finals.flat_map(|s| &s.decisions).flat_map(|d| &d.conditions) {
        if !all.contains(c) {
            all.push(c.clone());
        }
    }
    all
}

/// Which of the parts a slot names are still to act.
pub(super) fn missing(step: &StepRun, slot: &Slot) -> Vec<usize> {
    slot.who.parts().into_iter().filter(|p| !step.acted(slot.item.as_deref(), *p)).collect()
}

/// A stamp without capacities, for what the person does besides the step's own act.
pub(super) fn plain(held: crate::authority::Held, content: &str) -> Stamp {
    let post = held.post.clone();
    Stamp { post, held: vec![held], content: content.to_owned(), ..Stamp::default() }
}
