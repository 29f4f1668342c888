//! The first start over HTTP: the code, every step, going back, broken files, a restart in the middle, the end for ever.

use axum::http::{StatusCode, header};
use sekisho_app::{first, sequencer};
use sekisho_base::Clock as _;

use crate::browser::{Browser, Page, encode, hidden};
use crate::city::{ADMIN, City, SECOND_ADMIN, line_with, workbook};
use crate::identity::Phone;
use crate::mail::Smtp;
use crate::registers::{carry_out, check, counts};
use crate::served::Served;

const PASSWORD: &str = "港の見える丘と古い灯台";
/// Every page that only answers during the first start, and what it takes.
const PAGES: [&str; 7] = [
    "/setup/body",
    "/setup/organization",
    "/setup/organization/import",
    "/setup/officers",
    "/setup/pack",
    "/setup/mail",
    "/setup/administrator",
];

pub async fn code(city: &City) -> String {
    city.office.begin_first_start(false).await.unwrap().expect("the first start is open").code
}

async fn type_code(b: &mut Browser, code: &str) -> Page {
    let page = b.post_raw("/setup", &encode(&[("code", code)]), "http://city.test").await;
    if let Some(cookie) = page.headers.get(header::SET_COOKIE) {
        b.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        b.get(&page.location()).await;
    }
    page
}

/// A browser that used a code.
pub async fn come_in(city: &City, code: &str) -> Browser {
    let mut b = Browser::new(city);
    let page = type_code(&mut b, code).await;
    assert_eq!(
        (page.status, page.location().as_str()),
        (StatusCode::SEE_OTHER, "/setup/body"),
        "{}",
        page.text
    );
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/setup"), "{cookie}");
    b
}

/// Sends a step that must be taken and lead on.
pub async fn step(b: &Browser, path: &str, fields: &[(&str, &str)], next: &str) {
    let page = b.post(path, fields).await;
    assert_eq!(
        (page.status, page.location().as_str()),
        (StatusCode::SEE_OTHER, next),
        "{path}: {}",
        page.text
    );
}

/// Sends a step that must be refused with words, keeping what was typed.
pub async fn refused(b: &Browser, path: &str, fields: &[(&str, &str)], says: &str) -> Page {
    let page = b.post(path, fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", page.text);
    assert!(page.text.contains(says), "{path}: {says}: {}", page.text);
    for (name, value) in
        fields.iter().filter(|(n, v)| !v.is_empty() && !["do", "code", "password", "again"].contains(n))
    {
        assert!(page.text.contains(&format!("value=\"{value}\"")), "{path} keeps {name}");
    }
    page
}

pub async fn name_body(b: &Browser) {
    step(b, "/setup/body", &[("title", "潮見市"), ("body", "ｓｈｉｏｍｉ")], "/setup/organization").await;
}

async fn entries(city: &City, kind: &str) -> i64 {
    city.count_of("SELECT COUNT(*) FROM ledger_entry WHERE kind = $1", kind).await
}

/// A department with two sections, typed.
pub const UNITS: [(&str, &str); 10] = [
    ("d.unit", "企画部"),
    ("d.number", "100"),
    ("d.name", "企画 一"),
    ("d.kana", "きかく はじめ"),
    ("s1.unit", "情報政策課"),
    ("s1.number", "１１０"),
    ("s1.name", "髙木 二葉"),
    ("s2.unit", "監査課"),
    ("s2.number", "120"),
    ("s2.name", "監査 三枝"),
];

/// The posts of the model city, typed; the heads are known by their number.
pub const OFFICERS: [(&str, &str); 11] = [
    ("number.post-deputy_mayor", "1"),
    ("name.post-deputy_mayor", "副島 長子"),
    ("title.post-deputy_mayor", "副市長"),
    ("unit.post-deputy_mayor", "0"),
    ("number.post-info_policy_director", "100"),
    ("title.post-info_policy_director", "企画部長"),
    ("unit.post-info_policy_director", "1"),
    ("number.post-info_policy_manager", "110"),
    ("title.post-info_policy_manager", "情報政策課長"),
    ("unit.post-info_policy_manager", "101"),
    ("number.role-auditor", "120"),
];

async fn choose(b: &Browser, person: &str) {
    let fields = [
        ("do", "choose"),
        ("person", person),
        ("login", "Takagi"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    step(b, "/setup/administrator", &fields, "/setup/administrator").await;
}

async fn finish(city: &City, b: &mut Browser) -> (Phone, Page) {
    let phone = Phone::typed(&b.get("/setup/administrator").await);
    let done = b.post("/setup/administrator", &[("do", "finish"), ("code", &phone.code(city))]).await;
    (phone, done)
}

#[tokio::test]
async fn a_city_begins_by_typing_and_the_pages_close_for_ever() {
    let city = City::empty().await;
    let code = code(&city).await;
    let mut nobody = Browser::new(&city);
    assert_eq!(nobody.get("/login").await.location(), "/setup", "nobody can log in yet");
    let mut b = come_in(&city, &code.to_uppercase().replace('-', " ")).await;

    // Body.
    let page = b.get("/setup/body").await;
    assert!(page.text.contains("令和8年4月1日") && page.text.contains("-R8-"), "{}", page.text);
    refused(&b, "/setup/body", &[("title", ""), ("body", "潮見")], "半角の英小文字と数字").await;
    name_body(&b).await;
    assert!(b.get("/setup/body").await.text.contains("value=\"shiomi\""), "going back shows what was kept");

    // Organization.
    let page = refused(
        &b,
        "/setup/organization",
        &[("d.unit", "企画部"), ("s1.unit", "課"), ("s1.number", "9")],
        "氏名も入力してください",
    )
    .await;
    assert!(
        page.text.contains("href=\"#s1.name\"") && page.text.contains("id=\"s1.name\""),
        "the error leads to the field"
    );
    step(&b, "/setup/organization", &UNITS, "/setup/organization?done=saved").await;
    let page = b.get("/setup/organization").await;
    assert!(line_with(&page, "監査課").contains("監査 三枝（120）"), "{}", page.text);
    refused(&b, "/setup/organization", &[("d.unit", "企画部"), ("s1.unit", "監査課")], "もうあります").await;
    assert!(city.office.directory().await.unwrap().unit("101").is_some());

    // Officers: what the standard keeps apart is refused, what it asks for cannot be left out.
    refused(&b, "/setup/officers", &[("number.role-auditor", "999")], "職に就いている人").await;
    let page = b.post("/setup/officers", &OFFICERS[..7]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("「情報システム管理者」は、空席にできません"), "{}", page.text);
    let apart = "同じ人が兼ねられません";
    let both = [&OFFICERS[7..10], &[("number.role-auditor", "110")]].concat();
    refused(&b, "/setup/officers", &both, apart).await;
    step(&b, "/setup/officers", &OFFICERS[7..], "/setup/pack").await;
    refused(&b, "/setup/officers", &[("number.role-system_operator", "120")], apart).await;
    let page = b.get("/setup/officers").await;
    assert!(page.text.contains("副島 長子（1）") && page.text.contains("監査 三枝（120）"), "{}", page.text);

    // Standard and mail.
    assert!(b.get("/setup/pack").await.text.contains("仕組みと結び付いた条項"));
    step(&b, "/setup/pack", &[], "/setup/mail").await;
    refused(
        &b,
        "/setup/mail",
        &[("do", "test"), ("server", "mail"), ("tls", "none"), ("from", "関所"), ("to", "a@b.example")],
        "名前とポートの番号",
    )
    .await;
    step(&b, "/setup/mail", &[("do", "later")], "/setup/administrator").await;

    // Administrator.
    let choice = |person, login, password, again| {
        [("do", "choose"), ("person", person), ("login", login), ("password", password), ("again", again)]
    };
    refused(&b, "/setup/administrator", &choice("110", "x", PASSWORD, PASSWORD), "3文字以上").await;
    refused(
        &b,
        "/setup/administrator",
        &choice("110", "takagi", "password123", "password123"),
        "よく使われる",
    )
    .await;
    refused(
        &b,
        "/setup/administrator",
        &choice("110", "takagi", PASSWORD, "違うパスワード"),
        "2つのパスワードが違います",
    )
    .await;
    let page = b.post("/setup/administrator", &choice("120", "kansa", PASSWORD, PASSWORD)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "an auditor runs no system");
    choose(&b, "110").await;
    assert!(!b.get("/setup/administrator").await.text.contains(PASSWORD));
    let first = Phone::typed(&b.get("/setup/administrator").await);
    step(&b, "/setup/administrator", &[("do", "again")], "/setup/administrator").await;
    choose(&b, "110").await;
    let picture = b.get("/setup/administrator/qr.svg").await;
    assert!(picture.text.starts_with("<?xml") || picture.text.starts_with("<svg"), "{}", picture.text);
    refused(
        &b,
        "/setup/administrator",
        &[("do", "finish"), ("code", &first.code(&city))],
        "コードが違います",
    )
    .await;
    assert_eq!(
        sequencer::drain(&city.office).await.unwrap(),
        0,
        "nothing is signed before the body has its name"
    );
    let (phone, done) = finish(&city, &mut b).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(done.text.matches("<li><code>").count(), 10, "recovery codes");
    assert!(
        done.text.contains("潮見市の関所が動き始めました")
            && done.text.contains("取り込める人が1人しかいません"),
        "{}",
        done.text
    );

    // Closed for ever: for this browser too.
    closed(&city, &mut b).await;
    assert!(city.office.begin_first_start(false).await.unwrap().is_none());
    assert!(sequencer::drain(&city.office).await.unwrap() > 0);
    assert_eq!((city.office.body(), city.office.body_title()), ("shiomi", "潮見市"));
    let origin = city.count("SELECT COUNT(*) FROM ledger_checkpoint WHERE note LIKE 'sekisho.shiomi%'").await;
    assert!(
        origin > 0
            && city
                .count("SELECT COUNT(*) FROM ledger_checkpoint WHERE note NOT LIKE 'sekisho.shiomi%'")
                .await
                == 0
    );
    for (kind, times) in [
        ("setup.code", 1),
        ("setup.enter", 1),
        ("setup.finish", 1),
        ("account.create", 1),
        ("account.second_factor", 1),
    ] {
        assert_eq!(entries(&city, kind).await, times, "{kind}");
    }

    // The administrator logs in with the second factor, a step later: each code is taken once.
    city.clock.set(city.clock.now().plus_millis(30_000));
    let mut admin = Browser::new(&city);
    assert_eq!(admin.get("/login").await.status, StatusCode::OK);
    assert_eq!(admin.enter("takagi", PASSWORD).await.location(), "/login/code?next=/");
    admin.get("/login/code").await;
    let page = admin.post("/login/code", &[("code", &phone.code(&city)), ("next", "/")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    admin.cookie = page.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let home = admin.get("/").await;
    assert!(home.text.contains("潮見市") && home.text.contains("髙木 二葉"), "{}", home.text);
    // Afterwards a second person confirms.
    let plan = check(
        &mut admin,
        "/organization/import",
        "任命.csv",
        "職員番号,職コード,本務/兼務,開始日\r\n120,101-h,兼務,R8.12.1\r\n".as_bytes(),
    )
    .await;
    let proposed = carry_out(&admin, "/organization/import", &plan).await.location();
    assert!(proposed.starts_with("/organization/proposals/"), "{proposed}");
    let page = admin.post(proposed.split('?').next().unwrap(), &[("do", "confirm")]).await;
    assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("自分が提案した"), "{}", page.text);
}

/// Every page of the first start is as if it were not there.
async fn closed(city: &City, b: &mut Browser) {
    let before = city.written().await;
    for path in
        PAGES.iter().chain(&["/setup", "/setup/organization/export.xlsx", "/setup/administrator/qr.svg"])
    {
        assert_eq!(b.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in PAGES.iter().chain(&["/setup", "/setup/unseat"]) {
        for what in ["apply", "finish", "later", "choose"] {
            let page = b.post(path, &[("do", what), ("title", "x"), ("body", "x"), ("code", "x")]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    assert_eq!(city.written().await, before);
}

#[tokio::test]
async fn on_a_running_body_no_page_of_the_first_start_answers() {
    let city = City::settled().await;
    assert!(city.office.begin_first_start(true).await.unwrap().is_none());
    closed(&city, &mut city.browser(ADMIN).await).await;
    closed(&city, &mut Browser::new(&city)).await;

    // Nor when the first login came from the terminal while the pages were open.
    let city = City::empty().await;
    let mut b = come_in(&city, &code(&city).await).await;
    first::import(&city.office, "o.xlsx", workbook(|_| ""), true).await.unwrap();
    first::first_login(&city.office, ADMIN, "admin").await.unwrap();
    closed(&city, &mut b).await;
    assert!(sequencer::drain(&city.office).await.unwrap() > 0, "the names are those of the start");
    assert_eq!(city.office.body(), "minatono");
}

#[tokio::test]
async fn the_code_is_used_once_by_one_browser_and_grows_old() {
    let city = City::empty().await;
    let old = code(&city).await;
    let code = code(&city).await;
    let before = city.written().await;
    for wrong in ["", "0000-0000-0000-0000", old.as_str(), &"x".repeat(10_000)] {
        let page = type_code(&mut Browser::new(&city), wrong).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(page.text.contains("関所を起動し直すと") && page.headers.get(header::SET_COOKIE).is_none());
    }
    let elsewhere = Browser::new(&city)
        .post_raw("/setup", &encode(&[("code", &code)]), "https://elsewhere.example")
        .await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    assert_eq!(city.written().await, before);
    let b = come_in(&city, &code).await;
    let mut second = Browser::new(&city);
    assert_eq!(type_code(&mut second, &code).await.status, StatusCode::UNAUTHORIZED, "used");

    // Without the first browser's cookie, its token or its own pages nothing is sent.
    let before = city.written().await;
    for path in PAGES.iter().chain(&["/setup/unseat"]) {
        assert_eq!(
            second.get(path).await.location(),
            if *path == "/setup/unseat" { "" } else { "/setup" },
            "{path}"
        );
        assert_eq!(second.post(path, &[("title", "x"), ("body", "x")]).await.location(), "/setup", "{path}");
        let body = encode(&[("title", "x"), ("body", "x"), ("do", "later")]);
        assert_eq!(
            b.post_raw(path, &body, "http://city.test").await.status,
            StatusCode::FORBIDDEN,
            "{path} without token"
        );
        let body = format!("{body}&{}", encode(&[("csrf", &b.csrf)]));
        assert_eq!(
            b.post_raw(path, &body, "https://elsewhere.example").await.status,
            StatusCode::FORBIDDEN,
            "{path} from elsewhere"
        );
    }
    assert_eq!(city.written().await, before);

    // A code and a browser's session last a day.
    let late = City::empty().await;
    let code = self::code(&late).await;
    late.clock.set(late.clock.now().plus_millis(24 * 3_600_000));
    assert_eq!(type_code(&mut Browser::new(&late), &code).await.status, StatusCode::UNAUTHORIZED);
    let mut b = come_in(&late, &self::code(&late).await).await;
    late.clock.set(late.clock.now().plus_millis(24 * 3_600_000));
    assert_eq!(b.get("/setup/body").await.location(), "/setup");
}

#[tokio::test]
async fn a_city_begins_with_a_file_and_broken_ones_change_nothing() {
    const PATH: &str = "/setup/organization/import";
    let city = City::empty().await;
    let mut b = come_in(&city, &code(&city).await).await;
    let sample = b.get("/setup/organization/export.xlsx").await;
    assert_eq!(sample.status, StatusCode::OK);
    let before = city.written().await;
    for (name, bytes, says) in [
        ("a.pdf", &b"%PDF-1.7\n"[..], "PDFは読めません"),
        ("broken.xlsx", b"PK\x03\x04broken", "Excelファイルが壊れているか"),
    ] {
        let page = check(&mut b, PATH, name, bytes).await;
        assert!(page.status == StatusCode::OK && page.text.contains(says), "{name}: {}", page.text);
    }
    let page = b.upload(PATH, &[("do", "check")], "", b"").await;
    assert!(page.text.contains("ファイルを選んでください"), "{}", page.text);
    assert_eq!(city.written().await, before);
    let csv = "職員番号,職コード,本務/兼務,開始日\r\n1001,99-x,本務,R8.4.1\r\n";
    let plan = check(&mut b, PATH, "任命.csv", csv.as_bytes()).await;
    assert!(counts(&plan)[3] > 0, "{}", plan.text);
    let (upload, shown) = (hidden(&plan.text, "upload"), hidden(&plan.text, "shown"));
    assert!(upload.is_empty(), "what has errors offers no second step");
    let page = b.post(PATH, &[("do", "apply"), ("upload", &upload), ("shown", &shown)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);

    let plan = check(&mut b, PATH, "組織.xlsx", &workbook(|_| "")).await;
    assert_eq!((counts(&plan)[1], counts(&plan)[3]), (0, 0), "{}", plan.text);
    assert_eq!(carry_out(&b, PATH, &plan).await.location(), "/setup/organization?done=imported");
    assert_eq!(carry_out(&b, PATH, &plan).await.status, StatusCode::FORBIDDEN, "once");
    assert_eq!(entries(&city, "org.import").await, 1);

    // Whoever was appointed by mistake is taken back, and nothing else.
    let page = b.get("/setup/officers").await;
    assert!(page.text.contains("副島 長子（8002）"), "the posts of the file are known: {}", page.text);
    let form = page.text.split("action=\"/setup/unseat\"").nth(1).unwrap();
    let id = hidden(form, "appointment");
    step(&b, "/setup/unseat", &[("appointment", &id), ("back", "officers")], "/setup/officers?done=unseated")
        .await;
    assert_eq!(b.post("/setup/unseat", &[("appointment", &id)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(entries(&city, "setup.unseat").await, 1);
    refused(&b, "/setup/officers", &[], "空席にできません").await;

    // Whoever holds nothing that runs the system is no administrator; what is missing is named.
    let page = b.get("/setup/administrator").await;
    for missing in ["/setup/body", "/setup/officers", "/setup/pack", "/setup/mail"] {
        assert!(page.text.contains(&format!("<li><a href=\"{missing}\">")), "{missing}: {}", page.text);
    }
    choose(&b, SECOND_ADMIN).await;
    let (_, early) = finish(&city, &mut b).await;
    assert!(
        early.status == StatusCode::UNPROCESSABLE_ENTITY && early.text.contains("まだ済んでいません"),
        "{}",
        early.text
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, 0);
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing_and_a_new_code_moves_to_another_browser() {
    let city = City::empty().await;
    let mut b = come_in(&city, &code(&city).await).await;
    name_body(&b).await;
    step(&b, "/setup/organization", &UNITS, "/setup/organization?done=saved").await;
    let (city, _backup) = city.and_backup().await;
    assert_eq!(city.office.body(), "minatono", "not named before the end");
    let code = code(&city).await;
    let mut again = Browser::new(&city);
    (again.cookie, again.csrf) = (b.cookie, b.csrf);
    b = again;
    let page = b.get("/setup/officers").await;
    assert_eq!(page.status, StatusCode::OK, "the browser goes on after a restart");
    step(&b, "/setup/officers", &OFFICERS, "/setup/pack").await;
    let mut other = come_in(&city, &code).await;
    assert!(other.get("/setup/body").await.text.contains("value=\"潮見市\""));
    assert_eq!(b.get("/setup/pack").await.location(), "/setup", "the former browser is out");
    assert_eq!(b.post("/setup/pack", &[]).await.location(), "/setup");
    step(&other, "/setup/pack", &[], "/setup/mail").await;

    // Mail through a real server, tried from the page.
    let mut smtp = Smtp::start();
    let server = format!("127.0.0.1:{}", smtp.port);
    let fields = [
        ("do", "test"),
        ("server", &server),
        ("tls", "none"),
        ("from", "関所 <sekisho@shiomi.example>"),
        ("to", "takagi@shiomi.example"),
    ];
    let page = other.post("/setup/mail", &fields).await;
    assert!(
        page.status == StatusCode::OK && page.text.contains(&format!("server = &#34;{server}&#34;")),
        "{}",
        page.text
    );
    let got = smtp.next().to_string();
    assert!(got.contains("takagi@shiomi.example"), "{got}");
    choose(&other, "110").await;
    let (_, done) = finish(&city, &mut other).await;
    assert!(
        done.status == StatusCode::OK && !done.text.contains("メールサーバを設定ファイルに"),
        "{}",
        done.text
    );
}

/// The program itself, on an empty folder.
#[tokio::test]
async fn the_program_prints_the_code_and_keeps_it_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let city = City::empty().await;
    let folder = tempfile_folder(&city);
    let mut code = String::new();
    for round in 0..2 {
        let mut served = Served::start(&folder, None);
        let said = served.said(3).await;
        let address = said[0].split("://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(said[1].contains("/setup を開き"), "{said:?}");
        let printed = said[2].split(' ').nth(1).unwrap().split('（').next().unwrap().to_owned();
        let file = folder.join("setup-code");
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), printed);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(printed, code, "each start has its own");
        code = printed;
        let mut b = Browser::new(&city);
        b.go_to(address);
        assert_eq!(b.get("/setup").await.status, StatusCode::OK);
        if round == 1 {
            assert_eq!(type_code(&mut b, &code).await.location(), "/setup/body");
            assert!(!file.exists(), "a used code is gone");
            name_body(&b).await;
            assert!(b.get("/setup/organization").await.text.contains("ファイルで取り込む"));
        }
        served.terminate();
        let ended = tokio::task::spawn_blocking(move || served.ended()).await.unwrap();
        assert_eq!(ended.code(), Some(0));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn tempfile_folder(city: &City) -> std::path::PathBuf {
    let folder = city.folder_beside("first");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
