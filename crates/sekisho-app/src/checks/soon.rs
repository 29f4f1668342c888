//! What is about to break a check: the rows behind 注意, looked up when somebody asks. Nothing of it is kept, for it changes every day.

use sekisho_base::Date;
use sekisho_base::table::TableSpec;
use sekisho_pack::model::{Check, CheckRule, Pack};
use sekisho_store::case::InboxRow;
use sekisho_store::register::CheckedRow;
use sekisho_store::{Conn, StoreError, case, register};

use super::before;
use crate::error::AppError;
use crate::registers::table_spec;

/// How long before it breaks a row counts as 注意.
const SOON_DAYS: i64 = 30;
/// How long before its due date a step counts as 注意.
const SOON_STEP_DAYS: i64 = 3;

/// Rows that become too old before long: their day in a column is at `cutoff` or soon after.
pub(super) async fn stale_soon(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    column: &str,
    cutoff: Date,
) -> Result<Vec<CheckedRow>, StoreError> {
    let predicate = format!("r.c_{column} >= $1 AND r.c_{column} < $2");
    register::matching(c, spec, &predicate, vec![cutoff.into(), cutoff.plus_days(SOON_DAYS).into()], None)
        .await
}

/// The due date of a task that is late before long.
pub(super) fn due_before_long(t: &InboxRow, today: Date) -> Option<Date> {
    t.task.due.filter(|d| *d >= today && *d <= today.plus_days(SOON_STEP_DAYS))
}

/// A row that breaks a check before long.
pub(crate) struct Soon {
    /// Unit that owns it.
    pub unit: String,
    /// What is about to be wrong.
    pub says: String,
    /// Where it is seen.
    pub link: String,
}

/// The rows that a full evaluation counts as due, for all units.
///
/// # Errors
/// The database failed.
pub(crate) async fn due_soon(
    c: &mut Conn<'_>,
    pack: &Pack,
    check: &Check,
    today: Date,
) -> Result<Vec<Soon>, AppError> {
    match &check.rule {
        CheckRule::Stale { register: id, column, after } => {
            let Some(r) = pack.registers.get(id) else { return Ok(vec![]) };
            let label = r.columns.iter().find(|k| k.id == *column).map_or(column, |k| &k.label);
            let rows = stale_soon(c, &table_spec(r), column, before(today, *after)).await?;
            let told = rows.into_iter().map(|row| Soon {
                unit: row.unit,
                says: format!("{} {}：「{label}」がまもなく古くなります", row.key, row.name),
                link: format!("/registers/{id}/{}", row.id),
            });
            Ok(told.collect())
        }
        CheckRule::Overdue { procedure, step } => {
            let tasks = case::tasks_of(c, procedure, step.as_deref()).await?;
            let told = tasks.into_iter().filter_map(|t| {
                let due = due_before_long(&t, today)?;
                let says =
                    format!("{} {}：{}の期限は{}です", t.number, t.case_title, t.task.title, due.japanese());
                Some(Soon { unit: t.unit, says, link: format!("/cases/{}", t.task.case_id) })
            });
            Ok(told.collect())
        }
        _ => Ok(vec![]),
    }
}
