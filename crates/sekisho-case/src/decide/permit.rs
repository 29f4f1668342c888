//! Acts on the permit: movements, extension, revocation, the end.

use std::collections::BTreeSet;

use sekisho_base::Date;

use super::applicant::applicants;
use super::need_text;
use super::route::{advance, end_rounds, plain};
use super::run::{Run, Stamp};
use super::who::Asking;
use crate::authority::Held;
use crate::case::{Direction, Movement, Permit, ReviewCause, Status, What};
use crate::facts::case_bindings;
use crate::refusal::{Code, Refusal};

/// The permit, or a refusal that there is none.
fn permit<'r>(run: &'r Run<'_>) -> Result<&'r Permit, Refusal> {
    run.state
        .permit
        .as_ref()
        .ok_or_else(|| Refusal::new(Code::WrongState, "この案件には、まだ許可がありません。"))
}

/// Leave of whoever answers for the permit: the holder of the deciding step, by the same chain as the decision.
fn leave_of_decider(run: &Run<'_>, action: &str, shown: &str, judging: bool) -> Result<Held, Refusal> {
    permit(run)?;
    let content = run.state.content_hash(None);
    let open = !run.state.status.ended();
    let step = run.state.deciding_step().cloned();
    let asking = Asking { action, shown, content: &content, reason: false, open, judging };
    let mut refusal = None;
    for part in step.iter().flat_map(|s| &s.parts) {
        let Some(step) = &step else { continue };
        match run.leave(step, part, asking) {
            Ok(leave) => return Ok(leave.held),
            Err(r) => refusal = refusal.or(Some(r)),
        }
    }
    Err(refusal.unwrap_or_else(|| Refusal::new(Code::NotAuthorized, "この操作を行う権限がありません。")))
}

/// Records movements: the permit's holder does, or whoever answers for the permit.
pub(super) fn moved(
    run: &mut Run<'_>,
    shown: &str,
    items: &[String],
    direction: Direction,
    note: &str,
) -> Result<(), Refusal> {
    permit(run)?;
    let content = run.state.content_hash(None);
    let open = !run.state.status.ended();
    let stamp = match run.leave_as_applicant(applicants("move", shown, &content, open)) {
        Ok(stamp) => stamp,
        Err(own) => match leave_of_decider(run, "move", shown, false) {
            Ok(held) => plain(held, &content),
            Err(_) => return Err(own),
        },
    };
    if note.chars().count() > sekisho_base::limits::LINE_CHARS {
        return Err(Refusal::new(
            Code::InvalidForm,
            format!("備考は{}文字以内で記入してください。", sekisho_base::limits::LINE_CHARS),
        ));
    }
    let chosen = movable(run, items, direction)?;
    record(run, stamp, &chosen, direction, note)
}

/// Which items move: all that can, or exactly those named.
fn movable(run: &Run<'_>, items: &[String], direction: Direction) -> Result<Vec<String>, Refusal> {
    let p = permit(run)?;
    if run.procedure.permit.as_ref().is_some_and(|s| !s.movements) {
        return Err(Refusal::new(Code::NotCovered, "この許可は、ものの出し入れを伴いません。"));
    }
    let today = run.ctx.today();
    let outside = p.outside();
    if let Some(item) = items.iter().find(|i| !p.items.contains(i)) {
        let message = format!("「{}」はこの許可の対象ではありません。", item_name(run, item));
        return Err(Refusal::new(Code::NotCovered, message));
    }
    if direction == Direction::Out && !p.valid(today) {
        let why = match &p.revoked {
            Some(_) => "許可が取り消されているため、持ち出せません。".to_owned(),
            None => format!(
                "許可の期間（{}から{}まで）の外なので、持ち出せません。",
                p.from.wareki(),
                p.until.wareki()
            ),
        };
        return Err(Refusal::new(Code::NotCovered, why));
    }
    let went: BTreeSet<&str> =
        p.movements.iter().filter(|m| m.direction == Direction::Out).map(|m| m.item.as_str()).collect();
    let can = |item: &str| match direction {
        Direction::Out => !outside.contains(item) && (p.blanket || !went.contains(item)),
        Direction::In => outside.contains(item),
    };
    let asked: Vec<String> = if items.is_empty() { p.items.clone() } else { items.to_vec() };
    let (chosen, rest): (Vec<String>, Vec<String>) = asked.into_iter().partition(|i| can(i));
    if let Some(item) = rest.first().filter(|_| !items.is_empty() || chosen.is_empty()) {
        let name = item_name(run, item);
        let message = match direction {
            Direction::Out if outside.contains(item.as_str()) => {
                format!("「{name}」はすでに持ち出しています。")
            }
            Direction::Out => format!(
                "「{name}」は一度持ち出して戻したものです。繰り返し持ち出すには包括許可を受けてください。"
            ),
            Direction::In => format!("「{name}」は持ち出していません。"),
        };
        return Err(Refusal::new(Code::NotCovered, message));
    }
    let mut unique = BTreeSet::new();
    Ok(chosen.into_iter().filter(|i| unique.insert(i.clone())).collect())
}

fn record(
    run: &mut Run<'_>,
    stamp: Stamp,
    items: &[String],
    direction: Direction,
    note: &str,
) -> Result<(), Refusal> {
    let seq = run.state.acts + 1;
    let movements = items
        .iter()
        .map(|item| Movement {
            item: item.clone(),
            direction,
            at: run.ctx.now,
            person: run.ctx.person.to_owned(),
            note: note.to_owned(),
            seq,
        })
        .collect();
    run.emit(stamp, What::Moved { movements })?;
    advance(run)
}

/// When a return is recorded, whatever is outside has come in.
pub(super) fn bring_back(run: &mut Run<'_>, stamp: Stamp) -> Result<(), Refusal> {
    let outside: Vec<String> = run.state.permit.iter().flat_map(Permit::outside).map(str::to_owned).collect();
    if outside.is_empty() {
        return Ok(());
    }
    let content = run.state.content_hash(None);
    record(run, Stamp { content, ..stamp }, &outside, Direction::In, "")
}

fn item_name(run: &Run<'_>, key: &str) -> String {
    let found = run.state.content.items.iter().find(|i| i.key() == key);
    found.map_or_else(|| sekisho_base::text::shorten(key, 40), |i| i.name.clone())
}

/// The holder asks for more time.
pub(super) fn ask_extension(run: &mut Run<'_>, shown: &str, until: Date, says: &str) -> Result<(), Refusal> {
    let content = run.state.content_hash(None);
    let open = run.state.status == Status::InForce;
    let stamp = run.leave_as_applicant(applicants("ask_extension", shown, &content, open))?;
    need_text(says, "延長する理由")?;
    check_until(run, until)?;
    run.emit(stamp, What::ExtensionAsked { until, says: says.to_owned() })
}

/// More time is given, never past the fiscal year's end where the pack says so.
pub(super) fn extend(run: &mut Run<'_>, shown: &str, until: Date, says: &str) -> Result<(), Refusal> {
    let held = leave_of_decider(run, "extend", shown, true)?;
    require_every_part(run)?;
    require_in_force(run)?;
    check_until(run, until)?;
    need_text(says, "延長する理由")?;
    let content = run.state.content_hash(None);
    run.emit(plain(held, &content), What::Extended { until, says: says.to_owned() })
}

fn check_until(run: &Run<'_>, until: Date) -> Result<(), Refusal> {
    let p = permit(run)?;
    if until <= p.until {
        let message = format!("延長後の日は、いまの期限（{}）より後にしてください。", p.until.wareki());
        return Err(Refusal::new(Code::InvalidForm, message));
    }
    let end = p.from.fiscal_year_end();
    if run.procedure.permit.as_ref().is_some_and(|s| s.within_fiscal_year) && until > end {
        let message = format!(
            "延長できるのは年度の末日（{}）までです。翌年度も必要なときは、新しく申請してください。",
            end.wareki()
        );
        return Err(Refusal::new(Code::PeriodTooLong, message));
    }
    // What the form did not accept for the application is not reached by extending either.
    let field =
        run.procedure.permit.as_ref().and_then(|s| run.procedure.fields.iter().find(|f| f.id == s.until));
    if let Some((field, limit)) = field.and_then(|f| Some((f, f.limit.as_ref()?))) {
        let b = case_bindings(&run.state, &run.ctx.pack.classification, run.ctx.today());
        let b = b.with(&field.id, sekisho_base::table::Value::Text(until.to_string()));
        if limit.eval_bool(&b) != Some(true) {
            let says = field
                .limit_says
                .clone()
                .unwrap_or_else(|| format!("{}の値が条件に合いません。", field.label));
            return Err(Refusal::new(Code::PeriodTooLong, says));
        }
    }
    Ok(())
}

/// A joint permit is extended as it was given: by every part. Whoever holds them all may; otherwise a new application is
/// the way to all of them.
fn require_every_part(run: &Run<'_>) -> Result<(), Refusal> {
    let Some(step) = run.state.deciding_step() else { return Ok(()) };
    let content = run.state.content_hash(None);
    let asking = Asking {
        action: "extend",
        shown: &content,
        content: &content,
        reason: false,
        open: true,
        judging: true,
    };
    let holds = |part: usize| step.parts.get(part).is_some_and(|p| run.leave(step, p, asking).is_ok());
    if step.slots.iter().all(|s| s.item.is_some() || s.who.satisfied(&holds)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::NotAuthorized,
        "連名の許可は、一人では延長できません。期間を延ばすには、新しく申請してください。",
    ))
}

/// No more time.
pub(super) fn decline_extension(run: &mut Run<'_>, shown: &str, says: &str) -> Result<(), Refusal> {
    let held = leave_of_decider(run, "decline_extension", shown, true)?;
    if permit(run)?.extension.is_none() {
        return Err(Refusal::new(Code::NothingToDo, "延長の願い出はありません。"));
    }
    need_text(says, "延長を認めない理由")?;
    let content = run.state.content_hash(None);
    run.emit(plain(held, &content), What::ExtensionDeclined { says: says.to_owned() })
}

/// 取消し. What is outside must still come back: the steps go on.
pub(super) fn revoke(run: &mut Run<'_>, shown: &str, says: &str) -> Result<(), Refusal> {
    let held = leave_of_decider(run, "revoke", shown, true)?;
    require_in_force(run)?;
    need_text(says, "許可を取り消す理由")?;
    let content = run.state.content_hash(None);
    run.emit(plain(held.clone(), &content), What::Revoked { says: says.to_owned() })?;
    let open = run.state.reviews.iter().filter(|r| r.cause == ReviewCause::Reclassified && r.done.is_none());
    for of in open.map(|r| r.of).collect::<BTreeSet<_>>() {
        run.emit(
            plain(held.clone(), &content),
            What::Reviewed { of, says: "許可を取り消した。".to_owned() },
        )?;
    }
    end_rounds(run)
}

fn require_in_force(run: &Run<'_>) -> Result<(), Refusal> {
    if run.state.status == Status::InForce {
        return Ok(());
    }
    Err(Refusal::new(
        Code::WrongState,
        format!("この案件は「{}」なので、この操作はできません。", run.state.status.japanese()),
    ))
}

/// The end without the remaining steps: only where nothing is outside, and the permit is over or was never used.
pub(super) fn close(run: &mut Run<'_>, shown: &str, says: &str) -> Result<(), Refusal> {
    let held = leave_of_decider(run, "close", shown, true)?;
    need_text(says, "終わらせる理由")?;
    let p = permit(run)?;
    if !p.outside().is_empty() {
        let names: Vec<String> = p.outside().into_iter().map(|i| item_name(run, i)).collect();
        return Err(Refusal::new(
            Code::StillOut,
            format!("まだ戻っていないものがあります（{}）。", names.join("、")),
        ));
    }
    if !p.movements.is_empty() && p.valid(run.ctx.today()) {
        return Err(Refusal::new(
            Code::WrongState,
            "使われている許可です。返却の記録を待つか、許可を取り消してください。",
        ));
    }
    let content = run.state.content_hash(None);
    run.emit(plain(held, &content), What::Closed { says: says.to_owned() })
}

/// Everything that can move in this direction now.
pub(super) fn all_movable(run: &Run<'_>, direction: Direction) -> Vec<String> {
    movable(run, &[], direction).unwrap_or_default()
}
