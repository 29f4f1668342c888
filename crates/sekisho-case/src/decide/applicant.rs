//! What the applicant does: apply, apply again after 差戻し, take back (引戻し).

use sekisho_pack::model::Procedure;

use super::form::{check_form, content};
use super::route::{advance, require_decision};
use super::run::{Run, Stamp};
use super::who::Asking;
use super::{Application, Ctx, Draft};
use crate::authority::{APPLICANT, Anchors, Capacity, Held, Path, Question, Route, Seat, resolve, sits};
use crate::case::{
    Act, Applicant, CaseState, Cause, Content, PackRef, Parent, Resume, Status, StepHead, StepStatus, What,
};
use crate::handling::Outcome;
use crate::refusal::{Code, Refusal};

/// Applies: the first act of a case, and what follows of itself.
///
/// # Errors
/// The form is not filled in as it must be, the contents may not be handled so, nobody would decide, or the person does
/// not hold the post applied from.
pub fn apply(procedure: &str, ctx: &Ctx<'_>, application: Application) -> Result<Vec<Act>, Refusal> {
    let procedure = applied_for(procedure, ctx)?;
    let Application { case, number, post, draft, parent } = application;
    let held = may_apply(procedure, ctx, &post)?;
    check(procedure, ctx, &draft)?;
    let content = content(procedure, ctx, &draft);
    require_allowed(&content)?;
    let unit = ctx.org.post(&post).map(|p| p.unit.clone()).unwrap_or_default();
    let applicant = Applicant { person: ctx.person.to_owned(), post, unit };
    begin(
        procedure,
        ctx,
        First {
            case,
            number,
            held: vec![held],
            applicant,
            content,
            about: String::new(),
            cause: None,
            parent,
        },
    )
}

/// The procedure, when people apply for it.
fn applied_for<'p>(procedure: &str, ctx: &Ctx<'p>) -> Result<&'p Procedure, Refusal> {
    let unknown = || Refusal::new(Code::WrongPack, "この手続は、いまの基準にありません。");
    let procedure = ctx.pack.procedures.get(procedure).ok_or_else(unknown)?;
    if !procedure.applied_for() {
        let message = "この手続は、検査などで見つかったときに自動で始まります。申請はできません。";
        return Err(Refusal::new(Code::WrongPack, message));
    }
    Ok(procedure)
}

/// Whether the person may apply for this procedure from this post, whatever is applied for.
///
/// # Errors
/// Nobody applies for it, it is others who do, or the person does not hold the post today.
pub fn may_apply_from(procedure: &str, ctx: &Ctx<'_>, post: &str) -> Result<(), Refusal> {
    may_apply(applied_for(procedure, ctx)?, ctx, post).map(|_| ())
}

/// What a case begins with.
pub(super) struct First {
    pub case: String,
    pub number: String,
    pub held: Vec<Held>,
    pub applicant: Applicant,
    pub content: Content,
    pub about: String,
    pub cause: Option<Cause>,
    pub parent: Option<Parent>,
}

/// The first act of a case, by the applicant, and what follows of itself.
pub(super) fn begin(procedure: &Procedure, ctx: &Ctx<'_>, first: First) -> Result<Vec<Act>, Refusal> {
    let First { case, number, held, applicant, content, about, cause, parent } = first;
    let pack = PackRef::of(ctx.pack);
    let mut act = Act {
        seq: 1,
        at: ctx.now,
        person: applicant.person.clone(),
        post: applicant.post.clone(),
        held,
        content: String::new(),
        pack: pack.hash.clone(),
        overridden: None,
        urgent: None,
        what: What::Applied {
            case,
            procedure: procedure.id.clone(),
            number,
            title: title_of(procedure, &content, &about),
            pack,
            applicant,
            content,
            route: procedure.steps.iter().map(StepHead::of).collect(),
            cause,
            parent,
        },
    };
    let broken = |e| Refusal::new(Code::WrongState, format!("案件の記録が整合しません（{e}）。"));
    let state = CaseState::begin(&act).map_err(broken)?;
    act.content = state.content_hash(None);
    let mut run = Run::on(&state, ctx)?;
    require_decision(&run)?;
    run.acts.push(act);
    advance(&mut run)?;
    Ok(run.acts)
}

/// Whether the person holds, from this post's unit, one of the roles that may apply.
fn require_applicants_role(procedure: &Procedure, ctx: &Ctx<'_>, post: &str) -> Result<(), Refusal> {
    let Some(by) = &procedure.apply_by else { return Ok(()) };
    let unit = ctx.org.post(post).map(|p| p.unit.as_str()).unwrap_or_default();
    let anchors = Anchors {
        applicant: ctx.person,
        applicant_unit: unit,
        item_owner: None,
        item_role: None,
        successors: &[],
    };
    let mut route = Route::default();
    let who = resolve(by, &anchors, ctx.pack, ctx.org, ctx.today(), &mut route);
    let sits_in = |part: usize| {
        let level = route.parts.get(part).and_then(|p| p.levels.first());
        level.is_some_and(|l| l.seats.iter().any(|s| sits(s, ctx.person, ctx.org, ctx.today())))
    };
    if who.satisfied(&sits_in) {
        return Ok(());
    }
    let titles: Vec<&str> = route.parts.iter().map(crate::authority::Part::title).collect();
    let message =
        format!("この申請は{}が行います。必要なときは、その人に申請を頼んでください。", titles.join("、"));
    Err(Refusal::new(Code::NotAuthorized, message))
}

fn may_apply(procedure: &Procedure, ctx: &Ctx<'_>, post: &str) -> Result<Held, Refusal> {
    require_applicants_role(procedure, ctx, post)?;
    let seat = Seat::Post(post.to_owned()).key();
    let holds = ctx.org.holds(ctx.person, post, ctx.today());
    let q = Question {
        action: "apply".to_owned(),
        person: ctx.person.to_owned(),
        in_office: ctx.org.in_office(ctx.person, ctx.today()),
        sits_in: holds.then(|| seat.clone()).into_iter().collect(),
        procedure: procedure.id.clone(),
        step: "apply".to_owned(),
        role: APPLICANT.to_owned(),
        applicant: ctx.person.to_owned(),
        holders: [seat].into(),
        open: true,
        date: Some(ctx.today()),
        path: "holder".to_owned(),
        ..Question::default()
    };
    q.require(ctx.rules, "申請に使う職は、今日在職している職から選んでください。")?;
    let unit = ctx.org.post(post).map(|p| p.unit.clone()).unwrap_or_default();
    let role = APPLICANT.to_owned();
    Ok(Held {
        capacity: Capacity::Holder,
        by_role: role.clone(),
        role,
        unit,
        post: post.to_owned(),
        path: Path::Holder,
        instead_of: None,
    })
}

fn check(procedure: &Procedure, ctx: &Ctx<'_>, draft: &Draft) -> Result<(), Refusal> {
    let faults = check_form(procedure, ctx, draft);
    if faults.is_empty() { Ok(()) } else { Err(Refusal::form(faults)) }
}

/// Refuses what the handling rules prohibit.
pub(super) fn require_allowed(content: &Content) -> Result<(), Refusal> {
    let Some(handling) = content.handling.as_ref().filter(|h| h.outcome == Outcome::Prohibited) else {
        return Ok(());
    };
    let why: Vec<String> =
        handling.prohibitions.iter().map(|n| format!("{}（{}）", n.says, n.clause)).collect();
    Err(Refusal::new(Code::Prohibited, format!("この取扱いは認められていません。{}", why.join(" "))))
}

/// What people see in a list: the procedure, what it is about and the first item.
fn title_of(procedure: &Procedure, content: &Content, about: &str) -> String {
    let items = match (content.items.first(), content.items.len()) {
        (Some(first), 1) => first.name.clone(),
        (Some(first), n) => format!("{} ほか{}件", first.name, n.saturating_sub(1)),
        (None, _) => String::new(),
    };
    let told: Vec<&str> = [about, &items].into_iter().filter(|part| !part.is_empty()).collect();
    if told.is_empty() {
        procedure.title.clone()
    } else {
        format!("{}（{}）", procedure.title, told.join(" "))
    }
}

/// Applies again after 差戻し. Changed content voids every decision; unchanged content keeps what was decided when the
/// one who sent it back asked to have it back directly.
pub(super) fn resubmit(run: &mut Run<'_>, shown: &str, draft: Draft) -> Result<(), Refusal> {
    let before = run.state.content_hash(None);
    let open = run.state.status == Status::SentBack;
    let stamp = run.leave_as_applicant(applicants("resubmit", shown, &before, open))?;
    check(run.procedure, &run.ctx, &draft)?;
    let content = content(run.procedure, &run.ctx, &draft);
    require_allowed(&content)?;
    let changed = content != run.state.content;
    let jump = run.state.resume.as_ref().is_some_and(|r| r.resume == Resume::JumpBack);
    let voided = if jump && !changed { vec![] } else { reached(run) };
    let title = title_of(run.procedure, &content, "");
    run.emit(stamp, What::Resubmitted { content, title, voided })?;
    require_decision(run)?;
    advance(run)
}

/// Steps that were reached.
pub(super) fn reached(run: &Run<'_>) -> Vec<String> {
    run.state.steps.iter().filter(|s| s.status != StepStatus::Pending).map(|s| s.id.clone()).collect()
}

/// 引戻し: until the next actor has opened it.
pub(super) fn withdraw(run: &mut Run<'_>, shown: &str, says: String) -> Result<(), Refusal> {
    let content = run.state.content_hash(None);
    let open = matches!(run.state.status, Status::Open | Status::SentBack);
    let stamp: Stamp = run.leave_as_applicant(applicants("withdraw", shown, &content, open))?;
    let seen = run
        .state
        .steps
        .iter()
        .any(|s| s.status != StepStatus::Pending && (!s.seen_by.is_empty() || !s.decisions.is_empty()));
    if seen && run.state.status != Status::SentBack {
        let message =
            "次の担当者が開いた後は、引き戻せません。取りやめたいときは、担当者に差戻しを頼んでください。";
        return Err(Refusal::new(Code::AlreadySeen, message));
    }
    run.emit(stamp, What::Withdrawn { says })
}

/// How the applicant asks.
pub(super) fn applicants<'s>(action: &'s str, shown: &'s str, content: &'s str, open: bool) -> Asking<'s> {
    Asking { action, shown, content, reason: false, open, judging: false }
}
