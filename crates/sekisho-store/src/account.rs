//! Local accounts, sessions and failed logins.

use sekisho_base::Instant;

use crate::{Conn, StoreError, args};

/// A local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Login name, lower case.
    pub login: String,
    /// Person number.
    pub person: String,
    /// argon2id in PHC form; empty means that no password opens it.
    pub password: String,
    /// A temporary password that must be changed first.
    pub must_change: bool,
    /// Whether it may log in.
    pub active: bool,
    /// When the password was last set.
    pub changed_at: Instant,
}

/// Adds or replaces an account.
///
/// # Errors
/// The database failed, or the person is unknown or has another login.
pub async fn put(c: &mut Conn<'_>, a: &AccountRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO account (login, person, password, must_change, failures, active, changed_at) VALUES ($1, $2, $3, $4, 0, $5, $6)
         ON CONFLICT (login) DO UPDATE SET person = excluded.person, password = excluded.password, must_change = excluded.must_change,
         active = excluded.active, changed_at = excluded.changed_at",
        args![&a.login, &a.person, &a.password, a.must_change, a.active, a.changed_at],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str = "login, person, password, must_change, active, changed_at";

/// An account by login.
///
/// # Errors
/// The database failed.
pub async fn by_login(c: &mut Conn<'_>, login: &str) -> Result<Option<AccountRow>, StoreError> {
    read(c, "login", login).await
}

/// An account by person number.
///
/// # Errors
/// The database failed.
pub async fn by_person(c: &mut Conn<'_>, person: &str) -> Result<Option<AccountRow>, StoreError> {
    read(c, "person", person).await
}

async fn read(c: &mut Conn<'_>, column: &str, key: &str) -> Result<Option<AccountRow>, StoreError> {
    let row = c.one(&format!("SELECT {COLUMNS} FROM account WHERE {column} = $1"), args![key]).await?;
    row.map(|r| {
        Ok(AccountRow {
            login: r.text(0)?,
            person: r.text(1)?,
            password: r.text(2)?,
            must_change: r.bool(3)?,
            active: r.bool(4)?,
            changed_at: r.instant(5)?,
        })
    })
    .transpose()
}

/// Failed logins by a key that exists for known and unknown logins alike, so that lockout tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// Failures since the last success.
    pub count: i64,
    /// Until when further tries are refused.
    pub locked_until: Option<Instant>,
}

/// Failures under a key.
///
/// # Errors
/// The database failed.
pub async fn failures(c: &mut Conn<'_>, key: &str) -> Result<Failures, StoreError> {
    let row =
        c.one("SELECT failures, locked_until FROM login_failure WHERE login_key = $1", args![key]).await?;
    row.map_or(Ok(Failures::default()), |r| {
        Ok(Failures { count: r.int(0)?, locked_until: r.opt_instant(1)? })
    })
}

/// Records one more failure and until when the key is locked.
///
/// # Errors
/// The database failed.
pub async fn set_failures(c: &mut Conn<'_>, key: &str, f: Failures) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO login_failure (login_key, failures, locked_until) VALUES ($1, $2, $3)
         ON CONFLICT (login_key) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until",
        args![key, f.count, f.locked_until],
    )
    .await?;
    Ok(())
}

/// Forgets failures after a success.
///
/// # Errors
/// The database failed.
pub async fn clear_failures(c: &mut Conn<'_>, key: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM login_failure WHERE login_key = $1", args![key]).await?;
    Ok(())
}

/// A session on the server; the browser holds only the token whose hash this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the token, hexadecimal.
    pub token_hash: String,
    /// Login.
    pub login: String,
    /// Token that forms must carry.
    pub csrf: String,
    /// When it began.
    pub created_at: Instant,
    /// Last request.
    pub seen_at: Instant,
    /// End at the latest.
    pub expires_at: Instant,
}

/// Begins a session.
///
/// # Errors
/// The database failed.
pub async fn put_session(c: &mut Conn<'_>, s: &SessionRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO session (token_hash, login, csrf, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        args![&s.token_hash, &s.login, &s.csrf, s.created_at, s.seen_at, s.expires_at],
    )
    .await?;
    Ok(())
}

/// A session and its account by token hash, in one query.
///
/// # Errors
/// The database failed.
pub async fn session(
    c: &mut Conn<'_>,
    token_hash: &str,
) -> Result<Option<(SessionRow, AccountRow)>, StoreError> {
    let sql = "SELECT s.token_hash, s.login, s.csrf, s.created_at, s.seen_at, s.expires_at, a.person, a.password, a.must_change, a.active, a.changed_at
               FROM session s JOIN account a ON a.login = s.login WHERE s.token_hash = $1";
    let row = c.one(sql, args![token_hash]).await?;
    row.map(|r| {
        let login = r.text(1)?;
        let session = SessionRow {
            token_hash: r.text(0)?,
            login: login.clone(),
            csrf: r.text(2)?,
            created_at: r.instant(3)?,
            seen_at: r.instant(4)?,
            expires_at: r.instant(5)?,
        };
        let account = AccountRow {
            login,
            person: r.text(6)?,
            password: r.text(7)?,
            must_change: r.bool(8)?,
            active: r.bool(9)?,
            changed_at: r.instant(10)?,
        };
        Ok((session, account))
    })
    .transpose()
}

/// Notes that a session was used.
///
/// # Errors
/// The database failed.
pub async fn touch_session(c: &mut Conn<'_>, token_hash: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE session SET seen_at = $2 WHERE token_hash = $1", args![token_hash, at]).await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// The database failed.
pub async fn end_session(c: &mut Conn<'_>, token_hash: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM session WHERE token_hash = $1", args![token_hash]).await?;
    Ok(())
}

/// Ends every session of a login (password changed or reset).
///
/// # Errors
/// The database failed.
pub async fn end_sessions_of(c: &mut Conn<'_>, login: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM session WHERE login = $1", args![login]).await?;
    Ok(())
}

/// Drops sessions that ended.
///
/// # Errors
/// The database failed.
pub async fn sweep_sessions(c: &mut Conn<'_>, now: Instant) -> Result<u64, StoreError> {
    c.exec("DELETE FROM session WHERE expires_at < $1", args![now]).await
}

/// How many accounts there are.
///
/// # Errors
/// The database failed.
pub async fn count(c: &mut Conn<'_>) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM account", vec![]).await
}
