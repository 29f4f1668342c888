//! Heartbeats: where nothing happens for a day, an entry says so. Silence of the ledger is then a fact that can be proved, and
//! a stretch without any entry means that the server stood still or that entries are missing.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_boxed::boxed;
use sekisho_store::{Conn, ledger as rows, setting};
use serde_json::json;

use super::HEARTBEAT;
use crate::error::AppError;
use crate::office::Office;
use crate::record::record;

/// A heartbeat is due when the newest entry is this old, in milliseconds.
pub const INTERVAL_MS: i64 = 24 * 3_600_000;

/// Records a heartbeat where one is due: the first one at once, later ones after a day without entries. Tells whether it did.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn beat(office: &Arc<Office>) -> Result<bool, AppError> {
    let now = office.clock.now();
    let heart = stream(office.body());
    let asked = office.store.read(move |c| Box::pin(async move { due(c, &heart, now).await })).await?;
    if asked.is_none() {
        return Ok(false);
    }
    let (seal, stream) = (office.seal()?, stream(office.body()));
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                // Looked at again in the transaction: an act or another node may have been faster.
                let Some(since) = due(c, &stream, now).await? else { return Ok(false) };
                let payload = json!({"at": now, "nothing_since": since});
                record(c, seal, &stream, HEARTBEAT, &payload, now).await?;
                Ok::<_, AppError>(true)
            })
        })
        .await
}

/// The time of the newest entry where a heartbeat is due.
async fn due(c: &mut Conn<'_>, stream: &str, now: Instant) -> Result<Option<Instant>, AppError> {
    let newest = rows::newest_at(c).await?.unwrap_or(now);
    let quiet = now.millis() - newest.millis() >= INTERVAL_MS;
    let first = setting::current(c, &format!("stream:{stream}")).await? == 0;
    Ok((quiet || first).then_some(newest))
}

/// When the heart of a body beat last.
pub(crate) async fn last(c: &mut Conn<'_>, body: &str) -> Result<Option<Instant>, AppError> {
    let stream = stream(body);
    let beats = setting::current(c, &format!("stream:{stream}")).await?;
    Ok(rows::numbered(c, &stream, beats).await?.map(|row| row.at))
}

/// The stream of a body's heartbeats: the same for every node, so that their numbers are dense.
fn stream(body: &str) -> String {
    let digest = sha256(format!("sekisho heartbeat {body}").as_bytes());
    hex(&digest).chars().take(32).collect()
}
