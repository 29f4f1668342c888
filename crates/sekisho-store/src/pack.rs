//! Pack versions, stored whole by hash.

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// A stored version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRow {
    /// SHA-256 over its files.
    pub hash: String,
    /// Name of the pack.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Contents by path.
    pub files: BTreeMap<String, String>,
    /// When it was loaded.
    pub loaded_at: Instant,
    /// By whom (person number, or `system`).
    pub loaded_by: String,
}

/// Stores a version; the same hash twice is the same version.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, p: &PackRow) -> Result<(), StoreError> {
    let files = serde_json::to_string(&p.files).map_err(|e| StoreError::Corrupt("pack", e.to_string()))?;
    c.exec(
        "INSERT INTO pack_version (hash, name, version, files, loaded_at, loaded_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO NOTHING",
        args![&p.hash, &p.name, &p.version, files, p.loaded_at, &p.loaded_by],
    )
    .await?;
    Ok(())
}

/// A version by hash.
///
/// # Errors
/// The database failed or the stored files cannot be read.
#[boxed]
pub async fn get(c: &mut Conn<'_>, hash: &str) -> Result<Option<PackRow>, StoreError> {
    let row = c
        .one(
            "SELECT hash, name, version, files, loaded_at, loaded_by FROM pack_version WHERE hash = $1",
            args![hash],
        )
        .await?;
    row.map(|r| {
        let files =
            serde_json::from_str(&r.text(3)?).map_err(|e| StoreError::Corrupt("pack", e.to_string()))?;
        Ok(PackRow {
            hash: r.text(0)?,
            name: r.text(1)?,
            version: r.text(2)?,
            files,
            loaded_at: r.instant(4)?,
            loaded_by: r.text(5)?,
        })
    })
    .transpose()
}

/// A stored version without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionHead {
    /// SHA-256 over its files.
    pub hash: String,
    /// Name of the pack.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// When it was stored.
    pub loaded_at: Instant,
    /// By whom (person number, or `system`).
    pub loaded_by: String,
}

fn head_of(r: &crate::Row) -> Result<VersionHead, StoreError> {
    Ok(VersionHead {
        hash: r.text(0)?,
        name: r.text(1)?,
        version: r.text(2)?,
        loaded_at: r.instant(3)?,
        loaded_by: r.text(4)?,
    })
}

/// A version by hash, without its files.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn head(c: &mut Conn<'_>, hash: &str) -> Result<Option<VersionHead>, StoreError> {
    let sql = "SELECT hash, name, version, loaded_at, loaded_by FROM pack_version WHERE hash = $1";
    c.one(sql, args![hash]).await?.as_ref().map(head_of).transpose()
}

/// Stored versions, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, limit: i64) -> Result<Vec<VersionHead>, StoreError> {
    let sql = "SELECT hash, name, version, loaded_at, loaded_by FROM pack_version ORDER BY loaded_at DESC, hash LIMIT $1";
    c.all(sql, args![limit]).await?.iter().map(head_of).collect()
}
