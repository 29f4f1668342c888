//! What an operator needs of a database without bringing its schema up to date: what it holds, whether it is sound, a consistent copy of it
//! while others write, and a copy put back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::conn::Conn;
use crate::error::StoreError;
use crate::ledger::CheckpointRow;
use crate::{args, ledger, migrate, setting};

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Migrations that were applied, in order.
    pub applied: Vec<i64>,
    /// Migrations of this program that are still to be applied.
    pub pending: Vec<i64>,
    /// Migrations that this program does not know: the database is newer.
    pub unknown: Vec<i64>,
    /// Settings by name, such as the body's name and public key.
    pub settings: BTreeMap<String, String>,
    /// The newest signed checkpoint.
    pub checkpoint: Option<CheckpointRow>,
    /// Entries that have their place in the tree.
    pub placed: i64,
    /// Entries that wait for it.
    pub waiting: i64,
    /// When the newest entry was made.
    pub newest: Option<Instant>,
    /// Rows of every table.
    pub rows: BTreeMap<String, i64>,
    /// Size of the database in bytes.
    pub bytes: i64,
}

/// Whether an address names a PostgreSQL database.
#[must_use]
pub fn is_postgres(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

/// Migrations that this program does not know.
#[must_use]
pub fn unknown(schema: &[i64]) -> Vec<i64> {
    let known = migrate::numbers();
    schema.iter().copied().filter(|n| !known.contains(n)).collect()
}

/// What a database holds; its schema stays as it is.
///
/// # Errors
/// It is not there, cannot be read, or is no database of this program.
#[boxed]
pub async fn facts(address: &str) -> Result<Facts, StoreError> {
    if is_postgres(address) {
        let mut conn = PgConnection::connect(address).await?;
        let mut tx = conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let found = read_facts(&mut Conn::Postgres(&mut tx)).await?;
        tx.commit().await?;
        conn.close().await?;
        return Ok(found);
    }
    let mut conn = open_sqlite(Path::new(address)).await?;
    let mut tx = conn.begin().await?;
    let found = read_facts(&mut Conn::Sqlite(&mut tx)).await?;
    tx.commit().await?;
    conn.close().await?;
    Ok(found)
}

/// What the database itself finds wrong with its file; nothing is good. PostgreSQL looks after its own files and is only asked whether it
/// answers.
///
/// # Errors
/// It is not there or cannot be read.
#[boxed]
pub async fn integrity(address: &str) -> Result<Vec<String>, StoreError> {
    if is_postgres(address) {
        let mut conn = PgConnection::connect(address).await?;
        Conn::Postgres(&mut conn).count("SELECT CAST(1 AS BIGINT)", vec![]).await?;
        conn.close().await?;
        return Ok(vec![]);
    }
    let mut conn = open_sqlite(Path::new(address)).await?;
    let rows = Conn::Sqlite(&mut conn).all("PRAGMA integrity_check(20)", vec![]).await?;
    let lines: Vec<String> = rows.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    conn.close().await?;
    Ok(lines.into_iter().filter(|l| l != "ok").collect())
}

/// Writes a consistent copy of the database as of one moment, while others go on reading and writing: an SQLite file, or on PostgreSQL an
/// archive of `pg_dump`. Tells what the copy holds.
///
/// # Errors
/// The database or the file failed, the file exists, or `pg_dump` is missing or refused.
#[boxed]
pub async fn copy(address: &str, to: &Path) -> Result<Facts, StoreError> {
    if to.exists() {
        return Err(StoreError::Address(format!("{} exists", to.display())));
    }
    if is_postgres(address) {
        return copy_postgres(address, to).await;
    }
    let mut conn = open_sqlite(Path::new(address)).await?;
    Conn::Sqlite(&mut conn).script("PRAGMA query_only = 0").await?;
    // A pragma or VACUUM takes no bound values; a quote in the name is doubled.
    let name = to.to_string_lossy().replace('\'', "''");
    Conn::Sqlite(&mut conn).script(&format!("VACUUM INTO '{name}'")).await?;
    conn.close().await?;
    let copied = to.to_owned();
    // Everything is on the disk before anybody relies on the copy.
    std::fs::File::open(&copied).and_then(|f| f.sync_all()).map_err(|e| file_error(&copied, &e))?;
    let mut conn = open_copy(to).await?;
    let found = read_facts(&mut Conn::Sqlite(&mut conn)).await?;
    conn.close().await?;
    Ok(found)
}

/// Puts a `pg_dump` archive into an empty PostgreSQL database.
///
/// # Errors
/// The database holds tables already, or `pg_restore` is missing or refused.
#[boxed]
pub async fn restore_postgres(address: &str, archive: &Path) -> Result<(), StoreError> {
    let mut conn = PgConnection::connect(address).await?;
    let tables = tables(&mut Conn::Postgres(&mut conn)).await?;
    conn.close().await?;
    if !tables.is_empty() {
        return Err(StoreError::Address("the PostgreSQL database is not empty".to_owned()));
    }
    let (url, password) = without_password(address);
    let mut command = Command::new("pg_restore");
    command.args(["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", "--dbname"]);
    command.arg(url).arg(archive);
    run(command, password).await
}

async fn copy_postgres(address: &str, to: &Path) -> Result<Facts, StoreError> {
    let mut conn = PgConnection::connect(address).await?;
    let mut tx = conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut c = Conn::Postgres(&mut tx);
    let found = read_facts(&mut c).await?;
    // The dump sees the database as this transaction does, so what is told about it is what it holds.
    let snapshot = c.one("SELECT pg_export_snapshot()", vec![]).await?;
    let snapshot = snapshot.map_or(Ok(String::new()), |r| r.text(0))?;
    let (url, password) = without_password(address);
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--snapshot", &snapshot, "--file"]);
    command.arg(to).arg("--dbname").arg(url);
    run(command, password).await?;
    tx.commit().await?;
    conn.close().await?;
    std::fs::File::open(to).and_then(|f| f.sync_all()).map_err(|e| file_error(to, &e))?;
    Ok(found)
}

/// An address without its password, which would be seen in the list of processes, and the password.
fn without_password(address: &str) -> (String, Option<String>) {
    let split = || {
        let (scheme, rest) = address.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (user, host) = authority.rsplit_once('@')?;
        let (user, password) = user.split_once(':')?;
        Some((format!("{scheme}://{user}@{host}{path}"), Some(percent_decoded(password))))
    };
    split().unwrap_or((address.to_owned(), None))
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

async fn run(mut command: Command, password: Option<String>) -> Result<(), StoreError> {
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let missing = name.clone();
    let done = tokio::task::spawn_blocking(move || command.output())
        .await
        .map_err(|e| StoreError::Tool(name.clone(), e.to_string()))?
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => StoreError::NoTool(missing),
            _ => StoreError::Tool(name.clone(), e.to_string()),
        })?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(StoreError::Tool(name, said.lines().take(5).collect::<Vec<_>>().join(" ")))
}

fn file_error(file: &Path, e: &std::io::Error) -> StoreError {
    StoreError::Address(format!("{}: {e}", file.display()))
}

async fn open_sqlite(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(std::time::Duration::from_secs(10))
        .pragma("query_only", "1");
    Ok(options.connect().await?)
}

/// A file that nobody else has open, and that stays as it is byte for byte.
async fn open_copy(file: &Path) -> Result<SqliteConnection, StoreError> {
    let name = file.to_string_lossy();
    let escaped: String = name.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    });
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{escaped}"))?
        .create_if_missing(false)
        .read_only(true)
        .immutable(true);
    Ok(options.connect().await?)
}

/// What a copy holds that nobody has open.
///
/// # Errors
/// As [`facts`].
#[boxed]
pub async fn facts_for_operator(file: &Path) -> Result<Facts, StoreError> {
    let mut conn = open_copy(file).await?;
    let found = read_facts(&mut Conn::Sqlite(&mut conn)).await?;
    conn.close().await?;
    Ok(found)
}

async fn tables(c: &mut Conn<'_>) -> Result<Vec<String>, StoreError> {
    let sql = match c {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
        }
    };
    c.all(sql, vec![]).await?.iter().map(|r| r.text(0)).collect()
}

async fn read_facts(c: &mut Conn<'_>) -> Result<Facts, StoreError> {
    let tables = tables(c).await?;
    if !tables.iter().any(|t| t == "schema_version") {
        return Err(StoreError::Address("this is no database of Sekisho".to_owned()));
    }
    let applied: Vec<i64> = c
        .all("SELECT version FROM schema_version ORDER BY version", vec![])
        .await?
        .iter()
        .map(|r| r.int(0))
        .collect::<Result<_, _>>()?;
    let known = migrate::numbers();
    let mut rows = BTreeMap::new();
    for table in tables {
        // Names come from the database's own catalogue; quoted, whatever they are.
        let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.replace('"', "\"\""));
        let count = c.count(&sql, args![]).await?;
        rows.insert(table, count);
    }
    let mut settings = BTreeMap::new();
    for name in ["body.name", "body.title", "ledger.vkey", "pack.running"] {
        if let Some(value) = setting::get(c, name).await? {
            settings.insert(name.to_owned(), value);
        }
    }
    let bytes = match c {
        Conn::Sqlite(_) => {
            c.count("PRAGMA page_count", vec![]).await? * c.count("PRAGMA page_size", vec![]).await?
        }
        Conn::Postgres(_) => c.count("SELECT pg_database_size(current_database())", vec![]).await?,
    };
    Ok(Facts {
        pending: known.iter().copied().filter(|n| !applied.contains(n)).collect(),
        unknown: unknown(&applied),
        applied,
        settings,
        checkpoint: ledger::head(c).await?,
        placed: c.count("SELECT COUNT(leaf_index) FROM ledger_entry", vec![]).await?,
        waiting: ledger::outbox_len(c).await?,
        newest: ledger::newest_at(c).await?,
        rows,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_the_address() {
        for (given, url, password) in [
            ("postgres://u:a%40b:c@h:5/d?x=1", "postgres://u@h:5/d?x=1", Some("a@b:c")),
            ("postgres://u@h/d", "postgres://u@h/d", None),
            ("postgres:///d?host=/run/p:q@x", "postgres:///d?host=/run/p:q@x", None),
        ] {
            assert_eq!(without_password(given), (url.to_owned(), password.map(str::to_owned)));
        }
    }
}
