//! Login with local accounts: argon2id, lockout that does not tell which logins exist, sessions kept on the server,
//! temporary passwords that must be changed.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::normalize_code;
use sekisho_store::account::{self, AccountRow, Failures, SessionRow};
use serde_json::json;

use crate::error::{AppError, FieldError};
use crate::office::Office;
use crate::record::record;

/// Failures in a row after which a login waits.
const MAX_FAILURES: i64 = 5;
/// How long it waits.
const LOCK_MS: i64 = 15 * 60_000;
/// A session ends after this time without a request.
const IDLE_MS: i64 = 60 * 60_000;
/// A session ends after this time at the latest.
const SESSION_MS: i64 = 12 * 3_600_000;
/// Password length in characters.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 10..=128;

/// One message for every failed login: it must not tell which logins exist or are locked.
const FAILED: &str = "ログイン名またはパスワードが違います。5回続けて間違えると15分間ログインできなくなります。分からないときは情報政策担当課へ連絡してください。";

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
    /// SHA-256 of the session's token.
    token_hash: String,
}

impl Identity {
    /// Somebody without a session: the demo city's people, acting while it is made.
    pub(crate) fn of_person(person: &str) -> Self {
        Self {
            login: String::new(),
            person: person.to_owned(),
            csrf: String::new(),
            must_change: false,
            token_hash: String::new(),
        }
    }
}

/// A new session: the token goes to the browser once and is stored nowhere.
#[derive(Debug)]
pub struct NewSession {
    /// Secret for the cookie.
    pub token: String,
    /// Whether the password must be changed first.
    pub must_change: bool,
}

/// A login name as compared: half width, lower case.
#[must_use]
pub fn login_name(typed: &str) -> String {
    normalize_code(typed).to_lowercase()
}

/// argon2id in PHC form.
///
/// # Errors
/// The library refused, or randomness failed.
pub fn hash_password(office: &Office, password: &str) -> Result<String, AppError> {
    let mut salt = [0u8; 16];
    office.entropy.fill(&mut salt).map_err(AppError::internal)?;
    Ok(Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(AppError::internal)?
        .to_string())
}

/// Checks a password against a PHC string; slow on purpose, so never in a transaction or on the async threads.
async fn verify(office: &Office, stored: String, password: String) -> Result<bool, AppError> {
    // Two at once on a small server: a flood of logins must not take all memory.
    let _permit = office.password_slots.acquire().await.map_err(AppError::internal)?;
    let job = move || {
        PasswordHash::new(&stored)
            .is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
    };
    tokio::task::spawn_blocking(job).await.map_err(AppError::internal)
}

async fn hash_off_thread(office: &Arc<Office>, password: String) -> Result<String, AppError> {
    let _permit = office.password_slots.acquire().await.map_err(AppError::internal)?;
    let inner = Arc::clone(office);
    tokio::task::spawn_blocking(move || hash_password(&inner, &password)).await.map_err(AppError::internal)?
}

/// Logs somebody in.
///
/// # Errors
/// Refused with one message for every reason.
pub async fn login(office: &Arc<Office>, login: &str, password: &str) -> Result<NewSession, AppError> {
    let login = login_name(login);
    let refused = || AppError::refused("L001", FAILED);
    if login.is_empty() || login.len() > 200 || password.len() > 1000 {
        return Err(refused());
    }
    let key = hex(&sha256(format!("login:{login}").as_bytes()));
    let (key_read, login_read) = (key.clone(), login.clone());
    let (failures, account) = office
        .store
        .read(move |c| {
            Box::pin(async move {
                Ok::<_, AppError>((
                    account::failures(c, &key_read).await?,
                    account::by_login(c, &login_read).await?,
                ))
            })
        })
        .await?;
    let now = office.clock.now();
    let locked = failures.locked_until.is_some_and(|until| until > now);
    // The same work whether the login exists or not, so that time does not tell either.
    let stored = account.as_ref().map_or_else(|| office.dummy_hash.clone(), |a| a.password.clone());
    let right = verify(office, stored, password.to_owned()).await?;
    match account {
        Some(a) if right && a.active && !locked => open_session(office, a, key).await,
        account => {
            office.login_failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let seal = office.seal()?;
            let count = failures.count + 1;
            let lock_now = count >= MAX_FAILURES && !locked;
            let known = account.map(|a| a.person);
            office
                .store
                .write(move |c| {
                    Box::pin(async move {
                        let f = match (locked, lock_now) {
                            (true, _) => failures,
                            (false, true) => {
                                Failures { count: 0, locked_until: Some(now.plus_millis(LOCK_MS)) }
                            }
                            (false, false) => Failures { count, locked_until: None },
                        };
                        account::set_failures(c, &key, f).await?;
                        if let (true, Some(person)) = (lock_now, known) {
                            record(
                                c,
                                seal,
                                &stream_of(&person),
                                "account.locked",
                                &json!({"person": person, "at": now}),
                                now,
                            )
                            .await?;
                        }
                        Ok::<_, AppError>(())
                    })
                })
                .await?;
            Err(refused())
        }
    }
}

/// The ledger stream of a person's account: derived, so that it needs no column.
pub(crate) fn stream_of(person: &str) -> String {
    hex(&sha256(format!("account:{person}").as_bytes())).chars().take(32).collect()
}

async fn open_session(
    office: &Arc<Office>,
    a: AccountRow,
    failure_key: String,
) -> Result<NewSession, AppError> {
    let now = office.clock.now();
    let mut secret = [0u8; 32];
    office.entropy.fill(&mut secret).map_err(AppError::internal)?;
    let mut csrf = [0u8; 16];
    office.entropy.fill(&mut csrf).map_err(AppError::internal)?;
    let token = hex(&secret);
    let row = SessionRow {
        token_hash: hex(&sha256(token.as_bytes())),
        login: a.login,
        csrf: hex(&csrf),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_millis(SESSION_MS),
    };
    let must_change = a.must_change;
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                account::clear_failures(c, &failure_key).await?;
                account::sweep_sessions(c, now).await?;
                account::put_session(c, &row).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(NewSession { token, must_change })
}

/// Who a token belongs to.
///
/// # Errors
/// [`AppError::NoSession`] when it ended or never was.
pub async fn identify(office: &Arc<Office>, token: &str) -> Result<Identity, AppError> {
    if token.len() != 64 {
        return Err(AppError::NoSession);
    }
    let hash = hex(&sha256(token.as_bytes()));
    let looked_up = hash.clone();
    let found = office
        .store
        .read(move |c| Box::pin(async move { account::session(c, &looked_up).await.map_err(AppError::from) }))
        .await?;
    let (session, account) = found.ok_or(AppError::NoSession)?;
    let now = office.clock.now();
    if !account.active || session.expires_at <= now || session.seen_at.plus_millis(IDLE_MS) <= now {
        return Err(AppError::NoSession);
    }
    if session.seen_at.plus_millis(60_000) <= now {
        let touched = hash.clone();
        office
            .store
            .write(move |c| {
                Box::pin(
                    async move { account::touch_session(c, &touched, now).await.map_err(AppError::from) },
                )
            })
            .await?;
    }
    Ok(Identity {
        login: session.login,
        person: account.person,
        csrf: session.csrf,
        must_change: account.must_change,
        token_hash: hash,
    })
}

/// Ends a session.
///
/// # Errors
/// The database failed.
pub async fn logout(office: &Arc<Office>, who: &Identity) -> Result<(), AppError> {
    let hash = who.token_hash.clone();
    office
        .store
        .write(move |c| Box::pin(async move { account::end_session(c, &hash).await.map_err(AppError::from) }))
        .await
}

/// Changes one's own password; every other session of the login ends.
///
/// # Errors
/// Fields that were not accepted.
pub async fn change_password(
    office: &Arc<Office>,
    who: &Identity,
    old: &str,
    new: &str,
    again: &str,
) -> Result<NewSession, AppError> {
    let login = who.login.clone();
    let account = office
        .store
        .read(move |c| Box::pin(async move { account::by_login(c, &login).await.map_err(AppError::from) }))
        .await?;
    let account = account.ok_or(AppError::NoSession)?;
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError { field: field.to_owned(), message: message.to_owned() })
    };
    if !verify(office, account.password.clone(), old.to_owned()).await? {
        wrong("old", "今のパスワードが違います。");
    }
    if !PASSWORD_CHARS.contains(&new.chars().count()) {
        wrong("new", "パスワードは10文字以上128文字以下にしてください。");
    } else if new == old {
        wrong("new", "今のパスワードと同じです。別のものにしてください。");
    } else if new.to_lowercase().contains(&account.login) || is_monotonous(new) {
        wrong(
            "new",
            "推測されやすいパスワードです。ログイン名を含むものや、同じ文字の繰り返しは使えません。",
        );
    }
    if new != again {
        wrong("again", "確認のための入力が新しいパスワードと違います。");
    }
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let password = hash_off_thread(office, new.to_owned()).await?;
    let seal = office.seal()?;
    let now = office.clock.now();
    let row = AccountRow { password, must_change: false, changed_at: now, ..account };
    let stored = row.clone();
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                account::put(c, &stored).await?;
                account::end_sessions_of(c, &stored.login).await?;
                record(
                    c,
                    seal,
                    &stream_of(&stored.person),
                    "account.password",
                    &json!({"person": stored.person, "at": now}),
                    now,
                )
                .await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    let key = hex(&sha256(format!("login:{}", row.login).as_bytes()));
    open_session(office, row, key).await
}

/// Fewer than four different characters.
fn is_monotonous(password: &str) -> bool {
    password.chars().collect::<std::collections::BTreeSet<_>>().len() < 4
}
