//! Files of applications that somebody loaded. Each belongs to the person who loaded it, like a draft.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// A file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportRow {
    /// Id: that of its upload.
    pub id: String,
    /// Procedure.
    pub procedure: String,
    /// Who; nobody else sees it.
    pub person: String,
    /// When.
    pub at: Instant,
    /// File name.
    pub file: String,
    /// Whether the applications were sent; else they were kept as drafts.
    pub submitted: bool,
    /// What came of each row, as JSON.
    pub lines: String,
    /// The undoing, once there is one: when, and as JSON what stayed and why.
    pub undone: Option<(Instant, String)>,
}

const COLUMNS: &str = "id, procedure, person, at, file, submitted, lines, undone_at, kept";

fn read(r: &Row) -> Result<CaseImportRow, StoreError> {
    let undone = match r.opt_instant(7)? {
        Some(at) => Some((at, r.text(8)?)),
        None => None,
    };
    Ok(CaseImportRow {
        id: r.text(0)?,
        procedure: r.text(1)?,
        person: r.text(2)?,
        at: r.instant(3)?,
        file: r.text(4)?,
        submitted: r.bool(5)?,
        lines: r.text(6)?,
        undone,
    })
}

/// Keeps what was loaded.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, i: &CaseImportRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO case_import (id, procedure, person, at, file, submitted, lines, undone_at, kept) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, '')";
    c.exec(sql, args![&i.id, &i.procedure, &i.person, i.at, &i.file, i.submitted, &i.lines]).await?;
    Ok(())
}

/// One of somebody's own.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, person: &str, id: &str) -> Result<Option<CaseImportRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM case_import WHERE id = $1 AND person = $2");
    c.one(&sql, args![id, person]).await?.as_ref().map(read).transpose()
}

/// Somebody's own of a procedure, the latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    person: &str,
    procedure: &str,
    limit: i64,
) -> Result<Vec<CaseImportRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_import WHERE person = $1 AND procedure = $2 ORDER BY at DESC, id DESC LIMIT $3"
    );
    c.all(&sql, args![person, procedure, limit]).await?.iter().map(read).collect()
}

/// Notes that one was undone, with what stayed as JSON. Tells whether it was not before.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn undo(c: &mut Conn<'_>, id: &str, at: Instant, kept: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE case_import SET undone_at = $2, kept = $3 WHERE id = $1 AND undone_at IS NULL";
    Ok(c.exec(sql, args![id, at, kept]).await? == 1)
}
