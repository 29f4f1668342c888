//! Imports of registers, as acts that can be undone.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// An import that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Id: that of its upload.
    pub id: String,
    /// Register.
    pub register: String,
    /// Who.
    pub person: String,
    /// When.
    pub at: Instant,
    /// File name.
    pub file: String,
    /// Rows added.
    pub added: i64,
    /// Rows changed.
    pub changed: i64,
    /// Ledger entry.
    pub entry: String,
    /// The undoing, once there is one.
    pub undone: Option<Undone>,
}

/// That an import was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: String,
    /// Rows that stayed as they were, because something came after the import.
    pub kept: i64,
    /// Ledger entry.
    pub entry: String,
}

const COLUMNS: &str =
    "id, register, person, at, file, added, changed, entry, undone_at, undone_by, kept, undo_entry";

fn read(r: &Row) -> Result<ImportRow, StoreError> {
    let undone = match r.opt_instant(8)? {
        Some(at) => Some(Undone { at, by: r.text(9)?, kept: r.int(10)?, entry: r.text(11)? }),
        None => None,
    };
    Ok(ImportRow {
        id: r.text(0)?,
        register: r.text(1)?,
        person: r.text(2)?,
        at: r.instant(3)?,
        file: r.text(4)?,
        added: r.int(5)?,
        changed: r.int(6)?,
        entry: r.text(7)?,
        undone,
    })
}

/// Keeps an import.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, i: &ImportRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO register_import (id, register, person, at, file, added, changed, entry, undone_at, undone_by, kept, undo_entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, '', 0, '')";
    c.exec(sql, args![&i.id, &i.register, &i.person, i.at, &i.file, i.added, i.changed, &i.entry]).await?;
    Ok(())
}

/// One import.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, register: &str, id: &str) -> Result<Option<ImportRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM register_import WHERE id = $1 AND register = $2");
    c.one(&sql, args![id, register]).await?.as_ref().map(read).transpose()
}

/// A register's imports, the latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, register: &str, limit: i64) -> Result<Vec<ImportRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM register_import WHERE register = $1 ORDER BY at DESC, id DESC LIMIT $2"
    );
    c.all(&sql, args![register, limit]).await?.iter().map(read).collect()
}

/// Notes that an import was undone. Tells whether it was not before.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn undo(c: &mut Conn<'_>, id: &str, u: &Undone) -> Result<bool, StoreError> {
    let sql = "UPDATE register_import SET undone_at = $2, undone_by = $3, kept = $4, undo_entry = $5 WHERE id = $1 AND undone_at IS NULL";
    Ok(c.exec(sql, args![id, u.at, &u.by, u.kept, &u.entry]).await? == 1)
}
