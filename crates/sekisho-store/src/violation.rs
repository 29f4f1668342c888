//! Violations as intervals: what broke a check, from when until when, as it was known.

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Arg, Conn, StoreError, Viewer, args};

/// An interval, open while `closed_at` is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViolationRow {
    /// Id.
    pub id: String,
    /// Check.
    pub check: String,
    /// Pack version (hash) whose check it was.
    pub pack: String,
    /// Row that breaks it: `asset/<id>`, `case/<id>#return`, `unit/<code>`.
    pub row_key: String,
    /// Unit that owns the row.
    pub unit: String,
    /// What is wrong, for people.
    pub says: String,
    /// Path of the page that shows the row.
    pub link: String,
    /// When it was first known.
    pub opened_at: Instant,
    /// When it was known to be gone.
    pub closed_at: Option<Instant>,
    /// Ledger entry that caused it, or empty when time did.
    pub cause_entry: String,
}

const COLUMNS: &str = "id, check_id, pack, row_key, unit, says, link, opened_at, closed_at, cause_entry";

fn read(r: &crate::Row) -> Result<ViolationRow, StoreError> {
    Ok(ViolationRow {
        id: r.text(0)?,
        check: r.text(1)?,
        pack: r.text(2)?,
        row_key: r.text(3)?,
        unit: r.text(4)?,
        says: r.text(5)?,
        link: r.text(6)?,
        opened_at: r.instant(7)?,
        closed_at: r.opt_instant(8)?,
        cause_entry: r.text(9)?,
    })
}

/// Opens an interval.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open(c: &mut Conn<'_>, v: &ViolationRow) -> Result<(), StoreError> {
    c.exec(
        &format!("INSERT INTO violation ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
        args![
            &v.id,
            &v.check,
            &v.pack,
            &v.row_key,
            &v.unit,
            &v.says,
            &v.link,
            v.opened_at,
            v.closed_at,
            &v.cause_entry
        ],
    )
    .await?;
    Ok(())
}

/// Closes an interval.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn close(c: &mut Conn<'_>, id: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE violation SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL", args![id, at]).await?;
    Ok(())
}

/// Open intervals of a check: row key → interval id.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_rows(c: &mut Conn<'_>, check: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let rows = c
        .all("SELECT row_key, id FROM violation WHERE check_id = $1 AND closed_at IS NULL", args![check])
        .await?;
    rows.iter().map(|r| Ok((r.text(0)?, r.text(1)?))).collect()
}

/// Open intervals by check: check → row key → interval id.
pub type OpenByCheck = BTreeMap<String, BTreeMap<String, String>>;

/// Open intervals of all checks for one row key, or for a prefix of keys that ends in `%`.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_for(c: &mut Conn<'_>, like: &str) -> Result<OpenByCheck, StoreError> {
    // A range, not LIKE: it uses the index, and `_` in a key is just a character.
    let (key, a) = match like.strip_suffix('%') {
        Some(prefix) => ("row_key >= $1 AND row_key < $2", args![prefix, format!("{prefix}{}", char::MAX)]),
        None => ("row_key = $1", args![like]),
    };
    let sql = format!("SELECT check_id, row_key, id FROM violation WHERE {key} AND closed_at IS NULL");
    let mut open = OpenByCheck::new();
    for r in c.all(&sql, a).await? {
        open.entry(r.text(0)?).or_default().insert(r.text(1)?, r.text(2)?);
    }
    Ok(open)
}

/// How many rows break each check as it was known at a moment.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn counts(c: &mut Conn<'_>, at: Instant) -> Result<BTreeMap<String, i64>, StoreError> {
    // Two ranges of one index: for the present moment the second is empty, however long the history.
    let sql = "SELECT check_id, COUNT(*) FROM (
                   SELECT check_id FROM violation WHERE closed_at IS NULL AND opened_at <= $1
                   UNION ALL SELECT check_id FROM violation WHERE closed_at > $1 AND opened_at <= $1) t GROUP BY check_id";
    c.all(sql, args![at]).await?.iter().map(|r| Ok((r.text(0)?, r.int(1)?))).collect()
}

/// The same by check and unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn counts_by_unit(
    c: &mut Conn<'_>,
    at: Instant,
) -> Result<BTreeMap<(String, String), i64>, StoreError> {
    let sql = "SELECT check_id, unit, COUNT(*) FROM (
                   SELECT check_id, unit FROM violation WHERE closed_at IS NULL AND opened_at <= $1
                   UNION ALL SELECT check_id, unit FROM violation WHERE closed_at > $1 AND opened_at <= $1) t GROUP BY check_id, unit";
    let rows = c.all(sql, args![at]).await?;
    rows.iter().map(|r| Ok(((r.text(0)?, r.text(1)?), r.int(2)?))).collect()
}

/// Intervals of a check that a viewer may see, open ones first, newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    check: &str,
    limit: i64,
) -> Result<Vec<ViolationRow>, StoreError> {
    let mut a = args![check];
    let seen = viewer.unit_predicate("unit", &mut a);
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM violation WHERE check_id = $1 AND {seen} ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, opened_at DESC, id LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(read).collect()
}

/// Checks of one query of [`open_of_each`]: SQLite reads no more than 500 queries in one.
const ARMS: usize = 200;

/// Open intervals of several checks that a viewer may see, the newest first, at most `each` of any check. One query for all of them that
/// walks the index of each: what one check finds by the thousand is not read.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_of_each(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    checks: &[String],
    each: i64,
) -> Result<Vec<ViolationRow>, StoreError> {
    let mut found = Vec::new();
    for some in checks.chunks(ARMS) {
        let mut a = args![each];
        let seen = viewer.unit_predicate("unit", &mut a);
        let arm = |check: &String| {
            a.push(Arg::from(check));
            format!(
                "SELECT * FROM (SELECT {COLUMNS} FROM violation WHERE check_id = ${} AND closed_at IS NULL AND {seen} ORDER BY opened_at DESC, id LIMIT $1) t",
                a.len()
            )
        };
        let sql = some.iter().map(arm).collect::<Vec<_>>().join(" UNION ALL ");
        let rows = c.all_once(&sql, a).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_by(|x, y| (y.opened_at, &x.id).cmp(&(x.opened_at, &y.id)));
    Ok(found)
}

/// One interval.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<ViolationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM violation WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// When the first interval was opened.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn first_opened(c: &mut Conn<'_>) -> Result<Option<Instant>, StoreError> {
    let row = c.one("SELECT MIN(opened_at) FROM violation", vec![]).await?;
    row.map_or(Ok(None), |r| r.opt_instant(0))
}

/// When a check last ran and over how many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Pack version.
    pub pack: String,
    /// When.
    pub ran_at: Instant,
    /// Rows it looked at; none is `unknown`.
    pub looked_at: i64,
    /// Rows that will break it soon (注意).
    pub due_rows: i64,
}

/// Notes a run.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_run(c: &mut Conn<'_>, check: &str, run: &RunRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO check_run (check_id, pack, ran_at, looked_at, due_rows) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (check_id) DO UPDATE SET pack = excluded.pack, ran_at = excluded.ran_at, looked_at = excluded.looked_at, due_rows = excluded.due_rows",
        args![check, &run.pack, run.ran_at, run.looked_at, run.due_rows],
    )
    .await?;
    Ok(())
}

/// Notes that a part of each of these checks ran: later than its last full run, over the same rows.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn touch_runs(
    c: &mut Conn<'_>,
    checks: &[&str],
    pack: &str,
    at: Instant,
) -> Result<(), StoreError> {
    if checks.is_empty() {
        return Ok(());
    }
    let mut a = args![pack, at];
    let mut rows = Vec::with_capacity(checks.len());
    for check in checks {
        a.push((*check).into());
        rows.push(format!("(${}, $1, $2, 1, 0)", a.len()));
    }
    let sql = format!(
        "INSERT INTO check_run (check_id, pack, ran_at, looked_at, due_rows) VALUES {}
         ON CONFLICT (check_id) DO UPDATE SET ran_at = excluded.ran_at, looked_at = CASE WHEN check_run.looked_at = 0 THEN 1 ELSE check_run.looked_at END",
        rows.join(", ")
    );
    c.exec(&sql, a).await?;
    Ok(())
}

/// Every check's last run.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn runs(c: &mut Conn<'_>) -> Result<BTreeMap<String, RunRow>, StoreError> {
    let rows = c.all("SELECT check_id, pack, ran_at, looked_at, due_rows FROM check_run", vec![]).await?;
    rows.iter()
        .map(|r| {
            Ok((
                r.text(0)?,
                RunRow { pack: r.text(1)?, ran_at: r.instant(2)?, looked_at: r.int(3)?, due_rows: r.int(4)? },
            ))
        })
        .collect()
}

/// Open intervals of one row, over all checks.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_of_row(c: &mut Conn<'_>, row_key: &str) -> Result<Vec<ViolationRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM violation WHERE row_key = $1 AND closed_at IS NULL ORDER BY check_id");
    c.all(&sql, args![row_key]).await?.iter().map(read).collect()
}
