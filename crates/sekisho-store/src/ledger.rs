//! The ledger's rows: entries (the outbox is those without a leaf index), tiles and checkpoints. Hashing and signing are the
//! application's, through the ledger crate; here are only rows.

pub mod compare;
pub mod witness;

use sekisho_base::{Id, Instant};
use sekisho_boxed::boxed;

use crate::conn::{Arg, Row, insert};
use crate::{Conn, StoreError, args, setting};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Id.
    pub id: String,
    /// Stream: 32 hexadecimal digits, random, one for each case or source.
    pub stream: String,
    /// Dense number in the stream, from 1.
    pub seq: i64,
    /// Kind (`case.permit`).
    pub kind: String,
    /// SHA-256(salt ‖ canonical payload), hexadecimal.
    pub commitment: String,
    /// Salt, hexadecimal; erased together with the payload.
    pub salt: Option<String>,
    /// Canonical JSON; erased where the law asks for it, existence stays provable.
    pub payload: Option<String>,
    /// When.
    pub at: Instant,
    /// Position in the tree once sequenced.
    pub leaf_index: Option<i64>,
}

/// The next dense number of a stream, counted in the act's own transaction.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn next_seq(c: &mut Conn<'_>, stream: &str) -> Result<i64, StoreError> {
    setting::next(c, &format!("stream:{stream}")).await
}

/// Writes an entry to the outbox.
///
/// In a stream time never runs backwards: an act that drew its time first but its number second gets the time of the entry
/// before it, so that the outbox, ordered by time, keeps each stream's own order.
///
/// # Errors
/// The database failed, or the stream already has that number.
#[boxed]
pub async fn put(c: &mut Conn<'_>, e: &EntryRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO ledger_entry (id, stream, seq, kind, commitment, salt, payload, at, leaf_index)
         SELECT $1, $2, $3, $4, $5, $6, $7, CASE WHEN p.at > $8 THEN p.at ELSE $8 END, $9
         FROM (SELECT COALESCE((SELECT at FROM ledger_entry WHERE stream = $2 AND seq = $3 - 1), '') AS at) p",
        args![&e.id, &e.stream, e.seq, &e.kind, &e.commitment, e.salt.clone(), e.payload.clone(), e.at, e.leaf_index],
    )
    .await?;
    Ok(())
}

/// Writes entries to the outbox that each begin a stream of their own, with few statements however many they are.
///
/// # Errors
/// The database failed, or one of the streams exists.
#[boxed]
pub async fn put_first(c: &mut Conn<'_>, entries: &[EntryRow]) -> Result<(), StoreError> {
    let counters = entries.iter().map(|e| args![format!("stream:{}", e.stream), 1]).collect();
    insert(c, "counter (name, value)", counters, "").await?;
    let row = |e: &EntryRow| {
        args![
            &e.id,
            &e.stream,
            1,
            &e.kind,
            &e.commitment,
            e.salt.clone(),
            e.payload.clone(),
            e.at,
            e.leaf_index
        ]
    };
    insert(c, &format!("ledger_entry ({COLUMNS})"), entries.iter().map(row).collect(), "").await
}

const COLUMNS: &str = "id, stream, seq, kind, commitment, salt, payload, at, leaf_index";

fn entry(r: &Row) -> Result<EntryRow, StoreError> {
    Ok(EntryRow {
        id: r.text(0)?,
        stream: r.text(1)?,
        seq: r.int(2)?,
        kind: r.text(3)?,
        commitment: r.text(4)?,
        salt: r.opt_text(5)?,
        payload: r.opt_text(6)?,
        at: r.instant(7)?,
        leaf_index: r.opt_int(8)?,
    })
}

/// Up to `limit` entries of the outbox, oldest first, streams in their own order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn outbox(c: &mut Conn<'_>, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger_entry WHERE leaf_index IS NULL ORDER BY at, stream, seq LIMIT $1"
    );
    c.all(&sql, args![limit]).await?.iter().map(entry).collect()
}

/// How many entries wait in the outbox.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn outbox_len(c: &mut Conn<'_>) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM ledger_entry WHERE leaf_index IS NULL", vec![]).await
}

/// Gives an entry its place.
///
/// # Errors
/// The database failed, or the entry has a place already.
#[boxed]
pub async fn set_leaf(c: &mut Conn<'_>, id: &str, leaf_index: i64) -> Result<(), StoreError> {
    let n = c
        .exec(
            "UPDATE ledger_entry SET leaf_index = $2 WHERE id = $1 AND leaf_index IS NULL",
            args![id, leaf_index],
        )
        .await?;
    if n == 1 { Ok(()) } else { Err(StoreError::Conflict(format!("ledger entry {id}"))) }
}

/// Entries placed by one statement.
const PLACED: usize = 256;

/// Gives entries consecutive places, the first one `first`.
///
/// # Errors
/// The database failed, or one of them has a place already.
#[boxed]
pub async fn set_leaves(c: &mut Conn<'_>, first: i64, ids: &[&str]) -> Result<(), StoreError> {
    let mut index = first;
    for chunk in ids.chunks(PLACED) {
        let mut a = Vec::with_capacity(chunk.len() * 2);
        let mut marks = Vec::with_capacity(chunk.len());
        for id in chunk {
            a.push(Arg::from(*id));
            a.push(Arg::from(index));
            marks.push(format!("(${}, ${})", a.len() - 1, a.len()));
            index += 1;
        }
        // COALESCE keeps the planner from going through the whole outbox for each of them.
        let sql = format!(
            "WITH place (entry, leaf) AS (VALUES {}) UPDATE ledger_entry SET leaf_index = place.leaf FROM place WHERE id = place.entry AND COALESCE(leaf_index, -1) < 0",
            marks.join(", ")
        );
        if c.exec(&sql, a).await? != chunk.len() as u64 {
            return Err(StoreError::Conflict(format!("one of the ledger entries before place {index}")));
        }
    }
    Ok(())
}

/// Sequenced entries from an index on, in tree order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn sequenced(c: &mut Conn<'_>, from: i64, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM ledger_entry WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2");
    c.all(&sql, args![from, limit]).await?.iter().map(entry).collect()
}

/// One entry.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_id(c: &mut Conn<'_>, id: &str) -> Result<Option<EntryRow>, StoreError> {
    c.one(&format!("SELECT {COLUMNS} FROM ledger_entry WHERE id = $1"), args![id])
        .await?
        .as_ref()
        .map(entry)
        .transpose()
}

/// Latest entries, newest place first; only sequenced ones.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn latest(c: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM ledger_entry WHERE leaf_index < $1 ORDER BY leaf_index DESC LIMIT $2");
    c.all(&sql, args![before, limit]).await?.iter().map(entry).collect()
}

/// The entry with a number in a stream.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn numbered(c: &mut Conn<'_>, stream: &str, seq: i64) -> Result<Option<EntryRow>, StoreError> {
    c.one(&format!("SELECT {COLUMNS} FROM ledger_entry WHERE stream = $1 AND seq = $2"), args![stream, seq])
        .await?
        .as_ref()
        .map(entry)
        .transpose()
}

/// When the newest entry was made; looks at the last place of the tree and at the outbox.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn newest_at(c: &mut Conn<'_>) -> Result<Option<Instant>, StoreError> {
    let placed = c
        .one(
            "SELECT at FROM ledger_entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index DESC LIMIT 1",
            vec![],
        )
        .await?;
    let waiting = c
        .one("SELECT at FROM ledger_entry WHERE leaf_index IS NULL ORDER BY at DESC, stream DESC, seq DESC LIMIT 1", vec![])
        .await?;
    let times =
        [placed, waiting].into_iter().flatten().map(|r| r.instant(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().max())
}

/// Deletes an entry's payload and salt, and the copies of the row in the register's history that came with it. The entry
/// itself stays, and with it the proof that it existed.
///
/// # Errors
/// The database failed, or there is nothing to delete.
#[boxed]
pub async fn erase(c: &mut Conn<'_>, id: &str) -> Result<(), StoreError> {
    let n = c
        .exec(
            "UPDATE ledger_entry SET payload = NULL, salt = NULL WHERE id = $1 AND payload IS NOT NULL",
            args![id],
        )
        .await?;
    if n != 1 {
        return Err(StoreError::Conflict(format!("ledger entry {id}")));
    }
    c.exec("UPDATE register_change SET before_row = NULL, after_row = NULL WHERE entry = $1", args![id])
        .await?;
    Ok(())
}

/// A stream's entries in order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn stream(c: &mut Conn<'_>, stream: &str) -> Result<Vec<EntryRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ledger_entry WHERE stream = $1 ORDER BY seq");
    c.all(&sql, args![stream]).await?.iter().map(entry).collect()
}

/// The newest entries of a stream, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn newest_of(c: &mut Conn<'_>, stream: &str, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ledger_entry WHERE stream = $1 ORDER BY seq DESC LIMIT $2");
    c.all(&sql, args![stream, limit]).await?.iter().map(entry).collect()
}

/// When the newest entry of a kind in a stream was made, and how many of another kind came after it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn last_and_since(
    c: &mut Conn<'_>,
    stream: &str,
    kind: &str,
    other: &str,
) -> Result<(Option<Instant>, i64), StoreError> {
    let sql = "SELECT at, seq FROM ledger_entry WHERE stream = $1 AND kind = $2 ORDER BY seq DESC LIMIT 1";
    let last = c.one(sql, args![stream, kind]).await?;
    let (at, seq) = match &last {
        Some(r) => (Some(r.instant(0)?), r.int(1)?),
        None => (None, 0),
    };
    let sql = "SELECT COUNT(*) FROM ledger_entry WHERE stream = $1 AND kind = $2 AND seq > $3";
    Ok((at, c.count(sql, args![stream, other, seq]).await?))
}

/// Hashes of a tile (the widest known), in the caller's text form.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn tile(c: &mut Conn<'_>, level: i64, idx: i64) -> Result<Option<String>, StoreError> {
    c.one("SELECT hashes FROM ledger_tile WHERE level = $1 AND idx = $2", args![level, idx])
        .await?
        .map(|r| r.text(0))
        .transpose()
}

/// Stores a tile.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_tile(c: &mut Conn<'_>, level: i64, idx: i64, hashes: &str) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO ledger_tile (level, idx, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes",
        args![level, idx, hashes],
    )
    .await?;
    Ok(())
}

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Entries covered.
    pub size: i64,
    /// Root hash, hexadecimal.
    pub root: String,
    /// Signed note.
    pub note: String,
    /// When.
    pub at: Instant,
}

fn checkpoint(r: &Row) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow { size: r.int(0)?, root: r.text(1)?, note: r.text(2)?, at: r.instant(3)? })
}

/// The latest checkpoint.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn head(c: &mut Conn<'_>) -> Result<Option<CheckpointRow>, StoreError> {
    let row = c
        .one("SELECT size, root, note, at FROM ledger_checkpoint ORDER BY size DESC LIMIT 1", vec![])
        .await?;
    row.as_ref().map(checkpoint).transpose()
}

/// Stores a checkpoint.
///
/// # Errors
/// The database failed, or there is one of that size already.
#[boxed]
pub async fn put_checkpoint(c: &mut Conn<'_>, p: &CheckpointRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO ledger_checkpoint (size, root, note, at) VALUES ($1, $2, $3, $4)",
        args![p.size, &p.root, &p.note, p.at],
    )
    .await?;
    Ok(())
}

/// A new random stream id.
#[must_use]
pub fn stream_id(id: Id) -> String {
    sekisho_base::canonical::hex(&id.bytes())
}
