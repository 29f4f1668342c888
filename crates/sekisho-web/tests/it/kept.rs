//! A session that ends in the middle of typing: what was typed comes back, to be sent again by whoever is logged in then, and only from our
//! own pages. What is secret does not come back.

use axum::http::StatusCode;

use crate::acts::{application, item};
use crate::browser::{Browser, Page, encode, hidden};
use crate::city::{CLERK, City, MANAGER, PASSWORD, at};

const OWN: &str = "http://city.test";

/// Every hidden field of the form that a page carries along.
fn carried(page: &Page, action: &str) -> Vec<(String, String)> {
    let form =
        page.text.split(&format!("action=\"{action}\">")).nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let form = form.split("</form>").next().unwrap();
    let names = form.split("type=\"hidden\" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    names.map(|name| (name.to_owned(), hidden(form, name))).collect()
}

async fn send(b: &Browser, path: &str, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    b.post_raw(path, &encode(&fields), OWN).await
}

#[tokio::test]
async fn what_was_typed_outlives_the_session() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    clerk.get("/apply/take_out").await;
    let mut fields = application("21-s", &key);
    fields.push(("do", "apply"));
    // Lunch, and a meeting.
    city.clock.set(at("2026-11-25", 13));
    let before = city.written().await;
    let ended = clerk.post("/apply/take_out", &fields).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{}", ended.text);
    assert!(ended.text.contains("ログインが切れました") && ended.text.contains("認定調査での本人確認"));
    assert!(ended.text.contains("href=\"/login?next=/login/again\""), "{}", ended.text);
    assert!(!ended.text.contains(&clerk.csrf), "the old token is of no use any more");
    let held = carried(&ended, "/apply/take_out");
    // Pressed before the login, nothing is lost either.
    let again = send(&clerk, "/apply/take_out", &held).await;
    assert_eq!((again.status, carried(&again, "/apply/take_out")), (StatusCode::UNAUTHORIZED, held.clone()));
    assert_eq!(city.written().await, before, "nothing is carried out");

    let mut tab = clerk.clone();
    assert_eq!(tab.enter(&format!("u{CLERK}"), PASSWORD).await.status, StatusCode::SEE_OTHER);
    let done = tab.get("/login/again").await;
    assert!(done.text.contains("元の画面に戻って「続ける」を押してください"), "{}", done.text);
    clerk.cookie = tab.cookie.clone();
    let asked = send(&clerk, "/apply/take_out", &held).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    assert!(asked.text.contains("としてログインしています"), "{}", asked.text);
    let sent = send(&clerk, "/apply/take_out", &carried(&asked, "/apply/take_out")).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    assert!(sent.location().ends_with("?done=applied"));
}

#[tokio::test]
async fn another_person_sends_as_themselves_or_not_at_all_and_strangers_get_nothing_back() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let mut fields = application("21-s", &key);
    fields.extend([("do", "apply"), ("csrf", "earlier")]);
    let body = encode(&fields);
    // The manager has logged in on the clerk's machine meanwhile: the page says as whom, and the clerk's post is not theirs.
    let manager = city.browser(MANAGER).await;
    let asked = manager.post_raw("/apply/take_out", &body, OWN).await;
    let sender = asked.text.split("今は<strong>").nth(1).unwrap().split("</strong>").next().unwrap();
    assert!(sender.contains("課長"), "{sender}");
    let before = city.written().await;
    let refused = send(&manager, "/apply/take_out", &carried(&asked, "/apply/take_out")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert!(refused.text.contains("今日在職している職から選んでください"), "{}", refused.text);
    assert!(
        refused.text.contains("認定調査での本人確認"),
        "a refusal too leaves what was typed: {}",
        refused.text
    );
    assert_eq!(city.written().await, before);
    // From another site neither the text nor a token of the session comes back.
    let foreign = manager.post_raw("/apply/take_out", &body, "https://elsewhere.example").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert!(!foreign.text.contains("認定調査") && !foreign.text.contains(&manager.csrf));
    let foreign = Browser::new(&city).post_raw("/apply/take_out", &body, "https://elsewhere.example").await;
    assert!(foreign.status == StatusCode::SEE_OTHER && foreign.text.is_empty());
}

#[tokio::test]
async fn secrets_do_not_come_back_and_a_logout_asks_nothing() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/password").await;
    city.clock.set(at("2026-11-25", 13));
    let typed = [("old", PASSWORD), ("new", "とても長い新しい合言葉です"), ("again", "x")];
    let page = clerk.post("/password", &typed).await;
    assert!(page.status == StatusCode::SEE_OTHER && page.location().starts_with("/login"), "{}", page.text);
    assert!(page.text.is_empty());
    let page = clerk.post("/organization/account", &[("person", "1"), ("proof", "ひみつの言葉")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(!page.text.contains("ひみつの言葉"), "{}", page.text);
    // The session is over already: whoever wants to leave is told nothing else, and comes home at the next login.
    assert_eq!(clerk.post("/logout", &[]).await.location(), "/login");
}

#[tokio::test]
async fn files_that_were_chosen_are_asked_for_again_before_anything_is_decided() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let mut fields = application("21-s", &key);
    fields.push(("do", "apply"));
    city.clock.set(at("2026-11-25", 13));
    let ended = clerk.upload("/apply/take_out", &fields, "計画.pdf", b"%PDF-1.7 a plan").await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{}", ended.text);
    assert!(ended.text.contains("選んだファイル（計画.pdf）は残っていません"), "{}", ended.text);
    clerk.enter(&format!("u{CLERK}"), PASSWORD).await;
    let asked = send(&clerk, "/apply/take_out", &carried(&ended, "/apply/take_out")).await;
    let form = send(&clerk, "/apply/take_out", &carried(&asked, "/apply/take_out")).await;
    assert_eq!(form.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", form.text);
    assert!(form.text.contains("計画.pdf") && form.text.contains("認定調査での本人確認"), "{}", form.text);
    // Without the file it goes on only by the form itself.
    clerk.get("/").await;
    assert!(clerk.post("/apply/take_out", &fields).await.location().ends_with("?done=applied"));
}

#[tokio::test]
async fn a_stranger_sends_no_more_than_a_form_holds() {
    let city = City::settled().await;
    let mut stranger = Browser::new(&city);
    stranger.csrf = "earlier".to_owned();
    // A big file is read past: its name comes back.
    let big = vec![b'x'; 2 * 1024 * 1024];
    let page = stranger.upload("/apply/take_out", &[("purpose", "確認")], "計画.pdf", &big).await;
    assert!(page.status == StatusCode::UNAUTHORIZED && page.text.contains("計画.pdf"), "{}", page.text);
    let long = "あ".repeat(200_000);
    let page = stranger.upload("/apply/take_out", &[("purpose", &long)], "計画.pdf", b"x").await;
    assert!(page.status == StatusCode::SEE_OTHER && page.location().starts_with("/login"), "{}", page.status);
}
