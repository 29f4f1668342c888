//! Acts on the open step: look, decide, refuse, send back.

use std::collections::BTreeMap;

use sekisho_pack::model::{FieldType, OnRefusal, StepKind};

use super::applicant::require_allowed;
use super::form::check_evidence;
use super::need_text;
use super::permit::bring_back;
use super::related;
use super::route::{advance, go_on, missing, plain};
use super::run::{Run, Stamp};
use super::who::{Asking, Leave};
use crate::authority::{Held, Path};
use crate::case::{
    Cover, Resume, Review, ReviewCause, Slot, StepRun, StepStatus, Verdict, What, is_final_decision,
    is_judging, step_actions,
};
use crate::refusal::{Code, Refusal};

/// What comes with a step's own act.
#[derive(Debug)]
pub(super) struct Given {
    pub shown: String,
    pub items: Vec<String>,
    pub says: String,
    pub conditions: Vec<String>,
    pub evidence: BTreeMap<String, serde_json::Value>,
    pub reason: Option<String>,
}

/// What the person may cover, with the leave for each part.
struct Covered {
    covers: Vec<Cover>,
    leaves: Vec<Leave>,
}

impl Covered {
    fn held(&self) -> Vec<Held> {
        self.leaves.iter().map(|l| l.held.clone()).collect()
    }

    fn overridden(&self) -> bool {
        self.leaves.iter().any(|l| l.overridden)
    }

    fn urgent(&self) -> bool {
        self.leaves.iter().any(|l| l.urgent)
    }
}

/// A holder looks at the case.
pub(super) fn see(run: &mut Run<'_>, step: &str) -> Result<(), Refusal> {
    let opened = open_step(run, step)?;
    if opened.seen_by.contains(run.ctx.person) {
        return Err(Refusal::new(Code::NothingToDo, "閲覧は記録済みです。"));
    }
    let content = run.state.content_hash(Some(step));
    let leave = any_part(run, &opened, "see", &content, &content)?;
    run.emit(plain(leave.held, &content), What::Seen { step: step.to_owned() })
}

/// The step's own act.
pub(super) fn act(run: &mut Run<'_>, step: &str, given: Given) -> Result<(), Refusal> {
    let opened = open_step(run, step)?;
    let spec = run.spec(step)?;
    let action = step_actions(opened.kind).first().copied().unwrap_or_default();
    let reason = given.reason.as_deref().map(str::trim).filter(|r| !r.is_empty());
    let covered = cover(run, &opened, action, &given.shown, &given.items, reason.is_some())?;
    match opened.kind {
        StepKind::Consult => need_text(&given.says, "協議への意見")?,
        StepKind::Instruct => need_text(&given.says, "指示の内容")?,
        // Where the meeting is a row of a register, that row says which.
        StepKind::Resolve if !spec.evidence.iter().any(|f| matches!(f.kind, FieldType::Row(_))) => {
            need_text(&given.says, "議決した会議（開催日と名称）")?;
        }
        _ => {}
    }
    if spec.opens.is_some() {
        related::require_children(run, step)?;
    }
    if is_final_decision(opened.kind) {
        // The class may have risen since the application.
        require_allowed(&run.state.content)?;
    }
    let mut faults = check_evidence(spec, &run.state, &given.evidence, &run.ctx);
    faults.extend(super::form::check_conditions(&given.conditions));
    if !faults.is_empty() {
        return Err(Refusal::form(faults));
    }
    let content = run.state.content_hash(Some(step));
    let stamp = Stamp {
        post: covered.leaves.first().map(|l| l.held.post.clone()).unwrap_or_default(),
        held: covered.held(),
        content,
        overridden: reason.filter(|_| covered.overridden()).map(str::to_owned),
        urgent: reason.filter(|_| covered.urgent()).map(str::to_owned),
    };
    let what = What::Decided {
        step: step.to_owned(),
        verdict: Verdict::Done,
        covers: covered.covers,
        says: given.says,
        conditions: given
            .conditions
            .into_iter()
            .map(|c| c.trim().to_owned())
            .filter(|c| !c.is_empty())
            .collect(),
        evidence: given.evidence,
        goes_on: false,
    };
    run.emit(stamp.clone(), what)?;
    open_reviews(run, &opened, &covered.leaves)?;
    let returned_by = run.procedure.permit.as_ref().and_then(|p| p.returned_by.as_deref());
    if opened.kind == StepKind::Perform
        && returned_by.is_none_or(|r| r == step)
        && run.state.step(step).is_some_and(|s| s.status == StepStatus::Done)
    {
        bring_back(run, stamp)?;
    }
    go_on(run, step)
}

/// A refusal (不許可): of items, or of the whole step.
pub(super) fn refuse(
    run: &mut Run<'_>,
    step: &str,
    shown: &str,
    items: &[String],
    says: &str,
) -> Result<(), Refusal> {
    let opened = open_step(run, step)?;
    if !is_final_decision(opened.kind) {
        return Err(Refusal::new(
            Code::WrongState,
            "この手順では不許可にできません。差戻しを使ってください。",
        ));
    }
    let covered = cover(run, &opened, "refuse", shown, items, false)?;
    need_text(says, "不許可とする理由")?;
    let stamp = Stamp {
        post: covered.leaves.first().map(|l| l.held.post.clone()).unwrap_or_default(),
        held: covered.held(),
        content: run.state.content_hash(Some(step)),
        ..Stamp::default()
    };
    let goes_on = run.spec(step)?.on_refusal == OnRefusal::GoOn;
    let (step, verdict, covers, says) = (step.to_owned(), Verdict::Refuse, covered.covers, says.to_owned());
    let (conditions, evidence) = (vec![], BTreeMap::new());
    run.emit(stamp, What::Decided { step, verdict, covers, says, conditions, evidence, goes_on })?;
    open_reviews(run, &opened, &covered.leaves)?;
    advance(run)
}

/// 差戻し: to the applicant, or to an earlier step.
pub(super) fn send_back(
    run: &mut Run<'_>,
    step: &str,
    shown: &str,
    to: Option<String>,
    resume: Resume,
    says: &str,
) -> Result<(), Refusal> {
    let opened = open_step(run, step)?;
    let content = run.state.content_hash(Some(step));
    let leave = any_part(run, &opened, "send_back", shown, &content)?;
    need_text(says, "差し戻す理由")?;
    let position = |id: &str| run.state.steps.iter().position(|s| s.id == id);
    let earlier = to.as_deref().map(|id| {
        run.state.step(id).filter(|s| s.status == StepStatus::Done && position(id) < position(step))
    });
    match earlier {
        Some(None) => {
            return Err(Refusal::new(Code::WrongState, "差し戻す先は、済んだ前の手順から選んでください。"));
        }
        Some(Some(s)) if is_final_decision(s.kind) && run.state.permit.is_some() => {
            return Err(Refusal::new(
                Code::WrongState,
                "許可した後は、許可の手順へ差し戻せません。許可の取消しを使ってください。",
            ));
        }
        None if run.state.cause.is_some() => {
            return Err(Refusal::new(
                Code::WrongState,
                "申請者のいない案件です。前の手順へ差し戻してください。",
            ));
        }
        None if run.state.permit.is_some() => {
            return Err(Refusal::new(
                Code::WrongState,
                "許可した後は、申請者へ差し戻せません。前の手順へ差し戻すか、許可を取り消してください。",
            ));
        }
        Some(Some(_)) | None => {}
    }
    let (step, says) = (step.to_owned(), says.to_owned());
    run.emit(plain(leave.held, &content), What::SentBack { step, to, resume, says })?;
    advance(run)
}

/// The step, when it is open.
fn open_step(run: &Run<'_>, step: &str) -> Result<StepRun, Refusal> {
    run.spec(step)?;
    let closed = || {
        Refusal::new(
            Code::NotOpen,
            "この手順はいま受け付けていません。画面を開き直して、案件の状態を確かめてください。",
        )
    };
    run.state.step(step).filter(|s| s.status == StepStatus::Open).cloned().ok_or_else(closed)
}

/// Leave for any part of a step that still has to act.
pub(super) fn any_part(
    run: &Run<'_>,
    step: &StepRun,
    action: &str,
    shown: &str,
    content: &str,
) -> Result<Leave, Refusal> {
    let asking = Asking { action, shown, content, reason: false, open: true, judging: is_judging(step.kind) };
    let mut refusal = None;
    for index in step.waiting_for(run.ctx.person) {
        let Some(part) = step.parts.get(index) else { continue };
        match run.leave(step, part, asking) {
            Ok(leave) => return Ok(leave),
            Err(r) => refusal = telling(refusal, r),
        }
    }
    Err(refusal.unwrap_or_else(|| Refusal::new(Code::NothingToDo, "この手順で行うことは残っていません。")))
}

/// Everything that the person may cover among the items asked for (all, when none is named). One act fills every part
/// that the person holds: "A及びB" held by one person is one act in both capacities.
fn cover(
    run: &Run<'_>,
    step: &StepRun,
    action: &str,
    shown: &str,
    items: &[String],
    reason: bool,
) -> Result<Covered, Refusal> {
    let content = run.state.content_hash(Some(&step.id));
    let asking =
        Asking { action, shown, content: &content, reason, open: true, judging: is_judging(step.kind) };
    let wanted: Vec<&Slot> = step
        .unsettled()
        .filter(|s| items.is_empty() || s.item.as_ref().is_some_and(|i| items.contains(i)))
        .collect();
    if wanted.len() < items.len() {
        return Err(Refusal::new(
            Code::NotOpen,
            "選んだものの中に、この手順の対象でないもの、または決定済みのものがあります。",
        ));
    }
    let mut answers: BTreeMap<usize, Result<Leave, Refusal>> = BTreeMap::new();
    let mut covered = Covered { covers: vec![], leaves: vec![] };
    let mut refusal = None;
    for slot in wanted {
        let before = covered.covers.len();
        for index in missing(step, slot) {
            let Some(part) = step.parts.get(index) else { continue };
            if step.acted_by(run.ctx.person, slot.item.as_deref(), index) {
                let done = "あなたの分は記録済みです。ほかの担当者を待っています。";
                refusal = refusal.or_else(|| Some(Refusal::new(Code::NothingToDo, done)));
                continue;
            }
            match answers.entry(index).or_insert_with(|| run.leave(step, part, asking)) {
                Ok(_) => covered.covers.push(Cover { item: slot.item.clone(), part: index }),
                Err(r) => refusal = telling(refusal, r.clone()),
            }
        }
        // An item that was chosen by name must be coverable; without names, what others decide is left to them.
        if covered.covers.len() == before && !items.is_empty() {
            break;
        }
    }
    let short = |c: &Covered| {
        c.covers.iter().filter_map(|c| c.item.as_ref()).collect::<std::collections::BTreeSet<_>>().len()
            < items.len()
    };
    if covered.covers.is_empty() || short(&covered) {
        return Err(refusal
            .unwrap_or_else(|| Refusal::new(Code::NothingToDo, "この手順で行うことは残っていません。")));
    }
    covered.leaves = answers.into_values().filter_map(Result::ok).collect();
    Ok(covered)
}

/// Keeps the refusal that tells most: a rule's own over "no authority".
fn telling(kept: Option<Refusal>, new: Refusal) -> Option<Refusal> {
    match kept {
        Some(k) if k.code != Code::NotAuthorized || new.code == Code::NotAuthorized => Some(k),
        _ => Some(new),
    }
}

/// Puts what was decided in absence before the holder (後閲), and what was decided by the applicant before the next
/// higher role.
fn open_reviews(run: &mut Run<'_>, step: &StepRun, leaves: &[Leave]) -> Result<(), Refusal> {
    let of = run.state.acts;
    let mut opened: Vec<Review> = Vec::new();
    for leave in leaves {
        let Some(part) = step.parts.iter().find(|p| p.role == leave.held.role) else { continue };
        let (cause, level) = match &leave.held.path {
            Path::Override => (
                ReviewCause::Override,
                part.levels.get(leave.level + 1).or_else(|| part.levels.get(leave.level)),
            ),
            Path::Deputy { .. } | Path::Delegate { .. } => {
                (ReviewCause::Acting, part.levels.get(leave.level))
            }
            Path::Holder | Path::Escalated => continue,
        };
        let Some(by) = level.cloned() else { continue };
        let review =
            Review { of, cause, by, author: run.ctx.person.to_owned(), opened_at: run.ctx.now, done: None };
        if opened.iter().all(|r| (r.cause, &r.by) != (review.cause, &review.by)) {
            opened.push(review);
        }
    }
    for review in opened {
        run.emit_system(What::ReviewOpened { review })?;
    }
    Ok(())
}
