//! Uploads that wait between the dry run of an import and its second step.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// Id.
    pub id: String,
    /// What it is to become: `org`, or a register's id.
    pub kind: String,
    /// Who sent it; nobody else may apply it.
    pub person: String,
    /// File name as sent.
    pub name: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The bytes in hexadecimal or another text form chosen by the caller.
    pub bytes: String,
    /// When.
    pub created_at: Instant,
}

/// Keeps an upload.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, u: &UploadRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO upload (id, kind, person, name, sha256, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![&u.id, &u.kind, &u.person, &u.name, &u.sha256, &u.bytes, u.created_at],
    )
    .await?;
    Ok(())
}

/// Somebody's own upload.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str, person: &str) -> Result<Option<UploadRow>, StoreError> {
    let row = c
        .one("SELECT id, kind, person, name, sha256, bytes, created_at FROM upload WHERE id = $1 AND person = $2", args![id, person])
        .await?;
    row.map(|r| {
        Ok(UploadRow {
            id: r.text(0)?,
            kind: r.text(1)?,
            person: r.text(2)?,
            name: r.text(3)?,
            sha256: r.text(4)?,
            bytes: r.text(5)?,
            created_at: r.instant(6)?,
        })
    })
    .transpose()
}

/// How long a file waits between its dry run and its import: one day.
const WAITS_MS: i64 = 86_400_000;

/// Drops an upload that was applied, and all that have waited too long.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drop_used(c: &mut Conn<'_>, id: &str, now: Instant) -> Result<(), StoreError> {
    let older_than = now.plus_millis(-WAITS_MS);
    c.exec("DELETE FROM upload WHERE id = $1 OR created_at < $2", args![id, older_than]).await?;
    Ok(())
}
