//! Accounts, earlier passwords, resets that wait to be taken up, and failed logins.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args, search};

/// Where the password of an account is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checked {
    /// Here, against a hash.
    #[default]
    Own,
    /// At the body's directory.
    Directory,
}

impl Checked {
    const ALL: [(Self, &'static str); 2] = [(Self::Own, "own"), (Self::Directory, "directory")];

    /// Word in the database, in forms and in ledger entries.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(c, _)| *c == self).map_or("", |(_, code)| code)
    }

    /// The kind with a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, c)| *c == code).map(|(kind, _)| *kind)
    }
}

/// An account.
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
    /// Where the password is checked.
    pub checked: Checked,
}

/// Adds or replaces an account.
///
/// # Errors
/// The database failed, or the person is unknown or has another login.
#[boxed]
pub async fn put(c: &mut Conn<'_>, a: &AccountRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO account (login, person, password, must_change, failures, active, changed_at, checked) VALUES ($1, $2, $3, $4, 0, $5, $6, $7)
         ON CONFLICT (login) DO UPDATE SET person = excluded.person, password = excluded.password, must_change = excluded.must_change,
         active = excluded.active, changed_at = excluded.changed_at, checked = excluded.checked",
        args![&a.login, &a.person, &a.password, a.must_change, a.active, a.changed_at, a.checked.code()],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str = "login, person, password, must_change, active, changed_at, checked";

/// Reads an account from a row that holds [`COLUMNS`] from a place on.
pub(crate) fn read_at(r: &Row, at: usize) -> Result<AccountRow, StoreError> {
    let checked = r.text(at + 6)?;
    Ok(AccountRow {
        login: r.text(at)?,
        person: r.text(at + 1)?,
        password: r.text(at + 2)?,
        must_change: r.bool(at + 3)?,
        active: r.bool(at + 4)?,
        changed_at: r.instant(at + 5)?,
        checked: Checked::from_code(&checked).ok_or(StoreError::Corrupt("account", checked))?,
    })
}

/// An account by login.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_login(c: &mut Conn<'_>, login: &str) -> Result<Option<AccountRow>, StoreError> {
    read(c, "login", login).await
}

/// An account by person number.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_person(c: &mut Conn<'_>, person: &str) -> Result<Option<AccountRow>, StoreError> {
    read(c, "person", person).await
}

async fn read(c: &mut Conn<'_>, column: &str, key: &str) -> Result<Option<AccountRow>, StoreError> {
    let row = c.one(&format!("SELECT {COLUMNS} FROM account WHERE {column} = $1"), args![key]).await?;
    row.as_ref().map(|r| read_at(r, 0)).transpose()
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
#[boxed]
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
#[boxed]
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
#[boxed]
pub async fn clear_failures(c: &mut Conn<'_>, key: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM login_failure WHERE login_key = $1", args![key]).await?;
    Ok(())
}

/// All accounts, by login.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn all(c: &mut Conn<'_>) -> Result<Vec<AccountRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account ORDER BY login");
    c.all(&sql, vec![]).await?.iter().map(|r| read_at(r, 0)).collect()
}

/// Takes an account away that was never used.
///
/// # Errors
/// The database failed, or something refers to the account.
#[boxed]
pub async fn remove(c: &mut Conn<'_>, login: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM account WHERE login = $1", args![login]).await?;
    Ok(())
}

/// How many accounts there are.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn count(c: &mut Conn<'_>) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM account", vec![]).await
}

/// Lets an account log in, or keeps it from doing so.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn set_active(c: &mut Conn<'_>, login: &str, active: bool) -> Result<(), StoreError> {
    c.exec("UPDATE account SET active = $2 WHERE login = $1", args![login, active]).await?;
    Ok(())
}

/// Keeps the hash of a password that is no longer used, and of all of them the newest few.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn keep_old_password(
    c: &mut Conn<'_>,
    login: &str,
    password: &str,
    until: Instant,
    keep: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO old_password (login, until, password) VALUES ($1, $2, $3)
               ON CONFLICT (login, until) DO UPDATE SET password = excluded.password";
    c.exec(sql, args![login, until, password]).await?;
    let sql = "DELETE FROM old_password WHERE login = $1 AND until NOT IN
               (SELECT until FROM old_password WHERE login = $1 ORDER BY until DESC LIMIT $2)";
    c.exec(sql, args![login, keep]).await?;
    Ok(())
}

/// Hashes of earlier passwords.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn old_passwords(c: &mut Conn<'_>, login: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT password FROM old_password WHERE login = $1 ORDER BY until DESC";
    c.all(sql, args![login]).await?.iter().map(|r| r.text(0)).collect()
}

/// Credentials that somebody else set anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// Login.
    pub login: String,
    /// Person who set them.
    pub by: String,
    /// When.
    pub at: Instant,
    /// The first time since the person was last known to hold them.
    pub since: Instant,
}

/// Notes that somebody set an account's credentials anew; a later one replaces an earlier one, but for `since`.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_reset(c: &mut Conn<'_>, r: &Reset) -> Result<(), StoreError> {
    let sql = "INSERT INTO account_reset (login, by_person, at, since) VALUES ($1, $2, $3, $4)
               ON CONFLICT (login) DO UPDATE SET by_person = excluded.by_person, at = excluded.at";
    c.exec(sql, args![&r.login, &r.by, r.at, r.since]).await?;
    Ok(())
}

/// The reset of an account that waits to be taken up.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn reset(c: &mut Conn<'_>, login: &str) -> Result<Option<Reset>, StoreError> {
    let sql = "SELECT login, by_person, at, since FROM account_reset WHERE login = $1";
    let row = c.one(sql, args![login]).await?;
    row.map(|r| Ok(Reset { login: r.text(0)?, by: r.text(1)?, at: r.instant(2)?, since: r.instant(3)? }))
        .transpose()
}

/// A reset has been taken up. `at` says which one was meant.
///
/// # Errors
/// [`StoreError::Conflict`] when it no longer waits, or another came in between.
#[boxed]
pub async fn take_up(c: &mut Conn<'_>, login: &str, at: Instant) -> Result<(), StoreError> {
    let sql = "DELETE FROM account_reset WHERE login = $1 AND at = $2";
    if c.exec(sql, args![login, at]).await? == 0 {
        return Err(StoreError::Conflict(format!("reset of {login}")));
    }
    Ok(())
}

/// An account as the list of accounts shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: AccountRow,
    /// Whether it has a second factor.
    pub second_factor: bool,
    /// Its reset that waits to be taken up.
    pub reset: Option<(String, Instant)>,
    /// An identity provider knows it by a subject of its own.
    pub linked: bool,
}

/// Accounts of persons whose search text holds all of these folded words, by login.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    words: &[String],
    skip: i64,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let mut sql = "SELECT a.login, a.person, a.password, a.must_change, a.active, a.changed_at, a.checked,
                   COALESCE(t.secret, '') || COALESCE((SELECT MIN(k.id) FROM passkey k WHERE k.login = a.login), ''), r.by_person, r.at,
                   (SELECT COUNT(*) FROM outside_link o WHERE o.login = a.login)
                   FROM account a JOIN person p ON p.number = a.person LEFT JOIN totp t ON t.login = a.login
                   LEFT JOIN account_reset r ON r.login = a.login WHERE 1 = 1"
        .to_owned();
    let mut values = args![limit, skip];
    for word in words {
        let by_person = search::like("p.search", word, &mut values);
        sql += &format!(" AND ({by_person} OR {})", search::like("a.login", word, &mut values));
    }
    sql += " ORDER BY a.login LIMIT $1 OFFSET $2";
    let rows = c.all(&sql, values).await?;
    rows.iter()
        .map(|r| {
            Ok(Listed {
                account: read_at(r, 0)?,
                second_factor: !r.text(7)?.is_empty(),
                reset: r.opt_text(8)?.zip(r.opt_instant(9)?),
                linked: r.int(10)? > 0,
            })
        })
        .collect()
}

/// Of these keys those that are or were locked, with the moment until when.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn locks(c: &mut Conn<'_>, keys: &[String]) -> Result<Vec<(String, Instant)>, StoreError> {
    let mut values = Vec::new();
    let marks = crate::conn::marks(keys, &mut values);
    let sql = format!(
        "SELECT login_key, locked_until FROM login_failure WHERE login_key IN ({marks}) AND locked_until IS NOT NULL"
    );
    c.all(&sql, values).await?.iter().map(|r| Ok((r.text(0)?, r.instant(1)?))).collect()
}
