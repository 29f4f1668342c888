//! Tests of the organization import, on CSV text as a city would write it.

use super::cell::Grid;
use super::org::{OrgPlan, OrgRecords, OrgSheet, plan_org};
use super::plan::RowAction;
use super::{Table, read_grid, read_workbook, write_xlsx};

const UNITS: &str = "組織コード,名称,種別,上位コード,開始日,終了日\n1,関所市,団体,,,\n10,総務部,部,1,,\n101,総務課,課室,10,,\n102,旧情報課,課室,10,H20.4.1,R8.3.31\n";
const POSTS: &str =
    "職コード,組織コード,職名,長,並び順\n101-1,101,課長,○,1\n101-9,101,主事,,9\n102-1,102,課長,○,1\n";
const PERSONS: &str = "職員番号,氏名,ふりがな,ログイン名,メール\n00123,髙﨑 邉\u{e0101},たかさき あたり,takasaki,takasaki@city.example\n00124,山田 花子,やまだ はなこ,yamada,\n";
const APPOINTMENTS: &str = "職員番号,職コード,本務/兼務,開始日,終了日,役割,役割の範囲\n00123,101-1,本務,R7.4.1,,,\n00124,101-9,本務,R7.4.1,,情報システム管理者,101\n";

fn roles() -> Vec<(String, String)> {
    vec![("information_system_manager".into(), "情報システム管理者".into())]
}

fn grids(files: &[&str]) -> Vec<Grid> {
    files.iter().map(|f| read_grid(f.as_bytes()).unwrap()).collect()
}

/// The organization after the import of the four files above.
fn current() -> OrgRecords {
    let plan = plan_org(&grids(&[UNITS, POSTS, PERSONS, APPOINTMENTS]), &OrgRecords::default(), &roles());
    assert!(plan.can_apply(), "{:?}", plan.all_errors().collect::<Vec<_>>());
    let mut records = OrgRecords::default();
    for (sheet, plan) in plan.sheets {
        for row in plan.rows {
            let RowAction::Add(record) = row.action else { panic!("{row:?}") };
            records.insert(sheet, record);
        }
    }
    records
}

fn errors(plan: &OrgPlan) -> Vec<String> {
    plan.all_errors()
        .map(|e| format!("{}!{} {}", e.sheet.as_deref().unwrap_or(""), e.cell, e.message))
        .collect()
}

fn import(files: &[&str]) -> OrgPlan {
    plan_org(&grids(files), &current(), &roles())
}

#[test]
fn csv_files_are_known_by_their_headers() {
    let records = current();
    let counts: Vec<usize> = OrgSheet::ALL.iter().map(|s| records.records(*s).count()).collect();
    assert_eq!(counts, [4, 3, 2, 2]);
    let person = records.records(OrgSheet::Persons).next().unwrap();
    assert_eq!(
        (person["number"].as_text(), person["name"].as_text()),
        (Some("00123"), Some("髙﨑 邉\u{e0101}"))
    );
}

#[test]
fn an_exported_organization_imports_as_same() {
    let records = current();
    let tables: Vec<Table> =
        OrgSheet::ALL.iter().map(|s| Table::new(&s.schema(&roles()), records.records(*s))).collect();
    let bytes = write_xlsx(&tables, sekisho_base::Date::new(2026, 4, 1).unwrap()).unwrap();
    let plan = plan_org(&read_workbook(&bytes).unwrap(), &records, &roles());
    assert!(plan.can_apply(), "{:?}", errors(&plan));
    assert_eq!(plan.sheets.values().map(|p| p.counts.same).collect::<Vec<_>>(), [4, 3, 2, 2]);
}

#[test]
fn the_tree_of_units_is_checked() {
    let plan = import(&[
        "組織コード,名称,種別,上位コード,開始日,終了日\n10,総務部,部,101,,\n103,財政課,課室,999,R8.4.1,R8.3.31\n104,人事課,課,10,,\n",
    ]);
    assert_eq!(
        errors(&plan),
        [
            "組織!D3 「999」は登録されていません。",
            "組織!C4 「課」は選択肢にありません。",
            "組織!D2 上位の組織をたどると自分に戻ります。"
        ]
    );
    let plan =
        import(&["組織コード,名称,種別,上位コード,開始日,終了日\n103,財政課,課室,103,R8.4.1,R8.3.31\n"]);
    assert_eq!(
        errors(&plan),
        [
            "組織!F2 終了日が開始日（令和8年4月1日）より前です。",
            "組織!D2 上位の組織をたどると自分に戻ります。"
        ]
    );
}

#[test]
fn posts_and_persons_are_checked() {
    let plan = import(&["職コード,組織コード,職名,長\n103-1,103,課長,○\n101-2,101,参事,○\n101-3,,主任,\n"]);
    assert_eq!(
        errors(&plan),
        [
            "職!B2 「103」は登録されていません。",
            "職!B4 「組織コード」は必須です。",
            "職!D3 組織「101」の長が2つ以上あります（ほかに 101-1）。"
        ]
    );
}

#[test]
fn appointments_are_checked_against_units_and_each_other() {
    let plan = import(&[
        "職員番号,職コード,本務/兼務,開始日,終了日\n00123,102-1,兼務,R7.4.1,\n00124,102-1,兼務,H19.4.1,R7.3.31\n00124,101-1,本務,R8.4.1,\n00123,101-1,本務,R8.4.1,\n00999,101-9,本務,R8.4.1,\n",
    ]);
    assert_eq!(
        errors(&plan),
        [
            "任命!A6 「00999」は登録されていません。",
            "任命!E2 組織「旧情報課」の終了日（令和8年3月31日）より後まで続く任命です。",
            "任命!D3 組織「旧情報課」の開始日（平成20年4月1日）より前からの任命です。",
            "任命!D5 同じ任命（令和7年4月1日から）と期間が重なっています。",
            "任命!C4 本務が重なっています（職コード 101-9、令和7年4月1日から）。",
        ]
    );
    // The transfer of 1 April: the old main post ends on the day before.
    let plan = import(&[
        "職員番号,職コード,本務/兼務,開始日,終了日,役割,役割の範囲\n00124,101-9,本務,R7.4.1,R8.3.31,情報システム管理者,101\n00124,101-1,本務,R8.4.1,,,\n",
    ]);
    assert_eq!((errors(&plan).len(), plan.can_apply()), (0, true));
}

#[test]
fn a_unit_that_ends_names_the_appointments_left_in_it() {
    let plan = import(&["組織コード,名称,種別,上位コード,開始日,終了日\n101,総務課,課室,10,,R8.3.31\n"]);
    let found = errors(&plan);
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0],
        "組織!F2 組織「総務課」の終了日（令和8年3月31日）より後まで続く任命です。（職員番号 00123）"
    );
}

#[test]
fn files_without_any_of_the_four_are_refused() {
    let plan = import(&["品名,数量\nペン,3\n"]);
    assert_eq!((plan.can_apply(), plan.ignored.as_slice()), (false, ["名前のない表".to_owned()].as_slice()));
    let plan = import(&[PERSONS, PERSONS]);
    assert_eq!(errors(&plan), ["! 「職員」の表が2つあります。".replace("! ", "!A1 ")]);
}
