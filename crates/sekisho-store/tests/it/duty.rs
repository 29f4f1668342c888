//! Occurrences of duties, and how duties stood at a moment.

use sekisho_base::Date;
use sekisho_store::duty::{self, OccurrenceFilter, OccurrenceRow, Standing};
use sekisho_store::{StoreError, Viewer};

use crate::engine::{at, everyone};

fn day(s: &str) -> Date {
    s.parse().unwrap()
}

pub fn arisen(id: &str, unit: &str, period: &str, due: &str, created: i64) -> OccurrenceRow {
    OccurrenceRow {
        id: id.into(),
        duty: "inventory".into(),
        pack: "f".repeat(64),
        unit: unit.into(),
        subject: String::new(),
        period: period.into(),
        opens_on: day(period),
        due_on: day(due),
        created_at: at(created),
        open_entry: "E".into(),
        reminded: 0,
        escalated: 0,
        next_change_on: Some(day(period)),
        closed_at: None,
        outcome: String::new(),
        done_by: String::new(),
        done_role: String::new(),
        capacity: String::new(),
        evidence: String::new(),
        valid_until: None,
        entry: String::new(),
    }
}

fn done(row: &OccurrenceRow, seconds: i64, until: &str) -> OccurrenceRow {
    OccurrenceRow {
        closed_at: Some(at(seconds)),
        outcome: "done".into(),
        done_by: "1002".into(),
        evidence: "{}".into(),
        valid_until: Some(day(until)),
        next_change_on: None,
        entry: "D".into(),
        ..row.clone()
    }
}

on_both! {
    async fn an_occurrence_arises_once_and_is_closed_once(db: Db) {
        let row = arisen("O1", "21", "2026-04-01", "2027-03-31", 1);
        act!(db.store, c => {
            duty::put_since(c, "inventory", day("2026-04-01")).await?;
            duty::put_since(c, "inventory", day("2026-05-01")).await?;
            duty::add(c, &row).await
        }).unwrap();
        let twice = arisen("O2", "21", "2026-04-01", "2027-03-31", 2);
        assert!(act!(db.store, c => duty::add(c, &twice).await).unwrap_err().is_unique_violation());
        let since = look!(db.store, c => duty::since(c).await).unwrap();
        assert_eq!(since.get("inventory"), Some(&day("2026-04-01")), "the first day stays");
        let made = look!(db.store, c => duty::made(c, "inventory", "2026-04-01").await).unwrap();
        assert_eq!(made, [("21".to_owned(), String::new())].into());
        let closed = done(&arisen("O1", "21", "2026-04-01", "2027-03-31", 1), 5, "2028-03-31");
        let again = closed.clone();
        act!(db.store, c => duty::update(c, &closed).await).unwrap();
        let refused = act!(db.store, c => duty::update(c, &again).await).unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
        let found = look!(db.store, c => duty::get(c, "O1").await).unwrap();
        assert_eq!(found, Some(done(&arisen("O1", "21", "2026-04-01", "2027-03-31", 1), 5, "2028-03-31")));
    }

    async fn what_is_due_is_found_by_day_viewer_and_unit(db: Db) {
        let rows = [arisen("O1", "21", "2026-04-01", "2026-06-30", 1), arisen("O2", "22", "2026-04-01", "2026-05-31", 1), arisen("O3", "21", "2026-05-01", "2026-05-31", 1)];
        act!(db.store, c => {
            for r in &rows {
                duty::add(c, r).await?;
            }
            Ok(())
        }).unwrap();
        let ids = |rows: Vec<OccurrenceRow>| rows.into_iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(look!(db.store, c => duty::to_look_at(c, day("2026-04-30"), 10).await).unwrap()), ["O1", "O2"]);
        assert_eq!(ids(look!(db.store, c => duty::to_look_at(c, day("2026-05-01"), 1).await).unwrap()), ["O1"]);
        let own = Viewer { person: "1002".into(), units: Some(vec!["21".into()]) };
        let all = OccurrenceFilter::default();
        let (seen, total) = look!(db.store, c => duty::list(c, &own, &all, 0, 10).await).unwrap();
        assert_eq!((ids(seen), total), (vec!["O3".to_owned(), "O1".to_owned()], 2));
        let late = OccurrenceFilter { open: true, due_by: Some(day("2026-05-31")), units: Some(vec!["22".into()]), ..Default::default() };
        let (seen, total) = look!(db.store, c => duty::list(c, &everyone(), &late, 0, 10).await).unwrap();
        assert_eq!((ids(seen), total), (vec!["O2".to_owned()], 1));
        let none = OccurrenceFilter { duties: Some(vec![]), ..Default::default() };
        assert_eq!(look!(db.store, c => duty::list(c, &everyone(), &none, 0, 10).await).unwrap().1, 0);
        let above = OccurrenceFilter { escalated: true, ..Default::default() };
        assert_eq!(look!(db.store, c => duty::list(c, &everyone(), &above, 0, 10).await).unwrap().1, 0);
    }

    async fn a_past_moment_is_as_it_was_known(db: Db) {
        // Moment 0 lies on 21 September 2026.
        let days = |n: i64| n * 86_400;
        let first = arisen("O1", "21", "2026-09-21", "2026-09-30", days(0));
        let second = arisen("O2", "21", "2026-10-01", "2026-10-10", days(10));
        let other = arisen("O3", "22", "2026-09-21", "2026-09-30", days(0));
        let written = first.clone();
        act!(db.store, c => {
            for r in [&first, &second, &other] {
                duty::add(c, r).await?;
            }
            duty::update(c, &done(&first, days(8), "2026-10-10")).await
        }).unwrap();
        assert_eq!(written.due_on, day("2026-09-30"));
        for (n, soon, wanted) in [
            (5, "2026-09-27", Standing { open: 2, uncovered: 2, ..Standing::default() }),
            (5, "2026-10-02", Standing { open: 2, uncovered: 2, soon: 2, ..Standing::default() }),
            (8, "2026-09-28", Standing { open: 1, uncovered: 1, valid: 1, ..Standing::default() }),
            (12, "2026-10-02", Standing { open: 2, late: 1, valid: 1, ..Standing::default() }),
            (25, "2026-10-15", Standing { open: 2, late: 2, ..Standing::default() }),
        ] {
            let found = look!(db.store, c => duty::standings(c, at(days(n)), day(soon)).await).unwrap();
            assert_eq!(found.get("inventory"), Some(&wanted), "day {n} {soon}");
        }
        let before = look!(db.store, c => duty::standings(c, at(-1), day("2026-09-21")).await).unwrap();
        assert_eq!(before.get("inventory"), None, "not yet known");
    }
}
