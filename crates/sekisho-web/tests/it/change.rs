//! One column of many rows at once: what would change is shown first, only the keeper's rows change, and it is taken back like an import.

use axum::http::StatusCode;

use crate::browser::{Page, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_MANAGER, row_id};
use crate::registers::{HEADER, carry_out, check};

const PATH: &str = "/registers/asset/change?q=%E7%82%B9%E6%A4%9C%E7%A5%A8&column=place";

fn line(number: &str, unit: &str) -> String {
    format!(
        "{number},点検票{number},information,{unit},{unit}-h,2,2,1,なし,LGWAN接続系,書庫,2032/3/31,毎週,R8.11.2"
    )
}

async fn settled() -> City {
    let city = City::settled().await;
    for (who, lines) in [
        (MANAGER, [line("L-1", "21"), line("L-2", "21"), line("L-3", "21")].join("\r\n")),
        (OTHER_MANAGER, line("M-1", "22")),
    ] {
        let mut b = city.browser(who).await;
        let path = "/registers/asset/import";
        let plan = check(&mut b, path, "a.csv", format!("{HEADER}\r\n{lines}\r\n").as_bytes()).await;
        assert_eq!(carry_out(&b, path, &plan).await.status, StatusCode::SEE_OTHER, "{}", plan.text);
    }
    city
}

async fn place(city: &City, number: &str) -> String {
    let mut b = city.browser(ADMIN).await;
    let id = row_id(&mut b, "asset", number).await;
    let page = b.get(&format!("/registers/asset/{id}")).await;
    let after = page.text.split("保管場所</").nth(1).unwrap();
    let cell = after.split('>').find(|part| part.contains("</dd") || part.contains("</td")).unwrap();
    cell.split('<').next().unwrap().to_owned()
}

async fn changes(city: &City) -> i64 {
    city.count("SELECT COUNT(*) FROM register_change").await
}

fn refused(page: &Page, says: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    assert!(page.text.contains(says), "{says}: {}", page.text);
}

#[tokio::test]
async fn one_column_of_many_rows_is_changed_after_it_was_shown_and_taken_back() {
    let city = settled().await;
    let mut b = city.browser(MANAGER).await;
    let list = b.get("/registers/asset?q=%E7%82%B9%E6%A4%9C%E7%A5%A8").await;
    assert!(list.text.contains("href=\"/registers/asset/change?q="), "{}", list.text);
    let form = b.get(PATH).await;
    for number in ["L-1", "L-2", "L-3"] {
        assert!(form.text.contains(&format!("{number}　点検票{number}")), "{}", form.text);
    }
    // Neither the key, nor a class, which a case decides, nor rows of others.
    assert!(!form.text.contains("M-1"), "{}", form.text);
    for column in ["number", "confidentiality", "copy_of"] {
        assert!(!form.text.contains(&format!("<option value=\"{column}\"")), "{column}: {}", form.text);
    }
    let (one, two) = (row_id(&mut b, "asset", "L-1").await, row_id(&mut b, "asset", "L-2").await);
    let before = changes(&city).await;
    let plan = b.post(PATH, &[("value", "第2書庫、=東側"), ("row", &one), ("row", &two)]).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    assert!(
        plan.text.contains("書庫 → 第2書庫、=東側") && plan.text.contains("2件をこの内容に直す"),
        "{}",
        plan.text
    );
    assert_eq!(changes(&city).await, before, "nothing changes before it is confirmed");
    assert_eq!(place(&city, "L-1").await, "書庫");
    let done = carry_out(&b, "/registers/asset/import", &plan).await;
    assert_eq!(done.location(), "/registers/asset?done=imported");
    for (number, now) in
        [("L-1", "第2書庫、=東側"), ("L-2", "第2書庫、=東側"), ("L-3", "書庫"), ("M-1", "書庫")]
    {
        assert_eq!(place(&city, number).await, now, "{number}");
    }
    // What was shown is carried out once, and not after somebody else changed a row.
    let stale = b.post(PATH, &[("value", "第3書庫"), ("row", &one)]).await;
    let newer = b.post(PATH, &[("value", "第4書庫"), ("row", &one)]).await;
    assert_eq!(carry_out(&b, "/registers/asset/import", &newer).await.status, StatusCode::SEE_OTHER);
    assert_eq!(carry_out(&b, "/registers/asset/import", &stale).await.status, StatusCode::FORBIDDEN);
    assert_eq!(place(&city, "L-1").await, "第4書庫");
    // Taken back like an import.
    let past = b.get("/registers/asset/imports").await;
    assert!(past.text.contains("まとめて直す（保管場所）"), "{}", past.text);
    let newest = past.text.split("<tr>").find(|row| row.contains("変更 1件")).unwrap();
    let import = hidden(newest, "import");
    let undone = b.post("/registers/asset/imports", &[("import", &import)]).await;
    assert!(!undone.status.is_client_error(), "{}", undone.text);
    assert_eq!(place(&city, "L-1").await, "第2書庫、=東側");
}

#[tokio::test]
async fn a_bad_value_or_choice_is_named_and_what_was_typed_and_ticked_stays() {
    let city = settled().await;
    let mut b = city.browser(MANAGER).await;
    let (one, two) = (row_id(&mut b, "asset", "L-1").await, row_id(&mut b, "asset", "L-2").await);
    let dates = "/registers/asset/change?q=%E7%82%B9%E6%A4%9C%E7%A5%A8&column=checked_on";
    let bad = b.post(dates, &[("value", "きのう"), ("row", &one)]).await;
    refused(&bad, "「最終確認日」");
    assert!(bad.text.contains("value=\"きのう\""), "{}", bad.text);
    assert!(bad.text.contains(&format!("value=\"{one}\" checked")), "{}", bad.text);
    assert!(bad.text.contains(&format!("value=\"{two}\">")), "{}", bad.text);
    let names = "/registers/asset/change?q=%E7%82%B9%E6%A4%9C%E7%A5%A8&column=name";
    refused(&b.post(names, &[("value", " "), ("row", &one)]).await, "必ず入れる列です");
    refused(&b.post(PATH, &[("value", "棚")]).await, "1件以上選んでください");
    for column in ["number", "confidentiality", "nonsense", ""] {
        let path = format!("/registers/asset/change?column={column}");
        refused(&b.post(&path, &[("value", "1"), ("row", &one)]).await, "直す列を選んでください");
    }
    // A row that the new value makes somebody else's.
    let section = "/registers/asset/change?q=%E7%82%B9%E6%A4%9C%E7%A5%A8&column=section";
    let away = b.post(section, &[("value", "22"), ("row", &one)]).await;
    assert!(away.text.contains("この所管課の行をあなたは変更できません"), "{}", away.text);
    assert!(!away.text.contains("件をこの内容に直す"), "{}", away.text);
}

#[tokio::test]
async fn nobody_changes_rows_that_others_keep() {
    let city = settled().await;
    let mut manager = city.browser(MANAGER).await;
    let one = row_id(&mut manager, "asset", "L-1").await;
    let mut clerk = city.browser(CLERK).await;
    assert_eq!(clerk.get(PATH).await.status, StatusCode::FORBIDDEN);
    assert!(!clerk.get("/registers/asset").await.text.contains("/registers/asset/change"));
    let before = city.written().await;
    assert_eq!(clerk.post(PATH, &[("value", "机"), ("row", &one)]).await.status, StatusCode::FORBIDDEN);
    let mut other = city.browser(OTHER_MANAGER).await;
    let shown = other.get(PATH).await;
    assert!(shown.text.contains("M-1") && !shown.text.contains("L-1"), "{}", shown.text);
    refused(&other.post(PATH, &[("value", "机"), ("row", &one)]).await, "1件以上選んでください");
    assert_eq!(city.written().await, before);
    // What was shown to one is not carried out by another.
    let before = changes(&city).await;
    let plan = manager.post(PATH, &[("value", "第2書庫"), ("row", &one)]).await;
    assert_eq!(carry_out(&other, "/registers/asset/import", &plan).await.status, StatusCode::FORBIDDEN);
    assert_eq!(changes(&city).await, before);
}
