//! Every page leads to the part of the guide that speaks of it, and everybody can read it.

use axum::http::StatusCode;

use crate::acts::{application, apply, item};
use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, MANAGER, row_id};
use crate::powers::routes_with;

/// Where the link at the head of a page leads.
fn leads_to(page: &Page, path: &str) -> String {
    let head = page.text.split("</header>").next().unwrap();
    let link = head.split("この画面の手引").next().unwrap().rsplit("<a href=\"").next().unwrap();
    let href = link.split('"').next().unwrap().to_owned();
    assert!(head.contains("この画面の手引") && href.starts_with("/help"), "{path}: {href}");
    assert_eq!(page.text.matches("この画面の手引<").count(), 1, "{path}");
    href
}

#[tokio::test]
async fn every_page_leads_to_its_part_of_the_guide() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let row = row_id(&mut clerk, "asset", "A-001").await;
    let mut admin = city.browser(ADMIN).await;
    let mut paths: Vec<String> =
        routes_with("get(").into_iter().filter(|r| !r.contains(['{', '.'])).collect();
    paths.extend([
        case.clone(),
        "/apply/take_out".to_owned(),
        "/registers/asset".to_owned(),
        format!("/registers/asset/{row}"),
        "/checks/overdue_return".to_owned(),
        "/documents/basic_policy".to_owned(),
        "/help/staff".to_owned(),
        "/no-such-page".to_owned(),
    ]);
    let mut nobody = Browser::new(&city);
    let mut seen = 0;
    for path in &paths {
        let page = admin.get(path).await;
        // Answers of other kinds, and the file for the guards, which leaves the house.
        if path == "/permits/checker" || !page.text.starts_with("<!doctype html>") {
            continue;
        }
        let href = leads_to(&page, path);
        let part = nobody.get(href.split('#').next().unwrap()).await;
        assert_eq!(part.status, StatusCode::OK, "{path}: {href} is read by everybody");
        if let Some((_, anchor)) = href.split_once('#') {
            assert!(part.text.contains(&format!(" id=\"{anchor}\"")), "{path}: {href}");
            seen += 1;
        }
    }
    assert!(seen > 35, "{seen}");

    // What is on the page decides, not the section of the navigation.
    let mut manager = city.browser(MANAGER).await;
    for (path, part) in [
        ("/", "/help/staff#2-ホームでやることを見る"),
        ("/registers/asset/import", "/help/exchange#台帳の取込みと取消し"),
        ("/stocktakings", "/help/permit#棚卸し-現物と台帳を突き合わせる"),
        (case.as_str(), "/help/screens#案件の画面"),
        ("/no-such-page", "/help"),
    ] {
        assert_eq!(leads_to(&manager.get(path).await, path), part);
    }
    // A form that is shown again with its faults leads to the same part.
    let again = manager.post("/stocktakings", &[("register", ""), ("unit", ""), ("due_on", "")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(leads_to(&again, "/stocktakings"), "/help/permit#棚卸し-現物と台帳を突き合わせる");
}

#[tokio::test]
async fn whoever_cannot_log_in_reads_the_guide_and_nothing_else() {
    let city = City::settled().await;
    let mut nobody = Browser::new(&city);
    let login = nobody.get("/login").await;
    assert_eq!(leads_to(&login, "/login"), "/help/staff#1-入る出る");
    let part = nobody.get("/help/staff").await;
    assert!(part.text.contains("<h1 id=\"職員の手引\">") && !part.text.contains("<nav class=\"main\""));
    assert!(!part.text.contains("action=\"/logout\"") && !part.text.contains("name=\"csrf\""));
    assert_eq!(nobody.get("/help/nothing").await.status, StatusCode::NOT_FOUND);
    let list = nobody.get("/help").await;
    assert!(list.text.contains("href=\"/help/screens\""));
    let known = city.browser(CLERK).await.get("/help/staff").await;
    assert!(known.text.contains("<nav class=\"main\""), "somebody who is logged in keeps the navigation");
}
