//! Second factors: secrets (sealed by the caller) and recovery codes (hashed by the caller).

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// The second factor of a login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TotpRow {
    /// Sealed secret in use; empty while there is none.
    pub secret: String,
    /// Last time step whose code was taken.
    pub step: i64,
    /// When the secret came into use.
    pub confirmed_at: Option<Instant>,
    /// Sealed secret that is being enrolled; empty when none is.
    pub pending: String,
}

/// The second factor of a login; empty when it has none.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, login: &str) -> Result<TotpRow, StoreError> {
    let row =
        c.one("SELECT secret, step, confirmed_at, pending FROM totp WHERE login = $1", args![login]).await?;
    row.map_or(Ok(TotpRow::default()), |r| {
        Ok(TotpRow {
            secret: r.text(0)?,
            step: r.int(1)?,
            confirmed_at: r.opt_instant(2)?,
            pending: r.text(3)?,
        })
    })
}

/// Begins to enrol a secret; the one in use stays in use.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn begin(c: &mut Conn<'_>, login: &str, pending: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO totp (login, secret, step, pending) VALUES ($1, '', 0, $2) ON CONFLICT (login) DO UPDATE SET pending = excluded.pending";
    c.exec(sql, args![login, pending]).await?;
    Ok(())
}

/// The secret that was being enrolled is in use from now on; the code of `step` was taken, and recovery codes replace the earlier ones.
///
/// # Errors
/// [`StoreError::Conflict`] when another secret is being enrolled by now.
#[boxed]
pub async fn confirm(
    c: &mut Conn<'_>,
    login: &str,
    pending: &str,
    step: i64,
    hashes: &[String],
    at: Instant,
) -> Result<(), StoreError> {
    let sql = "UPDATE totp SET secret = $2, step = $3, confirmed_at = $4, pending = '' WHERE login = $1 AND pending = $2";
    if c.exec(sql, args![login, pending, step, at]).await? == 0 {
        return Err(StoreError::Conflict(format!("second factor of {login}")));
    }
    put_codes(c, login, hashes).await
}

/// Replaces the recovery codes.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_codes(c: &mut Conn<'_>, login: &str, hashes: &[String]) -> Result<(), StoreError> {
    c.exec("DELETE FROM recovery_code WHERE login = $1", args![login]).await?;
    for hash in hashes {
        c.exec("INSERT INTO recovery_code (login, hash) VALUES ($1, $2)", args![login, hash]).await?;
    }
    Ok(())
}

/// Takes the code of a time step, each and all before it only once; says whether it was still to be taken.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn take_step(c: &mut Conn<'_>, login: &str, step: i64) -> Result<bool, StoreError> {
    let n = c.exec("UPDATE totp SET step = $2 WHERE login = $1 AND step < $2", args![login, step]).await?;
    Ok(n > 0)
}

/// Takes a recovery code; says whether it was there and unused.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn take_code(c: &mut Conn<'_>, login: &str, hash: &str, at: Instant) -> Result<bool, StoreError> {
    let sql = "UPDATE recovery_code SET used_at = $3 WHERE login = $1 AND hash = $2 AND used_at IS NULL";
    Ok(c.exec(sql, args![login, hash, at]).await? > 0)
}

/// How many recovery codes are left.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn codes_left(c: &mut Conn<'_>, login: &str) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM recovery_code WHERE login = $1 AND used_at IS NULL", args![login]).await
}

/// Whether a login has a second factor: an app or a passkey.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn any(c: &mut Conn<'_>, login: &str) -> Result<bool, StoreError> {
    let app = c.count("SELECT COUNT(*) FROM totp WHERE login = $1 AND secret <> ''", args![login]).await?;
    Ok(app > 0 || c.count("SELECT COUNT(*) FROM passkey WHERE login = $1", args![login]).await? > 0)
}

/// Removes the app; says whether there was one in use. Recovery codes go with the last second factor.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn remove_app(c: &mut Conn<'_>, login: &str) -> Result<bool, StoreError> {
    let used = c.count("SELECT COUNT(*) FROM totp WHERE login = $1 AND secret <> ''", args![login]).await?;
    c.exec("DELETE FROM totp WHERE login = $1", args![login]).await?;
    drop_idle_codes(c, login).await?;
    Ok(used > 0)
}

/// Removes the recovery codes where no second factor is left.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drop_idle_codes(c: &mut Conn<'_>, login: &str) -> Result<(), StoreError> {
    if !any(c, login).await? {
        c.exec("DELETE FROM recovery_code WHERE login = $1", args![login]).await?;
    }
    Ok(())
}

/// Removes every second factor and the recovery codes; says whether there was one in use.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn remove_all(c: &mut Conn<'_>, login: &str) -> Result<bool, StoreError> {
    let passkeys = c.exec("DELETE FROM passkey WHERE login = $1", args![login]).await?;
    Ok(remove_app(c, login).await? || passkeys > 0)
}
