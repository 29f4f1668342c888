//! Permits that ended: one row a case, the last word counts, and those past their last day are left out.

use sekisho_store::permit::{EndRow, ended, since, states_after};

use crate::case::case_row;
use crate::engine::{day, strings};

fn row(case: &str, until: &str, how: &str) -> EndRow {
    EndRow {
        case_id: case.to_owned(),
        number: format!("持出-{case}"),
        until: day(until),
        how: how.to_owned(),
    }
}

on_both! {
    async fn the_last_word_about_a_permit_counts(db: Db) {
        act!(db.store, c => {
            ended(c, &row("C1", "2026-11-30", "returned")).await?;
            ended(c, &row("C2", "2026-11-24", "closed")).await?;
            ended(c, &row("C3", "2027-03-31", "revoked")).await?;
            ended(c, &row("C1", "2026-12-10", "closed")).await
        }).unwrap();
        let found = look!(db.store, c => since(c, day("2026-11-25"), 10).await).unwrap();
        assert_eq!(found, [row("C1", "2026-12-10", "closed"), row("C3", "2027-03-31", "revoked")]);
        assert_eq!(look!(db.store, c => since(c, day("2026-11-24"), 1).await).unwrap(), [row("C2", "2026-11-24", "closed")]);
    }

    async fn states_of_before_come_in_pages(db: Db) {
        for (id, status) in [("C1", "in_force"), ("C2", "open"), ("C3", "closed"), ("C4", "revoked")] {
            let mut r = case_row(id, "S", 30);
            r.status = status.to_owned();
            act!(db.store, c => sekisho_store::case::put(c, &r).await).unwrap();
        }
        let ids = |rows: Vec<(String, String)>| rows.into_iter().map(|r| r.0).collect::<Vec<_>>();
        assert_eq!(ids(look!(db.store, c => states_after(c, "", 2).await).unwrap()), strings(&["C1", "C3"]));
        assert_eq!(ids(look!(db.store, c => states_after(c, "C3", 2).await).unwrap()), strings(&["C4"]));
    }
}
