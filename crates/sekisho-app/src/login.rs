//! Login: password, checked here or at the directory (`ldap/sign_in.rs`), second factor, lockout that does not tell which logins exist,
//! sessions kept on the server, and the proof that is asked again before privileged work.

mod change;
mod failures;

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::{normalize_code, shorten};
use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::session::{self, SessionRow};
pub use sekisho_store::session::{Stage, Via};
use sekisho_store::{Conn, ledger, second_factor as factors};
use serde_json::json;

pub use change::change_password;
pub(crate) use failures::{STOPPED, failed, failure_key, is_locked, still_open};

use crate::error::AppError;
use crate::ldap::sign_in::{REFUSAL, Tried, at_directory, take_up_by_factor, try_password};
use crate::office::Office;
use crate::passkeys::Purpose;
use crate::password::verify;
use crate::record::{Seal, record};
use crate::totp;

/// A session ends after this time without a request.
pub(crate) const IDLE_MS: i64 = 60 * 60_000;
/// A session ends after this time at the latest.
const SESSION_MS: i64 = 12 * 3_600_000;
/// How long the code of the second factor is waited for.
const CODE_MS: i64 = 10 * 60_000;
/// How long a proof of who somebody is stands for privileged work.
const PROOF_MS: i64 = 15 * 60_000;

/// One message for every failed login: it must not tell which logins exist or are locked.
const FAILED: &str = "ログイン名またはパスワードが違います。5回続けて間違えると15分間ログインできなくなります。分からないときは情報政策担当課へ連絡してください。";
const FAILED_CODE: &str = "コードが違うか、もう使われています。アプリに今出ている6桁の数字か、まだ使っていない回復コードを入力してください。5回続けて間違えると、15分間使えなくなります。";
const FAILED_PROOF: &str = "パスワードまたは6桁のコードが違います。コードは一度しか使えません。続けて間違えると、15分間使えなくなります。";

/// Where a login comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Network address; empty when unknown.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// Who a request comes from, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Login name.
    pub login: String,
    /// Person number.
    pub person: String,
    /// Token that every form of this session carries.
    pub csrf: String,
    /// A temporary password is in use: only changing it is allowed.
    pub must_change: bool,
    /// What else stands before the pages.
    pub stage: Stage,
    /// Somebody else set the credentials anew, and the person is not yet known to have taken them up: no decisions.
    pub barred: bool,
    /// Whether the account has a second factor.
    pub second_factor: bool,
    /// The password is checked at the directory.
    pub directory: bool,
    /// The login before this one; none when this is the first.
    pub previous: Option<Instant>,
    /// Failed logins between the two.
    pub failed: i64,
    /// How the session began.
    pub via: Via,
    /// Whether it began by a second factor too, of our own or one that others vouch for.
    pub strong: bool,
    /// When the person last proved who they are.
    pub(crate) proved_at: Instant,
    /// SHA-256 of the session's token; empty for a program's token.
    pub(crate) token_hash: String,
}

impl Identity {
    /// Somebody without a session: the demo city's people, acting while it is made.
    pub(crate) fn of_person(person: &str) -> Self {
        Self {
            login: String::new(),
            person: person.to_owned(),
            csrf: String::new(),
            must_change: false,
            stage: Stage::Open,
            barred: false,
            second_factor: false,
            directory: false,
            previous: None,
            failed: 0,
            via: Via::Password,
            strong: true,
            proved_at: Instant::from_millis(i64::MAX),
            token_hash: String::new(),
        }
    }
}

/// What somebody gives as second factor or as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<'g> {
    /// What was typed: a code, a recovery code, a password.
    Typed(&'g str),
    /// The ticket of a passkey that was asked for, and what the browser brought.
    Passkey(&'g str, &'g str),
}

/// A second factor that was taken.
pub(crate) struct Taken {
    /// Since when it is there.
    pub(crate) since: Option<Instant>,
    /// Name of the passkey; empty for others.
    pub(crate) name: String,
}

/// A new session: the token goes to the browser once and is stored nowhere.
#[derive(Debug)]
pub struct NewSession {
    /// Secret for the cookie.
    pub token: String,
    /// Whether the password must be changed first.
    pub must_change: bool,
    /// What else stands before the pages.
    pub stage: Stage,
}

/// A login name as compared: half width, lower case.
#[must_use]
pub fn login_name(typed: &str) -> String {
    normalize_code(typed).to_lowercase()
}

/// What is wrong with a login name as compared, if anything.
pub(crate) fn login_fault(login: &str) -> Option<&'static str> {
    let usable = (3..=60).contains(&login.len())
        && login.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b));
    (!usable).then_some("ログイン名は半角の英小文字・数字・「. _ - @」で3文字以上60文字以下にしてください。")
}

/// The ledger stream of a person's account: derived, so that it needs no column.
pub(crate) fn stream_of(person: &str) -> String {
    hex(&sha256(format!("account:{person}").as_bytes())).chars().take(32).collect()
}

/// Logs somebody in with a password. Where the account has a second factor, its code is still missing then.
///
/// # Errors
/// Refused with one message for every reason.
#[boxed]
pub async fn login(
    office: &Arc<Office>,
    login: &str,
    password: &str,
    place: &Place,
) -> Result<NewSession, AppError> {
    let login = login_name(login);
    let refused = || AppError::refused("L001", FAILED);
    if login.is_empty() || login.len() > 200 || password.len() > 1000 {
        return Err(refused());
    }
    let (key, typed) = (failure_key("login", &login), login.clone());
    let locked = is_locked(office, &key).await?;
    let account = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let Some(a) = account::by_login(c, &login).await? else { return Ok(None) };
                let factor = factors::any(c, &a.login).await?;
                Ok::<_, AppError>(Some((a, factor)))
            })
        })
        .await?;
    let refusal = office.directory_server().map(|_| tokio::time::sleep(REFUSAL));
    let tried = try_password(office, account.as_ref().map(|(a, _)| a), locked, &typed, password).await?;
    match account {
        Some((a, factor)) if tried == Tried::Right && a.active && !locked => {
            let stage = first_stage(office, &a.person, factor).await?;
            begin(office, a, key, place, (stage, Via::Password, None), "").await
        }
        account => {
            // While the directory is away nobody knows whether the password was wrong.
            if !(tried == Tried::Away
                && account.as_ref().is_some_and(|(a, _)| a.checked == Checked::Directory))
            {
                failed(office, key, locked, account.map(|(a, _)| a.person), place).await?;
            }
            if let Some(refusal) = refusal {
                refusal.await;
            }
            match (tried, office.directory_title()) {
                (Tried::Away, Some(title)) => Err(crate::ldap::away(title)),
                _ => Err(refused()),
            }
        }
    }
}

/// What stands between a right first factor and the pages; `factor`: whether there is a second one.
pub(crate) async fn first_stage(office: &Office, person: &str, factor: bool) -> Result<Stage, AppError> {
    Ok(if factor {
        Stage::Code
    } else if office.needs_second_factor(person).await? {
        Stage::Enrol
    } else {
        Stage::Open
    })
}

/// Takes the code of the second factor, a recovery code or a passkey from somebody whose password was right.
///
/// # Errors
/// Refused when it is wrong or was used; after the fifth time the session is over.
#[boxed]
pub async fn second(
    office: &Arc<Office>,
    who: &Identity,
    given: Given<'_>,
    place: &Place,
) -> Result<NewSession, AppError> {
    let key = failure_key("code", &who.login);
    let locked = is_locked(office, &key).await?;
    let wrong = || FAILED_CODE.to_owned();
    let taken = match given {
        _ if locked => Err(wrong()),
        Given::Typed(typed) => office.take_second_factor(who, typed).await?.ok_or_else(wrong),
        Given::Passkey(ticket, answer) => office.take_passkey(who, Purpose::Second, (ticket, answer)).await?,
    };
    let (login, hash) = (who.login.clone(), who.token_hash.clone());
    let taken = match taken {
        Ok(taken) => taken,
        Err(says) => {
            if failed(office, key, locked, Some(who.person.clone()), place).await? {
                office
                    .store
                    .write(move |c| {
                        Box::pin(async move { session::end(c, &login, &hash).await.map_err(AppError::from) })
                    })
                    .await?;
                return Err(AppError::NoSession);
            }
            return Err(AppError::refused("L002", says));
        }
    };
    let since = taken.since;
    let account = office
        .store
        .ask(move |c| Box::pin(async move { account::by_login(c, &login).await.map_err(AppError::from) }))
        .await?
        .ok_or(AppError::NoSession)?;
    let how = (Stage::Open, who.via, Some(taken));
    let session = begin(office, account.clone(), key, place, how, &who.token_hash).await?;
    if account.checked == Checked::Directory {
        take_up_by_factor(office, account, since).await?;
    }
    Ok(session)
}

pub(crate) fn new_session(
    office: &Office,
    login: &str,
    place: &Place,
    stage: Stage,
    via: Via,
) -> Result<(String, SessionRow), AppError> {
    let now = office.clock.now();
    let mut secret = [0u8; 32];
    office.entropy.fill(&mut secret).map_err(AppError::internal)?;
    let mut csrf = [0u8; 16];
    office.entropy.fill(&mut csrf).map_err(AppError::internal)?;
    let token = hex(&secret);
    let row = SessionRow {
        token_hash: hex(&sha256(token.as_bytes())),
        login: login.to_owned(),
        csrf: hex(&csrf),
        stage,
        address: shorten(&place.address, 60),
        agent: shorten(&place.agent, 300),
        previous: None,
        failed: 0,
        created_at: now,
        proved_at: now,
        seen_at: now,
        expires_at: now.plus_millis(if stage == Stage::Code { CODE_MS } else { SESSION_MS }),
        via,
        factor_since: None,
    };
    Ok((token, row))
}

/// Begins a session after a password, a code or a passkey was right; `ends` is the session that waited for it.
pub(crate) async fn begin(
    office: &Arc<Office>,
    a: AccountRow,
    failure_key: String,
    place: &Place,
    (stage, via, taken): (Stage, Via, Option<Taken>),
    ends: &str,
) -> Result<NewSession, AppError> {
    let (token, mut row) = new_session(office, &a.login, place, stage, via)?;
    row.factor_since = taken.as_ref().and_then(|t| t.since);
    let passkey = taken.map(|t| t.name).unwrap_or_default();
    let (now, seal, ends) = (row.created_at, office.seal()?, ends.to_owned());
    let must_change = must_change(&a, via);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                still_open(c, &failure_key, now, FAILED).await?;
                session::sweep(c, now).await?;
                session::end(c, &a.login, &ends).await?;
                account::clear_failures(c, &failure_key).await?;
                if stage != Stage::Code {
                    entered(c, &a.person, &mut row, &passkey, seal).await?;
                }
                session::put(c, &row).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(NewSession { token, must_change, stage })
}

/// A temporary password is changed by whoever comes in with it.
pub(crate) fn must_change(a: &AccountRow, via: Via) -> bool {
    a.must_change && via == Via::Password
}

/// Records a login, with the name of the passkey that was used, and keeps with the session which login came before it.
pub(crate) async fn entered(
    c: &mut Conn<'_>,
    person: &str,
    row: &mut SessionRow,
    passkey: &str,
    seal: Seal,
) -> Result<(), AppError> {
    let stream = stream_of(person);
    (row.previous, row.failed) =
        ledger::last_and_since(c, &stream, "account.login", "account.login_failed").await?;
    let mut payload = json!({"person": person, "at": row.created_at, "from": row.address, "browser": crate::sessions::browser_words(&row.agent), "via": row.via.code()});
    if let Some(fields) = payload.as_object_mut().filter(|_| !passkey.is_empty()) {
        fields.insert("name".to_owned(), json!(format!("パスキー「{passkey}」")));
    }
    record(c, seal, &stream, "account.login", &payload, row.created_at).await?;
    Ok(())
}

/// Who a token belongs to.
///
/// # Errors
/// [`AppError::NoSession`] when it ended or never was.
#[boxed]
pub async fn identify(office: &Arc<Office>, token: &str) -> Result<Identity, AppError> {
    if token.len() != 64 {
        return Err(AppError::NoSession);
    }
    let hash = hex(&sha256(token.as_bytes()));
    let found = office
        .store
        .ask(move |c| Box::pin(async move { session::get(c, &hash).await.map_err(AppError::from) }))
        .await?;
    let session::Found { session: s, account, reset, second_factor } = found.ok_or(AppError::NoSession)?;
    let now = office.clock.now();
    if !account.active || s.expires_at <= now || s.seen_at.plus_millis(IDLE_MS) <= now {
        return Err(AppError::NoSession);
    }
    if s.seen_at.plus_millis(60_000) <= now {
        let touched = s.token_hash.clone();
        office
            .store
            .write(move |c| {
                Box::pin(async move { session::touch(c, &touched, now).await.map_err(AppError::from) })
            })
            .await?;
    }
    Ok(Identity {
        login: s.login,
        csrf: s.csrf,
        must_change: must_change(&account, s.via),
        person: account.person,
        stage: s.stage,
        barred: reset,
        second_factor,
        directory: account.checked == Checked::Directory,
        previous: s.previous,
        failed: s.failed,
        strong: s.factor_since.is_some(),
        via: s.via,
        proved_at: s.proved_at,
        token_hash: s.token_hash,
    })
}

/// Ends a session.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn logout(office: &Arc<Office>, who: &Identity) -> Result<(), AppError> {
    let (login, hash) = (who.login.clone(), who.token_hash.clone());
    office
        .store
        .write(move |c| {
            Box::pin(async move { session::end(c, &login, &hash).await.map(|_| ()).map_err(AppError::from) })
        })
        .await
}

impl Office {
    /// Refuses privileged work when the last proof of who somebody is lies too far back.
    ///
    /// # Errors
    /// [`AppError::Unproved`].
    pub fn proved(&self, who: &Identity) -> Result<(), AppError> {
        if who.proved_at.plus_millis(PROOF_MS) > self.clock.now() { Ok(()) } else { Err(AppError::Unproved) }
    }

    /// Refuses decisions of somebody whose credentials were set anew by somebody else and are not known to have been taken up.
    pub(crate) fn may_decide_now(who: &Identity) -> Result<(), AppError> {
        if !who.barred {
            return Ok(());
        }
        Err(AppError::refused(
            "L004",
            "あなたのパスワードか多要素認証は、ほかの人が設定し直しました。あなた自身が引き取ったことを上位の役割の人が確かめるまで、決裁などの処理はできません。お知らせを受けた上位の人に確かめてもらってください。",
        ))
    }
}

/// Asks somebody with a session again who they are: the password, the code of the second factor, or a passkey.
///
/// # Errors
/// Refused when it is wrong.
#[boxed]
pub async fn prove(
    office: &Arc<Office>,
    who: &Identity,
    given: Given<'_>,
    place: &Place,
) -> Result<Identity, AppError> {
    let key = failure_key("login", &who.login);
    let locked = is_locked(office, &key).await?;
    let wrong = || FAILED_PROOF.to_owned();
    let right = match given {
        _ if locked => Err(wrong()),
        Given::Typed(typed) => typed_proof(office, who, typed).await?.then_some(()).ok_or_else(wrong),
        Given::Passkey(ticket, answer) => {
            office.take_passkey(who, Purpose::Proof, (ticket, answer)).await?.map(drop)
        }
    };
    if let Err(says) = right {
        failed(office, key, locked, Some(who.person.clone()), place).await?;
        return Err(AppError::refused("L003", says));
    }
    let (now, hash) = (office.clock.now(), who.token_hash.clone());
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                still_open(c, &key, now, FAILED_PROOF).await?;
                account::clear_failures(c, &key).await?;
                session::prove(c, &hash, now).await.map_err(AppError::from)
            })
        })
        .await?;
    Ok(Identity { proved_at: now, ..who.clone() })
}

/// Whether what was typed is the code of the second factor or the password.
async fn typed_proof(office: &Arc<Office>, who: &Identity, typed: &str) -> Result<bool, AppError> {
    Ok(if typed.len() > 1000 {
        false
    } else if who.second_factor && totp::is_code(typed.trim()) {
        office.take_second_factor(who, typed).await?.is_some()
    } else {
        let login = who.login.clone();
        let account = office
            .store
            .ask(move |c| Box::pin(async move { account::by_login(c, &login).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NoSession)?;
        match account.checked {
            // No password opens it: a recovery code stands for it.
            Checked::Own if account.password.is_empty() => {
                office.take_second_factor(who, typed).await?.is_some()
            }
            Checked::Own => verify(office, account.password, typed.to_owned()).await?,
            Checked::Directory => match at_directory(office, Some(&account), &account.login, typed).await? {
                Tried::Right => true,
                Tried::Wrong => false,
                Tried::Away => {
                    return Err(AppError::refused(
                        "L010",
                        "今はパスワードを確かめる先につながりません。多要素認証があれば、そのコードで確かめられます。しばらくしてから、もう一度試してください（失敗には数えません）。",
                    ));
                }
            },
        }
    })
}
