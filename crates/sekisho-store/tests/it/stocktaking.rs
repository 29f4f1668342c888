//! Stocktakings: one runs at a time for a register and a unit, a thing is found once, nothing is added after the end.

use sekisho_store::stocktaking::{
    Closing, SeenRow, StocktakingRow, close, get, list, open, running, see, seen,
};

use crate::engine::{at, day, everyone, viewer};

fn row(id: &str, unit: &str, opened: i64) -> StocktakingRow {
    StocktakingRow {
        id: id.to_owned(),
        register: "device".to_owned(),
        unit: unit.to_owned(),
        opened_by: "00001".to_owned(),
        opened_at: at(opened),
        due_on: day("2026-12-25"),
        open_entry: format!("E-{id}"),
        closed: None,
    }
}

fn found(row: &str, person: &str, when: i64) -> SeenRow {
    SeenRow {
        row_id: row.to_owned(),
        person: person.to_owned(),
        at: at(when),
        place: "窓口の裏".to_owned(),
        entry: format!("E-{row}"),
    }
}

on_both! {
    async fn one_runs_at_a_time_and_ends_once(db: Db) {
        let start = |r: StocktakingRow| { let store = db.store.clone(); async move { act!(store, c => open(c, &r).await).unwrap() } };
        assert!(start(row("S1", "U1", 10)).await);
        assert!(!start(row("S2", "U1", 11)).await, "one is running");
        assert!(start(row("S3", "U2", 12)).await);
        let look_for = |r: SeenRow| { let store = db.store.clone(); async move { act!(store, c => see(c, "S1", &r).await).unwrap() } };
        assert!(look_for(found("R1", "00002", 20)).await);
        assert!(!look_for(found("R1", "00003", 21)).await, "a thing is found once");
        assert!(look_for(found("R2", "00003", 22)).await);
        let how = Closing { by: "00001".to_owned(), at: at(30), total: 3, missing: "[]".to_owned(), entry: "E-end".to_owned() };
        let end = how.clone();
        assert!(act!(db.store, c => close(c, "S1", &end).await).unwrap());
        let again = Closing { by: "00009".to_owned(), ..how.clone() };
        assert!(!act!(db.store, c => close(c, "S1", &again).await).unwrap());
        assert!(!look_for(found("R3", "00002", 31)).await, "it is over");
        assert_eq!(look!(db.store, c => seen(c, "S1").await).unwrap(), [found("R2", "00003", 22), found("R1", "00002", 20)]);
        assert!(start(row("S4", "U1", 40)).await, "the next one");
        let ids = |rows: Vec<StocktakingRow>| rows.into_iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(look!(db.store, c => list(c, &everyone(), 10).await).unwrap()), ["S4", "S3", "S1"]);
        assert_eq!(ids(look!(db.store, c => running(c, &viewer("00002", &["U1"]), "device").await).unwrap()), ["S4"]);
        assert_eq!(look!(db.store, c => get(c, &viewer("00002", &["U2"]), "S1").await).unwrap(), None);
        let ended = StocktakingRow { closed: Some(how), ..row("S1", "U1", 10) };
        assert_eq!(look!(db.store, c => get(c, &viewer("00002", &["U1"]), "S1").await).unwrap(), Some(ended));
    }
}
