//! Subscriptions to a person's due dates, one a person. Of the address's secret only the SHA-256 is kept.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// Person number.
    pub person: String,
    /// SHA-256 of the secret, hexadecimal.
    pub hash: String,
    /// When it was made.
    pub made_at: Instant,
    /// Ledger entry.
    pub entry: String,
}

fn read(r: &Row) -> Result<FeedRow, StoreError> {
    Ok(FeedRow { person: r.text(0)?, hash: r.text(1)?, made_at: r.instant(2)?, entry: r.text(3)? })
}

/// Makes a person's subscription; one that was there before ends with it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, f: &FeedRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO calendar_feed (person, hash, made_at, entry) VALUES ($1, $2, $3, $4)
               ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, made_at = excluded.made_at, entry = excluded.entry";
    c.exec(sql, args![&f.person, &f.hash, f.made_at, &f.entry]).await.map(|_| ())
}

/// A person's subscription.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_person(c: &mut Conn<'_>, person: &str) -> Result<Option<FeedRow>, StoreError> {
    let sql = "SELECT person, hash, made_at, entry FROM calendar_feed WHERE person = $1";
    c.one(sql, args![person]).await?.as_ref().map(read).transpose()
}

/// The subscription whose secret has a hash.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_hash(c: &mut Conn<'_>, hash: &str) -> Result<Option<FeedRow>, StoreError> {
    let sql = "SELECT person, hash, made_at, entry FROM calendar_feed WHERE hash = $1";
    c.one(sql, args![hash]).await?.as_ref().map(read).transpose()
}

/// Ends a person's subscription. Tells whether there was one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn end(c: &mut Conn<'_>, person: &str) -> Result<bool, StoreError> {
    Ok(c.exec("DELETE FROM calendar_feed WHERE person = $1", args![person]).await? == 1)
}
