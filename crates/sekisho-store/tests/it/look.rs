//! Looks are counted by person, record, day and way, and a day has one hash over all of them; turns of clauses.

use sekisho_base::Instant;
use sekisho_base::table::Value;
use sekisho_store::register::Filter;
use sekisho_store::turn::TurnRow;
use sekisho_store::{look, turn};

use crate::engine::{day, everyone, fill, page, row, spec, strings};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

on_both! {
    async fn looks_are_counted_and_sealed_by_day(db: Db) {
        act!(db.store, c => {
            for (person, way, when) in [
                ("00001", "page", "2026-11-25T01:00:00.000Z"),
                ("00001", "page", "2026-11-25T03:00:00.000Z"),
                ("00001", "print", "2026-11-25T03:00:00.000Z"),
                ("00002", "page", "2026-11-26T01:00:00.000Z"),
            ] {
                look::add(c, &strings(&["asset/R1", "case/C1"]), person, way, at(when)).await?;
            }
            look::add(c, &strings(&["asset"]), "00002", "export", at("2026-11-26T02:00:00.000Z")).await
        }).unwrap();
        let (rows, total) = look!(db.store, c => look::of(c, &["asset/R1", "asset"], 10).await).unwrap();
        assert_eq!(total, 5);
        let shown: Vec<_> = rows.iter().map(|l| (l.person.as_str(), l.way.as_str(), l.times)).collect();
        assert_eq!(shown, [("00002", "export", 1), ("00002", "page", 1), ("00001", "page", 2), ("00001", "print", 1)]);
        assert_eq!((rows[2].first_at, rows[2].last_at), (at("2026-11-25T01:00:00.000Z"), at("2026-11-25T03:00:00.000Z")));
        let (none, total) = look!(db.store, c => look::of(c, &["asset/R2"], 10).await).unwrap();
        assert!(none.is_empty() && total == 0);

        let first = |from, before| {
            let store = db.store.clone();
            async move { look!(store, c => look::first_day(c, day(from), day(before)).await).unwrap() }
        };
        assert_eq!(first("1970-01-01", "2026-11-26").await, Some(day("2026-11-25")));
        assert_eq!(first("2026-11-26", "2026-11-26").await, None);
        let digest = |of| {
            let store = db.store.clone();
            async move { look!(store, c => look::digest(c, day(of)).await).unwrap() }
        };
        let (rows, times, hash) = digest("2026-11-25").await;
        assert_eq!((rows, times), (4, 6));
        act!(db.store, c => c.exec("UPDATE look SET times = 1 WHERE person = '00001' AND way = 'page' AND subject = 'case/C1'", vec![]).await).unwrap();
        let (rows, times, other) = digest("2026-11-25").await;
        assert_eq!((rows, times), (4, 5));
        assert_ne!(hash, other, "a look taken away is noticed");
    }

    async fn the_last_turn_is_the_state_of_a_day(db: Db) {
        let turn_of = |clause: &str, on: &str, state: &str| TurnRow {
            clause: clause.into(),
            day: day(on),
            state: state.into(),
            reason: "理由".into(),
        };
        let rows = vec![turn_of("1", "2026-10-01", "unknown"), turn_of("2", "2026-10-01", "met"), turn_of("1", "2026-11-03", "met")];
        act!(db.store, c => turn::put(c, &rows).await).unwrap();
        for (until, states) in [("2026-09-30", &[][..]), ("2026-11-02", &[("1", "unknown"), ("2", "met")]), ("2026-11-03", &[("1", "met"), ("2", "met")])] {
            let last = look!(db.store, c => turn::last_until(c, day(until)).await).unwrap();
            let found: Vec<_> = last.values().map(|t| (t.clause.as_str(), t.state.as_str())).collect();
            assert_eq!(found, states, "{until}");
        }
        let some = look!(db.store, c => turn::between(c, day("2026-10-01"), day("2026-12-01")).await).unwrap();
        assert_eq!(some.len(), 1);
        act!(db.store, c => turn::clear(c, day("2026-11-03")).await).unwrap();
        let of = look!(db.store, c => turn::of_clause(c, "1", 10).await).unwrap();
        assert_eq!(of.len(), 1);
    }

    async fn words_of_a_personal_column_are_not_found(db: Db) {
        let mut hidden = spec("asset");
        hidden.columns.iter_mut().find(|col| col.id == "class").unwrap().unsearched = true;
        let mut one = row("A-1", "名簿", "S");
        one.values.insert("class".into(), Value::Text("山田".into()));
        fill(&db.store, &hidden, vec![one]).await;
        for (typed, found) in [("名簿", 1), ("山田", 0), ("山", 0)] {
            let filter = Filter { words: strings(&[typed]), ..Filter::default() };
            assert_eq!(page(&db.store, &hidden, &everyone(), &filter, 0, 9).await.1, found, "{typed}");
        }
    }
}
