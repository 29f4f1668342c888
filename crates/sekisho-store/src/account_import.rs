//! Imports of accounts, as acts that can be undone.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::import::Undone;
use crate::{Conn, Row, StoreError, args};

/// An import that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountImportRow {
    /// Id.
    pub id: String,
    /// Who.
    pub person: String,
    /// When.
    pub at: Instant,
    /// File name.
    pub file: String,
    /// What was done to which account, as JSON.
    pub lines: String,
    /// Ledger entry.
    pub entry: String,
    /// The undoing, once there is one.
    pub undone: Option<Undone>,
}

const COLUMNS: &str = "id, person, at, file, lines, entry, undone_at, undone_by, kept, undo_entry";

fn read(r: &Row) -> Result<AccountImportRow, StoreError> {
    let undone = match r.opt_instant(6)? {
        Some(at) => Some(Undone { at, by: r.text(7)?, kept: r.int(8)?, entry: r.text(9)? }),
        None => None,
    };
    Ok(AccountImportRow {
        id: r.text(0)?,
        person: r.text(1)?,
        at: r.instant(2)?,
        file: r.text(3)?,
        lines: r.text(4)?,
        entry: r.text(5)?,
        undone,
    })
}

/// Keeps an import.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, i: &AccountImportRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO account_import (id, person, at, file, lines, entry, undone_at, undone_by, kept, undo_entry) VALUES ($1, $2, $3, $4, $5, $6, NULL, '', 0, '')";
    c.exec(sql, args![&i.id, &i.person, i.at, &i.file, &i.lines, &i.entry]).await?;
    Ok(())
}

/// One import.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<AccountImportRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account_import WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// The latest imports.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, limit: i64) -> Result<Vec<AccountImportRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account_import ORDER BY at DESC, id DESC LIMIT $1");
    c.all(&sql, args![limit]).await?.iter().map(read).collect()
}

/// Notes that an import was undone. Tells whether it was not before.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn undo(c: &mut Conn<'_>, id: &str, u: &Undone) -> Result<bool, StoreError> {
    let sql = "UPDATE account_import SET undone_at = $2, undone_by = $3, kept = $4, undo_entry = $5 WHERE id = $1 AND undone_at IS NULL";
    Ok(c.exec(sql, args![id, u.at, &u.by, u.kept, &u.entry]).await? == 1)
}
