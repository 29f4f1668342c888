//! Signing in by an identity provider: the rightful person, everybody and everything else. The provider here lies as it is told; a real one is
//! asked by `tests/oidc`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sekisho_app::oidc::{Fetched, Fetcher, Oidc, OidcConfig, Wanted};
use sekisho_base::Clock as _;
use sekisho_base::canonical::sha256;
use sekisho_base::clock::ManualClock;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, HEAD, MANAGER, PASSWORD};
use crate::identity::{Phone, enrol, entries, later};

const ISSUER: &str = "https://id.city.example";
const CLIENT: &str = "sekisho";
const SECRET: &str = "a secret/with+signs";

/// How the next token is made wrong.
#[derive(Clone, Default)]
struct Lie {
    /// Claims that are set (or, null, left out).
    claims: Vec<(&'static str, Value)>,
    /// The algorithm that the header names.
    algorithm: Option<&'static str>,
    /// The id of the key that the header names.
    key: Option<&'static str>,
    /// The signature is this, whatever it should be.
    signature: Option<fn(&Fake, &str) -> Vec<u8>>,
    /// The provider does not answer.
    down: bool,
    /// Fields of its description that are set.
    about: Vec<(&'static str, Value)>,
    /// What it tells about a person who brings the access token: status and body.
    person: Option<(u16, String)>,
}

#[derive(Default)]
struct Held {
    lie: Lie,
    /// What a code is for: nonce, challenge, subject, name.
    codes: HashMap<String, [String; 4]>,
    fetched: Vec<String>,
    given: usize,
}

pub struct Fake {
    signer: EcdsaKeyPair,
    clock: Arc<ManualClock>,
    held: Mutex<Held>,
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Fake {
    /// A provider by which people sign in to a city.
    pub fn at(city: &City, second_factor: &[&str]) -> Arc<Self> {
        let (how, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let fake = Arc::new(Self {
            signer: EcdsaKeyPair::from_pkcs8(how, key.as_ref(), &random).unwrap(),
            clock: Arc::clone(&city.clock),
            held: Mutex::default(),
        });
        fake.serves(city, second_factor);
        fake
    }

    /// People sign in by it to this city too.
    pub fn serves(self: &Arc<Self>, city: &City, second_factor: &[&str]) {
        let config = OidcConfig {
            issuer: ISSUER.into(),
            client: CLIENT.into(),
            secret: Some(SECRET.into()),
            title: "庁内の認証".into(),
            claim: "preferred_username".into(),
            second_factor: second_factor.iter().map(|v| (*v).to_owned()).collect(),
            site: "http://city.test/".into(),
        };
        let fetcher = Arc::<Self>::clone(self);
        city.office.use_oidc(Arc::new(Oidc::new(config, fetcher).unwrap()));
    }

    fn lies(&self, lie: Lie) {
        self.held.lock().unwrap().lie = lie;
    }

    fn claims(&self, claims: &[(&'static str, Value)]) {
        self.lies(Lie { claims: claims.to_vec(), ..Lie::default() });
    }

    fn fetched(&self, end: &str) -> usize {
        self.held.lock().unwrap().fetched.iter().filter(|url| url.ends_with(end)).count()
    }

    fn keys(&self) -> Value {
        let point = self.signer.public_key().as_ref();
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": b64(&point[1..33]), "y": b64(&point[33..])});
        json!({"keys": [key]})
    }

    /// Somebody logs in there; what is asked stands in the address. Answers the path that the browser is sent back to.
    pub fn authorize(&self, url: &str, subject: &str, name: &str) -> String {
        let query = url.strip_prefix(&format!("{ISSUER}/authorize?")).unwrap_or_else(|| panic!("{url}"));
        let asked: HashMap<&str, String> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(k, v)| (k, v.replace("%3A", ":").replace("%2F", "/").replace("%20", " ")))
            .collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["redirect_uri"], "http://city.test/login/oidc/callback");
        assert!(asked["scope"].split(' ').any(|s| s == "openid"));
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!([&asked["state"], &asked["nonce"], &asked["code_challenge"]].iter().all(|v| v.len() == 43));
        let mut held = self.held.lock().unwrap();
        held.given += 1;
        let code = format!("code-{}", held.given);
        let of = [asked["nonce"].clone(), asked["code_challenge"].clone(), subject.into(), name.into()];
        held.codes.insert(code.clone(), of);
        format!("/login/oidc/callback?code={code}&state={}&iss=https%3A%2F%2Fid.city.example", asked["state"])
    }

    fn token(&self, wanted: &Wanted) -> Fetched {
        let basic = format!("Basic {}", STANDARD.encode("sekisho:a%20secret%2Fwith%2Bsigns"));
        assert_eq!(wanted.authorization.as_deref(), Some(basic.as_str()));
        let form: HashMap<&str, &str> =
            wanted.form.as_deref().unwrap().split('&').map(|pair| pair.split_once('=').unwrap()).collect();
        assert_eq!(form["grant_type"], "authorization_code");
        let mut held = self.held.lock().unwrap();
        let Some([nonce, challenge, subject, name]) = held.codes.remove(form["code"]) else {
            return Ok((400, br#"{"error":"invalid_grant"}"#.to_vec()));
        };
        if b64(&sha256(form["code_verifier"].as_bytes())) != challenge {
            return Ok((400, br#"{"error":"invalid_grant"}"#.to_vec()));
        }
        let now = self.clock.now().millis() / 1000;
        let mut claims = json!({
            "iss": ISSUER, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now, "exp": now + 300,
            "preferred_username": name, "auth_time": now,
        });
        let lie = held.lie.clone();
        for (name, value) in lie.claims {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value;
            }
        }
        let header = json!({"alg": lie.algorithm.unwrap_or("ES256"), "kid": lie.key.unwrap_or("k1")});
        let signed = format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
        let signature = match lie.signature {
            Some(make) => make(self, &signed),
            None => self.signer.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
        };
        let answer = json!({"token_type": "Bearer", "access_token": "access-1", "id_token": format!("{signed}.{}", b64(&signature))});
        Ok((200, answer.to_string().into_bytes()))
    }
}

impl Fetcher for Fake {
    fn fetch(&self, wanted: Wanted) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>> {
        let lie = {
            let mut held = self.held.lock().unwrap();
            held.fetched.push(wanted.url.clone());
            held.lie.clone()
        };
        let answer = match wanted.url.strip_prefix(ISSUER) {
            _ if lie.down => Err("connection refused".to_owned()),
            Some("/.well-known/openid-configuration") => {
                let mut about = json!({
                    "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys"),
                });
                for (name, value) in lie.about {
                    about[name] = value;
                }
                Ok((200, about.to_string().into_bytes()))
            }
            Some("/keys") => Ok((200, self.keys().to_string().into_bytes())),
            Some("/token") => self.token(&wanted),
            Some("/userinfo") => {
                assert_eq!((wanted.form, wanted.authorization.as_deref()), (None, Some("Bearer access-1")));
                let (status, body) = lie.person.unwrap();
                Ok((status, body.into_bytes()))
            }
            _ => Ok((404, vec![])),
        };
        Box::pin(std::future::ready(answer))
    }
}

/// The value of a cookie that a page sets; empty when it takes it away, none when it does not speak of it.
pub fn set(page: &Page, name: &str) -> Option<String> {
    let all = page.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap());
    let mut found = all.filter_map(|v| v.strip_prefix(&format!("{name}=")));
    found.next().map(|v| v.split(';').next().unwrap().to_owned())
}

/// Leaves for the provider: where to, and the browser holds the cookie.
pub async fn leave(b: &mut Browser, next: &str) -> String {
    let page = b.get(&format!("/login/oidc?next={next}")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let cookie = page.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=600"));
    b.cookie = cookie.split(';').next().unwrap().to_owned();
    page.location()
}

/// Goes the whole way; the browser holds the session, where there is one.
async fn walk(fake: &Fake, b: &mut Browser, subject: &str, name: &str) -> Page {
    let url = leave(b, "/cases").await;
    let page = b.get(&fake.authorize(&url, subject, name)).await;
    assert_eq!(set(&page, "sekisho_sign_in").as_deref(), Some(""), "what was remembered is taken away");
    match set(&page, "sekisho_session") {
        Some(session) => b.cookie = format!("sekisho_session={session}"),
        None => b.cookie = String::new(),
    }
    page
}

fn refused(page: &Page, says: &str) {
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{says}: {}", page.text);
    assert_eq!(set(page, "sekisho_session"), None, "{says}");
    assert!(page.text.contains(says), "{says}: {}", page.text);
    assert!(page.text.contains("name=\"password\""), "the local login stands on the same page");
}

#[tokio::test]
async fn the_rightful_person_comes_in_and_is_known_by_the_subject_from_then_on() {
    let city = City::settled().await;
    let mut b = Browser::new(&city);
    assert!(!b.get("/login").await.text.contains("/login/oidc"), "no button where nothing is configured");
    assert_eq!(b.get("/login/oidc").await.status, StatusCode::NOT_FOUND);
    let fake = Fake::at(&city, &[]);
    let page = b.get("/login?next=/cases").await;
    assert!(page.text.contains("href=\"/login/oidc?next=/cases\">庁内の認証でログイン"), "{}", page.text);
    let logins = entries(&city, "account.login").await;
    assert_eq!(walk(&fake, &mut b, "s-1", "u1001").await.location(), "/cases");
    let page = b.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("外部のログインとの結び付き"), "{}", page.text);
    assert_eq!(entries(&city, "account.linked").await, 1);
    // The name may change there: the subject stays. In capitals it is the same name.
    for (subject, name) in [("s-1", "u1001"), ("s-1", "takahashi"), ("s-2", "U1002")] {
        let mut b = Browser::new(&city);
        assert_eq!(walk(&fake, &mut b, subject, name).await.location(), "/cases", "{name}");
    }
    assert_eq!(entries(&city, "account.linked").await, 2);
    assert_eq!(entries(&city, "account.login").await, logins + 4);
    assert_eq!(fake.fetched("openid-configuration"), 1, "description and keys are kept");
    assert_eq!(fake.fetched("/keys"), 1);
    // It leads nowhere else.
    let mut b = Browser::new(&city);
    let url = leave(&mut b, "//evil.example").await;
    assert_eq!(b.get(&fake.authorize(&url, "s-1", "u1001")).await.location(), "/");
}

#[tokio::test]
async fn nobody_else_comes_in() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let mut b = Browser::new(&city);
    assert_eq!(walk(&fake, &mut b, "s-1", "u1001").await.location(), "/cases");
    let before = city.written().await;
    let accounts = city.count("SELECT COUNT(*) FROM account").await;
    for name in ["nobody", "", "\u{ff55}1002", "admin\u{0}", "8001"] {
        let page = walk(&fake, &mut b, "s-9", name).await;
        let says = if name.is_empty() || name.contains('\0') {
            "がありません"
        } else {
            "というログインがありません"
        };
        refused(&page, says);
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, accounts, "no account is made");
    assert_eq!(city.written().await, before, "and nothing is written");
    // A name that was given to somebody else there.
    let page = walk(&fake, &mut b, "s-2", "u1001").await;
    refused(&page, "以前は別の人");
    assert_eq!(entries(&city, "account.link_refused").await, 1);
    // A stopped account stays so, also for sessions that are open.
    let admin = city.browser(ADMIN).await;
    assert_eq!(admin.post("/accounts/1001", &[("do", "stop")]).await.status, StatusCode::SEE_OTHER);
    refused(&walk(&fake, &mut b, "s-1", "u1001").await, "今は使えません");
    // So does one that waits after failures.
    for _ in 0..5 {
        b.enter("u1002", "まちがい").await;
    }
    refused(&walk(&fake, &mut b, "s-3", "u1002").await, "今は使えません");
    later(&city, 16);
    assert_eq!(walk(&fake, &mut b, "s-3", "u1002").await.location(), "/cases");
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_asked_and_is_taken_once() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let mut b = Browser::new(&city);
    let not_ours = "この画面から始めたものではない";
    // Login CSRF: the attacker's own answer in somebody else's browser, without and with another sign-in begun there.
    let mut attacker = Browser::new(&city);
    let url = leave(&mut attacker, "/").await;
    let theirs = fake.authorize(&url, "s-2", "u1002");
    refused(&b.get(&theirs).await, not_ours);
    leave(&mut b, "/").await;
    refused(&b.get(&theirs).await, not_ours);
    // The state tampered with, left out; the cookie tampered with.
    let url = leave(&mut b, "/").await;
    let path = fake.authorize(&url, "s-1", "u1001");
    let state = path.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    for other in ["", "x", &state[1..]] {
        refused(&b.get(&path.replace(&state, other)).await, not_ours);
    }
    let kept = b.cookie.clone();
    let other = if kept.ends_with('0') { '1' } else { '0' };
    b.cookie = format!("{}{other}", &kept[..kept.len() - 1]);
    refused(&b.get(&path).await, not_ours);
    b.cookie = kept.clone();
    // Another provider's answer in this one's place (RFC 9207), an error, a code that the provider does not know.
    refused(&b.get(&path.replace("id.city", "id.evil")).await, "発行元が違います");
    refused(&b.get(&format!("/login/oidc/callback?error=access_denied&state={state}")).await, "取りやめたか");
    refused(&b.get(&format!("/login/oidc/callback?code=x&state={state}")).await, "もう受け付けません");
    // A code that was given for another sign-in: PKCE and nonce tell.
    let theirs = theirs.split("code=").nth(1).unwrap().split('&').next().unwrap();
    refused(&b.get(&format!("/login/oidc/callback?code={theirs}&state={state}")).await, "もう受け付けません");
    // At last as it should be, and then again.
    assert_eq!(b.get(&path).await.location(), "/");
    refused(&b.get(&path).await, "もう受け付けません");
    // Even where the provider would take the code twice.
    let again = fake.authorize(&url, "s-1", "u1001");
    refused(&b.get(&again).await, "もう使われました");
    // Whoever takes longer than ten minutes begins anew.
    let url = leave(&mut b, "/").await;
    let path = fake.authorize(&url, "s-1", "u1001");
    later(&city, 10);
    refused(&b.get(&path).await, not_ours);
    assert_eq!(entries(&city, "account.linked").await, 1);
}

#[tokio::test]
async fn a_token_that_is_not_right_is_refused() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let now = city.clock.now().millis() / 1000;
    let mut b = Browser::new(&city);
    let claim = |name, value| Lie { claims: vec![(name, value)], ..Lie::default() };
    // The confusion of RS256 with HS256: the public key as the shared secret.
    let hmac = |fake: &Fake, signed: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, fake.keys().to_string().as_bytes());
        ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
    };
    for (lie, says) in [
        (claim("nonce", json!("n")), "始めたログインへの返事ではありません"),
        (claim("nonce", Value::Null), "始めたログインへの返事ではありません"),
        (claim("aud", json!("other")), "宛先が関所ではありません"),
        (claim("aud", json!([CLIENT, "other"])), "宛先が関所だけではありません"),
        (claim("iss", json!("https://id.evil.example")), "発行元が違います"),
        (claim("exp", json!(now - 61)), "期限が切れています"),
        (claim("exp", Value::Null), "期限が切れています"),
        (claim("iat", json!(now + 600)), "発行の時刻"),
        (claim("sub", Value::Null), "だれのことか"),
        (Lie { algorithm: Some("none"), signature: Some(|_, _| vec![]), ..Lie::default() }, "署名の方式"),
        (Lie { algorithm: Some("HS256"), signature: Some(hmac), ..Lie::default() }, "署名の方式"),
        (Lie { signature: Some(|_, _| vec![0; 64]), ..Lie::default() }, "署名が正しくありません"),
        (Lie { algorithm: Some("RS256"), ..Lie::default() }, "鍵の一覧にありません"),
    ] {
        fake.lies(lie);
        refused(&walk(&fake, &mut b, "s-1", "u1001").await, says);
    }
    // A key that is not known lets the set be fetched again, once a minute.
    let fetched = fake.fetched("/keys");
    let unknown = Lie { key: Some("k2"), ..Lie::default() };
    fake.lies(unknown);
    for (minutes, more) in [(0, 0), (2, 1), (0, 1)] {
        later(&city, minutes);
        refused(&walk(&fake, &mut b, "s-1", "u1001").await, "鍵の一覧にありません");
        assert_eq!(fake.fetched("/keys"), fetched + more);
    }
    assert_eq!(entries(&city, "account.linked").await, 0);
}

#[tokio::test]
async fn a_name_that_the_token_does_not_hold_is_asked_for_and_must_be_of_the_same_person() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let tells = |status: u16, body: &Value| Lie {
        claims: vec![("preferred_username", Value::Null)],
        about: vec![("userinfo_endpoint", json!(format!("{ISSUER}/userinfo")))],
        person: Some((status, body.to_string().trim_matches('"').to_owned())),
        ..Lie::default()
    };
    let mut b = Browser::new(&city);
    // A provider that names no such address is not asked. What it says of itself is kept for an hour.
    fake.claims(&[("preferred_username", Value::Null)]);
    refused(&walk(&fake, &mut b, "s-1", "").await, "IDトークンに preferred_username がありません");
    later(&city, 61);
    for (status, body, says) in [
        (200, json!({"sub": "s-2", "preferred_username": "u1001"}), "別の人のもの"),
        (200, json!({"preferred_username": "u1001"}), "別の人のもの"),
        (200, json!({"sub": "s-1"}), "にも preferred_username がありません"),
        (
            200,
            json!({"sub": "s-1", "preferred_username": "u1001\u{0}"}),
            "にも preferred_username がありません",
        ),
        (200, json!({"sub": "s-1", "preferred_username": "u9999"}), "というログインがありません"),
        (200, json!("eyJ.eyJ.c2ln"), "JSONとして読めません"),
        (401, json!({"sub": "s-1", "preferred_username": "u1001"}), "今は庁内の認証でログインできません"),
    ] {
        fake.lies(tells(status, &body));
        refused(&walk(&fake, &mut b, "s-1", "").await, says);
    }
    assert_eq!(entries(&city, "account.linked").await, 0);
    let asked = fake.fetched("/userinfo");
    let right = json!({"sub": "s-1", "preferred_username": "u1001"});
    fake.lies(tells(200, &right));
    assert_eq!(walk(&fake, &mut b, "s-1", "").await.location(), "/cases");
    assert_eq!(fake.fetched("/userinfo"), asked + 1);
    // What the token holds is not asked for again, whatever would be answered.
    fake.lies(Lie { claims: vec![], ..tells(200, &right) });
    assert_eq!(walk(&fake, &mut b, "s-2", "u1002").await.location(), "/cases");
    assert_eq!(fake.fetched("/userinfo"), asked + 1);
}

#[tokio::test]
async fn while_the_provider_is_down_the_local_login_stays() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let mut b = Browser::new(&city);
    for lie in [
        Lie { down: true, ..Lie::default() },
        Lie { about: vec![("issuer", json!("https://id.evil.example"))], ..Lie::default() },
        Lie { about: vec![("token_endpoint", json!("http://id.city.example/token"))], ..Lie::default() },
    ] {
        fake.lies(lie);
        let asked = fake.fetched("openid-configuration");
        for _ in 0..3 {
            let page = b.get("/login/oidc?next=/cases").await;
            assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(page.text.contains("今は庁内の認証でログインできません"), "{}", page.text);
            assert!(page.text.contains("name=\"password\"") && page.text.contains("value=\"/cases\""));
        }
        assert_eq!(fake.fetched("openid-configuration"), asked + 1, "those who come at once do not all wait");
        later(&city, 1);
    }
    assert_eq!(b.enter("u1001", PASSWORD).await.location(), "/");
    // It goes away while somebody is there.
    fake.lies(Lie::default());
    let mut b = Browser::new(&city);
    let url = leave(&mut b, "/").await;
    let path = fake.authorize(&url, "s-1", "u1001");
    fake.lies(Lie { down: true, ..Lie::default() });
    refused(&b.get(&path).await, "今は庁内の認証でログインできません");
}

#[tokio::test]
async fn the_second_factor_is_asked_for_here_unless_the_provider_is_said_to_have_done_it() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &["otp", "level-2"]);
    let mut b = city.browser(MANAGER).await;
    let (phone, _): (Phone, _) = enrol(&city, &mut b).await;
    later(&city, 1);
    let mut b = Browser::new(&city);
    assert_eq!(walk(&fake, &mut b, "s-2", "u1002").await.location(), "/login/code?next=/cases");
    for path in ["/", "/account"] {
        assert!(b.get(path).await.location().starts_with("/login/code"), "{path}");
    }
    b.get("/login/code").await;
    let page = b.post("/login/code", &[("code", &phone.code(&city)), ("next", "/cases")]).await;
    assert_eq!(page.location(), "/cases");
    for (claims, asked) in [
        (vec![("amr", json!(["pwd"]))], true),
        (vec![("amr", json!("otp"))], true),
        (vec![("amr", json!(["pwd", "otp"]))], false),
        (vec![("acr", json!("level-2"))], false),
        (vec![("acr", json!("level-20"))], true),
    ] {
        fake.claims(&claims);
        let mut b = Browser::new(&city);
        let to = walk(&fake, &mut b, "s-2", "u1002").await.location();
        assert_eq!(to.starts_with("/login/code"), asked, "{claims:?}");
    }
    // Who must have one and has none enrols it.
    city.ask_second_factor_of("section_security_manager information_system_manager").await;
    fake.claims(&[]);
    let mut b = Browser::new(&city);
    assert_eq!(walk(&fake, &mut b, "s-3", "admin").await.location(), "/account/second-factor");
    assert_eq!(b.get("/").await.location(), "/account/second-factor");
}

#[tokio::test]
async fn a_temporary_password_is_not_asked_of_whoever_did_not_use_it_and_a_reset_still_bars() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let admin = city.browser(ADMIN).await;
    let slip = admin.post("/organization/account", &[("person", HEAD), ("login", "u8001")]).await;
    assert_eq!(slip.status, StatusCode::OK);
    let mut b = Browser::new(&city);
    assert_eq!(walk(&fake, &mut b, "s-8", "u8001").await.location(), "/cases");
    assert_eq!(b.get("/").await.status, StatusCode::OK);
    // A reset bars decisions, however the person comes in.
    assert_eq!(walk(&fake, &mut b, "s-2", "u1002").await.location(), "/cases");
    admin.post("/organization/account", &[("person", MANAGER), ("login", "")]).await;
    assert_eq!(walk(&fake, &mut b, "s-2", "u1002").await.location(), "/cases");
    assert!(b.get("/account").await.text.contains("今は決裁などの処理ができません"));
}

#[tokio::test]
async fn a_link_that_an_administrator_takes_away_bars_like_a_reset() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let mut b = Browser::new(&city);
    walk(&fake, &mut b, "s-2", "u1002").await;
    for number in [CLERK, MANAGER] {
        let other = city.browser(number).await;
        let page = other.post("/accounts/1002", &[("do", "unlink")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{number}");
    }
    let mut admin = city.browser(ADMIN).await;
    assert_eq!(admin.get("/accounts").await.text.matches("value=\"unlink\"").count(), 1);
    assert_eq!(admin.post("/accounts/1002", &[("do", "unlink")]).await.location(), "/accounts?done=account");
    assert_eq!(admin.post("/accounts/1002", &[("do", "unlink")]).await.status, StatusCode::FORBIDDEN);
    assert!(b.get("/").await.location().starts_with("/login?"), "the session ended");
    assert_eq!(walk(&fake, &mut b, "s-7", "u1002").await.location(), "/cases");
    assert!(b.get("/account").await.text.contains("今は決裁などの処理ができません"));
    assert_eq!(entries(&city, "account.unlinked").await, 1);
}

#[tokio::test]
async fn privileged_work_asks_for_a_fresh_proof_which_the_provider_can_give() {
    let city = City::settled().await;
    let fake = Fake::at(&city, &[]);
    let now = || city.clock.now().millis() / 1000;
    let fields = [("person", HEAD), ("login", "u8001")];
    // Came in on a login there that is hours old, or of unknown age: that proves nothing about who sits there now.
    for value in [json!(now() - 3 * 3600), Value::Null] {
        fake.claims(&[("auth_time", value)]);
        let mut b = Browser::new(&city);
        walk(&fake, &mut b, "s-9", "admin").await;
        b.get("/").await;
        let asked = b.post("/organization/account", &fields).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
        assert!(asked.text.contains("href=\"/login/oidc/again\""), "{}", asked.text);
    }
    let mut b = Browser::new(&city);
    walk(&fake, &mut b, "s-9", "admin").await;
    b.get("/").await;
    let session = b.cookie.clone();
    let again = |claims: Vec<(&'static str, Value)>, subject: &'static str, name: &'static str| {
        fake.claims(&claims);
        let (fake, mut b, session) = (Arc::clone(&fake), b.clone(), session.clone());
        async move {
            let page = b.get("/login/oidc/again").await;
            let url = page.location();
            assert!(url.contains("&prompt=login&max_age=0"), "{url}");
            b.cookie = format!("{session}; sekisho_sign_in={}", set(&page, "sekisho_sign_in").unwrap());
            let path = fake.authorize(&url, subject, name);
            b.get(&path).await
        }
    };
    // The provider did not ask anew; somebody else logged in there; somebody whom it has not named here before.
    let mut other = Browser::new(&city);
    fake.claims(&[]);
    walk(&fake, &mut other, "s-1", "u1001").await;
    refused(&again(vec![("auth_time", json!(now() - 61))], "s-9", "admin").await, "ログインし直したこと");
    refused(&again(vec![("auth_time", Value::Null)], "s-9", "admin").await, "ログインし直したこと");
    refused(&again(vec![], "s-1", "u1001").await, "今この画面を使っている人と違います");
    refused(&again(vec![], "s-5", "u2001").await, "今この画面を使っている人と違います");
    let asked = b.post("/organization/account", &fields).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "none of that proved anything");
    let page = again(vec![], "s-9", "admin").await;
    assert!(
        page.status == StatusCode::OK && page.text.contains("ログインし直したことを確かめました"),
        "{}",
        page.text
    );
    let done = b.post("/organization/account", &fields).await;
    assert!(done.status == StatusCode::OK && done.text.contains("<code>"), "{}", done.text);
    // Whoever came in with a password is not sent there.
    let mut local = city.browser(ADMIN).await;
    later(&city, 16);
    let asked = local.post("/accounts/1001", &[("do", "stop")]).await;
    assert!(asked.status == StatusCode::UNAUTHORIZED && !asked.text.contains("/login/oidc/again"));
    let mut nobody = Browser::new(&city);
    assert!(nobody.get("/login/oidc/again").await.location().starts_with("/login?"));
    local.get("/").await;
}
