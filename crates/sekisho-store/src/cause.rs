//! What opened a case that nobody applied for: one open case at a time for each thing that is to be put right.

use sekisho_base::Date;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// Where `o`'s thing has no case under way: never had one, or had one that ended while it lasted.
const NONE_UNDER_WAY: &str = "NOT EXISTS (SELECT 1 FROM case_cause k JOIN case_file f ON f.id = k.case_id \
     WHERE k.cause = $1 AND k.violation = o.id AND f.closed_at IS NULL)";

/// Open intervals of a check for which a cause has no case under way, oldest first: their ids.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn violations(
    c: &mut Conn<'_>,
    cause: &str,
    check: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT o.id FROM violation o WHERE o.check_id = $2 AND o.closed_at IS NULL AND {NONE_UNDER_WAY} ORDER BY o.opened_at, o.id LIMIT $3"
    );
    c.all(&sql, args![cause, check, limit]).await?.iter().map(|r| r.text(0)).collect()
}

/// Occurrences of a duty past their due date for which a cause has no case under way, those due first before the others:
/// their ids.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn late_duties(
    c: &mut Conn<'_>,
    cause: &str,
    duty: &str,
    today: Date,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT o.id FROM duty_occurrence o WHERE o.duty = $2 AND o.closed_at IS NULL AND o.due_on < $3 AND {NONE_UNDER_WAY} ORDER BY o.due_on, o.id LIMIT $4"
    );
    c.all(&sql, args![cause, duty, today, limit]).await?.iter().map(|r| r.text(0)).collect()
}

/// The case that a cause opened last for a thing, if it ever did.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn last_case(c: &mut Conn<'_>, cause: &str, thing: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT case_id FROM case_cause WHERE cause = $1 AND violation = $2";
    c.one(sql, args![cause, thing]).await?.map(|r| r.text(0)).transpose()
}

/// Takes a thing for a new case; tells whether it was free. Another node that was faster has it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn take(c: &mut Conn<'_>, cause: &str, thing: &str, case_id: &str) -> Result<bool, StoreError> {
    let taken = c
        .exec(
            "INSERT INTO case_cause (cause, violation, case_id) VALUES ($1, $2, $3)
             ON CONFLICT (cause, violation) DO UPDATE SET case_id = excluded.case_id
             WHERE EXISTS (SELECT 1 FROM case_file f WHERE f.id = case_cause.case_id AND f.closed_at IS NOT NULL)",
            args![cause, thing, case_id],
        )
        .await?;
    Ok(taken > 0)
}
