//! Answers of three kinds of keys, and everything an answer may get wrong.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

/// A modulus, and a signature made with its key by `openssl dgst -sha256 -sign` over [`authenticator`]`(5, 7)` and the hash of [`said`]`("get")`.
const MODULUS: &str = "mMTfqB-adQOwThARGxS3yBSRcZvT7pADcvuUG_O4MKZZODmXKaXJhPDVVl_zBYV4uE4XGnsIXO_sQGOfUguFzkCwqVCQ7UDdufCfT4QX92uQBcnmZ70fX9dWEuYkza_N9y4vaThuYlmkladGQzZ9_4t9_SfJoMYmWt5p9qrHP9NQTbbCA6b2PI3aFCaPIyaKCmK5De0ZYMqGTNDAMFLK5HEppsWYdatO-x9Aenep2foKFmhT49ZTi3DbXHDETcT3Lm0aikw1m8BsrQpHlbCtyI-YJlOTa6vfDnL4IRsSjj3GtMakTWvKL_KQokjZ0J1Y6UQj385EoEAWe8u2Ha_Cww";
const BY_OPENSSL: &str = "GToEY2L2zb5uOepktE6SKvGXc5A7DVQoa-1Vgr0rXgmXwXJaJsUG83as3o4rBMqk4acsPV8R-SIh8SX9I77q4en77ZiwiTkNtk0WebRHXPg-HDRiZVcqpwS3tKpGQVswh0zzmM-eZAcFu16mbTWkcbI2REvcdjrDQr20k-IxgOu4y4ToniD9AX4hZz9j42iNuJ5JeN5atuJjOytyz-qdnz85vDGJzICyD3avN51N9UnRFRwNcW2d6OE3QDBQwhrwbAgEbC3h-1zztozGj9irQ--26yErOESela0Y8Rc_SJj1FVZ2qTj4OqYu9_-chCHLrRfXOTuovQ0f39wKl2kquw";
const SITE: Expected<'_> =
    Expected { id: "city.example", origin: "https://city.example", challenge: "Y2hhbGxlbmdl" };

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a browser says it did.
fn said(what: &str) -> String {
    format!(
        r#"{{"type":"webauthn.{what}","challenge":"Y2hhbGxlbmdl","origin":"https://city.example","crossOrigin":false}}"#
    )
}

/// Data of an authenticator with flags and counter.
fn authenticator(flags: u8, counter: u32) -> Vec<u8> {
    [&sha256(b"city.example")[..], &[flags], &counter.to_be_bytes()].concat()
}

fn p256() -> (EcdsaKeyPair, Vec<u8>) {
    let (how, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let bytes = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(how, bytes.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let key =
        [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], &point[1..33], &[0x22, 0x58, 32], &point[33..]]
            .concat();
    (pair, key)
}

/// An answer with a signature over what it holds.
fn asserted(client: &str, data: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signature = sign(&[data, &sha256(client.as_bytes())].concat());
    json!({"id": b64(b"id"), "clientDataJSON": b64(client.as_bytes()), "authenticatorData": b64(data), "signature": b64(&signature)})
        .to_string()
}

fn counter(answer: &str, key: &[u8]) -> Result<i64, Fault> {
    Asserted::parse(answer)?.counter(key, &SITE)
}

/// A registration with this data of the authenticator.
fn registered(data: &[u8]) -> String {
    let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59";
    let size = u16::try_from(data.len()).unwrap().to_be_bytes();
    let object = [&head[..], &size, data].concat();
    json!({"id": b64(b"id"), "clientDataJSON": b64(said("create").as_bytes()), "attestationObject": b64(&object)}).to_string()
}

/// Data with a new credential of this key.
fn new(flags: u8, key: &[u8]) -> Vec<u8> {
    [&authenticator(flags, 3)[..], &[9; 16], &[0, 2], b"id", key].concat()
}

#[test]
fn three_kinds_of_keys_are_taken() {
    let random = SystemRandom::new();
    let data = authenticator(5, 7);
    let (pair, key) = p256();
    let by_p256 = asserted(&said("get"), &data, |m| pair.sign(&random, m).unwrap().as_ref().to_vec());
    assert_eq!(counter(&by_p256, &key), Ok(7));

    let bytes = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(bytes.as_ref()).unwrap();
    let ed = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32], pair.public_key().as_ref()].concat();
    let by_ed = asserted(&said("get"), &data, |m| pair.sign(m).as_ref().to_vec());
    assert_eq!(counter(&by_ed, &ed), Ok(7));

    let n = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
    let rsa = [&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0], &n[..], &[0x21, 0x43, 1, 0, 1]].concat();
    let by_rsa = asserted(&said("get"), &data, |_| URL_SAFE_NO_PAD.decode(BY_OPENSSL).unwrap());
    assert_eq!(counter(&by_rsa, &rsa), Ok(7));

    // None passes under the key of another, nor with another counter.
    for (answer, own) in [(&by_p256, &key), (&by_ed, &ed), (&by_rsa, &rsa)] {
        for other in [&key, &ed, &rsa, &vec![0xa0]] {
            assert_eq!(counter(answer, other).is_ok(), other == own, "{answer}");
        }
        let mut changed: Value = serde_json::from_str(answer).unwrap();
        changed["authenticatorData"] = b64(&authenticator(5, 8)).into();
        assert_eq!(counter(&changed.to_string(), own), Err("署名が正しくありません"));
    }
    for key in [&key, &ed, &rsa] {
        let made = created(&registered(&new(0x45, key)), &SITE).unwrap();
        assert_eq!(made, Created { id: b64(b"id"), key: key.clone(), counter: 3 });
    }
}

#[test]
fn an_answer_to_anything_else_is_refused() {
    let (pair, key) = p256();
    let sign = |m: &[u8]| pair.sign(&SystemRandom::new(), m).unwrap().as_ref().to_vec();
    let data = authenticator(5, 7);
    let client = said("get");
    for (from, to) in [
        ("webauthn.get", "webauthn.create"),
        ("Y2hhbGxlbmdl", "Y2hhbGxlbmdm"),
        ("https://city.example", "http://city.example"),
        ("https://city.example", "https://city.example.evil.example"),
        ("https://city.example", "https://city.example:8443"),
        ("\"crossOrigin\":false", "\"crossOrigin\":true"),
        ("\"crossOrigin\":false", "\"topOrigin\":\"https://evil.example\""),
        ("{", "["),
    ] {
        assert!(client.contains(from), "{from}");
        let answer = asserted(&client.replace(from, to), &data, sign);
        assert!(counter(&answer, &key).is_err(), "{to}");
    }
    let other_site = [&sha256(b"evil.example")[..], &data[32..]].concat();
    let cases = [
        (other_site, "関所とは別のサイト"),
        (authenticator(1, 7), "本人を確かめていません"),
        (authenticator(4, 7), "本人を確かめていません"),
        (authenticator(0x15, 7), "形が正しくありません"),
        (authenticator(0x45, 7), "形が正しくありません"),
        (authenticator(0x85, 7), "形が正しくありません"),
        ([&data[..], &[0xa0]].concat(), "形が正しくありません"),
        (data[..36].to_vec(), "形が正しくありません"),
        (vec![], "形が正しくありません"),
    ];
    for (data, why) in cases {
        let found = counter(&asserted(&client, &data, sign), &key).unwrap_err();
        assert!(found.contains(why), "{found}: {data:?}");
    }
    let extended = [&authenticator(0x8d, 7)[..], &[0xa1, 0x61, b'x', 0xf5]].concat();
    assert_eq!(
        counter(&asserted(&client, &extended, sign), &key),
        Ok(7),
        "extensions and a backup are passed over"
    );
    let no_challenge = Expected { challenge: "", ..SITE };
    let empty = asserted(&client.replace("Y2hhbGxlbmdl", ""), &data, sign);
    assert!(Asserted::parse(&empty).unwrap().counter(&key, &no_challenge).is_err());
}

#[test]
fn a_registration_is_whole_and_of_this_site() {
    let (_, key) = p256();
    let good = new(0x45, &key);
    assert!(created(&registered(&good), &SITE).is_ok());
    let bad = |data: &[u8]| assert!(created(&registered(data), &SITE).is_err(), "{data:?}");
    for length in 0..good.len() {
        bad(&good[..length]);
    }
    bad(&[&good[..], &[0]].concat());
    for flags in [0x05, 0x41, 0x44, 0x55, 0xc5] {
        bad(&new(flags, &key));
    }
    let mut unknown = key.clone();
    // ES384 is not one that was asked for.
    unknown.splice(4..5, [0x38, 0x22]);
    bad(&new(0x45, &unknown));
    bad(&[&authenticator(0x45, 0)[..], &[9; 16], &[0, 0], &key].concat());
    bad(&[&authenticator(0x45, 0)[..], &[9; 16], &[4, 0], &[7; 1024], &key].concat());
    let elsewhere = Expected { id: "evil.example", ..SITE };
    assert_eq!(created(&registered(&good), &elsewhere), Err("関所とは別のサイトのためのパスキーです"));
    let login = registered(&good).replace(&b64(said("create").as_bytes()), &b64(said("get").as_bytes()));
    assert_eq!(created(&login, &SITE), Err(FORM));
    for malformed in ["", "{}", "[]", "null", "{\"id\":1}", "{\"clientDataJSON\":\"***\"}"] {
        assert_eq!(created(malformed, &SITE), Err(FORM), "{malformed}");
        assert_eq!(Asserted::parse(malformed).err(), Some(FORM), "{malformed}");
    }
    let large = "x".repeat(ANSWER_BYTES + 1);
    assert_eq!(created(&large, &SITE), Err(SIZE));
    assert_eq!(Asserted::parse(&large).err(), Some(SIZE));
}

proptest! {
    #[test]
    fn no_byte_of_a_signed_answer_can_be_changed(at in 0usize..37, bit in 0u8..8) {
        let (pair, key) = p256();
        let signed = authenticator(5, 7);
        let mut data = signed.clone();
        data[at] ^= 1 << bit;
        let answer = asserted(&said("get"), &signed, |m| pair.sign(&SystemRandom::new(), m).unwrap().as_ref().to_vec());
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        answer["authenticatorData"] = b64(&data).into();
        prop_assert!(counter(&answer.to_string(), &key).is_err());
    }
}
