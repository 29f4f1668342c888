//! Ledger entries in the act's own transaction: no act without entry, no entry without act (design §3, invariant 8).

use sekisho_base::canonical::{canonical_json, hex};
use sekisho_base::{Id, Instant};
use sekisho_boxed::boxed;
use sekisho_store::ledger::EntryRow;
use sekisho_store::{Conn, ledger};

use crate::error::AppError;
use crate::office::Office;

/// Randomness for one entry, drawn before the transaction.
#[derive(Debug, Clone, Copy)]
pub struct Seal {
    id: Id,
    salt: [u8; 16],
}

impl Office {
    /// Draws what one entry needs.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn seal(&self) -> Result<Seal, AppError> {
        let mut salt = [0u8; 16];
        self.entropy.fill(&mut salt).map_err(AppError::internal)?;
        Ok(Seal { id: self.new_id()?, salt })
    }
}

impl Seal {
    /// Id that the entry will have.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }
}

/// The stream of whatever has this id: a case, a row, a proposal.
///
/// # Errors
/// It is no id.
pub(crate) fn stream_of(id: &str) -> Result<String, AppError> {
    id.parse::<Id>().map(ledger::stream_id).map_err(AppError::internal)
}

/// Writes an entry to the outbox and returns its id.
///
/// `stream` is 32 hexadecimal digits (see [`ledger::stream_id`]); `payload` is canonicalized here.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn record(
    c: &mut Conn<'_>,
    seal: Seal,
    stream: &str,
    kind: &str,
    payload: &serde_json::Value,
    at: Instant,
) -> Result<String, AppError> {
    let seq = ledger::next_seq(c, stream).await?;
    let row = entry_of(seal, stream, seq, kind, payload, at);
    ledger::put(c, &row).await?;
    Ok(row.id)
}

/// Writes entries of one kind to the outbox that each begin a stream of their own; as [`record`], for many at once.
///
/// # Errors
/// The database failed.
pub(crate) async fn record_first(
    c: &mut Conn<'_>,
    entries: &[(Seal, String, serde_json::Value)],
    kind: &str,
    at: Instant,
) -> Result<(), AppError> {
    let row = |(seal, stream, payload): &(Seal, String, serde_json::Value)| {
        entry_of(*seal, stream, 1, kind, payload, at)
    };
    let rows: Vec<EntryRow> = entries.iter().map(row).collect();
    ledger::put_first(c, &rows).await.map_err(AppError::from)
}

fn entry_of(
    seal: Seal,
    stream: &str,
    seq: i64,
    kind: &str,
    payload: &serde_json::Value,
    at: Instant,
) -> EntryRow {
    let payload = canonical_json(payload);
    EntryRow {
        id: seal.id(),
        stream: stream.to_owned(),
        seq,
        kind: kind.to_owned(),
        commitment: hex(&sekisho_ledger::commit(&seal.salt, &payload)),
        salt: Some(hex(&seal.salt)),
        payload: Some(payload),
        at,
        leaf_index: None,
    }
}
