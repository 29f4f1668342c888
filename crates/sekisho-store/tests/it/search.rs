//! Words find what LIKE would find, however the index of character pairs stands.

use sekisho_base::table::Value;
use sekisho_base::text::fold_key;
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::register::{self, Filter};
use sekisho_store::{StoreError, args};

use crate::case::case_row;
use crate::engine::{everyone, fill, page, row, spec, strings, viewer};

fn words(words: &[&str]) -> Filter {
    Filter { words: strings(words), ..Filter::default() }
}

on_both! {
    async fn words_are_found_in_any_cell_and_spelling(db: Db) {
        let spec = spec("asset");
        let mut tagged = row("A-2", "道路台帳", "S");
        tagged.values.insert("tags".into(), Value::List(strings(&["ＵＳＢメモリ", "紙"])));
        fill(&db.store, &spec, vec![row("A-1", "髙﨑 邉\u{e0101}の調書", "S"), tagged, row("A-3", "鰐", "S")]).await;
        for (typed, wanted) in [
            (&["高崎"][..], &["A-1"][..]),
            (&["髙﨑邉"], &["A-1"]),
            (&["崎辺の"], &["A-1"]),
            (&["ａ-２"], &["A-2"]),
            (&["usbメモリ"], &["A-2"]),
            (&["ﾒﾓﾘ"], &["A-2"]),
            (&["紙"], &["A-2"]),
            (&["鰐"], &["A-3"]),
            (&["書"], &["A-1"]),
            (&["台帳", "usb"], &["A-2"]),
            (&["台帳", "調書"], &[]),
            (&["帳台"], &[]),
            (&["", " "], &["A-1", "A-2", "A-3"]),
        ] {
            assert_eq!(page(&db.store, &spec, &everyone(), &words(typed), 0, 9).await.0, strings(wanted), "{typed:?}");
        }
    }

    async fn signs_of_patterns_are_characters(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, vec![row("A-1", "100%達成", "S"), row("A-2", "a_b", "S"), row("A-3", "至急!", "S"), row("A-4", "100円 axb", "S"), row("A-5", "c:\\d", "S")]).await;
        for (typed, wanted) in [
            ("100%", &["A-1"][..]),
            ("%", &["A-1"]),
            ("a_b", &["A-2"]),
            ("_", &["A-2"]),
            ("!", &["A-3"]),
            ("急!", &["A-3"]),
            ("\\d", &["A-5"]),
            ("\\", &["A-5"]),
            ("'", &[]),
        ] {
            assert_eq!(page(&db.store, &spec, &everyone(), &words(&[typed]), 0, 9).await.0, strings(wanted), "{typed}");
        }
    }

    async fn indexed_and_fresh_rows_are_found_alike(db: Db) {
        let spec = spec("asset");
        // More than two blocks of 1,024 numbers, so that most rows are indexed and the last are not.
        let titles = ["道路台帳", "住民税課税台帳", "保育所申込書", "水道料金調定簿"];
        fill(&db.store, &spec, (0..2_300).map(|n| row(&format!("A-{n:04}"), &format!("{}{}", titles[n % 4], if n % 500 == 3 { "特記" } else { "" }), "S")).collect()).await;
        let blocks = look!(db.store, c => c.count("SELECT COUNT(*) FROM list_live WHERE src = $1", args!["r_asset"]).await).unwrap();
        assert_eq!(blocks, 2);
        for typed in [&["台帳"][..], &["特記"], &["住民税課税台帳"], &["調定簿", "水道"], &["税"], &["保"], &["a-22"], &["a-0003"], &["なし"], &["台帳特"], &["帳", "特記"]] {
            let folded: Vec<String> = typed.iter().map(|w| fold_key(w)).collect();
            let wanted: Vec<String> = (0..2_300)
                .map(|n| (format!("A-{n:04}"), fold_key(&format!("A-{n:04}\u{1f}{}{}", titles[n % 4], if n % 500 == 3 { "特記" } else { "" }))))
                .filter(|(_, text)| folded.iter().all(|w| text.contains(w.as_str())))
                .map(|(key, _)| key)
                .collect();
            let (found, total) = page(&db.store, &spec, &everyone(), &words(typed), 0, 3_000).await;
            assert_eq!(found, wanted, "{typed:?}");
            assert_eq!(total, i64::try_from(wanted.len()).unwrap());
        }
    }

    async fn several_registers_are_searched_at_once_as_each_alone(db: Db) {
        let specs = [spec("asset"), spec("device"), spec("media")];
        // One with an index, one with fresh rows alone, one with none.
        let rows = |count: usize| (0..count).map(|n| row(&format!("A-{n:04}"), if n % 3 == 0 { "道路台帳" } else { "調書" }, if n % 2 == 0 { "S" } else { "T" })).collect();
        fill(&db.store, &specs[0], rows(1_100)).await;
        fill(&db.store, &specs[1], rows(10)).await;
        fill(&db.store, &specs[2], vec![]).await;
        for who in [everyone(), viewer("p", &["S"]), viewer("p", &["T", "U"]), viewer("p", &[])] {
            for typed in [&["台帳"][..], &["台帳", "a-000"], &["調書"], &["なし"], &["書", "a-1099"]] {
                for (offset, limit) in [(0, 6), (3, 2), (2_000, 5)] {
                    let (all, seen, filter) = (specs.clone(), who.clone(), words(typed));
                    let asked = filter.words.clone();
                    let found = look!(db.store, c => register::find(c, &all, &seen, &asked, offset, limit).await).unwrap();
                    assert_eq!(found.len(), 3);
                    for (spec, (rows, total)) in specs.iter().zip(found) {
                        let keys: Vec<String> = rows.iter().map(|r| r.text("code").to_owned()).collect();
                        assert_eq!((keys, total), page(&db.store, spec, &who, &filter, offset, limit).await, "{} {typed:?} {who:?}", spec.id);
                    }
                }
            }
            let (all, seen) = (specs.clone(), who.clone());
            let keyed = look!(db.store, c => register::by_key_among(c, &all, &seen, "A-0004").await).unwrap();
            let places: Vec<usize> = keyed.iter().map(|(at, _)| *at).collect();
            let sees = who.units.as_ref().is_none_or(|units| units.contains(&"S".to_owned()));
            assert_eq!(places, if sees { vec![0, 1] } else { vec![] }, "{who:?}");
            assert!(keyed.iter().all(|(_, row)| row.text("code") == "A-0004"));
        }
        let none = look!(db.store, c => Ok((register::find(c, &[], &everyone(), &strings(&["x"]), 0, 5).await?.len(), register::by_key_among(c, &[], &everyone(), "A-0004").await?.len()))).unwrap();
        assert_eq!(none, (0, 0));
        assert_eq!(look!(db.store, c => Ok((register::counts(c, &specs).await?, register::counts(c, &[]).await?))).unwrap(), (vec![1_100, 10, 0], vec![]));
    }

    async fn a_row_that_changed_is_found_by_its_new_words_only(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, (0..1_030).map(|n| row(&format!("A-{n:04}"), "旧題", "S")).collect()).await;
        let table = spec.clone();
        act!(db.store, c => {
            // One row of the indexed block, changed until the numbers fill the next block too.
            for version in 2..=1_100 {
                let mut changed = row("A-0007", if version % 2 == 0 { "新題" } else { "別題" }, "S");
                changed.version = version;
                register::put(c, &table, &changed).await?;
            }
            Ok(())
        }).unwrap();
        for (typed, total) in [("旧題", 1_029), ("新題", 1), ("別題", 0), ("a-0007", 1)] {
            assert_eq!(page(&db.store, &spec, &everyone(), &words(&[typed]), 0, 5).await.1, total, "{typed}");
        }
    }

    async fn a_refused_row_leaves_no_gap_in_the_index(db: Db) {
        let spec = spec("asset");
        fill(&db.store, &spec, (0..1_023).map(|n| row(&format!("A-{n:04}"), "題", "S")).collect()).await;
        let table = spec.clone();
        act!(db.store, c => {
            // The number that fills the block goes to a row that is refused, and the transaction goes on.
            let mut twin = row("A-0001", "双子", "S");
            twin.id = "twin".into();
            assert!(register::put(c, &table, &twin).await.is_err());
            register::put(c, &table, &row("B-0001", "次", "S")).await
        }).unwrap();
        assert_eq!(page(&db.store, &spec, &everyone(), &words(&["題"]), 0, 1).await.1, 1_023);
        assert_eq!(page(&db.store, &spec, &everyone(), &words(&["双子"]), 0, 1).await.1, 0);
        assert_eq!(page(&db.store, &spec, &everyone(), &words(&["b-0001"]), 0, 1).await.1, 1);
    }

    async fn cases_are_found_alike_and_renumbered_only_when_their_words_change(db: Db) {
        act!(db.store, c => {
            for n in 0..1_100_i64 {
                let search = format!("持出 {n:04} {}", if n % 100 == 7 { "特記" } else { "通常" });
                case::put(c, &CaseRow { search, ..case_row(&format!("C{n:04}"), if n % 2 == 0 { "A" } else { "B" }, n) }).await?;
            }
            let row = case::get(c, &everyone(), "C0007").await?.ok_or(StoreError::Broken)?;
            case::put(c, &CaseRow { version: 2, ..row.clone() }).await?;
            case::put(c, &CaseRow { version: 3, search: "持出 髙﨑".into(), ..row }).await
        }).unwrap();
        let numbers = look!(db.store, c => c.count("SELECT MAX(no) FROM case_file", vec![]).await).unwrap();
        assert_eq!(numbers, 1_101);
        for (who, typed, total) in [
            (everyone(), &["特記"][..], 10),
            (everyone(), &["特記", "0107"], 1),
            (everyone(), &["通常"], 1_089),
            (everyone(), &["高崎"], 1),
            (everyone(), &["髙"], 1),
            (everyone(), &["ない語"], 0),
            (viewer("00002", &["A"]), &["持出"], 550),
            (viewer("00002", &["A"]), &["特記"], 0),
            (viewer("00002", &["B"]), &["特記"], 10),
        ] {
            let filter = CaseFilter { words: strings(typed), ..CaseFilter::default() };
            let (rows, n) = look!(db.store, c => case::list(c, &who, &filter, 0, 2_000).await).unwrap();
            assert_eq!((rows.len(), n), (usize::try_from(total).unwrap(), total), "{typed:?}");
            assert!(rows.is_sorted_by(|a, b| a.opened_at > b.opened_at));
        }
    }
}
