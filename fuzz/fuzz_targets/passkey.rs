//! What a browser brings from an authenticator: the answer as a whole, or the bytes of one of its parts within an answer that is otherwise right.
//! Never a panic, and what is accepted can be read again. The sources are compiled in here, without the application around them: what they check is
//! private to it.
#![no_main]

#[path = "../../crates/sekisho-app/src/passkeys/cbor.rs"]
mod cbor;
#[expect(dead_code, reason = "the application uses more of it")]
#[path = "../../crates/sekisho-app/src/passkeys/check.rs"]
mod check;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;

const SITE: check::Expected<'_> = check::Expected {
    id: "city.example",
    origin: "https://city.example",
    challenge: "Y2hhbGxlbmdl",
};

fn said(what: &str) -> String {
    format!(
        r#"{{"type":"webauthn.{what}","challenge":"Y2hhbGxlbmdl","origin":"https://city.example","crossOrigin":false}}"#
    )
}

fn answer(client: &[u8], part: &str, bytes: &[u8]) -> String {
    let [client, bytes] = [client, bytes].map(|b| URL_SAFE_NO_PAD.encode(b));
    format!(r#"{{"id":"aWQ","clientDataJSON":"{client}","signature":"AA","{part}":"{bytes}"}}"#)
}

fn register(answer: &str) {
    let Ok(made) = check::created(answer, &SITE) else { return };
    let id = URL_SAFE_NO_PAD.decode(&made.id).expect("it was encoded here");
    assert!((1..=1023).contains(&id.len()));
    let (_, rest) = cbor::read(&made.key).expect("the key that was kept is read at every login");
    assert!(rest.is_empty() && (0..=i64::from(u32::MAX)).contains(&made.counter));
}

fn assert_with(answer: &str, key: &[u8]) {
    let Ok(asserted) = check::Asserted::parse(answer) else { return };
    // Nobody who fuzzes signs under the key.
    assert!(asserted.counter(key, &SITE).is_err());
}

/// A point of P-256 as COSE_Key: its base point.
const KEY: &[u8] = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x22\x58\x20\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 6 {
        0 => {
            if let Some((_, after)) = cbor::read(rest) {
                assert!(after.len() < rest.len());
            }
        }
        1 => register(&answer(said("create").as_bytes(), "attestationObject", rest)),
        2 => assert_with(&answer(said("get").as_bytes(), "authenticatorData", rest), KEY),
        3 => register(&answer(rest, "attestationObject", b"\xa0")),
        4 => assert_with(&answer(said("get").as_bytes(), "authenticatorData", KEY), rest),
        _ => {
            if let Ok(text) = std::str::from_utf8(rest) {
                register(text);
                assert_with(text, KEY);
            }
        }
    }
});
