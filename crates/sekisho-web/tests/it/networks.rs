//! Networks from which one comes only by a second factor, and those from which a program's token may be used.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sekisho_web::{Bodies, Doors, Named, Networks, Proxies};
use tower::ServiceExt as _;

use crate::browser::{Browser, Page};
use crate::cards::{behind, reached_from};
use crate::city::{CLERK, City, PASSWORD};
use crate::identity::{enrol, entries, later};

const OFFICE: &str = "10.1.0.5:4000";
const TELEWORK: &str = "10.9.3.4:4000";
const PROXY: &str = "10.1.2.3:4000";

/// A proxy that is trusted, and networks that demand a second factor.
fn doors(strict: &str) -> Doors {
    Doors {
        proxies: Proxies::parse("10.1.2.3").unwrap(),
        second_factor: Networks::parse(strict).unwrap(),
        ..Doors::default()
    }
}

fn chain(forwarded: &str) -> Vec<(&'static str, String)> {
    match forwarded {
        "" => vec![],
        chain => vec![("x-forwarded-for", chain.to_owned())],
    }
}

/// From now on comes from a peer, which says for whom it forwards.
fn go(b: &mut Browser, city: &City, peer: &str, forwarded: &str) {
    let router = reached_from(city, doors("10.9.0.0/16"), peer, &chain(forwarded));
    b.go_to_router(router, "city.test");
}

/// What a program is answered.
async fn call(router: Router, host: &str, path: &str, token: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes a token that reads, on the page.
async fn token(b: &Browser, networks: &str) -> String {
    let fields =
        [("do", "make"), ("name", "在庫の確認"), ("scope", "read"), ("networks", networks), ("days", "30")];
    let page = b.post("/account/tokens", &fields).await;
    page.text
        .split("<code>")
        .nth(1)
        .unwrap_or_else(|| panic!("{}", page.text))
        .split('<')
        .next()
        .unwrap()
        .into()
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

#[tokio::test]
async fn a_token_works_from_its_own_networks_and_tells_nothing_elsewhere() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/account").await;
    let anywhere = token(&clerk, "").await;
    let office = token(&clerk, "10.1.0.0/16").await;
    let telework = token(&clerk, "１０．９．３．０/24、192.0.2.7").await;
    let shown = clerk.get("/account").await.text;
    assert!(shown.contains("10.9.3.0/24, 192.0.2.7") && shown.contains("決めていません"), "{shown}");
    let from =
        |peer: &str, forwarded: &str| reached_from(&city, doors("10.9.0.0/16"), peer, &chain(forwarded));
    let stranger = "10.8.0.1:4000";
    let unknown = call(from(OFFICE, ""), "city.test", "/api/v1/me", "sekisho_0000").await;
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED);
    for (secret, peer, forwarded, open) in [
        (&anywhere, OFFICE, "", true),
        (&anywhere, stranger, "", true),
        // Where people need a second factor, only what names the place is let in.
        (&anywhere, TELEWORK, "", false),
        (&anywhere, PROXY, "10.9.0.1", false),
        (&office, OFFICE, "", true),
        (&office, stranger, "", false),
        (&office, TELEWORK, "", false),
        (&telework, TELEWORK, "", true),
        (&telework, OFFICE, "", false),
        (&telework, "192.0.2.7:1", "", true),
        (&telework, "10.9.4.1:1", "", false),
        // Addresses are those that a trusted proxy names, and nobody else.
        (&office, PROXY, "10.1.0.5", true),
        (&office, PROXY, "10.8.0.1", false),
        (&office, PROXY, "10.1.0.5, 10.8.0.1", false),
        (&office, stranger, "10.1.0.5", false),
        (&telework, OFFICE, "10.9.3.4", false),
    ] {
        let answer = call(from(peer, forwarded), "city.test", "/api/v1/me", secret).await;
        if open {
            assert_eq!(answer.0, StatusCode::OK, "{peer} {forwarded}: {}", answer.1);
        } else {
            assert_eq!(answer, unknown, "{peer} {forwarded}: as if there were no such token");
        }
    }
    // Not even that it was made for something else.
    let asks = "/api/v1/handling?act=send";
    assert_eq!(call(from(OFFICE, ""), "city.test", asks, &office).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(from(stranger, ""), "city.test", asks, &office).await, unknown);
    // Where nobody knows where somebody is, a list holds nobody.
    assert_eq!(call(city.router.clone(), "city.test", "/api/v1/me", &office).await, unknown);
    assert_eq!(entries(&city, "account.token_refused").await, 3, "once an hour for each token");
    later(&city, 61);
    call(from(stranger, ""), "city.test", "/api/v1/me", &office).await;
    assert_eq!(entries(&city, "account.token_refused").await, 4);
    let mut clerk = city.browser(CLERK).await;
    let shown = clerk.get("/account").await.text;
    assert!(shown.contains("APIトークンの拒否（使えない場所から）"), "{shown}");
    assert!(shown.contains("10.8.0.1 在庫の確認"), "{shown}");
}

#[tokio::test]
async fn a_secret_address_of_a_calendar_is_no_second_factor() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/exchange").await;
    let made = clerk.post("/exchange/calendar", &[("do", "subscribe")]).await;
    let address = made.text.split("value=\"http://city.test").nth(1).unwrap().split('"').next().unwrap();
    let mut phone = Browser::new(&city);
    for (from, status) in [(OFFICE, StatusCode::OK), (TELEWORK, StatusCode::NOT_FOUND)] {
        go(&mut phone, &city, from, "");
        assert_eq!(phone.get(address).await.status, status, "{from}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_named_and_nothing_typed_is_lost() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/account").await;
    let tokens = "SELECT COUNT(*) FROM api_token";
    for (networks, says) in [
        ("10.1.0.0/16, 10.9.300.1", "「10.9.300.1」は、アドレスでも範囲でもありません"),
        ("10.1.0.0/33", "「10.1.0.0/33」は、"),
        ("どこでも", "「どこでも」は、"),
        ("0.0.0.0/0", "「0.0.0.0/0」は広すぎます"),
    ] {
        let fields = [
            ("do", "make"),
            ("name", "在庫の確認"),
            ("scope", "handling"),
            ("networks", networks),
            ("days", "90"),
        ];
        let page = clerk.post("/account/tokens", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{networks}");
        for kept in [
            says,
            "value=\"在庫の確認\"",
            &format!("value=\"{networks}\""),
            "value=\"handling\" checked",
            "value=\"90\" selected",
        ] {
            assert!(page.text.contains(kept), "{kept}: {}", page.text);
        }
    }
    assert_eq!(city.count(tokens).await, 0);
}

#[tokio::test]
async fn what_one_body_demands_of_a_network_another_does_not() {
    let (here, there) = (City::twin(1, None).await, City::twin(2, None).await);
    let named = |name: &str, strict: &str| Named {
        name: name.to_owned(),
        hosts: vec![format!("{name}.test")],
        doors: doors(strict),
    };
    let bodies =
        Bodies::named(vec![named("minato", "10.9.0.0/16, 10.7.0.0/16"), named("kita", "10.9.0.0/16")], false);
    bodies.open("minato", std::sync::Arc::clone(&here.office)).unwrap();
    bodies.open("kita", std::sync::Arc::clone(&there.office)).unwrap();
    let home = "10.7.0.1:4000";
    for (host, city, open) in [("minato.test", &here, false), ("kita.test", &there, true)] {
        let mut b = Browser::new(city);
        b.go_to_router(behind(bodies.router(), OFFICE, &[]), host);
        assert_eq!(b.enter("u1001", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(b.get("/cases").await.status, StatusCode::OK, "{host}");
        b.get("/account").await;
        let secret = token(&b, "").await;
        for (peer, open) in [(OFFICE, true), (home, open), (TELEWORK, false)] {
            let router = behind(bodies.router(), peer, &[]);
            b.go_to_router(router.clone(), host);
            let page = b.get("/cases").await;
            assert_eq!(page.status == StatusCode::OK, open, "{host} {peer}: {}", page.text);
            assert_eq!(refused(&page), !open, "{host} {peer}");
            let answer = call(router, host, "/api/v1/me", &secret).await;
            assert_eq!(answer.0 == StatusCode::OK, open, "{host} {peer}: {}", answer.1);
        }
    }
}
