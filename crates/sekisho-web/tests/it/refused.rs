//! Every form that is refused comes back with what was typed: on its page, or beside the message where the form is no more. Secrets do not.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

use crate::acts::{application, item};
use crate::browser::Page;
use crate::city::{
    ADMIN, CLERK, City, DEPUTY, DIRECTOR, HEAD, MANAGER, OTHER_CLERK, OTHER_MANAGER, SECOND_ADMIN, asset,
};
use crate::powers::{attempts, hold, routes_with, send};

/// What is typed into every text field: no list has it, no date is written so, and nothing is called so.
const TYPED: &str = "書いた<言葉>&\"7\"";

fn shown(page: &Page) -> bool {
    page.text.contains("書いた&#60;言葉&#62;&#38;&#34;7&#34;")
        || page.text.contains("書いた&lt;言葉&gt;&amp;&quot;7&quot;")
}

/// A form with a bad value: its route, who sends it, the page it is on, where it goes, and what is in it.
struct Bad {
    route: &'static str,
    who: &'static str,
    page: String,
    to: String,
    fields: Vec<(String, String)>,
}

/// Routes whose forms hold no text: buttons, ticks, and files, which a browser does not give back.
const NOTHING_TYPED: [&str; 17] = [
    "/absences/{id}/cancel",
    "/account/sessions",
    "/accounts/import",
    "/accounts/resets/{person}",
    "/accounts/second-factor",
    "/accounts/{person}",
    "/apply/{procedure}/import",
    "/apply/{procedure}/imports",
    "/exchange/calendar",
    "/login/card",
    "/login/passkey",
    "/logout",
    "/notifications",
    "/notifications/{id}/open",
    "/organization/import",
    "/registers/{id}/import",
    "/registers/{id}/imports",
];

/// Routes where what is typed is secret, or to which nobody comes once the city works: first_start.rs and first_officers.rs try those.
const ELSEWHERE: [&str; 13] = [
    "/account/second-factor",
    "/login",
    "/login/code",
    "/password",
    "/setup",
    "/setup/administrator",
    "/setup/body",
    "/setup/mail",
    "/setup/officers",
    "/setup/organization",
    "/setup/organization/import",
    "/setup/pack",
    "/setup/unseat",
];

fn bad_forms(h: &crate::powers::Held) -> Vec<Bad> {
    let mut all = Vec::new();
    let mut add = |route, who, page: &str, to: &str, fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all.push(Bad { route, who, page: page.to_owned(), to: to.to_owned(), fields });
    };
    let mut own = |route: &'static str, who, fields: &[(&str, &str)]| add(route, who, route, route, fields);
    own("/absences", CLERK, &[("from", TYPED), ("until", "R8.12.1"), ("kind", "leave")]);
    own(
        "/delegations",
        MANAGER,
        &[("what", "21-h"), ("person", OTHER_CLERK), ("from", TYPED), ("note", "留守")],
    );
    own("/accounts/roles", ADMIN, &[("person", CLERK), ("role", "system_operator"), ("from", TYPED)]);
    own("/accounts/directory", ADMIN, &[("do", "people"), ("changed", TYPED)]);
    own("/assessment", CLERK, &[("do", "answer"), ("a.conduct", TYPED)]);
    own("/inbox", MANAGER, &[("task", "x|permit|y"), ("says", TYPED)]);
    own("/stocktakings", MANAGER, &[("register", "asset"), ("unit", "21"), ("due_on", TYPED)]);
    own("/packs", ADMIN, &[("hash", "0"), ("q", TYPED)]);
    own("/packs/edit", ADMIN, &[("do", "new"), ("path", TYPED)]);
    let query = "/organization/account?person=8001";
    add(
        "/organization/account",
        ADMIN,
        query,
        "/organization/account",
        &[("person", HEAD), ("login", TYPED)],
    );
    add(
        "/account/tokens",
        ADMIN,
        "/account",
        "/account/tokens",
        &[("do", "make"), ("name", TYPED), ("days", "30")],
    );
    let factors = "/account/second-factor";
    add(
        "/account/passkeys",
        ADMIN,
        factors,
        "/account/passkeys",
        &[("do", "register"), ("passkey_name", TYPED)],
    );
    let mut duty: Vec<(&str, &str)> = vec![("do", "done")];
    duty.extend(
        crate::duties::INVENTORY.iter().filter(|(name, _)| *name != "do").map(|(name, _)| (*name, TYPED)),
    );
    add("/duties/{duty}/{occurrence}", MANAGER, &h.duty, &h.duty, &duty);
    let plan = "/documents/business_continuity_plan";
    add(
        "/documents/{id}",
        ADMIN,
        plan,
        plan,
        &[("do", "decided"), ("decided_on", "R8.11.26"), ("note", TYPED)],
    );
    // A press that the page knows nothing of: refused by the page itself, with what was written beside it.
    let nonsense = [("do", "nonsense"), ("says", TYPED)];
    add("/delegations/{id}", DIRECTOR, "/delegations", &h.delegation, &nonsense);
    add("/organization/proposals/{id}", SECOND_ADMIN, &h.proposal, &h.proposal, &nonsense);
    add("/packs/proposals/{id}", ADMIN, "/packs", "/packs/proposals/none", &nonsense);
    let see = [("do", "see"), ("code", TYPED), ("place", TYPED)];
    add("/stocktakings/{id}", MANAGER, &h.stocktaking, &h.stocktaking, &see);
    let labels = [("row", "none"), ("from", TYPED)];
    add("/registers/{id}/labels", CLERK, "/registers/asset", "/registers/none/labels", &labels);
    let view = [("do", "nonsense"), ("view", TYPED), ("shared", "1")];
    add("/registers/{id}/views", CLERK, "/registers/asset", "/registers/asset/views", &view);
    let new = asset("Z-1", TYPED, "99");
    add("/registers/{id}/new", MANAGER, "/registers/asset/new", "/registers/asset/new", &new);
    // No row is ticked.
    let column = "/registers/asset/change?column=place";
    add(
        "/registers/{id}/change",
        MANAGER,
        column,
        column,
        &[("do", "plan"), ("value", TYPED), ("row", "none")],
    );
    let row = format!("/registers/asset/{}/edit", h.asset);
    // Somebody else saved meanwhile.
    let mut edit = asset("A-001", TYPED, "21");
    edit.push(("version", "7"));
    add("/registers/{id}/{row}/edit", MANAGER, &row, &row, &edit);
    let file = "/packs/edit/file?path=procedures/take_out.toml";
    let save = [("do", "nonsense"), ("path", "procedures/take_out.toml"), ("version", "0"), ("text", TYPED)];
    add("/packs/edit/file", ADMIN, file, "/packs/edit/file", &save);
    let key = format!("asset/{}", h.asset);
    let mut apply =
        crate::acts::changed(&application("21-s", &key), &[("purpose", TYPED), ("from", "いつか")]);
    apply.push(("do", "apply"));
    add("/apply/{procedure}", CLERK, "/apply/take_out", "/apply/take_out", &apply);
    let mut bulk = crate::bulk::form("", "2");
    bulk.retain(|(name, _)| *name != "reason");
    bulk.extend([("do", "check"), ("reason", TYPED)]);
    add("/bulk/{procedure}", CLERK, "/bulk/reclassification", "/bulk/reclassification", &bulk);
    let act = [("do", "refuse"), ("step", "permit"), ("shown", "other"), ("says", TYPED)];
    add("/cases/{id}", MANAGER, &h.case, &h.case, &act);
    all
}

#[tokio::test]
async fn every_form_that_is_refused_keeps_what_was_typed() {
    let city = City::settled().await;
    // Passkeys can be named.
    city.office.use_site(Some("https://city.test"));
    let held = hold(&city).await;
    let mut browsers = BTreeMap::new();
    for number in [CLERK, MANAGER, DIRECTOR, ADMIN, SECOND_ADMIN] {
        browsers.insert(number, city.browser(number).await);
    }
    let mut tried: BTreeSet<&str> = NOTHING_TYPED.into_iter().chain(ELSEWHERE).collect();
    let mut lost = Vec::new();
    for bad in bad_forms(&held) {
        let fields: Vec<(&str, &str)> = bad.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let page = browsers[bad.who].post_from(&bad.page, &bad.to, &fields).await;
        if !page.status.is_client_error() || !shown(&page) || page.text.contains("<言葉>") {
            lost.push(format!("{} {} {}\n{}", bad.route, page.status, page.location(), page.text));
        }
        assert_eq!(page.doubled_ids(), Vec::<&str>::new(), "{}", bad.route);
        tried.insert(bad.route);
    }
    assert!(lost.is_empty(), "{}", lost.join("\n\n"));
    let routes = routes_with("post(");
    assert_eq!(routes, tried.into_iter().map(str::to_owned).collect(), "say above how a new form is refused");
}

#[tokio::test]
async fn who_has_no_right_loses_nothing_either() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let mut browsers = BTreeMap::new();
    for number in [CLERK, MANAGER, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN, SECOND_ADMIN] {
        browsers.insert(number, city.browser(number).await);
    }
    // What is written in words; a forged mark of a page is not.
    let sentence = |value: &str| !value.is_ascii() && value != "偽";
    let mut seen = 0;
    for a in attempts(&held).iter().filter(|a| a.fields.iter().any(|(_, v)| sentence(v))) {
        // Of each form the first who may not.
        let number = a.wrong[0];
        let page = send(&browsers[number], a).await;
        for (name, value) in a.fields.iter().filter(|(_, v)| sentence(v)) {
            assert!(page.text.contains(value), "{number} {} {name}={value}: {}", a.path, page.text);
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[tokio::test]
async fn the_form_comes_back_as_it_was_filled_in_with_the_fault_beside_its_field() {
    let city = City::settled().await;
    hold(&city).await;
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/registers/asset").await;
    // A press that no page offers.
    let typed = [("do", "nonsense"), ("view", "年末の確認"), ("shared", "1")];
    let page =
        clerk.post_from("/registers/asset?done=view_forgotten", "/registers/asset/views", &typed).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("入力した内容は残っています") && page.text.contains("W400"), "{}", page.text);
    assert!(page.text.contains("<title>読み取れません："), "{}", page.text);
    assert!(!page.text.contains("見方を消しました"), "what was said of an earlier act stays out");
    let form = page.form("save");
    assert!(
        form.contains("value=\"年末の確認\"") && form.contains("name=\"shared\" value=\"1\" checked"),
        "{form}"
    );
    assert!(
        page.text.contains("<details open>") || page.text.contains("<details open=\"\">"),
        "{}",
        page.text
    );
    assert_eq!(page.hidden("csrf"), clerk.csrf);
    // Sent again from there it knows where it was typed, whatever the address of the answer.
    assert_eq!(page.hidden("typed_on"), "/registers/asset");
    let again = clerk
        .post("/registers/asset/views", &[&typed[..], &[("typed_on", "/registers/asset")]].concat())
        .await;
    assert!(again.form("save").contains("value=\"年末の確認\""), "{}", again.text);
    // Put right, it is carried out as ever.
    let right = [("do", "save"), ("view", "年末の確認"), ("typed_on", "/registers/asset")];
    assert_eq!(clerk.post("/registers/asset/views", &right).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_secret_or_from_elsewhere_is_not_given_back() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let admin = city.browser(ADMIN).await;
    let fields =
        [("do", "nonsense"), ("says", "見える言葉"), ("proof", "ひみつの言葉"), ("password", "ひみつの言葉")];
    let page = admin.post_from(&held.proposal, &held.proposal, &fields).await;
    assert!(page.text.contains("見える言葉") && !page.text.contains("ひみつの言葉"), "{}", page.text);
    let page = admin.post("/account/second-factor", &[("do", "nonsense"), ("code", "ひみつの言葉")]).await;
    assert!(page.status.is_client_error() && !page.text.contains("ひみつの言葉"), "{}", page.text);
    // The page that it says it comes from is one of ours, or none.
    let foreign = [("do", "nonsense"), ("says", "見える言葉"), ("typed_on", "//evil.example/")];
    let page = admin.post(&held.proposal, &foreign).await;
    assert!(page.text.contains("見える言葉") && !page.text.contains("evil.example"), "{}", page.text);
    // Without the session's token nothing comes back.
    let mut forger = admin.clone();
    forger.csrf = "other".to_owned();
    let page = forger.post(&held.proposal, &fields).await;
    assert!(!page.text.contains("ひみつの言葉"), "{}", page.text);
}

#[tokio::test]
async fn a_file_that_is_too_large_takes_nothing_along() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let mut fields = application("21-s", &key);
    fields.push(("do", "apply"));
    let large = vec![b'x'; 21 << 20];
    let page = clerk.upload("/apply/take_out", &fields, "大きい.pdf", &large).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.text.contains("認定調査での本人確認") && page.text.contains("20MBまで"), "{}", page.text);
}
