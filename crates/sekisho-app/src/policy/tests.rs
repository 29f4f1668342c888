//! From a city's own text to bindings and back.

use sekisho_base::Date;
use sekisho_pack::binding::{Binding, FILE};
use sekisho_pack::model::Pack;

use super::*;

const OWN: &str = "みなと市情報セキュリティ規程

（媒体の持出し）
第1条　職員等は、情報資産を庁外に持ち出すときは、あらかじめ情報セキュリティ管理者の許可を受け、管理簿に記録しなければならない。
（IDの管理）
第2条　職員等は、自分のIDを他人に使わせてはならない。
2　共用のIDは、あらかじめ定められた者以外の者が使ってはならない。
（旅費）
第3条　出張した職員は、7日以内に旅費を精算しなければならない。
";

fn day() -> Date {
    Date::new(2026, 11, 25).unwrap()
}

fn table(rows: &[[&str; 2]]) -> Vec<u8> {
    let mut out = "\u{feff}条番号,本文,候補,候補の文,確度,次の候補,確定\r\n".to_owned();
    for [label, confirmed] in rows {
        out += &format!("{label},文,,,,,{confirmed}\r\n");
    }
    out.into_bytes()
}

fn cells(e: &BindError) -> Vec<&str> {
    match e {
        BindError::Rows(rows) => rows.iter().map(|r| r.cell.as_str()).collect(),
        _ => vec![],
    }
}

#[test]
fn the_written_table_is_read_back_with_what_a_person_entered() {
    let pack = Pack::model_city().unwrap();
    let text = parse(OWN.as_bytes(), None).unwrap();
    let csv = match_with(&pack, &text).unwrap().to_csv().unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("\u{feff}条番号,本文,候補,候補の文,確度,次の候補,確定\r\n"));
    // A record ends with CR LF; a line break within a cell is a single LF.
    let first = csv.split("\r\n").find(|l| l.starts_with("第1条 [1]")).unwrap();
    assert!(first.ends_with(','), "確定 is left to a person: {first}");
    // Nothing confirmed yet: nothing bound, every clause open.
    let none = bind(csv.as_bytes(), &pack, "山田", day()).unwrap();
    assert!(none.bindings.is_empty());
    assert_eq!(none.open, ["第1条", "第2条", "第2条第1項", "第2条第2項", "第3条"]);
    // What a person enters in the last column is taken, and nothing else of the row.
    let travel = csv.split("\r\n").find(|l| l.contains("旅費を精算")).unwrap();
    let filled = csv.replace(travel, &format!("{travel}なし"));
    let bound = bind(filled.as_bytes(), &pack, "山田", day()).unwrap();
    assert!(bound.bindings.iter().all(|b| b.clauses.is_empty()) && bound.bindings.len() == 1);
}

#[test]
fn travel_expenses_have_no_candidate_and_taking_out_has_one() {
    let pack = Pack::model_city().unwrap();
    let text = parse(OWN.as_bytes(), None).unwrap();
    let found = match_with(&pack, &text).unwrap();
    let json: serde_json::Value = serde_json::from_str(&found.to_json().unwrap()).unwrap();
    let proposed = |id: &str| {
        let all = json["clauses"].as_array().unwrap();
        all.iter().find(|c| c["id"] == id).unwrap()["proposed"].clone()
    };
    assert_eq!(proposed("3"), serde_json::Value::Null);
    let first = proposed("1");
    let first = first.as_str().unwrap();
    let clause = pack.clauses.iter().find(|c| c.id == first).unwrap();
    assert!(clause.says.contains("持ち出") || clause.says.contains("持出"), "{clause:?}");
    let (with, without, left) = found.counts();
    assert_eq!(with + without, 5);
    assert_eq!(json["unmatched"].as_array().unwrap().len(), left);
    assert!(found.to_text().contains("この文書に見当たらないパックの条項"));
}

#[test]
fn confirmed_rows_become_bindings_that_the_pack_accepts() {
    let pack = Pack::model_city().unwrap();
    let rows = [
        ["第1条 [1]", "[5.1.1.3.イ]"],
        ["第2条 [2]", ""],
        ["第2条第1項 [2.1]", "５．１．１．１、5.1.1.2"],
        ["第3条 [3]", "なし"],
        ["", ""],
    ];
    let bound = bind(&table(&rows), &pack, "情報政策課 山田", day()).unwrap();
    assert_eq!(bound.open, ["第2条"]);
    let mut files = Pack::model_city_files();
    files.insert(FILE.to_owned(), bound.toml.clone());
    let loaded = Pack::load_files(&files).unwrap();
    assert_eq!(loaded.bindings, bound.bindings);
    let clauses: Vec<&[String]> = bound.bindings.iter().map(|b| b.clauses.as_slice()).collect();
    assert_eq!(
        clauses,
        [&["5.1.1.3.イ".to_owned()][..], &["5.1.1.1".to_owned(), "5.1.1.2".to_owned()][..], &[] as &[String]]
    );
    assert!(!bound.unbound.contains(&"5.1.1.1".to_owned()) && !bound.unbound.is_empty());
    assert!(bound.told().iter().any(|l| l.contains("まだ「確定」のない条項 1件: 第2条")));
    // A later table by somebody else changes only what it changes.
    let later =
        bind(&table(&[["第1条 [1]", "5.1.1.3.イ"], ["第2条 [2]", "5.1.1.2"]]), &loaded, "佐藤", day());
    let later = later.unwrap();
    let by: Vec<(&str, &str)> = later.bindings.iter().map(|b| (b.own.as_str(), b.by.as_str())).collect();
    assert_eq!(
        by,
        [("1", "情報政策課 山田"), ("2.1", "情報政策課 山田"), ("3", "情報政策課 山田"), ("2", "佐藤")]
    );
}

#[test]
fn every_defect_is_named_by_its_cell_and_nothing_is_taken() {
    let pack = Pack::model_city().unwrap();
    let rows = [
        ["第1条 [1]", "5.1.1.3.ん"],
        ["第2条", "5.1.1.1"],
        ["第3条 [3]", "5.1.1.1"],
        ["第3条 [3]", "5.1.1.2"],
        ["", "5.1.1.1"],
        ["第4条 [4]", "5.1.1.1 / 5.1.1.2"],
    ];
    let e = bind(&table(&rows), &pack, "山田", day()).unwrap_err();
    assert_eq!(cells(&e), ["G2", "A3", "A5", "G6", "G7"], "{e}");
    assert!(e.to_string().contains("対応を書き込みませんでした"));
    let e = bind("名前,住所\r\n山田,港\r\n".as_bytes(), &pack, "山田", day()).unwrap_err();
    assert_eq!(e.code(), "policy_bind_no_header");
}

#[test]
fn a_zero_lost_in_a_spreadsheet_is_asked_about() {
    let mut pack = Pack::model_city().unwrap();
    let mut tenth = pack.clauses.iter().find(|c| c.id == "6.1").unwrap().clone();
    tenth.id = "6.10".to_owned();
    pack.clauses.push(tenth);
    let e = bind(&table(&[["第1条 [1]", "6.1"]]), &pack, "山田", day()).unwrap_err();
    assert_eq!(cells(&e), ["G2"]);
    let bound = bind(&table(&[["第1条 [1]", "[6.10]"]]), &pack, "山田", day()).unwrap();
    let want = Binding {
        own: "1".into(),
        citation: "第1条".into(),
        clauses: vec!["6.10".into()],
        by: "山田".into(),
        on: day(),
        text: "文".into(),
    };
    assert_eq!(bound.bindings, [want]);
}
