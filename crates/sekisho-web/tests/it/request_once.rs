//! Double sending: a program's request under a key, and the form of the bulk change, are carried out once, one after the other, side by side and on two nodes.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_MANAGER};

const ROWS: &str = "/api/v1/registers/asset/rows";
const KEPT: &str = "SELECT COUNT(*) FROM request_once";
const NEW_ROWS: &str = "SELECT COUNT(*) FROM register_change WHERE before_row IS NULL AND register = 'asset'";

/// A row to add.
pub fn row(number: &str) -> Value {
    let fields = crate::city::asset(number, "二度送られる名簿", "21");
    let values: serde_json::Map<String, Value> =
        fields.into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
    json!({ "values": values })
}

/// Sends under keys, as many headers as there are.
pub async fn send(b: &Browser, path: &str, keys: &[&str], body: &Value) -> Page {
    let mut request = Request::builder()
        .method("POST")
        .uri(path)
        .header(header::HOST, "city.test")
        .header(header::COOKIE, &b.cookie)
        .header("x-csrf-token", &b.csrf);
    for key in keys {
        request = request.header("Idempotency-Key", *key);
    }
    b.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn code(page: &Page) -> String {
    let v: Value = serde_json::from_str(&page.text).unwrap();
    v["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_same_request_under_the_same_key_is_carried_out_once() {
    let city = City::settled().await;
    let manager = city.browser(MANAGER).await;
    let rows = city.count(NEW_ROWS).await;
    let first = send(&manager, ROWS, &["k-1"], &row("K-1")).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let before = city.written().await;
    let again = send(&manager, ROWS, &["k-1"], &row("K-1")).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text), "the first answer, word for word");
    assert_eq!(again.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(city.written().await, before, "and nothing is done");
    assert_eq!(city.count(NEW_ROWS).await, rows + 1);

    // Something else under the key, and the same elsewhere.
    for (path, body) in [(ROWS, row("K-2")), ("/api/v1/registers/media/rows", row("K-1"))] {
        let other = send(&manager, path, &["k-1"], &body).await;
        assert_eq!(
            (other.status, code(&other).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "A008"),
            "{path}"
        );
        assert!(other.text.contains("別の内容"), "{}", other.text);
    }
    assert_eq!(city.written().await, before);

    // The key of one person is nothing to another; both may make what they may.
    let admin = city.browser(ADMIN).await;
    let theirs = send(&admin, ROWS, &["k-1"], &row("K-3")).await;
    assert_eq!(theirs.status, StatusCode::OK, "{}", theirs.text);
    let wrong = send(&city.browser(OTHER_MANAGER).await, ROWS, &["k-1"], &row("K-1")).await;
    assert!(
        !wrong.text.contains("二度送られる名簿") && wrong.status == StatusCode::FORBIDDEN,
        "{}",
        wrong.text
    );
    assert_eq!(city.count(KEPT).await, 2, "what was refused keeps no key");

    // Without the header it is another request each time; the number is taken.
    let twice = send(&manager, ROWS, &[], &row("K-1")).await;
    assert_eq!((twice.status, code(&twice).as_str()), (StatusCode::CONFLICT, "A005"));

    // A refused request changed nothing: it is corrected under the same key.
    let wrong = send(&manager, ROWS, &["k-4"], &json!({"values": {"number": "K-4"}})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send(&manager, ROWS, &["k-4"], &row("K-4")).await.status, StatusCode::OK);

    // What answers with nothing answers with nothing again.
    let read = "/api/v1/notifications/read";
    for _ in 0..2 {
        let page = send(&manager, read, &["k-5"], &Value::Null).await;
        assert_eq!((page.status, page.text.as_str()), (StatusCode::NO_CONTENT, ""));
    }

    // Keys that are none. Nobody's session knows any key.
    let longest = "k".repeat(255);
    assert_eq!(send(&manager, ROWS, &[&longest], &row("K-6")).await.status, StatusCode::OK);
    let written = city.written().await;
    for keys in [&["k".repeat(256).as_str()][..], &[""], &["a b"], &["x", "y"]] {
        let page = send(&manager, ROWS, keys, &row("K-7")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{keys:?}");
        assert!(page.text.contains("Idempotency-Key"), "{}", page.text);
    }
    let nobody = send(&Browser::new(&city), ROWS, &["k-1"], &row("K-1")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let mut foreign = manager.clone();
    foreign.csrf = admin.csrf.clone();
    assert_eq!(send(&foreign, ROWS, &["k-1"], &row("K-1")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(city.written().await, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sendings_side_by_side_are_one_act_and_one_answer() {
    let city = City::settled().await;
    let (manager, mut clerk) = (city.browser(MANAGER).await, city.browser(CLERK).await);
    for round in 0..5 {
        let rows = city.count(NEW_ROWS).await;
        let (key, body) = (format!("p-{round}"), row(&format!("P-{round}")));
        let keys = [key.as_str()];
        let (a, b, c) = tokio::join!(
            send(&manager, ROWS, &keys, &body),
            send(&manager, ROWS, &keys, &body),
            send(&manager, ROWS, &keys, &body)
        );
        for page in [&a, &b, &c] {
            assert_eq!((page.status, &page.text), (StatusCode::OK, &a.text), "round {round}");
        }
        assert_eq!(city.count(NEW_ROWS).await, rows + 1, "round {round}");
    }
    // What nothing but the key would keep apart: two applications in the same words.
    let item = crate::acts::item(&mut clerk, "A-001").await;
    let values: serde_json::Map<String, Value> = crate::acts::application("21-s", &item)
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "do" | "post"))
        .map(|(name, v)| (name.to_owned(), json!(v)))
        .collect();
    let body = json!({"post": "21-s", "values": values});
    let path = "/api/v1/procedures/take_out/cases";
    let (a, b) = tokio::join!(send(&clerk, path, &["case"], &body), send(&clerk, path, &["case"], &body));
    assert_eq!((a.status, &a.text), (StatusCode::OK, &b.text));
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 1);
    assert_eq!(send(&clerk, path, &["case-2"], &body).await.status, StatusCode::OK);
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 2, "another key is another application");
}

#[tokio::test]
async fn a_key_is_known_for_a_day_and_then_forgotten() {
    let city = City::settled().await;
    let manager = city.browser(MANAGER).await;
    assert_eq!(send(&manager, ROWS, &["old"], &row("O-1")).await.status, StatusCode::OK);
    city.office.forget_requests().await.unwrap();
    assert_eq!(city.count(KEPT).await, 1, "not yet");
    city.turn_to("2026-11-26", 23).await;
    city.office.forget_requests().await.unwrap();
    assert_eq!(city.count(KEPT).await, 0);
    let manager = city.browser(MANAGER).await;
    assert_eq!(send(&manager, ROWS, &["old"], &row("O-2")).await.status, StatusCode::OK, "the key is free");
}

/// What a process leaves that died between the act and its answer: the key is refused, and the act is not done again.
#[tokio::test]
async fn a_key_whose_answer_was_lost_is_refused_and_nothing_is_done_twice() {
    let city = City::settled().await;
    let manager = city.browser(MANAGER).await;
    assert_eq!(send(&manager, ROWS, &["lost"], &row("L-1")).await.status, StatusCode::OK);
    let lose = "UPDATE request_once SET status = 0, answer = ''";
    city.office
        .store
        .write(move |c| {
            Box::pin(async move { c.exec(lose, vec![]).await.map_err(sekisho_app::AppError::from) })
        })
        .await
        .unwrap();
    let before = city.written().await;
    let page = send(&manager, ROWS, &["lost"], &row("L-1")).await;
    assert_eq!((page.status, code(&page).as_str()), (StatusCode::CONFLICT, "A009"), "{}", page.text);
    assert!(page.headers.contains_key(header::RETRY_AFTER) && page.text.contains("確かめてください"));
    assert_eq!(city.written().await, before);
}

#[tokio::test]
async fn every_operation_that_makes_something_says_so_in_the_document() {
    let city = City::settled().await;
    let page = city.browser(CLERK).await.get("/api/v1/openapi.json").await;
    let d: Value = serde_json::from_str(&page.text).unwrap();
    let mut posts = 0;
    for item in d["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            let named =
                |p: &Value| p["name"] == "Idempotency-Key" && p["in"] == "header" && p["required"] == false;
            let says = operation["parameters"].as_array().unwrap().iter().any(named);
            assert_eq!(says, method == "post", "{operation}");
            posts += usize::from(says);
        }
    }
    assert!(posts > 8, "{posts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bulk_change_is_applied_for_once_however_often_its_form_is_sent() {
    const PATH: &str = "/bulk/reclassification";
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let plan = crate::bulk::dry_run(&mut clerk, "A-001", "2").await;
    let (shown, once) = (hidden(&plan.text, "shown"), hidden(&plan.text, "once"));
    let mut fields = crate::bulk::form("A-001", "2");
    fields.extend([("do", "apply"), ("shown", shown.as_str()), ("once", once.as_str())]);
    let (a, b) = tokio::join!(clerk.post(PATH, &fields), clerk.post(PATH, &fields));
    assert_eq!((a.status, b.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER), "{} {}", a.text, b.text);
    assert_eq!(a.location(), b.location());
    assert_eq!(clerk.post(PATH, &fields).await.location(), a.location(), "also later");
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 1);
    // The same form filled in otherwise is another application, and the mark is nobody else's.
    let stranger = city.browser(OTHER_MANAGER).await.post(PATH, &fields).await;
    assert!(stranger.status != StatusCode::SEE_OTHER, "{}", stranger.location());
    let mut other = crate::bulk::form("A-002", "2");
    let plan = crate::bulk::dry_run(&mut clerk, "A-002", "2").await;
    let shown = hidden(&plan.text, "shown");
    other.extend([("do", "apply"), ("shown", shown.as_str()), ("once", once.as_str())]);
    let c = clerk.post(PATH, &other).await;
    assert_eq!(c.status, StatusCode::SEE_OTHER, "{}", c.text);
    assert_ne!(c.location(), a.location());
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 2);
}
