//! Addresses and forms full of rubbish: every page answers in the reader's language and names a way on, none fails.

use axum::http::{StatusCode, header};

use crate::browser::{Browser, Page};
use crate::city::{ADMIN, City, MANAGER, row_id};
use crate::powers::{attempts, hold, routes_with};

/// What a query or a part of an address may hold.
const RUBBISH: [&str; 12] = [
    "%00",
    "-1",
    "99999999999999999999",
    "-9223372036854775808",
    "%FF%FE",
    "%27%20OR%201=1--%22%3Cscript%3E",
    "%E3%81%82%E3%81%84%E3%81%86%E3%81%88%E3%81%8A",
    "2026-02-30",
    "9999-12-31",
    "..%2F..%2Fetc",
    "%2",
    "%E2%80%AE",
];

/// What the pages read from their queries, and more.
const NAMES: [&str; 28] = [
    "q",
    "page",
    "procedure",
    "status",
    "mine",
    "late",
    "month",
    "scope",
    "state",
    "on",
    "area",
    "actor",
    "chapter",
    "kind",
    "code",
    "done",
    "person",
    "path",
    "old",
    "new",
    "all",
    "before",
    "sort",
    "view",
    "act",
    "item",
    "draft",
    "like",
];

/// Never a fault of ours, never the framework's bare line.
fn answered(page: &Page, what: &str) {
    assert!(!page.status.is_server_error(), "{what}: {} {}", page.status, page.text);
    if !page.status.is_client_error() {
        return;
    }
    let kind = page.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let ours = kind.starts_with("text/html") || kind.starts_with("application/problem+json");
    assert!(ours, "{what}: {} {kind} {}", page.status, page.text);
    assert!(page.text.contains('。'), "{what}: says what to do: {}", page.text);
}

async fn ask(b: &mut Browser, path: &str) -> Page {
    let page = b.get(path).await;
    answered(&page, path);
    page
}

/// The route with real names in the place of its parts, as far as the city has them; then what its parts may be replaced by.
fn named(route: &str, row: &str, case: &str) -> String {
    let route = match route.split_once("/{id}") {
        Some(("/cases", rest)) => format!("{case}{rest}"),
        Some(("/registers", rest)) => format!("/registers/asset{rest}"),
        Some(("/checks", rest)) => format!("/checks/overdue_return{rest}"),
        Some(("/clauses", rest)) => format!("/clauses/5.1.1.3.%E3%82%A4{rest}"),
        Some(("/documents", rest)) => format!("/documents/basic_policy{rest}"),
        _ => route.to_owned(),
    };
    let mut route = route.replace("{row}", row);
    for (part, name) in
        [("{procedure}", "take_out"), ("{format}", "csv"), ("{pos}", "1"), ("{name}", "staff")]
    {
        route = route.replace(part, name);
    }
    route
}

#[tokio::test]
async fn no_address_makes_a_page_fail() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let mut admin = city.browser(ADMIN).await;
    let row = row_id(&mut admin, "asset", "A-001").await;
    let mut api: Vec<String> = serde_json::from_str::<serde_json::Value>(
        &admin.get("/api/v1/openapi.json").await.text,
    )
    .unwrap()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, acts)| acts.get("get").is_some())
        .map(|(path, _)| if path.starts_with("/api") { path.clone() } else { format!("/api/v1{path}") })
        .collect();
    assert!(api.len() > 20, "{api:?}");
    let pages: Vec<String> = routes_with("get(").iter().map(|route| named(route, &row, &held.case)).collect();
    api.extend(pages);
    let mut refused = 0;
    for (turn, route) in api.iter().enumerate() {
        // A part of the address.
        let parts: Vec<&str> = route.split('/').collect();
        for (place, part) in parts.iter().enumerate().filter(|(_, part)| part.starts_with('{')) {
            for rubbish in RUBBISH.into_iter().step_by(4) {
                let mut tried = parts.clone();
                tried[place] = rubbish;
                let path: Vec<&str> =
                    tried.iter().map(|p| if p.starts_with('{') { "x" } else { *p }).collect();
                let page = ask(&mut admin, &path.join("/")).await;
                refused += usize::from(page.status == StatusCode::NOT_FOUND);
                assert_ne!(page.status, StatusCode::OK, "{part} of {route} as {rubbish}");
            }
        }
        // The query: every name with some rubbish, another each time; one twice, one without an end.
        let path: Vec<&str> = parts.iter().map(|p| if p.starts_with('{') { "x" } else { *p }).collect();
        let path = path.join("/");
        // What costs seconds, typesetting and the examples of a pack, is asked once.
        let dear = path.ends_with(".pdf") || path == "/packs/edit/check";
        if !dear {
            let rubbish = RUBBISH.iter().cycle().skip(turn * 5 % RUBBISH.len());
            let query: Vec<String> = NAMES.iter().zip(rubbish).map(|(n, v)| format!("{n}={v}")).collect();
            ask(&mut admin, &format!("{path}?{}", query.join("&"))).await;
        }
        let twice = "q=1&q=2&page=1&page=x&on=1&on=2&month=1&month=2&path=a&path=b&&=&%";
        ask(&mut admin, &format!("{path}?{twice}")).await;
    }
    assert!(refused > 30, "{refused}");
    // What lacks something says so in words.
    let lacking = ask(&mut admin, "/packs/edit/file").await;
    assert_eq!(lacking.status, StatusCode::BAD_REQUEST);
    assert!(lacking.text.contains("アドレスの「?」から後ろに"), "{}", lacking.text);
    assert_eq!(ask(&mut admin, "/accounts?page=abc").await.status, StatusCode::OK);
    assert_eq!(ask(&mut admin, "/cases/%FF").await.status, StatusCode::NOT_FOUND);
    let problem = ask(&mut admin, "/api/v1/cases/%FF").await;
    assert_eq!((problem.status, problem.text.contains("W404")), (StatusCode::NOT_FOUND, true));
}

#[tokio::test]
async fn no_form_makes_a_page_fail() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let long = "長".repeat(70_000);
    let rubbish = [
        "",
        "\u{0}\u{202e}",
        "-1",
        "99999999999999999999",
        "R99.99.99",
        "2026-02-30",
        "' OR 1=1--\"<script>",
        long.as_str(),
    ];
    for person in [ADMIN, MANAGER] {
        let mut b = city.browser(person).await;
        b.get("/").await;
        let mut sent = 0;
        for a in attempts(&held) {
            // Whoever leaves is nobody for the rest, and a password costs much.
            // So do the examples of a pack.
            let left = ["/logout", "/login", "/password", "/packs"];
            if left.iter().any(|of| a.route.starts_with(of)) {
                continue;
            }
            for (place, (name, _)) in a.fields.iter().enumerate() {
                // One of them for each field, another for the next.
                for bad in rubbish.iter().cycle().skip(sent).take(1) {
                    let mut fields: Vec<(&str, &str)> =
                        a.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    fields[place].1 = bad;
                    let page = b.post(&a.path, &fields).await;
                    let some: String = bad.chars().take(20).collect();
                    answered(&page, &format!("{person} {} {name}={some:?}", a.path));
                    sent += 1;
                }
            }
            let nothing = b.post(&a.path, &[]).await;
            answered(&nothing, &format!("{person} {} with nothing", a.path));
            let twice: Vec<(&str, &str)> =
                a.fields.iter().flat_map(|(n, v)| [(*n, v.as_str()), (*n, "x")]).collect();
            answered(&b.post(&a.path, &twice).await, &format!("{person} {} twice", a.path));
        }
        assert!(sent > 80, "{sent}");
    }
}
