//! Lists show what looking at every row would show: rows and cases of full blocks and of the last one, changed and unchanged.

use sekisho_base::limits::COUNT_CAP;
use sekisho_base::table::Value;
use sekisho_base::text::fold_key;
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::{Viewer, args};

use crate::case::case_row;
use crate::engine::{Db, at, day, everyone, fill, page, row, spec, strings, viewer};

/// A number that looks like none in particular.
fn mixed(n: usize) -> usize {
    n * 7_919 % 1_009
}

fn asset(n: usize, title: &str) -> RegisterRow {
    row(&format!("A-{:04}", n * 997 % 2_500), title, &format!("U{}", mixed(n) % 6))
}

fn title(n: usize) -> String {
    format!("{}{}", ["道路台帳", "課税台帳", "保育申込書"][mixed(n) % 3], mixed(n) % 11)
}

/// 2,500 rows; a third of them changed since, so that their old numbers are nobody's. As they stand now.
async fn assets(db: &Db) -> Vec<RegisterRow> {
    let mut rows: Vec<RegisterRow> = (0..2_500).map(|n| asset(n, &title(n))).collect();
    fill(&db.store, &spec("asset"), rows.clone()).await;
    for row in rows.iter_mut().step_by(3) {
        row.version = 2;
        row.values.insert("title".into(), Value::Text("改訂台帳".into()));
        row.values.insert("owner".into(), Value::Text("U1".into()));
    }
    let changed: Vec<RegisterRow> = rows.iter().step_by(3).cloned().collect();
    act!(db.store, c => {
        for row in &changed {
            register::put(c, &spec("asset"), row).await?;
        }
        Ok(())
    })
    .unwrap();
    rows
}

/// Keys in order, by looking at every row.
fn expected(rows: &[RegisterRow], who: &Viewer, f: &Filter) -> Vec<String> {
    let words: Vec<String> = f.words.iter().map(|w| fold_key(w)).collect();
    let sort = f.sort.as_deref().unwrap_or("code");
    let mut found: Vec<&RegisterRow> = rows
        .iter()
        .filter(|r| who.units.as_ref().is_none_or(|units| units.iter().any(|u| u == r.text("owner"))))
        .filter(|r| f.equals.iter().all(|(column, value)| r.text(column) == value))
        .filter(|r| {
            let cells = ["code", "title", "owner"].map(|column| fold_key(r.text(column)));
            words.iter().all(|w| cells.iter().any(|cell| cell.contains(w.as_str())))
        })
        .collect();
    found.sort_by_key(|r| (r.text(sort), r.text("code")));
    if f.descending {
        found.reverse();
    }
    found.iter().map(|r| r.text("code").to_owned()).collect()
}

on_both! {
    async fn a_register_shows_what_looking_at_every_row_shows(db: Db) {
        let rows = assets(&db).await;
        let spec = spec("asset");
        let blocks = look!(db.store, c => c.count("SELECT COUNT(*) FROM list_live WHERE src = $1", args!["r_asset"]).await).unwrap();
        assert_eq!(blocks, 3);
        let words = [&[][..], &["台帳"], &["道路台帳1"], &["税"], &["a-0", "帳"], &["改訂"], &["u1", "申込書"], &["なし"]];
        let equals = [vec![], vec![("owner", "U2")], vec![("title", "改訂台帳")], vec![("owner", "U1"), ("title", "改訂台帳")]];
        for who in [everyone(), viewer("1", &["U1"]), viewer("1", &["U0", "U1", "U5"]), viewer("1", &["X"]), viewer("1", &[])] {
            for (w, e) in words.iter().zip(equals.iter().cycle()).chain(words.iter().map(|w| (w, &equals[0]))) {
                for (sort, descending) in [(None, false), (Some("title"), true), (Some("owner"), false)] {
                    let filter = Filter {
                        words: strings(w),
                        equals: e.iter().map(|(c, v)| ((*c).to_owned(), (*v).to_owned())).collect(),
                        sort: sort.map(str::to_owned),
                        descending,
                    };
                    let wanted = expected(&rows, &who, &filter);
                    for offset in [0, 700, 2_480] {
                        let shown: Vec<String> = wanted.iter().skip(offset).take(50).cloned().collect();
                        let got = page(&db.store, &spec, &who, &filter, i64::try_from(offset).unwrap(), 50).await;
                        assert_eq!(got, (shown, i64::try_from(wanted.len()).unwrap()), "{who:?} {filter:?} {offset}");
                    }
                }
            }
        }
    }

    async fn rows_all_changed_leave_no_block_behind(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, (0..1_024).map(|n| row(&format!("A-{n:04}"), "旧題", "S")).collect()).await;
        let table = spec.clone();
        act!(db.store, c => {
            for n in 0..1_024 {
                register::put(c, &table, &RegisterRow { version: 2, ..row(&format!("A-{n:04}"), "新題", "S") }).await?;
            }
            Ok(())
        }).unwrap();
        for table in ["list_live", "list_gram", "list_cell"] {
            let left = look!(db.store, c => c.count(&format!("SELECT COUNT(DISTINCT block) FROM {table}"), vec![]).await).unwrap();
            assert_eq!(left, 1, "{table}");
        }
        let words = |w: &str| Filter { words: strings(&[w]), ..Filter::default() };
        assert_eq!(page(&db.store, &spec, &everyone(), &words("旧題"), 0, 1).await.1, 0);
        assert_eq!(page(&db.store, &spec, &everyone(), &words("新題"), 0, 1).await.1, 1_024);
    }

    async fn a_column_that_lists_show_later_is_sorted_by(db: Db) {
        let mut spec = spec("asset");
        let rows = (0..1_100).map(|n| {
            let mut row = row(&format!("A-{n:04}"), "題", "S");
            row.values.insert("class".into(), Value::Text(format!("{}", mixed(n) % 5)));
            row
        });
        fill(&db.store, &spec, rows.collect()).await;
        let sorted = Filter { words: strings(&["題"]), sort: Some("class".into()), ..Filter::default() };
        // Not yet: the order stays that of keys.
        assert!(page(&db.store, &spec, &everyone(), &sorted, 0, 1_100).await.0.is_sorted());
        spec.columns.iter_mut().filter(|c| c.id == "class").for_each(|c| c.indexed = true);
        let mut wanted: Vec<(usize, String)> = (0..1_100).map(|n| (mixed(n) % 5, format!("A-{n:04}"))).collect();
        wanted.sort();
        let wanted: Vec<String> = wanted.into_iter().map(|(_, key)| key).collect();
        // Before the index has the column, as on a node that hears of it late, and after.
        assert_eq!(page(&db.store, &spec, &everyone(), &sorted, 0, 2_000).await.0, wanted);
        let table = spec.clone();
        act!(db.store, c => register::ensure(c, &table).await).unwrap();
        let cells = look!(db.store, c => c.count("SELECT COUNT(*) FROM list_cell WHERE col = $1", args!["c_class"]).await).unwrap();
        assert_eq!(cells, 1);
        assert_eq!(page(&db.store, &spec, &everyone(), &sorted, 0, 2_000).await.0, wanted);
    }

    async fn cases_show_what_looking_at_every_case_shows(db: Db) {
        let mut cases: Vec<CaseRow> = (0..2_300)
            .map(|n| CaseRow {
                search: format!("{} 持出{n}", title(n)),
                status: ["open", "closed"][mixed(n) % 2].into(),
                applicant: format!("0000{}", mixed(n) % 4),
                due: mixed(n).is_multiple_of(7).then(|| day("2026-07-01")),
                // Several applied for in the same second.
                ..case_row(&format!("C{:04}", n * 997 % 2_300), &format!("U{}", mixed(n) % 6), i64::try_from(mixed(n)).unwrap())
            })
            .collect();
        let before = cases.clone();
        // What changes: the status alone, the words, and both.
        for (n, case) in cases.iter_mut().enumerate() {
            if n.is_multiple_of(5) {
                (case.version, case.status, case.due) = (2, "out".into(), Some(day("2026-08-01")));
            }
            if n.is_multiple_of(7) {
                (case.version, case.search) = (2, "改訂".into());
            }
        }
        let (changed, party): (Vec<CaseRow>, Vec<String>) = (
            cases.iter().filter(|c| c.version == 2).cloned().collect(),
            cases.iter().step_by(9).map(|c| c.id.clone()).collect(),
        );
        let of_party = party.clone();
        act!(db.store, c => {
            for case in before.iter().chain(&changed) {
                case::put(c, case).await?;
            }
            for id in &of_party {
                case::add_parties(c, id, &strings(&["00009"])).await?;
                case::set_items(c, id, &[("asset".into(), "R1".into())]).await?;
            }
            Ok(())
        }).unwrap();
        cases.sort_by_key(|c| (c.opened_at, c.id.clone()));
        cases.reverse();
        let base = CaseFilter::default;
        let filters = [
            base(),
            CaseFilter { words: strings(&["改訂"]), ..base() },
            CaseFilter { words: strings(&["台帳1"]), status: Some("out".into()), ..base() },
            CaseFilter { words: strings(&["持"]), applicant: Some("00001".into()), procedure: Some("take_out".into()), ..base() },
            CaseFilter { status: Some("closed".into()), ..base() },
            CaseFilter { due_before: Some(day("2026-07-15")), ..base() },
            CaseFilter { item: Some(("asset".into(), "R1".into())), words: strings(&["台帳"]), ..base() },
        ];
        for who in [everyone(), viewer("00009", &["U1"]), viewer("00009", &["U0", "U3", "U4"]), viewer("00008", &["U0", "U3"]), viewer("00009", &[])] {
            for f in &filters {
                let wanted: Vec<String> = cases
                    .iter()
                    .filter(|c| who.units.as_ref().is_none_or(|units| units.contains(&c.unit) || (who.person == "00009" && party.contains(&c.id))))
                    .filter(|c| f.words.iter().all(|w| c.search.contains(w.as_str())))
                    .filter(|c| f.status.as_ref().is_none_or(|s| c.status == *s) && f.applicant.as_ref().is_none_or(|a| c.applicant == *a))
                    .filter(|c| f.due_before.is_none_or(|d| c.due.is_some_and(|due| due < d)) && (f.item.is_none() || party.contains(&c.id)))
                    .map(|c| c.id.clone())
                    .collect();
                for offset in [0, 60, 2_010, 2_290] {
                    let (viewer, filter) = (who.clone(), f.clone());
                    let (rows, total) = look!(db.store, c => case::list(c, &viewer, &filter, i64::try_from(offset).unwrap(), 50).await).unwrap();
                    let ids: Vec<&String> = rows.iter().map(|r| &r.id).collect();
                    assert_eq!(ids, wanted.iter().skip(offset).take(50).collect::<Vec<_>>(), "{who:?} {f:?} {offset}");
                    assert_eq!(total, i64::try_from(wanted.len()).unwrap().min(COUNT_CAP + 1), "{who:?} {f:?} {offset}");
                }
            }
        }
        assert!(cases.iter().filter(|c| c.opened_at == at(7)).count() > 1);
    }
}
