//! A database of the first schema with rows in it becomes one of today, with every row found.

use sekisho_base::canonical::{hex, sha256};
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::register::{self, Filter};
use sekisho_store::{Store, args};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::engine::{everyone, page, row, spec, strings};

const FIRST: &str = include_str!("../../migrations/0001_first_thread.sql");

/// The first schema as the program of its day left it: 2,060 assets, 1,030 cases, their words indexed in its way.
fn first_schema() -> String {
    let table = serde_json::to_string(&spec("asset")).unwrap();
    let assets: Vec<String> = (1..=2_060)
        .map(|n| {
            let title = if n % 100 == 7 { "特記台帳" } else { "道路台帳" };
            format!("('id-{n}', {n}, 1, '2026-11-01T00:00:00.000Z', 'a-{n:04}\u{1f}{title}\u{1f}s{}\u{1f}', 'A-{n:04}', '{title}', 'S{}')", n % 3, n % 3)
        })
        .collect();
    let cases: Vec<String> = (1..=1_030)
        .map(|n| {
            format!("('C{n:04}', {n}, 'take_out', '', '題', 'open', '00001', 'P', 'S{}', 'h', 1, '2026-11-01T00:00:{:02}.000Z', '', '', '持出{n}\u{1f}', '{{}}')", n % 3, n % 60)
        })
        .collect();
    let hash = hex(&sha256(FIRST.as_bytes()));
    format!(
        "CREATE TABLE schema_version (version BIGINT PRIMARY KEY NOT NULL, hash TEXT NOT NULL);
         {FIRST}
         INSERT INTO schema_version (version, hash) VALUES (1, '{hash}');
         CREATE TABLE r_asset (id TEXT PRIMARY KEY NOT NULL, no BIGINT NOT NULL, version BIGINT NOT NULL, updated_at TEXT NOT NULL, search TEXT NOT NULL);
         CREATE TABLE m_asset (row_id TEXT NOT NULL, col TEXT NOT NULL, pos BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (row_id, col, pos));
         CREATE TABLE g_asset (gram TEXT NOT NULL, block BIGINT NOT NULL, places TEXT NOT NULL, PRIMARY KEY (gram, block));
         ALTER TABLE r_asset ADD COLUMN c_code TEXT NOT NULL DEFAULT '';
         ALTER TABLE r_asset ADD COLUMN c_title TEXT NOT NULL DEFAULT '';
         ALTER TABLE r_asset ADD COLUMN c_owner TEXT NOT NULL DEFAULT '';
         ALTER TABLE r_asset ADD COLUMN c_class TEXT NOT NULL DEFAULT '';
         ALTER TABLE r_asset ADD COLUMN c_copies BIGINT;
         ALTER TABLE r_asset ADD COLUMN c_personal BOOLEAN;
         CREATE INDEX n_asset ON r_asset (no, c_owner);
         CREATE UNIQUE INDEX u_asset ON r_asset (c_code);
         CREATE INDEX k_asset ON r_asset (c_code, id, c_owner);
         CREATE INDEX o_asset ON r_asset (c_owner, c_code, id);
         INSERT INTO setting (name, value) VALUES ('table:asset', '{table}');
         INSERT INTO counter (name, value) VALUES ('rows:asset', 2060), ('case_file.no', 1030);
         INSERT INTO g_asset (gram, block, places) VALUES ('台帳', 0, '00');
         INSERT INTO case_gram (gram, block, places) VALUES ('持出', 0, '00');
         INSERT INTO r_asset (id, no, version, updated_at, search, c_code, c_title, c_owner) VALUES {};
         INSERT INTO case_file (id, no, procedure, number, title, status, applicant, post, unit, pack, version, opened_at, due, next_change_on, search, state) VALUES {};",
        assets.join(", "),
        cases.join(", ")
    )
}

async fn everything_is_found(address: &str) {
    let store = Store::open(address).await.unwrap();
    let spec = spec("asset");
    let words = |w: &str| Filter { words: strings(&[w]), ..Filter::default() };
    for (word, total) in
        [("台帳", 2_060), ("特記", 21), ("a-0007", 1), ("記", 21), ("a-2055", 1), ("ない", 0)]
    {
        assert_eq!(page(&store, &spec, &everyone(), &words(word), 0, 5).await.1, total, "{word}");
    }
    assert_eq!(page(&store, &spec, &everyone(), &Filter::default(), 2_050, 50).await.0.len(), 10);
    for (word, total) in [("持出", 1_030), ("出1030", 1), ("出7", 111)] {
        let filter = CaseFilter { words: strings(&[word]), ..CaseFilter::default() };
        let (_, found) = look!(store, c => case::list(c, &everyone(), &filter, 0, 5).await).unwrap();
        assert_eq!(found, total, "{word}");
    }
    for (src, blocks) in [("r_asset", 2), ("case_file", 1)] {
        let sql = "SELECT COUNT(*) FROM list_live WHERE src = $1";
        assert_eq!(look!(store, c => c.count(sql, args![src]).await).unwrap(), blocks);
    }
    assert!(look!(store, c => c.count("SELECT COUNT(*) FROM g_asset", vec![]).await).is_err());
    // What was written before is changed and written on as ever.
    let table = spec.clone();
    act!(store, c => {
        register::ensure(c, &table).await?;
        let mut seventh = row("A-0007", "改訂", "S1");
        (seventh.id, seventh.version) = ("id-7".into(), 2);
        register::put(c, &table, &seventh).await?;
        let case = case::get(c, &everyone(), "C0007").await?.unwrap();
        case::put(c, &CaseRow { version: 2, search: "改訂".into(), ..case }).await
    })
    .unwrap();
    for (word, total) in [("特記", 20), ("改訂", 1)] {
        assert_eq!(page(&store, &spec, &everyone(), &words(word), 0, 5).await.1, total, "{word}");
    }
    let filter = CaseFilter { words: strings(&["出7"]), ..CaseFilter::default() };
    assert_eq!(look!(store, c => case::list(c, &everyone(), &filter, 0, 5).await).unwrap().1, 110);
}

#[test]
fn the_first_schema_is_brought_up_to_date_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body.db");
    crate::engine::runtime().block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(first_schema())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        everything_is_found(path.to_str().unwrap()).await;
    });
}

#[test]
fn the_first_schema_is_brought_up_to_date_on_postgres() {
    let address = sekisho_testkit::postgres_url().unwrap();
    crate::engine::runtime().block_on(async {
        let mut conn = sqlx::PgConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(first_schema())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        everything_is_found(&address).await;
    });
}
