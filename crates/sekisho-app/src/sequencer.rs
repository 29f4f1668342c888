//! Folds the outbox into the tree: entries get their leaf index, tiles and checkpoint are stored in the same transaction.
//! A crash between an act's commit and sequencing loses nothing: the outbox row is part of the act's commit.

use std::collections::HashMap;
use std::sync::Arc;

use sekisho_base::canonical::{hex, unhex};
use sekisho_boxed::boxed;
use sekisho_ledger::tree::edge_tiles;
use sekisho_ledger::{Leaf, TreeHead, append};
use sekisho_store::ledger::{self, CheckpointRow, EntryRow};
use sekisho_store::{Conn, lease};

use crate::error::AppError;
use crate::office::Office;

/// Entries of one pass: small enough not to hold the writer for long.
const BATCH: i64 = 1024;
/// How long a node may hold the sequencer without renewing.
const LEASE_MS: i64 = 10_000;
/// Name of its lease.
const LEASE: &str = "sequencer";
/// How often the outbox is looked at where other nodes fill it too: only a node's own commits wake its sequencer.
const OTHERS: std::time::Duration = std::time::Duration::from_secs(1);
/// How often where there are none.
const ALONE: std::time::Duration = std::time::Duration::from_secs(10);

/// One pass. Returns how many entries were sequenced; 0 also when another node holds the lease, this one has no key, and while the body has
/// no name yet.
///
/// # Errors
/// The stored tree is not that of the stored head, or the database failed.
#[boxed]
pub async fn pass(office: &Arc<Office>) -> Result<usize, AppError> {
    if office.signer().is_none() || office.waits_for_name().await? {
        return Ok(0);
    }
    let (node, now) = (office.node().to_owned(), office.clock.now());
    let mine = office.store.read(move |c| {
        Box::pin(async move {
            // Asked for first, so that a node that is not at it takes no turn at writing for nothing.
            let waiting = ledger::outbox_len(c).await? > 0;
            Ok::<_, AppError>(waiting && lease::is_free(c, LEASE, &node, now, LEASE_MS).await?)
        })
    });
    if !mine.await? {
        return Ok(0);
    }
    let office_in = Arc::clone(office);
    office.store.write(move |c| Box::pin(async move { fold(c, &office_in).await })).await
}

/// Passes until the outbox is empty.
///
/// # Errors
/// As [`pass`].
#[boxed]
pub async fn drain(office: &Arc<Office>) -> Result<usize, AppError> {
    let mut total = 0;
    loop {
        match pass(office).await? {
            0 => return Ok(total),
            n => total += n,
        }
    }
}

/// Runs until the office closes: after each commit, and from time to time for what other nodes committed.
#[boxed]
pub async fn run(office: Arc<Office>) {
    let committed = office.store.committed();
    let pause = if office.store.is_sqlite() { ALONE } else { OTHERS };
    loop {
        if let Err(e) = drain(&office).await {
            tracing::error!(error = %e, "the ledger's sequencer failed; acts wait in the outbox");
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
        // Acts of the next moment share one pass.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let _ = tokio::time::timeout(pause, committed.notified()).await;
    }
}

async fn fold(c: &mut Conn<'_>, office: &Office) -> Result<usize, AppError> {
    let now = office.clock.now();
    // The transaction is the fence: whoever has the lease in it has read the tree as it is, and nobody else writes before it has committed.
    if lease::obtain(c, LEASE, office.node(), now, LEASE_MS).await?.is_none() {
        return Ok(0);
    }
    let rows = ledger::outbox(c, BATCH).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let head = head(c).await?;
    let mut tiles: HashMap<(u8, u64), Vec<u8>> = HashMap::new();
    for tile in edge_tiles(head.size) {
        if let Some(text) = ledger::tile(c, i64::from(tile.level), signed(tile.index)?).await? {
            tiles.insert(
                (tile.level, tile.index),
                unhex(&text).ok_or_else(|| AppError::internal("a stored tile is no hexadecimal"))?,
            );
        }
    }
    let leaves: Vec<Vec<u8>> = rows.iter().map(|r| leaf(office.body(), r)).collect::<Result<_, _>>()?;
    let batch =
        append(head, &leaves, |t| Ok(tiles.get(&(t.level, t.index)).cloned())).map_err(AppError::internal)?;
    let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
    ledger::set_leaves(c, signed(head.size)?, &ids).await?;
    for (tile, bytes) in &batch.tiles {
        ledger::put_tile(c, i64::from(tile.level), signed(tile.index)?, &hex(bytes)).await?;
    }
    let signed_note = office
        .signer()
        .ok_or_else(|| AppError::internal("no signing key"))?
        .sign(batch.head, &[])
        .map_err(AppError::internal)?;
    let checkpoint = CheckpointRow {
        size: signed(batch.head.size)?,
        root: hex(&batch.head.root),
        note: signed_note.note,
        at: now,
    };
    ledger::put_checkpoint(c, &checkpoint).await?;
    Ok(rows.len())
}

/// The stored head of the tree.
pub(crate) async fn head(c: &mut Conn<'_>) -> Result<TreeHead, AppError> {
    ledger::head(c).await?.as_ref().map_or(Ok(TreeHead::EMPTY), head_of)
}

/// The head that a stored checkpoint signs.
pub(crate) fn head_of(row: &CheckpointRow) -> Result<TreeHead, AppError> {
    let root = unhex(&row.root)
        .and_then(|b| <[u8; 32]>::try_from(b).ok())
        .ok_or_else(|| AppError::internal("a stored root is no hash"))?;
    let size = u64::try_from(row.size).map_err(AppError::internal)?;
    Ok(TreeHead { size, root })
}

/// An entry's bytes in the tree.
pub(crate) fn leaf(body: &str, row: &EntryRow) -> Result<Vec<u8>, AppError> {
    let bad = || AppError::internal(format!("ledger entry {} cannot be encoded", row.id));
    let stream = unhex(&row.stream).and_then(|b| <[u8; 16]>::try_from(b).ok()).ok_or_else(bad)?;
    let commit = unhex(&row.commitment).and_then(|b| <[u8; 32]>::try_from(b).ok()).ok_or_else(bad)?;
    let sequence = u64::try_from(row.seq).map_err(|_| bad())?;
    Leaf { body, stream, sequence, kind: &row.kind, commit }.encode().map_err(AppError::internal)
}

pub(crate) fn signed(n: u64) -> Result<i64, AppError> {
    i64::try_from(n).map_err(AppError::internal)
}
