//! Who looked at a record above a sensitivity, when and how often (`docs/decisions/0022-visibility-and-looks.md`).

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::{insert, marks};
use crate::{Conn, Row, StoreError, args};

/// Looks of one person at one record on one day in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookRow {
    /// `register/row` or `case/id`.
    pub subject: String,
    /// Person number.
    pub person: String,
    /// Day in Tokyo.
    pub day: Date,
    /// page, edit, file, print, ledger or export.
    pub way: String,
    /// How often.
    pub times: i64,
    /// The first time of the day.
    pub first_at: Instant,
    /// The last time of the day.
    pub last_at: Instant,
}

const COLUMNS: &str = "subject, person, day, way, times, first_at, last_at";

fn read(r: &Row) -> Result<LookRow, StoreError> {
    Ok(LookRow {
        subject: r.text(0)?,
        person: r.text(1)?,
        day: r.date(2)?,
        way: r.text(3)?,
        times: r.int(4)?,
        first_at: r.instant(5)?,
        last_at: r.instant(6)?,
    })
}

/// Notes that somebody looked at records, all at one moment and in one way.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn add(
    c: &mut Conn<'_>,
    subjects: &[String],
    person: &str,
    way: &str,
    at: Instant,
) -> Result<(), StoreError> {
    let row = |subject: &String| args![subject, person, at.date(), way, 1_i64, at, at];
    insert(
        c,
        &format!("look ({COLUMNS})"),
        subjects.iter().map(row).collect(),
        " ON CONFLICT (subject, person, day, way) DO UPDATE SET times = look.times + 1, last_at = excluded.last_at",
    )
    .await
}

/// Looks at any of these subjects, the latest first, and how many there were altogether.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of(c: &mut Conn<'_>, subjects: &[&str], limit: i64) -> Result<(Vec<LookRow>, i64), StoreError> {
    let mut a = Vec::new();
    let marks = marks(subjects.iter().copied(), &mut a);
    let sql = format!("SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM look WHERE subject IN ({marks})");
    let total = c.count(&sql, a.clone()).await?;
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM look WHERE subject IN ({marks}) ORDER BY last_at DESC, person, subject, way LIMIT ${}",
        a.len()
    );
    let rows = c.all(&sql, a).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok((rows, total))
}

/// Looks since a day: how many, at how many records, and who looked most (person, looks, records).
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn since(
    c: &mut Conn<'_>,
    from: Date,
    most: i64,
) -> Result<(i64, i64, Vec<(String, i64, i64)>), StoreError> {
    let sums = "CAST(COALESCE(SUM(times), 0) AS BIGINT), COUNT(DISTINCT subject)";
    let sql = format!("SELECT {sums} FROM look WHERE day >= $1");
    let (looks, records) = match c.one(&sql, args![from]).await? {
        Some(r) => (r.int(0)?, r.int(1)?),
        None => (0, 0),
    };
    let sql = format!(
        "SELECT person, {sums} FROM look WHERE day >= $1 GROUP BY person ORDER BY SUM(times) DESC, person LIMIT $2"
    );
    let people = c.all(&sql, args![from, most]).await?;
    let people = people.iter().map(|r| Ok((r.text(0)?, r.int(1)?, r.int(2)?)));
    Ok((looks, records, people.collect::<Result<_, StoreError>>()?))
}

/// The first day before `before` and not before `from` on which anybody looked at anything.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn first_day(c: &mut Conn<'_>, from: Date, before: Date) -> Result<Option<Date>, StoreError> {
    let sql = "SELECT day FROM look WHERE day >= $1 AND day < $2 ORDER BY day LIMIT 1";
    c.one(sql, args![from, before]).await?.map(|r| r.date(0)).transpose()
}

/// All looks of a day as one number of rows, one of looks, and one hash over them in order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn digest(c: &mut Conn<'_>, day: Date) -> Result<(i64, i64, String), StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM look WHERE day = $1 ORDER BY subject, person, way");
    let (mut rows, mut times, mut before) = (0, 0, [0; 32]);
    for r in c.all(&sql, args![day]).await? {
        let l = read(&r)?;
        rows += 1;
        times += l.times;
        let line = [
            l.subject.as_str(),
            &l.person,
            &l.way,
            &l.times.to_string(),
            &l.first_at.to_string(),
            &l.last_at.to_string(),
        ]
        .join("\u{1f}");
        before = sha256(&[before.as_slice(), line.as_bytes()].concat());
    }
    Ok((rows, times, hex(&before)))
}
