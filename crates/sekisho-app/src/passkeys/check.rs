//! What a browser brings from an authenticator, checked as Web Authentication Level 3 says: registration (section 7.1) and assertion (section
//! 7.2). Pure: no clock, no database.
//!
//! Own code over `ring`, as for tokens of an identity provider: `webauthn-rs` is under a licence that this program does not carry and brings RSA in
//! pure Rust (`docs/decisions/0032-passkeys.md`). No statement about the maker of an authenticator (attestation) is asked for, and none is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use sekisho_base::canonical::sha256;
use serde_json::Value;

use super::cbor::{self, Item};

/// Bytes of what the page's script sends, at most: an RSA key with its attestation takes about 2,000.
const ANSWER_BYTES: usize = 8 * 1024;
/// Bytes of a credential id (section 4: at most 1,023).
const ID_BYTES: usize = 1023;
/// Algorithms that are asked for, the best first (COSE: ES256, EdDSA, RS256). Windows Hello on older machines has RS256 alone.
pub(crate) const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// The person touched it.
const PRESENT: u8 = 0x01;
/// It checked that it is the person: PIN, finger, face.
const VERIFIED: u8 = 0x04;
/// The credential may be backed up, and is.
const MAY_BE_COPIED: u8 = 0x08;
const IS_COPIED: u8 = 0x10;
/// A new credential stands in the data.
const ATTESTED: u8 = 0x40;
/// Extensions stand in the data.
const EXTENDED: u8 = 0x80;

/// What is wrong, in words that follow 「確かめられませんでした」.
pub(crate) type Fault = &'static str;

const FORM: Fault = "送られた内容の形が正しくありません";
const SIZE: Fault = "送られた内容が大きすぎます";

/// What an answer must be to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'e> {
    /// Name for which credentials are made: the site's host.
    pub(crate) id: &'e str,
    /// Where the page is.
    pub(crate) origin: &'e str,
    /// What was asked with, base64url.
    pub(crate) challenge: &'e str,
}

/// A new credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created {
    /// Its id, base64url.
    pub(crate) id: String,
    /// Its public key as COSE_Key (RFC 9052, section 7).
    pub(crate) key: Vec<u8>,
    /// Its counter of signatures; 0 where it keeps none.
    pub(crate) counter: i64,
}

/// A text field of the answer as bytes.
fn bytes(of: &Value, name: &str) -> Result<Vec<u8>, Fault> {
    let text = of.get(name).and_then(Value::as_str).ok_or(FORM)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| FORM)
}

fn parse(answer: &str) -> Result<Value, Fault> {
    if answer.len() > ANSWER_BYTES {
        return Err(SIZE);
    }
    serde_json::from_str(answer).map_err(|_| FORM)
}

/// What the browser says it did (section 5.8.1); gives its hash.
fn client(of: &Value, kind: &str, e: &Expected<'_>) -> Result<[u8; 32], Fault> {
    let raw = bytes(of, "clientDataJSON")?;
    let said: Value = serde_json::from_slice(&raw).map_err(|_| FORM)?;
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("type") != kind {
        return Err(FORM);
    }
    if e.challenge.is_empty() || text("challenge") != e.challenge {
        return Err("この画面から始めた操作ではありません");
    }
    // A page of ours within a page of others is none of ours.
    let within =
        said.get("crossOrigin").is_some_and(|v| *v != Value::Bool(false)) || said.get("topOrigin").is_some();
    if text("origin") != e.origin || within {
        return Err("関所とは別のアドレスの画面で作られました");
    }
    Ok(sha256(&raw))
}

/// Data of the authenticator (section 6.1).
struct Data<'d> {
    flags: u8,
    counter: i64,
    /// After the fixed part.
    rest: &'d [u8],
}

fn data<'d>(raw: &'d [u8], e: &Expected<'_>) -> Result<Data<'d>, Fault> {
    let (hash, rest) = raw.split_at_checked(32).ok_or(FORM)?;
    let (flags, rest) = rest.split_first().ok_or(FORM)?;
    let (counter, rest) = rest.split_at_checked(4).ok_or(FORM)?;
    if hash != sha256(e.id.as_bytes()) {
        return Err("関所とは別のサイトのためのパスキーです");
    }
    if flags & PRESENT == 0 || flags & VERIFIED == 0 {
        return Err("パスキーが、PIN・指紋・顔のどれでも本人を確かめていません");
    }
    if flags & MAY_BE_COPIED == 0 && flags & IS_COPIED != 0 {
        return Err(FORM);
    }
    let counter = counter.iter().fold(0, |n, b| (n << 8) | i64::from(*b));
    Ok(Data { flags: *flags, counter, rest })
}

/// Extensions at the end, of which none was asked for: only that nothing else stands there.
fn ends(flags: u8, rest: &[u8]) -> Result<(), Fault> {
    match (flags & EXTENDED != 0, rest) {
        (false, []) => Ok(()),
        (true, rest) => match cbor::read(rest) {
            Some((Item::Map(_), [])) => Ok(()),
            _ => Err(FORM),
        },
        _ => Err(FORM),
    }
}

/// Checks a new credential (section 7.1). Whether its id is known already remains to be seen.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn created(answer: &str, e: &Expected<'_>) -> Result<Created, Fault> {
    let answer = parse(answer)?;
    client(&answer, "webauthn.create", e)?;
    let raw = bytes(&answer, "attestationObject")?;
    let (object, []) = cbor::read(&raw).ok_or(FORM)? else { return Err(FORM) };
    let raw = object.named("authData").and_then(Item::bytes).ok_or(FORM)?;
    let d = data(raw, e)?;
    // Model of the authenticator (16 bytes), length of the id, id, key.
    let rest = d.rest.get(16..).filter(|_| d.flags & ATTESTED != 0).ok_or(FORM)?;
    let (length, rest) = rest.split_at_checked(2).ok_or(FORM)?;
    let length = length.iter().fold(0, |n, b| (n << 8) | usize::from(*b));
    if length == 0 || length > ID_BYTES {
        return Err(FORM);
    }
    let (id, from_key) = rest.split_at_checked(length).ok_or(FORM)?;
    let (key, rest) = cbor::read(from_key).ok_or(FORM)?;
    ends(d.flags, rest)?;
    Key::of(&key).ok_or("使えない種類の鍵です（ES256、EdDSA、RS256 のどれでもありません）")?;
    let key = from_key.get(..from_key.len() - rest.len()).ok_or(FORM)?.to_vec();
    Ok(Created { id: URL_SAFE_NO_PAD.encode(id), key, counter: d.counter })
}

/// An assertion taken apart, of which nothing is believed yet.
pub(crate) struct Asserted {
    /// Id of the credential, base64url.
    pub(crate) id: String,
    /// For whom it was made, base64url; empty where the authenticator does not say.
    pub(crate) user: String,
    answer: Value,
}

impl Asserted {
    /// Takes an assertion apart.
    ///
    /// # Errors
    /// It is too large or not in form.
    pub(crate) fn parse(answer: &str) -> Result<Self, Fault> {
        let answer = parse(answer)?;
        // Decoded and written again: an id has one spelling.
        let id = URL_SAFE_NO_PAD.encode(bytes(&answer, "id")?);
        let user = answer.get("userHandle").and_then(Value::as_str).unwrap_or_default().to_owned();
        if id.is_empty() { Err(FORM) } else { Ok(Self { id, user, answer }) }
    }

    /// Its counter, once it is right (section 7.2) under the key that was kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn counter(&self, key: &[u8], e: &Expected<'_>) -> Result<i64, Fault> {
        let client = client(&self.answer, "webauthn.get", e)?;
        let raw = bytes(&self.answer, "authenticatorData")?;
        let d = data(&raw, e)?;
        if d.flags & ATTESTED != 0 {
            return Err(FORM);
        }
        ends(d.flags, d.rest)?;
        let signature = bytes(&self.answer, "signature")?;
        let key = cbor::read(key).and_then(|(item, _)| Key::of(&item)).ok_or("登録された鍵を読めません")?;
        if !key.verifies(&[&raw[..], &client].concat(), &signature) {
            return Err("署名が正しくありません");
        }
        Ok(d.counter)
    }
}

/// A public key (COSE_Key of RFC 9052 with the parameters of RFC 9053 and RFC 8230).
enum Key<'k> {
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
    Ed25519(&'k [u8]),
    Rsa {
        n: &'k [u8],
        e: &'k [u8],
    },
}

impl<'k> Key<'k> {
    /// Reads a key; none where kind, algorithm and curve are not one of the three that were asked for.
    fn of(item: &Item<'k>) -> Option<Self> {
        let int = |key| item.at(key).and_then(Item::int);
        let sized = |key, size: usize| item.at(key).and_then(Item::bytes).filter(|b| b.len() == size);
        match (int(1)?, int(3)?) {
            (2, -7) if int(-1) == Some(1) => {
                Some(Self::P256([&[4], sized(-2, 32)?, sized(-3, 32)?].concat()))
            }
            (1, -8) if int(-1) == Some(6) => Some(Self::Ed25519(sized(-2, 32)?)),
            (3, -257) => {
                let (n, e) = (item.at(-1)?.bytes()?, item.at(-2)?.bytes()?);
                ((256..=512).contains(&n.len()) && (1..=4).contains(&e.len())).then_some(Self::Rsa { n, e })
            }
            _ => None,
        }
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(signed, signature).is_ok()
            }
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok(),
            Self::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
