//! Several cases at once from the inbox: only where the pack allows it, each with the content that was shown, each one act.

use axum::http::StatusCode;

use crate::acts::{application, apply, done, item, returned};
use crate::browser::{Browser, Page, hidden};
use crate::city::{CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER};

/// Take-outs of 高齢福祉課 that came back and wait to be confirmed.
async fn returned_cases(city: &City) -> Vec<String> {
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let mut cases = Vec::new();
    for number in ["A-001", "A-002"] {
        let key = item(&mut clerk, number).await;
        let case = apply(&mut clerk, &application("21-s", &key)).await;
        done(&mut manager, &case, "permit", &[]).await;
        done(&mut clerk, &case, "perform", &returned("R8.11.25")).await;
        cases.push(case);
    }
    cases
}

/// What the boxes of the inbox carry.
fn boxes(page: &Page) -> Vec<String> {
    let found = page.text.split("name=\"task\" value=\"").skip(1);
    found.map(|b| b.split('"').next().unwrap().to_owned()).collect()
}

async fn closed(b: &mut Browser, case: &str) -> bool {
    b.get(case).await.text.contains("<span class=\"tag done\">完了")
}

#[tokio::test]
async fn chosen_cases_are_done_one_by_one_and_the_refused_one_is_named() {
    let city = City::settled().await;
    let cases = returned_cases(&city).await;
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get("/inbox").await;
    let values = boxes(&page);
    assert_eq!(values.len(), 2, "{}", page.text);
    assert!(page.text.contains("認定調査での本人確認"), "what is decided on is on the page");
    let nothing = manager.post("/inbox", &[]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text.contains("選んでください"));

    let acts = city.count("SELECT COUNT(*) FROM case_act WHERE kind = 'decided'").await;
    let entries = city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.decided'").await;
    let stale = format!("{}0", values[1]);
    let tasks = [
        ("task", values[0].as_str()),
        ("task", values[0].as_str()),
        ("task", stale.as_str()),
        ("says", "確かめた"),
    ];
    let page = manager.post("/inbox", &tasks).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    let told = page.text.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(told.contains("1件を処理しました") && told.matches("<li>").count() == 1, "{told}");
    let (first, second) = if values[0].starts_with(cases[0].trim_start_matches("/cases/")) {
        (&cases[0], &cases[1])
    } else {
        (&cases[1], &cases[0])
    };
    assert!(told.contains(second.as_str()), "the one with another content is named: {told}");
    assert!(closed(&mut manager, first).await && !closed(&mut manager, second).await);
    assert_eq!(city.count("SELECT COUNT(*) FROM case_act WHERE kind = 'decided'").await, acts + 1);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.decided'").await,
        entries + 1
    );
    let page = manager.post("/inbox", &[("task", values[1].as_str())]).await;
    assert_eq!(page.location(), "/inbox?done=together", "{}", page.text);
    assert!(closed(&mut manager, second).await);
    let again = manager.post("/inbox", &[("task", values[1].as_str())]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "a second time it is refused");
}

#[tokio::test]
async fn a_form_gives_nobody_a_right_and_no_step_a_way_around_the_pack() {
    let city = City::settled().await;
    returned_cases(&city).await;
    let mut manager = city.browser(MANAGER).await;
    let values = boxes(&manager.get("/inbox").await);
    for wrong in [CLERK, OTHER_CLERK, OTHER_MANAGER] {
        let b = city.browser(wrong).await;
        let before = city.written().await;
        let page = b.post("/inbox", &[("task", values[0].as_str())]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert_eq!(city.written().await, before, "{wrong} wrote something");
    }
    // A permit is not among what the pack lets be decided together: neither offered nor accepted.
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let mut fields = application("21-s", &key);
    fields.retain(|(n, _)| *n != "return_by");
    fields.push(("return_by", "R8.11.30"));
    let case = apply(&mut clerk, &fields).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    let id = case.trim_start_matches("/cases/");
    let page = manager.get("/inbox").await;
    assert!(page.text.contains(id) && boxes(&page).iter().all(|b| !b.starts_with(id)), "{}", page.text);
    let before = city.written().await;
    let page = manager.post("/inbox", &[("task", &format!("{id}|permit|{shown}"))]).await;
    assert!(page.text.contains("まとめて行えません"), "{}", page.text);
    for broken in ["", "x", "a|b", "||", &format!("{id}|nonsense|{shown}")] {
        let page = manager.post("/inbox", &[("task", broken)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{broken}");
    }
    let many: Vec<(&str, &str)> = (0..51).map(|_| ("task", values[0].as_str())).collect();
    assert!(manager.post("/inbox", &many).await.text.contains("50件まで"));
    assert_eq!(city.written().await, before);
}
