//! Tokens of programs that act for a person.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::account::{self, AccountRow};
use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// A token; whoever uses it holds only the secret whose hash this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Id.
    pub id: String,
    /// Login it acts for.
    pub login: String,
    /// SHA-256 of the secret, hexadecimal.
    pub hash: String,
    /// What the person calls it.
    pub name: String,
    /// What it may do: words between spaces.
    pub scopes: String,
    /// Networks from which it may be used, between commas; empty: it has no list of its own.
    pub networks: String,
    /// When it was made.
    pub created_at: Instant,
    /// End at the latest.
    pub expires_at: Instant,
    /// Last use.
    pub used_at: Option<Instant>,
    /// When a use from elsewhere was last recorded.
    pub refused_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

const COLUMNS: &str = "t.id, t.login, t.hash, t.name, t.scopes, t.created_at, t.expires_at, t.used_at, t.revoked_at, t.networks, t.refused_at";

fn read(r: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: r.text(0)?,
        login: r.text(1)?,
        hash: r.text(2)?,
        name: r.text(3)?,
        scopes: r.text(4)?,
        created_at: r.instant(5)?,
        expires_at: r.instant(6)?,
        used_at: r.opt_instant(7)?,
        revoked_at: r.opt_instant(8)?,
        networks: r.text(9)?,
        refused_at: r.opt_instant(10)?,
    })
}

/// Keeps a new token.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, t: &TokenRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_token (id, login, hash, name, scopes, networks, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let args = args![&t.id, &t.login, &t.hash, &t.name, &t.scopes, &t.networks, t.created_at, t.expires_at];
    c.exec(sql, args).await?;
    Ok(())
}

/// A token that was not revoked, its account, and whether a reset of the account waits, by the secret's hash.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_hash(
    c: &mut Conn<'_>,
    hash: &str,
) -> Result<Option<(TokenRow, AccountRow, bool)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, a.login, a.person, a.password, a.must_change, a.active, a.changed_at, a.checked, COALESCE(r.at, '')
         FROM api_token t JOIN account a ON a.login = t.login LEFT JOIN account_reset r ON r.login = t.login
         WHERE t.hash = $1 AND t.revoked_at IS NULL"
    );
    let row = c.one(&sql, args![hash]).await?;
    row.map(|r| Ok((read(&r)?, account::read_at(&r, 11)?, !r.text(18)?.is_empty()))).transpose()
}

/// Tokens of a login that were not revoked, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_login(c: &mut Conn<'_>, login: &str) -> Result<Vec<TokenRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_token t WHERE t.login = $1 AND t.revoked_at IS NULL ORDER BY t.created_at DESC, t.id"
    );
    c.all(&sql, args![login]).await?.iter().map(read).collect()
}

/// Notes that a token was used.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn touch(c: &mut Conn<'_>, id: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE api_token SET used_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// Notes that a use from elsewhere was recorded.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn note_refusal(c: &mut Conn<'_>, id: &str, at: Instant) -> Result<(), StoreError> {
    c.exec("UPDATE api_token SET refused_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// Revokes a token of a login; an empty id revokes all. Says how many.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn revoke(c: &mut Conn<'_>, login: &str, id: &str, at: Instant) -> Result<u64, StoreError> {
    let sql = "UPDATE api_token SET revoked_at = $3 WHERE login = $1 AND ($2 = '' OR id = $2) AND revoked_at IS NULL";
    c.exec(sql, args![login, id, at]).await
}
