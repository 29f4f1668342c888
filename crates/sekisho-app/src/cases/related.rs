//! Cases that belong together: one that a step of another opens.

use sekisho_case::case::{CaseState, Parent, SYSTEM};
use sekisho_case::decide::{self, Ctx};
use sekisho_store::Conn;
use sekisho_store::case::{self, CaseRow};

use crate::cases::act::not_refusable;
use crate::cases::apply::refused;
use crate::cases::store::{decide_and_keep, engine, state_of};
use crate::error::AppError;
use crate::office::Office;

/// Name of the form field that carries the case and the step from which somebody applies: `case/step`.
pub(super) const FIELD: &str = "parent";

/// The case from whose step somebody applies.
pub(super) struct Opener {
    row: CaseRow,
    /// What the new case records.
    pub link: Parent,
}

/// Whether a person may apply for this procedure from a step of another case. Nothing is asked when the field is empty.
pub(super) async fn opener(
    c: &mut Conn<'_>,
    office: &Office,
    person: &str,
    field: &str,
    procedure: &str,
) -> Result<Option<Opener>, AppError> {
    let Some((id, step)) = field.split_once('/') else { return Ok(None) };
    let row = case::get(c, &engine(), id).await?.ok_or(AppError::NotFound)?;
    let state = state_of(&row)?;
    let pack = office.pack_of(&row.pack).await?;
    let (org, rules) = (office.org().await?, office.rules(&pack)?);
    let spec = pack.procedures.get(&state.procedure).and_then(|p| p.steps.iter().find(|s| s.id == step));
    if spec.and_then(|s| s.opens.as_deref()) != Some(procedure) {
        return Err(AppError::refused(
            "C011",
            "その案件から、この手続は申請できません。案件の画面から進んでください。",
        ));
    }
    let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now: office.clock.now(), person };
    let link = decide::may_open(&state, &ctx, step).map_err(|r| refused(r, ""))?;
    Ok(Some(Opener { row, link }))
}

/// Records in the other case that its step opened this one.
pub(super) async fn link(
    c: &mut Conn<'_>,
    office: &Office,
    person: &str,
    from: Opener,
    child: &CaseState,
) -> Result<(), AppError> {
    let decision = |state: &CaseState, ctx: &Ctx<'_>| {
        decide::opened(state, ctx, &from.link.step, &child.id, &child.number).map_err(|r| refused(r, ""))
    };
    decide_and_keep(c, office, &from.row, person, decision).await
}

/// Tells the case whose step opened this one where this one stands now.
pub(super) async fn tell_opener(
    c: &mut Conn<'_>,
    office: &Office,
    child: &CaseState,
) -> Result<(), AppError> {
    let Some(parent) = &child.parent else { return Ok(()) };
    let Some(row) = case::get(c, &engine(), &parent.case).await? else { return Ok(()) };
    let decision = |state: &CaseState, ctx: &Ctx<'_>| {
        decide::child_moved(state, ctx, &child.id, child.status).map_err(|r| not_refusable(state, &r))
    };
    // A case may itself have been opened by another: that one is told in turn.
    Box::pin(decide_and_keep(c, office, &row, SYSTEM, decision)).await
}
