//! Counts and lists over a period, for reports. A period is from a moment on and before another.

use std::collections::BTreeMap;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// What happened between two moments, by name.
pub type Counts = BTreeMap<String, i64>;

async fn counts(c: &mut Conn<'_>, sql: &str, from: Instant, before: Instant) -> Result<Counts, StoreError> {
    c.all(sql, args![from, before]).await?.iter().map(|r| Ok((r.text(0)?, r.int(1)?))).collect()
}

/// Cases that began and that ended, by procedure.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn cases(c: &mut Conn<'_>, from: Instant, before: Instant) -> Result<(Counts, Counts), StoreError> {
    let began = "SELECT procedure, COUNT(*) FROM case_file WHERE opened_at >= $1 AND opened_at < $2 GROUP BY procedure";
    let ended = "SELECT procedure, COUNT(*) FROM case_file WHERE closed_at >= $1 AND closed_at < $2 GROUP BY procedure";
    Ok((counts(c, began, from, before).await?, counts(c, ended, from, before).await?))
}

/// Violations that began and that ended, by check.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn violations(
    c: &mut Conn<'_>,
    from: Instant,
    before: Instant,
) -> Result<(Counts, Counts), StoreError> {
    let began =
        "SELECT check_id, COUNT(*) FROM violation WHERE opened_at >= $1 AND opened_at < $2 GROUP BY check_id";
    let ended =
        "SELECT check_id, COUNT(*) FROM violation WHERE closed_at >= $1 AND closed_at < $2 GROUP BY check_id";
    Ok((counts(c, began, from, before).await?, counts(c, ended, from, before).await?))
}

/// Open cases past a due date on a day.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn late_cases(c: &mut Conn<'_>, day: Date) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM case_file WHERE closed_at IS NULL AND due <> '' AND due < $1";
    c.count(sql, args![day]).await
}

/// Ids of a procedure's cases that began in a period, in their order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn case_ids(
    c: &mut Conn<'_>,
    procedure: &str,
    from: Instant,
    before: Instant,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT id FROM case_file WHERE procedure = $1 AND opened_at >= $2 AND opened_at < $3 ORDER BY opened_at, id LIMIT $4";
    c.all(sql, args![procedure, from, before, limit]).await?.iter().map(|r| r.text(0)).collect()
}

/// One violation as a report tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// What is wrong.
    pub says: String,
    /// Unit.
    pub unit: String,
    /// When it was first known.
    pub opened_at: Instant,
    /// When it was known to be gone.
    pub closed_at: Option<Instant>,
    /// Ledger entry that caused it, or empty when time did.
    pub entry: String,
}

/// A check's violations that lasted at some time of a period.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn intervals(
    c: &mut Conn<'_>,
    check: &str,
    from: Instant,
    before: Instant,
    limit: i64,
) -> Result<Vec<Interval>, StoreError> {
    let sql = "SELECT says, unit, opened_at, closed_at, cause_entry FROM violation
               WHERE check_id = $1 AND opened_at < $3 AND (closed_at IS NULL OR closed_at >= $2) ORDER BY opened_at, id LIMIT $4";
    let rows = c.all(sql, args![check, from, before, limit]).await?;
    rows.iter()
        .map(|r| {
            Ok(Interval {
                says: r.text(0)?,
                unit: r.text(1)?,
                opened_at: r.instant(2)?,
                closed_at: r.opt_instant(3)?,
                entry: r.text(4)?,
            })
        })
        .collect()
}
