//! Networks from which one comes only by a second factor.

use axum::http::StatusCode;
use sekisho_web::{Doors, Networks, Proxies};

use crate::browser::{Browser, Page};
use crate::cards::reached_from;
use crate::city::{CLERK, City, PASSWORD};
use crate::identity::{enrol, later};

const OFFICE: &str = "10.1.0.5:4000";
const TELEWORK: &str = "10.9.3.4:4000";
const PROXY: &str = "10.1.2.3:4000";

/// From now on comes from a peer, which says for whom it forwards.
fn go(b: &mut Browser, city: &City, peer: &str, forwarded: &str) {
    let doors = Doors {
        proxies: Proxies::parse("10.1.2.3").unwrap(),
        second_factor: Networks::parse("10.9.0.0/16").unwrap(),
        ..Doors::default()
    };
    let headers = match forwarded {
        "" => vec![],
        chain => vec![("x-forwarded-for", chain.to_owned())],
    };
    b.go_to_router(reached_from(city, doors, peer, &headers), "city.test");
}

fn refused(page: &Page) -> bool {
    page.status == StatusCode::FORBIDDEN && page.text.contains("W407")
}

#[tokio::test]
async fn a_session_without_a_second_factor_is_worth_nothing_in_a_network_that_asks_for_one() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    for (peer, forwarded, open) in [
        (OFFICE, "", true),
        (PROXY, "10.1.0.5", true),
        (TELEWORK, "", false),
        (PROXY, "10.9.0.1", false),
        // What a stranger writes into the header takes nobody out of the network.
        (TELEWORK, "10.1.0.5", false),
        (PROXY, "10.1.0.5, 10.9.0.1", false),
    ] {
        go(&mut b, &city, peer, forwarded);
        let page = b.get("/").await;
        assert!(
            if open { page.status == StatusCode::OK } else { refused(&page) },
            "{peer} {forwarded}: {}",
            page.text
        );
    }
    go(&mut b, &city, TELEWORK, "");
    for path in ["/cases", "/account", "/account/second-factor", "/password", "/api/v1/me"] {
        assert!(refused(&b.get(path).await), "{path}");
    }
    // Nor is anything changed from there: not even a second factor is begun.
    let before = city.written().await;
    assert!(refused(&b.post("/account/second-factor", &[("do", "begin")]).await));
    assert!(refused(
        &b.post(
            "/password",
            &[("old", PASSWORD), ("new", "別の長いパスワード2026"), ("again", "別の長いパスワード2026")]
        )
        .await
    ));
    assert_eq!(city.written().await, before);
    // But whoever is there can go, and come in properly.
    let page = b.get("/").await;
    assert!(page.text.contains("action=\"/logout\""), "{}", page.text);
    assert_eq!(b.post("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(b.get("/cases").await.location().starts_with("/login"));
}

#[tokio::test]
async fn whoever_uses_the_second_factor_comes_in_from_everywhere() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let (phone, _) = enrol(&city, &mut b).await;
    // The session began before there was a factor.
    go(&mut b, &city, TELEWORK, "");
    assert!(refused(&b.get("/").await));

    let mut b = Browser::new(&city);
    go(&mut b, &city, TELEWORK, "");
    assert_eq!(b.enter("u1001", PASSWORD).await.location(), "/login/code?next=/");
    assert!(b.get("/cases").await.location().starts_with("/login/code"));
    later(&city, 1);
    b.get("/login/code").await;
    let page = b.post("/login/code", &[("code", &phone.code(&city)), ("next", "/cases")]).await;
    assert_eq!(page.location(), "/cases", "{}", page.text);
    let cookie = page.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap();
    cookie.clone_into(&mut b.cookie);
    assert_eq!(b.get("/cases").await.status, StatusCode::OK);
    go(&mut b, &city, OFFICE, "");
    assert_eq!(b.get("/cases").await.status, StatusCode::OK);
}
