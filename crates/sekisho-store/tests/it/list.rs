//! Lists: order, pages, filters, counts.

use sekisho_base::limits::COUNT_CAP;
use sekisho_store::register::{self, Filter, RegisterRow};

use crate::engine::{Db, everyone, fill, page, row, spec, strings, viewer};

fn rows() -> Vec<RegisterRow> {
    // Keys out of the order of their writing; two titles alike.
    [("A-3", "い", "S"), ("A-1", "う", "T"), ("A-5", "あ", "S"), ("A-2", "い", "U"), ("A-4", "え", "S")]
        .map(|(k, t, o)| row(k, t, o))
        .into()
}

fn sorted(column: &str, descending: bool) -> Filter {
    Filter { sort: Some(column.into()), descending, ..Filter::default() }
}

on_both! {
    async fn order_is_by_the_column_asked_for_then_by_id(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, rows()).await;
        for (filter, wanted) in [
            (Filter::default(), ["A-1", "A-2", "A-3", "A-4", "A-5"]),
            (Filter { descending: true, ..Filter::default() }, ["A-5", "A-4", "A-3", "A-2", "A-1"]),
            (sorted("title", false), ["A-5", "A-2", "A-3", "A-1", "A-4"]),
            (sorted("title", true), ["A-4", "A-1", "A-3", "A-2", "A-5"]),
            // What cannot be sorted by, or is no column, leaves the order of keys.
            (sorted("copies", false), ["A-1", "A-2", "A-3", "A-4", "A-5"]),
            (sorted("tags", false), ["A-1", "A-2", "A-3", "A-4", "A-5"]),
            (sorted("title; DROP TABLE r_asset", false), ["A-1", "A-2", "A-3", "A-4", "A-5"]),
        ] {
            assert_eq!(page(&db.store, &spec, &everyone(), &filter, 0, 10).await, (strings(&wanted), 5), "{filter:?}");
        }
    }

    async fn pages_follow_one_another(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, rows()).await;
        for filter in [Filter::default(), Filter { words: strings(&["a-"]), ..Filter::default() }, sorted("title", true)] {
            let (all, _) = page(&db.store, &spec, &everyone(), &filter, 0, 10).await;
            let mut pages = Vec::new();
            for offset in [0, 2, 4] {
                let (keys, total) = page(&db.store, &spec, &everyone(), &filter, offset, 2).await;
                assert_eq!(total, 5);
                pages.extend(keys);
            }
            assert_eq!(pages, all);
            assert_eq!(page(&db.store, &spec, &everyone(), &filter, 6, 2).await, (vec![], 5));
        }
    }

    async fn filters_are_all_required(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, rows()).await;
        let is = |pairs: &[(&str, &str)]| Filter { equals: pairs.iter().map(|(c, v)| ((*c).to_owned(), (*v).to_owned())).collect(), ..Filter::default() };
        for (filter, wanted) in [
            (is(&[("owner", "S")]), strings(&["A-3", "A-4", "A-5"])),
            (is(&[("owner", "S"), ("title", "い")]), strings(&["A-3"])),
            (is(&[("title", "い")]), strings(&["A-2", "A-3"])),
            (is(&[("title", "%")]), vec![]),
            (is(&[("title", "' OR '1'='1")]), vec![]),
            (Filter { words: strings(&["え"]), ..is(&[("owner", "S")]) }, strings(&["A-4"])),
        ] {
            let total = i64::try_from(wanted.len()).unwrap();
            assert_eq!(page(&db.store, &spec, &everyone(), &filter, 0, 10).await, (wanted, total), "{filter:?}");
        }
        // Columns that do not exist or cannot be compared are ignored.
        assert_eq!(page(&db.store, &spec, &everyone(), &is(&[("nothing", "x"), ("copies", "1"), ("tags", "x")]), 0, 10).await.1, 5);
    }

    async fn a_viewer_of_few_or_many_units_gets_the_same_order(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, (0..60).map(|n| row(&format!("A-{:02}", n * 37 % 60), "題", &format!("U{:02}", n % 20))).collect()).await;
        for few in [1, 3, 8, 9, 15, 20] {
            let units: Vec<String> = (0..few).map(|n| format!("U{n:02}")).collect();
            let names: Vec<&str> = units.iter().map(String::as_str).collect();
            for filter in [Filter::default(), Filter { words: strings(&["題"]), ..Filter::default() }] {
                let (keys, total) = page(&db.store, &spec, &viewer("00002", &names), &filter, 0, 60).await;
                assert_eq!((keys.len(), total), (few * 3, i64::try_from(few * 3).unwrap()));
                assert!(keys.is_sorted());
            }
        }
        assert_eq!(page(&db.store, &spec, &viewer("00002", &[]), &Filter::default(), 0, 60).await, (vec![], 0));
    }
}

/// Counts stop at the cap, whichever way they are taken. On SQLite alone: it is about size, and the SQL is the same.
#[test]
fn counts_are_capped() {
    crate::engine::sqlite(capped);
}

async fn capped(db: Db) {
    let spec = spec("asset");
    let more = usize::try_from(COUNT_CAP).unwrap() + 40;
    fill(
        &db.store,
        &spec,
        (0..more).map(|n| row(&format!("A-{n:05}"), if n % 2 == 0 { "半分" } else { "他" }, "S")).collect(),
    )
    .await;
    let words = |w: &str| Filter { words: strings(&[w]), ..Filter::default() };
    for (filter, total) in [
        (Filter::default(), COUNT_CAP + 1),
        (words("a-"), COUNT_CAP + 1),
        (words("半分"), COUNT_CAP / 2 + 20),
        (words("a-10039"), 1),
    ] {
        let (keys, n) = page(&db.store, &spec, &everyone(), &filter, 0, 3).await;
        assert_eq!(n, total, "{filter:?}");
        assert_eq!(keys.len(), usize::try_from(total.min(3)).unwrap());
    }
    let (last, _) = page(&db.store, &spec, &everyone(), &words("a-"), COUNT_CAP + 30, 50).await;
    assert_eq!(last.len(), 10);
    let counts = look!(db.store, c => register::counts(c, &[spec]).await).unwrap();
    assert_eq!(counts, [COUNT_CAP + 1]);
}
