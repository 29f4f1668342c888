//! Schema migrations: numbered SQL files, each applied once, in order, in a transaction, remembered by its hash.
//!
//! The files of the folder `migrations` are listed by the build script. A database may lack one with a lower number than its highest, when two
//! versions of the program grew side by side: it is applied then. One that this program does not have makes the database newer.

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::table::TableSpec;

use crate::conn::Conn;
use crate::error::StoreError;
use crate::index::{self, Source};

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The migration after which the lists' index is made from the rows that are there.
const LISTS: i64 = 2;

/// Any number; nodes take turns by it, in bringing the schema up to date and in every transaction that writes.
pub(crate) const LOCK: i64 = 7_354_101;

/// Numbers of the migrations that this program knows, in order.
pub(crate) fn numbers() -> Vec<i64> {
    MIGRATIONS.iter().map(|m| m.0).collect()
}

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
    let unknown = |v: i64| MIGRATIONS.iter().all(|(known, _)| *known != v);
    if let Some((found, _)) = applied.iter().rfind(|(v, _)| unknown(*v)) {
        return Err(StoreError::NewerSchema { found: *found, known });
    }
    for (version, sql) in MIGRATIONS {
        let hash = hex(&sha256(sql.as_bytes()));
        match applied.iter().find(|(v, _)| v == version) {
            Some((_, was)) if *was == hash => {}
            Some(_) => return Err(StoreError::ChangedMigration(*version)),
            None => {
                c.script(sql).await?;
                if *version == LISTS {
                    fill_lists(c).await?;
                }
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

/// Refuses a database to which a newer program has added migrations since it was opened.
pub(crate) async fn still_known(c: &mut Conn<'_>) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = c.one("SELECT COUNT(*), MAX(version) FROM schema_version", vec![]).await?;
    match found {
        Some(r) if r.int(0)? > known => Err(StoreError::NewerSchema {
            found: r.opt_int(1)?.unwrap_or_default(),
            known: MIGRATIONS.last().map_or(0, |m| m.0),
        }),
        _ => Ok(()),
    }
}

/// Indexes cases and registers, and drops the index that registers had before.
async fn fill_lists(c: &mut Conn<'_>) -> Result<(), StoreError> {
    index::rebuild(c, &Source::of_cases()).await?;
    for row in c.all("SELECT value FROM setting WHERE name LIKE 'table:%' ORDER BY name", vec![]).await? {
        let spec: TableSpec = serde_json::from_str(&row.text(0)?)
            .map_err(|e| StoreError::Corrupt("table spec", e.to_string()))?;
        c.script(&format!("DROP TABLE IF EXISTS g_{}", spec.id)).await?;
        index::rebuild(c, &Source::of_register(&spec)).await?;
    }
    Ok(())
}
