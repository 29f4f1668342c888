//! Sessions on the server.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::account::{self, AccountRow};
use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// What still stands between a session and the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the code of the second factor is missing.
    Code,
    /// The person must have a second factor and has none yet.
    Enrol,
    /// Nothing.
    Open,
}

impl Stage {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Code, "code"), (Self::Enrol, "enrol"), (Self::Open, "open")];

    fn code(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, code)| code)
    }

    fn from_code(code: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, c)| *c == code).map(|(s, _)| *s);
        found.ok_or_else(|| StoreError::Corrupt("session", code.to_owned()))
    }
}

/// How a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By the password.
    Password,
    /// By an identity provider (OpenID Connect).
    Provider,
    /// By a client certificate (IC card).
    Card,
    /// By a passkey alone.
    Passkey,
}

impl Via {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Password, "password"),
        (Self::Provider, "provider"),
        (Self::Card, "card"),
        (Self::Passkey, "passkey"),
    ];

    /// A word for it that stays.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, code)| code)
    }

    fn from_code(code: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, c)| *c == code).map(|(s, _)| *s);
        found.ok_or_else(|| StoreError::Corrupt("session", code.to_owned()))
    }
}

/// A session; the browser holds only the token whose hash this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the token, hexadecimal.
    pub token_hash: String,
    /// Login.
    pub login: String,
    /// Token that forms must carry.
    pub csrf: String,
    /// What still stands before the pages.
    pub stage: Stage,
    /// Network address it began from; empty when unknown.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
    /// The login before this one.
    pub previous: Option<Instant>,
    /// Failed logins since then.
    pub failed: i64,
    /// When it began.
    pub created_at: Instant,
    /// When the person last proved who they are.
    pub proved_at: Instant,
    /// Last request.
    pub seen_at: Instant,
    /// End at the latest.
    pub expires_at: Instant,
    /// How it began.
    pub via: Via,
    /// Since when the second factor is there by which it was opened; none: by none of this body's own.
    pub factor_since: Option<Instant>,
}

const COLUMNS: &str = "s.token_hash, s.login, s.csrf, s.stage, s.address, s.agent, s.previous, s.failed, s.created_at, s.proved_at, s.seen_at, s.expires_at, s.via, s.factor_since";

fn read(r: &Row) -> Result<SessionRow, StoreError> {
    let moment = |i| {
        let text = r.text(i)?;
        let at = (!text.is_empty()).then(|| text.parse::<Instant>());
        at.transpose().map_err(|e| StoreError::Corrupt("session", e.to_string()))
    };
    Ok(SessionRow {
        token_hash: r.text(0)?,
        login: r.text(1)?,
        csrf: r.text(2)?,
        stage: Stage::from_code(&r.text(3)?)?,
        address: r.text(4)?,
        agent: r.text(5)?,
        previous: moment(6)?,
        failed: r.int(7)?,
        created_at: r.instant(8)?,
        proved_at: r.instant(9)?,
        seen_at: r.instant(10)?,
        expires_at: r.instant(11)?,
        via: Via::from_code(&r.text(12)?)?,
        factor_since: moment(13)?,
    })
}

/// Begins a session.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, s: &SessionRow) -> Result<(), StoreError> {
    let moment = |at: Option<Instant>| at.map(|at| at.to_string()).unwrap_or_default();
    let (previous, factor_since) = (moment(s.previous), moment(s.factor_since));
    c.exec(
        "INSERT INTO session (token_hash, login, csrf, stage, address, agent, previous, failed, created_at, proved_at, seen_at, expires_at, via, factor_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        args![&s.token_hash, &s.login, &s.csrf, s.stage.code(), &s.address, &s.agent, previous, s.failed, s.created_at, s.proved_at, s.seen_at, s.expires_at, s.via.code(), factor_since],
    )
    .await?;
    Ok(())
}

/// A session with what identifies its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The session.
    pub session: SessionRow,
    /// Its account.
    pub account: AccountRow,
    /// A reset of the account waits to be taken up.
    pub reset: bool,
    /// The account has a second factor.
    pub second_factor: bool,
}

/// A session and its account by token hash, in one query.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, token_hash: &str) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, a.login, a.person, a.password, a.must_change, a.active, a.changed_at, a.checked, COALESCE(r.at, ''),
         COALESCE(t.secret, '') || COALESCE((SELECT MIN(k.id) FROM passkey k WHERE k.login = s.login), '')
         FROM session s JOIN account a ON a.login = s.login LEFT JOIN account_reset r ON r.login = s.login
         LEFT JOIN totp t ON t.login = s.login WHERE s.token_hash = $1"
    );
    let row = c.one(&sql, args![token_hash]).await?;
    row.map(|r| {
        Ok(Found {
            session: read(&r)?,
            account: account::read_at(&r, 14)?,
            reset: !r.text(21)?.is_empty(),
            second_factor: !r.text(22)?.is_empty(),
        })
    })
    .transpose()
}

/// Sessions of a login that have not ended, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_login(c: &mut Conn<'_>, login: &str, now: Instant) -> Result<Vec<SessionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session s WHERE s.login = $1 AND s.expires_at > $2 ORDER BY s.created_at DESC, s.token_hash"
    );
    c.all(&sql, args![login, now]).await?.iter().map(read).collect()
}

/// Login and person of every account whose password is checked at the directory and that has a session, by login.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_directory(c: &mut Conn<'_>, now: Instant) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT a.login, a.person FROM account a WHERE a.checked = $1
         AND EXISTS (SELECT 1 FROM session s WHERE s.login = a.login AND s.expires_at > $2) ORDER BY a.login";
    let rows = c.all(sql, args![account::Checked::Directory.code(), now]).await?;
    rows.iter().map(|r| Ok((r.text(0)?, r.text(1)?))).collect()
}

/// Notes that a session was used.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn touch(c: &mut Conn<'_>, token_hash: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE session SET seen_at = $2 WHERE token_hash = $1", args![token_hash, at]).await?;
    Ok(())
}

/// Notes that the person has just proved who they are.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn prove(c: &mut Conn<'_>, token_hash: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE session SET proved_at = $2 WHERE token_hash = $1", args![token_hash, at]).await?;
    Ok(())
}

/// Lets a session that had to enrol a second factor go on.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open(c: &mut Conn<'_>, token_hash: &str) -> Result<(), StoreError> {
    c.exec("UPDATE session SET stage = $2 WHERE token_hash = $1", args![token_hash, Stage::Open.code()])
        .await?;
    Ok(())
}

/// Ends a session of a login; says whether there was one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn end(c: &mut Conn<'_>, login: &str, token_hash: &str) -> Result<bool, StoreError> {
    let n =
        c.exec("DELETE FROM session WHERE login = $1 AND token_hash = $2", args![login, token_hash]).await?;
    Ok(n > 0)
}

/// Ends the sessions of a login but one; an empty hash ends all (password changed or reset).
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn end_others(c: &mut Conn<'_>, login: &str, but: &str) -> Result<u64, StoreError> {
    c.exec("DELETE FROM session WHERE login = $1 AND token_hash <> $2", args![login, but]).await
}

/// Drops sessions that ended.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn sweep(c: &mut Conn<'_>, now: Instant) -> Result<u64, StoreError> {
    c.exec("DELETE FROM session WHERE expires_at < $1", args![now]).await
}
