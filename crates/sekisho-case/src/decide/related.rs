//! What stands beside the route: cases that a step opens, cases that nobody applied for, and remarks.

use sekisho_pack::model::Procedure;

use super::applicant::{First, begin};
use super::form::{check_types, content};
use super::route::plain;
use super::run::Run;
use super::step::any_part;
use super::who::Asking;
use super::{Ctx, Draft, need_text};
use crate::authority::{APPLICANT, Capacity, Held, Path};
use crate::case::{
    Act, Applicant, CaseState, Cause, Child, Parent, SYSTEM, Status, StepRun, StepStatus, What,
};
use crate::refusal::{Code, Refusal};

/// A case that nobody applies for.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Id of the new case.
    pub case: String,
    /// Number of the new case.
    pub number: String,
    /// Unit it concerns: where `case.section` and `case.department` of its steps are looked up.
    pub unit: String,
    /// What opened it.
    pub cause: Cause,
    /// What a list calls it, beside the procedure and the first item; empty: those alone.
    pub about: String,
    /// What is known.
    pub draft: Draft,
}

/// Opens a case without applicant: a check found something, a duty fell due, an import asks. What the form demands of
/// people is not demanded here; what is given must fit.
///
/// # Errors
/// The procedure is not opened by this cause, or what is given does not fit the form.
pub fn open_without_applicant(procedure: &str, ctx: &Ctx<'_>, opening: Opening) -> Result<Vec<Act>, Refusal> {
    let unknown = || Refusal::new(Code::WrongPack, "この手続は、いまの基準にありません。");
    let procedure: &Procedure = ctx.pack.procedures.get(procedure).ok_or_else(unknown)?;
    if !procedure.opened_by.contains(&opening.cause.by) {
        return Err(Refusal::new(Code::WrongPack, "この手続は、申請なしに始めるものではありません。"));
    }
    let faults = check_types(procedure, &opening.draft);
    if !faults.is_empty() {
        return Err(Refusal::form(faults));
    }
    let content = content(procedure, ctx, &opening.draft);
    let applicant = Applicant { person: SYSTEM.to_owned(), post: String::new(), unit: opening.unit };
    let Opening { case, number, cause, about, .. } = opening;
    let cause = Some(cause);
    begin(
        procedure,
        ctx,
        First { case, number, held: vec![], applicant, content, about, cause, parent: None },
    )
}

/// The step that opens a case, when it is open.
fn opening_step<'r>(run: &'r Run<'_>, step: &str) -> Result<&'r StepRun, Refusal> {
    let opens = run.spec(step)?.opens.is_some();
    let closed = || Refusal::new(Code::NotOpen, "この案件から申請する手順は、いま開いていません。");
    run.state.step(step).filter(|s| opens && s.status == StepStatus::Open).ok_or_else(closed)
}

/// Whether the person may open the case that a step asks for; gives the parent to apply with.
///
/// # Errors
/// The step is not open, opens nothing, or is another person's.
pub fn may_open(state: &CaseState, ctx: &Ctx<'_>, step: &str) -> Result<Parent, Refusal> {
    let run = Run::on(state, ctx)?;
    let content = state.content_hash(Some(step));
    any_part(&run, opening_step(&run, step)?, "see", &content, &content)?;
    Ok(Parent { case: state.id.clone(), number: state.number.clone(), step: step.to_owned() })
}

/// Records in the parent that its step opened a case.
///
/// # Errors
/// As [`may_open`].
pub fn opened(
    state: &CaseState,
    ctx: &Ctx<'_>,
    step: &str,
    case: &str,
    number: &str,
) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    let content = state.content_hash(Some(step));
    let leave = any_part(&run, opening_step(&run, step)?, "see", &content, &content)?;
    let (step, case, number) = (step.to_owned(), case.to_owned(), number.to_owned());
    let child = Child { step, case, number, status: Status::Open };
    run.emit(plain(leave.held, &content), What::Opened { child })?;
    Ok(run.acts)
}

/// Takes note of where a case that a step opened stands now.
///
/// # Errors
/// The case runs under another pack version.
pub fn child_moved(
    state: &CaseState,
    ctx: &Ctx<'_>,
    case: &str,
    status: Status,
) -> Result<Vec<Act>, Refusal> {
    let mut run = Run::on(state, ctx)?;
    let known = state.children.iter().find(|c| c.case == case);
    if known.is_some_and(|c| c.status != status) && !state.status.ended() {
        run.emit_system(What::ChildMoved { case: case.to_owned(), status })?;
    }
    Ok(run.acts)
}

/// A step that opens a case is done when that case is decided.
pub(super) fn require_children(run: &Run<'_>, step: &str) -> Result<(), Refusal> {
    let of_step: Vec<&Child> = run.state.children.iter().filter(|c| c.step == step).collect();
    if of_step.is_empty() {
        return Err(Refusal::new(Code::WrongState, "先に、この手順から関連する申請をしてください。"));
    }
    let undecided = of_step.iter().filter(|c| matches!(c.status, Status::Open | Status::SentBack));
    let waiting: Vec<&str> = undecided.map(|c| c.number.as_str()).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let message = format!("関連する案件（{}）がまだ決まっていません。", waiting.join("、"));
    Err(Refusal::new(Code::WrongState, message))
}

/// A remark. It changes nothing that was decided.
pub(super) fn comment(run: &mut Run<'_>, shown: &str, says: String) -> Result<(), Refusal> {
    let content = run.state.content_hash(None);
    let asking = Asking {
        action: "comment",
        shown,
        content: &content,
        reason: false,
        open: !run.state.status.ended(),
        judging: false,
    };
    let held = leave_to_comment(run, asking)?;
    need_text(&says, "コメント")?;
    run.emit(plain(held, &content), What::Commented { says })
}

/// Asks Cedar for leave to remark. That the person may see the case is the caller's word.
pub(super) fn leave_to_comment(run: &Run<'_>, asking: Asking<'_>) -> Result<Held, Refusal> {
    let mut q = run.question(asking);
    q.step = "case".to_owned();
    q.role = APPLICANT.to_owned();
    q.path = "holder".to_owned();
    q.require(run.ctx.rules, "")?;
    Ok(Held {
        capacity: Capacity::Holder,
        role: String::new(),
        by_role: String::new(),
        unit: String::new(),
        post: run.main_post(),
        path: Path::Holder,
        instead_of: None,
    })
}
