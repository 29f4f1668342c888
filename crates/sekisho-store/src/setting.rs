//! Settings and counters.

use crate::{Conn, StoreError, args};
use sekisho_boxed::boxed;

/// A setting's value.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, name: &str) -> Result<Option<String>, StoreError> {
    c.one("SELECT value FROM setting WHERE name = $1", args![name]).await?.map(|r| r.text(0)).transpose()
}

/// Sets a value.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn set(c: &mut Conn<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    c.exec("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", args![name, value])
        .await?;
    Ok(())
}

/// Adds one to a counter and returns the new value; the first is 1. Dense: rolled back with the transaction.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn next(c: &mut Conn<'_>, name: &str) -> Result<i64, StoreError> {
    let row = c
        .one("INSERT INTO counter (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value", args![name])
        .await?;
    row.map_or(Err(StoreError::Corrupt("counter", name.to_owned())), |r| r.int(0))
}

/// A counter's present value; 0 when it never counted.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn current(c: &mut Conn<'_>, name: &str) -> Result<i64, StoreError> {
    c.count("SELECT value FROM counter WHERE name = $1", args![name]).await
}
