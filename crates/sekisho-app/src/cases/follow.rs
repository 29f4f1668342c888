//! What a case takes note of when something it rests on changes elsewhere: the class or owner of an item, the posts of its steps.

use std::sync::Arc;

use sekisho_base::Date;
use sekisho_case::case::{CaseState, SYSTEM};
use sekisho_case::decide::{self, Ctx};
use sekisho_pack::model::Register;
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::register::RegisterRow;
use sekisho_store::{Conn, org, setting};

use crate::cases::act::not_refusable;
use crate::cases::items::item_of;
use crate::cases::store::{decide_and_keep, engine, state_of};
use crate::error::AppError;
use crate::office::Office;

/// Cases about one row that are looked at; a thing is in few cases that have not ended.
const CASES_OF_ROW: i64 = 500;

/// The cause of a row's change that a case made.
pub(super) fn case_cause(number: &str) -> String {
    format!("case:{number}")
}

/// After a register row changed: open cases about it follow. Before a permit decisions on the old class no longer count, after a permit
/// a review is opened (design §3, invariant 3).
pub(crate) async fn row_changed(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    row: &RegisterRow,
    cause: &str,
) -> Result<(), AppError> {
    let filter = CaseFilter { item: Some((r.id.clone(), row.id.clone())), ..CaseFilter::default() };
    let (rows, _) = case::list(c, &engine(), &filter, 0, CASES_OF_ROW).await?;
    // The case that changes the row was decided on what the row was.
    let own = |x: &CaseRow| cause == case_cause(&x.number);
    for found in rows.iter().filter(|x| x.closed_at.is_none() && !own(x)) {
        let item = item_of("", r, row);
        let decision = |state: &CaseState, ctx: &Ctx<'_>| {
            decide::reclassified(state, ctx, &item.key(), item.snapshot).map_err(|e| not_refusable(state, &e))
        };
        decide_and_keep(c, office, found, SYSTEM, decision).await?;
    }
    Ok(())
}

/// After the organization changed: open steps whose post was abolished or moved, that had nobody to hold them, or whose turn an absence
/// changed, find their posts anew. A new holder of the same post needs nothing.
pub(crate) async fn organization_changed(office: &Arc<Office>) -> Result<(), AppError> {
    let procedures: Vec<String> = office.pack().procedures.keys().cloned().collect();
    for procedure in procedures {
        let open = office
            .store
            .read(move |c| {
                Box::pin(async move { case::all_open(c, &procedure).await.map_err(AppError::from) })
            })
            .await?;
        for row in open {
            // Most cases stay as they are: only the others are written.
            if refreshed(office, &row).await? {
                let decision = |state: &CaseState, ctx: &Ctx<'_>| {
                    decide::refresh(state, ctx).map_err(|r| not_refusable(state, &r))
                };
                office.on_case(&row, SYSTEM, decision).await?;
            }
        }
    }
    Ok(())
}

/// Whether the organization of today gives a case other posts or turns.
async fn refreshed(office: &Office, row: &CaseRow) -> Result<bool, AppError> {
    let state = state_of(row)?;
    let pack = office.pack_of(&row.pack).await?;
    let (org, rules) = (office.org().await?, office.rules(&pack)?);
    let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now: office.clock.now(), person: SYSTEM };
    let acts = decide::refresh(&state, &ctx).map_err(|e| not_refusable(&state, &e))?;
    Ok(!acts.is_empty())
}

/// Setting with the last day whose organization the open cases follow.
const FOLLOWED: &str = "org.followed";

/// When a day has turned on which an appointment, absence or delegation begins or ends: the open cases follow.
pub(super) async fn day_turned(office: &Arc<Office>) -> Result<(), AppError> {
    let today = office.clock.today();
    let (known, turned) = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let known = setting::get(c, FOLLOWED).await?.and_then(|d| d.parse::<Date>().ok());
                let turned = match known {
                    Some(day) if day == today => false,
                    Some(day) => org::turned(c, day, today).await?,
                    None => true,
                };
                Ok::<_, AppError>((known, turned))
            })
        })
        .await?;
    if known == Some(today) {
        return Ok(());
    }
    if turned {
        organization_changed(office).await?;
    }
    office
        .store
        .write(move |c| {
            Box::pin(
                async move { setting::set(c, FOLLOWED, &today.to_string()).await.map_err(AppError::from) },
            )
        })
        .await
}
