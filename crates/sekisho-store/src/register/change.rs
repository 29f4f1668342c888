//! A row's history, kept beside the row.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// One change of a row, kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Id.
    pub id: String,
    /// Register.
    pub register: String,
    /// Row.
    pub row_id: String,
    /// Version of the row that this change made.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Person number.
    pub person: String,
    /// `form`, `import <upload>`, `undo <upload>`, `case <id>`.
    pub cause: String,
    /// Values before, JSON.
    pub before: Option<String>,
    /// Values after, JSON.
    pub after: Option<String>,
    /// Ledger entry.
    pub entry: String,
}

/// Keeps a change.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_change(c: &mut Conn<'_>, h: &ChangeRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO register_change (id, register, row_id, seq, at, person, cause, before_row, after_row, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![&h.id, &h.register, &h.row_id, h.seq, h.at, &h.person, &h.cause, h.before.clone(), h.after.clone(), &h.entry],
    )
    .await?;
    Ok(())
}

const SELECT: &str =
    "SELECT id, register, row_id, seq, at, person, cause, before_row, after_row, entry FROM register_change";

/// A row's changes, latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn changes(c: &mut Conn<'_>, register: &str, row_id: &str) -> Result<Vec<ChangeRow>, StoreError> {
    let sql = format!("{SELECT} WHERE register = $1 AND row_id = $2 ORDER BY seq DESC LIMIT 200");
    c.all(&sql, args![register, row_id]).await?.iter().map(read).collect()
}

/// Changes of one cause in a register, in the order of their rows.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn changes_of(c: &mut Conn<'_>, register: &str, cause: &str) -> Result<Vec<ChangeRow>, StoreError> {
    let sql = format!("{SELECT} WHERE cause = $1 AND register = $2 ORDER BY row_id, seq");
    c.all(&sql, args![cause, register]).await?.iter().map(read).collect()
}

fn read(r: &Row) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        id: r.text(0)?,
        register: r.text(1)?,
        row_id: r.text(2)?,
        seq: r.int(3)?,
        at: r.instant(4)?,
        person: r.text(5)?,
        cause: r.text(6)?,
        before: r.opt_text(7)?,
        after: r.opt_text(8)?,
        entry: r.text(9)?,
    })
}
