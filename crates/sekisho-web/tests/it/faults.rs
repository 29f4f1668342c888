//! While the database cannot work: pages say so, keep what was typed but no secret, and recover by themselves.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sekisho_app::{AppError, Store};
use sekisho_base::Clock as _;
use tower::ServiceExt as _;

use crate::browser::{Browser, encode};
use crate::city::{ADMIN, City, PASSWORD, asset};
use crate::operation::database;

/// Another program that holds the database for writing until it is told to let go.
pub async fn held(address: &str) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let other = Store::open(address).await.unwrap();
    let (let_go, told) = tokio::sync::oneshot::channel::<()>();
    let (tell, holds) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let job = other.write(move |_| {
            Box::pin(async move {
                tell.send(()).unwrap();
                told.await.map_err(AppError::internal)
            })
        });
        job.await.unwrap();
        other.close().await;
    });
    holds.await.unwrap();
    (let_go, task)
}

async fn status(city: &City, path: &str) -> StatusCode {
    let request = Request::get(path).header(header::HOST, "city.test").body(Body::empty()).unwrap();
    city.router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn while_nothing_can_be_written_pages_say_so_and_keep_what_was_typed() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    admin.get("/registers/asset/new").await;
    assert_eq!(status(&city, "/readyz").await, StatusCode::OK);
    let (let_go, held) = held(&database(&city)).await;
    let fields = asset("Q-1", "名簿 <b>「髙」</b>", "21");
    let mut stranger = Browser::new(&city);
    // At the same time: each waits long for the database.
    let (page, login) =
        tokio::join!(admin.post("/registers/asset/new", &fields), stranger.enter("admin", PASSWORD));
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
    assert!(page.headers.contains_key(header::RETRY_AFTER));
    assert!(
        page.text.contains("今の操作は記録されていません") && page.text.contains("もう一度送る"),
        "{}",
        page.text
    );
    assert!(page.text.contains("名簿 &#60;b&#62;「髙」&#60;/b&#62;"), "{}", page.text);
    assert!(!page.text.contains("<b>「髙」"));
    // A login that cannot be recorded gives no password back.
    assert_eq!(login.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!login.text.contains(PASSWORD) && !login.text.contains("もう一度送る"), "{}", login.text);
    // Reading goes on; the process lives, but a balancer sends people elsewhere.
    assert_eq!(admin.get("/registers").await.status, StatusCode::OK);
    assert_eq!(status(&city, "/healthz").await, StatusCode::OK);
    assert_eq!(status(&city, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    let found = admin.get("/system").await;
    assert!(found.text.contains("データベースへの書込み"), "{}", found.text);
    // The cause gone, the probe of the balancer finds out by itself; what the page holds is sent as it stands.
    let_go.send(()).unwrap();
    held.await.unwrap();
    assert_eq!(status(&city, "/readyz").await, StatusCode::OK);
    let held: Vec<(&str, &str)> = [("csrf", admin.csrf.as_str())].into_iter().chain(fields).collect();
    let page = admin.post_raw("/registers/asset/new", &encode(&held), "http://city.test").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
}

#[tokio::test]
async fn the_password_of_a_proof_does_not_come_back() {
    let city = City::settled().await;
    let admin = city.browser(ADMIN).await;
    // Old enough that privileged work asks again, and that a request writes when it was made.
    city.clock.set(city.clock.now().plus_millis(16 * 60_000));
    let (let_go, held) = held(&database(&city)).await;
    let fields = [("person", "P1002"), ("role", "髙い役割"), ("proof", PASSWORD)];
    // At the same time: each waits long for the database.
    let code = [("code", "123456"), ("do", "confirm")];
    let (page, login, factor) = tokio::join!(
        admin.post("/accounts/roles", &fields),
        admin.post("/login/code", &code),
        admin.post("/account/second-factor", &code),
    );
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
    assert!(page.text.contains("もう一度送る") && page.text.contains("髙い役割"), "{}", page.text);
    assert!(!page.text.contains(PASSWORD) && !page.text.contains("name=\"proof\""), "{}", page.text);
    for page in [login, factor] {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!page.text.contains("123456"), "{}", page.text);
        // A page that may not be kept gives nothing back: none is said to.
        assert!(page.text.contains("残っていません") && !page.text.contains("残っています"), "{}", page.text);
    }
    let_go.send(()).unwrap();
    held.await.unwrap();
}
