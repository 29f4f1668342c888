//! What a provider says of itself (OpenID Connect Discovery 1.0) and its keys (RFC 7517): fetched when somebody needs them, kept for an hour.

use std::sync::Arc;

use sekisho_base::Instant;
use serde_json::Value;

use super::jwt::{self, Algorithm, Key, Token};
use super::{Oidc, Wanted};

/// How long description and keys are kept, in milliseconds.
const KEPT_MS: i64 = 3_600_000;
/// How often keys are fetched again because of a key that is not known, in milliseconds.
const AGAIN_MS: i64 = 60_000;
/// How long nobody asks again after a failure, in milliseconds: those who waited meanwhile are told at once.
const PAUSE_MS: i64 = 5_000;

/// What is known of a provider.
#[derive(Default)]
pub(crate) struct Known {
    about: Option<(Arc<About>, Instant)>,
    keys: Option<(Arc<Vec<Key>>, Instant)>,
    failed: Option<(String, Instant)>,
}

impl Known {
    /// What failed a moment ago is not asked for again yet.
    fn pausing(&self, now: Instant) -> Result<(), String> {
        match &self.failed {
            Some((says, at)) if at.plus_millis(PAUSE_MS) > now => Err(says.clone()),
            _ => Ok(()),
        }
    }

    fn noting<T>(&mut self, fetched: Result<T, String>, now: Instant) -> Result<T, String> {
        self.failed = fetched.as_ref().err().map(|e| (e.clone(), now));
        fetched
    }
}

/// A provider's description of itself, as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) authorize: String,
    pub(crate) token: String,
    /// Where it tells about a person, if it does.
    pub(crate) person: Option<String>,
    keys: String,
}

/// Whether an address is protected: TLS, or not leaving this host. No user, no spaces.
#[must_use]
pub fn protected(url: &str) -> bool {
    let clean = !url.contains(|c: char| c.is_control() || c.is_whitespace() || "\\\"<>@".contains(c));
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let own = ["127.0.0.1", "localhost", "[::1]"];
    let here =
        own.iter().any(|h| host.strip_prefix(h).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    clean && !host.is_empty() && (scheme == "https" || (scheme == "http" && here))
}

/// Reads a description.
fn read(issuer: &str, secret: bool, json: &[u8]) -> Result<About, String> {
    let about: Value = serde_json::from_slice(json).map_err(|_| "説明（JSON）を読めません".to_owned())?;
    let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default();
    let called = text("issuer");
    // Section 4.3: exactly, or another provider may speak for this one.
    if called != issuer {
        let called: String = called.chars().take(200).collect();
        return Err(format!("発行元の名前が「{called}」で、設定の oidc.issuer と同じではありません"));
    }
    let address = |name: &str| {
        let url = text(name);
        if protected(url) {
            Ok(url.to_owned())
        } else {
            Err(format!("{name} が https:// の住所ではありません"))
        }
    };
    let has = |name: &str, wanted: &dyn Fn(&str) -> bool| {
        let list = about.get(name).and_then(Value::as_array);
        list.is_none_or(|all| all.iter().filter_map(Value::as_str).any(wanted))
    };
    if !has("response_types_supported", &|t| t == "code") {
        return Err("認可コード（response_type=code）に対応していません".to_owned());
    }
    if !has("code_challenge_methods_supported", &|m| m == "S256") {
        return Err("PKCE（S256）に対応していません".to_owned());
    }
    if !has("id_token_signing_alg_values_supported", &|a| Algorithm::named(a).is_some()) {
        return Err("IDトークンの署名が RS256、PS256、ES256 のどれにも対応していません".to_owned());
    }
    if secret && !has("token_endpoint_auth_methods_supported", &|m| m == "client_secret_basic") {
        return Err("client_secret_basic に対応していません".to_owned());
    }
    Ok(About {
        authorize: address("authorization_endpoint")?,
        token: address("token_endpoint")?,
        person: about.get("userinfo_endpoint").map(|_| address("userinfo_endpoint")).transpose()?,
        keys: address("jwks_uri")?,
    })
}

impl Oidc {
    /// Fetches something, with what went wrong in words.
    pub(crate) async fn fetch(&self, wanted: Wanted) -> super::Fetched {
        let url = wanted.url.clone();
        self.fetcher.fetch(wanted).await.map_err(|e| format!("{url}: {e}"))
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        match self.fetch(Wanted { url: url.to_owned(), form: None, authorization: None }).await? {
            (200, body) => Ok(body),
            (status, _) => Err(format!("{url}: 状態 {status} が返りました")),
        }
    }

    async fn fetch_about(&self) -> Result<About, String> {
        let issuer = self.config.issuer.as_str();
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        read(issuer, self.config.secret.is_some(), &self.get(&url).await?).map_err(|e| format!("{url}: {e}"))
    }

    async fn fetch_keys(&self, about: &About) -> Result<Vec<Key>, String> {
        let keys = jwt::keys(&self.get(&about.keys).await?);
        let keys = keys.ok_or_else(|| format!("{}: 鍵の一覧（JSON）を読めません", about.keys))?;
        if keys.is_empty() {
            return Err(format!("{}: 使える鍵（RSA、またはP-256）がありません", about.keys));
        }
        Ok(keys)
    }

    /// The provider's description of itself.
    pub(crate) async fn about(&self, now: Instant) -> Result<Arc<About>, String> {
        // One asks, the others wait for what it learns.
        let mut known = self.known.lock().await;
        if let Some((about, at)) = &known.about
            && at.plus_millis(KEPT_MS) > now
        {
            return Ok(Arc::clone(about));
        }
        known.pausing(now)?;
        let fetched = self.fetch_about().await;
        let about = Arc::new(known.noting(fetched, now)?);
        known.about = Some((Arc::clone(&about), now));
        Ok(about)
    }

    /// The key that a token may have been signed with; none when the provider has no such key. A key that is not known lets the set be
    /// fetched again, at most once a minute.
    pub(crate) async fn key_of(&self, token: &Token<'_>, now: Instant) -> Result<Option<Key>, String> {
        let about = self.about(now).await?;
        let mut known = self.known.lock().await;
        if let Some((keys, at)) = &known.keys {
            let key = token.key(keys).cloned();
            let pause = if key.is_some() { KEPT_MS } else { AGAIN_MS };
            if at.plus_millis(pause) > now {
                return Ok(key);
            }
        }
        known.pausing(now)?;
        let fetched = self.fetch_keys(&about).await;
        let keys = Arc::new(known.noting(fetched, now)?);
        known.keys = Some((Arc::clone(&keys), now));
        Ok(token.key(&keys).cloned())
    }

    /// What is wrong with the provider as seen from here; nothing when people can sign in.
    pub(crate) async fn fault(&self) -> Option<String> {
        let about = match self.fetch_about().await {
            Ok(about) => about,
            Err(e) => return Some(e),
        };
        self.fetch_keys(&about).await.err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_protected_or_stay_on_this_host() {
        for good in [
            "https://id.example",
            "https://id.example:8443/x",
            "http://127.0.0.1:9",
            "http://localhost/x",
            "http://[::1]:1/",
        ] {
            assert!(protected(good), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://127.0.0.1.id.example/",
            "http://localhost@id.example/",
            "https://",
            "https:///x",
            "ftp://127.0.0.1",
            "id.example",
            "https://id.example/ x",
            "https://id.example\r\nX: y",
            "javascript://127.0.0.1/",
        ] {
            assert!(!protected(bad), "{bad}");
        }
    }

    #[test]
    fn a_description_must_be_of_this_issuer_and_able() {
        let doc = |change: &dyn Fn(&mut Value)| {
            let mut doc = serde_json::json!({
                "issuer": "https://id.example", "authorization_endpoint": "https://id.example/a",
                "token_endpoint": "https://id.example/t", "jwks_uri": "https://id.example/k",
            });
            change(&mut doc);
            read("https://id.example", true, doc.to_string().as_bytes())
        };
        let plain = doc(&|_| {}).unwrap();
        assert_eq!((plain.token.as_str(), plain.person), ("https://id.example/t", None));
        let more = doc(&|d| d["userinfo_endpoint"] = "https://id.example/u".into()).unwrap();
        assert_eq!(more.person.as_deref(), Some("https://id.example/u"));
        for (name, value, says) in [
            ("issuer", "https://id.example/", "oidc.issuer"),
            ("issuer", "https://other.example", "oidc.issuer"),
            ("token_endpoint", "http://id.example/t", "token_endpoint"),
            ("authorization_endpoint", "javascript:alert(1)", "authorization_endpoint"),
            ("jwks_uri", "", "jwks_uri"),
            ("userinfo_endpoint", "http://id.example/u", "userinfo_endpoint"),
        ] {
            let e = doc(&|d| d[name] = value.into()).unwrap_err();
            assert!(e.contains(says), "{name}: {e}");
        }
        for (name, says) in [
            ("code_challenge_methods_supported", "PKCE"),
            ("response_types_supported", "response_type"),
            ("id_token_signing_alg_values_supported", "RS256"),
            ("token_endpoint_auth_methods_supported", "client_secret_basic"),
        ] {
            let e = doc(&|d| d[name] = serde_json::json!(["none", "plain", "HS256"])).unwrap_err();
            assert!(e.contains(says), "{name}: {e}");
        }
        assert!(read("x", true, b"<html>").is_err());
    }
}
