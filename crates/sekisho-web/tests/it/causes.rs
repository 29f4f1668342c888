//! Cases that nobody applied for: a check that stays broken, a duty that is late, a person who leaves with something on loan.

use axum::http::StatusCode;

use crate::acts::{application, apply, done, forge, item, press, refusal, returned};
use crate::browser::Browser;
use crate::city::{
    ADMIN, CLERK, City, DEPUTY, DIRECTOR, HEAD, MANAGER, OTHER_CLERK, OTHER_MANAGER, line_with,
};
use crate::proposals::import_organization;

/// The asset goes out and is not brought back in time.
pub async fn goes_out(city: &City, return_by: &str) -> String {
    let (mut clerk, mut manager) = (city.browser(CLERK).await, city.browser(MANAGER).await);
    let key = item(&mut clerk, "A-001").await;
    let fields = crate::acts::changed(&application("21-s", &key), &[("return_by", return_by)]);
    let case = apply(&mut clerk, &fields).await;
    done(&mut manager, &case, "permit", &[]).await;
    done(&mut clerk, &case, "move_out", &[]).await;
    case
}

/// Address of the newest case with a word in its line; empty when there is none.
async fn case_with(b: &mut Browser, word: &str) -> String {
    let page = b.get("/cases").await;
    let line = line_with(&page, word);
    line.split("href=\"/cases/")
        .nth(1)
        .map_or(String::new(), |rest| format!("/cases/{}", rest.split('"').next().unwrap()))
}

const OPENED: &str = "SELECT COUNT(*) FROM case_file WHERE procedure = 'corrective_action'";
const PLAN: [(&str, &str); 3] = [
    ("e.why", "返却日を誤って覚えていた"),
    ("e.measure", "返却日を予定表に入れる"),
    ("e.fix_by", "R8.12.20"),
];
const FIXED: [(&str, &str); 3] =
    [("e.fixed_on", "R8.12.9"), ("e.done", "予定表に入れた"), ("e.elsewhere", "none")];

#[tokio::test]
async fn what_stays_broken_is_put_right_in_a_case_of_its_own() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    let cause = goes_out(&city, "R8.11.27").await;
    city.turn_to("2026-11-28", 9).await;
    assert_eq!(city.count(OPENED).await, 0, "five business days to put it right without a case");
    city.turn_to("2026-12-08", 9).await;
    city.turn_to("2026-12-09", 9).await;
    assert_eq!(city.count(OPENED).await, 1, "once for one violation");

    let mut manager = city.browser(MANAGER).await;
    assert!(manager.get("/").await.text.contains("是正-R8-0001"), "it waits for the section's manager");
    let case = case_with(&mut manager, "是正-R8-0001").await;
    let page = manager.get(&case).await;
    assert!(page.text.contains("まだ解消していません"), "{}", page.text);
    let title = page.text.split("<h1").nth(1).unwrap().split("</h1>").next().unwrap();
    assert!(
        title.contains("是正（") && title.contains("持出-R8-0001"),
        "the list says what it is about: {title}"
    );
    assert!(page.text.contains(&format!("<dd><a href=\"{cause}\">持出-R8-0001")), "{}", page.text);
    let shown = crate::browser::hidden(page.form("perform"), "shown");
    for wrong in [CLERK, DEPUTY, DIRECTOR, HEAD] {
        let b = city.browser(wrong).await;
        let forged = forge(&b, &case, "perform", "plan", &shown).await;
        assert!(forged.status.is_client_error(), "{wrong}");
    }
    for stranger in [OTHER_CLERK, OTHER_MANAGER] {
        assert_eq!(city.browser(stranger).await.get(&case).await.status, StatusCode::NOT_FOUND, "{stranger}");
    }
    let mut clerk = city.browser(CLERK).await;
    assert_eq!(clerk.get("/apply/corrective_action").await.status, StatusCode::NOT_FOUND);
    assert!(!clerk.get("/").await.text.contains("/apply/corrective_action"), "nobody applies for it");
    let forged = clerk.post("/apply/corrective_action", &[("do", "apply"), ("post", "21-s")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(refusal(&forged).contains("自動で始まります"), "{}", refusal(&forged));

    done(&mut manager, &case, "perform", &PLAN).await;
    let page = manager.get(&case).await;
    assert!(line_with(&page, "是正の実施").contains("R8.12.20"), "the date that was set is a deadline");
    done(&mut manager, &case, "perform", &FIXED).await;
    assert!(!manager.get(&case).await.offers("permit"), "nobody approves the own work");
    let mut director = city.browser(DIRECTOR).await;
    let page = director.get(&case).await;
    assert!(page.form("send_back").contains("「是正の実施」へ差し戻す"), "{}", page.form("send_back"));
    done(&mut director, &case, "send_back", &[("says", "まだ戻っていません")]).await;
    done(&mut manager, &case, "perform", &FIXED).await;
    done(&mut director, &case, "permit", &[("e.effective", "1")]).await;
    let page = director.get(&case).await;
    assert!(page.text.contains("統括情報セキュリティ責任者の専決"), "{}", page.text);
    assert!(page.text.contains("まだ解消していません"), "approving does not make it so");
    let pdf = director.get(&format!("{case}/permit.pdf")).await;
    assert_eq!((pdf.status, &pdf.bytes[..5]), (StatusCode::OK, &b"%PDF-"[..]), "{}", pdf.text);
    let mut head = city.browser(HEAD).await;
    done(&mut head, &case, "read", &[]).await;

    // The case ended, its cause did not: the next one says so, and ends when the thing is back.
    city.turn_to("2026-12-10", 9).await;
    assert_eq!(city.count(OPENED).await, 2);
    let (mut manager, mut clerk) = (city.browser(MANAGER).await, city.browser(CLERK).await);
    let next = case_with(&mut manager, "是正-R8-0002").await;
    let page = manager.get(&next).await;
    assert!(page.text.contains("是正-R8-0001 を終えた後も解消していません"), "{}", page.text);
    done(&mut clerk, &cause, "perform", &returned("R8.12.10")).await;
    assert!(manager.get(&next).await.text.contains("<strong>解消しました。</strong>"));
    city.turn_to("2026-12-11", 9).await;
    assert_eq!(city.count(OPENED).await, 2);
}

#[tokio::test]
async fn a_duty_nobody_did_opens_a_case_in_its_section() {
    let city = City::settled().await;
    sekisho_app::duties::run_day(&city.office).await.unwrap();
    city.turn_to("2027-04-02", 9).await;
    assert_eq!(city.count(OPENED).await, 0);
    city.turn_to("2027-04-12", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let mine = case_with(&mut manager, "是正-R9-").await;
    let page = manager.get(&mine).await;
    assert!(page.text.contains("是正（情報資産の棚卸しの遅れ）"), "{}", page.text);
    assert!(
        page.text.contains("「情報資産の棚卸し」が期限（令和9年3月31日）までに行われていません"),
        "{}",
        page.text
    );
    let duty = page.text.split("<dd><a href=\"/duties/asset_inventory/").nth(1).unwrap().split('"').next();
    let duty = format!("/duties/asset_inventory/{}", duty.unwrap());
    assert_eq!(city.browser(OTHER_MANAGER).await.get(&mine).await.status, StatusCode::NOT_FOUND);
    manager.get(&duty).await;
    let fields = [("e.checked_on", "R9.4.12"), ("e.checked", "2"), ("e.differences", "なし")];
    let recorded = manager.post(&duty, &fields).await;
    assert_eq!(recorded.status, StatusCode::SEE_OTHER, "{}", recorded.text);
    assert!(manager.get(&mine).await.text.contains("<strong>解消しました。</strong>"));
}

#[tokio::test]
async fn whoever_leaves_with_something_on_loan_is_asked_for_it() {
    let city = City::settled().await;
    let cause = goes_out(&city, "R9.1.29").await;
    let leaves = "職員番号,職コード,本務/兼務,開始日,終了日\r\n1001,21-s,本務,R8.4.1,R8.12.11\r\n";
    import_organization(&city, "退職.csv", leaves.as_bytes()).await;
    let opened = "SELECT COUNT(*) FROM case_file WHERE procedure = 'transfer'";
    assert_eq!(city.count(opened).await, 1);
    city.turn_to("2026-11-26", 9).await;
    assert_eq!(city.count(opened).await, 1, "once for one person");

    let mut manager = city.browser(MANAGER).await;
    let case = case_with(&mut manager, "異動-R8-0001").await;
    let page = manager.get(&case).await;
    for words in
        ["退職・離任（令和8年12月11日まで）", "A-001 要介護認定の名簿（持出-R8-0001）", "（髙橋 花子）"]
    {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(line_with(&page, "返却の確認").contains("R8.12.11"));
    let shown = crate::browser::hidden(page.form("perform"), "shown");
    for wrong in [CLERK, ADMIN, DIRECTOR] {
        let forged = forge(&city.browser(wrong).await, &case, "perform", "collect", &shown).await;
        assert!(forged.status.is_client_error(), "{wrong}");
    }
    assert_eq!(city.browser(OTHER_MANAGER).await.get(&case).await.status, StatusCode::NOT_FOUND);
    let mut clerk = city.browser(CLERK).await;
    done(&mut clerk, &cause, "perform", &returned("R8.11.26")).await;
    let collected = [("e.collected_on", "R8.11.26"), ("e.result", "extended"), ("e.confidentiality", "1")];
    let lacking = press(&mut manager, &case, "perform", &collected).await;
    assert_eq!(lacking.status, StatusCode::UNPROCESSABLE_ENTITY, "what is kept is named");
    let all = [("e.collected_on", "R8.11.26"), ("e.result", "all"), ("e.confidentiality", "1")];
    done(&mut manager, &case, "perform", &all).await;
    let mut admin = city.browser(ADMIN).await;
    done(&mut admin, &case, "perform", &[("e.accounts_done", "removed")]).await;
    let mut director = city.browser(DIRECTOR).await;
    done(&mut director, &case, "confirm", &[]).await;
    assert!(director.get(&case).await.text.contains("完了"));
}
