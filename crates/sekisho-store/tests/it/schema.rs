//! Opening, migrating and refusing databases.

use sekisho_store::{Store, StoreError, args, setting};
use sqlx::Connection as _;

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

fn count() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap()
}

on_both! {
    async fn opening_again_changes_nothing(db: Db) {
        act!(db.store, c => setting::set(c, "name", "value").await).unwrap();
        let again = Store::open(&db.address).await.unwrap();
        assert_eq!(look!(again, c => setting::get(c, "name").await).unwrap().as_deref(), Some("value"));
        let versions = look!(again, c => c.count("SELECT COUNT(*) FROM schema_version", vec![]).await).unwrap();
        assert_eq!(versions, count());
    }

    async fn a_newer_schema_is_refused(db: Db) {
        act!(db.store, c => c.exec("INSERT INTO schema_version (version, hash) VALUES ($1, $2)", args![900_i64, "f"]).await).unwrap();
        let refused = Store::open(&db.address).await;
        let last = MIGRATIONS.last().unwrap().0;
        assert!(matches!(refused, Err(StoreError::NewerSchema { found: 900, known }) if known == last), "{refused:?}");
    }

    async fn a_migration_that_came_late_is_applied(db: Db) {
        act!(db.store, c => {
            c.exec("DELETE FROM schema_version WHERE version = 6", vec![]).await?;
            c.exec("DROP TABLE delegation", vec![]).await?;
            c.exec("DROP TABLE org_proposal", vec![]).await?;
            c.exec("DROP INDEX absence_person", vec![]).await?;
            c.exec("DROP INDEX absence_until", vec![]).await?;
            for column in ["kind", "by_person", "recorded_at", "cancelled_by", "cancelled_at"] {
                c.exec(&format!("ALTER TABLE absence DROP COLUMN {column}"), vec![]).await?;
            }
            c.exec("INSERT INTO absence (id, person, valid_from, valid_until, reason) VALUES ('A1', '00001', '2026-08-10', '2026-08-14', '夏休み')", vec![]).await
        })
        .unwrap();
        let again = Store::open(&db.address).await.unwrap();
        let (versions, kind) = look!(again, c => Ok((
            c.count("SELECT COUNT(*) FROM schema_version", vec![]).await?,
            c.count("SELECT COUNT(*) FROM absence WHERE kind = 'other' AND by_person = '' AND cancelled_at IS NULL AND reason = '夏休み'", vec![]).await?,
        ))).unwrap();
        assert_eq!((versions, kind), (count(), 1), "what was there before is kept");
    }

    async fn a_changed_migration_is_refused(db: Db) {
        act!(db.store, c => c.exec("UPDATE schema_version SET hash = $1 WHERE version = 1", args!["0"]).await).unwrap();
        let refused = Store::open(&db.address).await;
        assert!(matches!(refused, Err(StoreError::ChangedMigration(1))), "{refused:?}");
    }

    async fn a_refusal_leaves_nothing_half_done(db: Db) {
        act!(db.store, c => {
            c.exec("DELETE FROM schema_version", vec![]).await?;
            c.exec("DROP TABLE upload", vec![]).await
        })
        .unwrap();
        // Without the record the migration runs anew and meets the tables that are still there.
        assert!(Store::open(&db.address).await.is_err());
        let made_again = look!(db.store, c => c.count("SELECT COUNT(*) FROM upload", vec![]).await);
        assert!(made_again.is_err());
    }
}

#[test]
fn nodes_that_start_at_once_migrate_once() {
    let address = sekisho_testkit::postgres_url().unwrap();
    crate::engine::runtime().block_on(async {
        let (a, b, c) = tokio::join!(Store::open(&address), Store::open(&address), Store::open(&address));
        for store in [a.unwrap(), b.unwrap(), c.unwrap()] {
            assert_eq!(
                look!(store, c => c.count("SELECT COUNT(*) FROM schema_version", vec![]).await).unwrap(),
                count()
            );
        }
    });
}

#[test]
fn a_database_that_sorts_by_a_language_is_refused() {
    let address = sekisho_testkit::postgres_url().unwrap();
    crate::engine::runtime().block_on(async {
        let mut conn = sqlx::PgConnection::connect(&address).await.unwrap();
        let (server, name) = address.rsplit_once('/').unwrap();
        let sql = format!("CREATE DATABASE {name}_icu TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'ja-JP' LOCALE 'C'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        let refused = Store::open(&format!("{server}/{name}_icu")).await;
        assert!(matches!(&refused, Err(StoreError::Address(text)) if text.contains("LOCALE 'C'")), "{refused:?}");
    });
}

#[test]
fn an_address_without_database_is_an_error() {
    crate::engine::runtime().block_on(async {
        assert!(Store::open("postgres://nobody@127.0.0.1:1/none").await.is_err());
        let folder = tempfile::tempdir().unwrap();
        assert!(Store::open(folder.path().to_str().unwrap()).await.is_err());
    });
}
