//! The organization: who may import it, what a file would change, and what is said of files that are none.

use axum::http::StatusCode;

use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, SECOND_ADMIN, workbook};
use crate::proposals::confirm;
use crate::registers::{carry_out, check, counts};

const PATH: &str = "/organization/import";

#[tokio::test]
async fn only_administrators_import_and_export_the_organization() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let plan = check(&mut admin, PATH, "組織.xlsx", &workbook(|_| "")).await;
    let before = city.written().await;
    for number in [CLERK, MANAGER, DIRECTOR] {
        let mut b = city.browser(number).await;
        let page = b.get("/organization").await;
        assert!(page.text.contains("高齢福祉課") && !page.text.contains(PATH), "{number}");
        for path in [PATH, "/organization/export.xlsx", "/organization/account"] {
            let page = b.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} {path}");
            assert!(page.text.contains("情報システム管理者とその担当者が行います"));
        }
        let sent = b.upload(PATH, &[("do", "check")], "組織.xlsx", &workbook(|_| "2026-11-30")).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{number}");
        assert_eq!(carry_out(&b, PATH, &plan).await.status, StatusCode::FORBIDDEN, "{number}");
    }
    let second = city.browser(SECOND_ADMIN).await;
    assert_eq!(
        carry_out(&second, PATH, &plan).await.status,
        StatusCode::FORBIDDEN,
        "another administrator's file"
    );
    assert_eq!(city.written().await, before);
    let mut second = city.browser(SECOND_ADMIN).await;
    assert_eq!(second.get(PATH).await.status, StatusCode::OK, "an operator by appointment may");
}

#[tokio::test]
async fn the_export_comes_back_unchanged_and_a_dry_run_changes_nothing() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let export = admin.get("/organization/export.xlsx").await;
    assert_eq!(export.status, StatusCode::OK);
    let same = check(&mut admin, PATH, "組織.xlsx", &export.bytes).await;
    assert_eq!(counts(&same), [0, 0, 6 + 10 + 10 + 11, 0], "{}", same.text);

    let before = city.written().await;
    let leaving = workbook(|p| if p == CLERK { "2026-11-30" } else { "" });
    let plan = check(&mut admin, PATH, "異動.xlsx", &leaving).await;
    let counted = counts(&plan);
    assert_eq!((counted[0], counted[3]), (0, 0), "{}", plan.text);
    assert!(plan.text.contains("終了日：（空） → R8.11.30"), "{}", plan.text);
    let mut after = city.written().await;
    after[8] -= 1;
    assert_eq!(after, before, "only the file is kept");
    let proposed = carry_out(&admin, PATH, &plan).await.location();
    assert!(proposed.starts_with("/organization/proposals/"), "{proposed}");
    confirm(&city, &proposed).await;
    city.turn_to("2026-12-01", 9).await;
    let mut admin = city.browser(ADMIN).await;
    let found = admin.get("/organization?q=%E3%81%9F%E3%81%8B%E3%81%AF%E3%81%97").await;
    assert!(
        found.text.contains("髙橋 花子") && !found.text.contains("<div>高齢福祉課 主事</div>"),
        "the person stays, the post is left: {}",
        found.text
    );
}

#[tokio::test]
async fn people_are_found_as_they_are_written_and_names_keep_every_character() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    for (words, name) in [
        ("高橋", "髙橋 花子"),
        ("わたなべ", "渡邉 一郎"),
        ("１００３", "邉\u{e0101}見 清"),
        ("ヘンミ", "邉\u{e0101}見 清"),
        ("崎山", "﨑山 徹"),
    ] {
        let page = b.get(&format!("/organization?{}", crate::browser::encode(&[("q", words)]))).await;
        assert!(page.text.contains(&format!("<th scope=\"row\">{name}</th>")), "{words}: {}", page.text);
        assert!(!page.text.contains("仮パスワードを発行"), "not offered to staff");
    }
    assert!(b.get("/organization?q=zzz").await.text.contains("「zzz」に合う職員はいません"));
    let page = b.get("/organization").await;
    assert!(page.text.contains("福祉部長 邉\u{e0101}見 清") && page.text.contains("情報政策課長 情報 太郎"));
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_with_its_cell_and_what_to_do() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let before = city.count("SELECT COUNT(*) FROM upload").await;
    for (name, bytes, says) in [
        ("a.pdf", &b"%PDF-1.7\n"[..], "PDFは読めません"),
        ("empty.xlsx", b"", "ファイルに何も入っていません"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "古い形式のExcelファイル（.xls）は読めません"),
        ("broken.xlsx", b"PK\x03\x04broken", "Excelファイルが壊れているか"),
        ("page.xls", b"<html><table></table>", "中身がWebページ"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0", "表計算のファイルではありません"),
    ] {
        let page = check(&mut admin, PATH, name, bytes).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        assert!(page.text.contains(says) && page.text.contains("role=\"alert\""), "{name}: {}", page.text);
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM upload").await, before, "what cannot be read is not kept");

    let csv = "職員番号,職コード,本務/兼務,開始日\r\n1001,99-x,本務,R8.4.1\r\n7777,21-s,本務,いつか\r\n";
    let plan = check(&mut admin, PATH, "任命.csv", csv.as_bytes()).await;
    assert!(counts(&plan)[3] >= 3, "{}", plan.text);
    for cell in ["B2", "A3", "D3"] {
        assert!(plan.text.contains(cell), "{cell}: {}", plan.text);
    }
    let before = city.written().await;
    assert_ne!(carry_out(&admin, PATH, &plan).await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.written().await, before);
    assert_eq!(
        admin.post(PATH, &[("do", "apply"), ("upload", "01JZZZZZZZZZZZZZZZZZZZZZZZ")]).await.status,
        StatusCode::FORBIDDEN
    );
}
