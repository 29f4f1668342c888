//! Every route that changes something, tried by those who may not: refused, and nothing written.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::http::StatusCode;

use crate::acts::{application, apply, done, item};
use crate::browser::{Browser, encode, hidden};
use crate::city::{
    ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, SECOND_ADMIN, asset, row_id,
    workbook,
};
use crate::registers::check;

/// A form, and who has no right to send it.
pub struct Attempt {
    /// Route as the router names it.
    pub route: &'static str,
    /// Address.
    pub path: String,
    pub fields: Vec<(&'static str, String)>,
    /// Sent along as a file.
    pub file: Option<Vec<u8>>,
    /// Persons without the right.
    pub wrong: Vec<&'static str>,
}

fn owned(fields: Vec<(&'static str, &'static str)>) -> Vec<(&'static str, String)> {
    fields.into_iter().map(|(k, v)| (k, v.to_owned())).collect()
}

/// What the city holds when the attempts are made.
pub struct Held {
    pub case: String,
    pub shown: String,
    pub asset: String,
    /// What the dry run of a bulk change showed the clerk.
    pub bulk: String,
    pub draft: String,
    /// Id and digest of a file of applications that the clerk has looked at.
    pub file: [String; 2],
    /// Id of one that the clerk has loaded.
    pub loaded: String,
    /// Id and digest of an import that the manager has looked at.
    pub upload: [String; 2],
    /// The same of the organization, by the administrator.
    pub organization: [String; 2],
    /// Address that cancels the clerk's absence.
    pub absence: String,
    /// Address of a delegation of the manager's post to the other clerk, proposed by the manager.
    pub delegation: String,
    /// Address of an import that the administrator proposed, by which the second one gains.
    pub proposal: String,
    /// Address of the manager's inventory of assets.
    pub duty: String,
    /// Address of the manager's stocktaking.
    pub stocktaking: String,
    /// Address that opens a notification of the manager's.
    pub notification: String,
}

pub async fn hold(city: &City) -> Held {
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let mut admin = city.browser(ADMIN).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    let draft = clerk.post("/apply/take_out", &[("do", "draft"), ("purpose", "下書き")]).await.location();
    let draft = draft.split("draft=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let (file, loaded) = crate::case_import::held(city, &mut clerk).await;
    let csv = "管理番号,名称\r\nA-001,直した名前\r\n";
    let plan = check(&mut manager, "/registers/asset/import", "a.csv", csv.as_bytes()).await;
    let upload = ["upload", "shown"].map(|name| hidden(&plan.text, name));
    let plan = check(
        &mut admin,
        "/organization/import",
        "o.xlsx",
        &workbook(|p| if p == DIRECTOR { "2026-11-30" } else { "" }),
    )
    .await;
    let asset = row_id(&mut clerk, "asset", "A-001").await;
    let bulk = hidden(&crate::bulk::dry_run(&mut clerk, "A-001", "2").await.text, "shown");
    let away = [("from", "R8.12.21"), ("until", "R8.12.22"), ("kind", "leave")];
    assert_eq!(clerk.post("/absences", &away).await.status, StatusCode::SEE_OTHER);
    let delegation = crate::delegations::propose(&mut manager, "21-h", OTHER_CLERK).await;
    let proposal = crate::proposals::propose(&mut admin, "任命.csv", crate::proposals::GAIN.as_bytes()).await;
    sekisho_app::duties::run_day(&city.office).await.unwrap();
    let duties = manager.get("/duties").await;
    let duty = crate::duties::link(&duties, "情報資産の棚卸し", "高齢福祉課");
    let stocktaking = crate::stocktaking::open(&mut manager, "asset", "21").await;
    let told = manager.get("/notifications").await;
    let open =
        told.text.split("action=\"/notifications/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    Held {
        bulk,
        duty,
        stocktaking,
        notification: format!("/notifications/{open}"),
        case,
        shown,
        delegation,
        proposal,
        asset,
        draft,
        file,
        loaded,
        upload,
        absence: crate::absences::cancels(&clerk.get("/absences").await).swap_remove(0),
        organization: ["upload", "shown"].map(|name| hidden(&plan.text, name)),
    }
}

pub fn attempts(h: &Held) -> Vec<Attempt> {
    let staff = vec![CLERK, MANAGER, DIRECTOR, OTHER_CLERK, OTHER_MANAGER];
    let mut all = Vec::new();
    let mut add = |route, path: &str, fields, file, wrong: &[&'static str]| {
        all.push(Attempt { route, path: path.to_owned(), fields, file, wrong: wrong.to_vec() });
    };
    add(
        "/organization/account",
        "/organization/account",
        owned(vec![("person", "8001"), ("login", "stolen")]),
        None,
        &staff,
    );
    add(
        "/organization/account",
        "/organization/account",
        owned(vec![("person", ADMIN), ("login", "admin")]),
        None,
        &[ADMIN],
    );
    for what in ["stop", "unlock", "drop_factor"] {
        add(
            "/accounts/{person}",
            "/accounts/2002",
            owned(vec![("do", what)]),
            None,
            &[CLERK, MANAGER, DIRECTOR, OTHER_CLERK],
        );
        add(
            "/accounts/{person}",
            &format!("/accounts/{ADMIN}"),
            owned(vec![("do", what)]),
            None,
            &[ADMIN, CLERK],
        );
    }
    let appoint = |person| owned(vec![("person", person), ("role", "system_operator"), ("from", "R8.11.25")]);
    add("/accounts/roles", "/accounts/roles", appoint(CLERK), None, &staff);
    add("/accounts/second-factor", "/accounts/second-factor", owned(vec![("role", "staff")]), None, &staff);
    let file = b"userName,employeeNumber\r\nthief,8001\r\n".to_vec();
    add("/accounts/import", "/accounts/import", owned(vec![("do", "check")]), Some(file), &staff);
    for what in ["apply", "undo"] {
        add("/accounts/import", "/accounts/import", owned(vec![("do", what)]), None, &staff);
    }
    for what in ["people", "logins"] {
        let fields = owned(vec![("do", what), ("changed", "update")]);
        add("/accounts/directory", "/accounts/directory", fields, None, &staff);
    }
    let import = |what: &str, [upload, digest]: &[String; 2]| {
        vec![("do", what.to_owned()), ("upload", upload.clone()), ("shown", digest.clone())]
    };
    let none = [String::new(), String::new()];
    add("/organization/import", "/organization/import", import("apply", &h.organization), None, &staff);
    add(
        "/organization/import",
        "/organization/import",
        import("check", &none),
        Some(workbook(|_| "2026-11-30")),
        &staff,
    );
    let done = owned(crate::duties::INVENTORY.to_vec());
    let wrong = [CLERK, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN];
    add("/duties/{duty}/{occurrence}", &h.duty, done, None, &wrong);
    add("/notifications/{id}/open", &h.notification, vec![], None, &wrong);
    let decided = owned(vec![
        ("do", "decided"),
        ("version", "偽"),
        ("decided_on", "R8.4.1"),
        ("decided_by", "市長"),
        ("in_force_on", "R8.4.1"),
        ("place", "机の中"),
    ]);
    add("/documents/{id}", "/documents/basic_policy", decided, None, &[&staff[..], &[ADMIN]].concat());
    let begin = owned(vec![("register", "asset"), ("unit", "22"), ("due_on", "R8.12.25")]);
    add("/stocktakings", "/stocktakings", begin, None, &[CLERK, MANAGER, OTHER_CLERK]);
    let see = owned(vec![("do", "see"), ("code", "A-001")]);
    add("/stocktakings/{id}", &h.stocktaking, see, None, &[DIRECTOR, OTHER_CLERK, OTHER_MANAGER]);
    let close = owned(vec![("do", "close")]);
    let wrong = [CLERK, DEPUTY, OTHER_CLERK, OTHER_MANAGER];
    add("/stocktakings/{id}", &h.stocktaking, close, None, &wrong);
    let days = owned(vec![("do", "days")]);
    add(
        "/stocktakings/{id}",
        &h.stocktaking,
        days,
        None,
        &[CLERK, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER],
    );
    let labels = vec![("row", h.asset.clone())];
    let wrong = [OTHER_CLERK, OTHER_MANAGER];
    add("/registers/{id}/labels", "/registers/asset/labels", labels, None, &wrong);
    let one = vec![("value", "机の中".to_owned()), ("row", h.asset.clone())];
    let wrong = [CLERK, OTHER_CLERK, OTHER_MANAGER];
    add("/registers/{id}/change", "/registers/asset/change?column=place", one, None, &wrong);
    // Nobody answers while nothing is asked.
    add("/assessment", "/assessment", owned(vec![("a.conduct", "yes")]), None, &staff);
    let lend = |what| {
        let fields =
            [("person", OTHER_CLERK), ("from", "R8.11.25"), ("until", "R8.11.30"), ("note", "留守番")];
        let mut fields = owned(fields.to_vec());
        fields.push(("what", String::from(what)));
        fields
    };
    let wrong = [CLERK, DEPUTY, OTHER_CLERK, OTHER_MANAGER, ADMIN];
    add("/delegations", "/delegations", lend("21-h"), None, &wrong);
    let act = |what| owned(vec![("do", what), ("says", "理由")]);
    for what in ["approve", "refuse"] {
        let wrong = [CLERK, MANAGER, DEPUTY, OTHER_CLERK, OTHER_MANAGER, ADMIN];
        add("/delegations/{id}", &h.delegation, act(what), None, &wrong);
    }
    add("/delegations/{id}", &h.delegation, act("end"), None, &[CLERK, DEPUTY, OTHER_MANAGER, ADMIN]);
    for what in ["confirm", "refuse", "adopt"] {
        add("/organization/proposals/{id}", &h.proposal, act(what), None, &staff);
    }
    let wrong = [ADMIN, SECOND_ADMIN];
    add("/organization/proposals/{id}", &h.proposal, act("confirm"), None, &wrong);
    // Nobody who would stand in for the manager, and no stranger.
    let away = |person| {
        owned(vec![("person", person), ("from", "R8.11.25"), ("until", "R8.11.30"), ("kind", "sick")])
    };
    add("/absences", "/absences", away(MANAGER), None, &[DEPUTY, OTHER_CLERK, OTHER_MANAGER, ADMIN]);
    add("/absences", "/absences", away(CLERK), None, &[DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN]);
    add("/absences/{id}/cancel", &h.absence, vec![], None, &[DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN]);
    let csv = "管理番号,名称\r\nA-001,直した名前\r\n".as_bytes().to_vec();
    add(
        "/registers/{id}/import",
        "/registers/asset/import",
        import("apply", &h.upload),
        None,
        &[CLERK, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN],
    );
    add(
        "/registers/{id}/import",
        "/registers/asset/import",
        import("check", &none),
        Some(csv),
        &[CLERK, OTHER_CLERK],
    );
    let new = owned(asset("Z-1", "作った行", "21"));
    add("/registers/{id}/new", "/registers/asset/new", new, None, &[CLERK, OTHER_CLERK, OTHER_MANAGER]);
    let mut edit = owned(asset("A-001", "書き換えた名前", "21"));
    edit.push(("version", "1".to_owned()));
    let row = format!("/registers/asset/{}/edit", h.asset);
    add("/registers/{id}/{row}/edit", &row, edit, None, &[CLERK, OTHER_CLERK, OTHER_MANAGER]);
    // Another person's draft is neither sent, nor saved over, nor dropped; and one applies from one's own post only.
    let from_draft = |what: &str, post: &str| {
        let fields =
            application("", "asset/none").into_iter().filter(|(k, _)| !matches!(*k, "post" | "items"));
        let mut fields: Vec<(&'static str, String)> = fields.map(|(k, v)| (k, v.to_owned())).collect();
        fields.extend([
            ("do", what.to_owned()),
            ("draft", h.draft.clone()),
            ("post", post.to_owned()),
            ("items", format!("asset/{}", h.asset)),
        ]);
        fields
    };
    add(
        "/apply/{procedure}",
        "/apply/take_out",
        from_draft("draft", "21-h"),
        None,
        &[MANAGER, OTHER_CLERK, ADMIN],
    );
    add(
        "/apply/{procedure}",
        "/apply/take_out",
        from_draft("drop", "21-h"),
        None,
        &[MANAGER, OTHER_CLERK, ADMIN],
    );
    add(
        "/apply/{procedure}",
        "/apply/take_out",
        from_draft("apply", "21-h"),
        None,
        &[CLERK, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN],
    );
    add("/apply/{procedure}", "/apply/take_out", from_draft("apply", "22-s"), None, &[OTHER_CLERK]);
    // A file of applications is carried out and taken back by whoever looked at it, and read only from whoever may apply.
    let mut load = import("apply", &h.file);
    load.push(("then", "draft".to_owned()));
    let wrong = [MANAGER, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN];
    add("/apply/{procedure}/import", "/apply/take_out/import", load, None, &wrong);
    let csv = "案件番号,必要な理由\r\n,急ぐため\r\n".as_bytes().to_vec();
    let check = import("check", &none);
    add("/apply/{procedure}/import", "/apply/exception/import", check, Some(csv), &[CLERK, OTHER_CLERK]);
    let undo = vec![("import", h.loaded.clone())];
    add("/apply/{procedure}/imports", "/apply/take_out/imports", undo, None, &wrong);
    let mut change = owned(crate::bulk::form("A-001", "2"));
    change.extend([("do", "apply".to_owned()), ("shown", h.bulk.clone())]);
    let wrong = [MANAGER, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN];
    add("/bulk/{procedure}", "/bulk/reclassification", change, None, &wrong);
    for act in [
        "permit",
        "refuse",
        "send_back",
        "perform",
        "confirm",
        "withdraw",
        "resubmit",
        "ask_extension",
        "extend",
        "decline_extension",
        "revoke",
        "close",
        "move_out",
        "move_in",
        "post_review",
        "see",
        "",
        "nonsense",
    ] {
        for step in ["permit", "return", "confirm_return", "", "1"] {
            let mut fields =
                vec![("do", act.to_owned()), ("step", step.to_owned()), ("shown", h.shown.clone())];
            fields.extend(owned(vec![
                ("says", "理由"),
                ("reason", "理由"),
                ("e.returned_at", "R8.11.25"),
                ("e.erasure_checked", "1"),
                ("extend.until", "R9.1.8"),
                ("ask_extension.until", "R9.1.8"),
            ]));
            add("/cases/{id}", &h.case, fields, None, &[CLERK, DIRECTOR, OTHER_CLERK, ADMIN]);
        }
    }
    let task = format!("{}|permit|{}", h.case.trim_start_matches("/cases/"), h.shown);
    add(
        "/inbox",
        "/inbox",
        vec![("task", task)],
        None,
        &[CLERK, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN],
    );
    all
}

pub async fn send(b: &Browser, a: &Attempt) -> crate::browser::Page {
    let fields: Vec<(&str, &str)> = a.fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    match &a.file {
        Some(bytes) => b.upload(&a.path, &fields, "file.xlsx", bytes).await,
        None => b.post(&a.path, &fields).await,
    }
}

#[tokio::test]
async fn whoever_has_no_right_is_refused_and_nothing_is_written() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let mut browsers = std::collections::BTreeMap::new();
    for number in [CLERK, MANAGER, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN, SECOND_ADMIN] {
        browsers.insert(number, city.browser(number).await);
    }
    let before = city.written().await;
    for a in attempts(&held) {
        for number in &a.wrong {
            let page = send(&browsers[number], &a).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY]
                .contains(&page.status);
            assert!(refused, "{number} {} {:?}: {} {}", a.path, a.fields, page.status, page.location());
            assert_eq!(city.written().await, before, "{number} {} {:?}", a.path, a.fields);
        }
    }
    // The rightful ones are not kept out.
    let mut manager = city.browser(MANAGER).await;
    done(&mut manager, &held.case, "permit", &[]).await;
    let applied = manager
        .post(
            "/registers/asset/import",
            &[("do", "apply"), ("upload", &held.upload[0]), ("shown", &held.upload[1])],
        )
        .await;
    assert_eq!(applied.status, StatusCode::SEE_OTHER);
    let mut admin = city.browser(ADMIN).await;
    admin.get("/organization").await;
    let applied = admin
        .post(
            "/organization/import",
            &[("do", "apply"), ("upload", &held.organization[0]), ("shown", &held.organization[1])],
        )
        .await;
    assert_eq!(applied.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn without_session_or_token_or_from_elsewhere_nothing_is_sent_anywhere() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let nobody = Browser::new(&city);
    let manager = city.browser(MANAGER).await;
    let before = city.written().await;
    let mut paths: BTreeSet<String> = attempts(&held).into_iter().map(|a| a.path).collect();
    paths.extend(
        [
            "/logout",
            "/password",
            "/account/second-factor",
            "/account/passkeys",
            "/account/sessions",
            "/account/tokens",
        ]
        .map(str::to_owned),
    );
    for path in &paths {
        let page = nobody.post(path, &[("do", "apply")]).await;
        assert!(
            page.status == StatusCode::SEE_OTHER && page.location().starts_with("/login"),
            "{path}: {}",
            page.status
        );
        let body = encode(&[("do", "permit"), ("step", "permit"), ("shown", &held.shown)]);
        assert_eq!(
            manager.post_raw(path, &body, "http://city.test").await.status,
            StatusCode::FORBIDDEN,
            "{path} without token"
        );
        let body = format!("{body}&{}", encode(&[("csrf", &manager.csrf)]));
        assert_eq!(
            manager.post_raw(path, &body, "https://elsewhere.example").await.status,
            StatusCode::FORBIDDEN,
            "{path} from elsewhere"
        );
    }
    assert_eq!(city.written().await, before);
}

/// Routes of the pages that are answered by a kind of method (`get(`, `post(`), as their files name them.
pub fn routes_with(method: &str) -> BTreeSet<String> {
    let pages = PathBuf::from("src/pages");
    let mut routes = BTreeSet::new();
    let mut paths = vec![pages];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for part in text.split(".route(").skip(1) {
            let part = part.trim_start();
            let (route, handlers) = match part.strip_prefix('"').and_then(|p| p.split_once('"')) {
                Some(literal) => literal,
                None => match part.split_once(',') {
                    Some(("sekisho_app::oidc::BACK", handlers)) => (sekisho_app::oidc::BACK, handlers),
                    other => panic!("{other:?}: say here what the constant names"),
                },
            };
            let handlers = handlers.split("\n}").next().unwrap();
            if handlers.contains(method) {
                routes.insert(route.to_owned());
            }
        }
    }
    routes
}

/// Routes that take forms of anybody's own: guards.rs, identity.rs, passkeys.rs, tokens.rs and exchange.rs try them. What versions of the standard take is tried
/// in packs.rs and pack_edit.rs, the first start in first_start.rs, views of registers in saved_views.rs, the undoing of an import in exchange.rs.
pub const OWN: [&str; 28] = [
    "/setup",
    "/setup/body",
    "/setup/organization",
    "/setup/organization/import",
    "/setup/unseat",
    "/setup/officers",
    "/setup/pack",
    "/setup/mail",
    "/setup/administrator",
    "/exchange/calendar",
    "/registers/{id}/imports",
    "/login",
    "/login/card",
    "/login/code",
    "/login/passkey",
    "/logout",
    "/password",
    "/account/second-factor",
    "/account/passkeys",
    "/account/sessions",
    "/account/tokens",
    "/accounts/resets/{person}",
    "/notifications",
    "/packs",
    "/packs/edit",
    "/packs/edit/file",
    "/packs/proposals/{id}",
    "/registers/{id}/views",
];

/// A new route that takes forms must be tried above.
#[tokio::test]
async fn every_route_that_takes_a_form_is_tried() {
    let city = City::settled().await;
    let tried: BTreeSet<String> = attempts(&hold(&city).await).iter().map(|a| a.route.to_owned()).collect();
    let mut routes = routes_with("post(");
    for own in OWN {
        assert!(routes.remove(own), "{own}");
    }
    assert_eq!(routes, tried);
}
