//! Cases, their acts and tasks, inboxes and drafts.

use sekisho_store::StoreError;
use sekisho_store::case::{self, ActRow, CaseFilter, CaseRow, DraftRow, TaskRow};

use crate::engine::{Db, at, day, everyone, strings};

pub fn case_row(id: &str, unit: &str, opened: i64) -> CaseRow {
    CaseRow {
        id: id.into(),
        procedure: "take_out".into(),
        number: format!("持出-{id}"),
        title: format!("{id}の持出"),
        status: "open".into(),
        applicant: "00001".into(),
        post: "P1".into(),
        unit: unit.into(),
        pack: "f".repeat(64),
        version: 1,
        state: "{}".into(),
        opened_at: at(opened),
        closed_at: None,
        due: None,
        next_change_on: None,
        search: sekisho_base::text::fold_key(&format!("持出-{id} 髙﨑")),
    }
}

fn task(case_id: &str, person: &str, post: &str, due: Option<&str>, opened: i64) -> TaskRow {
    TaskRow {
        case_id: case_id.into(),
        step: "permit".into(),
        kind: "permit".into(),
        title: "許可".into(),
        post: post.into(),
        person: person.into(),
        due: due.map(day),
        opened_at: at(opened),
    }
}

async fn put_all(db: &Db, rows: &[CaseRow]) {
    let rows = rows.to_vec();
    act!(db.store, c => {
        for r in &rows {
            case::put(c, r).await?;
        }
        Ok(())
    })
    .unwrap();
}

async fn listed(db: &Db, filter: CaseFilter, offset: i64, limit: i64) -> (Vec<String>, i64) {
    let (rows, total) =
        look!(db.store, c => case::list(c, &everyone(), &filter, offset, limit).await).unwrap();
    (rows.into_iter().map(|r| r.id).collect(), total)
}

on_both! {
    async fn a_case_comes_back_whole_and_changes_by_version(db: Db) {
        let mut row = CaseRow { due: Some(day("2026-12-01")), next_change_on: Some(day("2026-12-02")), ..case_row("C1", "S", 0) };
        put_all(&db, &[row.clone()]).await;
        assert_eq!(look!(db.store, c => case::get(c, &everyone(), "C1").await).unwrap(), Some(row.clone()));
        row.version = 2;
        row.status = "closed".into();
        row.closed_at = Some(at(9));
        row.due = None;
        put_all(&db, &[row.clone()]).await;
        assert_eq!(look!(db.store, c => case::get(c, &everyone(), "C1").await).unwrap(), Some(row.clone()));
        for version in [2, 4] {
            let stale = CaseRow { version, ..row.clone() };
            let refused = act!(db.store, c => case::put(c, &stale).await);
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{version}");
        }
        assert!(act!(db.store, c => case::put(c, &CaseRow { version: 1, ..case_row("C1", "S", 0) }).await).is_err_and(|e| e.is_unique_violation()));
    }

    async fn of_two_who_decide_at_once_one_is_told(db: Db) {
        put_all(&db, &[case_row("C1", "S", 0)]).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8_i64 {
            let store = db.store.clone();
            tasks.spawn(async move {
                act!(store, c => {
                    let row = case::get(c, &everyone(), "C1").await?.ok_or(StoreError::Broken)?;
                    case::put(c, &CaseRow { version: 2, title: format!("by {n}"), ..row }).await
                })
            });
        }
        let mut kept = 0;
        while let Some(done) = tasks.join_next().await {
            match done.unwrap() {
                Ok(()) => kept += 1,
                Err(StoreError::Conflict(_)) => {}
                Err(e) => panic!("{e}"),
            }
        }
        assert_eq!(kept, 1);
    }

    async fn cases_under_way_are_found_by_the_rows_they_hold(db: Db) {
        let mut rows: Vec<CaseRow> = (1..=3).map(|n| case_row(&format!("C{n}"), "S", n)).collect();
        rows[2].closed_at = Some(rows[2].opened_at);
        put_all(&db, &rows).await;
        act!(db.store, c => {
            for id in ["C1", "C2", "C3"] {
                case::set_items(c, id, &[("asset".into(), "R1".into()), ("media".into(), "R2".into())]).await?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
        let many: Vec<String> = (1..=500).map(|n| format!("R{n}")).collect();
        let found = look!(db.store, c => case::under_way(c, "asset", &many).await).unwrap();
        let pair = |case: &str| ("R1".to_owned(), case.to_owned());
        assert_eq!(found, [pair("C1"), pair("C2")], "neither ended cases nor rows of another register");
        assert!(look!(db.store, c => case::under_way(c, "asset", &[]).await).unwrap().is_empty());
    }

    async fn lists_are_newest_first_and_filtered(db: Db) {
        let mut rows: Vec<CaseRow> = (1..=5).map(|n| case_row(&format!("C{n}"), "S", n)).collect();
        rows[1].status = "closed".into();
        rows[2].applicant = "00002".into();
        rows[3].due = Some(day("2026-05-01"));
        rows[4].procedure = "loan".into();
        put_all(&db, &rows).await;
        act!(db.store, c => case::set_items(c, "C2", &[("asset".into(), "R1".into()), ("media".into(), "R1".into())]).await).unwrap();
        let base = CaseFilter::default;
        for (filter, wanted) in [
            (base(), &["C5", "C4", "C3", "C2", "C1"][..]),
            (CaseFilter { status: Some("closed".into()), ..base() }, &["C2"]),
            (CaseFilter { applicant: Some("00002".into()), ..base() }, &["C3"]),
            (CaseFilter { procedure: Some("loan".into()), ..base() }, &["C5"]),
            (CaseFilter { due_before: Some(day("2026-05-02")), ..base() }, &["C4"]),
            (CaseFilter { due_before: Some(day("2026-05-01")), ..base() }, &[]),
            (CaseFilter { words: strings(&["高崎", "ｃ4"]), ..base() }, &["C4"]),
            (CaseFilter { words: strings(&["%"]), ..base() }, &[]),
            (CaseFilter { item: Some(("media".into(), "R1".into())), ..base() }, &["C2"]),
            (CaseFilter { item: Some(("media".into(), "R2".into())), ..base() }, &[]),
            (CaseFilter { status: Some("open".into()), procedure: Some("take_out".into()), ..base() }, &["C4", "C3", "C1"]),
        ] {
            let total = i64::try_from(wanted.len()).unwrap();
            assert_eq!(listed(&db, filter.clone(), 0, 10).await, (strings(wanted), total), "{filter:?}");
        }
        assert_eq!(listed(&db, base(), 1, 2).await, (strings(&["C4", "C3"]), 5));
        assert_eq!(listed(&db, base(), 5, 2).await, (vec![], 5));
    }

    async fn acts_are_dense_and_stay(db: Db) {
        put_all(&db, &[case_row("C1", "S", 0)]).await;
        let act = |seq: i64| ActRow { seq, kind: "permit".into(), person: "00001".into(), at: at(seq), body: "{\"a\":1}".into(), entry: format!("E{seq}") };
        act!(db.store, c => {
            case::add_act(c, "C1", &act(1)).await?;
            case::add_act(c, "C1", &act(2)).await?;
            case::add_act(c, "C2", &act(1)).await
        }).unwrap();
        assert!(act!(db.store, c => case::add_act(c, "C1", &act(2)).await).is_err_and(|e| e.is_unique_violation()));
        assert_eq!(look!(db.store, c => case::acts(c, "C1").await).unwrap(), [act(1), act(2)]);
    }

    async fn an_inbox_holds_the_tasks_of_person_and_posts(db: Db) {
        put_all(&db, &[case_row("C1", "S", 0), case_row("C2", "T", 0)]).await;
        act!(db.store, c => {
            case::set_tasks(c, "C1", &[task("C1", "", "P1", None, 1), task("C1", "00001", "", Some("2026-06-01"), 2), task("C1", "", "P2", None, 3)]).await?;
            case::set_tasks(c, "C2", &[task("C2", "", "P1", Some("2026-05-01"), 4), task("C2", "00002", "P1", None, 5)]).await
        }).unwrap();
        let inbox = |person: &'static str, posts: &'static [&'static str], limit: i64| (person, strings(posts), limit);
        for (who, wanted) in [
            // Those due come first; a task of another person is not the post's, even if it names the post.
            (inbox("00001", &["P1"], 10), vec![("C2", 4), ("C1", 2), ("C1", 1)]),
            (inbox("00001", &[], 10), vec![("C1", 2)]),
            (inbox("00002", &["P2"], 10), vec![("C1", 3), ("C2", 5)]),
            (inbox("00003", &[], 10), vec![]),
            (inbox("", &["P1"], 10), vec![("C2", 4), ("C1", 1)]),
            (inbox("00001", &["P1"], 1), vec![("C2", 4)]),
        ] {
            let shown = format!("{who:?}");
            let rows = look!(db.store, c => case::inbox(c, who.0, &who.1, who.2).await).unwrap();
            let found: Vec<(&str, i64)> = rows.iter().map(|r| (r.task.case_id.as_str(), (r.task.opened_at.millis() - at(0).millis()) / 1_000)).collect();
            assert_eq!(found, wanted, "{shown}");
        }
        act!(db.store, c => case::set_tasks(c, "C1", &[]).await).unwrap();
        let left = look!(db.store, c => case::inbox(c, "00001", &strings(&["P1"]), 10).await).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].number.as_str(), left[0].case_title.as_str(), left[0].unit.as_str()), ("持出-C2", "C2の持出", "T"));
    }

    async fn checks_see_open_tasks_by_procedure_step_and_kind(db: Db) {
        put_all(&db, &[case_row("C1", "S", 0), CaseRow { procedure: "loan".into(), ..case_row("C2", "T", 0) }]).await;
        act!(db.store, c => {
            case::set_tasks(c, "C1", &[task("C1", "", "P1", None, 1), TaskRow { step: "return".into(), kind: "perform".into(), ..task("C1", "00001", "", None, 2) }]).await?;
            case::set_tasks(c, "C2", &[task("C2", "", "P1", None, 3)]).await
        }).unwrap();
        let (all, step, none, kind) = look!(db.store, c => Ok((
            case::tasks_of(c, "take_out", None).await?.len(),
            case::tasks_of(c, "take_out", Some("return")).await?.len(),
            case::tasks_of(c, "loan", Some("return")).await?.len(),
            case::tasks_of_kind(c, "permit").await?.len(),
        ))).unwrap();
        assert_eq!((all, step, none, kind), (2, 1, 0, 2));
    }

    async fn time_alone_brings_up_what_is_due(db: Db) {
        let due = |id: &str, on: Option<&str>| CaseRow { next_change_on: on.map(day), ..case_row(id, "S", 0) };
        let mut rows = vec![due("C1", Some("2026-05-02")), due("C2", None), due("C3", Some("2026-05-01")), due("C4", Some("2026-05-03")), due("C5", Some("2025-01-01"))];
        rows[4].closed_at = Some(at(1));
        put_all(&db, &rows).await;
        let ids = |rows: Vec<CaseRow>| rows.into_iter().map(|r| r.id).collect::<Vec<_>>();
        let swept = look!(db.store, c => case::due_for_sweep(c, day("2026-05-02"), 10).await).unwrap();
        assert_eq!(ids(swept), ["C5", "C3", "C1"]);
        assert_eq!(ids(look!(db.store, c => case::due_for_sweep(c, day("2026-05-02"), 1).await).unwrap()), ["C5"]);
        assert_eq!(ids(look!(db.store, c => case::all_open(c, "take_out").await).unwrap()), ["C1", "C2", "C3", "C4"]);
        assert_eq!(look!(db.store, c => Ok((case::count_of(c, "take_out").await?, case::count_of(c, "x").await?, case::count_all(c).await?))).unwrap(), (5, 0, 5));
        assert_eq!(look!(db.store, c => case::counts_of(c, &strings(&["x", "take_out"])).await).unwrap(), [0, 5]);
    }

    async fn states_of_what_was_not_closed_at_a_moment(db: Db) {
        let case = |id: &str, procedure: &str, opened: i64, closed: Option<i64>| CaseRow {
            procedure: procedure.into(),
            opened_at: at(opened),
            closed_at: closed.map(at),
            state: id.into(),
            ..case_row(id, "S", 0)
        };
        put_all(&db, &[case("C1", "exception", 1, None), case("C2", "loan", 2, Some(10)), case("C3", "exception", 3, Some(5)), case("C4", "take_out", 4, None)]).await;
                for (moment, limit, wanted) in [(4, 9, &["C3", "C2", "C1"][..]), (5, 9, &["C2", "C1"]), (10, 9, &["C1"]), (4, 1, &["C3"])] {
            assert_eq!(look!(db.store, c => case::states_at(c, &strings(&["exception", "loan"]), at(moment), limit).await).unwrap(), wanted, "{moment}");
        }
        assert!(look!(db.store, c => case::states_at(c, &[], at(4), 9).await).unwrap().is_empty());
    }

    async fn a_draft_is_its_writers_alone(db: Db) {
        let draft = |id: &str, person: &str, body: &str, saved: i64| DraftRow { id: id.into(), procedure: "take_out".into(), person: person.into(), body: body.into(), updated_at: at(saved) };
        let first = draft("D1", "00001", "{\"a\":1}", 1);
        let later = draft("D2", "00001", "{}", 2);
        let (a, b) = (first.clone(), later.clone());
        act!(db.store, c => {
            case::put_draft(c, &a).await?;
            case::put_draft(c, &b).await?;
            case::put_draft(c, &draft("D3", "00002", "{}", 3)).await
        }).unwrap();
        // Another person cannot read, overwrite or drop it.
        let refused = act!(db.store, c => case::put_draft(c, &draft("D1", "00002", "stolen", 9)).await);
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        act!(db.store, c => case::drop_draft(c, "00002", "D1").await).unwrap();
        assert_eq!(look!(db.store, c => case::get_draft(c, "00002", "D1").await).unwrap(), None);
        assert_eq!(look!(db.store, c => case::get_draft(c, "00001", "D1").await).unwrap(), Some(first.clone()));
        assert_eq!(look!(db.store, c => case::drafts(c, "00001").await).unwrap(), [later.clone(), first.clone()]);
        assert_eq!(look!(db.store, c => case::drafts_of(c, "00001", "take_out", 1).await).unwrap(), std::slice::from_ref(&later));
        assert!(look!(db.store, c => case::drafts_of(c, "00001", "loan", 9).await).unwrap().is_empty());
        let changed = draft("D1", "00001", "{\"a\":2}", 5);
        let put = changed.clone();
        act!(db.store, c => {
            case::put_draft(c, &put).await?;
            case::drop_draft(c, "00001", "D2").await
        }).unwrap();
        assert_eq!(look!(db.store, c => case::drafts(c, "00001").await).unwrap(), [changed]);
    }
}
