//! Occurrences of duties: when each arose, when it is due, and the record with which it was done.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::marks;
use crate::{Arg, Conn, Row, StoreError, Viewer, args};

/// A day after every other: a record that counts for ever.
pub const FOR_EVER: &str = "9999-12-31";

/// One occurrence, open while `closed_at` is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccurrenceRow {
    /// Id.
    pub id: String,
    /// Duty.
    pub duty: String,
    /// Pack version (hash): of the day it arose, and once it is done of the day of the record.
    pub pack: String,
    /// Unit in which it is to be done.
    pub unit: String,
    /// Person it is about, for duties that an event raises; or empty.
    pub subject: String,
    /// What tells occurrences of a duty, unit and subject apart: first day of the period, or the day of the event.
    pub period: String,
    /// Day it arose.
    pub opens_on: Date,
    /// Due date.
    pub due_on: Date,
    /// When it was made.
    pub created_at: Instant,
    /// Ledger entry that made it.
    pub open_entry: String,
    /// Reminders sent.
    pub reminded: i64,
    /// Roles above the holder that were told that it is late.
    pub escalated: i64,
    /// Day on which it is looked at again; nothing once it is closed or there is nothing more to say.
    pub next_change_on: Option<Date>,
    /// When it was done or fell away.
    pub closed_at: Option<Instant>,
    /// done, void, or empty while it is open.
    pub outcome: String,
    /// Who did it.
    pub done_by: String,
    /// Role in which it was done.
    pub done_role: String,
    /// 本人, 代決 …
    pub capacity: String,
    /// Evidence by field, as JSON; for a void one the reason.
    pub evidence: String,
    /// Last day on which the record counts; nothing while it is open.
    pub valid_until: Option<Date>,
    /// Ledger entry of the record, or empty.
    pub entry: String,
}

const COLUMNS: &str = "id, duty, pack, unit, subject, period, opens_on, due_on, created_at, open_entry, reminded, escalated, next_change_on, closed_at, outcome, done_by, done_role, capacity, evidence, valid_until, entry";

fn read(r: &Row) -> Result<OccurrenceRow, StoreError> {
    Ok(OccurrenceRow {
        id: r.text(0)?,
        duty: r.text(1)?,
        pack: r.text(2)?,
        unit: r.text(3)?,
        subject: r.text(4)?,
        period: r.text(5)?,
        opens_on: r.date(6)?,
        due_on: r.date(7)?,
        created_at: r.instant(8)?,
        open_entry: r.text(9)?,
        reminded: r.int(10)?,
        escalated: r.int(11)?,
        next_change_on: r.opt_date(12)?,
        closed_at: r.opt_instant(13)?,
        outcome: r.text(14)?,
        done_by: r.text(15)?,
        done_role: r.text(16)?,
        capacity: r.text(17)?,
        evidence: r.text(18)?,
        valid_until: r.opt_date(19)?,
        entry: r.text(20)?,
    })
}

/// A date, or the empty text that sorts before every date.
fn or_empty(d: Option<Date>) -> String {
    d.map(|d| d.to_string()).unwrap_or_default()
}

/// The first day on which each duty was known.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn since(c: &mut Conn<'_>) -> Result<BTreeMap<String, Date>, StoreError> {
    let rows = c.all("SELECT duty, since FROM duty_since", vec![]).await?;
    rows.iter().map(|r| Ok((r.text(0)?, r.date(1)?))).collect()
}

/// Notes the first day of a duty; a later call changes nothing.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_since(c: &mut Conn<'_>, duty: &str, day: Date) -> Result<(), StoreError> {
    let sql = "INSERT INTO duty_since (duty, since) VALUES ($1, $2) ON CONFLICT (duty) DO NOTHING";
    c.exec(sql, args![duty, day]).await.map(|_| ())
}

/// Adds an occurrence.
///
/// # Errors
/// The database failed, or there is one of the same duty, unit, subject and period.
#[boxed]
pub async fn add(c: &mut Conn<'_>, o: &OccurrenceRow) -> Result<(), StoreError> {
    let values: Vec<String> = (1..=21).map(|n| format!("${n}")).collect();
    c.exec(
        &format!("INSERT INTO duty_occurrence ({COLUMNS}) VALUES ({})", values.join(", ")),
        args![
            &o.id,
            &o.duty,
            &o.pack,
            &o.unit,
            &o.subject,
            &o.period,
            o.opens_on,
            o.due_on,
            o.created_at,
            &o.open_entry,
            o.reminded,
            o.escalated,
            or_empty(o.next_change_on),
            o.closed_at,
            &o.outcome,
            &o.done_by,
            &o.done_role,
            &o.capacity,
            &o.evidence,
            or_empty(o.valid_until),
            &o.entry
        ],
    )
    .await
    .map(|_| ())
}

/// Writes what changes in the life of an open occurrence: reminders, escalation, and how it ended.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody closed it meanwhile.
#[boxed]
pub async fn update(c: &mut Conn<'_>, o: &OccurrenceRow) -> Result<(), StoreError> {
    let changed = c
        .exec(
            "UPDATE duty_occurrence SET pack = $2, reminded = $3, escalated = $4, next_change_on = $5, closed_at = $6, outcome = $7, done_by = $8, done_role = $9, capacity = $10, evidence = $11, valid_until = $12, entry = $13 WHERE id = $1 AND closed_at IS NULL",
            args![
                &o.id,
                &o.pack,
                o.reminded,
                o.escalated,
                or_empty(o.next_change_on),
                o.closed_at,
                &o.outcome,
                &o.done_by,
                &o.done_role,
                &o.capacity,
                &o.evidence,
                or_empty(o.valid_until),
                &o.entry
            ],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("duty_occurrence".to_owned())) }
}

/// One occurrence.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<OccurrenceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM duty_occurrence WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Units and subjects that have an occurrence of a duty in a period.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn made(
    c: &mut Conn<'_>,
    duty: &str,
    period: &str,
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let sql = "SELECT unit, subject FROM duty_occurrence WHERE duty = $1 AND period = $2";
    c.all(sql, args![duty, period]).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?))).collect()
}

/// Open occurrences to be looked at by a day: something falls due, is to be told, or is late.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn to_look_at(c: &mut Conn<'_>, day: Date, limit: i64) -> Result<Vec<OccurrenceRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM duty_occurrence WHERE next_change_on > '' AND next_change_on <= $1 AND closed_at IS NULL ORDER BY next_change_on, id LIMIT $2"
    );
    c.all(&sql, args![day, limit]).await?.iter().map(read).collect()
}

/// Every open occurrence's id, duty and unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn all_open(c: &mut Conn<'_>) -> Result<Vec<(String, String, String)>, StoreError> {
    let sql = "SELECT id, duty, unit FROM duty_occurrence WHERE closed_at IS NULL ORDER BY id";
    c.all(sql, vec![]).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?, r.text(2)?))).collect()
}

/// Which occurrences a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OccurrenceFilter {
    /// Of these duties; nothing is all.
    pub duties: Option<Vec<String>>,
    /// In these units; nothing is all.
    pub units: Option<Vec<String>>,
    /// Still open only.
    pub open: bool,
    /// Told to a role above only.
    pub escalated: bool,
    /// Due on or before this day only.
    pub due_by: Option<Date>,
    /// Due on or after this day only.
    pub due_from: Option<Date>,
}

/// Occurrences that a viewer may see, open ones first, those due first before the others; and how many there are.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    f: &OccurrenceFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<OccurrenceRow>, i64), StoreError> {
    let mut a: Vec<Arg> = vec![];
    let mut tests = vec![viewer.unit_predicate("unit", &mut a)];
    if let Some(duties) = &f.duties {
        tests.push(format!("duty IN ({})", marks(duties, &mut a)));
    }
    if let Some(units) = &f.units {
        tests.push(format!("unit IN ({})", marks(units, &mut a)));
    }
    if f.open {
        tests.push("closed_at IS NULL".to_owned());
    }
    if f.escalated {
        tests.push("escalated > 0".to_owned());
    }
    if let Some(day) = f.due_by {
        a.push(day.into());
        tests.push(format!("due_on <= ${}", a.len()));
    }
    if let Some(day) = f.due_from {
        a.push(day.into());
        tests.push(format!("due_on >= ${}", a.len()));
    }
    let tests = tests.join(" AND ");
    let total = c.count(&format!("SELECT COUNT(*) FROM duty_occurrence WHERE {tests}"), a.clone()).await?;
    a.push(limit.into());
    a.push(offset.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM duty_occurrence WHERE {tests} ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, due_on, duty, unit, id LIMIT ${} OFFSET ${}",
        a.len() - 1,
        a.len()
    );
    let rows = c.all(&sql, a).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok((rows, total))
}

/// Records of duties that a viewer may see, those of the latest periods first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn done_of(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    duties: &[String],
    limit: i64,
) -> Result<Vec<OccurrenceRow>, StoreError> {
    let mut a: Vec<Arg> = vec![];
    let duties = marks(duties, &mut a);
    let seen = viewer.unit_predicate("unit", &mut a);
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM duty_occurrence WHERE duty IN ({duties}) AND outcome = 'done' AND {seen} ORDER BY due_on DESC, unit, id LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(read).collect()
}

/// How many open occurrences are past their due date: duty, unit, number.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn late_by_unit(c: &mut Conn<'_>, day: Date) -> Result<Vec<(String, String, i64)>, StoreError> {
    let sql = "SELECT duty, unit, COUNT(*) FROM duty_occurrence WHERE closed_at IS NULL AND due_on < $1 GROUP BY duty, unit ORDER BY duty, unit";
    c.all(sql, args![day]).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?, r.int(2)?))).collect()
}

/// How a duty stood at a moment, over all its units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Open and past the due date.
    pub late: i64,
    /// Open and due soon.
    pub soon: i64,
    /// Open, not late, and no earlier record counts.
    pub uncovered: i64,
    /// Open.
    pub open: i64,
    /// Records that count.
    pub valid: i64,
}

/// How every duty stood at a moment, as it was known then. `soon` is the last day that counts as soon.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn standings(
    c: &mut Conn<'_>,
    at: Instant,
    soon: Date,
) -> Result<BTreeMap<String, Standing>, StoreError> {
    let day = at.date();
    let mut out: BTreeMap<String, Standing> = BTreeMap::new();
    // Two ranges of one index: for the present moment the second is empty, however long the history.
    let sql = "SELECT o.duty, COUNT(*), SUM(CASE WHEN o.due_on < $2 THEN 1 ELSE 0 END), SUM(CASE WHEN o.due_on >= $2 AND o.due_on <= $3 THEN 1 ELSE 0 END),
         SUM(CASE WHEN o.due_on >= $2 AND NOT EXISTS (SELECT 1 FROM duty_occurrence p WHERE p.duty = o.duty AND p.unit = o.unit AND p.subject = o.subject AND p.outcome = 'done' AND p.closed_at <= $1 AND p.valid_until >= $2) THEN 1 ELSE 0 END)
         FROM (SELECT duty, unit, subject, due_on FROM duty_occurrence WHERE closed_at IS NULL AND created_at <= $1
               UNION ALL SELECT duty, unit, subject, due_on FROM duty_occurrence WHERE closed_at > $1 AND created_at <= $1) o GROUP BY o.duty";
    for r in c.all(sql, args![at, day, soon]).await? {
        let s =
            Standing { open: r.int(1)?, late: r.int(2)?, soon: r.int(3)?, uncovered: r.int(4)?, valid: 0 };
        out.insert(r.text(0)?, s);
    }
    let sql = "SELECT duty, COUNT(*) FROM duty_occurrence WHERE valid_until >= $2 AND outcome = 'done' AND closed_at <= $1 GROUP BY duty";
    for r in c.all(sql, args![at, day]).await? {
        out.entry(r.text(0)?).or_default().valid = r.int(1)?;
    }
    Ok(out)
}
