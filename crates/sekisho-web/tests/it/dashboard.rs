//! How the standard is kept: the drawing and its table say the same, what turned is named with its reason, departments only as far as
//! one may see, and a clause leads to what proves it and back.

use axum::http::StatusCode;
use sekisho_app::sequencer;

use crate::browser::Page;
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_MANAGER, asset, line_with, row_id};

const CHECK: &str = "/checks/asset_review_stale";

/// Numbers of the table behind a heading, by state: the worst first.
fn totals(page: &Page) -> Vec<usize> {
    let stats = page.text.split("<p class=\"stats\">").nth(1).unwrap().split("</p>").next().unwrap();
    stats.split("<strong>").skip(1).map(|s| s.split('<').next().unwrap().parse().unwrap()).collect()
}

/// Rows of the table below a heading, as numbers.
fn table(page: &Page, heading: &str) -> Vec<Vec<usize>> {
    let part = page.text.split(&format!("<h2>{heading}</h2>")).nth(1).unwrap();
    let body = part.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    body.split("<tr>")
        .skip(1)
        .map(|r| {
            r.split("class=\"num\">").skip(1).map(|n| n.split('<').next().unwrap().parse().unwrap()).collect()
        })
        .collect()
}

/// Lets an asset of 高齢福祉課 be older than it may be, or checks it again.
async fn checked_on(city: &City, day: &str) {
    let mut manager = city.browser(MANAGER).await;
    let id = row_id(&mut manager, "asset", "A-001").await;
    let edit = format!("/registers/asset/{id}/edit");
    let version = manager.get(&edit).await.hidden("version");
    let mut fields = asset("A-001", "要介護認定の名簿", "21");
    fields.retain(|(n, _)| *n != "checked_on");
    fields.extend([("checked_on", day), ("version", version.as_str())]);
    assert_eq!(manager.post(&edit, &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_drawing_and_the_tables_say_the_same() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    let mut b = city.browser(CLERK).await;
    let page = b.get("/dashboard").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let all = totals(&page);
    for heading in ["章ごと", "8つの区分ごと"] {
        let rows = table(&page, heading);
        let sums: Vec<usize> = (0..all.len()).map(|i| rows.iter().map(|r| r[i]).sum()).collect();
        assert_eq!(sums, all, "{heading}");
    }
    assert_eq!(table(&page, "8つの区分ごと").len(), 8);
    assert_eq!(table(&page, "12か月の移り変わり").last().unwrap(), &all);
    assert_eq!(page.text.matches("<svg class=\"chart\"").count(), 3);
    assert_eq!(page.text.matches("<desc id=").count(), 3);
    assert!(!page.text.contains("style=\""), "the content security policy refuses inline style");
    let chapter = b.get("/clauses?chapter=5").await;
    assert!(chapter.text.contains("5.1.1.3.イ") && !chapter.text.contains("/clauses/6."), "one chapter");
    for (query, mark) in [("area=4", "5.1.1.3.イ"), ("actor=staff", "5.1.1.3.イ")] {
        assert!(b.get(&format!("/clauses?{query}")).await.text.contains(mark), "{query}");
    }
    assert!(!b.get("/clauses?area=1").await.text.contains("5.1.1.3.イ"));
    assert!(b.get("/clauses?actor=nobody").await.text.contains("条件に合う条項はありません"));
}

#[tokio::test]
async fn what_turned_since_last_month_is_named_with_its_reason() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    let mut b = city.browser(CLERK).await;
    let page = b.get(CHECK).await;
    let clause = page.text.split("<a href=\"/clauses/").nth(1).unwrap();
    let clause = format!("/clauses/{}", clause.split('"').next().unwrap());
    let before = b.get(&clause).await;
    assert!(before.text.contains("状態の移り変わり"), "{}", before.text);

    city.turn_to("2026-12-10", 9).await;
    checked_on(&city, "R7.11.1").await;
    city.turn_to("2026-12-11", 9).await;
    let mut b = city.browser(CLERK).await;
    let page = b.get("/dashboard").await;
    let line = line_with(&page, &format!("href=\"{clause}\""));
    assert!(line.contains("不適合") && line.contains("悪くなった"), "{}", page.text);
    assert!(line.contains("R8.12.11") && line.contains("該当 1件"), "{line}");
    let shown = b.get(&clause).await;
    let turn = line_with(&shown, "R8.12.11");
    assert!(turn.contains("不適合"), "{}", shown.text);

    // Asked again on the same day, the day says what it came to.
    checked_on(&city, "R8.12.11").await;
    city.turn_to("2026-12-11", 15).await;
    let mut b = city.browser(CLERK).await;
    let page = b.get("/dashboard").await;
    assert!(line_with(&page, &format!("href=\"{clause}\"")).is_empty(), "{}", page.text);
    assert!(line_with(&b.get(&clause).await, "R8.12.11").is_empty());
}

#[tokio::test]
async fn departments_are_counted_as_far_as_one_may_see() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    checked_on(&city, "R7.11.1").await;
    let rows = |page: &Page| -> Vec<String> {
        let part = page.text.split("<h2>部局ごと</h2>").nth(1).unwrap();
        part.split("<tr>").skip(2).map(|r| r.split("</tr>").next().unwrap().to_owned()).collect()
    };
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get("/dashboard").await;
    assert_eq!(rows(&page).len(), 1);
    assert!(
        rows(&page)[0].contains("福祉部") && rows(&page)[0].contains("該当する行\" class=\"num\">1<"),
        "{}",
        page.text
    );
    let mut stranger = city.browser(OTHER_MANAGER).await;
    let page = stranger.get("/dashboard").await;
    assert!(rows(&page)[0].contains("該当する行\" class=\"num\">0<"), "{}", page.text);
    let mut admin = city.browser(ADMIN).await;
    let page = admin.get("/dashboard").await;
    assert_eq!(rows(&page).len(), 2, "every department: {}", page.text);
    assert!(!page.text.contains("あなたが見られる範囲だけ"));
}

#[tokio::test]
async fn a_clause_leads_to_what_proves_it_and_back() {
    let city = City::settled().await;
    checked_on(&city, "R7.11.1").await;
    sequencer::drain(&city.office).await.unwrap();
    let mut manager = city.browser(MANAGER).await;
    let row = format!("/registers/asset/{}", row_id(&mut manager, "asset", "A-001").await);
    let check = manager.get(CHECK).await;
    let clauses = check.text.split("この点検が支える条項").nth(1).unwrap();
    let clause = clauses.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = manager.get(&clause).await;
    let line = line_with(&page, &format!("href=\"{row}\""));
    let entry = line.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap();
    let entry = manager.get(&format!("/ledger/{entry}")).await;
    assert!(entry.text.contains(&format!("href=\"{row}\"")), "back to the row: {}", entry.text);
    let mut stranger = city.browser(OTHER_MANAGER).await;
    let page = stranger.get(&clause).await;
    assert!(page.text.contains("不適合") && !page.text.contains(&row), "{}", page.text);
}
