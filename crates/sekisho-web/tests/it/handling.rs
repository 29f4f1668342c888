//! 「これはできますか」: as page and as JSON, with what each person may see.

use axum::http::{StatusCode, header};
use serde_json::Value;

use crate::browser::{Browser, Page, encode};
use crate::city::{CLERK, City, MANAGER, OTHER_CLERK, asset, row_id};

fn json(page: &Page) -> Value {
    let kind = if page.status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(page.headers[header::CONTENT_TYPE], kind, "{}", page.text);
    serde_json::from_str(&page.text).unwrap()
}

async fn ask(b: &mut Browser, fields: &[(&str, &str)]) -> Value {
    let page = b.get(&format!("/api/v1/handling?{}", encode(fields))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    json(&page)
}

#[tokio::test]
async fn the_page_answers_with_reasons_clauses_and_the_right_form() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    assert!(b.get("/").await.text.contains("href=\"/handling\""), "home leads to it");
    let first = b.get("/handling").await;
    assert!(!first.text.contains("答え："), "nothing is answered before something was asked");
    let nothing = "何をしたいかを選んでください";
    assert!(b.get("/handling?do=answer&act=").await.text.contains(nothing) && !first.text.contains(nothing));
    assert!(
        !b.get(&format!("/handling?act=&{}", encode(&[("words", "記録票")]))).await.text.contains(nothing)
    );
    let id = row_id(&mut b, "asset", "A-001").await;
    let question = encode(&[("act", "carry_out"), ("device", "issued"), ("item", &format!("asset/{id}"))]);
    let page = b.get(&format!("/handling?{question}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for wanted in [
        "<strong>許可が必要</strong>".to_owned(),
        "href=\"/clauses/5.1.1.3.イ\"".to_owned(),
        format!("href=\"/apply/take_out?item=asset/{id}\""),
        "機密性3B".to_owned(),
        "A-001 要介護認定の名簿".to_owned(),
    ] {
        assert!(page.text.contains(&wanted), "{wanted} in {}", page.text);
    }
    assert!(!page.text.contains("分からないので"), "everything the rules ask about is known");
    let form = b.get(&format!("/apply/take_out?item=asset/{id}")).await;
    assert!(form.text.contains(&format!("value=\"asset/{id}\" checked")), "the form has the thing already");
    let found = b.get(&format!("/handling?{}", encode(&[("words", "記録票")]))).await;
    assert!(found.text.contains("A-002 訪問調査の記録票"), "found by a word of its name");
}

#[tokio::test]
async fn mixed_contents_take_the_highest_class_and_say_why() {
    let city = City::settled().await;
    let manager = city.browser(MANAGER).await;
    let mut low = asset("A-010", "広報の原稿", "21");
    for (name, value) in &mut low {
        match *name {
            "confidentiality" | "integrity" | "availability" => *value = "1",
            _ => {}
        }
    }
    assert_eq!(manager.post("/registers/asset/new", &low).await.status, StatusCode::SEE_OTHER);
    let mut b = city.browser(CLERK).await;
    let alone = ask(&mut b, &[("act", "send"), ("device", "issued"), ("item", "A-010")]).await;
    assert_eq!(alone["outcome"], "allowed");
    let mixed =
        ask(&mut b, &[("act", "send"), ("device", "issued"), ("item", "A-010"), ("item", "A-001")]).await;
    assert_eq!(mixed["outcome"], "allowed_with");
    assert_eq!(mixed["class"][0]["codes"], serde_json::json!(["3B"]));
    assert_eq!(mixed["class"][0]["because"], serde_json::json!(["A-001 要介護認定の名簿"]));
    let by_hand =
        [("act", "publish"), ("device", "issued"), ("item", "A-010"), ("class.confidentiality", "2")];
    assert_eq!(ask(&mut b, &by_hand).await["outcome"], "prohibited", "the class picked by hand counts too");
}

#[tokio::test]
async fn what_is_unknown_is_taken_at_its_strictest_and_named() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let answer = ask(&mut b, &[("act", "send"), ("class.confidentiality", "1")]).await;
    assert_eq!(answer["outcome"], "prohibited");
    let unknown: Vec<&str> =
        answer["unknown"].as_array().unwrap().iter().map(|u| u["code"].as_str().unwrap()).collect();
    assert_eq!(unknown, ["device", "zone"]);
    let page = b.get("/handling?act=send&class.confidentiality=1").await;
    assert!(
        page.text.contains("どの端末を使うか") && page.text.contains("どの領域にあるか"),
        "{}",
        page.text
    );
    assert!(page.text.contains("禁じられているため"), "no form is offered for what is prohibited");
}

#[tokio::test]
async fn rows_of_another_section_cannot_be_asked_about() {
    let city = City::settled().await;
    let mut own = city.browser(CLERK).await;
    let id = row_id(&mut own, "asset", "A-001").await;
    let mut other = city.browser(OTHER_CLERK).await;
    for item in ["A-001".to_owned(), format!("asset/{id}")] {
        let query = encode(&[("act", "send"), ("item", &item)]);
        let page = other.get(&format!("/handling?{query}")).await;
        assert!(
            page.text.contains("あなたの所属からは見えません") && !page.text.contains("要介護認定"),
            "{}",
            page.text
        );
        let page = other.get(&format!("/api/v1/handling?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = &json(&page);
        assert_eq!((&error["code"], &error["fields"][0]["field"]), (&"A001".into(), &"item".into()));
    }
    let found = other.get(&format!("/handling?{}", encode(&[("words", "要介護")]))).await;
    assert!(!found.text.contains("A-001"), "nor are they found");
}

#[tokio::test]
async fn errors_of_the_interface_are_json_with_stable_codes() {
    let city = City::settled().await;
    let mut nobody = Browser::new(&city);
    let page = nobody.get("/api/v1/handling?act=send").await;
    assert_eq!((page.status, &json(&page)["code"]), (StatusCode::UNAUTHORIZED, &"A004".into()));
    let mut b = city.browser(CLERK).await;
    let wrong = [("act", "fly"), ("zone", "moon"), ("class.confidentiality", "9"), ("class.taste", "1")];
    let page = b.get(&format!("/api/v1/handling?{}", encode(&wrong))).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = json(&page);
    let fields: Vec<&str> =
        error["fields"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["act", "zone", "class.confidentiality", "class.taste"]);
    assert!(error["fields"][0]["message"].as_str().unwrap().contains("send（送信する）"), "{error}");
    let page = b.get("/api/v1/nothing").await;
    assert_eq!((page.status, &json(&page)["code"]), (StatusCode::NOT_FOUND, &"A003".into()));
}
