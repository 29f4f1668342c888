//! Second factors, the proof before privileged work, sessions, resets that bar decisions.

use axum::http::{StatusCode, header};
use sekisho_app::totp;
use sekisho_base::Clock as _;

use crate::acts::{application, apply, forge, item, refusal};
use crate::browser::{Browser, Page, hidden};
use crate::city::{
    ADMIN, CISO, CLERK, City, DIRECTOR, HEAD, MANAGER, OTHER_CLERK, OTHER_MANAGER, PASSWORD, SECOND_ADMIN,
};

/// What somebody chooses after a reset.
const NEW: &str = "窓口の前の大きな木と空";
const FACTOR: &str = "/account/second-factor";

/// What a phone with an authenticator app does.
pub struct Phone(Vec<u8>);

impl Phone {
    /// Takes the secret as it is typed from the page.
    pub fn typed(page: &Page) -> Self {
        let text = page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
        let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
        for c in text.chars().filter(|c| *c != ' ') {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
            bits = (bits << 5) | u32::try_from(value).unwrap();
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from((bits >> held) & 0xff).unwrap());
            }
        }
        assert_eq!(bytes.len(), 20);
        Self(bytes)
    }

    pub fn code(&self, city: &City) -> String {
        totp::code(&self.0, city.clock.now().millis() / 30_000).unwrap()
    }
}

/// Enrols a second factor and gives the phone and the recovery codes.
pub async fn enrol(city: &City, b: &mut Browser) -> (Phone, Vec<String>) {
    b.get(FACTOR).await;
    assert_eq!(b.post(FACTOR, &[("do", "begin")]).await.location(), FACTOR);
    let phone = Phone::typed(&b.get(FACTOR).await);
    let page = b.post(FACTOR, &[("do", "confirm"), ("code", &phone.code(city))]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let codes = page.text.split("<li><code>").skip(1).map(|c| c.split('<').next().unwrap().to_owned());
    (phone, codes.collect())
}

pub fn later(city: &City, minutes: i64) {
    city.clock.set(city.clock.now().plus_millis(minutes * 60_000));
}

pub async fn entries(city: &City, kind: &'static str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM ledger_entry WHERE kind = '{kind}'");
    city.count(Box::leak(sql.into_boxed_str())).await
}

#[tokio::test]
async fn a_role_that_asks_for_a_second_factor_leads_to_it_and_its_codes_are_taken_once() {
    let city = City::settled().await;
    city.ask_second_factor_of("information_system_manager").await;
    let mut clerk = city.browser(CLERK).await;
    assert_eq!(clerk.get("/").await.status, StatusCode::OK, "no role of hers asks for one");

    let mut b = Browser::new(&city);
    assert_eq!(b.enter("admin", PASSWORD).await.location(), FACTOR);
    for path in ["/", "/organization", "/account", "/accounts"] {
        assert_eq!(b.get(path).await.location(), FACTOR, "{path}");
    }
    assert_eq!(b.get("/api/v1/me").await.status, StatusCode::FORBIDDEN);
    b.get(FACTOR).await;
    assert_eq!(b.post("/organization/import", &[("do", "apply")]).await.location(), FACTOR);
    assert_eq!(b.post(FACTOR, &[("do", "confirm"), ("code", "000000")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(b.get("/account/second-factor/qr.svg").await.status, StatusCode::NOT_FOUND);
    b.post(FACTOR, &[("do", "begin")]).await;
    let page = b.get(FACTOR).await;
    let phone = Phone::typed(&page);
    let picture = b.get("/account/second-factor/qr.svg").await;
    assert_eq!(picture.headers.get(header::CONTENT_TYPE).unwrap(), "image/svg+xml");
    assert!(picture.text.contains("<svg"), "{}", picture.text);
    let stored = "SELECT COUNT(*) FROM totp WHERE pending LIKE '%' || $1 || '%'";
    let plain = phone.0.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(city.count_of(stored, &plain).await, 0, "the secret lies sealed in the database");
    let wrong = b.post(FACTOR, &[("do", "confirm"), ("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("コードが違います"));
    assert_eq!(b.get("/").await.location(), FACTOR);
    let code = phone.code(&city);
    let page = b.post(FACTOR, &[("do", "confirm"), ("code", &code)]).await;
    assert_eq!(page.text.matches("<li><code>").count(), 10, "{}", page.text);
    assert_eq!(b.get("/").await.status, StatusCode::OK);
    assert_eq!(entries(&city, "account.second_factor").await, 1);
    let dropped = b.post(FACTOR, &[("do", "drop")]).await;
    assert!(refusal(&dropped).contains("役割には多要素認証が必要"), "{}", dropped.text);

    let mut b = Browser::new(&city);
    let page = b.enter("admin", PASSWORD).await;
    assert_eq!(page.location(), "/login/code?next=/");
    for path in ["/", "/password", "/account", FACTOR] {
        assert!(b.get(path).await.location().starts_with("/login/code"), "{path}");
    }
    assert_eq!(b.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    let page = b.get("/login/code?next=/cases").await;
    assert!(page.text.contains("value=\"/cases\""), "{}", page.text);
    let again = b.post("/login/code", &[("code", &code), ("next", "/cases")]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "the code that confirmed it was used");
    city.clock.set(city.clock.now().plus_millis(30_000));
    let fresh = phone.code(&city);
    let old = b.cookie.clone();
    let done = b.post("/login/code", &[("code", &fresh), ("next", "/cases")]).await;
    assert_eq!(done.location(), "/cases");
    take_cookie(&mut b, &done);
    assert_eq!(b.get("/").await.status, StatusCode::OK);
    let mut waiting = Browser::new(&city);
    waiting.cookie = old;
    assert!(waiting.get("/").await.location().starts_with("/login?"), "the session that waited is over");
    let mut second = Browser::new(&city);
    second.enter("admin", PASSWORD).await;
    second.get("/login/code").await;
    let replay = second.post("/login/code", &[("code", &fresh)]).await;
    assert_eq!(replay.status, StatusCode::UNAUTHORIZED, "nor is it taken in another session");
}

fn take_cookie(b: &mut Browser, page: &Page) {
    let cookie = page.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    b.cookie = cookie.split(';').next().unwrap().to_owned();
}

#[tokio::test]
async fn recovery_codes_work_once_each_and_five_failures_lock() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let (_, codes) = enrol(&city, &mut b).await;
    for (code, taken) in
        [(codes[0].to_uppercase(), true), (codes[0].clone(), false), (codes[1].replace('-', " "), true)]
    {
        let mut b = Browser::new(&city);
        b.enter("u1002", PASSWORD).await;
        b.get("/login/code").await;
        let page = b.post("/login/code", &[("code", &code), ("next", "/")]).await;
        assert_eq!(page.status == StatusCode::SEE_OTHER, taken, "{code}");
    }
    assert_eq!(entries(&city, "account.recovery_code").await, 2);
    let page = b.get("/account").await;
    assert!(page.text.contains("回復コードの残り 8個"), "{}", page.text);

    let mut b = Browser::new(&city);
    b.enter("u1002", PASSWORD).await;
    b.get("/login/code").await;
    for n in 0..5 {
        let page = b.post("/login/code", &[("code", "123456")]).await;
        assert_eq!(page.status == StatusCode::UNAUTHORIZED, n < 4, "{n}");
    }
    assert!(b.get("/login/code").await.location().starts_with("/login?"), "the session is over");
    b.enter("u1002", PASSWORD).await;
    b.get("/login/code").await;
    let locked = b.post("/login/code", &[("code", &codes[2])]).await;
    assert_eq!(
        locked.location(),
        "/login",
        "a right code does not help before a quarter of an hour has passed"
    );
    later(&city, 16);
    b.enter("u1002", PASSWORD).await;
    b.get("/login/code").await;
    assert_eq!(b.post("/login/code", &[("code", &codes[2])]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn privileged_work_asks_again_who_it_is_and_goes_on_with_what_was_typed() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let fields = [("person", HEAD), ("login", "u8001")];
    later(&city, 16);
    let before = city.written().await;
    let asked = admin.post("/organization/account", &fields).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(asked.text.contains("action=\"/organization/account\"") && !asked.text.contains("<code>"));
    let kept = ["person", "login"].map(|n| hidden(&asked.text, n));
    assert_eq!(kept, [HEAD.to_owned(), "u8001".to_owned()]);
    let mut sent = fields.to_vec();
    sent.push(("proof", "まちがい"));
    let wrong = admin.post("/organization/account", &sent).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("パスワードが違います") && !wrong.text.contains("まちがい"));
    assert_eq!(hidden(&wrong.text, "login"), "u8001");
    let mut after = city.written().await;
    for counted in [0, 1, 31] {
        after[counted] -= 1;
    }
    assert_eq!(after, before, "only the failure is recorded");
    sent[2].1 = PASSWORD;
    let done = admin.post("/organization/account", &sent).await;
    assert!(done.status == StatusCode::OK && done.text.contains("<code>"), "{}", done.text);
    later(&city, 14);
    let again = admin.post("/accounts/1001", &[("do", "stop")]).await;
    assert_eq!(again.location(), "/accounts?done=account", "it stands for a quarter of an hour");
    later(&city, 2);
    for (path, what) in
        [("/delegations", "what"), ("/packs", "hash"), ("/account/tokens", "name"), ("/accounts/1001", "do")]
    {
        let page = admin.post(path, &[(what, "x"), ("scope", "read"), ("scope", "handling")]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(hidden(&page.text, what), "x", "{path}");
        assert_eq!(page.text.matches("name=\"scope\"").count(), 2, "every value is carried along");
    }
    // A proof by the code of the second factor.
    assert_eq!(admin.post(FACTOR, &[("do", "begin")]).await.status, StatusCode::UNAUTHORIZED);
    admin.post(FACTOR, &[("do", "begin"), ("proof", PASSWORD)]).await;
    let phone = Phone::typed(&admin.get(FACTOR).await);
    admin.post(FACTOR, &[("do", "confirm"), ("code", &phone.code(&city))]).await;
    later(&city, 20);
    let code = phone.code(&city);
    let resume = [("do", "resume"), ("proof", code.as_str())];
    assert_eq!(admin.post("/accounts/1001", &resume).await.status, StatusCode::SEE_OTHER);
    later(&city, 20);
    assert_eq!(admin.post("/accounts/1001", &resume).await.status, StatusCode::UNAUTHORIZED, "an old code");
    // What takes a file shows what it would change; carrying it out asks.
    let plan = crate::registers::check(
        &mut admin,
        "/organization/import",
        "a.csv",
        crate::proposals::GAIN.as_bytes(),
    )
    .await;
    assert_eq!(plan.status, StatusCode::OK);
    let carried = crate::registers::carry_out(&admin, "/organization/import", &plan).await;
    assert_eq!(carried.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hidden(&carried.text, "upload"), hidden(&plan.text, "upload"));
}

#[tokio::test]
async fn one_sees_and_ends_the_own_sessions_and_what_happened_to_the_account() {
    let city = City::settled().await;
    let mut here = city.browser(CLERK).await;
    // Those from when the city was settled.
    assert_eq!(here.post("/account/sessions", &[]).await.status, StatusCode::SEE_OTHER);
    later(&city, 1);
    for _ in 0..2 {
        Browser::new(&city).enter("u1001", "まちがい").await;
    }
    let (mut there, mut third) = (city.browser(CLERK).await, city.browser(CLERK).await);
    let home = there.get("/").await;
    assert!(
        home.text.contains("前回のログイン：2026年（令和8年）11月25日 10時00分（その後の失敗 2回）"),
        "{}",
        home.text
    );
    let page = here.get("/account").await;
    assert_eq!(
        page.text.matches("終わらせる</button>").count(),
        3,
        "two others, and all others: {}",
        page.text
    );
    assert_eq!(page.text.matches("ログインの失敗</td>").count(), 2);
    let session = hidden(&page.text, "session");
    let other = city.browser(MANAGER).await;
    let forged = other.post("/account/sessions", &[("session", &session)]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "somebody else's");
    assert_eq!(here.post("/account/sessions", &[("session", &session)]).await.status, StatusCode::SEE_OTHER);
    let out = [there.get("/").await.status, third.get("/").await.status];
    assert_eq!(out.iter().filter(|s| **s == StatusCode::OK).count(), 1);
    assert_eq!(here.post("/account/sessions", &[]).await.location(), "/account?done=sessions");
    for b in [&mut there, &mut third] {
        assert_eq!(b.get("/").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(here.get("/").await.status, StatusCode::OK);
    assert_eq!(here.post("/account/sessions", &[]).await.status, StatusCode::FORBIDDEN, "there is none left");
    assert_eq!(entries(&city, "account.sessions_ended").await, 3);
}

#[tokio::test]
async fn a_new_password_is_none_of_the_last_and_none_that_everybody_tries() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let mut present = PASSWORD.to_owned();
    for n in 0..2 {
        later(&city, 1);
        let new = format!("雨の日の窓の外を見る {n}");
        let page = b.post("/password", &[("old", &present), ("new", &new), ("again", &new)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        take_cookie(&mut b, &page);
        b.get("/").await;
        present = new;
    }
    for (new, says) in [
        (PASSWORD, "前に使っていたパスワード"),
        ("Password2026", "よく使われるパスワード"),
        ("みじかい", "10文字以上"),
    ] {
        let page = b.post("/password", &[("old", &present), ("new", new), ("again", new)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{new}");
        assert!(page.text.contains(says), "{new}: {}", page.text);
    }
    b.get("/").await;
    assert!(b.get("/account").await.text.matches("パスワードの変更</td>").count() >= 2);
}

/// Resets somebody's password and comes in with the slip, as whoever holds it can.
pub async fn with_slip(city: &City, number: &str) -> Browser {
    let admin = city.browser(ADMIN).await;
    let slip = admin.post("/organization/account", &[("person", number)]).await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let mut b = Browser::new(city);
    b.enter(&format!("u{number}"), &password).await;
    let page = b.post("/password", &[("old", &password), ("new", NEW), ("again", NEW)]).await;
    if page.status == StatusCode::SEE_OTHER && page.headers.contains_key(header::SET_COOKIE) {
        take_cookie(&mut b, &page);
        b.get("/").await;
    }
    b
}

#[tokio::test]
async fn a_reset_is_announced_and_bars_decisions_until_the_person_is_known_to_have_taken_it_up() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let mut before = city.browser(MANAGER).await;
    let mut thief = with_slip(&city, MANAGER).await;
    assert_eq!(before.get("/").await.status, StatusCode::SEE_OTHER, "sessions of before are over");
    let shown = hidden(thief.get(&case).await.form("permit"), "shown");
    for act in ["permit", "refuse"] {
        let page = forge(&thief, &case, act, "permit", &shown).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{act}");
        assert!(refusal(&page).contains("引き取ったことを上位の役割の人が確かめるまで"), "{}", page.text);
    }
    assert!(thief.get("/").await.text.contains("引取りが確かめられるまで"));
    let away = thief.post("/absences", &[("from", "R8.12.1"), ("until", "R8.12.2"), ("kind", "leave")]).await;
    let lent =
        [("what", "21-h"), ("person", CLERK), ("from", "R8.12.1"), ("until", "R8.12.2"), ("note", "留守番")];
    for page in [away, thief.post("/delegations", &lent).await] {
        assert!(refusal(&page).contains("引き取ったこと"), "nor does it lend power: {}", page.text);
    }
    let told = thief.get("/notifications").await;
    assert!(told.text.contains("あなたのパスワードが管理者によって設定し直されました"), "{}", told.text);
    let mut director = city.browser(DIRECTOR).await;
    assert!(director.get("/notifications").await.text.contains("部下のパスワードが設定し直されました"));
    let path = format!("/accounts/resets/{MANAGER}");
    let shown = hidden(&director.get(&path).await.text, "shown");
    assert!(!shown.is_empty());
    thief.get("/").await;
    for wrong in [CLERK, ADMIN, SECOND_ADMIN, OTHER_MANAGER] {
        let mut b = city.browser(wrong).await;
        assert_eq!(b.get(&path).await.status, StatusCode::NOT_FOUND, "{wrong}");
        assert_eq!(b.post(&path, &[("shown", &shown)]).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(thief.post(&path, &[("shown", &shown)]).await.status, StatusCode::NOT_FOUND, "not by oneself");
    assert_eq!(entries(&city, "account.taken_up").await, 0);
    assert_eq!(
        director.post(&path, &[("shown", "2026-01-01T00:00:00.000Z")]).await.status,
        StatusCode::FORBIDDEN,
        "another reset"
    );
    assert_eq!(director.post(&path, &[("shown", &shown)]).await.location(), "/?done=taken_up");
    assert_eq!(director.post(&path, &[("shown", &shown)]).await.status, StatusCode::NOT_FOUND, "once");
    crate::acts::done(&mut thief, &case, "permit", &[]).await;
    assert_eq!(entries(&city, "account.taken_up").await, 1);
}

#[tokio::test]
async fn a_second_factor_of_before_shows_that_it_is_the_person_and_its_removal_bars_too() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let (_, codes) = enrol(&city, &mut manager).await;
    later(&city, 1);
    let mut b = with_slip(&city, MANAGER).await;
    assert!(b.get("/").await.location().starts_with("/login/code"), "the slip alone does not come in");
    assert_eq!(entries(&city, "account.taken_up").await, 0);
    b.get("/login/code").await;
    let page = b.post("/login/code", &[("code", &codes[0])]).await;
    assert_eq!(page.location(), "/password");
    take_cookie(&mut b, &page);
    let mut admin = city.browser(ADMIN).await;
    let slip = admin.post("/organization/account", &[("person", MANAGER)]).await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    b.enter("u1002", &password).await;
    b.get("/login/code").await;
    let page = b.post("/login/code", &[("code", &codes[1])]).await;
    take_cookie(&mut b, &page);
    b.get("/password").await;
    let earlier = b.post("/password", &[("old", &password), ("new", PASSWORD), ("again", PASSWORD)]).await;
    assert!(earlier.text.contains("前に使っていた"), "a reset does not bring back an old password");
    let page = b.post("/password", &[("old", &password), ("new", NEW), ("again", NEW)]).await;
    take_cookie(&mut b, &page);
    assert_eq!(entries(&city, "account.taken_up").await, 1);
    assert!(!b.get("/").await.text.contains("引取りが確かめられるまで"));

    admin.get("/accounts").await;
    assert_eq!(admin.post("/accounts/1002", &[("do", "drop_factor")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(admin.post("/accounts/1002", &[("do", "drop_factor")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(b.get("/").await.status, StatusCode::SEE_OTHER);
    let mut b = Browser::new(&city);
    b.enter("u1002", NEW).await;
    assert!(b.get("/").await.text.contains("引取りが確かめられるまで"));
    enrol(&city, &mut b).await;
    assert!(
        b.get("/").await.text.contains("引取りが確かめられるまで"),
        "a new one of one's own shows nothing"
    );
}

#[tokio::test]
async fn administrators_stop_resume_and_unlock_others_and_superiors_hear_of_it() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.give_login(CISO).await;
    let mut admin = city.browser(ADMIN).await;
    let mut clerk = city.browser(CLERK).await;
    let page = admin.get("/accounts?q=u1001").await;
    assert!(page.text.contains("髙橋 花子") && !page.text.contains("渡邉 一郎"), "{}", page.text);
    assert_eq!(admin.post("/accounts/1001", &[("do", "stop")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clerk.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(Browser::new(&city).enter("u1001", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(admin.post("/accounts/1001", &[("do", "stop")]).await.status, StatusCode::FORBIDDEN, "it is");
    let slip = admin.post("/organization/account", &[("person", CLERK)]).await;
    assert!(slip.text.contains("<code>"));
    assert!(admin.get("/accounts?q=u1001").await.text.contains("停止中"), "a new slip does not resume it");
    assert_eq!(admin.post("/accounts/1001", &[("do", "resume")]).await.status, StatusCode::SEE_OTHER);
    for _ in 0..5 {
        Browser::new(&city).enter("u1002", "まちがい").await;
    }
    assert_eq!(Browser::new(&city).enter("u1002", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert!(admin.get("/accounts?q=u1002").await.text.contains("失敗のため一時停止"));
    assert_eq!(admin.post("/accounts/1002", &[("do", "unlock")]).await.status, StatusCode::SEE_OTHER);
    city.browser(MANAGER).await;
    for (kind, n) in
        [("account.disabled", 1), ("account.enabled", 1), ("account.unlocked", 1), ("account.locked", 1)]
    {
        assert_eq!(entries(&city, kind).await, n, "{kind}");
    }
    for number in [CLERK, MANAGER, DIRECTOR] {
        if number != CLERK {
            assert_eq!(
                city.browser(number).await.get("/accounts").await.status,
                StatusCode::FORBIDDEN,
                "{number}"
            );
        }
    }
    // The superior of whoever administers: the CISO hears of it and confirms, nobody below does.
    with_slip(&city, HEAD).await;
    let mut ciso = city.browser(CISO).await;
    assert!(ciso.get("/notifications").await.text.contains("部下のパスワードが設定し直されました"));
    let path = format!("/accounts/resets/{HEAD}");
    let shown = hidden(&ciso.get(&path).await.text, "shown");
    assert_eq!(
        city.browser(SECOND_ADMIN).await.post(&path, &[("shown", &shown)]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(ciso.post(&path, &[("shown", &shown)]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_role_is_given_by_a_second_person_and_never_to_oneself() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let form = |person: &'static str, from: &'static str| {
        [("person", person), ("role", "csirt_member"), ("from", from)]
    };
    for (fields, says) in [
        (form("9999", "R8.11.25"), "「9999」に当てはまる人はいません"),
        (form(CLERK, "R8.4.1"), "今日か、これからの日"),
        ([("person", CLERK), ("role", "ciso"), ("from", "R8.11.25")], "役割を選んで"),
    ] {
        let page = admin.post("/accounts/roles", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text.contains(says) && page.text.contains(&format!("value=\"{}\"", fields[0].1)),
            "{}",
            page.text
        );
    }
    // A part of a name is asked about: the page offers whom it fits, and takes one of them.
    let page = admin.post("/accounts/roles", &form("さき", "R8.11.25")).await;
    let radio = format!("type=\"radio\" name=\"pick\" value=\"{OTHER_CLERK}\"");
    assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains(&radio), "{}", page.text);
    let address = |page: Page| page.location().split('?').next().unwrap().to_owned();
    let mut chosen = form("さき", "R8.11.25").to_vec();
    chosen.push(("pick", OTHER_CLERK));
    let proposal = address(admin.post("/accounts/roles", &chosen).await);
    assert!(admin.get(&proposal).await.text.contains("﨑山 徹"));
    let given = address(admin.post("/accounts/roles", &form(CLERK, "R8.11.25")).await);
    let before = city.count("SELECT COUNT(*) FROM appointment").await;
    assert_eq!(admin.post(&given, &[("do", "confirm")]).await.status, StatusCode::FORBIDDEN, "the proposer");
    crate::proposals::confirm(&city, &given).await;
    assert_eq!(city.count("SELECT COUNT(*) FROM appointment").await, before + 1);
    let held = "SELECT COUNT(*) FROM appointment WHERE person = '1001' AND role = 'csirt_member'";
    assert_eq!(city.count(held).await, 1);
    let own = address(admin.post("/accounts/roles", &form(SECOND_ADMIN, "R8.11.25")).await);
    let second = city.browser(SECOND_ADMIN).await;
    let refused = second.post(&own, &[("do", "confirm")]).await;
    assert!(refusal(&refused).contains("あなた自身の任命や権限が増える"), "{}", refused.text);
}

#[tokio::test]
async fn administrators_add_roles_that_need_a_second_factor_and_do_not_take_them_off() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.ask_second_factor_of("auditor").await;
    let path = "/accounts/second-factor";
    let mut admin = city.browser(ADMIN).await;
    assert!(admin.get(path).await.text.contains("加えることだけができます"));
    let off = admin.post(path, &[("role", "ciso")]).await;
    assert!(refusal(&off).contains("役割を外せるのは"), "{}", off.text);
    let both = [("role", "auditor"), ("role", "section_security_manager"), ("role", "no_such_role")];
    assert_eq!(admin.post(path, &both).await.status, StatusCode::SEE_OTHER);
    assert_eq!(Browser::new(&city).enter("u1002", PASSWORD).await.location(), FACTOR);
    let head = city.browser(HEAD).await;
    assert_eq!(head.post(path, &[]).await.status, StatusCode::SEE_OTHER);
    city.browser(MANAGER).await;
    assert_eq!(entries(&city, "account.policy").await, 2);
}
