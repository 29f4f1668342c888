//! What people come back to: an application made once more, a draft that is gone, a decision that somebody else was faster with, an address
//! that is no page. Nobody is left at a dead end, nothing written is lost, and nobody sees another's application this way.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::acts::{application, apply, changed, done, item, press, refusal};
use crate::browser::{Page, hidden};
use crate::city::{CLERK, City, DEPUTY, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset, line_with};

#[tokio::test]
async fn an_application_is_made_once_more_from_an_own_case_and_from_no_other() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &changed(&application("21-s", &key), &[("blanket", "1")])).await;
    let id = case.rsplit('/').next().unwrap();
    let anew = format!("/apply/take_out?like={id}");
    assert!(clerk.get(&case).await.text.contains(&format!("href=\"{anew}\"")));
    let form = clerk.get(&anew).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.text);
    for says in [
        "前の申請の内容を入れました",
        "認定調査での本人確認</textarea>",
        "value=\"市内の訪問先（三件）\"",
        "value=\"locked_bag\" selected",
        "name=\"blanket\" value=\"1\" checked",
        "要介護認定の名簿",
        "name=\"from\" value=\"\"",
        // What is asked of some only says so before it is refused.
        "ほかの欄や選んだものによって、必須になります。",
        "name=\"return_by\" value=\"\"",
    ] {
        assert!(form.text.contains(says), "{says}: {}", form.text);
    }
    assert!(line_with(&form, "要介護認定の名簿").contains("checked"), "the thing is chosen again");
    // Whoever sees the case but did not apply, and whoever does not see it; and a case of another procedure.
    for number in [MANAGER, DEPUTY, OTHER_CLERK, OTHER_MANAGER] {
        let mut other = city.browser(number).await;
        assert_eq!(other.get(&anew).await.status, StatusCode::NOT_FOUND, "{number}");
        assert!(!other.get(&case).await.text.contains("?like="), "{number}");
    }
    assert_eq!(clerk.get(&format!("/apply/loan?like={id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(clerk.get("/apply/take_out?like=nonsense").await.status, StatusCode::NOT_FOUND);
    // What one applied for last stands first among the wishes.
    let home = clerk.get("/").await;
    let first = home.text.split("class=\"btn primary\" href=\"/apply/").nth(1).unwrap();
    assert!(first.starts_with("take_out\""), "{first}");
}

#[tokio::test]
async fn the_way_back_from_what_was_applied_for_says_where_it_is() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    clerk.get("/apply/take_out").await;
    let mut fields = application("21-s", &key);
    fields.push(("do", "draft"));
    let draft = clerk.post("/apply/take_out", &fields).await.location();
    let address = draft.split('&').next().unwrap();
    let id = address.split("draft=").nth(1).unwrap();
    let stranger = city.browser(OTHER_CLERK).await.get(address).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let mut sent = application("21-s", &key);
    sent.push(("draft", id));
    apply(&mut clerk, &sent).await;
    let back = clerk.get(address).await;
    assert_eq!(back.status, StatusCode::NOT_FOUND);
    assert!(
        back.text.contains("この下書きはもうありません") && back.text.contains("自分の案件"),
        "{}",
        back.text
    );
}

#[tokio::test]
async fn a_decision_that_comes_too_late_loses_no_word() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let second = item(&mut clerk, "A-002").await;
    apply(&mut clerk, &application("21-s", &second)).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    // In another tab it was sent back meanwhile.
    let reason = "返却日を見直してください。\n会場が変わったと聞いています。";
    done(&mut manager, &case, "send_back", &[("says", reason)]).await;
    let after = manager.get(&format!("{case}?done=acted")).await;
    assert!(after.text.contains("次の処理へ（あと1件）"), "{}", after.text);
    assert!(!manager.get(&case).await.text.contains("次の処理へ"));
    assert!(!clerk.get(&format!("{case}?done=acted")).await.text.contains("次の処理へ（あと0件）"));
    let fields = [
        ("do", "permit"),
        ("step", "permit"),
        ("shown", shown.as_str()),
        ("says", "長い意見を <b>書いた</b>"),
    ];
    let late = manager.post(&case, &fields).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(
        refusal(&late).contains("記録していません")
            && refusal(&late).contains("長い意見を &#60;b&#62;書いた"),
        "{}",
        refusal(&late)
    );
    assert!(
        late.text.contains("差戻し") && late.text.contains("持出-R8-0001"),
        "the case as it is: {}",
        late.text
    );
    // Where the step is still open, the words stand in its field, and what was shown is new.
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let stale = "0".repeat(64);
    let fields =
        [("do", "permit"), ("step", "permit"), ("shown", stale.as_str()), ("says", "もう一つの意見")];
    let late = manager.post(&case, &fields).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.form("permit").contains("もう一つの意見") && !refusal(&late).contains("もう一つの意見"));
    assert_ne!(hidden(late.form("permit"), "shown"), stale);
    // Who may not see the case is told nothing by it.
    let stranger = city.browser(OTHER_MANAGER).await.post(&case, &fields).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert!(!stranger.text.contains("持出-R8"));
    assert_eq!(press(&mut manager, &case, "permit", &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_was_decided_is_no_longer_said_to_wait() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    // What stands beside a message, in its row.
    let beside = |page: &Page, says: &str| {
        let row = page.text.split(says).nth(1).unwrap_or_else(|| panic!("{says}: {}", page.text));
        row.split("</tr>").next().unwrap().to_owned()
    };
    let waits = "「許可」を待っています";
    let before = beside(&manager.get("/notifications").await, waits);
    assert!(before.contains("未読") && !before.contains("対応済み"), "{before}");
    assert_eq!(press(&mut manager, &case, "permit", &[]).await.status, StatusCode::SEE_OTHER);
    let after = beside(&manager.get("/notifications").await, waits);
    assert!(after.contains("対応済み") && !after.contains("未読"), "{after}");
    let told = beside(&clerk.get("/notifications").await, "許可されました");
    assert!(told.contains("未読"), "the decision is news to the clerk: {told}");
}

#[tokio::test]
async fn a_message_leads_back_to_the_page_it_came_from_and_an_address_without_page_says_so() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    for path in ["/logout", "/account/sessions", "/notifications/read"] {
        let page = clerk.get(path).await;
        let found = matches!(page.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND);
        assert!(found && page.text.contains("href=\"/\">ホームへ"), "{path}: {} {}", page.status, page.text);
    }
    let asked = |referer: &str| {
        Request::get("/accounts")
            .header(header::HOST, "city.test")
            .header(header::COOKIE, &clerk.cookie)
            .header(header::REFERER, referer)
            .body(Body::empty())
            .unwrap()
    };
    let back = "href=\"/organization?q=%E9%AB%99\">戻る";
    let page = clerk.send(asked("http://city.test/organization?q=%E9%AB%99")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains(back) && page.text.contains("組織と利用者の管理は"), "{}", page.text);
    for elsewhere in [
        "http://evil.example/organization",
        "http://city.test/accounts",
        "nonsense",
        "http://city.test//evil.example",
    ] {
        let page = clerk.send(asked(elsewhere)).await;
        assert!(
            !page.text.contains("evil") && !page.text.contains("href=\"/accounts\">戻る"),
            "{elsewhere}: {}",
            page.text
        );
    }
}

#[tokio::test]
async fn what_breaks_a_clause_is_not_hidden_by_what_else_is_open() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    done(&mut manager, &case, "permit", &[]).await;
    city.turn_to("2026-11-30", 9).await;
    let mut manager = city.browser(MANAGER).await;
    manager.get("/registers/asset/new").await;
    for n in 0..7 {
        let number = format!("S-{n}");
        let fields = changed(&asset(&number, "古い記録", "21"), &[("checked_on", "R6.11.2")]);
        let page = manager.post("/registers/asset/new", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    let clause = manager.get("/clauses/5.1.1.3.%E3%82%A4").await;
    let proofs = clause.text.split("<h2>根拠</h2>").nth(1).unwrap();
    let (late, old) = (proofs.find("持出-R8-0001").unwrap(), proofs.find("古い記録").unwrap());
    assert!(late < old, "{proofs}");
    let stale = proofs.matches("古い記録").count();
    assert!(stale < 7 && proofs.contains("に当たるものをすべて見る"), "{stale} {proofs}");
    let all = proofs.split("href=\"/checks/").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(manager.get(&format!("/checks/{all}")).await.text.matches("古い記録").count(), 7);
}

#[tokio::test]
async fn every_clause_is_found_by_what_the_pages_call_it() {
    use sekisho_app::clauses::{citation, clause_number};
    let city = City::settled().await;
    for clause in &city.office.pack().clauses {
        assert_eq!(clause_number(&citation(&clause.id)), clause.id, "{}", citation(&clause.id));
        assert_eq!(clause_number(&clause.id), clause.id);
    }
}

#[tokio::test]
async fn what_falls_due_soon_is_named_row_by_row_for_those_who_may_see_it() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    manager.get("/registers/asset/new").await;
    // Looked at twelve months ago in a few days.
    let fields = changed(&asset("S-1", "もうすぐの記録", "21"), &[("checked_on", "R7.12.10")]);
    assert_eq!(manager.post("/registers/asset/new", &fields).await.status, StatusCode::SEE_OTHER);
    city.turn_to("2026-11-26", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let clause = manager.get("/clauses/5.1.1.3.%E3%82%A4").await;
    let proofs = clause.text.split("<h2>根拠</h2>").nth(1).unwrap();
    let line = line_with(&clause, "にまもなく当たるもの");
    assert!(line.contains("まもなく期限") && line.contains("（1件）"), "{proofs}");
    let path =
        format!("/checks/{}", line.split("href=\"/checks/").nth(1).unwrap().split('"').next().unwrap());
    let check = manager.get(&path).await;
    assert!(
        check.text.contains("S-1 もうすぐの記録：「最終確認日」がまもなく古くなります"),
        "{}",
        check.text
    );
    let mut stranger = city.browser(OTHER_MANAGER).await;
    assert!(!stranger.get(&path).await.text.contains("もうすぐの記録"));
}
