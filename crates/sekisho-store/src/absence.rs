//! Absences (不在): dated, with who recorded them; a cancelled one is kept.

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::{Row, marks};
use crate::{Conn, StoreError, args, org};

/// A stretch of absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenceRow {
    /// Id.
    pub id: String,
    /// Person number.
    pub person: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
    /// Kind, as the pack names it.
    pub kind: String,
    /// What the person noted; may be empty.
    pub note: String,
    /// Who recorded it; empty for what was there before authors were kept.
    pub by: String,
    /// When it was recorded.
    pub at: Option<Instant>,
    /// Who cancelled it, and when.
    pub cancelled: Option<(String, Instant)>,
}

const COLUMNS: &str =
    "id, person, valid_from, valid_until, kind, reason, by_person, recorded_at, cancelled_by, cancelled_at";

fn read(r: &Row) -> Result<AbsenceRow, StoreError> {
    let at = match r.text(7)? {
        t if t.is_empty() => None,
        t => Some(t.parse().map_err(|e| StoreError::Corrupt("absence", format!("{e}")))?),
    };
    Ok(AbsenceRow {
        id: r.text(0)?,
        person: r.text(1)?,
        from: r.date(2)?,
        until: r.date(3)?,
        kind: r.text(4)?,
        note: r.text(5)?,
        by: r.text(6)?,
        at,
        cancelled: r.opt_text(8)?.zip(r.opt_instant(9)?),
    })
}

/// Records an absence.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn add(c: &mut Conn<'_>, a: &AbsenceRow) -> Result<(), StoreError> {
    let (cancelled_by, cancelled_at) = a.cancelled.clone().unzip();
    let at = a.at.map(|at| at.to_string()).unwrap_or_default();
    c.exec(
        "INSERT INTO absence (id, person, valid_from, valid_until, kind, reason, by_person, recorded_at, cancelled_by, cancelled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![&a.id, &a.person, a.from, a.until, &a.kind, &a.note, &a.by, at, cancelled_by, cancelled_at],
    )
    .await?;
    org::changed(c).await
}

/// Marks an absence as cancelled.
///
/// # Errors
/// [`StoreError::Conflict`] when it is not there or was cancelled before.
#[boxed]
pub async fn cancel(c: &mut Conn<'_>, id: &str, by: &str, at: Instant) -> Result<(), StoreError> {
    let sql =
        "UPDATE absence SET cancelled_by = $1, cancelled_at = $2 WHERE id = $3 AND cancelled_at IS NULL";
    if c.exec(sql, args![by, at, id]).await? == 0 {
        return Err(StoreError::Conflict(format!("absence {id}")));
    }
    org::changed(c).await
}

/// One absence.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<AbsenceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM absence WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Absences that are not cancelled and not over before a day: what the in-memory organization needs.
///
/// # Errors
/// The database failed.
pub(crate) async fn current(c: &mut Conn<'_>, since: Date) -> Result<Vec<AbsenceRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM absence WHERE valid_until >= $1 AND cancelled_at IS NULL ORDER BY id");
    c.all(&sql, args![since]).await?.iter().map(read).collect()
}

/// Absences of these people that are not over before a day, cancelled ones too, in order of their first day.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_people(
    c: &mut Conn<'_>,
    people: &[String],
    since: Date,
    limit: i64,
) -> Result<Vec<AbsenceRow>, StoreError> {
    let mut a = args![since];
    let people = marks(people, &mut a);
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM absence WHERE valid_until >= $1 AND person IN ({people})
         ORDER BY valid_from, person, id LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(read).collect()
}
