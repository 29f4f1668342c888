//! What opens cases by itself: one case at a time for each thing.

use sekisho_store::case::{self, CaseRow};
use sekisho_store::{cause, duty, violation};

use crate::case::case_row;
use crate::duty::arisen;
use crate::engine::{at, day, strings};
use crate::violation::broken;

const CHECK: &str = "check:late";
const DUTY: &str = "duty:inventory";

on_both! {
    async fn a_thing_has_one_case_at_a_time(db: Db) {
        act!(db.store, c => {
            violation::open(c, &broken("V1", "late", "media/1", "S", 10)).await?;
            violation::open(c, &broken("V2", "late", "media/2", "S", 20)).await?;
            violation::open(c, &broken("V3", "other", "media/1", "S", 5)).await
        }).unwrap();
        let waiting = || async { look!(db.store, c => cause::violations(c, CHECK, "late", 10).await).unwrap() };
        assert_eq!(waiting().await, strings(&["V1", "V2"]), "oldest first, of this check");
        let take = |case_id: &'static str| {
            let store = db.store.clone();
            async move { act!(store, c => cause::take(c, CHECK, "V1", case_id).await).unwrap() }
        };
        assert!(take("C1").await);
        assert!(!take("C2").await, "another node took it, and its case is not even stored yet");
        act!(db.store, c => case::put(c, &case_row("C1", "S", 30)).await).unwrap();
        assert!(!take("C2").await, "its case is under way");
        assert_eq!(waiting().await, strings(&["V2"]));
        // The case ends and the violation does not.
        let ended = CaseRow { closed_at: Some(at(40)), version: 2, ..case_row("C1", "S", 30) };
        act!(db.store, c => case::put(c, &ended).await).unwrap();
        assert_eq!(waiting().await, strings(&["V1", "V2"]));
        assert!(take("C2").await);
        assert_eq!(look!(db.store, c => cause::last_case(c, CHECK, "V1").await).unwrap().as_deref(), Some("C2"));
        assert_eq!(look!(db.store, c => cause::last_case(c, "check:another", "V1").await).unwrap(), None);
        act!(db.store, c => violation::close(c, "V2", at(50)).await).unwrap();
        act!(db.store, c => case::put(c, &case_row("C2", "S", 45)).await).unwrap();
        assert_eq!(waiting().await, Vec::<String>::new());
        assert_eq!(look!(db.store, c => violation::get(c, "V2").await).unwrap().and_then(|v| v.closed_at), Some(at(50)));
    }

    async fn a_duty_waits_for_a_case_once_it_is_late(db: Db) {
        act!(db.store, c => {
            duty::add(c, &arisen("O1", "S", "2026-04-01", "2026-05-31", 10)).await?;
            duty::add(c, &arisen("O2", "T", "2026-04-01", "2026-04-30", 10)).await
        }).unwrap();
        for (today, wanted) in [("2026-04-30", strings(&[])), ("2026-05-01", strings(&["O2"])), ("2026-06-01", strings(&["O2", "O1"]))] {
            let found = look!(db.store, c => cause::late_duties(c, DUTY, "inventory", day(today), 10).await).unwrap();
            assert_eq!(found, wanted, "{today}");
        }
        act!(db.store, c => {
            cause::take(c, DUTY, "O2", "C1").await?;
            case::put(c, &case_row("C1", "T", 30)).await
        }).unwrap();
        let left = look!(db.store, c => cause::late_duties(c, DUTY, "inventory", day("2026-06-01"), 10).await).unwrap();
        assert_eq!(left, strings(&["O1"]));
    }
}
