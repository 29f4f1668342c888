//! Signed tokens of an identity provider: JSON Web Token (RFC 7519) as JSON Web Signature in compact form (RFC 7515), keys as JSON Web Key
//! Set (RFC 7517), the checks of an ID token of OpenID Connect Core 1.0, section 3.1.3.7. Pure: no clock, no network.
//!
//! Own code over `ring`: the crates that do this bring RSA in pure Rust with an open advisory, a clock of their own, or algorithms that an
//! attacker may choose. Here the algorithm must be on a list of three, and must be the one of the key's kind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde_json::Value;

/// Bytes of a token at most.
const TOKEN_BYTES: usize = 32 * 1024;
/// Keys of a set that are looked at.
const KEYS: usize = 64;
/// Bytes of a text claim that is used: `sub` has 255 at most (OpenID Connect Core, section 2).
const CLAIM_BYTES: usize = 255;
/// How far the clocks of the provider and of this host may differ, in seconds.
pub(crate) const DRIFT: i64 = 60;
/// How old an ID token may be that was just asked for, in seconds.
const AGE: i64 = 600;

/// What is wrong with a token, in words that follow 「確かめられませんでした」.
pub(crate) type Fault = &'static str;

/// Signature algorithms that are taken (RFC 7518, section 3.1). Never `none`, never one with a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
}

impl Algorithm {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Rs256, "RS256"), (Self::Ps256, "PS256"), (Self::Es256, "ES256")];

    /// By its name in a header or a document.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(a, _)| *a)
    }
}

/// A public key of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    id: Option<String>,
    /// The only algorithm it is for, where it says so.
    only: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
}

fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name)?.as_str()
}

fn bytes(of: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(of, name)?).ok()
}

impl Key {
    /// Reads a key; none for kinds that are not used here.
    fn read(v: &Value) -> Option<Self> {
        if text(v, "use").is_some_and(|u| u != "sig") {
            return None;
        }
        let kind = match text(v, "kty")? {
            "RSA" => Kind::Rsa { n: bytes(v, "n")?, e: bytes(v, "e")? },
            "EC" if text(v, "crv") == Some("P-256") => {
                let (x, y) = (bytes(v, "x")?, bytes(v, "y")?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Kind::P256([&[4], &x[..], &y[..]].concat())
            }
            _ => return None,
        };
        Some(Self { id: text(v, "kid").map(str::to_owned), only: text(v, "alg").map(str::to_owned), kind })
    }

    fn is_for(&self, algorithm: Algorithm, name: &str) -> bool {
        let kind = matches!(
            (&self.kind, algorithm),
            (Kind::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256) | (Kind::P256(_), Algorithm::Es256)
        );
        kind && self.only.as_deref().is_none_or(|only| only == name)
    }

    fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Rsa { n, e } => {
                let how = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(how, signed, signature).is_ok()
            }
            Kind::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
        }
    }
}

/// Reads a key set. Keys of kinds that are not used here are passed over.
pub(crate) fn keys(json: &[u8]) -> Option<Vec<Key>> {
    let set: Value = serde_json::from_slice(json).ok()?;
    Some(set.get("keys")?.as_array()?.iter().take(KEYS).filter_map(Key::read).collect())
}

/// A token taken apart, of which nothing is believed yet.
pub(crate) struct Token<'t> {
    algorithm: Algorithm,
    name: String,
    key: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Value,
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// It is too large, not in compact form, or names an algorithm that is not taken.
    pub(crate) fn parse(token: &'t str) -> Result<Self, Fault> {
        const FORM: Fault = "トークンの形が正しくありません";
        if token.len() > TOKEN_BYTES {
            return Err("トークンが大きすぎます");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (header, payload) = signed.split_once('.').ok_or(FORM)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| FORM);
        let json = |part: &str| {
            let value: Value = serde_json::from_slice(&decode(part)?).map_err(|_| FORM)?;
            if value.is_object() { Ok(value) } else { Err(FORM) }
        };
        let header = json(header)?;
        // Extensions that must be understood (RFC 7515, section 4.1.11): none is.
        if header.get("crit").is_some() {
            return Err("トークンが知らない拡張を求めています");
        }
        let name = text(&header, "alg").ok_or(FORM)?.to_owned();
        let algorithm =
            Algorithm::named(&name).ok_or("署名の方式が RS256、PS256、ES256 のどれでもありません")?;
        Ok(Self {
            algorithm,
            name,
            key: text(&header, "kid").map(str::to_owned),
            signed,
            signature: decode(signature)?,
            claims: json(payload)?,
        })
    }

    /// Whether a set has a key that this token may have been signed with: by its id, or the only one of its kind.
    pub(crate) fn key<'k>(&self, keys: &'k [Key]) -> Option<&'k Key> {
        let mut fit = keys.iter().filter(|k| {
            k.is_for(self.algorithm, &self.name)
                && self.key.as_ref().is_none_or(|id| k.id.as_ref().is_some_and(|other| other == id))
        });
        let first = fit.next()?;
        fit.next().is_none().then_some(first)
    }

    /// The claims, once the signature is right.
    pub(crate) fn claims(self, key: &Key) -> Result<Value, Fault> {
        if key.is_for(self.algorithm, &self.name)
            && key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature)
        {
            Ok(self.claims)
        } else {
            Err("署名が正しくありません")
        }
    }
}

/// What an ID token must say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'e> {
    /// Address of the provider, exactly.
    pub(crate) issuer: &'e str,
    /// Our name there.
    pub(crate) client: &'e str,
    /// What was sent along.
    pub(crate) nonce: &'e str,
    /// Now, in seconds since 1970.
    pub(crate) now: i64,
    /// The person must have proved there who they are since this moment, in seconds since 1970.
    pub(crate) since: Option<i64>,
    /// The claim that names the login.
    pub(crate) claim: &'e str,
}

/// What an ID token said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The provider's name for the person.
    pub(crate) subject: String,
    /// The claim that names the login; empty when it is missing.
    pub(crate) login: String,
    /// How the person proved who they are: `amr` and `acr`.
    pub(crate) how: Vec<String>,
    /// When the person proved it there, in seconds since 1970.
    pub(crate) proved: Option<i64>,
}

/// A moment of a token: seconds since 1970, perhaps with a fraction.
fn moment(claims: &Value, name: &str) -> Result<Option<i64>, Fault> {
    let Some(v) = claims.get(name) else { return Ok(None) };
    let seconds = v.as_i64().or_else(|| v.as_f64().map(|f| f as i64));
    // A text where a number must stand would pass for "no limit".
    seconds.map(Some).ok_or("トークンの時刻が数ではありません")
}

/// Checks the claims of an ID token (OpenID Connect Core, section 3.1.3.7).
///
/// # Errors
/// The first that is not right.
pub(crate) fn check(claims: &Value, e: &Expected<'_>) -> Result<Said, Fault> {
    if text(claims, "iss") != Some(e.issuer) {
        return Err("発行元が違います");
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if !audience.contains(&e.client) {
        return Err("宛先が関所ではありません");
    }
    match claims.get("azp").map(|v| v.as_str() == Some(e.client)) {
        Some(true) => {}
        None if audience.len() == 1 => {}
        _ => return Err("宛先が関所だけではありません"),
    }
    if moment(claims, "exp")?.is_none_or(|at| at.saturating_add(DRIFT) <= e.now) {
        return Err("期限が切れています。機械の時計が合っているかも確かめてください");
    }
    let issued = moment(claims, "iat")?;
    let fresh = |at: i64| at <= e.now.saturating_add(DRIFT) && at.saturating_add(AGE + DRIFT) > e.now;
    if !issued.is_some_and(fresh) || moment(claims, "nbf")?.is_some_and(|at| at > e.now.saturating_add(DRIFT))
    {
        return Err("発行の時刻が今と合いません。機械の時計が合っているかも確かめてください");
    }
    if e.nonce.is_empty() || text(claims, "nonce") != Some(e.nonce) {
        return Err("この画面から始めたログインへの返事ではありません");
    }
    let proved = moment(claims, "auth_time")?;
    if e.since.is_some_and(|since| proved.is_none_or(|at| at.saturating_add(DRIFT) < since)) {
        return Err("ログインし直したことが返事に書かれていません");
    }
    let subject = used(claims, "sub").to_owned();
    if subject.is_empty() {
        return Err("だれのことかが書かれていません");
    }
    let login = named(claims, e.claim)?;
    let methods = claims.get("amr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let how =
        methods.iter().filter_map(Value::as_str).chain(text(claims, "acr")).map(str::to_owned).collect();
    Ok(Said { subject, login, how, proved })
}

/// A text claim that may be used: not too long, without control characters; empty when it is missing or not so.
fn used<'v>(claims: &'v Value, name: &str) -> &'v str {
    let found = text(claims, name).unwrap_or_default();
    if found.len() <= CLAIM_BYTES && !found.chars().any(char::is_control) { found } else { "" }
}

/// The claim that names the login; empty when it is missing.
fn named(claims: &Value, claim: &str) -> Result<String, Fault> {
    // An address that somebody wrote in without anybody looking is no name.
    let looked_at = claim != "email" || claims.get("email_verified") == Some(&Value::Bool(true));
    if claims.get(claim).is_some() && !looked_at {
        return Err("メールアドレスを相手が確かめていません（email_verified）");
    }
    Ok(used(claims, claim).to_owned())
}

/// The claim that names the login from what the provider tells about a person (OpenID Connect Core, section 5.3.2); empty when it is missing. The
/// ID token says who it must be: an answer about somebody else names nobody.
///
/// # Errors
/// It is no answer, or about somebody else.
pub(crate) fn told(json: &[u8], subject: &str, claim: &str) -> Result<String, Fault> {
    let claims: Value =
        serde_json::from_slice(json).map_err(|_| "利用者の情報（userinfo）をJSONとして読めません")?;
    if subject.is_empty() || text(&claims, "sub") != Some(subject) {
        return Err("利用者の情報（userinfo）が、IDトークンとは別の人のものです");
    }
    named(&claims, claim)
}

#[cfg(test)]
mod tests;
