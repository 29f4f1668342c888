//! Stocktakings (棚卸): opened for a register and a unit, what was found, closed with what was not.

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, Viewer, args};

/// A stocktaking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StocktakingRow {
    /// Id.
    pub id: String,
    /// Register.
    pub register: String,
    /// Unit whose things are looked for, with those below it.
    pub unit: String,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: Instant,
    /// By when it is to be done.
    pub due_on: Date,
    /// Ledger entry of the opening.
    pub open_entry: String,
    /// How it ended; nothing while it runs.
    pub closed: Option<Closing>,
}

/// How a stocktaking ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Who closed it.
    pub by: String,
    /// When.
    pub at: Instant,
    /// How many things there were.
    pub total: i64,
    /// What was not found, JSON.
    pub missing: String,
    /// Ledger entry.
    pub entry: String,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRow {
    /// Row of the register.
    pub row_id: String,
    /// Who.
    pub person: String,
    /// When.
    pub at: Instant,
    /// Where, when it was not where the register says; empty otherwise.
    pub place: String,
    /// Ledger entry.
    pub entry: String,
}

const COLUMNS: &str = "id, register, unit, opened_by, opened_at, due_on, open_entry, closed_by, closed_at, total, missing, entry";

fn read(r: &Row) -> Result<StocktakingRow, StoreError> {
    let closed = match r.opt_instant(8)? {
        None => None,
        Some(at) => {
            Some(Closing { by: r.text(7)?, at, total: r.int(9)?, missing: r.text(10)?, entry: r.text(11)? })
        }
    };
    Ok(StocktakingRow {
        id: r.text(0)?,
        register: r.text(1)?,
        unit: r.text(2)?,
        opened_by: r.text(3)?,
        opened_at: r.instant(4)?,
        due_on: r.date(5)?,
        open_entry: r.text(6)?,
        closed,
    })
}

/// Opens one; tells whether none was running for that register and unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open(c: &mut Conn<'_>, s: &StocktakingRow) -> Result<bool, StoreError> {
    let n = c
        .exec(
            "INSERT INTO stocktaking (id, register, unit, opened_by, opened_at, due_on, open_entry, closed_by, closed_at, total, missing, entry)
             VALUES ($1, $2, $3, $4, $5, $6, $7, '', NULL, 0, '', '') ON CONFLICT (register, unit) WHERE closed_at IS NULL DO NOTHING",
            args![&s.id, &s.register, &s.unit, &s.opened_by, s.opened_at, s.due_on, &s.open_entry],
        )
        .await?;
    Ok(n == 1)
}

/// One by id.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, viewer: &Viewer, id: &str) -> Result<Option<StocktakingRow>, StoreError> {
    let mut a = args![id];
    let seen = viewer.unit_predicate("unit", &mut a);
    c.one(&format!("SELECT {COLUMNS} FROM stocktaking WHERE id = $1 AND {seen}"), a)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Those that a viewer sees, the running ones first, then the latest.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, viewer: &Viewer, limit: i64) -> Result<Vec<StocktakingRow>, StoreError> {
    let mut a = args![];
    let seen = viewer.unit_predicate("unit", &mut a);
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM stocktaking WHERE {seen} ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, opened_at DESC, id LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(read).collect()
}

/// Those that run for a register, as a viewer sees them.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn running(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    register: &str,
) -> Result<Vec<StocktakingRow>, StoreError> {
    let mut a = args![register];
    let seen = viewer.unit_predicate("unit", &mut a);
    let sql = format!(
        "SELECT {COLUMNS} FROM stocktaking WHERE register = $1 AND closed_at IS NULL AND {seen} ORDER BY opened_at, id"
    );
    c.all(&sql, a).await?.iter().map(read).collect()
}

/// Notes that a thing was found while the stocktaking runs; tells whether it was the first time.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn see(c: &mut Conn<'_>, id: &str, s: &SeenRow) -> Result<bool, StoreError> {
    let n = c
        .exec(
            "INSERT INTO stocktaking_seen (stocktaking, row_id, person, seen_at, place, entry)
             SELECT t.id, $2, $3, $4, $5, $6 FROM stocktaking t WHERE t.id = $1 AND t.closed_at IS NULL
             ON CONFLICT (stocktaking, row_id) DO NOTHING",
            args![id, &s.row_id, &s.person, s.at, &s.place, &s.entry],
        )
        .await?;
    Ok(n == 1)
}

/// What was found, the latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn seen(c: &mut Conn<'_>, id: &str) -> Result<Vec<SeenRow>, StoreError> {
    let sql = "SELECT row_id, person, seen_at, place, entry FROM stocktaking_seen WHERE stocktaking = $1 ORDER BY seen_at DESC, row_id";
    c.all(sql, args![id])
        .await?
        .iter()
        .map(|r| {
            Ok(SeenRow {
                row_id: r.text(0)?,
                person: r.text(1)?,
                at: r.instant(2)?,
                place: r.text(3)?,
                entry: r.text(4)?,
            })
        })
        .collect()
}

/// Ends one; tells whether it was running.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn close(c: &mut Conn<'_>, id: &str, how: &Closing) -> Result<bool, StoreError> {
    let n = c
        .exec(
            "UPDATE stocktaking SET closed_by = $2, closed_at = $3, total = $4, missing = $5, entry = $6 WHERE id = $1 AND closed_at IS NULL",
            args![id, &how.by, how.at, how.total, &how.missing, &how.entry],
        )
        .await?;
    Ok(n == 1)
}
