//! Schema migrations: numbered SQL files, each applied once, in order, in a transaction, remembered by its hash.

use sekisho_base::canonical::{hex, sha256};

use crate::conn::Conn;
use crate::error::StoreError;

const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../migrations/0001_first_thread.sql"))];

/// Any number; nodes that start at once take turns by it.
const LOCK: i64 = 7_354_101;

/// Brings the schema up to date: all or nothing.
pub(crate) async fn run(c: &mut Conn<'_>) -> Result<(), StoreError> {
    c.script(if matches!(c, Conn::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" }).await?;
    match apply(c).await {
        Ok(()) => c.script("COMMIT").await,
        Err(e) => {
            c.script("ROLLBACK").await?;
            Err(e)
        }
    }
}

async fn apply(c: &mut Conn<'_>) -> Result<(), StoreError> {
    if matches!(c, Conn::Postgres(_)) {
        c.script(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    c.script(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY NOT NULL, hash TEXT NOT NULL)",
    )
    .await?;
    let known = MIGRATIONS.last().map_or(0, |m| m.0);
    let applied: Vec<(i64, String)> = c
        .all("SELECT version, hash FROM schema_version ORDER BY version", vec![])
        .await?
        .iter()
        .map(|r| Ok((r.int(0)?, r.text(1)?)))
        .collect::<Result<_, StoreError>>()?;
    if let Some((found, _)) = applied.last().filter(|(v, _)| *v > known) {
        return Err(StoreError::NewerSchema { found: *found, known });
    }
    for (version, sql) in MIGRATIONS {
        let hash = hex(&sha256(sql.as_bytes()));
        match applied.iter().find(|(v, _)| v == version) {
            Some((_, was)) if *was == hash => {}
            Some(_) => return Err(StoreError::ChangedMigration(*version)),
            None => {
                c.script(sql).await?;
                c.exec(
                    "INSERT INTO schema_version (version, hash) VALUES ($1, $2)",
                    crate::args![*version, hash],
                )
                .await?;
            }
        }
    }
    Ok(())
}
