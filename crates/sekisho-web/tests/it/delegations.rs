//! Delegations (職務代理): proposed by one, approved by another above, dated, for one post; they end by themselves.

use axum::http::StatusCode;

use crate::acts::{application, apply, changed, done, forge, item, refusal};
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, workbook};
use crate::proposals::import_organization;

/// A filled form.
fn form<'a>(what: &'a str, person: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("what", what),
        ("person", person),
        ("from", "R8.11.25"),
        ("until", "R8.11.27"),
        ("note", "課長が長期の研修に出るため"),
    ]
}

/// Addresses of the delegations on the page.
fn addresses(page: &Page) -> Vec<String> {
    let mut found: Vec<String> = page
        .text
        .split("action=\"/delegations/")
        .skip(1)
        .map(|f| format!("/delegations/{}", f.split('"').next().unwrap()))
        .collect();
    found.dedup();
    found
}

/// Proposes and gives the address of the delegation.
pub async fn propose(b: &mut Browser, what: &str, person: &str) -> String {
    let page = b.post("/delegations", &form(what, person)).await;
    assert_eq!(page.location(), "/delegations?done=proposed", "{}", page.text);
    addresses(&b.get("/delegations").await).swap_remove(0)
}

async fn act(b: &Browser, address: &str, what: &str) -> Page {
    b.post(address, &[("do", what), ("says", "理由")]).await
}

/// The other clerk acts for the manager of another section, approved by the head of the department.
async fn approved(city: &City, what: &str) -> String {
    let mut manager = city.browser(MANAGER).await;
    let address = propose(&mut manager, what, OTHER_CLERK).await;
    let page = act(&city.browser(DIRECTOR).await, &address, "approve").await;
    assert_eq!(page.location(), "/delegations?done=approved", "{}", page.text);
    address
}

async fn away(b: &Browser) {
    let page =
        b.post("/absences", &[("from", "R8.11.25"), ("until", "R8.12.25"), ("kind", "training")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
}

async fn applied(city: &City) -> (Browser, String, String) {
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let mut manager = city.browser(MANAGER).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    (clerk, case, shown)
}

#[tokio::test]
async fn an_approved_delegate_decides_while_the_holder_is_away_and_not_otherwise() {
    let city = City::settled().await;
    let address = approved(&city, "21-h").await;
    let (mut clerk, case, shown) = applied(&city).await;
    let mut delegate = city.browser(OTHER_CLERK).await;
    assert!(delegate.get("/").await.text.contains("高齢福祉課 高齢福祉課長の職務代理です"));
    assert!(!delegate.get("/inbox").await.text.contains("要介護認定"), "the holder is present");
    assert_eq!(delegate.get(&case).await.status, StatusCode::NOT_FOUND);
    assert_ne!(forge(&delegate, &case, "permit", "permit", &shown).await.status, StatusCode::SEE_OTHER);

    let mut manager = city.browser(MANAGER).await;
    away(&manager).await;
    assert!(delegate.get("/inbox").await.text.contains("要介護認定"));
    assert!(!city.browser(OTHER_MANAGER).await.get("/inbox").await.text.contains("要介護認定"));
    done(&mut delegate, &case, "permit", &[]).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("﨑山 徹") && page.text.contains("職務代理"), "{}", page.text);
    assert!(manager.get("/inbox").await.text.contains("後閲"), "the holder reads it afterwards");
    assert!(!delegate.get("/inbox").await.text.contains("後閲"));

    // Ended early, it gives nothing any more.
    let (_clerk, case, shown) = applied(&city).await;
    let delegate = city.browser(OTHER_CLERK).await;
    let ended = act(&delegate, &address, "end").await;
    assert_eq!(ended.location(), "/delegations?done=ended", "the delegate may give it back");
    assert_ne!(forge(&delegate, &case, "permit", "permit", &shown).await.status, StatusCode::SEE_OTHER);
    let mut delegate = delegate;
    assert!(!delegate.get("/inbox").await.text.contains("要介護認定"));
    assert_eq!(act(&delegate, &address, "end").await.status, StatusCode::FORBIDDEN, "once is enough");
}

#[tokio::test]
async fn nobody_has_power_from_a_delegation_by_the_own_word() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    away(&manager).await;
    let address = propose(&mut manager, "21-h", OTHER_CLERK).await;
    let (_clerk, case, shown) = applied(&city).await;
    let mut delegate = city.browser(OTHER_CLERK).await;
    assert_ne!(
        forge(&delegate, &case, "permit", "permit", &shown).await.status,
        StatusCode::SEE_OTHER,
        "a proposal gives nothing"
    );
    let own = act(&delegate, &address, "approve").await;
    assert!(
        own.status == StatusCode::FORBIDDEN && refusal(&own).contains("代理する人になる"),
        "{}",
        refusal(&own)
    );
    let own = act(&manager, &address, "approve").await;
    assert!(
        own.status == StatusCode::FORBIDDEN && refusal(&own).contains("自分が願い出た"),
        "{}",
        refusal(&own)
    );
    for number in [CLERK, DEPUTY, OTHER_MANAGER, ADMIN] {
        let b = city.browser(number).await;
        let page = act(&b, &address, "approve").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{number}");
        assert!(refusal(&page).contains("見 清さん"), "{number}: {}", refusal(&page));
        let page = b.post("/delegations", &form("21-h", CLERK)).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} proposes");
    }
    let mut director = city.browser(DIRECTOR).await;
    assert!(director.get("/").await.text.contains("承認を待っている職務代理が1件"));
    let reasonless = director.post(&address, &[("do", "refuse")]).await;
    assert_eq!(reasonless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        reasonless.text.contains("承認しない理由を記入してください") && reasonless.doubled_ids().is_empty()
    );
    assert_eq!(act(&director, &address, "refuse").await.location(), "/delegations?done=declined");
    assert_eq!(
        act(&director, &address, "approve").await.status,
        StatusCode::FORBIDDEN,
        "what is refused stays refused"
    );
    assert_ne!(forge(&delegate, &case, "permit", "permit", &shown).await.status, StatusCode::SEE_OTHER);
    assert!(!delegate.get("/").await.text.contains("職務代理です"));
}

/// The head above proposes too; then somebody still higher approves.
#[tokio::test]
async fn what_the_head_proposes_goes_one_role_up() {
    let city = City::settled().await;
    let mut director = city.browser(DIRECTOR).await;
    let address = propose(&mut director, "21-h", DIRECTOR).await;
    let own = act(&director, &address, "approve").await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get("/delegations").await;
    assert!(page.text.contains("承認する人：統括 三郎"), "{}", page.text);
    assert_eq!(
        act(&manager, &address, "approve").await.status,
        StatusCode::FORBIDDEN,
        "not the holder either"
    );
    assert_eq!(
        act(&manager, &address, "end").await.location(),
        "/delegations?done=ended",
        "but the holder may end it"
    );
}

#[tokio::test]
async fn a_delegation_ends_by_itself_and_with_the_fiscal_year() {
    let city = City::settled().await;
    approved(&city, "21-h").await;
    let manager = city.browser(MANAGER).await;
    away(&manager).await;
    city.turn_to("2026-11-28", 9).await;
    let (_clerk, case, shown) = {
        let mut clerk = city.browser(CLERK).await;
        let key = item(&mut clerk, "A-001").await;
        let fields = changed(&application("21-s", &key), &[("from", "R8.11.30"), ("return_by", "R8.12.1")]);
        let case = apply(&mut clerk, &fields).await;
        let shown = hidden(city.browser(MANAGER).await.get(&case).await.form("permit"), "shown");
        (clerk, case, shown)
    };
    let mut delegate = city.browser(OTHER_CLERK).await;
    assert!(!delegate.get("/inbox").await.text.contains("要介護認定"));
    assert_ne!(forge(&delegate, &case, "permit", "permit", &shown).await.status, StatusCode::SEE_OTHER);
    assert!(delegate.get("/delegations").await.text.contains("期間満了</span>"));

    for (with, field, says) in [
        (("until", "R9.4.1"), "until", "年度ごとに決めます"),
        (("until", "R8.11.27"), "until", "最後の日が最初の日より前"),
        (("from", "R8.11.27"), "from", "今日か、これからの日"),
        (("from", "あした"), "from", "日付が読めません"),
        (("person", "7777"), "person", "「7777」に当てはまる人はいません"),
        (("person", MANAGER), "person", "その職にある本人"),
        (("what", "21-h/auditor"), "what", "代理を決める役割がありません"),
        (("what", ""), "what", "どの職の代理か"),
        (("note", ""), "note", "理由を"),
    ] {
        let fields = changed(&form("21-h", OTHER_CLERK), &[("from", "R8.11.28"), ("until", "R8.11.30")]);
        let manager = city.browser(MANAGER).await;
        let page = manager.post("/delegations", &changed(&fields, &[with])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{with:?}: {}", page.location());
        assert!(
            page.text.contains(&format!("href=\"#{field}\"")) && page.text.contains(says),
            "{}",
            page.text
        );
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM delegation").await, 1);
}

#[tokio::test]
async fn the_delegate_never_decides_the_own_case_nor_for_another_role() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let address = propose(&mut manager, "21-h", CLERK).await;
    assert_eq!(act(&city.browser(DIRECTOR).await, &address, "approve").await.status, StatusCode::SEE_OTHER);
    away(&manager).await;
    let (clerk, case, shown) = applied(&city).await;
    let own = forge(&clerk, &case, "permit", "permit", &shown).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    let mut clerk = clerk;
    assert!(!clerk.get(&case).await.offers("permit"));

    // Only for the role of the head of an audited section, which decides nothing here.
    let city = City::settled().await;
    approved(&city, "21-h/auditee").await;
    away(&city.browser(MANAGER).await).await;
    let (_clerk, case, shown) = applied(&city).await;
    let mut delegate = city.browser(OTHER_CLERK).await;
    assert!(!delegate.get("/inbox").await.text.contains("要介護認定"));
    assert_eq!(delegate.get(&case).await.status, StatusCode::NOT_FOUND);
    assert_ne!(forge(&delegate, &case, "permit", "permit", &shown).await.status, StatusCode::SEE_OTHER);
    let mut deputy = city.browser(DEPUTY).await;
    done(&mut deputy, &case, "permit", &[]).await;
}

/// A vacant post: the head above finds somebody to act for it, and the open case comes back to that level.
#[tokio::test]
async fn a_vacant_post_is_acted_for() {
    let city = City::settled().await;
    import_organization(&city, "異動.xlsx", &workbook(|p| if p == MANAGER { "2026-11-24" } else { "" }))
        .await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let mut director = city.browser(DIRECTOR).await;
    assert!(director.get("/inbox").await.text.contains("要介護認定"), "vacant: the next role");
    let address = propose(&mut director, "21-h", OTHER_MANAGER).await;
    let slip = city
        .browser(ADMIN)
        .await
        .post("/organization/account", &[("person", "8001"), ("login", "u8001")])
        .await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let mut officer = Browser::new(&city);
    officer.enter("u8001", &password).await;
    officer.own_password(&password).await;
    assert_eq!(act(&officer, &address, "approve").await.location(), "/delegations?done=approved");
    let mut delegate = city.browser(OTHER_MANAGER).await;
    assert!(delegate.get("/inbox").await.text.contains("要介護認定"));
    assert!(
        !director.get("/inbox").await.text.contains("要介護認定"),
        "it is no longer the next role's turn"
    );
    done(&mut delegate, &case, "permit", &[]).await;
}

#[tokio::test]
async fn each_act_is_one_entry_in_the_ledger() {
    let city = City::settled().await;
    let address = approved(&city, "21-h").await;
    act(&city.browser(MANAGER).await, &address, "end").await;
    for kind in ["delegation.propose", "delegation.approve", "delegation.end"] {
        let sql: &'static str = match kind {
            "delegation.propose" => {
                "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'delegation.propose' AND payload NOT LIKE '%研修%'"
            }
            "delegation.approve" => {
                "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'delegation.approve' AND seq = 2"
            }
            _ => "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'delegation.end' AND seq = 3",
        };
        assert_eq!(city.count(sql).await, 1, "{kind}");
    }
}

/// Whether the page asks to choose, and whom it offers.
fn offered(page: &Page) -> Vec<String> {
    let radios = page.text.split("type=\"radio\" name=\"pick\" value=\"").skip(1);
    radios.map(|r| r.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_delegate_is_named_and_never_guessed() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    manager.get("/delegations").await;
    let whole = {
        let found = manager.get(&format!("/organization?q={OTHER_CLERK}")).await;
        assert!(found.text.contains("﨑山 徹"), "{}", found.text);
        "崎山　徹"
    };

    // A part of a name is not enough, even of one person's: who fits is offered, and what was typed stays.
    let page = manager.post("/delegations", &form("21-h", "崎山")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    assert_eq!(offered(&page), [OTHER_CLERK], "{}", page.text);
    assert!(
        page.text.contains("次の中から選んでください")
            && page.text.contains("value=\"崎山\"")
            && page.text.contains("課長が長期の研修に出るため")
            && page.text.contains("障害福祉課"),
        "{}",
        page.text
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM delegation").await, 0);

    // One who was not offered is not taken, whoever it is.
    let mut forged = form("21-h", "崎山");
    forged.push(("pick", OTHER_MANAGER));
    let page = manager.post("/delegations", &forged).await;
    assert_eq!(
        (page.status, offered(&page)),
        (StatusCode::UNPROCESSABLE_ENTITY, vec![OTHER_CLERK.to_owned()])
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM delegation").await, 0);

    let mut chosen = form("21-h", "崎山");
    chosen.push(("pick", OTHER_CLERK));
    let page = manager.post("/delegations", &chosen).await;
    assert_eq!(page.location(), "/delegations?done=proposed", "{}", page.text);
    assert!(manager.get("/delegations").await.text.contains("﨑山 徹"));

    // A whole name that one person has is one; several people are always asked about.
    let page = manager.post("/delegations", &form("21-h", whole)).await;
    assert_eq!(page.location(), "/delegations?done=proposed", "{}", page.text);
    assert_eq!(city.count_of("SELECT COUNT(*) FROM delegation WHERE person = $1", OTHER_CLERK).await, 2);
    let page = manager.post("/delegations", &form("21-h", "0")).await;
    assert!(offered(&page).len() > 3 && page.text.contains("人います"), "{}", page.text);
}
