//! Tokens of programs: they act for a person through the programming interface, within a scope, until a day.

use std::net::IpAddr;

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::normalize_code;
use sekisho_base::{Instant, Networks, limits};
use sekisho_boxed::boxed;
use sekisho_store::account::Checked;
use sekisho_store::api_token::{self, TokenRow};
use serde_json::json;

use crate::error::{AppError, FieldError};
use crate::login::{Identity, Stage, Via, stream_of};
use crate::office::Office;
use crate::record::record;

/// What every token begins with, so that a leaked one is recognized.
const PREFIX: &str = "sekisho_";
/// Days for which a token may be made.
pub const DAYS: [i64; 3] = [30, 90, 365];
/// Most tokens of one person.
const MOST: usize = 20;
/// A use is noted at most this often.
const TOUCH_MS: i64 = 60_000;
/// A refusal because of the network is recorded at most this often for a token.
const REFUSAL_MS: i64 = 3_600_000;
/// Leading bits that a network of a token has at least, IPv4 and IPv6: a list of everything would be no list.
const WIDEST: (u32, u32) = (8, 16);

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read what the person sees.
    Read,
    /// Ask for the handling decision.
    Handling,
    /// Write rows of registers and import them, as the person may.
    Registers,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Handling, Self::Registers];

    /// Stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Handling => "handling",
            Self::Registers => "registers",
        }
    }

    /// For people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Read => "自分が見られるものを読む",
            Self::Handling => "取扱いの可否を尋ねる",
            Self::Registers => "台帳に書く",
        }
    }
}

/// A token in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLine {
    /// Id.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// What it may do.
    pub scopes: String,
    /// From where; empty: it has no list of its own.
    pub networks: String,
    /// When it was made.
    pub since: String,
    /// Until when it works.
    pub until: String,
    /// Last use; empty when never.
    pub used: String,
    /// It works no more.
    pub over: bool,
}

impl TokenLine {
    pub(crate) fn of(t: TokenRow, now: Instant) -> Self {
        let labels = Scope::ALL.iter().filter(|s| holds(&t.scopes, **s)).map(|s| s.label());
        Self {
            scopes: labels.collect::<Vec<_>>().join("、"),
            id: t.id,
            name: t.name,
            networks: t.networks,
            since: t.created_at.short(),
            until: t.expires_at.short(),
            used: t.used_at.map(Instant::short).unwrap_or_default(),
            over: t.expires_at <= now,
        }
    }
}

/// What is asked for of a new token, as typed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// What the person calls it.
    pub name: &'w str,
    /// What it may do: words of [`Scope`].
    pub scopes: &'w [String],
    /// From where it may be used: addresses and networks between commas; empty: no list of its own.
    pub networks: &'w str,
    /// How long it works: one of [`DAYS`].
    pub days: &'w str,
}

/// From where a program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller {
    /// Its address, behind the proxies that are believed; none where nobody knows.
    pub address: Option<IpAddr>,
    /// Whether that is where a second factor is demanded of people.
    pub strict: bool,
}

impl Caller {
    /// Whether a token with this list may be used from here. Where a second factor is demanded, which no program has, only a list that names the
    /// place lets a token in; a list that cannot be read names nothing.
    fn may_use(self, networks: &str) -> bool {
        if networks.is_empty() {
            return !self.strict;
        }
        let list = Networks::parse(networks).unwrap_or_default();
        self.address.is_some_and(|address| list.hold(address))
    }
}

/// The list of networks as it is kept, or what is wrong with it.
fn networks_of(typed: &str) -> Result<String, String> {
    if typed.chars().count() > limits::LINE_CHARS * 5 {
        return Err("使える場所は、1000文字までで書いてください。".to_owned());
    }
    let plain = normalize_code(typed).replace(['、', '\n', '\r'], ",");
    let list = Networks::parse(&plain).map_err(|e| {
        format!(
            "使える場所の「{}」は、アドレスでも範囲でもありません。10.1.2.3 や 10.1.4.0/24 のように、100個までをコンマで区切って書いてください。",
            e.0
        )
    })?;
    match list.wider_than(WIDEST.0, WIDEST.1) {
        Some(wide) => Err(format!(
            "使える場所の「{wide}」は広すぎます。IPv4は /{} から、IPv6は /{} からの範囲で書いてください。",
            WIDEST.0, WIDEST.1
        )),
        None => Ok(list.to_string()),
    }
}

fn holds(scopes: &str, scope: Scope) -> bool {
    scopes.split(' ').any(|s| s == scope.word())
}

#[boxed]
impl Office {
    /// Makes a token and gives its secret, which is shown once and stored nowhere.
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::Unproved`].
    pub async fn make_token(&self, who: &Identity, wanted: Wanted<'_>) -> Result<String, AppError> {
        self.proved(who)?;
        let Wanted { name, scopes, days, .. } = wanted;
        let mut wrong = Vec::new();
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        if name.is_empty() || name.chars().count() > limits::LINE_CHARS {
            fault("name", "何に使うトークンかが分かる名前を、200文字までで記入してください。");
        }
        let words: Vec<&str> =
            Scope::ALL.iter().map(|s| s.word()).filter(|w| scopes.iter().any(|s| s == w)).collect();
        if words.is_empty() || words.len() != scopes.len() {
            fault("scope", "できることを、1つ以上選んでください。");
        }
        let networks = networks_of(wanted.networks).unwrap_or_else(|says| {
            fault("networks", &says);
            String::new()
        });
        let days = days.parse::<i64>().ok().filter(|d| DAYS.contains(d));
        if days.is_none() {
            fault("days", "使える期間を選んでください。");
        }
        let (Some(days), true) = (days, wrong.is_empty()) else { return Err(AppError::Invalid(wrong)) };
        let mut random = [0u8; 32];
        self.entropy.fill(&mut random).map_err(AppError::internal)?;
        let secret = format!("{PREFIX}{}", hex(&random));
        let now = self.clock.now();
        let row = TokenRow {
            id: self.new_id()?.to_string(),
            login: who.login.clone(),
            hash: hex(&sha256(secret.as_bytes())),
            name: name.to_owned(),
            scopes: words.join(" "),
            networks,
            created_at: now,
            expires_at: now.plus_millis(days * 86_400_000),
            used_at: None,
            refused_at: None,
            revoked_at: None,
        };
        let (person, seal) = (who.person.clone(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    if api_token::of_login(c, &row.login).await?.len() >= MOST {
                        return Err(AppError::refused("K101", "トークンは20個までです。使わないものを取り消してください。"));
                    }
                    api_token::put(c, &row).await?;
                    let payload = json!({"person": person, "token": row.id, "name": row.name, "scopes": row.scopes, "networks": row.networks, "until": row.expires_at, "at": now});
                    record(c, seal, &stream_of(&person), "account.token", &payload, now).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(secret)
    }

    /// Revokes one of the own tokens.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for somebody else's.
    pub async fn revoke_token(&self, who: &Identity, id: &str) -> Result<(), AppError> {
        let (login, person, id, now, seal) =
            (who.login.clone(), who.person.clone(), id.to_owned(), self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    // An empty id would mean all.
                    if id.is_empty() || api_token::revoke(c, &login, &id, now).await? == 0 {
                        return Err(AppError::NotFound);
                    }
                    let payload = json!({"person": person, "token": id, "at": now});
                    record(c, seal, &stream_of(&person), "account.token_revoked", &payload, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Who a token acts for, if it may do this from there; no token may what needs no scope but a session. Its first use of a day is recorded, and
    /// that somebody tried to use it from elsewhere.
    ///
    /// # Errors
    /// [`AppError::NoSession`] when it ended, never was, or may not be used from there, so that nobody there learns which it is; refused when this
    /// is not in its scope.
    pub async fn identify_token(
        &self,
        secret: &str,
        scope: Option<Scope>,
        caller: Caller,
    ) -> Result<Identity, AppError> {
        if !secret.starts_with(PREFIX) || secret.len() > 200 {
            return Err(AppError::NoSession);
        }
        let hash = hex(&sha256(secret.as_bytes()));
        let found = self
            .store
            .ask(move |c| Box::pin(async move { api_token::by_hash(c, &hash).await.map_err(AppError::from) }))
            .await?;
        let (token, account, barred) = found.ok_or(AppError::NoSession)?;
        let now = self.clock.now();
        if !account.active || account.must_change || token.expires_at <= now {
            return Err(AppError::NoSession);
        }
        if !caller.may_use(&token.networks) {
            self.token_refused(&token, account.person, caller).await?;
            return Err(AppError::NoSession);
        }
        let Some(scope) = scope else {
            return Err(AppError::refused(
                "K103",
                "これはトークンではできません。ログインして、画面で、または本人のセッションで行ってください。",
            ));
        };
        if !holds(&token.scopes, scope) {
            return Err(AppError::refused(
                "K102",
                format!(
                    "このトークンには「{}」（{}）が許されていません。アカウントのページで、それを選んだトークンを作ってください。",
                    scope.label(),
                    scope.word()
                ),
            ));
        }
        if token.used_at.is_none_or(|at| at.plus_millis(TOUCH_MS) <= now) {
            let (person, seal) = (account.person.clone(), self.seal()?);
            self.store
                .write(move |c| {
                    Box::pin(async move {
                        api_token::touch(c, &token.id, now).await?;
                        if token.used_at.is_none_or(|at| at.date() < now.date()) {
                            let payload =
                                json!({"person": person, "token": token.id, "name": token.name, "at": now});
                            record(c, seal, &stream_of(&person), "account.token_used", &payload, now).await?;
                        }
                        Ok::<_, AppError>(())
                    })
                })
                .await?;
        }
        Ok(Identity {
            directory: account.checked == Checked::Directory,
            login: account.login,
            person: account.person,
            csrf: String::new(),
            must_change: false,
            stage: Stage::Open,
            barred,
            second_factor: false,
            previous: None,
            failed: 0,
            via: Via::Password,
            strong: false,
            // A program proves nothing about who sits before it: privileged work is not for tokens.
            proved_at: Instant::from_millis(0),
            token_hash: String::new(),
        })
    }

    /// Records that somebody tried to use a token from where it may not be used.
    async fn token_refused(&self, token: &TokenRow, person: String, caller: Caller) -> Result<(), AppError> {
        let now = self.clock.now();
        if token.refused_at.is_some_and(|at| at.plus_millis(REFUSAL_MS) > now) {
            return Ok(());
        }
        let from = caller.address.map(|ip| ip.to_string()).unwrap_or_default();
        let (id, name, seal) = (token.id.clone(), token.name.clone(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    api_token::note_refusal(c, &id, now).await?;
                    let payload =
                        json!({"person": person, "token": id, "name": name, "from": from, "at": now});
                    record(c, seal, &stream_of(&person), "account.token_refused", &payload, now).await?;
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_as_people_write_it_and_its_faults_are_named() {
        for (typed, kept) in [
            ("", ""),
            (" 10.1.2.3 ", "10.1.2.3"),
            ("１０．１．２．３、10.2.0.0／16", "10.1.2.3, 10.2.0.0/16"),
            ("2001:db8::/32,", "2001:db8::/32"),
        ] {
            assert_eq!(networks_of(typed).as_deref(), Ok(kept), "{typed}");
        }
        for (typed, says) in [
            ("10.1.2.3, 10.1.2.999", "「10.1.2.999」は、アドレスでも"),
            ("テレワーク", "「テレワーク」"),
            ("10.1.2.3, 0.0.0.0/0", "「0.0.0.0/0」は広すぎます"),
            ("::/0", "「::/0」は広すぎます"),
        ] {
            assert!(networks_of(typed).is_err_and(|e| e.contains(says)), "{typed}");
        }
        assert!(networks_of(&"10.1.2.3,".repeat(200)).is_err());
    }

    #[test]
    fn a_place_that_demands_a_second_factor_must_be_on_the_list() {
        let at = |address: &str, strict| Caller { address: address.parse().ok(), strict };
        for (list, caller, may) in [
            ("", at("10.1.0.1", false), true),
            ("", at("10.9.0.1", true), false),
            ("10.9.0.0/16", at("10.9.0.1", true), true),
            ("10.9.0.0/16", at("10.1.0.1", false), false),
            ("10.1.0.0/16", at("10.9.0.1", true), false),
            // Nobody knows where it is.
            ("", at("", false), true),
            ("10.1.0.0/16", at("", false), false),
            ("x", at("10.1.0.1", false), false),
        ] {
            assert_eq!(caller.may_use(list), may, "{list:?} {caller:?}");
        }
    }
}
