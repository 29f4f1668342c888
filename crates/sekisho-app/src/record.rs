//! Ledger entries in the act's own transaction: no act without entry, no entry without act (design §3, invariant 8).

use sekisho_base::canonical::{canonical_json, hex};
use sekisho_base::{Id, Instant};
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
pub async fn record(
    c: &mut Conn<'_>,
    seal: Seal,
    stream: &str,
    kind: &str,
    payload: &serde_json::Value,
    at: Instant,
) -> Result<String, AppError> {
    let payload = canonical_json(payload);
    let seq = ledger::next_seq(c, stream).await?;
    let row = EntryRow {
        id: seal.id(),
        stream: stream.to_owned(),
        seq,
        kind: kind.to_owned(),
        commitment: hex(&sekisho_ledger::commit(&seal.salt, &payload)),
        salt: Some(hex(&seal.salt)),
        payload: Some(payload),
        at,
        leaf_index: None,
    };
    ledger::put(c, &row).await?;
    Ok(row.id)
}
