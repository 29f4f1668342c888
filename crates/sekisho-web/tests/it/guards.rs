//! Who gets in, and what may be sent from where.

use axum::http::{StatusCode, header};

use crate::browser::{Browser, encode};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_CLERK, PASSWORD};

#[tokio::test]
async fn every_page_but_the_login_needs_a_session() {
    let city = City::empty().await;
    let mut nobody = Browser::new(&city);
    for path in [
        "/",
        "/inbox",
        "/cases",
        "/registers",
        "/registers/asset",
        "/clauses",
        "/organization",
        "/organization/import",
        "/organization/account",
        "/ledger",
        "/password",
        "/account",
        "/account/second-factor",
        "/account/second-factor/qr.svg",
        "/account/passkeys/new",
        "/account/passkeys/proof",
        "/login/code/passkey",
        "/accounts",
        "/login/code",
        "/apply/take_out",
    ] {
        let page = nobody.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.location().starts_with("/login?next="), "{path}");
    }
    assert_eq!(nobody.get("/health").await.status, StatusCode::OK);
    let page = nobody.get("/login").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.headers
            .get(header::CONTENT_SECURITY_POLICY)
            .unwrap()
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert_eq!(page.headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
    assert_eq!(nobody.get("/no-such-page").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_failed_login_tells_nothing_and_five_lock_known_and_unknown_alike() {
    let city = City::settled().await;
    let mut b = Browser::new(&city);
    let mut texts = Vec::new();
    for login in [format!("u{CLERK}"), "nobody-here".to_owned()] {
        for _ in 0..6 {
            let page = b.enter(&login, "まちがい").await;
            assert_eq!(page.status, StatusCode::UNAUTHORIZED);
            texts.push(page.text.replace(&login, ""));
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "the page is the same for a known, an unknown and a locked login");
    let right = b.enter(&format!("u{CLERK}"), PASSWORD).await;
    assert_eq!(right.status, StatusCode::UNAUTHORIZED, "locked also for the right password");
    city.clock.set(crate::city::at("2026-11-25", 11));
    let right = b.enter(&format!("u{CLERK}"), PASSWORD).await;
    assert_eq!(right.status, StatusCode::SEE_OTHER, "open again after a quarter of an hour");
}

#[tokio::test]
async fn a_form_from_elsewhere_or_without_the_token_is_refused() {
    let city = City::settled().await;
    let b = city.browser(MANAGER).await;
    let good = encode(&[("csrf", &b.csrf)]);
    for (body, origin) in [
        (good.as_str(), "http://evil.example"),
        (good.as_str(), ""),
        (good.as_str(), "null"),
        ("csrf=0", "http://city.test"),
        ("", "http://city.test"),
    ] {
        assert_eq!(
            b.post_raw("/logout", body, origin).await.status,
            StatusCode::FORBIDDEN,
            "{body} {origin}"
        );
    }
    let other = city.browser(ADMIN).await;
    assert_eq!(
        b.post_raw("/logout", &encode(&[("csrf", &other.csrf)]), "http://city.test").await.status,
        StatusCode::FORBIDDEN,
        "another session's token"
    );
    assert_eq!(b.post_raw("/logout", &good, "http://city.test").await.status, StatusCode::SEE_OTHER);
    let mut gone = b;
    assert_eq!(gone.get("/").await.status, StatusCode::SEE_OTHER, "the session is over on the server");
}

#[tokio::test]
async fn a_temporary_password_opens_nothing_but_its_change() {
    let city = City::with_logins(&[]).await;
    let mut admin = city.browser(ADMIN).await;
    admin.get("/organization").await;
    let page = admin.post("/organization/account", &[("person", CLERK), ("login", "clerk")]).await;
    let password = page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let mut b = Browser::new(&city);
    assert_eq!(b.enter("clerk", &password).await.location(), "/password");
    for path in ["/", "/cases", "/ledger"] {
        assert_eq!(b.get(path).await.location(), "/password", "{path}");
    }
    b.get("/password").await;
    let weak = b.post("/password", &[("old", &password), ("new", "aaaaaaaaaaaa"), ("again", "x")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.text.contains("推測されやすい") && weak.text.contains("確認のための入力"));
    assert!(!weak.text.contains("入力した内容は残っています"), "no password comes back, and none is said to");
    b.own_password(&password).await;
    assert_eq!(b.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_administrators_issue_passwords_and_never_their_own() {
    let city = City::settled().await;
    for number in [CLERK, MANAGER] {
        let b = city.browser(number).await;
        assert_eq!(
            b.post("/organization/account", &[("person", OTHER_CLERK), ("login", "other")]).await.status,
            StatusCode::FORBIDDEN,
            "{number}"
        );
    }
    let admin = city.browser(ADMIN).await;
    assert_eq!(
        admin.post("/organization/account", &[("person", ADMIN), ("login", "admin")]).await.status,
        StatusCode::FORBIDDEN
    );
    let taken =
        admin.post("/organization/account", &[("person", "8001"), ("login", &format!("u{CLERK}"))]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_at_the_latest_after_twelve_hours() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    city.clock.set(crate::city::at("2026-11-25", 12));
    assert_eq!(b.get("/").await.status, StatusCode::SEE_OTHER, "two hours without a request");
}
