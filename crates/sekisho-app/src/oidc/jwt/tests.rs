//! Signatures that another program made, and everything a token may get wrong.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;

/// A modulus and tokens signed with its key by `openssl dgst -sha256 -sign`, the second with `-sigopt rsa_padding_mode:pss`.
const MODULUS: &str = "rMPIke6nKawQcGqOvrzpWiNsaQmkt3v1EQPymwq1dIzBwEXqt8VuSre0Boh-TMD-XJu9B85r__BmuGnhyQHdFiTM59IpTy7dix9TB6gyUlCxwnui5aRTZ2YLY4COocuW0BdCsK8M92g4d7lXzNQFkQlqCNFfkKmCEhJVcePx55uyJmI-Lju3QfUT-naUhPaCBqA2lpiPFZeL1hqzenvfwwfX_y4lNgnYraBzICkUeP9qGYJxdrAfB35lTS4t2T-wZ6L5AqFUZizzHMJGJHP8zvcVmKjlsLwSDxL0h_HAMC_cNkmGZGbPdYnUL3GBdcpeBsLnB74yK1iuMZn__83myw";
const BY_OPENSSL: [&str; 2] = [
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.gGtIPRJQ02ywWvdDKPyNJC1LcVcTe04DV0RJnJlOjpLu5wZxB6Fy6Z7l3DFef8aPcT5N95O-Elc3qjgUTAX7_mwmAuzrW4BhYtoshCNYkq0x9fQw5XJOLhf11rz45n8tMB7jhAq8DAz4l1p2YY1avdqjMLTBXcuj1VEHVmKAJpuQttH_mkha8v_lsegpQrYxnEgEkVuDVqcpklPlvWcDuhY5Y4vwdD5LEgYCn7bGUlaUFHyi1VeHhKjRISJHiBvQ12MFzi656l4N4xN0U-mVobmm9LQWJdQckuejXQ4anp6rpebQpZO25WMSq9YakA_66Vk5WdjdYg86jfRiXJ2fYg",
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.niQN_DGHZvAzhEeuzndJrM1E3bmhvRixL_17bowa_W2y0oEsp3vCDbEkxIPLjL4EOtoQ4D3G-kN085QnlTesRnIL8P8GyIkDVBDY3P4Qq9nGed8tW70ETfw_t200jaPi5DpyO1e6kq6sVu1EymneqEFS7DLEgidmtl5jdPCDkYfOoHzwyUTcXBlsNotEZMGkcGFm3a-Sq1zExltflv0f251nF8VKHf3fa7DlmyPBLnIHu47N5IbrE2ph8Q71HFJ7NPssCfyCTuN1g-rje_tVW93BakzMIWdqIVu3yHy_99puwOLynC9y69aOYewn-K0rfWuiiiuVvkxPg59-FP4lhg",
];

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider's key of P-256.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let bytes =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
        Self(EcdsaKeyPair::from_pkcs8(how, bytes.as_ref(), &SystemRandom::new()).unwrap())
    }

    fn key(&self, id: &str) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": id, "x": b64(&point[1..33]), "y": b64(&point[33..])})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", b64(signature.as_ref()))
    }
}

fn set(all: &[Value]) -> Vec<Key> {
    keys(json!({"keys": all}).to_string().as_bytes()).unwrap()
}

fn verify(token: &str, keys: &[Key]) -> Result<Value, Fault> {
    let token = Token::parse(token)?;
    let key = token.key(keys).ok_or("no key")?.clone();
    token.claims(&key)
}

#[test]
fn what_openssl_signed_is_right_and_nothing_else_of_it() {
    let rsa = json!({"kty": "RSA", "kid": "r", "n": MODULUS, "e": "AQAB", "use": "sig"});
    for token in BY_OPENSSL {
        assert_eq!(
            verify(token, &set(std::slice::from_ref(&rsa))).unwrap(),
            json!({"iss": "https://id.example"})
        );
    }
    // The other's padding is another algorithm.
    let [a, b] = BY_OPENSSL.map(|t| t.split('.').collect::<Vec<_>>());
    assert!(verify(&[a[0], a[1], b[2]].join("."), &set(std::slice::from_ref(&rsa))).is_err());
    let mut only = rsa.clone();
    only["alg"] = "RS256".into();
    assert!(verify(BY_OPENSSL[0], &set(&[only.clone()])).is_ok());
    assert_eq!(verify(BY_OPENSSL[1], &set(&[only])), Err("no key"));
    for (name, value) in [("use", "enc"), ("kid", "s"), ("kty", "oct")] {
        let mut other = rsa.clone();
        other[name] = value.into();
        assert_eq!(verify(BY_OPENSSL[0], &set(&[other])), Err("no key"), "{name}");
    }
}

#[test]
fn no_algorithm_that_an_attacker_would_choose_is_taken() {
    let signer = Signer::new();
    let keys = set(&[signer.key("e")]);
    let claims = json!({"iss": "x"});
    assert!(verify(&signer.sign(&json!({"alg": "ES256", "kid": "e"}), &claims), &keys).is_ok());
    for algorithm in ["none", "None", "HS256", "HS512", "RS384", "ES512", "EdDSA", ""] {
        let token = signer.sign(&json!({"alg": algorithm, "kid": "e"}), &claims);
        assert!(Token::parse(&token).is_err(), "{algorithm}");
    }
    for header in [json!({}), json!({"alg": 1}), json!("ES256"), json!({"alg": "ES256", "crit": ["exp"]})] {
        assert!(Token::parse(&signer.sign(&header, &claims)).is_err(), "{header}");
    }
    // The kind of the key decides, whatever the header says.
    let token = signer.sign(&json!({"alg": "RS256", "kid": "e"}), &claims);
    assert_eq!(verify(&token, &keys), Err("no key"));
    // Without a signature.
    let token = signer.sign(&json!({"alg": "ES256", "kid": "e"}), &claims);
    let bare = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert!(verify(&bare, &keys).is_err());
    assert!(verify(&token, &set(&[Signer::new().key("e")])).is_err(), "another key under the same id");
    assert!(Token::parse(&format!("{token}.x")).is_err() && Token::parse(&"a".repeat(40_000)).is_err());
}

#[test]
fn without_a_key_id_only_one_key_may_fit() {
    let (one, two) = (Signer::new(), Signer::new());
    let token = one.sign(&json!({"alg": "ES256"}), &json!({}));
    assert!(verify(&token, &set(&[one.key("a")])).is_ok());
    assert_eq!(verify(&token, &set(&[one.key("a"), two.key("b")])), Err("no key"));
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "sekisho", "sub": "s-1", "nonce": "n", "iat": 1000, "exp": 1300,
        "preferred_username": "hanako", "amr": ["pwd", "otp"], "acr": "2", "auth_time": 990,
    })
}

const EXPECTED: Expected<'_> = Expected {
    issuer: "https://id.example",
    client: "sekisho",
    nonce: "n",
    now: 1010,
    since: None,
    claim: "preferred_username",
};

#[test]
fn an_id_token_must_be_for_us_now_and_an_answer_to_what_was_asked() {
    let said = check(&claims(), &EXPECTED).unwrap();
    assert_eq!((said.subject.as_str(), said.login.as_str(), said.proved), ("s-1", "hanako", Some(990)));
    assert_eq!(said.how, ["pwd", "otp", "2"]);
    for (name, value, right) in [
        ("iss", json!("https://id.example/"), false),
        ("iss", Value::Null, false),
        ("aud", json!("other"), false),
        ("aud", json!(["sekisho"]), true),
        ("aud", json!(["sekisho", "other"]), false),
        ("aud", json!([]), false),
        ("azp", json!("other"), false),
        ("azp", json!("sekisho"), true),
        ("sub", json!(""), false),
        ("sub", json!("a\u{0}b"), false),
        ("sub", json!(7), false),
        ("nonce", json!("m"), false),
        ("nonce", Value::Null, false),
        ("exp", json!(951), true),
        ("exp", json!(950), false),
        ("exp", json!("9999"), false),
        ("exp", json!(1300.5), true),
        ("exp", Value::Null, false),
        ("iat", json!(1070), true),
        ("iat", json!(1071), false),
        ("iat", json!(350), false),
        ("iat", json!(i64::MAX), false),
        ("nbf", json!(1071), false),
        ("nbf", json!(1000), true),
        ("auth_time", json!("now"), false),
    ] {
        let mut c = claims();
        c[name] = value.clone();
        assert_eq!(check(&c, &EXPECTED).is_ok(), right, "{name} {value}");
    }
    let mut several = claims();
    (several["aud"], several["azp"]) = (json!(["sekisho", "other"]), json!("sekisho"));
    assert!(check(&several, &EXPECTED).is_ok());
    assert!(check(&claims(), &Expected { nonce: "", ..EXPECTED }).is_err());
}

#[test]
fn whoever_was_asked_to_prove_it_again_has_proved_it_since() {
    let at = |auth: Value| {
        let mut c = claims();
        c["auth_time"] = auth;
        check(&c, &Expected { since: Some(1000), ..EXPECTED }).is_ok()
    };
    assert!(at(json!(1005)) && at(json!(940)), "clocks may differ by a minute");
    assert!(!at(json!(939)) && !at(Value::Null));
}

#[test]
fn an_address_is_a_name_only_when_the_provider_has_looked_at_it() {
    let mail = Expected { claim: "email", ..EXPECTED };
    let mut c = claims();
    c["email"] = "hanako@city.example".into();
    assert!(check(&c, &mail).is_err());
    c["email_verified"] = "true".into();
    assert!(check(&c, &mail).is_err());
    c["email_verified"] = true.into();
    assert_eq!(check(&c, &mail).unwrap().login, "hanako@city.example");
    // Where the token does not speak of it the provider is asked, and the same holds for what it answers.
    assert_eq!(check(&claims(), &mail).unwrap().login, "");
    let answer = |json: Value| told(json.to_string().as_bytes(), "s-1", "email");
    assert!(answer(json!({"sub": "s-1", "email": "hanako@city.example"})).is_err());
    let right = json!({"sub": "s-1", "email": "hanako@city.example", "email_verified": true});
    assert_eq!(answer(right).as_deref(), Ok("hanako@city.example"));
    assert_eq!(answer(json!({"sub": "s-1"})).as_deref(), Ok(""));
    assert!(told(br#"{"sub": ""}"#, "", "email").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", json in "\\PC{0,80}") {
        let _ = Token::parse(&text);
        let made = format!("{}.{}.{}", b64(json.as_bytes()), b64(text.as_bytes()), b64(b"x"));
        let _ = Token::parse(&made);
        let _ = keys(text.as_bytes());
    }

    #[test]
    fn no_changed_letter_passes(at in 0usize..1000, to in "[A-Za-z0-9_.-]") {
        let rsa = set(&[json!({"kty": "RSA", "kid": "r", "n": MODULUS, "e": "AQAB"})]);
        let token = BY_OPENSSL[0];
        let at = at % token.len();
        prop_assume!(token[at..=at] != to);
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assert!(verify(&changed, &rsa).is_err(), "{}", changed);
    }
}
