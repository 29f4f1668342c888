//! Documents that must exist: each decision, review and withdrawal is a row; the last one says how the document stands.

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// What was recorded about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Id.
    pub id: String,
    /// Document.
    pub document: String,
    /// Place in the document's history, from 1.
    pub seq: i64,
    /// decided, reviewed, withdrawn.
    pub kind: String,
    /// Version as the document bears it.
    pub version: String,
    /// Day of the decision, review or withdrawal.
    pub decided_on: Date,
    /// Who decided, as the record names it.
    pub decided_by: String,
    /// First day in force.
    pub in_force_on: Date,
    /// Where it is kept.
    pub place: String,
    /// Name of the file that was shown.
    pub file_name: String,
    /// SHA-256 of that file in lower-case hex, or empty.
    pub sha256: String,
    /// Day by which it is to be reviewed.
    pub next_review: Date,
    /// Remarks.
    pub note: String,
    /// Person number of who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: Instant,
    /// Ledger entry.
    pub entry: String,
}

const COLUMNS: &str = "id, document, seq, kind, version, decided_on, decided_by, in_force_on, place, file_name, sha256, next_review, note, recorded_by, recorded_at, entry";

fn read(r: &Row) -> Result<VersionRow, StoreError> {
    Ok(VersionRow {
        id: r.text(0)?,
        document: r.text(1)?,
        seq: r.int(2)?,
        kind: r.text(3)?,
        version: r.text(4)?,
        decided_on: r.date(5)?,
        decided_by: r.text(6)?,
        in_force_on: r.date(7)?,
        place: r.text(8)?,
        file_name: r.text(9)?,
        sha256: r.text(10)?,
        next_review: r.date(11)?,
        note: r.text(12)?,
        recorded_by: r.text(13)?,
        recorded_at: r.instant(14)?,
        entry: r.text(15)?,
    })
}

/// Adds a row to a document's history.
///
/// # Errors
/// The database failed, or somebody else added the same place meanwhile.
#[boxed]
pub async fn add(c: &mut Conn<'_>, v: &VersionRow) -> Result<(), StoreError> {
    let done = c
        .exec(
            &format!("INSERT INTO document_version ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"),
            args![
                &v.id,
                &v.document,
                v.seq,
                &v.kind,
                &v.version,
                v.decided_on,
                &v.decided_by,
                v.in_force_on,
                &v.place,
                &v.file_name,
                &v.sha256,
                v.next_review,
                &v.note,
                &v.recorded_by,
                v.recorded_at,
                &v.entry
            ],
        )
        .await;
    match done {
        Err(e) if e.is_unique_violation() => Err(StoreError::Conflict("document_version".to_owned())),
        other => other.map(|_| ()),
    }
}

/// A document's history, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn history(c: &mut Conn<'_>, document: &str) -> Result<Vec<VersionRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM document_version WHERE document = $1 ORDER BY seq DESC LIMIT 500");
    c.all(&sql, args![document]).await?.iter().map(read).collect()
}

/// The last row of every document as it was known at a moment.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn present(c: &mut Conn<'_>, at: Instant) -> Result<Vec<VersionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM document_version v WHERE v.recorded_at <= $1 AND v.seq = (SELECT MAX(w.seq) FROM document_version w WHERE w.document = v.document AND w.recorded_at <= $1) ORDER BY document"
    );
    c.all(&sql, args![at]).await?.iter().map(read).collect()
}
