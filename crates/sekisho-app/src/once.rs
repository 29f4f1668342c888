//! Requests of programs under a key: a second sending gets the first answer, and nothing is done twice
//! (`docs/decisions/0033-days-of-a-stocktaking-and-keys.md`).

use sekisho_base::canonical::{canonical_json, hex, sha256};
use sekisho_boxed::boxed;
use sekisho_store::once;
use serde_json::json;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// For how long a key is known, in milliseconds.
const KNOWN_MS: i64 = 24 * 3_600_000;
/// Longest answer that is kept, in bytes. A longer one is known to have been given, and not given again.
const LONGEST: usize = 1 << 20;
/// Status of an answer that was given and not kept.
const UNKEPT: i64 = 1;
/// Said of a key whose request is under way, or whose answer was lost.
pub(crate) const IN_HAND: &str = "同じキーの操作が、まだ終わっていないか、結果が残っていません。少し待って送り直し、それでも同じなら、行われたかどうかを確かめてください。";

/// A request's hold on its key.
#[derive(Debug, Clone)]
pub struct Claim(once::Claim);

/// What a request under a key meets.
#[derive(Debug)]
pub enum Met {
    /// Nothing: it is to be carried out under this claim.
    New(Claim),
    /// It was carried out before: HTTP status and text of the answer.
    Answered(u16, String),
    /// Another sending is under way.
    InHand,
}

/// Carries out a request under its claim.
pub async fn under<F: Future>(claim: &Claim, work: F) -> F::Output {
    once::under(claim.0.clone(), work).await
}

/// Refusal of a request whose key is in hand and stays so.
#[must_use]
pub fn in_hand() -> AppError {
    AppError::refused("A009", IN_HAND)
}

#[boxed]
impl Office {
    /// Looks up a key of somebody's. `request` is a hash of what is asked.
    ///
    /// # Errors
    /// `A008` when the key was used for something else; the database failed.
    pub async fn meet_request(&self, who: &Identity, key: &str, request: &str) -> Result<Met, AppError> {
        let whole = json!({"person": who.person, "key": key});
        let id = hex(&sha256(canonical_json(&whole).as_bytes()));
        let at = self.clock.now();
        let claim = once::Claim {
            key: id,
            request: request.to_owned(),
            mark: self.new_id()?.to_string(),
            at,
            older_than: at.plus_millis(-KNOWN_MS),
        };
        let (id, since) = (claim.key.clone(), claim.older_than);
        let kept = self
            .store
            .read(move |c| Box::pin(async move { once::kept(c, &id, since).await.map_err(AppError::from) }))
            .await?;
        match kept {
            None => Ok(Met::New(Claim(claim))),
            Some(kept) if kept.request != request => Err(AppError::refused(
                "A008",
                "このキーは、別の内容の操作に使われています。操作ごとに新しいキーを付けてください。",
            )),
            Some(kept) => match u16::try_from(kept.status) {
                Ok(status) if status >= 200 => Ok(Met::Answered(status, kept.answer)),
                _ => Ok(Met::InHand),
            },
        }
    }

    /// Keeps the answer of a request that was carried out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_answer(&self, claim: &Claim, status: u16, answer: &str) -> Result<(), AppError> {
        let (claim, status, answer) = match answer.len() {
            0..=LONGEST => (claim.0.clone(), i64::from(status), answer.to_owned()),
            _ => (claim.0.clone(), UNKEPT, String::new()),
        };
        self.store
            .write(move |c| {
                Box::pin(
                    async move { once::answered(c, &claim, status, &answer).await.map_err(AppError::from) },
                )
            })
            .await
    }

    /// Gives up the claim of a request that was refused: it may be corrected and sent under the same key.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_up(&self, claim: &Claim) -> Result<(), AppError> {
        let claim = claim.0.clone();
        self.store
            .write(move |c| Box::pin(async move { once::refused(c, &claim).await.map_err(AppError::from) }))
            .await
    }

    /// Forgets keys that are no longer known. Returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_requests(&self) -> Result<u64, AppError> {
        let before = self.clock.now().plus_millis(-KNOWN_MS);
        self.store
            .write(move |c| Box::pin(async move { once::forget(c, before).await.map_err(AppError::from) }))
            .await
    }
}
