//! Passkeys (Web Authentication): a key in the person's device, opened there by PIN, finger or face. One is a second factor after the password, a
//! proof before privileged work, or a login by itself (`docs/decisions/0032-passkeys.md`).
//!
//! | module | what it is |
//! |---|---|
//! | [`cbor`] | the encoding that authenticators write; pure |
//! | [`check`] | what a browser brings, checked; pure |
//! | [`site`] | for which address passkeys are, and why there may be none |
//! | [`own`] | registering and removing one's own |

mod cbor;
mod check;
mod own;
mod site;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256, unhex};
use sekisho_boxed::boxed;
use sekisho_store::account;
use sekisho_store::passkey::{self, PasskeyRow};
use sekisho_store::{Conn, StoreError, outside};
use serde_json::{Value, json};

use crate::error::AppError;
use crate::login::{
    Identity, NewSession, Place, STOPPED, Stage, Taken, Via, begin, failed, failure_key, is_locked, stream_of,
};
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::record::record;
use crate::sealed::{open_secret, seal_secret};
use check::{Asserted, Expected};
pub use own::{PasskeyLine, PasskeysPage};
pub use site::{NoSite, Site, only_on_this_machine};

/// How long an answer is waited for, in milliseconds.
const PATIENCE_MS: i64 = 5 * 60_000;
/// What a ticket is sealed for.
const SEALED_FOR: &str = "passkey";
/// Bytes of a ticket that is opened, at most.
const TICKET_BYTES: usize = 4096;

const UNKNOWN: &str = "このパスキーは、関所に登録されていないか、取り消されています。ほかの方法でログインし、「アカウント」で登録し直してください。";
const COPIED: &str = "このパスキーは、複製されたおそれがあるため使えません。ほかの方法でログインし、「アカウント」で取り消して登録し直してください。覚えがないときは、すぐに情報政策担当課へ連絡してください。";

/// What somebody is asked to use a passkey for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Purpose {
    /// To come in, without anything else.
    Login,
    /// After the password.
    Second,
    /// To prove again who they are.
    Proof,
    /// To register it.
    New,
}

/// What a page's script needs to ask the browser for a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `publicKey` of `navigator.credentials`, with bytes as base64url.
    pub options: Value,
    /// What comes back with the answer, sealed: nothing waits on the server.
    pub ticket: String,
}

/// What is remembered while the browser asks.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Ticket {
    purpose: Purpose,
    challenge: String,
    /// Hash of the session, or what this browser keeps in a cookie.
    browser: String,
    /// What the new passkey knows the login by.
    handle: String,
    at: i64,
}

/// An answer that came back in time, to what this browser was asked.
struct Presented {
    site: Site,
    ticket: Ticket,
    asserted: Asserted,
    /// The passkey, where it is known here.
    row: Option<PasskeyRow>,
}

impl Ticket {
    /// Spends it in the transaction that takes its answer: once, until it would be too old anyway.
    async fn spend(&self, c: &mut Conn<'_>, now: Instant) -> Result<(), AppError> {
        let used = hex(&sha256(format!("passkey:{}", self.challenge).as_bytes()));
        let until = Instant::from_millis(self.at).plus_millis(PATIENCE_MS);
        outside::take_answer(c, &used, until, now).await.map_err(|e| known(e, "もう使われました"))
    }
}

/// What was there before, in words.
fn known(e: StoreError, why: &str) -> AppError {
    match e {
        StoreError::Conflict(_) => refused(why),
        e => e.into(),
    }
}

/// A refusal of what was sent, which counts as no failure.
fn refused(why: &str) -> AppError {
    AppError::refused("P001", format!("パスキーを確かめられませんでした（{why}）。もう一度試してください。"))
}

/// What the person is told of a passkey that is not right.
fn wrong(why: &str) -> String {
    format!("パスキーを確かめられませんでした（{why}）。5回続けて失敗すると、15分間使えなくなります。")
}

#[boxed]
impl Office {
    /// The site for which passkeys are, and a challenge, where passkeys can be used.
    fn challenge(
        &self,
        purpose: Purpose,
        browser: &str,
        handle: &str,
    ) -> Result<(Site, Ticket, String), AppError> {
        let site = self.passkey_site()?.clone();
        let ticket = Ticket {
            purpose,
            challenge: self.random_text()?,
            browser: browser.to_owned(),
            handle: handle.to_owned(),
            at: self.clock.now().millis(),
        };
        let kept = serde_json::to_vec(&ticket).map_err(AppError::internal)?;
        let sealed = seal_secret(self, SEALED_FOR, &kept)?;
        Ok((site, ticket, sealed))
    }

    /// 32 random bytes, base64url.
    fn random_text(&self) -> Result<String, AppError> {
        let mut bytes = [0u8; 32];
        self.entropy.fill(&mut bytes).map_err(AppError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Asks for a passkey, of these ids or of any.
    fn ask(&self, purpose: Purpose, browser: &str, ids: &[String]) -> Result<Asked, AppError> {
        let (site, ticket, sealed) = self.challenge(purpose, browser, "")?;
        let allowed: Vec<Value> = ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
        let options = json!({
            "challenge": ticket.challenge, "rpId": site.id, "timeout": PATIENCE_MS, "userVerification": "required",
            "allowCredentials": allowed,
        });
        Ok(Asked { options, ticket: sealed })
    }

    /// Asks whoever wants to come in. `browser`: what the browser keeps in a cookie, and nobody else knows.
    ///
    /// # Errors
    /// No passkeys can be used here.
    pub fn ask_to_come_in(&self, browser: &str) -> Result<Asked, AppError> {
        self.ask(Purpose::Login, browser, &[])
    }

    /// Asks somebody whose password was right.
    ///
    /// # Errors
    /// No passkeys can be used here.
    pub async fn ask_as_second_factor(&self, who: &Identity) -> Result<Asked, AppError> {
        self.ask(Purpose::Second, &who.token_hash, &self.usable_passkeys(who).await?)
    }

    /// Asks somebody to prove again who they are.
    ///
    /// # Errors
    /// No passkeys can be used here.
    pub async fn ask_as_proof(&self, who: &Identity) -> Result<Asked, AppError> {
        self.ask(Purpose::Proof, &who.token_hash, &self.usable_passkeys(who).await?)
    }

    /// Ids of somebody's passkeys that are taken; none where no passkeys can be used.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usable_passkeys(&self, who: &Identity) -> Result<Vec<String>, AppError> {
        if self.passkey_site().is_err() || !who.second_factor {
            return Ok(vec![]);
        }
        let rows = self.passkeys_of(who).await?;
        Ok(rows.into_iter().filter(|k| k.stopped_at.is_none()).map(|k| k.id).collect())
    }

    async fn passkeys_of(&self, who: &Identity) -> Result<Vec<PasskeyRow>, AppError> {
        let login = who.login.clone();
        self.store
            .read(move |c| {
                Box::pin(async move { passkey::of_login(c, &login).await.map_err(AppError::from) })
            })
            .await
    }

    /// Opens what came back with an answer.
    fn ticket(&self, purpose: Purpose, browser: &str, sealed: &str) -> Result<Ticket, AppError> {
        let late = || {
            AppError::refused(
                "P003",
                "このパスキーの操作は、この画面から始めたものではないか、始めてから5分たっています。ボタンをもう一度押してください。",
            )
        };
        if sealed.is_empty() || sealed.len() > TICKET_BYTES {
            return Err(late());
        }
        let opened = open_secret(self, SEALED_FOR, sealed).map_err(|_| late())?;
        let t: Ticket = serde_json::from_slice(&opened).map_err(|_| late())?;
        let (now, begun) = (self.clock.now(), Instant::from_millis(t.at));
        let open = begun <= now && begun.plus_millis(PATIENCE_MS) > now;
        if open && t.purpose == purpose && !browser.is_empty() && t.browser == browser {
            Ok(t)
        } else {
            Err(late())
        }
    }

    /// Reads an answer, and finds the passkey that it names.
    async fn presented(
        &self,
        purpose: Purpose,
        browser: &str,
        (ticket, answer): (&str, &str),
    ) -> Result<Presented, AppError> {
        let site = self.passkey_site()?.clone();
        let ticket = self.ticket(purpose, browser, ticket)?;
        let asserted = Asserted::parse(answer).map_err(refused)?;
        let id = asserted.id.clone();
        let row = self
            .store
            .read(move |c| Box::pin(async move { passkey::get(c, &id).await.map_err(AppError::from) }))
            .await?;
        Ok(Presented { site, ticket, asserted, row })
    }

    /// Takes a signature, once; otherwise says what is wrong with it.
    async fn settle(
        self: &Arc<Self>,
        p: &Presented,
        row: &PasskeyRow,
    ) -> Result<Result<Taken, String>, AppError> {
        let e = Expected { id: &p.site.id, origin: &p.site.origin, challenge: &p.ticket.challenge };
        if row.stopped_at.is_some() {
            return Ok(Err(COPIED.to_owned()));
        }
        let counter = match unhex(&row.public_key)
            .ok_or("登録された鍵を読めません")
            .and_then(|key| p.asserted.counter(&key, &e))
        {
            Ok(counter) => counter,
            Err(why) => return Ok(Err(wrong(why))),
        };
        let (ticket, k, now, seal, office) =
            (p.ticket.clone(), row.clone(), self.clock.now(), self.seal()?, Arc::clone(self));
        let right = self
            .store
            .write(move |c| {
                Box::pin(async move {
                    ticket.spend(c, now).await?;
                    if passkey::take(c, &k.id, counter, now).await? {
                        return Ok(true);
                    }
                    // Its right signature with an old counter: two devices sign with one key. Or it was removed just now.
                    if passkey::stop(c, &k.id, now).await?
                        && let Some(a) = account::by_login(c, &k.login).await?
                    {
                        let payload = json!({"person": a.person, "at": now, "name": k.name, "counter": counter, "last": k.counter});
                        record(c, seal, &stream_of(&a.person), "account.passkey_copied", &payload, now).await?;
                        let told = Told {
                            kind: "account",
                            subject: "あなたのパスキーが複製されたおそれがあるため、使えなくしました。覚えがないときは、すぐに情報政策担当課へ連絡してください。",
                            link: "/account/second-factor",
                        };
                        notify(c, &office, &told, &[a.person], now).await?;
                    }
                    Ok::<_, AppError>(false)
                })
            })
            .await?;
        Ok(if right {
            Ok(Taken { since: Some(row.created_at), name: row.name.clone() })
        } else {
            Err(COPIED.to_owned())
        })
    }

    /// Takes a passkey of somebody with a session, as second factor or as proof; says otherwise what is wrong.
    pub(crate) async fn take_passkey(
        self: &Arc<Self>,
        who: &Identity,
        purpose: Purpose,
        answer: (&str, &str),
    ) -> Result<Result<Taken, String>, AppError> {
        let p = self.presented(purpose, &who.token_hash, answer).await?;
        match p.row.as_ref().filter(|k| k.login == who.login) {
            Some(row) => self.settle(&p, row).await,
            None => Ok(Err(UNKNOWN.to_owned())),
        }
    }

    /// Begins a session for whoever holds a passkey: it is both factors, since the device asked for PIN, finger or face.
    ///
    /// # Errors
    /// The passkey is not known, not right or not for this moment; its login is stopped or locked.
    pub async fn enter_by_passkey(
        self: &Arc<Self>,
        browser: &str,
        answer: (&str, &str),
        place: &Place,
    ) -> Result<NewSession, AppError> {
        let p = self.presented(Purpose::Login, browser, answer).await?;
        // Without a password the authenticator must name whose it is (Web Authentication Level 3, section 7.2, step 6).
        let Some(row) = p.row.as_ref().filter(|k| k.handle == p.asserted.user) else {
            tracing::warn!(address = place.address, "a passkey that is not known here");
            return Err(AppError::refused("P004", UNKNOWN));
        };
        let login = row.login.clone();
        let account = self
            .store
            .read(move |c| {
                Box::pin(async move { account::by_login(c, &login).await.map_err(AppError::from) })
            })
            .await?
            .ok_or(AppError::NotFound)?;
        // Wrong passwords and wrong codes stand in the way of a passkey too.
        let [password, code] = ["login", "code"].map(|what| failure_key(what, &row.login));
        if is_locked(self, &password).await? || is_locked(self, &code).await? {
            return Err(AppError::refused("P005", STOPPED));
        }
        match self.settle(&p, row).await? {
            Ok(taken) if account.active => {
                begin(self, account, code, place, (Stage::Open, Via::Passkey, Some(taken)), "").await
            }
            Ok(_) => Err(AppError::refused("P005", STOPPED)),
            Err(says) => {
                failed(self, code, false, Some(account.person), place).await?;
                Err(AppError::refused("P004", says))
            }
        }
    }
}
