//! A viewer of one unit gets no record of another through any function that takes a viewer.

use sekisho_store::case::{self, CaseFilter, CaseRow, TaskRow};
use sekisho_store::register::{self, Filter};
use sekisho_store::violation;

use crate::case::case_row;
use crate::engine::{Db, at, everyone, fill, page, row, spec, strings, viewer};
use crate::violation::broken;

/// Rows of units A, B and of none; the ones of B are what a viewer of A must not see.
async fn registers(db: &Db) {
    let mut rows: Vec<_> = (0..1_100).map(|n| row(&format!("B-{n:04}"), "共通題", "B")).collect();
    rows.extend([row("A-1", "共通題", "A"), row("N-1", "共通題", ""), row("A-2", "別題", "A")]);
    fill(&db.store, &spec("asset"), rows).await;
}

/// Cases: two of unit A, two of unit B. Person 00007 takes part in one of each.
async fn cases(db: &Db) {
    act!(db.store, c => {
        for (id, unit) in [("A1", "A"), ("A2", "A"), ("B1", "B"), ("B2", "B")] {
            case::put(c, &CaseRow { search: "共通".into(), ..case_row(id, unit, 1) }).await?;
            case::set_items(c, id, &[("asset".into(), "R1".into())]).await?;
        }
        case::add_parties(c, "B2", &strings(&["00007"])).await?;
        case::add_parties(c, "A2", &strings(&["00007", "00007", "00008"])).await
    })
    .unwrap();
}

on_both! {
    async fn rows_of_other_units_are_in_no_list(db: Db) {
        registers(&db).await;
        let (spec, of_a) = (spec("asset"), viewer("00001", &["A"]));
        let filters = [
            Filter::default(),
            Filter { words: strings(&["共通題"]), ..Filter::default() },
            Filter { words: strings(&["共"]), ..Filter::default() },
            Filter { words: strings(&["b-00"]), ..Filter::default() },
            Filter { equals: vec![("owner".into(), "B".into())], ..Filter::default() },
            Filter { equals: vec![("title".into(), "共通題".into())], sort: Some("title".into()), descending: true, ..Filter::default() },
            Filter { equals: vec![("owner".into(), "A".into())], words: strings(&["題"]), ..Filter::default() },
        ];
        let wanted: [&[&str]; 7] = [&["A-1", "A-2"], &["A-1"], &["A-1"], &[], &[], &["A-1"], &["A-1", "A-2"]];
        for (filter, keys) in filters.iter().zip(wanted) {
            let total = i64::try_from(keys.len()).unwrap();
            assert_eq!(page(&db.store, &spec, &of_a, filter, 0, 2_000).await, (strings(keys), total), "{filter:?}");
            // Many units, none of them B: the other way of reading.
            let many: Vec<String> = (0..40).map(|n| format!("X{n}")).chain(["A".to_owned()]).collect();
            let names: Vec<&str> = many.iter().map(String::as_str).collect();
            assert_eq!(page(&db.store, &spec, &viewer("00001", &names), filter, 0, 2_000).await, (strings(keys), total), "{filter:?}");
            assert_eq!(page(&db.store, &spec, &viewer("00001", &[]), filter, 0, 2_000).await, (vec![], 0), "{filter:?}");
        }
        assert_eq!(page(&db.store, &spec, &everyone(), &Filter::default(), 0, 1).await.1, 1_103);
    }

    async fn a_row_of_another_unit_cannot_be_fetched(db: Db) {
        registers(&db).await;
        let spec = spec("asset");
        for (units, sees_a, sees_b) in [(&["A"][..], true, false), (&["B"], false, true), (&[], false, false), (&["A", "B"], true, true)] {
            let (table, who) = (spec.clone(), viewer("00001", units));
            let (a, b, a_key, b_key, nobodys) = look!(db.store, c => Ok((
                register::get(c, &table, &who, "id-A-1").await?.is_some(),
                register::get(c, &table, &who, "id-B-0001").await?.is_some(),
                register::by_key(c, &table, &who, "A-1").await?.is_some(),
                register::by_key(c, &table, &who, "B-0001").await?.is_some(),
                register::get(c, &table, &who, "id-N-1").await?.is_some(),
            ))).unwrap();
            assert_eq!((a, a_key, b, b_key), (sees_a, sees_a, sees_b, sees_b), "{units:?}");
            assert!(!nobodys);
        }
    }

    async fn cases_are_seen_by_unit_and_by_taking_part(db: Db) {
        cases(&db).await;
        for (who, seen) in [
            (viewer("00001", &["A"]), &["A2", "A1"][..]),
            (viewer("00001", &["B"]), &["B2", "B1"]),
            (viewer("00001", &[]), &[]),
            (viewer("00007", &[]), &["B2", "A2"]),
            (viewer("00007", &["A"]), &["B2", "A2", "A1"]),
            (viewer("00008", &["C"]), &["A2"]),
            (everyone(), &["B2", "B1", "A2", "A1"]),
        ] {
            let base = CaseFilter::default;
            for filter in [
                base(),
                CaseFilter { words: strings(&["共通"]), ..base() },
                CaseFilter { item: Some(("asset".into(), "R1".into())), ..base() },
                CaseFilter { procedure: Some("take_out".into()), status: Some("open".into()), applicant: Some("00001".into()), ..base() },
            ] {
                let viewer = who.clone();
                let (rows, total) = look!(db.store, c => case::list(c, &viewer, &filter, 0, 10).await).unwrap();
                assert_eq!(rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), seen, "{who:?}");
                assert_eq!(total, i64::try_from(seen.len()).unwrap());
            }
            for id in ["A1", "A2", "B1", "B2"] {
                let viewer = who.clone();
                let got = look!(db.store, c => case::get(c, &viewer, id).await).unwrap();
                assert_eq!(got.is_some(), seen.contains(&id), "{who:?} {id}");
            }
        }
    }

    async fn an_inbox_shows_no_case_of_others(db: Db) {
        cases(&db).await;
        let task = |case_id: &str, post: &str, person: &str| TaskRow {
            case_id: case_id.into(),
            step: "permit".into(),
            kind: "permit".into(),
            title: "許可".into(),
            post: post.into(),
            person: person.into(),
            due: None,
            opened_at: at(0),
        };
        act!(db.store, c => {
            case::set_tasks(c, "A1", &[task("A1", "PA", "")]).await?;
            case::set_tasks(c, "B1", &[task("B1", "PB", ""), task("B1", "", "00009")]).await
        }).unwrap();
        let of = look!(db.store, c => case::inbox(c, "00001", &strings(&["PA"]), 10).await).unwrap();
        assert_eq!(of.iter().map(|r| r.task.case_id.as_str()).collect::<Vec<_>>(), ["A1"]);
        // No post held, and no person of that number: nothing, not everything without a person.
        assert!(look!(db.store, c => case::inbox(c, "00001", &[], 10).await).unwrap().is_empty());
    }

    async fn violations_of_other_units_are_not_listed(db: Db) {
        act!(db.store, c => {
            for (id, unit) in [("V1", "A"), ("V2", "B"), ("V3", "")] {
                violation::open(c, &broken(id, "late", &format!("asset/{id}"), unit, 1)).await?;
            }
            Ok(())
        }).unwrap();
        for (who, seen) in [(viewer("1", &["A"]), &["V1"][..]), (viewer("1", &["B", "C"]), &["V2"]), (viewer("1", &[]), &[]), (everyone(), &["V1", "V2", "V3"])] {
            let rows = look!(db.store, c => violation::list(c, &who, "late", 10).await).unwrap();
            assert_eq!(rows.iter().map(|v| v.id.as_str()).collect::<Vec<_>>(), seen);
        }
    }
}
