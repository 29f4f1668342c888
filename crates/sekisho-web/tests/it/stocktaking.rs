//! Labels and 棚卸: what a label's code leads to for whom, and a section that looks for its things.

use axum::http::StatusCode;

use crate::browser::Browser;
use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, row_id};

/// Opens a stocktaking and returns its address.
pub async fn open(b: &mut Browser, register: &str, unit: &str) -> String {
    let page =
        b.post("/stocktakings", &[("register", register), ("unit", unit), ("due_on", "R8.12.25")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    page.location().split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_sheet_of_labels_holds_the_ticked_rows_that_one_sees() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let list = clerk.get("/registers/asset?q=名簿").await;
    assert!(list.text.contains("href=\"/registers/asset/labels?q="), "{}", list.text);
    let form = clerk.get("/registers/asset/labels").await;
    assert!(form.text.contains("A-001　要介護認定の名簿") && form.text.contains("A-002"));
    assert!(!form.text.contains("B-001"), "another section's thing is not offered");
    let (one, two) = (row_id(&mut clerk, "asset", "A-001").await, row_id(&mut clerk, "asset", "A-002").await);
    let made = clerk
        .post("/registers/asset/labels", &[("row", one.as_str()), ("row", two.as_str()), ("skip", "5")])
        .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert!(made.bytes.starts_with(b"%PDF-"));
    for skip in ["24", "-1", "三"] {
        let refused = clerk.post("/registers/asset/labels", &[("row", one.as_str()), ("skip", skip)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{skip}");
        assert!(refused.text.contains(&format!("value=\"{one}\" checked")), "what was ticked is kept");
        assert!(!refused.text.contains(&format!("value=\"{two}\" checked")));
    }
    let none = clerk.post("/registers/asset/labels", &[("skip", "")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    let many: Vec<(&str, &str)> = vec![("row", one.as_str()); 501];
    assert_eq!(clerk.post("/registers/asset/labels", &many).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stranger = city.browser(OTHER_MANAGER).await;
    let theirs = stranger.post("/registers/asset/labels", &[("row", one.as_str())]).await;
    assert_eq!(theirs.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!theirs.text.contains("A-001"), "nothing of another section");

    // The short address.
    let row = format!("/registers/asset/{one}");
    for code in ["A-001", one.as_str()] {
        assert_eq!(clerk.get(&format!("/r/asset/{code}")).await.location(), row);
    }
    let mut stranger = city.browser(OTHER_CLERK).await;
    for path in [format!("/r/asset/{one}"), "/r/asset/A-001".to_owned(), "/r/asset/none".to_owned()] {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(stranger.get("/r/nothing/A-001").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_address_on_labels_is_said_before_they_are_printed() {
    let page = |host: &'static str, site: Option<&'static str>| async move {
        let city = City::settled().await;
        if site.is_some() {
            city.office.use_site(site);
        }
        let mut clerk = city.browser(CLERK).await;
        clerk.call(host);
        let page = clerk.get("/registers/asset/labels").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        page.text
    };
    // Nothing is configured: that of the request, with a warning; one that leads nowhere from elsewhere is an error.
    let text = page("city.test", None).await;
    assert!(
        text.contains("notice warn hash") && text.contains("<code>http://city.test/r/asset/…</code>"),
        "{text}"
    );
    let text = page("127.0.0.1:8080", None).await;
    assert!(
        text.contains("notice error hash") && text.contains("<code>http://127.0.0.1:8080/r/asset/…</code>"),
        "{text}"
    );
    assert!(text.contains("ほかの端末で読んでも開けません") && text.contains("開き直すか"), "{text}");
    // The configured one, whatever the page was opened under.
    for host in ["localhost", "city.test"] {
        let text = page(host, Some("https://sekisho.city.example/")).await;
        assert!(text.contains("<code>https://sekisho.city.example/r/asset/…</code>（設定された"), "{text}");
        assert!(!text.contains("ほかの端末") && !text.contains(&format!("{host}/r/")), "{text}");
    }
    let text = page("city.test", Some("http://localhost:8080")).await;
    assert!(text.contains("notice error hash") && text.contains("server.site）を直して"), "{text}");
}

#[tokio::test]
async fn a_section_looks_for_its_things_and_its_head_learns_what_was_not_found() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut clerk = city.browser(CLERK).await;
    for (field, fields) in [
        ("register", [("register", ""), ("unit", "21"), ("due_on", "R8.12.25")]),
        ("register", [("register", "meeting"), ("unit", "21"), ("due_on", "R8.12.25")]),
        ("unit", [("register", "asset"), ("unit", "99"), ("due_on", "R8.12.25")]),
        ("due_on", [("register", "asset"), ("unit", "21"), ("due_on", "R8.11.24")]),
        ("unit", [("register", "media"), ("unit", "21"), ("due_on", "R8.12.25")]),
    ] {
        let page = manager.post("/stocktakings", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(page.text.contains(&format!("href=\"#{field}\"")), "{}", page.text);
    }
    let address = open(&mut manager, "asset", "21").await;
    let twice = [("register", "asset"), ("unit", "21"), ("due_on", "R8.12.25")];
    let twice = manager.post("/stocktakings", &twice).await;
    assert!(twice.status == StatusCode::UNPROCESSABLE_ENTITY && twice.text.contains("もう始まっています"));
    let page = clerk.get(&address).await;
    assert!(page.text.contains("2件のうち0件") && page.text.contains("A-002"), "{}", page.text);
    assert!(!page.offers("close") && page.offers("see"));

    // A phone's camera opens the label's address; a scanner on a Japanese keyboard types it with other signs.
    let one = row_id(&mut clerk, "asset", "A-001").await;
    assert_eq!(clerk.get("/r/asset/A-001").await.location(), format!("{address}?code={one}"));
    assert!(clerk.get(&format!("{address}?code={one}")).await.text.contains(&format!("value=\"{one}\"")));
    let scanned = format!("http+//city.test/r/asset/{one}");
    let seen = clerk.post(&address, &[("do", "see"), ("code", &scanned), ("place", "窓口の裏の棚")]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.text);
    let again = clerk.post(&address, &[("do", "see"), ("code", "ａ－００１")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("もう確認されています"), "{}", again.text);
    for code in ["B-001", "Z-9", ""] {
        let other = clerk.post(&address, &[("do", "see"), ("code", code)]).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}");
        assert!(!other.text.contains("手帳交付"), "nothing is told of another section's things");
    }
    let long = "場".repeat(201);
    let long = clerk.post(&address, &[("do", "see"), ("code", "A-002"), ("place", &long)]).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);

    // Whoever is of another section neither sees it nor is led to it.
    let mut stranger = city.browser(OTHER_MANAGER).await;
    assert_eq!(stranger.get(&address).await.status, StatusCode::NOT_FOUND);
    assert!(!stranger.get("/stocktakings").await.text.contains("高齢福祉課"));
    let mut director = city.browser(DIRECTOR).await;
    let theirs = director.get(&address).await;
    assert!(theirs.offers("close") && !theirs.offers("see"), "a head of the department looks for nothing");
    let mut admin = city.browser(ADMIN).await;
    assert!(admin.get(&address).await.offers("see"));

    assert_eq!(clerk.post(&address, &[("do", "close")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(manager.post(&address, &[("do", "close")]).await.status, StatusCode::SEE_OTHER);
    let page = manager.get(&address).await;
    for says in
        ["2件のうち1件", "見つからなかったもの（1件）", "A-002", "今ある場所：窓口の裏の棚", "髙橋 花子"]
    {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    assert!(!page.offers("see") && !page.offers("close"));
    let told = manager.get("/notifications").await;
    assert!(told.text.contains("2件のうち、1件が見つかっていません"), "{}", told.text);
    let late = clerk.post(&address, &[("do", "see"), ("code", "A-002")]).await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && late.text.contains("終わっています"));
    assert_eq!(manager.post(&address, &[("do", "close")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let written = "SELECT COUNT(*) FROM ledger_entry WHERE kind LIKE 'stocktaking.%'";
    assert_eq!(city.count(written).await, 3, "opened, found, closed: what was refused left nothing");
    // What comes to the section later does not change what was found missing then.
    let new = crate::city::asset("A-003", "新しい名簿", "21");
    assert_eq!(manager.post("/registers/asset/new", &new).await.status, StatusCode::SEE_OTHER);
    assert!(!manager.get(&address).await.text.contains("A-003"));
    open(&mut manager, "asset", "21").await;
}
