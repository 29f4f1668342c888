//! Passkeys: public keys by which a login is opened.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Id of the credential, base64url: no two logins have the same.
    pub id: String,
    /// Login.
    pub login: String,
    /// What authenticators know the login by, base64url; it tells nothing about the person.
    pub handle: String,
    /// What the person calls it.
    pub name: String,
    /// Public key as COSE_Key, hexadecimal.
    pub public_key: String,
    /// Counter of its last signature; 0 where it keeps none.
    pub counter: i64,
    /// Since when.
    pub created_at: Instant,
    /// When it was last used.
    pub used_at: Option<Instant>,
    /// Since when it is no longer taken, because it seems to have been copied.
    pub stopped_at: Option<Instant>,
}

const COLUMNS: &str = "id, login, handle, name, public_key, counter, created_at, used_at, stopped_at";

fn read(r: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: r.text(0)?,
        login: r.text(1)?,
        handle: r.text(2)?,
        name: r.text(3)?,
        public_key: r.text(4)?,
        counter: r.int(5)?,
        created_at: r.instant(6)?,
        used_at: r.opt_instant(7)?,
        stopped_at: r.opt_instant(8)?,
    })
}

/// A passkey by its id.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<PasskeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM passkey WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Passkeys of a login, the oldest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_login(c: &mut Conn<'_>, login: &str) -> Result<Vec<PasskeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM passkey WHERE login = $1 ORDER BY created_at, id");
    c.all(&sql, args![login]).await?.iter().map(read).collect()
}

/// Keeps a new passkey.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one with its id.
#[boxed]
pub async fn put(c: &mut Conn<'_>, k: &PasskeyRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO passkey (id, login, handle, name, public_key, counter, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let values = args![&k.id, &k.login, &k.handle, &k.name, &k.public_key, k.counter, k.created_at];
    if c.exec(sql, values).await? == 0 {
        return Err(StoreError::Conflict(format!("passkey of {}", k.login)));
    }
    Ok(())
}

/// Takes a signature with its counter. False: the passkey is gone or stopped, or the counter is not higher than the last one (Web Authentication
/// Level 3, section 7.2, step 22); two zeros mean that it keeps none.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn take(c: &mut Conn<'_>, id: &str, counter: i64, at: Instant) -> Result<bool, StoreError> {
    let sql = "UPDATE passkey SET counter = $2, used_at = $3 WHERE id = $1 AND stopped_at IS NULL AND (counter < $2 OR (counter = 0 AND $2 = 0))";
    Ok(c.exec(sql, args![id, counter, at]).await? > 0)
}

/// Takes no more signatures of a passkey; says whether it did until now.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn stop(c: &mut Conn<'_>, id: &str, at: Instant) -> Result<bool, StoreError> {
    let sql = "UPDATE passkey SET stopped_at = $2 WHERE id = $1 AND stopped_at IS NULL";
    Ok(c.exec(sql, args![id, at]).await? > 0)
}

/// Removes a passkey of a login; gives its name when there was one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn remove(c: &mut Conn<'_>, login: &str, id: &str) -> Result<Option<String>, StoreError> {
    let found = c.one("SELECT name FROM passkey WHERE login = $1 AND id = $2", args![login, id]).await?;
    c.exec("DELETE FROM passkey WHERE login = $1 AND id = $2", args![login, id]).await?;
    found.map(|r| r.text(0)).transpose()
}
