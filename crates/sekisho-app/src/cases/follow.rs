//! What a case takes note of when something it rests on changes elsewhere: the class or owner of an item, the posts of its steps.

use std::sync::Arc;

use sekisho_case::case::{CaseState, SYSTEM};
use sekisho_case::decide::{self, Ctx};
use sekisho_pack::model::Register;
use sekisho_store::Conn;
use sekisho_store::case::{self, CaseFilter};
use sekisho_store::register::RegisterRow;

use crate::cases::act::{folded, not_refusable};
use crate::cases::apply::item_of;
use crate::cases::store::{engine, keep, state_of};
use crate::error::AppError;
use crate::office::Office;

/// Cases about one row that are looked at; a thing is in few cases that have not ended.
const CASES_OF_ROW: i64 = 500;

/// After a register row changed: open cases about it follow. Before a permit decisions on the old class no longer count, after a permit
/// a review is opened (design §3, invariant 3).
pub(crate) async fn row_changed(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    row: &RegisterRow,
) -> Result<(), AppError> {
    let filter = CaseFilter { item: Some((r.id.clone(), row.id.clone())), ..CaseFilter::default() };
    let (rows, _) = case::list(c, &engine(), &filter, 0, CASES_OF_ROW).await?;
    for found in rows.iter().filter(|x| x.closed_at.is_none()) {
        let state = state_of(found)?;
        let pack = office.pack_of(&found.pack).await?;
        let (org, rules) = (office.org().await?, office.rules(&pack)?);
        let item = item_of("", r, row);
        let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now: office.clock.now(), person: SYSTEM };
        let acts = decide::reclassified(&state, &ctx, &item.key(), item.snapshot)
            .map_err(|e| not_refusable(&state, &e))?;
        let after = folded(state, &acts)?;
        keep(c, office, Some(found), &after, &acts).await?;
    }
    Ok(())
}

/// After the organization changed: open steps whose post was abolished or moved, or that had nobody to hold them, find their posts
/// anew. A new holder of the same post needs nothing.
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
            let decision = |state: &CaseState, ctx: &Ctx<'_>| {
                decide::refresh(state, ctx).map_err(|r| not_refusable(state, &r))
            };
            office.on_case(&row, SYSTEM, decision).await?;
        }
    }
    Ok(())
}
