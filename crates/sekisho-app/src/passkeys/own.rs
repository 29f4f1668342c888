//! Registering and removing one's own passkeys.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_base::canonical::hex;
use sekisho_boxed::boxed;
use sekisho_store::passkey::{self, PasskeyRow};
use sekisho_store::{second_factor as factors, session};
use serde_json::{Value, json};

use super::check::{self, ALGORITHMS, Expected};
use super::{Asked, PATIENCE_MS, Purpose, known, refused};
use crate::error::AppError;
use crate::login::{Identity, stream_of};
use crate::office::Office;
use crate::record::record;

/// Passkeys of one login, at most.
const MOST: usize = 10;
/// Characters of a name.
const NAME_CHARS: usize = 40;

/// A passkey, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyLine {
    /// Id.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// Since when.
    pub since: String,
    /// When it was last used; empty: never.
    pub used: String,
    /// It seems to have been copied, and is no longer taken.
    pub stopped: bool,
}

/// One's own passkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeysPage {
    /// The oldest first.
    pub rows: Vec<PasskeyLine>,
    /// Origin of the pages for which they are; empty where none can be used.
    pub origin: String,
    /// Why none can be used; empty where they can.
    pub why_not: &'static str,
    /// No more can be registered.
    pub full: bool,
}

#[boxed]
impl Office {
    /// One's own passkeys.
    ///
    /// # Errors
    /// The database failed.
    pub async fn passkeys(&self, who: &Identity) -> Result<PasskeysPage, AppError> {
        let rows = self.passkeys_of(who).await?;
        let (origin, why_not) = match self.passkey_site() {
            Ok(site) => (site.origin.clone(), ""),
            Err(why) => (String::new(), why.says()),
        };
        let full = rows.len() >= MOST;
        let line = |k: PasskeyRow| PasskeyLine {
            id: k.id,
            name: k.name,
            since: k.created_at.short(),
            used: k.used_at.map(Instant::japanese).unwrap_or_default(),
            stopped: k.stopped_at.is_some(),
        };
        Ok(PasskeysPage { rows: rows.into_iter().map(line).collect(), origin, why_not, full })
    }

    /// Asks for a new passkey.
    ///
    /// # Errors
    /// No passkeys can be used here.
    pub async fn ask_for_new_passkey(&self, who: &Identity) -> Result<Asked, AppError> {
        let rows = self.passkeys_of(who).await?;
        let handle = match rows.first() {
            // The same for every passkey of a login, so that a device keeps one for it.
            Some(row) => row.handle.clone(),
            None => self.random_text()?,
        };
        let (site, ticket, sealed) = self.challenge(Purpose::New, &who.token_hash, &handle)?;
        let name = self.directory().await?.person_name(&who.person).to_owned();
        let kinds = ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
        let known: Vec<Value> = rows.iter().map(|k| json!({"type": "public-key", "id": k.id})).collect();
        let options = json!({
            "challenge": ticket.challenge,
            "rp": {"id": site.id, "name": format!("関所 {}", self.body_title())},
            "user": {"id": handle, "name": who.login, "displayName": name},
            "pubKeyCredParams": kinds, "timeout": PATIENCE_MS, "attestation": "none",
            "authenticatorSelection": {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
            "excludeCredentials": known,
        });
        Ok(Asked { options, ticket: sealed })
    }

    /// Registers a passkey. Where it is the first second factor, gives recovery codes, which are never shown again.
    ///
    /// # Errors
    /// The field `passkey_name`; refused when it is not right, registered already, or one too many; [`AppError::Unproved`].
    pub async fn register_passkey(
        self: &Arc<Self>,
        who: &Identity,
        name: &str,
        (ticket, answer): (&str, &str),
    ) -> Result<Vec<String>, AppError> {
        self.proved(who)?;
        if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
            return Err(AppError::field(
                "passkey_name",
                "どの機器のパスキーかが後で分かる名前を、40文字までで入力してください。",
            ));
        }
        let site = self.passkey_site()?;
        let ticket = self.ticket(Purpose::New, &who.token_hash, ticket)?;
        let e = Expected { id: &site.id, origin: &site.origin, challenge: &ticket.challenge };
        let made = check::created(answer, &e).map_err(refused)?;
        let (codes, hashes) = self.recovery_codes(&who.login)?;
        let (now, seal, hash, person) =
            (self.clock.now(), self.seal()?, who.token_hash.clone(), who.person.clone());
        let row = PasskeyRow {
            id: made.id,
            login: who.login.clone(),
            handle: ticket.handle.clone(),
            name: name.to_owned(),
            public_key: hex(&made.key),
            counter: made.counter,
            created_at: now,
            used_at: None,
            stopped_at: None,
        };
        let first = self
            .store
            .write(move |c| {
                Box::pin(async move {
                    ticket.spend(c, now).await?;
                    let first = !factors::any(c, &row.login).await?;
                    if passkey::of_login(c, &row.login).await?.len() >= MOST {
                        return Err(AppError::refused(
                            "P006",
                            "パスキーは10個まで登録できます。使わないものを取り消してから登録してください。",
                        ));
                    }
                    passkey::put(c, &row).await.map_err(|e| known(e, "すでに登録されています"))?;
                    if first {
                        factors::put_codes(c, &row.login, &hashes).await?;
                    }
                    session::open(c, &hash).await?;
                    let payload = json!({"person": person, "at": now, "name": row.name});
                    record(c, seal, &stream_of(&person), "account.passkey", &payload, now).await?;
                    Ok::<_, AppError>(first)
                })
            })
            .await?;
        Ok(if first { codes } else { vec![] })
    }

    /// Removes one of the own passkeys.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; refused when it is the last second factor and a role asks for one; [`AppError::Unproved`].
    pub async fn remove_passkey(&self, who: &Identity, id: &str) -> Result<(), AppError> {
        self.proved(who)?;
        let required = self.needs_second_factor(&who.person).await?;
        let (login, person, id, now, seal) =
            (who.login.clone(), who.person.clone(), id.to_owned(), self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let name = passkey::remove(c, &login, &id).await?.ok_or(AppError::NotFound)?;
                    if required && !factors::any(c, &login).await? {
                        return Err(AppError::refused(
                            "L007",
                            "あなたの役割には多要素認証が必要です。認証アプリかほかのパスキーを登録してから取り消してください。",
                        ));
                    }
                    factors::drop_idle_codes(c, &login).await?;
                    let payload = json!({"person": person, "by": person, "at": now, "name": name});
                    record(c, seal, &stream_of(&person), "account.passkey_removed", &payload, now).await?;
                    Ok(())
                })
            })
            .await
    }
}
