//! Files of the standard that somebody is working on: one's own, seen by nobody else until they are proposed.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// A file as its editor has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFileRow {
    /// Place within the pack folder.
    pub path: String,
    /// Hash of the pack version from which it was edited.
    pub base: String,
    /// The text; empty: the file is taken out.
    pub body: String,
    /// Rises with each saving, from 1.
    pub version: i64,
    /// When it was last saved.
    pub updated_at: Instant,
}

fn row(r: &Row) -> Result<DraftFileRow, StoreError> {
    Ok(DraftFileRow {
        path: r.text(0)?,
        base: r.text(1)?,
        body: r.text(2)?,
        version: r.int(3)?,
        updated_at: r.instant(4)?,
    })
}

/// Everything that somebody is working on, by path.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, person: &str) -> Result<Vec<DraftFileRow>, StoreError> {
    let sql = "SELECT path, base, body, version, updated_at FROM pack_draft WHERE person = $1 ORDER BY path";
    c.all(sql, args![person]).await?.iter().map(row).collect()
}

/// Saves a file. `seen` is the version that the editor saw, 0 for a file that was not worked on yet.
///
/// # Errors
/// [`StoreError::Conflict`] when it was saved in between.
#[boxed]
pub async fn put(c: &mut Conn<'_>, person: &str, f: &DraftFileRow, seen: i64) -> Result<(), StoreError> {
    let n = if seen == 0 {
        let sql = "INSERT INTO pack_draft (person, path, base, body, version, updated_at) VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (person, path) DO NOTHING";
        c.exec(sql, args![person, &f.path, &f.base, &f.body, f.updated_at]).await?
    } else {
        let sql = "UPDATE pack_draft SET body = $3, version = version + 1, updated_at = $4 WHERE person = $1 AND path = $2 AND version = $5";
        c.exec(sql, args![person, &f.path, &f.body, f.updated_at, seen]).await?
    };
    if n == 0 { Err(StoreError::Conflict(format!("draft of {}", f.path))) } else { Ok(()) }
}

/// Forgets one file, or with an empty path everything that somebody is working on.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn forget(c: &mut Conn<'_>, person: &str, path: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM pack_draft WHERE person = $1 AND (path = $2 OR $2 = '')", args![person, path])
        .await?;
    Ok(())
}
