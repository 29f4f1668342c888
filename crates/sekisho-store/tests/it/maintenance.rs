//! Copies while others write, facts without changing the schema, and what keeps a database from its work.

use std::path::Path;

use sekisho_store::case::{self, ActRow};
use sekisho_store::{Store, StoreError, Trouble, args, ledger, maintenance};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::engine::{Db, at};
use crate::ledger::entry;

async fn act(store: &Store, stream: &str, n: i64) -> Result<(), StoreError> {
    let (stream, id) = (stream.to_owned(), format!("{stream}-{n}"));
    act!(store, c => {
        let seq = ledger::next_seq(c, &stream).await?;
        ledger::put(c, &entry(&id, &stream, seq, n)).await?;
        let row = ActRow { seq, kind: "permit".into(), person: "00001".into(), at: at(n), body: "{}".into(), entry: id.clone() };
        case::add_act(c, &stream, &row).await
    })
}

/// A place to restore a copy to, and its address once it is there.
async fn restored(db: &Db, copy: &Path) -> String {
    if !maintenance::is_postgres(&db.address) {
        return copy.to_str().unwrap().to_owned();
    }
    let address = tokio::task::spawn_blocking(|| sekisho_testkit::postgres_url().unwrap()).await.unwrap();
    maintenance::restore_postgres(&address, copy).await.unwrap();
    let again = maintenance::restore_postgres(&address, copy).await;
    assert!(
        matches!(again, Err(StoreError::Address(_))),
        "a database that holds something is not filled: {again:?}"
    );
    address
}

on_both! {
    async fn a_copy_made_while_others_write_is_of_one_moment(db: Db) {
        let folder = tempfile::tempdir().unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for w in 0..3 {
            let store = db.store.clone();
            writers.spawn(async move {
                for n in 0..i64::MAX {
                    if act(&store, &format!("w{w}"), n).await.is_err() {
                        return;
                    }
                }
            });
        }
        for round in 0..3 {
            act(&db.store, "before", round).await.unwrap();
            let copy = folder.path().join(format!("copy'{round}"));
            let facts = maintenance::copy(&db.address, &copy).await.unwrap();
            assert!(maintenance::copy(&db.address, &copy).await.is_err(), "nothing is overwritten");
            assert!(facts.waiting > round, "what was answered before is in the copy");
            assert_eq!(facts.rows["case_act"], facts.waiting, "no act without entry, no entry without act");
            let there = restored(&db, &copy).await;
            let again = maintenance::facts(&there).await.unwrap();
            assert_eq!((again.rows, again.waiting, again.newest), (facts.rows, facts.waiting, facts.newest));
            assert_eq!(maintenance::integrity(&there).await.unwrap(), Vec::<String>::new());
        }
        writers.abort_all();
    }

    async fn facts_tell_a_newer_and_an_older_schema_and_change_nothing(db: Db) {
        // In one transaction: after it nothing is written any more.
        act!(db.store, c => {
            c.exec("INSERT INTO schema_version (version, hash) VALUES ($1, $2)", args![900_i64, "f"]).await?;
            c.exec("DELETE FROM schema_version WHERE version = 1", vec![]).await
        })
        .unwrap();
        for _ in 0..2 {
            let facts = maintenance::facts(&db.address).await.unwrap();
            assert_eq!((facts.unknown, facts.pending), (vec![900], vec![1]));
        }
        assert_eq!(maintenance::unknown(&[1, 900]), [900]);
    }
}

#[test]
fn a_damaged_file_and_a_foreign_file_are_told() {
    crate::engine::sqlite(damaged);
}

async fn damaged(db: Db) {
    for n in 0..400 {
        act(&db.store, "w", n).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    maintenance::copy(&db.address, &copy).await.unwrap();
    let mut bytes = std::fs::read(&copy).unwrap();
    let from = bytes.len() / 2;
    bytes[from..from + 8192].fill(0x5a);
    std::fs::write(&copy, bytes).unwrap();
    let told = maintenance::integrity(copy.to_str().unwrap()).await;
    assert!(told.as_ref().map_or(true, |lines| !lines.is_empty()), "{told:?}");
    let other = folder.path().join("other");
    std::fs::write(&other, "これはデータベースではありません。".repeat(100)).unwrap();
    let error = maintenance::facts(other.to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.trouble(), Some(Trouble::Damaged), "{error}");
    assert!(maintenance::facts(folder.path().join("none").to_str().unwrap()).await.is_err());
}

#[test]
fn a_full_disk_loses_nothing_and_passes() {
    crate::engine::sqlite(full);
}

async fn full(db: Db) {
    act(&db.store, "w", 0).await.unwrap();
    // SQLite answers SQLITE_FULL at this limit through the same code as on a full disk.
    let pages = look!(db.store, c => c.count("PRAGMA page_count", vec![]).await).unwrap();
    act!(db.store, c => c.count(&format!("PRAGMA max_page_count = {}", pages + 2), vec![]).await).unwrap();
    let mut kept = 1;
    let error = loop {
        match act(&db.store, "w", kept).await {
            Ok(()) => kept += 1,
            Err(e) => break e,
        }
        assert!(kept < 10_000);
    };
    assert_eq!(error.trouble(), Some(Trouble::Full), "{error}");
    // Acts that share a commit with the one that fills the disk are refused with it, and told so.
    let many = (0..20).map(|n| {
        let s = db.store.clone();
        tokio::spawn(async move { act(&s, "many", n).await })
    });
    let mut answered = 0;
    for one in many.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(()) => answered += 1,
            Err(e) => assert_eq!(e.trouble(), Some(Trouble::Full), "{e}"),
        }
    }
    assert_eq!(db.store.trouble(), Some(Trouble::Full));
    let count = "SELECT COUNT(*) FROM case_act a JOIN ledger_entry e ON e.id = a.entry";
    assert_eq!(look!(db.store, c => c.count(count, vec![]).await).unwrap(), kept + answered);
    act!(db.store, c => c.count("PRAGMA max_page_count = 1000000", vec![]).await).unwrap();
    act(&db.store, "w", kept).await.unwrap();
    assert_eq!(db.store.trouble(), None);
    assert_eq!(look!(db.store, c => c.count(count, vec![]).await).unwrap(), kept + answered + 1);
}

#[test]
fn a_database_that_another_program_holds_is_told_and_passes() {
    crate::engine::sqlite(held);
}

async fn held(db: Db) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&db.address);
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    // Whoever waits behind is told with the first, not after waiting as long again.
    let both = async { tokio::join!(act(&db.store, "w", 0), act(&db.store, "w", 0)) };
    let first = async {
        let error = act(&db.store, "w", 0).await.unwrap_err();
        // Reading goes on.
        look!(db.store, c => ledger::outbox_len(c).await).unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        error
    };
    let (error, (second, third)) = tokio::join!(first, both);
    for error in [error, second.unwrap_err(), third.unwrap_err()] {
        assert_eq!(error.trouble(), Some(Trouble::Locked), "{error}");
    }
    assert_eq!(db.store.trouble(), Some(Trouble::Locked));
    act(&db.store, "w", 0).await.unwrap();
    assert_eq!(db.store.trouble(), None);
}

#[test]
fn a_postgres_that_went_away_is_told_and_comes_back() {
    crate::engine::postgres(gone);
}

async fn gone(db: Db) {
    act(&db.store, "w", 0).await.unwrap();
    let (server, name) = db.address.rsplit_once('/').unwrap();
    let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let close = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
    sqlx::raw_sql(AssertSqlSafe(close)).execute(&mut admin).await.unwrap();
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    sqlx::raw_sql(AssertSqlSafe(end)).execute(&mut admin).await.unwrap();
    let error = act(&db.store, "w", 1).await.unwrap_err();
    assert_eq!(error.trouble(), Some(Trouble::Gone), "{error}");
    let error = look!(db.store, c => ledger::outbox_len(c).await).unwrap_err();
    assert_eq!(error.trouble(), Some(Trouble::Gone), "{error}");
    assert_eq!(db.store.trouble(), Some(Trouble::Gone));
    let open = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
    sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut admin).await.unwrap();
    act(&db.store, "w", 1).await.unwrap();
    assert_eq!(db.store.trouble(), None);
    assert_eq!(look!(db.store, c => ledger::outbox_len(c).await).unwrap(), 2);
}
