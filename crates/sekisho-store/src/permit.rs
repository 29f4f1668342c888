//! Permits that ended before their last day. Rows follow the case's folded state; nothing is decided from them but the list of the day.

use sekisho_base::Date;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// A permit that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndRow {
    /// Case.
    pub case_id: String,
    /// Number of the permit.
    pub number: String,
    /// Its last day.
    pub until: Date,
    /// Code of how it ended.
    pub how: String,
}

/// Notes how a permit ended, or that it ended otherwise than noted.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn ended(c: &mut Conn<'_>, r: &EndRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO permit_end (case_id, number, until, how) VALUES ($1, $2, $3, $4)
         ON CONFLICT (case_id) DO UPDATE SET number = excluded.number, until = excluded.until, how = excluded.how",
        args![&r.case_id, &r.number, r.until, &r.how],
    )
    .await?;
    Ok(())
}

/// Permits that ended and whose last day is on or after a day, up to a limit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn since(c: &mut Conn<'_>, day: Date, limit: i64) -> Result<Vec<EndRow>, StoreError> {
    let sql = "SELECT case_id, number, until, how FROM permit_end WHERE until >= $1 ORDER BY until, case_id LIMIT $2";
    let rows = c.all(sql, args![day, limit]).await?;
    rows.iter()
        .map(|r| Ok(EndRow { case_id: r.text(0)?, number: r.text(1)?, until: r.date(2)?, how: r.text(3)? }))
        .collect()
}

/// Folded states of cases that may hold a permit, by id after a given one: for the one time that rows of before are filled in.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn states_after(
    c: &mut Conn<'_>,
    id: &str,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT id, state FROM case_file WHERE id > $1 AND status IN ('in_force', 'revoked', 'closed') ORDER BY id LIMIT $2";
    c.all(sql, args![id, limit]).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?))).collect()
}
