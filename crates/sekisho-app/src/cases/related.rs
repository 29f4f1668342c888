//! Cases that belong together: one that a step of another opens, and those that a check opens by itself.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_case::case::{CaseState, Cause, Parent, SYSTEM, fold};
use sekisho_case::decide::{self, Ctx, Draft, Opening, case_number};
use sekisho_store::case::{self, CaseRow};
use sekisho_store::violation::{self, ViolationRow};
use sekisho_store::{Conn, setting};

use crate::cases::act::not_refusable;
use crate::cases::apply::refused;
use crate::cases::store::{decide_and_keep, engine, keep, state_of};
use crate::error::AppError;
use crate::office::Office;

/// Name of the form field that carries the case and the step from which somebody applies: `case/step`.
pub(super) const FIELD: &str = "parent";
/// Cases that one check opens in one run; the rest follow with the next.
const AT_ONCE: i64 = 100;

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

/// Opens a case for each row that breaks a check which opens cases, once for each time it breaks.
///
/// # Errors
/// The database failed.
pub async fn open_from_checks(office: &Arc<Office>) -> Result<(), AppError> {
    let pack = office.pack();
    let body = office
        .directory()
        .await?
        .rows()
        .units
        .iter()
        .find(|u| u.kind == "body")
        .map(|u| u.code.clone())
        .unwrap_or_default();
    for p in pack.procedures.values() {
        for cause in &p.opened_by {
            let Some(check) = cause.strip_prefix("check:") else { continue };
            let (org, rules) = (office.org().await?, office.rules(&pack)?);
            let (office, pack, body) = (Arc::clone(office), Arc::clone(&pack), body.clone());
            let (procedure, cause, check) = (p.id.clone(), cause.clone(), check.to_owned());
            office
                .store
                .clone()
                .write(move |c| {
                    Box::pin(async move {
                        for v in violation::without_case(c, &cause, &check, AT_ONCE).await? {
                            let now = office.clock.now();
                            let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now, person: SYSTEM };
                            open_one(c, &office, &ctx, &procedure, &cause, &body, &v, now).await?;
                        }
                        Ok::<_, AppError>(())
                    })
                })
                .await?;
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one private step of the loop above, split for reading")]
async fn open_one(
    c: &mut Conn<'_>,
    office: &Office,
    ctx: &Ctx<'_>,
    procedure: &str,
    cause: &str,
    body: &str,
    v: &ViolationRow,
    now: Instant,
) -> Result<(), AppError> {
    let Some(p) = ctx.pack.procedures.get(procedure) else { return Ok(()) };
    let sequence = setting::next(c, &format!("number:{procedure}:{}", now.date().fiscal_year())).await?;
    let opening = Opening {
        case: office.new_id()?.to_string(),
        number: case_number(&p.number, now.date(), u32::try_from(sequence).unwrap_or(0)),
        unit: if v.unit.is_empty() { body.to_owned() } else { v.unit.clone() },
        cause: Cause { by: cause.to_owned(), row: v.row_key.clone(), says: v.says.clone() },
        draft: Draft::default(),
    };
    let id = opening.case.clone();
    let acts = decide::open_without_applicant(procedure, ctx, opening)
        .map_err(|r| AppError::internal(format!("{procedure}: {}", r.message)))?;
    let state = fold(&acts).map_err(AppError::internal)?;
    keep(c, office, None, &state, &acts).await?;
    violation::case_opened(c, cause, &v.id, &id).await?;
    Ok(())
}
