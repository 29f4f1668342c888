//! Failed logins and codes: counted, locked at the fifth, and told in the ledger of whose account it is.

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::shorten;
use sekisho_store::Conn;
use sekisho_store::account::{self, Failures};
use serde_json::json;

use super::{Place, stream_of};
use crate::error::AppError;
use crate::office::Office;
use crate::record::record;

/// Failures in a row after which a login waits.
const MAX_FAILURES: i64 = 5;
/// How long it waits.
const LOCK_MS: i64 = 15 * 60_000;

/// What is said where others than a password vouch for somebody whose login is stopped or locked.
pub(crate) const STOPPED: &str = "このログインは、今は使えません。停止されているか、続けて失敗したため待っているところです。15分たっても使えないときは、情報政策担当課へ連絡してください。";

/// Under what failures are counted: of a password (`login`) or of a second factor (`code`).
pub(crate) fn failure_key(what: &str, login: &str) -> String {
    hex(&sha256(format!("{what}:{login}").as_bytes()))
}

/// Whether a key is locked now.
pub(crate) async fn is_locked(office: &Office, key: &str) -> Result<bool, AppError> {
    let key = key.to_owned();
    let found = office
        .store
        .read(move |c| Box::pin(async move { account::failures(c, &key).await.map_err(AppError::from) }))
        .await?;
    let now = office.clock.now();
    Ok(found.locked_until.is_some_and(|until| until > now))
}

/// Refuses a right password or code where wrong ones that came at the same time have locked the key meanwhile.
pub(crate) async fn still_open(
    c: &mut Conn<'_>,
    key: &str,
    now: Instant,
    says: &str,
) -> Result<(), AppError> {
    let locked = account::failures(c, key).await?.locked_until.is_some_and(|until| until > now);
    if locked { Err(AppError::refused("L001", says)) } else { Ok(()) }
}

/// Counts a failure, locks at the fifth, and records both for the person whose account it is. Tells whether it is locked now.
pub(crate) async fn failed(
    office: &Office,
    key: String,
    locked: bool,
    person: Option<String>,
    place: &Place,
) -> Result<bool, AppError> {
    // Nothing is written while it is locked: a flood of tries fills no ledger.
    if locked {
        return Ok(true);
    }
    let now = office.clock.now();
    office.login_failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let (seals, address) = ([office.seal()?, office.seal()?], shorten(&place.address, 60));
    if person.is_none() {
        tracing::warn!(address, "a login with a name that does not exist");
    }
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                // Counted here: tries that come at once, perhaps at several nodes, count one by one.
                let before = account::failures(c, &key).await?;
                if before.locked_until.is_some_and(|until| until > now) {
                    return Ok(true);
                }
                let count = before.count + 1;
                let lock = count >= MAX_FAILURES;
                let after = if lock {
                    Failures { count: 0, locked_until: Some(now.plus_millis(LOCK_MS)) }
                } else {
                    Failures { count, locked_until: None }
                };
                account::set_failures(c, &key, after).await?;
                let Some(person) = person else { return Ok(lock) };
                let stream = stream_of(&person);
                let [first, second] = seals;
                let payload = json!({"person": person, "at": now, "from": address});
                record(c, first, &stream, "account.login_failed", &payload, now).await?;
                if lock {
                    let payload = json!({"person": person, "at": now});
                    record(c, second, &stream, "account.locked", &payload, now).await?;
                }
                Ok::<_, AppError>(lock)
            })
        })
        .await
}
