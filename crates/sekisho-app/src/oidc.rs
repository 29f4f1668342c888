//! Sign-in by an identity provider (シングルサインオン): OpenID Connect Core 1.0, authorization code (RFC 6749, section 4.1) with PKCE (RFC
//! 7636). The provider says who somebody is, never what they may do; accounts are never made by it (`docs/decisions/0029-sign-in-by-others.md`).
//!
//! | module | what it is |
//! |---|---|
//! | [`jwt`] | tokens, keys and what an ID token must say; pure |
//! | [`provider`] | the provider's own description and its keys, fetched and kept for a while |
//! | [`sign_in`] | leaving for the provider and coming back |

pub(crate) mod jwt;
pub(crate) mod provider;
mod sign_in;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::AppError;
use crate::office::Office;

pub use provider::protected as is_protected;
pub use sign_in::{Answer, Back, Started};

/// Path below the site to which the provider sends people back.
pub const BACK: &str = "/login/oidc/callback";

/// A provider as configured.
#[derive(Clone)]
pub struct OidcConfig {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// Our name there.
    pub client: String,
    /// Our secret there; none: PKCE alone.
    pub secret: Option<String>,
    /// What people call it, for the button.
    pub title: String,
    /// The claim of the ID token that is a login name here.
    pub claim: String,
    /// Values of `amr` or `acr` that stand for a second factor; none: it is asked for here.
    pub second_factor: Vec<String>,
    /// Address of this site as browsers see it.
    pub site: String,
}

/// Something to fetch. No redirection is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Address.
    pub url: String,
    /// A form to post; none: GET.
    pub form: Option<String>,
    /// Value of the header `Authorization`.
    pub authorization: Option<String>,
}

/// Status and body of an answer.
pub type Fetched = Result<(u16, Vec<u8>), String>;

/// What talks HTTP with a provider, within seconds and a limit of bytes. Nobody here does.
pub trait Fetcher: Send + Sync {
    /// Fetches something.
    fn fetch(&self, wanted: Wanted) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>>;
}

/// A provider at work.
pub struct Oidc {
    pub(crate) config: OidcConfig,
    fetcher: Arc<dyn Fetcher>,
    known: tokio::sync::Mutex<provider::Known>,
}

impl Oidc {
    /// Checks a configuration. Nothing is fetched.
    ///
    /// # Errors
    /// An address that is not protected, or a name that is missing, in Japanese.
    pub fn new(mut config: OidcConfig, fetcher: Arc<dyn Fetcher>) -> Result<Self, AppError> {
        let wrong = |what: &str| AppError::refused("Q001", format!("oidc の設定: {what}"));
        if !provider::protected(&config.issuer) || config.issuer.contains(['?', '#']) {
            return Err(wrong(
                "issuer は https:// で始めてください（この機械の中だけ http:// も使えます）。",
            ));
        }
        if config.secret.as_ref().is_some_and(String::is_empty) {
            return Err(wrong("client_secret_file のファイルが空です。"));
        }
        if config.client.is_empty() || config.title.is_empty() || config.claim.is_empty() {
            return Err(wrong("client_id、title、claim を書いてください。"));
        }
        config.site = config.site.trim_end_matches('/').to_owned();
        Ok(Self { config, fetcher, known: tokio::sync::Mutex::default() })
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.config.title
    }

    /// Where it sends people back to: what must be registered there.
    #[must_use]
    pub fn redirect(&self) -> String {
        format!("{}{BACK}", self.config.site)
    }
}

impl Office {
    /// Lets people sign in by a provider from now on; the first call counts.
    pub fn use_oidc(&self, oidc: Arc<Oidc>) {
        let _ = self.oidc.set(oidc);
    }

    /// The provider by which people may sign in.
    #[must_use]
    pub fn oidc(&self) -> Option<&Arc<Oidc>> {
        self.oidc.get()
    }
}

/// A value in a query or form: what is not unreserved (RFC 3986, section 2.3) as bytes in hexadecimal.
pub(crate) fn escape(value: &str) -> String {
    value.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

/// Pairs as a query or form.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", escape(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
