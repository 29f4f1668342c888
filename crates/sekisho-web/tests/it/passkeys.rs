//! Passkeys, with an authenticator made of software: the rightful person in every way of using one, and everything that may be wrong. A real browser
//! with its own authenticator is asked by `tests/browser/passkey.mjs`.

use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use sekisho_base::canonical::sha256;
use serde_json::{Value, json};

use crate::acts::refusal;
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, PASSWORD};
use crate::identity::{enrol, entries, later};

const SITE: &str = "https://city.test";
const FACTOR: &str = "/account/second-factor";
const OWN: &str = "/account/passkeys";
const NEW: &str = "窓口の前の大きな木と空";
const LAST: &str = "雨の日の窓の外を見る";

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How the next answer is made; nothing set: as it should be.
#[derive(Default, Clone, Copy)]
struct Twist {
    origin: Option<&'static str>,
    site: Option<&'static str>,
    challenge: Option<&'static str>,
    flags: Option<u8>,
    counter: Option<u32>,
    user: Option<&'static str>,
    id: Option<&'static [u8]>,
}

/// An authenticator of one passkey.
pub struct Device {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    user: String,
    counter: u32,
}

impl Device {
    pub fn new(id: &str) -> Self {
        let (how, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(how, key.as_ref(), &random).unwrap();
        Self { pair, id: id.as_bytes().to_vec(), user: String::new(), counter: 0 }
    }

    fn client(what: &str, asked: &Value, t: Twist) -> Vec<u8> {
        let challenge = t.challenge.or(asked["challenge"].as_str()).unwrap();
        json!({"type": format!("webauthn.{what}"), "challenge": challenge, "origin": t.origin.unwrap_or(SITE), "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn data(&self, site: &Value, flags: u8, t: Twist) -> Vec<u8> {
        let site = t.site.or(site.as_str()).unwrap();
        let counter = t.counter.unwrap_or(self.counter).to_be_bytes();
        [&sha256(site.as_bytes())[..], &[t.flags.unwrap_or(flags)], &counter].concat()
    }

    /// Makes the passkey.
    fn make(&mut self, asked: &Value, t: Twist) -> String {
        assert_eq!(asked["attestation"], "none");
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        self.user = asked["user"]["id"].as_str().unwrap().to_owned();
        let point = self.pair.public_key().as_ref();
        let key =
            [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], &point[1..33], &[0x22, 0x58, 32], &point[33..]]
                .concat();
        let size = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = [&self.data(&asked["rp"]["id"], 0x45, t)[..], &[0; 16], &size, &self.id, &key].concat();
        let size = u16::try_from(data.len()).unwrap().to_be_bytes();
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59";
        let object = [&head[..], &size, &data].concat();
        json!({"id": b64(&self.id), "clientDataJSON": b64(&Self::client("create", asked, t)), "attestationObject": b64(&object)})
            .to_string()
    }

    /// Uses it.
    fn sign(&mut self, asked: &Value, t: Twist) -> String {
        assert_eq!(asked["userVerification"], "required");
        self.counter += 1;
        let (client, data) = (Self::client("get", asked, t), self.data(&asked["rpId"], 5, t));
        let signed = [&data[..], &sha256(&client)].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": b64(t.id.unwrap_or(&self.id)), "clientDataJSON": b64(&client), "authenticatorData": b64(&data),
            "signature": b64(signature.as_ref()), "userHandle": t.user.unwrap_or(&self.user),
        })
        .to_string()
    }
}

fn take_cookie(b: &mut Browser, page: &Page) {
    if let Some(cookie) = page.headers.get(header::SET_COOKIE) {
        b.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    }
}

/// What the script asks for when the button is pressed: the question and its ticket.
async fn ask(b: &mut Browser, path: &str) -> (Value, String) {
    let page = b.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
    take_cookie(b, &page);
    let mut asked: Value = serde_json::from_str(&page.text).unwrap();
    (asked["publicKey"].take(), asked["ticket"].as_str().unwrap().to_owned())
}

pub async fn register(b: &mut Browser, device: &mut Device, name: &str) -> Page {
    b.get(FACTOR).await;
    let (asked, ticket) = ask(b, "/account/passkeys/new").await;
    let made = device.make(&asked, Twist::default());
    b.post(OWN, &[("do", "register"), ("passkey_name", name), ("ticket", &ticket), ("passkey", &made)]).await
}

/// Comes in by a passkey alone.
async fn come_in(city: &City, device: &mut Device, t: Twist) -> (Browser, Page) {
    let mut b = Browser::new(city);
    let (asked, ticket) = ask(&mut b, "/login/passkey").await;
    assert_eq!(asked["allowCredentials"], json!([]), "nobody is told who has one");
    let answer = device.sign(&asked, t);
    let page =
        b.post("/login/passkey", &[("ticket", &ticket), ("passkey", &answer), ("next", "/cases")]).await;
    take_cookie(&mut b, &page);
    (b, page)
}

/// Comes in by the password and then the passkey.
async fn as_second(city: &City, login: &str, password: &str, device: &mut Device) -> (Browser, Page) {
    let mut b = Browser::new(city);
    assert!(b.enter(login, password).await.location().starts_with("/login/code"));
    b.get("/login/code").await;
    let (asked, ticket) = ask(&mut b, "/login/code/passkey").await;
    let answer = device.sign(&asked, Twist::default());
    let page = b.post("/login/code", &[("ticket", &ticket), ("passkey", &answer), ("next", "/")]).await;
    if page.status == StatusCode::SEE_OTHER {
        take_cookie(&mut b, &page);
    }
    (b, page)
}

pub async fn with_passkey(number: &str) -> (City, Browser, Device) {
    let city = City::settled().await;
    city.office.use_site(Some(SITE));
    let mut b = city.browser(number).await;
    let mut device = Device::new("first");
    let page = register(&mut b, &mut device, "席のパソコン").await;
    assert_eq!(page.text.matches("<li><code>").count(), 10, "{}", page.text);
    later(&city, 1);
    (city, b, device)
}

#[tokio::test]
async fn a_passkey_is_a_second_factor_a_proof_and_a_login_by_itself() {
    let (city, mut b, mut device) = with_passkey(CLERK).await;
    assert_eq!(entries(&city, "account.passkey").await, 1);
    let page = b.get(FACTOR).await;
    assert!(
        page.text.contains("席のパソコン") && page.text.contains("まだ使われていません"),
        "{}",
        page.text
    );
    assert!(page.text.contains("data-origin=\"https://city.test\""), "{}", page.text);
    assert!(b.get("/account").await.text.contains("使っています（回復コードの残り 10個）"));
    let stored =
        city.count_of("SELECT COUNT(*) FROM passkey WHERE handle LIKE '%' || $1 || '%'", "1001").await;
    assert_eq!(stored, 0, "what authenticators keep tells nothing about the person");

    let (mut alone, page) = come_in(&city, &mut device, Twist::default()).await;
    assert_eq!(page.location(), "/cases", "{}", page.text);
    assert_eq!(alone.get("/").await.status, StatusCode::OK, "no code is asked for");
    let page = alone.get("/account").await;
    assert!(page.text.contains("パスキー「席のパソコン」"), "{}", page.text);
    let by_passkey = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.login' AND payload LIKE '%\"via\":\"passkey\"%'";
    assert_eq!(city.count(by_passkey).await, 1);

    let (mut second, page) = as_second(&city, "u1001", PASSWORD, &mut device).await;
    assert_eq!(page.location(), "/", "{}", page.text);
    assert_eq!(second.get("/").await.status, StatusCode::OK);

    later(&city, 16);
    let fields = [("name", "集計"), ("scope", "read"), ("days", "30"), ("do", "make")];
    let asked = second.post("/account/tokens", &fields).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(asked.text.contains("data-ask=\"/account/passkeys/proof\""), "{}", asked.text);
    assert_eq!(hidden(&asked.text, "name"), "集計");
    let (question, ticket) = ask(&mut second, "/account/passkeys/proof").await;
    assert_eq!(question["allowCredentials"][0]["id"], b64(b"first"));
    let answer = device.sign(&question, Twist::default());
    let mut sent = fields.to_vec();
    sent.extend([("proof", ""), ("proof_ticket", &ticket), ("proof_passkey", &answer)]);
    let done = second.post("/account/tokens", &sent).await;
    assert!(done.status == StatusCode::OK && done.text.contains("トークンを作りました"), "{}", done.text);
    later(&city, 16);
    let again = second.post("/account/tokens", &sent).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "its time is over");

    let id = b64(b"first");
    let asked = second.post(OWN, &[("do", "remove"), ("id", &id)]).await;
    assert_eq!((asked.status, hidden(&asked.text, "id")), (StatusCode::UNAUTHORIZED, id.clone()));
    let other = city.browser(MANAGER).await;
    assert_eq!(other.post(OWN, &[("do", "remove"), ("id", &id)]).await.status, StatusCode::NOT_FOUND);
    let gone = second.post(OWN, &[("do", "remove"), ("id", &id), ("proof", PASSWORD)]).await;
    assert_eq!(gone.location(), "/account/second-factor?done=passkey_removed", "{}", gone.text);
    assert_eq!(entries(&city, "account.passkey_removed").await, 1);
    let (_, page) = come_in(&city, &mut device, Twist::default()).await;
    assert!(
        page.status == StatusCode::UNAUTHORIZED && page.text.contains("取り消されています"),
        "{}",
        page.text
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM recovery_code").await, 0);
    assert_eq!(
        Browser::new(&city).enter("u1001", PASSWORD).await.location(),
        "/",
        "there is no second factor"
    );
}

#[tokio::test]
async fn what_is_not_right_does_not_come_in_and_is_counted() {
    let (city, _, mut device) = with_passkey(CLERK).await;
    let twist = Twist::default();
    for (t, says) in [
        (Twist { origin: Some("https://city.test.evil.example"), ..twist }, "別のアドレスの画面"),
        (Twist { origin: Some("http://city.test"), ..twist }, "別のアドレスの画面"),
        (Twist { site: Some("evil.example"), ..twist }, "別のサイトのため"),
        (
            Twist { challenge: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ..twist },
            "この画面から始めた",
        ),
        (Twist { flags: Some(1), ..twist }, "本人を確かめていません"),
    ] {
        let before = entries(&city, "account.login_failed").await;
        let (mut b, page) = come_in(&city, &mut device, t).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{says}");
        assert!(page.text.contains(says), "{says}: {}", page.text);
        assert!(b.get("/").await.location().starts_with("/login?"));
        assert_eq!(entries(&city, "account.login_failed").await, before + 1, "{says}");
        assert_eq!(come_in(&city, &mut device, twist).await.1.location(), "/cases", "after {says}");
    }
    // What names nobody is written to nobody's account.
    let before = entries(&city, "account.login_failed").await;
    for t in [
        Twist { user: Some("c29tZWJvZHkgZWxzZQ"), ..twist },
        Twist { user: Some(""), ..twist },
        Twist { id: Some(b"unknown"), ..twist },
    ] {
        let (_, page) = come_in(&city, &mut device, t).await;
        assert!(
            page.status == StatusCode::UNAUTHORIZED && page.text.contains("登録されていない"),
            "{}",
            page.text
        );
    }
    // A signature of another key under the same name.
    let mut forger = Device::new("first");
    forger.user.clone_from(&device.user);
    forger.counter = 1000;
    let (_, page) = come_in(&city, &mut forger, twist).await;
    assert!(page.text.contains("署名が正しくありません"), "{}", page.text);
    assert_eq!(entries(&city, "account.login_failed").await, before + 1);

    let mut b = Browser::new(&city);
    let (asked, ticket) = ask(&mut b, "/login/passkey").await;
    let answer = device.sign(&asked, twist);
    let sent = [("ticket", ticket.as_str()), ("passkey", answer.as_str()), ("next", "/")];
    let mut other = Browser::new(&city);
    ask(&mut other, "/login/passkey").await;
    let page = other.post("/login/passkey", &sent).await;
    assert!(page.text.contains("この画面から始めたもの"), "another browser: {}", page.text);
    let large = "x".repeat(10_000);
    for (answer, says) in
        [("{", "形が正しくありません"), ("", "形が正しくありません"), (&large, "大きすぎます")]
    {
        let page = b.post("/login/passkey", &[("ticket", &ticket), ("passkey", answer)]).await;
        assert!(page.status == StatusCode::UNAUTHORIZED && page.text.contains(says), "{}", page.text);
    }
    for bad in ["", "00", &"f".repeat(200), &"f".repeat(5000)] {
        let page = b.post("/login/passkey", &[("ticket", bad), ("passkey", &answer)]).await;
        assert!(page.text.contains("5分たっています"), "{}", page.text);
    }
    assert_eq!(
        b.post_raw("/login/passkey", "", "https://elsewhere.example").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(b.post("/login/passkey", &sent).await.location(), "/");
    let page = b.post("/login/passkey", &sent).await;
    assert!(page.text.contains("もう使われました"), "a second time: {}", page.text);
    let (asked, ticket) = ask(&mut b, "/login/passkey").await;
    let answer = device.sign(&asked, twist);
    later(&city, 5);
    let page = b.post("/login/passkey", &[("ticket", &ticket), ("passkey", &answer)]).await;
    assert!(page.text.contains("5分たっています"), "{}", page.text);
    assert_eq!(entries(&city, "account.login_failed").await, before + 1, "none of these counts");
}

#[tokio::test]
async fn a_passkey_of_somebody_else_is_no_second_factor_and_five_failures_lock() {
    let (city, _, mut clerks) = with_passkey(CLERK).await;
    let mut b = city.browser(MANAGER).await;
    let (_, codes) = enrol(&city, &mut b).await;
    let mut own = Device::new("of the manager");
    assert_eq!(register(&mut b, &mut own, "鍵").await.location(), "/account/second-factor?done=passkey");
    later(&city, 1);
    let (_, page) = as_second(&city, "u1002", PASSWORD, &mut clerks).await;
    assert!(
        page.status == StatusCode::UNAUTHORIZED && page.text.contains("登録されていないか"),
        "{}",
        page.text
    );
    for n in 1..5 {
        let (_, page) = as_second(&city, "u1002", PASSWORD, &mut clerks).await;
        assert_eq!(page.status == StatusCode::UNAUTHORIZED, n < 4, "{n}");
    }
    assert_eq!(entries(&city, "account.locked").await, 1);
    let (_, page) = come_in(&city, &mut own, Twist::default()).await;
    assert!(page.text.contains("今は使えません"), "a right one does not help: {}", page.text);
    later(&city, 16);
    assert_eq!(come_in(&city, &mut own, Twist::default()).await.1.location(), "/cases");
    // Wrong passwords lock it too.
    for _ in 0..5 {
        Browser::new(&city).enter("u1002", "まちがい").await;
    }
    assert!(come_in(&city, &mut own, Twist::default()).await.1.text.contains("今は使えません"));
    later(&city, 16);
    // App and passkey stand side by side: a question for a session is not for another, and codes go on.
    let mut waiting = Browser::new(&city);
    waiting.enter("u1002", PASSWORD).await;
    waiting.get("/login/code").await;
    let (asked, ticket) = ask(&mut waiting, "/login/code/passkey").await;
    let answer = own.sign(&asked, Twist::default());
    let mut stranger = Browser::new(&city);
    stranger.enter("u1002", PASSWORD).await;
    stranger.get("/login/code").await;
    let page = stranger.post("/login/code", &[("ticket", &ticket), ("passkey", &answer)]).await;
    assert!(page.text.contains("この画面から始めたもの"), "{}", page.text);
    assert_eq!(stranger.post("/login/code", &[("code", &codes[0])]).await.status, StatusCode::SEE_OTHER);
    let page = waiting.post("/login/code", &[("ticket", &ticket), ("passkey", &answer), ("next", "/")]).await;
    assert_eq!(page.location(), "/");
}

#[tokio::test]
async fn a_counter_that_goes_back_stops_the_passkey_and_is_told() {
    let (city, mut b, mut device) = with_passkey(CLERK).await;
    for _ in 0..2 {
        assert_eq!(come_in(&city, &mut device, Twist::default()).await.1.location(), "/cases");
    }
    let (_, page) = come_in(&city, &mut device, Twist { counter: Some(2), ..Twist::default() }).await;
    assert!(
        page.status == StatusCode::UNAUTHORIZED && page.text.contains("複製されたおそれ"),
        "{}",
        page.text
    );
    let (_, page) = come_in(&city, &mut device, Twist::default()).await;
    assert!(page.text.contains("複製されたおそれ"), "nor with a higher one from now on: {}", page.text);
    assert_eq!(entries(&city, "account.passkey_copied").await, 1, "once");
    assert!(b.get("/notifications").await.text.contains("あなたのパスキーが複製されたおそれ"));
    assert!(b.get(FACTOR).await.text.contains("複製のおそれがあるため停止"));
    assert!(
        Browser::new(&city).enter("u1001", PASSWORD).await.location().starts_with("/login/code"),
        "the password alone does not come in because of it"
    );
    // Devices that keep no counter always send 0.
    let mut b = city.browser(MANAGER).await;
    let mut none = Device::new("no counter");
    register(&mut b, &mut none, "携帯").await;
    for _ in 0..2 {
        let (_, page) = come_in(&city, &mut none, Twist { counter: Some(0), ..Twist::default() }).await;
        assert_eq!(page.location(), "/cases");
    }
}

#[tokio::test]
async fn stopped_and_reset_accounts_stay_so_and_a_reset_takes_passkeys_away() {
    let (city, _, mut device) = with_passkey(MANAGER).await;
    let admin = city.browser(ADMIN).await;
    admin.post("/accounts/1002", &[("do", "stop")]).await;
    let (_, page) = come_in(&city, &mut device, Twist::default()).await;
    assert!(
        page.status == StatusCode::UNAUTHORIZED && page.text.contains("停止されているか"),
        "{}",
        page.text
    );
    admin.post("/accounts/1002", &[("do", "resume")]).await;

    let slip = admin.post("/organization/account", &[("person", MANAGER)]).await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let (mut b, page) = come_in(&city, &mut device, Twist::default()).await;
    assert_eq!(page.location(), "/cases", "a passkey of before goes on");
    assert!(b.get("/").await.text.contains("引取りが確かめられるまで"), "and decides nothing");
    // Whoever holds the slip alone registers nothing: the passkey stands before it.
    let mut thief = Browser::new(&city);
    assert!(thief.enter("u1002", &password).await.location().starts_with("/login/code"));
    assert_eq!(thief.get("/account/passkeys/new").await.status, StatusCode::SEE_OTHER);
    assert_eq!(entries(&city, "account.taken_up").await, 0);
    let (mut b, page) = as_second(&city, "u1002", &password, &mut device).await;
    assert_eq!(page.location(), "/password");
    b.get("/password").await;
    let page = b.post("/password", &[("old", &password), ("new", NEW), ("again", NEW)]).await;
    take_cookie(&mut b, &page);
    assert_eq!(entries(&city, "account.taken_up").await, 1, "older than the reset: it is the person");
    assert!(!b.get("/").await.text.contains("引取りが確かめられるまで"));

    assert_eq!(admin.post("/accounts/1002", &[("do", "drop_factor")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(b.get("/").await.status, StatusCode::SEE_OTHER, "its sessions are over");
    assert_eq!(entries(&city, "account.second_factor_reset").await, 1);
    assert_eq!(city.count("SELECT COUNT(*) FROM passkey").await, 0);
    assert_eq!(come_in(&city, &mut device, Twist::default()).await.1.status, StatusCode::UNAUTHORIZED);
    let mut b = Browser::new(&city);
    b.enter("u1002", NEW).await;
    // A passkey of after the reset shows nothing, even if an own password is set with it.
    let mut new = Device::new("second");
    register(&mut b, &mut new, "新しい鍵").await;
    let (mut b, page) = as_second(&city, "u1002", NEW, &mut new).await;
    assert_eq!(page.location(), "/");
    b.get("/password").await;
    let page = b.post("/password", &[("old", NEW), ("new", LAST), ("again", LAST)]).await;
    take_cookie(&mut b, &page);
    assert!(b.get("/").await.text.contains("引取りが確かめられるまで"));
}

#[tokio::test]
async fn a_reset_is_taken_up_by_the_factor_that_was_used_and_no_other() {
    let (city, _, mut before) = with_passkey(MANAGER).await;
    let slip = city.browser(ADMIN).await.post("/organization/account", &[("person", MANAGER)]).await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    later(&city, 1);
    let (mut b, _) = come_in(&city, &mut before, Twist::default()).await;
    let mut after = Device::new("second");
    assert_eq!(
        register(&mut b, &mut after, "新しい鍵").await.location(),
        "/account/second-factor?done=passkey"
    );
    let (mut b, page) = as_second(&city, "u1002", &password, &mut after).await;
    assert_eq!(page.location(), "/password");
    b.get("/password").await;
    let page = b.post("/password", &[("old", &password), ("new", NEW), ("again", NEW)]).await;
    take_cookie(&mut b, &page);
    assert!(b.get("/").await.text.contains("引取りが確かめられるまで"), "the older one was not used");
    let (mut b, _) = as_second(&city, "u1002", NEW, &mut before).await;
    b.get("/password").await;
    let page = b.post("/password", &[("old", NEW), ("new", LAST), ("again", LAST)]).await;
    take_cookie(&mut b, &page);
    assert!(!b.get("/").await.text.contains("引取りが確かめられるまで"));
    assert_eq!(entries(&city, "account.taken_up").await, 1);
}

#[tokio::test]
async fn a_passkey_fulfils_what_a_role_asks_for_and_the_last_factor_stays() {
    let city = City::settled().await;
    city.office.use_site(Some(SITE));
    city.ask_second_factor_of("section_security_manager").await;
    let mut b = Browser::new(&city);
    assert_eq!(b.enter("u1002", PASSWORD).await.location(), FACTOR);
    let mut device = Device::new("first");
    assert_eq!(register(&mut b, &mut device, "席のパソコン").await.text.matches("<li><code>").count(), 10);
    assert_eq!(b.get("/").await.status, StatusCode::OK, "the pages are open");
    let id = b64(b"first");
    let page = b.post(OWN, &[("do", "remove"), ("id", &id)]).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("役割には多要素認証が必要"),
        "{}",
        page.text
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM passkey").await, 1);
    let (_, codes) = enrol(&city, &mut b).await;
    assert_eq!(b.post(FACTOR, &[("do", "drop")]).await.location(), "/account?done=factor_dropped");
    assert!(refusal(&b.post(FACTOR, &[("do", "confirm")]).await).contains("設定が始まっていません"));
    let mut recovered = Browser::new(&city);
    recovered.enter("u1002", PASSWORD).await;
    recovered.get("/login/code").await;
    let page = recovered.post("/login/code", &[("code", &codes[0])]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "recovery codes stay with the passkey");
}

#[tokio::test]
async fn a_node_takes_the_answer_to_what_another_asked() {
    let (city, _, mut device) = with_passkey(CLERK).await;
    // The same key and the same rows.
    let (one, other) = city.and_backup().await;
    one.office.use_site(Some(SITE));
    other.office.use_site(Some(SITE));
    let mut b = Browser::new(&one);
    let (asked, ticket) = ask(&mut b, "/login/passkey").await;
    let answer = device.sign(&asked, Twist::default());
    b.go_to_router(other.router.clone(), "city.test");
    let page = b.post("/login/passkey", &[("ticket", &ticket), ("passkey", &answer), ("next", "/")]).await;
    assert_eq!(page.location(), "/", "{}", page.text);
}

#[tokio::test]
async fn registering_is_for_the_session_that_asked_within_bounds() {
    let (city, mut b, mut device) = with_passkey(CLERK).await;
    let (asked, ticket) = ask(&mut b, "/account/passkeys/new").await;
    assert_eq!(asked["excludeCredentials"][0]["id"], b64(b"first"));
    assert_eq!(asked["user"]["id"], device.user.as_str(), "one name for all of a login");
    let mut second = Device::new("second");
    let made = second.make(&asked, Twist::default());
    let send = |name: &'static str, ticket: &str, made: &str| {
        [
            ("do", "register".to_owned()),
            ("passkey_name", name.to_owned()),
            ("ticket", ticket.to_owned()),
            ("passkey", made.to_owned()),
        ]
    };
    let post = async |b: &Browser, fields: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        b.post(OWN, &fields).await
    };
    let page = post(&b, send("", &ticket, &made)).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("後で分かる名前"),
        "{}",
        page.text
    );
    let mut other = city.browser(MANAGER).await;
    other.get(FACTOR).await;
    let page = post(&other, send("盗んだもの", &ticket, &made)).await;
    assert!(page.text.contains("この画面から始めたもの"), "{}", page.text);
    let unverified = second.make(&asked, Twist { flags: Some(0x41), ..Twist::default() });
    let page = post(&b, send("鍵", &ticket, &unverified)).await;
    assert!(
        page.text.contains("本人を確かめていません") && page.text.contains("value=\"鍵\""),
        "{}",
        page.text
    );
    let elsewhere = second.make(&asked, Twist { origin: Some("https://evil.example"), ..Twist::default() });
    assert!(post(&b, send("鍵", &ticket, &elsewhere)).await.text.contains("別のアドレスの画面"));
    let doubled = device.make(&asked, Twist::default());
    assert!(post(&b, send("鍵", &ticket, &doubled)).await.text.contains("すでに登録されています"));
    assert!(post(&b, send("鍵", &ticket, "{}")).await.text.contains("形が正しくありません"));
    assert!(post(&b, send("鍵", &ticket, &"x".repeat(9000))).await.text.contains("大きすぎます"));
    later(&city, 16);
    let page = post(&b, send("鍵", &ticket, &made)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "who it is is asked again first");
    assert_eq!(b.post(OWN, &[("do", "x"), ("proof", PASSWORD)]).await.status, StatusCode::BAD_REQUEST);
    assert!(post(&b, send("鍵", &ticket, &made)).await.text.contains("5分たっています"));
    assert_eq!(city.count("SELECT COUNT(*) FROM passkey").await, 1);
    for n in 2..=10 {
        let page = register(&mut b, &mut Device::new(&format!("device {n}")), "鍵").await;
        assert_eq!(page.location(), "/account/second-factor?done=passkey", "{n}: {}", page.text);
    }
    let page = register(&mut b, &mut second, "鍵").await;
    assert!(page.text.contains("10個まで"), "{}", page.text);
    assert!(!b.get(FACTOR).await.text.contains("data-passkey"), "nor is it offered");
}

#[tokio::test]
async fn without_a_protected_address_there_is_no_button_and_the_page_says_why() {
    for (site, says) in [
        (None, "アドレスが設定されていないため"),
        (Some("http://sekisho.city.example"), "https:// で始まっていないため"),
        (Some("https://10.0.0.1"), "番号（IPアドレス）のため"),
    ] {
        let city = City::settled().await;
        city.office.use_site(site);
        let mut b = city.browser(CLERK).await;
        let page = b.get(FACTOR).await;
        assert!(page.text.contains(says) && !page.text.contains("data-passkey"), "{}", page.text);
        assert_eq!(b.get("/account/passkeys/new").await.status, StatusCode::FORBIDDEN);
        let mut nobody = Browser::new(&city);
        let page = nobody.get("/login").await;
        assert!(!page.text.contains("data-passkey") && !page.text.contains("パスキー"), "{}", page.text);
        assert_eq!(nobody.get("/login/passkey").await.status, StatusCode::FORBIDDEN);
    }
    // The name in a request changes nothing.
    let city = City::settled().await;
    city.office.use_site(Some(SITE));
    let mut b = Browser::new(&city);
    b.call("evil.example");
    let page = b.get("/login").await;
    assert!(page.text.contains("data-origin=\"https://city.test\"") && !page.text.contains("evil.example"));
    let (asked, _) = ask(&mut b, "/login/passkey").await;
    assert_eq!(asked["rpId"], "city.test");
}
