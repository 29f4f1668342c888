//! Changing classes in bulk and by hand: the dry run, who permits, copies, what changed meanwhile, running permits.

use axum::http::StatusCode;

use crate::acts::{done, forge};
use crate::browser::{Browser, Page, hidden};
use crate::city::{CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset, line_with, row_id};

const PATH: &str = "/bulk/reclassification";

/// The form filled in.
pub fn form<'a>(numbers: &'a str, confidentiality: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("post", "21-s"),
        ("numbers", numbers),
        ("confidentiality", confidentiality),
        ("integrity", ""),
        ("availability", ""),
        ("reason", "新しい方式に合わせるため"),
    ]
}

pub async fn dry_run(b: &mut Browser, numbers: &str, confidentiality: &str) -> Page {
    b.get(PATH).await;
    let mut fields = form(numbers, confidentiality);
    fields.push(("do", "check"));
    b.post(PATH, &fields).await
}

async fn apply(b: &mut Browser, numbers: &str, confidentiality: &str) -> String {
    let plan = dry_run(b, numbers, confidentiality).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    let shown = hidden(&plan.text, "shown");
    let mut fields = form(numbers, confidentiality);
    fields.extend([("do", "apply"), ("shown", shown.as_str())]);
    let done = b.post(PATH, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    done.location().split('?').next().unwrap().to_owned()
}

/// Confidentiality of a row as its page shows it, without what the level's name explains.
async fn class_of(b: &mut Browser, register: &str, number: &str) -> String {
    let id = row_id(b, register, number).await;
    let page = b.get(&format!("/registers/{register}/{id}")).await.text;
    let label = if register == "asset" {
        "<dt>機密性</dt><dd>"
    } else {
        "<dt>入れてよい情報の機密性</dt><dd>"
    };
    page.split(label).nth(1).unwrap().split(['<', '（']).next().unwrap().to_owned()
}

fn copy<'a>(
    number: &'a str,
    of: &'a str,
    confidentiality: &'a str,
    unit: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let mut row = asset(number, "名簿の写し", unit);
    row.retain(|(name, _)| *name != "confidentiality");
    row.extend([("copy_of", of), ("confidentiality", confidentiality)]);
    row
}

#[tokio::test]
async fn a_copy_never_has_a_lower_class_and_takes_the_originals_where_it_has_none() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    b.get("/registers/asset/new").await;
    let low = b.post("/registers/asset/new", &copy("A-001-C", "A-001", "2", "21")).await;
    assert_eq!(low.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(low.text.contains("写しの元「A-001」は機密性3B"), "{}", low.text);
    assert!(low.text.contains("value=\"名簿の写し\""), "nothing typed is lost");
    for (of, says) in [("B-001", "見えません"), ("X-999", "見えません"), ("A-001-C", "自分自身")]
    {
        let page = b.post("/registers/asset/new", &copy("A-001-C", of, "3B", "21")).await;
        assert!(
            page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains(says),
            "{of} {}",
            page.text
        );
    }
    let filled = b.post("/registers/asset/new", &copy("A-001-C", "A-001", "", "21")).await;
    assert_eq!(filled.status, StatusCode::SEE_OTHER, "{}", filled.text);
    assert_eq!(class_of(&mut b, "asset", "A-001-C").await, "機密性3B");
    let without = b.post("/registers/asset/new", &copy("A-001-D", "", "", "21")).await;
    assert!(without.text.contains("「機密性」を選んでください"), "{}", without.text);
}

#[tokio::test]
async fn an_import_refuses_or_fills_copies_and_a_raised_original_reaches_them() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let head = "管理番号,名称,種別,所管課,管理する職,機密性,完全性,可用性,個人情報区分,領域,保管場所,保存期限,バックアップ,最終確認日,写しの元";
    let line = |number: &str, class: &str, of: &str| {
        format!(
            "{number},写し,information,21,21-h,{class},,,なし,LGWAN接続系,書庫,2032/3/31,毎週,R8.11.2,{of}"
        )
    };
    let path = "/registers/asset/import";
    let csv = |lines: &[String]| format!("{head}\r\n{}\r\n", lines.join("\r\n")).into_bytes();
    let low = crate::registers::check(
        &mut b,
        path,
        "a.csv",
        &csv(&[line("I-1", "2", "A-001"), line("I-2", "", "")]),
    )
    .await;
    assert!(
        low.text.contains("写しの元「A-001」は機密性3B") && low.text.contains("「機密性」は必須です"),
        "{}",
        low.text
    );
    let plan = crate::registers::check(&mut b, path, "a.csv", &csv(&[line("I-1", "", "A-002")])).await;
    assert_eq!(crate::registers::counts(&plan), [1, 0, 0, 0], "{}", plan.text);
    assert_eq!(crate::registers::carry_out(&b, path, &plan).await.status, StatusCode::SEE_OTHER);
    assert_eq!(class_of(&mut b, "asset", "I-1").await, "機密性3B");
    let id = row_id(&mut b, "asset", "A-002").await;
    let edit = b.get(&format!("/registers/asset/{id}/edit")).await;
    let version = hidden(&edit.text, "version");
    let mut row = asset("A-002", "訪問調査の記録票", "21");
    row.retain(|(name, _)| *name != "confidentiality");
    row.extend([("confidentiality", "3A"), ("version", version.as_str())]);
    let saved = b.post(&format!("/registers/asset/{id}/edit"), &row).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    assert_eq!(class_of(&mut b, "asset", "I-1").await, "機密性3A", "the copy followed");
}

#[tokio::test]
async fn the_dry_run_tells_row_by_row_and_changes_nothing() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let before = city.written().await;
    let plan = dry_run(&mut b, "A-001\nA-002、B-001\nX-999", "1").await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    assert!(line_with(&plan, "A-001").contains("機密性1"), "{}", plan.text);
    for refused in ["B-001", "X-999"] {
        assert!(line_with(&plan, refused).contains("変えられない"), "{refused}");
    }
    assert!(!plan.text.contains("手帳交付の台帳"), "nothing of another section is told");
    assert!(plan.text.contains("取扱いの答えが変わるもの"), "{}", plan.text);
    let none = dry_run(&mut b, "A-001", "").await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        none.text.contains("新しい分類を一つは") && none.text.contains("A-001</textarea>"),
        "{}",
        none.text
    );
    assert_eq!(city.written().await, before, "nothing was written");
    let list = b.get("/registers/asset?f.confidentiality=3B").await;
    assert!(list.text.contains("/bulk/reclassification?f.confidentiality=3B"), "{}", list.text);
    let taken_over = b.get("/bulk/reclassification?f.confidentiality=3B&register=asset").await;
    assert!(taken_over.text.contains("A-001\nA-002</textarea>"), "{}", taken_over.text);
    let with_file = b
        .upload(
            PATH,
            &[("do", "check"), ("confidentiality", "2"), ("reason", "見直し"), ("numbers", "")],
            "n.csv",
            "名称,管理番号\r\n名簿,A-001\r\n".as_bytes(),
        )
        .await;
    assert!(line_with(&with_file, "A-001").contains("機密性2"), "{}", with_file.text);
}

#[tokio::test]
async fn only_the_owners_manager_permits_and_then_rows_and_copies_change_together() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    assert_eq!(
        manager.post("/registers/asset/new", &copy("A-001-C", "A-001", "", "21")).await.status,
        StatusCode::SEE_OTHER
    );
    let mut clerk = city.browser(CLERK).await;
    let case = apply(&mut clerk, "A-001", "3A").await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    for wrong in [CLERK, OTHER_CLERK, OTHER_MANAGER] {
        let b = city.browser(wrong).await;
        let before = city.written().await;
        let page = forge(&b, &case, "permit", "permit", &shown).await;
        assert!(page.status.is_client_error(), "{wrong} {}", page.status);
        assert_eq!(city.written().await, before, "{wrong} changed nothing");
    }
    assert_eq!(class_of(&mut clerk, "asset", "A-001").await, "機密性3B");
    let page = manager.get(&case).await;
    assert!(page.text.contains("→ 機密性3A（秘密文書に当たるもの） 完全性2 可用性2"), "{}", page.text);
    assert!(page.text.contains("写しが1件あります"), "{}", page.text);
    done(&mut manager, &case, "permit", &[]).await;
    for number in ["A-001", "A-001-C"] {
        assert_eq!(class_of(&mut manager, "asset", number).await, "機密性3A", "{number}");
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'register.case'").await, 1);
    let id = row_id(&mut manager, "asset", "A-001").await;
    let row = manager.get(&format!("/registers/asset/{id}")).await;
    assert!(
        row.text.contains("機密性：機密性3B（住民の情報を扱う基幹のもの） → 機密性3A"),
        "the row's history has it: {}",
        row.text
    );
}

#[tokio::test]
async fn what_changed_meanwhile_is_named_and_left_alone() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let plan = dry_run(&mut clerk, "A-001\nA-002", "3A").await;
    let shown = hidden(&plan.text, "shown");
    change(&mut manager, "A-001", "3C").await;
    let mut fields = form("A-001\nA-002", "3A");
    fields.extend([("do", "apply"), ("shown", shown.as_str())]);
    let told = clerk.post(PATH, &fields).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        told.text.contains("A-001（3B/2/2 → 3C/2/2）") && !told.text.contains("A-002（"),
        "{}",
        told.text
    );
    let case = apply(&mut clerk, "A-001\nA-002", "3A").await;
    change(&mut manager, "A-002", "2").await;
    let page = manager.get(&case).await;
    assert!(page.text.contains("この申請では変えません"), "{}", page.text);
    done(&mut manager, &case, "permit", &[]).await;
    assert_eq!(class_of(&mut manager, "asset", "A-001").await, "機密性3A");
    assert_eq!(class_of(&mut manager, "asset", "A-002").await, "機密性2", "not overwritten");
    assert!(manager.get(&case).await.text.contains("A-002 訪問調査の記録票"), "and still named");
}

/// The manager changes a row's confidentiality by hand.
async fn change(b: &mut Browser, number: &str, confidentiality: &str) {
    let id = row_id(b, "asset", number).await;
    let path = format!("/registers/asset/{id}/edit");
    let edit = b.get(&path).await;
    let version = hidden(&edit.text, "version");
    let name = if number == "A-001" { "要介護認定の名簿" } else { "訪問調査の記録票" };
    let mut row = asset(number, name, "21");
    row.retain(|(name, _)| *name != "confidentiality");
    row.extend([("confidentiality", confidentiality), ("version", version.as_str())]);
    let saved = b.post(&path, &row).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
}

#[tokio::test]
async fn a_thousand_rows_are_changed_by_one_case() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let head = "管理番号,名称,種別,所管課,管理する職,機密性,完全性,可用性,個人情報区分,領域,保管場所,保存期限,バックアップ,最終確認日";
    let numbers: Vec<String> = (0..1_000).map(|n| format!("T-{n:04}")).collect();
    let lines = numbers.iter().map(|n| {
        format!("{n},点検票,information,21,21-h,3,2,1,なし,LGWAN接続系,書庫,2032/3/31,毎週,R8.11.2")
    });
    let csv = format!("{head}\r\n{}\r\n", lines.collect::<Vec<_>>().join("\r\n"));
    let path = "/registers/asset/import";
    let plan = crate::registers::check(&mut manager, path, "t.csv", csv.as_bytes()).await;
    crate::registers::carry_out(&manager, path, &plan).await;
    let mut clerk = city.browser(CLERK).await;
    let case = apply(&mut clerk, &numbers.join("\n"), "old3_to_3b").await;
    done(&mut manager, &case, "permit", &[]).await;
    assert_eq!(
        city.count("SELECT COUNT(*) FROM r_asset WHERE c_number LIKE 'T-%' AND c_confidentiality = '3B'")
            .await,
        1_000
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM register_change WHERE cause LIKE 'case:%'").await, 1_000);
}
