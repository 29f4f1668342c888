//! Tokens of programs: what each may do, through which path, and until when.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt as _;

use crate::browser::{Page, encode, hidden};
use crate::city::{CLERK, City, MANAGER, asset, at};
use crate::identity::{entries, with_slip};

/// A call by a program.
async fn call(city: &City, path: &str, token: &str) -> (StatusCode, String, String) {
    send(city, "GET", path, token, "").await
}

async fn send(
    city: &City,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (StatusCode, String, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "city.test")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_owned()))
        .unwrap();
    let (parts, body) = city.router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    (parts.status, kind, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_token_does_what_it_was_made_for_until_it_ends() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let make = |scope: &'static str, days: &'static str| {
        [("do", "make"), ("name", "在庫の確認"), ("scope", scope), ("days", days)]
    };
    for (fields, says) in [
        (make("all", "30"), "できることを"),
        (make("read", "9999"), "使える期間"),
        ([("do", "make"), ("name", ""), ("scope", "read"), ("days", "30")], "何に使う"),
    ] {
        let page = clerk.post("/account/tokens", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    let secret =
        |page: Page| page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let read = secret(clerk.post("/account/tokens", &make("read", "30")).await);
    let ask = secret(clerk.post("/account/tokens", &make("handling", "90")).await);
    assert_eq!(
        city.count_of("SELECT COUNT(*) FROM api_token WHERE hash = $1", &read).await,
        0,
        "only its hash is kept"
    );
    let question =
        format!("/api/v1/handling?{}", encode(&[("act", "send"), ("class.confidentiality", "3B")]));
    let (status, _, text) = call(&city, "/api/v1/me", &read).await;
    assert!(status == StatusCode::OK && text.contains("髙橋 花子"), "{text}");
    assert_eq!(call(&city, &question, &ask).await.0, StatusCode::OK);
    for (path, token) in [("/api/v1/me", &ask), (question.as_str(), &read)] {
        let (status, kind, text) = call(&city, path, token).await;
        assert_eq!((status, kind.as_str()), (StatusCode::FORBIDDEN, "application/problem+json"));
        assert!(text.contains("K102") && text.contains("許されていません"), "{text}");
    }
    assert_eq!(call(&city, "/", &read).await.0, StatusCode::SEE_OTHER, "pages are for people");
    let (status, kind, _) = call(&city, "/api/v1/me", "sekisho_0000").await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNAUTHORIZED, "application/problem+json"));
    assert_eq!(entries(&city, "account.token_used").await, 2, "once a day each");

    let page = clerk.get("/account").await;
    let id = hidden(&page.text, "token");
    let other = city.browser(MANAGER).await;
    assert_eq!(
        other.post("/account/tokens", &[("do", "revoke"), ("token", &id)]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        clerk.post("/account/tokens", &[("do", "revoke"), ("token", &id)]).await.status,
        StatusCode::SEE_OTHER
    );
    let left = [call(&city, "/api/v1/me", &read).await.0, call(&city, &question, &ask).await.0];
    assert_eq!(
        left.iter().filter(|s| **s == StatusCode::OK).count(),
        1,
        "one of the two is revoked: {left:?}"
    );
    assert_eq!(
        clerk.post("/account/tokens", &[("do", "revoke"), ("token", "")]).await.status,
        StatusCode::NOT_FOUND
    );
    let third = secret(clerk.post("/account/tokens", &make("read", "30")).await);
    city.clock.set(at("2026-12-26", 10));
    assert_eq!(call(&city, "/api/v1/me", &third).await.0, StatusCode::UNAUTHORIZED, "thirty days are over");
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/account").await;
    let fourth = secret(clerk.post("/account/tokens", &make("read", "30")).await);
    with_slip(&city, CLERK).await;
    assert_eq!(call(&city, "/api/v1/me", &fourth).await.0, StatusCode::UNAUTHORIZED, "a reset revokes them");
}

#[tokio::test]
async fn a_token_writes_registers_where_it_was_made_for_them_and_decides_nothing() {
    let city = City::settled().await;
    let made =
        |page: Page| page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let make =
        |scope: &'static str| [("do", "make"), ("name", "資産の連携"), ("scope", scope), ("days", "30")];
    let manager = city.browser(MANAGER).await;
    let read = made(manager.post("/account/tokens", &make("read")).await);
    let write = made(manager.post("/account/tokens", &make("registers")).await);
    let clerk = city.browser(CLERK).await;
    let of_clerk = made(clerk.post("/account/tokens", &make("registers")).await);
    let row = |number: &'static str| {
        let values: serde_json::Map<_, _> = asset(number, "連携で登録", "21")
            .iter()
            .map(|(k, v)| ((*k).to_owned(), serde_json::json!(v)))
            .collect();
        serde_json::json!({"values": values}).to_string()
    };
    let rows = "/api/v1/registers/asset/rows";
    let before = city.count("SELECT COUNT(*) FROM r_asset").await;
    let (status, _, text) = send(&city, "POST", rows, &read, &row("A-700")).await;
    assert!(status == StatusCode::FORBIDDEN && text.contains("K102"), "{text}");
    let (status, _, text) = send(&city, "POST", rows, &of_clerk, &row("A-700")).await;
    assert!(status == StatusCode::FORBIDDEN, "a token may no more than its person: {text}");
    assert_eq!(city.count("SELECT COUNT(*) FROM r_asset").await, before);
    let (status, _, text) = send(&city, "POST", rows, &write, &row("A-700")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(city.count("SELECT COUNT(*) FROM r_asset").await, before + 1);
    // Acts of a person are for nobody's token, whatever it was made for.
    for path in [
        "/api/v1/procedures/take_out/cases",
        "/api/v1/cases/none/acts",
        "/api/v1/attachments",
        "/api/v1/absences",
        "/api/v1/delegations",
        "/api/v1/notifications/read",
    ] {
        for token in [&read, &write] {
            let (status, _, text) = send(&city, "POST", path, token, "{}").await;
            assert!(status == StatusCode::FORBIDDEN && text.contains("K103"), "{path}: {text}");
        }
    }
}
