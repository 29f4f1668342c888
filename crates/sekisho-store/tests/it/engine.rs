//! Runs a test body on both engines.

use std::future::Future;
use std::sync::OnceLock;

use sekisho_base::table::{ColumnSpec, Storage, TableSpec, Value};
use sekisho_base::{Date, Instant};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::{Durability, Store, Viewer};

/// A database of one test.
pub struct Db {
    pub store: Store,
    /// What [`Store::open`] takes.
    pub address: String,
    _folder: tempfile::TempDir,
}

/// Runs a body on a new SQLite file.
pub fn sqlite<F: Future<Output = ()>>(body: fn(Db) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body.db");
    runtime().block_on(async {
        let store = Store::open_sqlite(&path, Durability::Off).await.unwrap();
        body(Db { store, address: path.to_str().unwrap().to_owned(), _folder: folder }).await;
    });
}

/// Runs a body on a new database of the private PostgreSQL.
pub fn postgres<F: Future<Output = ()>>(body: fn(Db) -> F) {
    let address = sekisho_testkit::postgres_copy(migrated()).unwrap();
    runtime().block_on(async {
        let store = Store::open(&address).await.unwrap();
        body(Db { store, address, _folder: tempfile::tempdir().unwrap() }).await;
    });
}

/// A database with today's schema and no rows, which nobody is connected to.
fn migrated() -> &'static str {
    static MIGRATED: OnceLock<String> = OnceLock::new();
    MIGRATED.get_or_init(|| {
        let address = sekisho_testkit::postgres_url().unwrap();
        runtime().block_on(async { Store::open(&address).await.unwrap().close().await });
        address
    })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes of each `async fn name(db: Db) { … }` the tests `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($(async fn $name:ident($db:ident: Db) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body($db: $crate::engine::Db) $body

            #[test]
            fn sqlite() {
                $crate::engine::sqlite(body);
            }

            #[test]
            fn postgres() {
                $crate::engine::postgres(body);
            }
        }
    )*};
}

/// One transaction: `act!(db.store, c => put(c, &row).await)`. What is captured is moved in.
macro_rules! act {
    ($store:expr, $c:ident => $body:expr) => {
        $store.write::<_, sekisho_store::StoreError, _>(move |$c| Box::pin(async move { $body })).await
    };
}

/// Queries on a reading connection.
macro_rules! look {
    ($store:expr, $c:ident => $body:expr) => {
        $store.read::<_, sekisho_store::StoreError, _>(move |$c| Box::pin(async move { $body })).await
    };
}

/// A moment, in seconds after a fixed one.
pub fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_790_000_000_000 + seconds * 1_000)
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

/// A small register with every kind of column: `key`, `name` and `owner` of rows, and `tags` with many values.
pub fn spec(id: &str) -> TableSpec {
    let column = |id: &str, storage, many, indexed| ColumnSpec {
        id: id.to_owned(),
        storage,
        many,
        indexed,
        unsearched: false,
    };
    TableSpec {
        id: id.to_owned(),
        key: "code".into(),
        name: "title".into(),
        owner: "owner".into(),
        columns: vec![
            column("code", Storage::Text, false, true),
            column("title", Storage::Text, false, true),
            column("owner", Storage::Text, false, true),
            column("class", Storage::Text, false, false),
            column("copies", Storage::Int, false, false),
            column("personal", Storage::Bool, false, false),
            column("tags", Storage::Text, true, false),
        ],
    }
}

/// A row of that register.
pub fn row(code: &str, title: &str, owner: &str) -> RegisterRow {
    let values = [("code", code), ("title", title), ("owner", owner)];
    RegisterRow {
        id: format!("id-{code}"),
        version: 1,
        updated_at: at(0),
        values: values.into_iter().map(|(id, text)| (id.to_owned(), Value::Text(text.to_owned()))).collect(),
    }
}

/// Makes a register and writes rows.
pub async fn fill(store: &Store, spec: &TableSpec, rows: Vec<RegisterRow>) {
    let spec = spec.clone();
    act!(store, c => {
        register::ensure(c, &spec).await?;
        for row in &rows {
            register::put(c, &spec, row).await?;
        }
        Ok(())
    })
    .unwrap();
}

pub fn everyone() -> Viewer {
    Viewer::whole_body("00001")
}

/// Somebody who sees the records of these units.
pub fn viewer(person: &str, units: &[&str]) -> Viewer {
    Viewer { person: person.to_owned(), units: Some(strings(units)) }
}

/// Keys of one page of a list, and the count.
pub async fn page(
    store: &Store,
    spec: &TableSpec,
    viewer: &Viewer,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> (Vec<String>, i64) {
    let (spec, viewer, filter) = (spec.clone(), viewer.clone(), filter.clone());
    let (rows, total) =
        look!(store, c => register::list(c, &spec, &viewer, &filter, offset, limit).await).unwrap();
    (rows.iter().map(|r| r.text("code").to_owned()).collect(), total)
}
