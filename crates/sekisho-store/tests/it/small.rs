//! Settings, counters, packs and uploads.

use std::collections::BTreeMap;

use sekisho_store::pack::{self, PackRow};
use sekisho_store::setting;
use sekisho_store::upload::{self, UploadRow};

use crate::engine::at;

fn upload_row(id: &str, person: &str, created: i64) -> UploadRow {
    UploadRow {
        id: id.into(),
        kind: "org".into(),
        person: person.into(),
        name: "異動.xlsx".into(),
        sha256: "a".repeat(64),
        bytes: "00ff".into(),
        created_at: at(created),
    }
}

on_both! {
    async fn settings_are_replaced_and_counters_count(db: Db) {
        act!(db.store, c => {
            setting::set(c, "a", "一").await?;
            setting::set(c, "a", "").await?;
            assert_eq!(setting::next(c, "n").await?, 1);
            assert_eq!(setting::next(c, "n").await?, 2);
            assert_eq!(setting::next(c, "m").await?, 1);
            Ok(())
        }).unwrap();
        let (a, b, n, none) = look!(db.store, c => Ok((setting::get(c, "a").await?, setting::get(c, "b").await?, setting::current(c, "n").await?, setting::current(c, "x").await?))).unwrap();
        assert_eq!((a.as_deref(), b, n, none), (Some(""), None, 2, 0));
    }

    async fn a_pack_is_kept_as_it_was_first(db: Db) {
        let files: BTreeMap<String, String> = [("pack.toml".to_owned(), "name = \"市\"\n".to_owned()), ("forms/a.typ".to_owned(), "𠮷".to_owned())].into();
        let row = PackRow { hash: "h".into(), name: "model-city".into(), version: "1".into(), files, loaded_at: at(0), loaded_by: "system".into() };
        let (first, second) = (row.clone(), PackRow { version: "2".into(), loaded_at: at(9), ..row.clone() });
        act!(db.store, c => {
            pack::put(c, &first).await?;
            pack::put(c, &second).await
        }).unwrap();
        assert_eq!(look!(db.store, c => pack::get(c, "h").await).unwrap(), Some(row));
        assert_eq!(look!(db.store, c => pack::get(c, "i").await).unwrap(), None);
    }

    async fn an_upload_is_its_senders_alone(db: Db) {
        act!(db.store, c => {
            for u in [upload_row("U1", "00001", 100), upload_row("U2", "00001", 10), upload_row("U3", "00002", 100)] {
                upload::put(c, &u).await?;
            }
            Ok(())
        }).unwrap();
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "00001").await).unwrap(), Some(upload_row("U1", "00001", 100)));
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "00002").await).unwrap(), None);
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "").await).unwrap(), None);
        act!(db.store, c => upload::drop_used(c, "U1", at(50)).await).unwrap();
        let (used, old, other) = look!(db.store, c => Ok((
            upload::get(c, "U1", "00001").await?.is_some(),
            upload::get(c, "U2", "00001").await?.is_some(),
            upload::get(c, "U3", "00002").await?.is_some(),
        ))).unwrap();
        assert_eq!((used, old, other), (false, false, true));
    }
}
