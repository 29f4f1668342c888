//! What the ledger does by itself beside the pages: heartbeats, asking the witnesses, and one review a day.

use std::sync::Arc;
use std::time::Duration;

use sekisho_boxed::boxed;
use sekisho_store::ledger::witness::{self as kept, ReviewRow};

use super::verdict::{Verdict, verdict_of};
use super::witnesses::{self, Messenger};
use super::{heartbeat, verify_store};
use crate::error::AppError;
use crate::office::Office;
use crate::sequencer::signed;

/// Between two looks at what is due. Witnesses are asked no more often than this.
const PAUSE: Duration = Duration::from_secs(60);

/// How long a node may take to review the ledger.
const LEASE_MS: i64 = 30 * 60_000;

/// Runs until it is dropped. What fails is logged and tried again a minute later; nothing here holds up an act.
#[boxed]
pub async fn run(office: Arc<Office>, messenger: Arc<dyn Messenger>) {
    loop {
        if let Err(e) = heartbeat::beat(&office).await {
            tracing::error!(error = %e, "no heartbeat could be recorded");
        }
        tokio::time::sleep(PAUSE).await;
        if let Err(e) = witnesses::round(&office, messenger.as_ref()).await {
            tracing::error!(error = %e, "the witnesses could not be asked");
        }
        if let Err(e) = review_when_due(&office).await {
            tracing::error!(error = %e, "the ledger could not be reviewed");
        }
    }
}

/// Reviews the ledger when there is no review of today. Tells whether it did.
///
/// # Errors
/// As [`review`].
#[boxed]
pub async fn review_when_due(office: &Arc<Office>) -> Result<bool, AppError> {
    let latest = office
        .store
        .read(|c| Box::pin(async move { kept::latest_review(c).await.map_err(AppError::from) }))
        .await?;
    if latest.is_some_and(|r| r.ran_at.date() == office.clock.today()) {
        return Ok(false);
    }
    Ok(office.alone("review", LEASE_MS, review(office)).await?.is_some())
}

/// Verifies the whole ledger and compares it with the rows, and keeps the outcome for the page.
///
/// # Errors
/// The ledger has no checkpoint yet, or the database failed.
#[boxed]
pub async fn review(office: &Arc<Office>) -> Result<Verdict, AppError> {
    let verified = verify_store(&office.store, Vec::new(), &[]).await?;
    let verdict = verdict_of(&verified, false);
    if !verdict.sound {
        tracing::error!(report = verdict.text.join("\n"), "the ledger and the rows do not agree");
    }
    let row = ReviewRow {
        ran_at: office.clock.now(),
        size: signed(verified.report.signed.checkpoint.head.size)?,
        sound: verdict.sound,
        report: verdict.text.join("\n"),
    };
    office
        .store
        .write(move |c| Box::pin(async move { kept::put_review(c, &row).await.map_err(AppError::from) }))
        .await?;
    Ok(verdict)
}
