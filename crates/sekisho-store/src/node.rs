//! Nodes that serve a body from one PostgreSQL database: each says every few seconds that it is there, and what it runs.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args, lease};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Id, new at each start.
    pub id: String,
    /// Host and address.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Hash of the pack it runs.
    pub pack: String,
    /// Whether it has the signing key.
    pub signs: bool,
    /// Whether it sends mail.
    pub mails: bool,
    /// How far its clock is ahead of the database's, in milliseconds; behind when negative.
    pub ahead: i64,
    /// When it started, by its own clock.
    pub started_at: Instant,
    /// When it was there last, by the database's clock.
    pub seen_at: Instant,
}

const COLUMNS: &str = "id, name, version, pack, signs, mails, ahead, started_at, seen_at";
/// For how long a node that fell silent is remembered, in milliseconds.
const REMEMBERED_MS: i64 = 24 * 3_600_000;

fn read(r: &Row) -> Result<NodeRow, StoreError> {
    Ok(NodeRow {
        id: r.text(0)?,
        name: r.text(1)?,
        version: r.text(2)?,
        pack: r.text(3)?,
        signs: r.bool(4)?,
        mails: r.bool(5)?,
        ahead: r.int(6)?,
        started_at: r.instant(7)?,
        seen_at: r.instant(8)?,
    })
}

/// Says that a node is there. `ahead` and `seen_at` are found here, from the node's clock and the database's. Also forgets nodes that
/// have been silent for a day, and earlier starts under the same name.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, n: &NodeRow, clock: Instant) -> Result<(), StoreError> {
    let now = lease::now(c, clock).await?;
    c.exec(
        "DELETE FROM node WHERE seen_at < $1 OR (name = $2 AND id <> $3)",
        args![now.plus_millis(-REMEMBERED_MS), &n.name, &n.id],
    )
    .await?;
    c.exec(
        &format!(
            "INSERT INTO node ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version, pack = excluded.pack,
             signs = excluded.signs, mails = excluded.mails, ahead = excluded.ahead, seen_at = excluded.seen_at"
        ),
        args![&n.id, &n.name, &n.version, &n.pack, n.signs, n.mails, clock.millis() - now.millis(), n.started_at, now],
    )
    .await
    .map(|_| ())
}

/// A node says that it stops.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn remove(c: &mut Conn<'_>, id: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM node WHERE id = $1", args![id]).await.map(|_| ())
}

/// Nodes of the last day by name, and the time by which `seen_at` goes.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn all(c: &mut Conn<'_>, clock: Instant) -> Result<(Vec<NodeRow>, Instant), StoreError> {
    let rows = c.all(&format!("SELECT {COLUMNS} FROM node ORDER BY name, id"), vec![]).await?;
    Ok((rows.iter().map(read).collect::<Result<_, _>>()?, lease::now(c, clock).await?))
}
