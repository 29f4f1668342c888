//! How far each receiver of events has been told. The ledger's entries are the queue: they are written in the act's own
//! transaction, and their places in the tree are dense.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, Row, StoreError, args};

/// Where a receiver stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Name in the configuration.
    pub receiver: String,
    /// The first entry of which it has not heard.
    pub next_leaf: i64,
    /// Attempts that failed since the last that did not.
    pub tries: i64,
    /// Not to be tried before this moment.
    pub try_after: Instant,
    /// When it took something last.
    pub delivered_at: Option<Instant>,
    /// What the last attempt failed with, or empty.
    pub error: String,
}

fn read(r: &Row) -> Result<WebhookRow, StoreError> {
    Ok(WebhookRow {
        receiver: r.text(0)?,
        next_leaf: r.int(1)?,
        tries: r.int(2)?,
        try_after: r.instant(3)?,
        delivered_at: r.opt_instant(4)?,
        error: r.text(5)?,
    })
}

const COLUMNS: &str = "receiver, next_leaf, tries, try_after, delivered_at, error";

/// Writes where a receiver stands.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, w: &WebhookRow) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO webhook ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (receiver) DO UPDATE SET next_leaf = excluded.next_leaf, tries = excluded.tries, try_after = excluded.try_after, delivered_at = excluded.delivered_at, error = excluded.error"
    );
    c.exec(&sql, args![&w.receiver, w.next_leaf, w.tries, w.try_after, w.delivered_at, &w.error])
        .await
        .map(|_| ())
}

/// Where every receiver stands.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn all(c: &mut Conn<'_>) -> Result<Vec<WebhookRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook ORDER BY receiver");
    c.all(&sql, vec![]).await?.iter().map(read).collect()
}
