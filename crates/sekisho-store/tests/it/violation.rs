//! Intervals in which a check was broken, and its runs.

use std::collections::BTreeMap;

use sekisho_store::violation::{self, RunRow, ViolationRow};

use crate::engine::{Db, at, everyone};

pub fn broken(id: &str, check: &str, key: &str, unit: &str, opened: i64) -> ViolationRow {
    ViolationRow {
        id: id.into(),
        check: check.into(),
        pack: "f".repeat(64),
        row_key: key.into(),
        unit: unit.into(),
        says: "期限を過ぎています。".into(),
        link: "/cases/C1".into(),
        opened_at: at(opened),
        closed_at: None,
        cause_entry: String::new(),
    }
}

async fn open(db: &Db, rows: Vec<ViolationRow>) {
    act!(db.store, c => {
        for r in &rows {
            violation::open(c, r).await?;
        }
        Ok(())
    })
    .unwrap();
}

fn map<T: Clone>(pairs: &[(&str, T)]) -> BTreeMap<String, T> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

on_both! {
    async fn a_past_moment_is_read_as_it_was_known(db: Db) {
        open(&db, vec![broken("V1", "late", "case/C1#return", "S", 10), broken("V2", "late", "case/C2#return", "S", 20), broken("V3", "stale", "asset/R1", "S", 15)]).await;
        act!(db.store, c => {
            violation::close(c, "V1", at(30)).await?;
            // Closed again, it keeps the moment at which it was gone.
            violation::close(c, "V1", at(40)).await
        }).unwrap();
        for (second, wanted) in [
            (9, map(&[])),
            (10, map(&[("late", 1)])),
            (20, map(&[("late", 2), ("stale", 1)])),
            (29, map(&[("late", 2), ("stale", 1)])),
            (30, map(&[("late", 1), ("stale", 1)])),
            (99, map(&[("late", 1), ("stale", 1)])),
        ] {
            assert_eq!(look!(db.store, c => violation::counts(c, at(second)).await).unwrap(), wanted, "{second}");
        }
        let rows = look!(db.store, c => violation::list(c, &everyone(), "late", 10).await).unwrap();
        assert_eq!(rows, [broken("V2", "late", "case/C2#return", "S", 20), ViolationRow { closed_at: Some(at(30)), ..broken("V1", "late", "case/C1#return", "S", 10) }]);
        assert_eq!(look!(db.store, c => violation::list(c, &everyone(), "late", 1).await).unwrap().len(), 1);
    }

    async fn open_intervals_are_found_by_check_row_and_prefix(db: Db) {
        open(&db, vec![
            broken("V1", "late", "case/C1#return", "S", 1),
            broken("V2", "late", "case/C1#confirm", "S", 2),
            broken("V3", "late", "case/C10#return", "S", 3),
            broken("V4", "other", "case/C1#return", "S", 4),
            broken("V5", "late", "as_et/R1", "S", 5),
            broken("V6", "late", "asset/R1", "S", 6),
            broken("V7", "late", "case/C1#gone", "S", 7),
        ]).await;
        act!(db.store, c => violation::close(c, "V7", at(8)).await).unwrap();
        let (all, prefix, exact, underscore, upper) = look!(db.store, c => Ok((
            violation::open_rows(c, "late").await?,
            violation::open_for(c, "case/C1#%").await?,
            violation::open_for(c, "asset/R1").await?,
            violation::open_for(c, "as_et/R1").await?,
            violation::open_for(c, "CASE/C1#%").await?,
        ))).unwrap();
        assert_eq!(all.len(), 5);
        assert_eq!(prefix, map(&[
            ("late", map(&[("case/C1#return", "V1".to_owned()), ("case/C1#confirm", "V2".to_owned())])),
            ("other", map(&[("case/C1#return", "V4".to_owned())])),
        ]));
        assert_eq!(exact, map(&[("late", map(&[("asset/R1", "V6".to_owned())]))]));
        assert_eq!(underscore, map(&[("late", map(&[("as_et/R1", "V5".to_owned())]))]));
        assert!(upper.is_empty());
        let of_row = look!(db.store, c => violation::open_of_row(c, "case/C1#return").await).unwrap();
        assert_eq!(of_row.iter().map(|v| v.check.as_str()).collect::<Vec<_>>(), ["late", "other"]);
    }

    async fn a_run_is_noted_and_touched(db: Db) {
        let run = |looked_at, seconds| RunRow { pack: "p".into(), ran_at: at(seconds), looked_at, due_rows: 3 };
        act!(db.store, c => {
            violation::put_run(c, "full", &run(9, 1)).await?;
            violation::put_run(c, "full", &run(12, 2)).await?;
            violation::put_run(c, "empty", &run(0, 1)).await?;
            violation::touch_runs(c, &["full", "empty", "new"], "q", at(5)).await?;
            violation::touch_runs(c, &[], "q", at(6)).await
        }).unwrap();
        let runs = look!(db.store, c => violation::runs(c).await).unwrap();
        assert_eq!(runs, map(&[
            ("full", run(12, 5)),
            ("empty", run(1, 5)),
            ("new", RunRow { pack: "q".into(), ran_at: at(5), looked_at: 1, due_rows: 0 }),
        ]));
    }
}
