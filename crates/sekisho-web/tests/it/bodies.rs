//! Two bodies behind one router, made alike on purpose: the same people, logins, passwords and ids, each with a key and a database of its
//! own. Whatever somebody has of the one, whatever ids are found in it: in the other it is nothing, on every route.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sekisho_app::permits::judge;
use sekisho_app::{oidc, sequencer, setup};
use sekisho_base::Clock as _;
use sekisho_web::{Bodies, Doors, Named};
use serde_json::{Value, json};

use crate::browser::{Browser, Page, encode};
use crate::city::{
    ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, PASSWORD, SECOND_ADMIN, asset,
    row_id,
};
use crate::permits::{checker, code, permitted};
use crate::powers::{self, Held};
use crate::sign_in::{Fake as Provider, leave, set};

/// Where things are made.
const HERE: &str = "minato.test";
/// Where they must not be found.
const THERE: &str = "kita.test";

/// What stands in records of the one body only; the last is the name of a row that both have.
const MARKS: [&str; 3] = ["湊だけの資産", "認定調査での本人確認", "湊で直した名前"];

const EVERYBODY: [&str; 8] =
    [CLERK, MANAGER, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN, SECOND_ADMIN];

fn named(name: &str, host: &str) -> Named {
    Named { name: name.to_owned(), hosts: vec![host.to_owned()], doors: Doors::default() }
}

struct Two {
    here: City,
    there: City,
    front: Router,
}

impl Two {
    async fn made(databases: [Option<&str>; 2]) -> Self {
        let here = City::twin(1, databases[0]).await;
        let there = City::twin(2, databases[1]).await;
        let bodies = Bodies::named(vec![named("minato", HERE), named("kita", THERE)], false);
        bodies.open("minato", std::sync::Arc::clone(&here.office)).unwrap();
        bodies.open("kita", std::sync::Arc::clone(&there.office)).unwrap();
        let front = bodies.router();
        Self { here, there, front }
    }

    fn nobody(&self, host: &str) -> Browser {
        let mut b = Browser::new(&self.here);
        b.go_to_router(self.front.clone(), host);
        b
    }

    async fn browser(&self, host: &str, number: &str) -> Browser {
        let mut b = self.nobody(host);
        let login = if number == ADMIN { "admin".to_owned() } else { format!("u{number}") };
        let page = b.enter(&login, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{number} at {host}");
        b
    }
}

/// What was made in the one body beside what [`powers::hold`] makes.
struct More {
    /// Id of a row of the assets.
    row: String,
    /// Id of a ledger entry.
    entry: String,
    /// Id of a proposal of another version of the standard.
    pack: String,
    /// Key of that version.
    version: String,
    /// Address of somebody's calendar.
    feed: String,
    /// Token of a program.
    token: String,
}

async fn more(two: &Two, held: &Held) -> More {
    let mut admin = two.browser(HERE, ADMIN).await;
    let page = admin.post("/registers/asset/new", &asset("M-1", "湊だけの資産", "21")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let row = row_id(&mut admin, "asset", "M-1").await;
    let common = row_id(&mut admin, "asset", "A-002").await;
    let mut fields = asset("A-002", "湊で直した名前", "21");
    fields.push(("version", "1"));
    let page = admin.post(&format!("/registers/asset/{common}/edit"), &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let mut other = two.browser(THERE, ADMIN).await;
    assert_eq!(row_id(&mut other, "asset", "A-002").await, common, "the bodies have the same ids");
    let page = admin.get(&held.case).await;
    let entry = page.text.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let pack = two.here.office.propose_pack_from_terminal(crate::packs::changed(), "admin").await.unwrap();
    let mut manager = two.browser(HERE, MANAGER).await;
    manager.get("/exchange").await;
    let made = manager.post("/exchange/calendar", &[("do", "subscribe")]).await;
    let feed = made.text.split(&format!("value=\"http://{HERE}")).nth(1).unwrap().split('"').next().unwrap();
    let fields = [("do", "make"), ("name", "在庫"), ("scope", "read"), ("days", "30")];
    let page = admin.post("/account/tokens", &fields).await;
    let token = page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let version = sekisho_app::pack_tools::examine(&crate::packs::changed()).0.unwrap().hash;
    More { row, entry, pack, version, feed: feed.to_owned(), token }
}

/// The end of an address.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Ids that are found in the one body only. Duties and notifications are from before the bodies parted: both have them.
fn ids(h: &Held, m: &More) -> Vec<String> {
    let absence = h.absence.trim_end_matches("/cancel");
    let addresses = [&h.case, absence, &h.delegation, &h.proposal, &h.stocktaking].map(last);
    let ids = [&h.draft, &h.upload[0], &h.organization[0], &m.row, &m.entry, &m.pack].map(String::as_str);
    addresses.iter().chain(&ids).map(|id| (*id).to_owned()).collect()
}

/// An address for a route, with what was made in the one body in the place of its parameters.
fn filled(route: &str, h: &Held, m: &More) -> String {
    let mut path = route.to_owned();
    let row = format!("/registers/asset/{}", m.row);
    let (duty, occurrence) = h.duty.rsplit_once('/').unwrap();
    let absence = h.absence.trim_end_matches("/cancel");
    let notification = h.notification.trim_end_matches("/open");
    // Longer ones first.
    for (part, with) in [
        ("/cases/{id}", h.case.clone()),
        ("/registers/{register}/rows/{row}", row.replace("/asset/", "/asset/rows/")),
        ("/registers/{id}/{row}", row),
        ("/registers/{register}", "/registers/asset".to_owned()),
        ("/registers/{id}", "/registers/asset".to_owned()),
        ("/r/{register}/{code}", "/r/asset/M-1".to_owned()),
        ("/duties/{duty}/{occurrence}", format!("{duty}/{occurrence}")),
        ("/duties/{duty}", duty.to_owned()),
        ("/ledger/{id}", format!("/ledger/{}", m.entry)),
        ("/ledger/entries/{id}", format!("/ledger/entries/{}", m.entry)),
        ("/stocktakings/{id}", h.stocktaking.clone()),
        ("/organization/proposals/{id}", h.proposal.clone()),
        ("/packs/proposals/{id}", format!("/packs/proposals/{}", m.pack)),
        ("{hash}", m.version.clone()),
        ("/delegations/{id}", h.delegation.clone()),
        ("/absences/{id}", absence.to_owned()),
        ("/notifications/{id}", notification.to_owned()),
        ("/calendar/{file}", m.feed.clone()),
        ("/checks/{id}", "/checks/asset_review_stale".to_owned()),
        ("/clauses/{id}", format!("/clauses/5.1.1.3.{}", "%E3%82%A4")),
        ("/documents/{id}", "/documents/basic_policy".to_owned()),
        ("/notices/{id}", "/notices/conduct".to_owned()),
        ("/bulk/{procedure}", "/bulk/reclassification".to_owned()),
        ("{procedure}", "take_out".to_owned()),
        ("/help/{name}", "/help/staff".to_owned()),
        ("/oscal/{kind}", "/oscal/catalog".to_owned()),
        ("{format}", "csv".to_owned()),
        ("{person}", CLERK.to_owned()),
        ("{pos}", "0".to_owned()),
    ] {
        path = path.replace(part, &with);
    }
    assert!(!path.contains('{'), "{route}: say here what stands for its parameters");
    path
}

/// Every operation of the JSON interface but its reads: method and path as the document has them.
fn operations(document: &Value, reads: bool) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "post", "put", "delete", "patch"].contains(&method.as_str())
                && (method == "get") == reads
            {
                all.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(all.len() > 8, "{all:?}");
    all
}

fn unmarked(page: &Page, of: &str) {
    for mark in MARKS {
        assert!(!page.text.contains(mark), "{of} tells {mark}: {}", page.text);
    }
}

/// Routes of the router, as it says of itself, that are not among these and hold something of a body.
fn untried(router: &Router, tried: &BTreeSet<String>) -> Vec<String> {
    // Whether the process lives, files that are the same for everybody, and what answers that there is no such path.
    let of_no_body = |path: &str| {
        ["/health", "/healthz", "/readyz", "/api/{*rest}", "/{*__private__axum_fallback}"].contains(&path)
            || path.starts_with("/assets/")
    };
    let told = format!("{router:?}");
    let all: BTreeSet<&str> = told.split('"').filter(|part| part.starts_with('/')).collect();
    assert!(all.contains("/cases/{id}") && all.contains(oidc::BACK) && all.len() > 100, "{told}");
    all.into_iter().filter(|path| !of_no_body(path) && !tried.contains(*path)).map(str::to_owned).collect()
}

async fn document(two: &Two) -> Value {
    let page = two.browser(HERE, ADMIN).await.get("/api/v1/openapi.json").await;
    serde_json::from_str(&page.text).unwrap()
}

/// The whole attempt, on the databases given.
async fn nothing_crosses(databases: [Option<&str>; 2]) {
    let two = Two::made(databases).await;
    let held = powers::hold(&two.here).await;
    let more = more(&two, &held).await;
    sequencer::drain(&two.here.office).await.unwrap();
    let document = document(&two).await;
    let only = ids(&held, &more);

    let (shown, sent) = (powers::routes_with("get("), powers::attempts(&held).into_iter().map(|a| a.route));
    let mut tried: BTreeSet<String> = shown.iter().cloned().chain(sent.map(str::to_owned)).collect();
    tried.extend(powers::OWN.map(str::to_owned));
    tried.extend(operations(&document, true).into_iter().map(|(_, path)| path));
    tried.extend(operations(&document, false).into_iter().map(|(_, path)| path));
    assert_eq!(untried(&two.here.router, &tried), [] as [&str; 0], "a route that this test does not try");

    let mut gets: Vec<String> = shown.iter().map(|r| filled(r, &held, &more)).collect();
    gets.extend(operations(&document, true).iter().map(|(_, p)| filled(p, &held, &more)));
    gets.extend([
        "/".to_owned(),
        "/nowhere".to_owned(),
        format!("/apply/take_out?draft={}", held.draft),
        format!("/apply/take_out?item=asset/{}", more.row),
        format!("/handling?act=carry_out&item=asset/{}", more.row),
        "/registers/asset?q=M-1".to_owned(),
        "/search?q=M-1".to_owned(),
        "/duties?all=1".to_owned(),
    ]);

    // In the one body they are found: otherwise nothing below would mean anything.
    let mut admin = two.browser(HERE, ADMIN).await;
    let found = gets.iter().filter(|g| only.iter().any(|id| g.contains(id)));
    let mut seen = 0;
    for path in found {
        let page = admin.get(path).await;
        seen += usize::from(page.status == StatusCode::OK);
    }
    assert!(seen > 12, "{seen}");

    let mut there = Vec::new();
    for number in EVERYBODY {
        there.push((number, two.browser(THERE, number).await));
    }
    let before = two.there.written().await;

    // A session of the one body is answered in the other as if there were none, and so is a program's token.
    let nobody = two.nobody(THERE);
    for number in [ADMIN, MANAGER, CLERK] {
        let mut carried = two.browser(HERE, number).await;
        carried.call(THERE);
        for path in &gets {
            let (page, none) = (carried.clone().get(path).await, nobody.clone().get(path).await);
            assert_eq!((page.status, page.location()), (none.status, none.location()), "{number} {path}");
            assert_eq!(page.text, none.text, "{number} {path}");
            unmarked(&page, path);
        }
        let mut none = nobody.clone();
        none.csrf.clone_from(&carried.csrf);
        for a in powers::attempts(&held) {
            let (page, none) = (powers::send(&carried, &a).await, powers::send(&none, &a).await);
            let out = page.status == StatusCode::UNAUTHORIZED || page.location().starts_with("/login");
            assert!(out, "{number} {}: {}", a.path, page.status);
            assert_eq!((page.status, &page.text), (none.status, &none.text), "{number} {}", a.path);
        }
        for route in powers::OWN.iter().filter(|r| **r != "/login") {
            let path = filled(route, &held, &more);
            let fields = [("do", "apply"), ("id", only[0].as_str())];
            let (page, none) = (carried.post(&path, &fields).await, none.post(&path, &fields).await);
            assert_eq!((page.status, page.location()), (none.status, none.location()), "{number} {path}");
            unmarked(&page, &path);
        }
        for (method, path) in operations(&document, false) {
            let path = filled(&path, &held, &more);
            let page = carried.send_json(&method, &path, &json!({})).await;
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{number} {method} {path}: {}", page.text);
        }
    }
    for (method, path) in operations(&document, true).iter().chain(&operations(&document, false)) {
        let path = filled(path, &held, &more);
        let request = |host: &str| {
            let r = Request::builder().method(method.as_str()).uri(&path).header(header::HOST, host);
            r.header(header::AUTHORIZATION, format!("Bearer {}", more.token)).body(Body::empty()).unwrap()
        };
        let page = nobody.send(request(THERE)).await;
        let open = nobody.clone().get(&path).await.status == StatusCode::OK && method == "GET";
        assert_eq!(page.status == StatusCode::UNAUTHORIZED, !open, "{method} {path}: {}", page.status);
        unmarked(&page, &path);
        if path == "/api/v1/me" {
            assert_eq!(nobody.send(request(HERE)).await.status, StatusCode::OK);
        }
    }
    assert_eq!(two.there.written().await, before, "with a session of the other body");

    // The other body's own people: with a form's token of the one body, and with its ids.
    let tokens = two.browser(HERE, MANAGER).await.csrf;
    for (number, b) in &there {
        let mut foreign = b.clone();
        foreign.csrf.clone_from(&tokens);
        for a in powers::attempts(&held) {
            let page = powers::send(&foreign, &a).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} {} with a foreign token", a.path);
            let named = |text: &str| only.iter().any(|id| text.contains(id.as_str()));
            // Who saves or sends an application makes one of their own, whatever draft it names: that one is not looked for.
            let of_own = a.route == "/apply/{procedure}" && !a.fields.iter().any(|(_, v)| v == "drop");
            if of_own || !named(&a.path) && !a.fields.iter().any(|(_, v)| named(v)) {
                continue;
            }
            let page = powers::send(b, &a).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY];
            let (status, to) = (page.status, page.location());
            assert!(refused.contains(&status), "{number} {} {:?}: {status} {to}", a.path, a.fields);
            // What somebody typed comes back to them and tells them nothing.
            for mark in MARKS.iter().filter(|m| !a.fields.iter().any(|(_, v)| v.contains(**m))) {
                assert!(!page.text.contains(mark), "{} tells {mark}: {}", a.path, page.text);
            }
        }
        for (method, path) in operations(&document, false) {
            let path = filled(&path, &held, &more);
            if !only.iter().any(|id| path.contains(id)) {
                continue;
            }
            let body = match last(&path) {
                "acts" => json!({"act": "permit", "step": "permit", "shown": held.shown, "values": {}}),
                "decision" => json!({"decision": "approve", "says": ""}),
                id if id == more.row => json!({"version": 1, "values": {"name": "取った"}}),
                _ => json!({}),
            };
            let page = b.send_json(&method, &path, &body).await;
            assert!(page.status.is_client_error(), "{number} {method} {path}: {} {}", page.status, page.text);
        }
        let mut b = b.clone();
        for path in &gets {
            let named = only.iter().any(|id| path.contains(id)) || *path == more.feed;
            let inside = ["/", "/inbox", "/cases", "/notifications", "/registers/asset?q=M-1", "/ledger"];
            if !named && !inside.contains(&path.as_str()) && !path.starts_with("/search") {
                continue;
            }
            let page = b.get(path).await;
            unmarked(&page, path);
            if named && !path.contains('?') {
                let refused = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
                assert!(refused.contains(&page.status), "{number} {path}: {}", page.status);
            }
        }
    }
    assert_eq!(two.there.written().await, before, "by its own people with ids of the other body");

    // Both ledgers are what they were, and whole.
    for city in [&two.here, &two.there] {
        sequencer::drain(&city.office).await.unwrap();
        let found = setup::verify_data(&city.office.store, None, &[]).await.unwrap();
        assert!(found.sound, "{:#?}", found.text);
    }
    assert_eq!(
        two.there.count_of("SELECT COUNT(*) FROM r_asset WHERE c_name = $1", "訪問調査の記録票").await,
        1
    );
}

#[tokio::test]
async fn nothing_of_one_body_is_anything_in_another() {
    nothing_crosses([None, None]).await;
}

#[tokio::test]
async fn nothing_of_one_body_is_anything_in_another_on_postgresql() {
    let url = || async { tokio::task::spawn_blocking(sekisho_testkit::postgres_url).await.unwrap().unwrap() };
    let (one, other) = (url().await, url().await);
    nothing_crosses([Some(&one), Some(&other)]).await;
}

#[tokio::test]
async fn codes_lockouts_and_addresses_are_of_one_body() {
    let two = Two::made([None, None]).await;
    // A permit of the one body is none for a guard of the other.
    let (mut clerk, mut manager, case) = permitted(&two.here).await;
    let digits = code(&mut clerk, &case).await;
    let (own, foreign) = (checker(&mut manager).await, checker(&mut two.browser(THERE, MANAGER).await).await);
    let now = two.here.clock.now();
    assert_eq!(judge(&digits, &[], Some(&own), now).unwrap().code, 0);
    let judged = judge(&digits, &[], Some(&foreign), now);
    assert!(!judged.as_ref().is_ok_and(|j| j.code == 0), "{judged:?}");

    // Wrong passwords lock the login of the one body.
    let login = format!("u{DIRECTOR}");
    for _ in 0..6 {
        let page = two.nobody(HERE).enter(&login, "違うパスワード").await;
        assert_ne!(page.status, StatusCode::SEE_OTHER);
    }
    assert_ne!(two.nobody(HERE).enter(&login, PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(two.nobody(THERE).enter(&login, PASSWORD).await.status, StatusCode::SEE_OTHER);

    // A form that a page of the one body sends to the other is foreign, whoever sent it.
    let victim = two.browser(THERE, CLERK).await;
    let body = encode(&[("csrf", &victim.csrf), ("do", "draft"), ("purpose", "よその画面から")]);
    let before = two.there.written().await;
    let page = victim.post_raw("/apply/take_out", &body, &format!("http://{HERE}")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(two.there.written().await, before);

    // Nothing but the host says which body is meant, and only once; who asks for none learns of none.
    let session = two.browser(HERE, ADMIN).await;
    let ask = |uri: &str, hosts: &[&str], also: &[(&str, &str)]| {
        let mut r = Request::get(uri).header(header::COOKIE, &session.cookie);
        for h in hosts {
            r = r.header(header::HOST, *h);
        }
        for (name, value) in also {
            r = r.header(*name, *value);
        }
        r.body(Body::empty()).unwrap()
    };
    for (request, status) in [
        (ask("/", &["MINATO.test:8443"], &[]), StatusCode::OK),
        (ask("http://minato.test/", &[], &[]), StatusCode::OK),
        (
            ask("/", &[THERE], &[("x-forwarded-host", HERE), ("forwarded", "host=minato.test")]),
            StatusCode::SEE_OTHER,
        ),
        (ask("http://kita.test/", &[HERE], &[]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/", &[HERE, THERE], &[]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/", &[], &[]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/", &["127.0.0.1:8080"], &[("x-forwarded-host", HERE)]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/", &["x.minato.test"], &[]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/api/v1/me", &["elsewhere.test"], &[]), StatusCode::MISDIRECTED_REQUEST),
        (ask("/healthz", &["10.0.0.1"], &[]), StatusCode::OK),
        (ask("/readyz", &["10.0.0.1"], &[]), StatusCode::OK),
    ] {
        let of = format!("{} {:?}", request.uri(), request.headers());
        let page = session.send(request).await;
        assert_eq!(page.status, status, "{of}");
        if status == StatusCode::MISDIRECTED_REQUEST {
            let names = ["minato", "kita", "みなと野"];
            assert!(names.iter().all(|n| !page.text.contains(n)), "{of}: {}", page.text);
            assert!(page.headers.contains_key(header::CONTENT_SECURITY_POLICY));
        }
    }
    // What a browser keeps goes back to this host alone.
    let page = two.nobody(HERE).enter("admin", PASSWORD).await;
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap().to_lowercase();
    assert!(!cookie.contains("domain") && cookie.contains("httponly"), "{cookie}");
}

#[tokio::test]
async fn the_answer_of_one_provider_for_both_opens_only_the_body_that_asked() {
    const SESSIONS: &str = "SELECT COUNT(*) FROM session";
    let two = Two::made([None, None]).await;
    let provider = Provider::at(&two.here, &[]);
    provider.serves(&two.there, &[]);
    let mut b = two.nobody(HERE);
    let url = leave(&mut b, "/cases").await;
    let back = provider.authorize(&url, "s-1", "u1001");
    let (before, linked) = (two.there.count(SESSIONS).await, two.there.written().await);
    let mut carried = b.clone();
    carried.call(THERE);
    let page = carried.get(&back).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{}", page.text);
    assert_eq!(set(&page, "sekisho_session"), None);
    assert_eq!((two.there.count(SESSIONS).await, two.there.written().await), (before, linked));
    // Where it was asked for it is good, also after that.
    let page = b.get(&back).await;
    assert_eq!(page.location(), "/cases", "{}", page.text);
    assert!(set(&page, "sekisho_session").is_some());
}

#[tokio::test]
async fn two_bodies_with_one_key_are_not_both_served() {
    let (one, copy) = (City::settled().await, City::settled().await);
    let bodies = Bodies::named(vec![named("one", HERE), named("copy", THERE)], false);
    bodies.open("one", std::sync::Arc::clone(&one.office)).unwrap();
    let refused = bodies.open("copy", std::sync::Arc::clone(&copy.office)).unwrap_err().to_string();
    assert!(refused.contains("copy") && refused.contains("one"), "{refused}");
    let mut b = Browser::new(&one);
    b.go_to_router(bodies.router(), THERE);
    let page = b.get("/login").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text.contains("W503"), "{}", page.text);
}
