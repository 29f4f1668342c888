//! A database of every earlier schema, with rows in every table, becomes one of today with every row and every value found.

use std::collections::BTreeMap;

use sekisho_base::canonical::{hex, sha256};
use sekisho_store::{Arg, Store, maintenance};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::engine::runtime;

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Tables that a later migration replaced by others, with their contents made anew; sessions end with an upgrade that gives them steps.
const REPLACED: [&str; 2] = ["case_gram", "session"];
/// Rows of each table.
const ROWS: i64 = 3;

/// Columns of every table after the first `n` migrations, in the order in which the tables were made.
async fn columns(n: usize) -> Vec<(String, Vec<(String, String)>)> {
    let mut conn = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (_, sql) in &MIGRATIONS[..n] {
        sqlx::raw_sql(*sql).execute(&mut conn).await.unwrap();
    }
    let tables = sqlx::query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid",
    );
    let mut all = Vec::new();
    for t in tables.fetch_all(&mut conn).await.unwrap() {
        let table: String = t.get(0);
        let info = format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY cid");
        let rows = sqlx::query(AssertSqlSafe(info)).fetch_all(&mut conn).await.unwrap();
        all.push((table, rows.iter().map(|r| (r.get(0), r.get(1))).collect()));
    }
    all
}

/// What row `i` holds in a column: the same text everywhere, so that what refers to another row finds it, and one that is a time, since some are.
fn value(kind: &str, i: i64) -> String {
    match kind {
        "TEXT" => format!("'2026-11-25T07:00:0{i}.000Z'"),
        "BIGINT" => i.to_string(),
        "BOOLEAN" => "TRUE".to_owned(),
        other => panic!("{other} is no type of ours"),
    }
}

/// The script that makes the old database.
fn script(n: usize, tables: &[(String, Vec<(String, String)>)]) -> String {
    let mut out = String::from(
        "BEGIN;\nCREATE TABLE schema_version (version BIGINT PRIMARY KEY NOT NULL, hash TEXT NOT NULL);\n",
    );
    for (version, sql) in &MIGRATIONS[..n] {
        let hash = hex(&sha256(sql.as_bytes()));
        out.push_str(&format!(
            "{sql};\nINSERT INTO schema_version (version, hash) VALUES ({version}, '{hash}');\n"
        ));
    }
    for (table, columns) in tables {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        for i in 1..=ROWS {
            let values: Vec<String> = columns.iter().map(|(_, kind)| value(kind, i)).collect();
            out.push_str(&format!(
                "INSERT INTO {table} ({}) VALUES ({});\n",
                names.join(", "),
                values.join(", ")
            ));
        }
    }
    out + "COMMIT;"
}

async fn everything_is_there(address: &str, n: usize, tables: &[(String, Vec<(String, String)>)]) {
    let before = maintenance::facts(address).await.unwrap();
    assert_eq!(before.applied, MIGRATIONS[..n].iter().map(|m| m.0).collect::<Vec<_>>());
    assert_eq!(before.pending, MIGRATIONS[n..].iter().map(|m| m.0).collect::<Vec<_>>());
    let store = Store::open(address).await.unwrap();
    for (table, columns) in tables.iter().filter(|(t, _)| !REPLACED.contains(&t.as_str())) {
        // Each is there: no two are alike in the first column, the key or a part of it.
        let same = |i: i64| -> String {
            let cells: Vec<String> =
                columns.iter().map(|(name, kind)| format!("{name} = {}", value(kind, i))).collect();
            format!("({})", cells.join(" AND "))
        };
        let any: Vec<String> = (1..=ROWS).map(same).collect();
        let sql = format!("SELECT COUNT(DISTINCT {}) FROM {table} WHERE {}", columns[0].0, any.join(" OR "));
        let found = look!(store, c => c.count(&sql, Vec::<Arg>::new()).await).unwrap();
        assert_eq!(found, ROWS, "rows of {table} from {n} migrations");
    }
    store.close().await;
    let after = maintenance::facts(address).await.unwrap();
    assert!(after.pending.is_empty() && after.unknown.is_empty());
    let kept: BTreeMap<&String, i64> = tables.iter().map(|(t, _)| (t, ROWS)).collect();
    for (table, rows) in kept {
        assert!(
            after.rows.get(table).is_some_and(|n| *n >= rows) || REPLACED.contains(&table.as_str()),
            "{table}"
        );
    }
}

#[test]
fn every_earlier_schema_is_brought_up_to_date_on_sqlite() {
    runtime().block_on(async {
        for n in 1..=MIGRATIONS.len() {
            let tables = columns(n).await;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("body.db");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
            let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(script(n, &tables))).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
            everything_is_there(path.to_str().unwrap(), n, &tables).await;
        }
    });
}

#[test]
fn every_earlier_schema_is_brought_up_to_date_on_postgres() {
    // All at once: each waits for the server most of its time.
    runtime().block_on(async {
        let mut schemas = tokio::task::JoinSet::new();
        for n in 1..=MIGRATIONS.len() {
            schemas.spawn(async move {
                let tables = columns(n).await;
                let address =
                    tokio::task::spawn_blocking(|| sekisho_testkit::postgres_url().unwrap()).await.unwrap();
                let mut conn = sqlx::PgConnection::connect(&address).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(script(n, &tables))).execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
                everything_is_there(&address, n, &tables).await;
            });
        }
        schemas.join_all().await;
    });
}
