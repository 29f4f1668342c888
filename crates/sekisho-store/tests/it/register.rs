//! Tables of registers and their rows.

use sekisho_base::table::{ColumnSpec, Storage, TableSpec, Value};
use sekisho_store::register::{self, ChangeRow, RegisterRow};
use sekisho_store::{StoreError, args};

use crate::engine::{at, everyone, fill, page, row, spec};

fn column(id: &str, storage: Storage, many: bool) -> ColumnSpec {
    ColumnSpec { id: id.into(), storage, many, indexed: false, unsearched: false }
}

async fn ensure(db: &crate::engine::Db, spec: &TableSpec) -> Result<(), StoreError> {
    let spec = spec.clone();
    act!(db.store, c => register::ensure(c, &spec).await)
}

async fn put(db: &crate::engine::Db, spec: &TableSpec, row: &RegisterRow) -> Result<(), StoreError> {
    let (spec, row) = (spec.clone(), row.clone());
    act!(db.store, c => register::put(c, &spec, &row).await)
}

async fn get(db: &crate::engine::Db, spec: &TableSpec, id: &str) -> Option<RegisterRow> {
    let (spec, id) = (spec.clone(), id.to_owned());
    look!(db.store, c => register::get(c, &spec, &everyone(), &id).await).unwrap()
}

on_both! {
    async fn every_kind_of_value_comes_back(db: Db) {
        let spec = spec("asset");
        let mut full = row("A-1", "髙﨑邉\u{e0101}の台帳", "S");
        full.values.insert("copies".into(), Value::Int(-3));
        full.values.insert("personal".into(), Value::Bool(false));
        full.values.insert("tags".into(), Value::List(vec!["b".into(), "a".into(), "b".into()]));
        fill(&db.store, &spec, vec![full.clone(), row("A-2", "空", "S")]).await;
        assert_eq!(get(&db, &spec, "id-A-1").await, Some(full.clone()));
        // What has no value is absent, whatever its storage.
        assert_eq!(get(&db, &spec, "id-A-2").await, Some(row("A-2", "空", "S")));
        let (by_key, none) = look!(db.store, c => {
            Ok((register::by_key(c, &spec, &everyone(), "A-1").await?, register::by_key(c, &spec, &everyone(), "a-1").await?))
        }).unwrap();
        assert_eq!(by_key, Some(full));
        assert_eq!(none, None);
    }

    async fn rows_with_one_of_many_values_are_counted(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, vec![row("A-1", "一", "S"), row("A-2", "二", "S"), row("A-3", "三", "T")]).await;
        // More values than one query takes, with the rows' own at both ends.
        let mut numbers: Vec<String> = (0..450).map(|n| format!("none-{n}")).collect();
        numbers.insert(0, "A-1".to_owned());
        numbers.push("A-3".to_owned());
        let (some, no) = look!(db.store, c => {
            Ok((register::count_in(c, &spec, &spec.key, &numbers).await?, register::count_in(c, &spec, &spec.key, &[]).await?))
        }).unwrap();
        assert_eq!((some, no), (2, 0));
    }

    async fn a_change_replaces_the_version_before(db: Db) {
        let spec = spec("asset");
        let mut changed = row("A-1", "一", "S");
        changed.values.insert("tags".into(), Value::List(vec!["x".into(), "y".into()]));
        fill(&db.store, &spec, vec![changed.clone()]).await;
        changed.version = 2;
        changed.updated_at = at(5);
        changed.values.insert("title".into(), Value::Text("二".into()));
        changed.values.insert("tags".into(), Value::List(vec!["z".into()]));
        put(&db, &spec, &changed).await.unwrap();
        assert_eq!(get(&db, &spec, "id-A-1").await, Some(changed.clone()));
        // The same version again is somebody else's change lost.
        assert!(matches!(put(&db, &spec, &changed).await, Err(StoreError::Conflict(what)) if what.contains("A-1")));
        changed.version = 4;
        assert!(matches!(put(&db, &spec, &changed).await, Err(StoreError::Conflict(_))));
        assert_eq!(get(&db, &spec, "id-A-1").await.unwrap().version, 2);
    }

    async fn a_key_in_use_is_refused(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, vec![row("A-1", "一", "S"), row("A-2", "二", "S")]).await;
        let mut second = row("A-1", "別", "S");
        second.id = "other".into();
        assert!(matches!(put(&db, &spec, &second).await, Err(StoreError::Taken(key)) if key == "A-1"));
        let mut renamed = row("A-2", "二", "S");
        renamed.version = 2;
        renamed.values.insert("code".into(), Value::Text("A-1".into()));
        assert!(matches!(put(&db, &spec, &renamed).await, Err(StoreError::Taken(_))));
        // A new row whose key is taken does not spoil the transaction around it.
        let kept = act!(db.store, c => {
            assert!(matches!(register::put(c, &spec, &second).await, Err(StoreError::Taken(_))));
            register::put(c, &spec, &row("A-3", "三", "S")).await?;
            register::count(c, &spec).await
        }).unwrap();
        assert_eq!(kept, 3);
    }

    async fn columns_are_added_and_hidden_ones_keep_their_values(db: Db) {
        let first = spec("asset");
        let mut old = row("A-1", "一", "S");
        old.values.insert("class".into(), Value::Text("3A".into()));
        old.values.insert("tags".into(), Value::List(vec!["kept".into()]));
        fill(&db.store, &first, vec![old.clone()]).await;
        let mut second = first.clone();
        second.columns.retain(|c| c.id != "class" && c.id != "tags");
        second.columns.extend([column("place", Storage::Text, false), column("area", Storage::Int, false), column("uses", Storage::Text, true)]);
        ensure(&db, &second).await.unwrap();
        ensure(&db, &second).await.unwrap();
        let mut now = row("A-1", "一", "S");
        assert_eq!(get(&db, &second, "id-A-1").await, Some(now.clone()));
        now.version = 2;
        now.values.insert("place".into(), Value::Text("書庫".into()));
        now.values.insert("uses".into(), Value::List(vec!["窓口".into()]));
        put(&db, &second, &now).await.unwrap();
        assert_eq!(get(&db, &second, "id-A-1").await, Some(now));
        // Shown again, hidden columns are as they were.
        ensure(&db, &first).await.unwrap();
        let again = get(&db, &first, "id-A-1").await.unwrap();
        assert_eq!(again.values, old.values);
    }

    async fn a_change_of_type_is_refused(db: Db) {
        let first = spec("asset");
        ensure(&db, &first).await.unwrap();
        for (id, storage, many) in [("copies", Storage::Text, false), ("class", Storage::Int, false), ("tags", Storage::Text, false), ("class", Storage::Text, true)] {
            let mut changed = first.clone();
            changed.columns.retain(|c| c.id != id);
            changed.columns.push(column(id, storage, many));
            let refused = ensure(&db, &changed).await;
            assert!(matches!(&refused, Err(StoreError::Address(text)) if text.contains(id)), "{id}: {refused:?}");
        }
        // Hidden in between, it is still the same column.
        let mut hidden = first.clone();
        hidden.columns.retain(|c| c.id != "copies");
        ensure(&db, &hidden).await.unwrap();
        hidden.columns.push(column("copies", Storage::Text, false));
        assert!(ensure(&db, &hidden).await.is_err());
        let mut other_key = first.clone();
        other_key.key = "title".into();
        assert!(matches!(ensure(&db, &other_key).await, Err(StoreError::Address(_))));
    }

    async fn what_is_no_identifier_never_reaches_sql(db: Db) {
        let long = "a".repeat(42);
        for bad in ["", "Asset", "a-b", "a b", "1a", "a;drop table person", "資産", "a\"b", long.as_str()] {
            let mut table = spec("asset");
            table.id = bad.into();
            assert!(matches!(ensure(&db, &table).await, Err(StoreError::Identifier(_))), "{bad}");
            let mut with_column = spec("asset");
            with_column.columns.push(column(bad, Storage::Text, false));
            assert!(matches!(ensure(&db, &with_column).await, Err(StoreError::Identifier(_))), "{bad}");
            let mut with_key = spec("asset");
            with_key.key = bad.into();
            assert!(ensure(&db, &with_key).await.is_err(), "{bad}");
        }
        for key in ["copies", "tags"] {
            let mut table = spec("asset");
            table.owner = key.into();
            assert!(matches!(ensure(&db, &table).await, Err(StoreError::Address(_))), "{key}");
        }
        let mut longest = spec(&"a".repeat(41));
        longest.columns.push(ColumnSpec { id: "b".repeat(41), storage: Storage::Text, many: false, indexed: true, unsearched: false });
        longest.columns.push(ColumnSpec { id: format!("{}c", "b".repeat(40)), storage: Storage::Text, many: false, indexed: true, unsearched: false });
        ensure(&db, &longest).await.unwrap();
        put(&db, &longest, &row("A-1", "一", "S")).await.unwrap();
        assert_eq!(page(&db.store, &longest, &everyone(), &register::Filter::default(), 0, 9).await.1, 1);
    }

    async fn registers_made_at_once_are_made_once(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (store, spec) = (db.store.clone(), spec("asset"));
            tasks.spawn(async move { act!(store, c => register::ensure(c, &spec).await) });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        put(&db, &spec("asset"), &row("A-1", "一", "S")).await.unwrap();
    }

    async fn rows_with_many_values_come_whole_from_long_lists(db: Db) {
        let spec = spec("asset");
        let rows: Vec<RegisterRow> = (0..250)
            .map(|n| {
                let mut r = row(&format!("A-{n:03}"), "題", "S");
                r.values.insert("tags".into(), Value::List(vec![format!("t{n}"), "all".into()]));
                r
            })
            .collect();
        fill(&db.store, &spec, rows.clone()).await;
        for limit in [1, 50, 250] {
            let spec = spec.clone();
            let (listed, total) = look!(db.store, c => register::list(c, &spec, &everyone(), &register::Filter::default(), 0, limit).await).unwrap();
            assert_eq!(total, 250);
            assert_eq!(listed, rows[..usize::try_from(limit).unwrap()]);
        }
    }

    async fn checks_find_rows_by_a_predicate(db: Db) {
        let spec = spec("asset");
        let mut marked = row("A-2", "二", "T");
        marked.values.insert("personal".into(), Value::Bool(true));
        fill(&db.store, &spec, vec![row("A-3", "三", "S"), marked, row("A-1", "一", "S")]).await;
        let (unmarked, one, none) = look!(db.store, c => {
            let unmarked = register::matching(c, &spec, "r.c_personal IS NULL OR r.c_title = $1", args!["二"], None).await?;
            let one = register::matching(c, &spec, "r.c_owner = $1", args!["S"], Some("id-A-3")).await?;
            let none = register::matching(c, &spec, "r.c_owner = $1", args!["S"], Some("id-A-2")).await?;
            Ok((unmarked, one, none))
        }).unwrap();
        let shown: Vec<(&str, &str)> = unmarked.iter().map(|r| (r.key.as_str(), r.unit.as_str())).collect();
        assert_eq!(shown, [("A-1", "S"), ("A-2", "T"), ("A-3", "S")]);
        assert_eq!(one.iter().map(|r| (r.id.as_str(), r.name.as_str())).collect::<Vec<_>>(), [("id-A-3", "三")]);
        assert!(none.is_empty());
    }

    async fn changes_are_kept_in_order(db: Db) {
        let change = |seq: i64, before: Option<&str>| ChangeRow {
            id: format!("C{seq}"),
            register: "asset".into(),
            row_id: "R".into(),
            seq,
            at: at(seq),
            person: "00001".into(),
            cause: "form".into(),
            before: before.map(str::to_owned),
            after: Some("{}".into()),
            entry: format!("E{seq}"),
        };
        act!(db.store, c => {
            register::put_change(c, &change(1, None)).await?;
            register::put_change(c, &change(2, Some("{}"))).await?;
            register::put_change(c, &ChangeRow { id: "X".into(), row_id: "other".into(), ..change(1, None) }).await
        }).unwrap();
        assert!(act!(db.store, c => register::put_change(c, &ChangeRow { id: "again".into(), ..change(2, None) }).await).is_err());
        let found = look!(db.store, c => register::changes(c, "asset", "R").await).unwrap();
        assert_eq!(found, [change(2, Some("{}")), change(1, None)]);
    }
}
