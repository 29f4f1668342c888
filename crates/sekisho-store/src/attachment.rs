//! Files of cases, by SHA-256. Never shared between cases: what one person attached is found again only through that case.

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, unhex};
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// Bytes of one stored piece.
const PIECE: usize = 128 * 1024;

/// A file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRow {
    /// Id.
    pub id: String,
    /// Case; empty while it waits for its application.
    pub case_id: String,
    /// Place among the case's files, 0 first.
    pub pos: i64,
    /// Who attached it.
    pub person: String,
    /// File name.
    pub name: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// When.
    pub at: Instant,
}

const COLUMNS: &str = "id, case_id, pos, person, name, sha256, size, at";

fn read(r: &Row) -> Result<AttachmentRow, StoreError> {
    Ok(AttachmentRow {
        id: r.text(0)?,
        case_id: r.text(1)?,
        pos: r.int(2)?,
        person: r.text(3)?,
        name: r.text(4)?,
        sha256: r.text(5)?,
        size: r.int(6)?,
        at: r.instant(7)?,
    })
}

/// Keeps a file with its bytes.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, a: &AttachmentRow, bytes: &[u8]) -> Result<(), StoreError> {
    c.exec(
        &format!("INSERT INTO attachment ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
        args![&a.id, &a.case_id, a.pos, &a.person, &a.name, &a.sha256, a.size, a.at],
    )
    .await?;
    for (pos, piece) in bytes.chunks(PIECE).enumerate() {
        let pos = i64::try_from(pos).unwrap_or(i64::MAX);
        c.exec(
            "INSERT INTO attachment_piece (attachment, pos, bytes) VALUES ($1, $2, $3)",
            args![&a.id, pos, hex(piece)],
        )
        .await?;
    }
    Ok(())
}

/// A person's own file that waits for its application.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn waiting(c: &mut Conn<'_>, person: &str, id: &str) -> Result<Option<AttachmentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM attachment WHERE id = $1 AND person = $2 AND case_id = ''");
    c.one(&sql, args![id, person]).await?.map(|r| read(&r)).transpose()
}

/// SHA-256 of a file that a person attached, whether it waits or belongs to a case; nothing when there is none.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn hash_of_own(c: &mut Conn<'_>, person: &str, id: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT sha256 FROM attachment WHERE id = $1 AND person = $2";
    c.one(sql, args![id, person]).await?.map(|r| r.text(0)).transpose()
}

/// Gives a waiting file to a case.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn give(c: &mut Conn<'_>, id: &str, case_id: &str, pos: i64) -> Result<(), StoreError> {
    c.exec(
        "UPDATE attachment SET case_id = $1, pos = $2 WHERE id = $3 AND case_id = ''",
        args![case_id, pos, id],
    )
    .await?;
    Ok(())
}

/// Files of a case, in order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_case(c: &mut Conn<'_>, case_id: &str) -> Result<Vec<AttachmentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM attachment WHERE case_id = $1 ORDER BY pos, id");
    c.all(&sql, args![case_id]).await?.iter().map(read).collect()
}

/// The bytes of a file.
///
/// # Errors
/// The database failed, or holds what is no hexadecimal.
#[boxed]
pub async fn bytes(c: &mut Conn<'_>, id: &str) -> Result<Vec<u8>, StoreError> {
    let rows =
        c.all("SELECT bytes FROM attachment_piece WHERE attachment = $1 ORDER BY pos", args![id]).await?;
    let mut out = Vec::new();
    for r in rows {
        let text = r.text(0)?;
        out.extend(unhex(&text).ok_or_else(|| StoreError::Corrupt("attachment_piece.bytes", id.to_owned()))?);
    }
    Ok(out)
}

/// Drops files that nobody sent with an application since a moment.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drop_waiting(c: &mut Conn<'_>, older_than: Instant) -> Result<(), StoreError> {
    c.exec(
        "DELETE FROM attachment_piece WHERE attachment IN (SELECT id FROM attachment WHERE case_id = '' AND at < $1)",
        args![older_than],
    )
    .await?;
    c.exec("DELETE FROM attachment WHERE case_id = '' AND at < $1", args![older_than]).await?;
    Ok(())
}
