//! Applications that are being written: nobody but their writer sees them.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// An application being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Id.
    pub id: String,
    /// Procedure.
    pub procedure: String,
    /// Who writes it; nobody else sees it.
    pub person: String,
    /// What was typed, JSON.
    pub body: String,
    /// Last saved.
    pub updated_at: Instant,
}

fn draft(r: &Row) -> Result<DraftRow, StoreError> {
    Ok(DraftRow {
        id: r.text(0)?,
        procedure: r.text(1)?,
        person: r.text(2)?,
        body: r.text(3)?,
        updated_at: r.instant(4)?,
    })
}

/// Saves a draft; somebody else's id is refused.
///
/// # Errors
/// [`StoreError::Conflict`] when the draft belongs to another person.
#[boxed]
pub async fn put_draft(c: &mut Conn<'_>, d: &DraftRow) -> Result<(), StoreError> {
    let n = c
        .exec(
            "INSERT INTO draft (id, procedure, person, body, updated_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at WHERE draft.person = excluded.person",
            args![&d.id, &d.procedure, &d.person, &d.body, d.updated_at],
        )
        .await?;
    if n == 1 { Ok(()) } else { Err(StoreError::Conflict("draft".to_owned())) }
}

/// Somebody's drafts, latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drafts(c: &mut Conn<'_>, person: &str) -> Result<Vec<DraftRow>, StoreError> {
    let sql = "SELECT id, procedure, person, body, updated_at FROM draft WHERE person = $1 ORDER BY updated_at DESC, id LIMIT 50";
    c.all(sql, args![person]).await?.iter().map(draft).collect()
}

/// Somebody's drafts of a procedure, latest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drafts_of(
    c: &mut Conn<'_>,
    person: &str,
    procedure: &str,
    limit: i64,
) -> Result<Vec<DraftRow>, StoreError> {
    let sql = "SELECT id, procedure, person, body, updated_at FROM draft WHERE person = $1 AND procedure = $2 ORDER BY updated_at DESC, id LIMIT $3";
    c.all(sql, args![person, procedure, limit]).await?.iter().map(draft).collect()
}

/// One of somebody's own drafts.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get_draft(c: &mut Conn<'_>, person: &str, id: &str) -> Result<Option<DraftRow>, StoreError> {
    let sql = "SELECT id, procedure, person, body, updated_at FROM draft WHERE person = $1 AND id = $2";
    c.one(sql, args![person, id]).await?.as_ref().map(draft).transpose()
}

/// Drops one of somebody's own drafts.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drop_draft(c: &mut Conn<'_>, person: &str, id: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM draft WHERE person = $1 AND id = $2", args![person, id]).await?;
    Ok(())
}
