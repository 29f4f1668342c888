//! Rows of the ledger's witnesses: who they are, what they signed, what keeps them from it; and of the daily review.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use super::{CheckpointRow, checkpoint};
use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// A witness as configured, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessRow {
    /// Name, as in its key.
    pub name: String,
    /// Public key line.
    pub vkey: String,
    /// Address below which `add-checkpoint` is.
    pub url: String,
    /// Size of the checkpoint it cosigned last, as far as is known here; 0 when none.
    pub size: i64,
    /// When it was asked last.
    pub asked_at: Option<Instant>,
    /// When it cosigned last.
    pub answered_at: Option<Instant>,
    /// Stable code of what went wrong the last time; empty when nothing did.
    pub trouble_code: String,
    /// The same for people.
    pub trouble: String,
    /// Since when.
    pub trouble_since: Option<Instant>,
}

/// A witness's signature on one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureRow {
    /// Size of the checkpoint.
    pub size: i64,
    /// Name of the witness.
    pub witness: String,
    /// Signature line with its line feed.
    pub line: String,
    /// The witness's own time.
    pub at: Instant,
}

/// The outcome of one review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// When.
    pub ran_at: Instant,
    /// Entries there were.
    pub size: i64,
    /// Whether everything held.
    pub sound: bool,
    /// Lines for people, as the application wrote them.
    pub report: String,
}

fn witness(r: &Row) -> Result<WitnessRow, StoreError> {
    Ok(WitnessRow {
        name: r.text(0)?,
        vkey: r.text(1)?,
        url: r.text(2)?,
        size: r.int(3)?,
        asked_at: r.opt_instant(4)?,
        answered_at: r.opt_instant(5)?,
        trouble_code: r.text(6)?,
        trouble: r.text(7)?,
        trouble_since: r.opt_instant(8)?,
    })
}

/// All witnesses by name.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn witnesses(c: &mut Conn<'_>) -> Result<Vec<WitnessRow>, StoreError> {
    let sql = "SELECT name, vkey, url, size, asked_at, answered_at, trouble_code, trouble, trouble_since FROM witness ORDER BY name";
    c.all(sql, vec![]).await?.iter().map(witness).collect()
}

/// Writes a witness as it is now.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_witness(c: &mut Conn<'_>, w: &WitnessRow) -> Result<(), StoreError> {
    let text = |at: Option<Instant>| at.map(|a| a.to_string());
    c.exec(
        "INSERT INTO witness (name, vkey, url, size, asked_at, answered_at, trouble_code, trouble, trouble_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (name) DO UPDATE SET vkey = excluded.vkey, url = excluded.url, size = excluded.size,
         asked_at = excluded.asked_at, answered_at = excluded.answered_at, trouble_code = excluded.trouble_code,
         trouble = excluded.trouble, trouble_since = excluded.trouble_since",
        args![&w.name, &w.vkey, &w.url, w.size, text(w.asked_at), text(w.answered_at), &w.trouble_code, &w.trouble, text(w.trouble_since)],
    )
    .await?;
    Ok(())
}

/// Takes a witness off the list; its signatures stay.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn remove_witness(c: &mut Conn<'_>, name: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM witness WHERE name = $1", args![name]).await?;
    Ok(())
}

/// Stores a signature; a later one of the same witness on the same checkpoint replaces it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_cosignature(c: &mut Conn<'_>, s: &CosignatureRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO ledger_cosignature (size, witness, line, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line, at = excluded.at",
        args![s.size, &s.witness, &s.line, s.at],
    )
    .await?;
    Ok(())
}

/// Signatures on the checkpoint of a size, by witness.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn cosignatures(c: &mut Conn<'_>, size: i64) -> Result<Vec<CosignatureRow>, StoreError> {
    let sql = "SELECT size, witness, line, at FROM ledger_cosignature WHERE size = $1 ORDER BY witness";
    let row = |r: &Row| {
        Ok(CosignatureRow { size: r.int(0)?, witness: r.text(1)?, line: r.text(2)?, at: r.instant(3)? })
    };
    c.all(sql, args![size]).await?.iter().map(row).collect()
}

/// The newest checkpoint that some witness signed and that covers more than `index` entries.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn witnessed(c: &mut Conn<'_>, index: i64) -> Result<Option<CheckpointRow>, StoreError> {
    let sql = "SELECT p.size, p.root, p.note, p.at FROM ledger_checkpoint p JOIN ledger_cosignature s ON s.size = p.size
               WHERE s.size > $1 ORDER BY s.size DESC LIMIT 1";
    c.one(sql, args![index]).await?.as_ref().map(checkpoint).transpose()
}

/// The newest checkpoint that this witness signed.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn witnessed_by(c: &mut Conn<'_>, name: &str) -> Result<Option<CheckpointRow>, StoreError> {
    let sql = "SELECT p.size, p.root, p.note, p.at FROM ledger_checkpoint p JOIN ledger_cosignature s ON s.size = p.size
               WHERE s.witness = $1 ORDER BY s.size DESC LIMIT 1";
    c.one(sql, args![name]).await?.as_ref().map(checkpoint).transpose()
}

/// Keeps the outcome of a review.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_review(c: &mut Conn<'_>, r: &ReviewRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO ledger_review (ran_at, size, sound, report) VALUES ($1, $2, $3, $4) ON CONFLICT (ran_at) DO NOTHING",
        args![r.ran_at, r.size, r.sound, &r.report],
    )
    .await?;
    Ok(())
}

/// The latest review.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn latest_review(c: &mut Conn<'_>) -> Result<Option<ReviewRow>, StoreError> {
    let row = c
        .one("SELECT ran_at, size, sound, report FROM ledger_review ORDER BY ran_at DESC LIMIT 1", vec![])
        .await?;
    row.map(|r| {
        Ok(ReviewRow { ran_at: r.instant(0)?, size: r.int(1)?, sound: r.bool(2)?, report: r.text(3)? })
    })
    .transpose()
}
