//! Days on which clauses turned: the first day of each state, as it was known at the end of that day.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_boxed::boxed;

use crate::conn::insert;
use crate::{Conn, Row, StoreError, args};

/// A clause and the state it has from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRow {
    /// Clause id.
    pub clause: String,
    /// First day of the state.
    pub day: Date,
    /// Code of the state.
    pub state: String,
    /// Why.
    pub reason: String,
}

const COLUMNS: &str = "clause, day, state, reason";

fn read(r: &Row) -> Result<TurnRow, StoreError> {
    Ok(TurnRow { clause: r.text(0)?, day: r.date(1)?, state: r.text(2)?, reason: r.text(3)? })
}

/// Adds turns.
///
/// # Errors
/// The database failed, or a clause has one on that day.
#[boxed]
pub async fn put(c: &mut Conn<'_>, rows: &[TurnRow]) -> Result<(), StoreError> {
    let row = |t: &TurnRow| args![&t.clause, t.day, &t.state, &t.reason];
    insert(c, &format!("clause_turn ({COLUMNS})"), rows.iter().map(row).collect(), "").await
}

/// Drops what was noted on a day, to be noted anew.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn clear(c: &mut Conn<'_>, day: Date) -> Result<(), StoreError> {
    c.exec("DELETE FROM clause_turn WHERE day = $1", args![day]).await.map(|_| ())
}

/// The last turn of each clause on or before a day.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn last_until(c: &mut Conn<'_>, day: Date) -> Result<BTreeMap<String, TurnRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM clause_turn t WHERE t.day = (SELECT MAX(x.day) FROM clause_turn x WHERE x.clause = t.clause AND x.day <= $1)"
    );
    c.all(&sql, args![day]).await?.iter().map(|r| read(r).map(|t| (t.clause.clone(), t))).collect()
}

/// Turns after a day and until another, the earliest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn between(c: &mut Conn<'_>, after: Date, until: Date) -> Result<Vec<TurnRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM clause_turn WHERE day > $1 AND day <= $2 ORDER BY day, clause");
    c.all(&sql, args![after, until]).await?.iter().map(read).collect()
}

/// Turns of a clause, the latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_clause(c: &mut Conn<'_>, clause: &str, limit: i64) -> Result<Vec<TurnRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM clause_turn WHERE clause = $1 ORDER BY day DESC LIMIT $2");
    c.all(&sql, args![clause, limit]).await?.iter().map(read).collect()
}
