//! The outbox, places in the tree, tiles and checkpoints.

use sekisho_store::StoreError;
use sekisho_store::ledger::{self, CheckpointRow, EntryRow};

use crate::engine::{Db, at};

pub fn entry(id: &str, stream: &str, seq: i64, second: i64) -> EntryRow {
    EntryRow {
        id: id.into(),
        stream: stream.into(),
        seq,
        kind: "case.permit".into(),
        commitment: "c".repeat(64),
        salt: Some("5".repeat(32)),
        payload: Some("{\"名\":\"髙\"}".into()),
        at: at(second),
        leaf_index: None,
    }
}

async fn put(db: &Db, entries: Vec<EntryRow>) -> Result<(), StoreError> {
    act!(db.store, c => {
        for e in &entries {
            ledger::put(c, e).await?;
        }
        Ok(())
    })
}

fn ids(rows: &[EntryRow]) -> Vec<&str> {
    rows.iter().map(|r| r.id.as_str()).collect()
}

on_both! {
    async fn an_entry_comes_back_whole(db: Db) {
        let erased = EntryRow { salt: None, payload: None, ..entry("E2", "s", 2, 1) };
        put(&db, vec![entry("E1", "s", 1, 0), erased.clone()]).await.unwrap();
        assert_eq!(look!(db.store, c => ledger::by_id(c, "E1").await).unwrap(), Some(entry("E1", "s", 1, 0)));
        assert_eq!(look!(db.store, c => ledger::stream(c, "s").await).unwrap(), [entry("E1", "s", 1, 0), erased]);
        assert_eq!(look!(db.store, c => ledger::by_id(c, "none").await).unwrap(), None);
        let again = put(&db, vec![entry("E9", "s", 2, 3)]).await;
        assert!(again.is_err_and(|e| e.is_unique_violation()));
    }

    async fn the_outbox_is_oldest_first_and_keeps_each_stream_in_order(db: Db) {
        // The second entry of stream a drew its time before the first one was written.
        put(&db, vec![entry("A1", "a", 1, 10), entry("B1", "b", 1, 5), entry("A2", "a", 2, 3), entry("B2", "b", 2, 30), entry("A3", "a", 3, 4)]).await.unwrap();
        let waiting = look!(db.store, c => ledger::outbox(c, 10).await).unwrap();
        assert_eq!(ids(&waiting), ["B1", "A1", "A2", "A3", "B2"]);
        assert_eq!(waiting[2].at, at(10));
        assert_eq!(ids(&look!(db.store, c => ledger::outbox(c, 2).await).unwrap()), ["B1", "A1"]);
        assert_eq!(look!(db.store, c => ledger::outbox_len(c).await).unwrap(), 5);
    }

    async fn a_placed_entry_leaves_the_outbox_once(db: Db) {
        put(&db, (1..=4).map(|n| entry(&format!("E{n}"), "s", n, n)).collect()).await.unwrap();
        act!(db.store, c => {
            ledger::set_leaf(c, "E1", 0).await?;
            ledger::set_leaves(c, 1, &["E2", "E3"]).await
        }).unwrap();
        assert_eq!(ids(&look!(db.store, c => ledger::outbox(c, 10).await).unwrap()), ["E4"]);
        let places = look!(db.store, c => ledger::sequenced(c, 0, 10).await).unwrap();
        assert_eq!(places.iter().map(|e| (e.id.as_str(), e.leaf_index)).collect::<Vec<_>>(), [("E1", Some(0)), ("E2", Some(1)), ("E3", Some(2))]);
        assert_eq!(ids(&look!(db.store, c => ledger::sequenced(c, 1, 1).await).unwrap()), ["E2"]);
        assert_eq!(ids(&look!(db.store, c => ledger::latest(c, 2, 10).await).unwrap()), ["E2", "E1"]);
        for refused in [
            act!(db.store, c => ledger::set_leaf(c, "E1", 7).await),
            act!(db.store, c => ledger::set_leaves(c, 7, &["E4", "E1"]).await),
            act!(db.store, c => ledger::set_leaves(c, 7, &["E4", "none"]).await),
        ] {
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        }
        // A place is given once.
        assert!(act!(db.store, c => ledger::set_leaf(c, "E4", 2).await).is_err_and(|e| e.is_unique_violation()));
        assert_eq!(look!(db.store, c => ledger::outbox_len(c).await).unwrap(), 1);
    }

    async fn many_entries_are_placed_in_the_order_given(db: Db) {
        put(&db, (1..=600).map(|n| entry(&format!("E{n:03}"), "s", n, n)).collect()).await.unwrap();
        act!(db.store, c => {
            let rows = ledger::outbox(c, 1_000).await?;
            let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
            ledger::set_leaves(c, 100, &ids).await?;
            ledger::set_leaves(c, 700, &[]).await
        }).unwrap();
        let placed = look!(db.store, c => ledger::sequenced(c, 0, 1_000).await).unwrap();
        assert_eq!(placed.len(), 600);
        assert!(placed.iter().zip(1..).all(|(e, n)| e.seq == n && e.leaf_index == Some(n + 99)));
    }

    async fn streams_of_64_writers_are_dense(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..64_i64 {
            let store = db.store.clone();
            tasks.spawn(async move {
                act!(store, c => {
                    let stream = if n % 2 == 0 { "even" } else { "odd" };
                    let seq = ledger::next_seq(c, stream).await?;
                    // Times as they may come: not in the order of the numbers.
                    ledger::put(c, &entry(&format!("E{n}"), stream, seq, 64 - n)).await
                })
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        let waiting = look!(db.store, c => ledger::outbox(c, 100).await).unwrap();
        for stream in ["even", "odd"] {
            let seqs: Vec<i64> = waiting.iter().filter(|e| e.stream == stream).map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=32).collect::<Vec<i64>>(), "{stream}");
        }
    }

    async fn tiles_and_checkpoints_are_kept(db: Db) {
        let point = |size: i64| CheckpointRow { size, root: "r".repeat(64), note: format!("note {size}\n"), at: at(size) };
        assert_eq!(look!(db.store, c => ledger::head(c).await).unwrap(), None);
        act!(db.store, c => {
            ledger::put_tile(c, 0, 0, "aa").await?;
            ledger::put_tile(c, 0, 0, "aabb").await?;
            ledger::put_tile(c, 1, 0, "cc").await?;
            ledger::put_checkpoint(c, &point(9)).await?;
            ledger::put_checkpoint(c, &point(10)).await
        }).unwrap();
        let (wide, up, none) = look!(db.store, c => Ok((ledger::tile(c, 0, 0).await?, ledger::tile(c, 1, 0).await?, ledger::tile(c, 0, 1).await?))).unwrap();
        assert_eq!((wide.as_deref(), up.as_deref(), none), (Some("aabb"), Some("cc"), None));
        assert_eq!(look!(db.store, c => ledger::head(c).await).unwrap(), Some(point(10)));
        assert!(act!(db.store, c => ledger::put_checkpoint(c, &point(10)).await).is_err_and(|e| e.is_unique_violation()));
    }
}
