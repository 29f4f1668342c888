//! Leaving for the provider and coming back. What must be remembered meanwhile goes along in a cookie, sealed, so that any node can take the
//! answer and nothing waits on the server; only an answer that was taken is kept, so that it is taken once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_boxed::boxed;
use serde_json::Value;

use super::jwt::{self, Expected, Token};
use super::{Oidc, Wanted, escape, query};
use crate::error::AppError;
use crate::login::{Identity, NewSession, Place, Via};
use crate::office::Office;
use crate::outside::{self, Vouched};
use crate::sealed::{open_secret, seal_secret};

/// How long a sign-in may take, in milliseconds.
const PATIENCE_MS: i64 = 10 * 60_000;
/// Bytes of what comes back in an address, at most.
const BACK_BYTES: usize = 4096;
/// Bytes of an access token, at most.
const TOKEN_BYTES: usize = 8 * 1024;
/// What the cookie is sealed for.
const SEALED_FOR: &str = "oidc sign-in";

/// A sign-in that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Where the browser goes.
    pub url: String,
    /// What it brings back in a cookie.
    pub cookie: String,
}

/// What is remembered while somebody is at the provider.
#[derive(serde::Serialize, serde::Deserialize)]
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    /// Hash of the session that wants a proof; empty: a new session.
    session: String,
    at: i64,
}

/// What the browser brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Back {
    /// The cookie.
    pub cookie: String,
    /// Parameter `code`.
    pub code: String,
    /// Parameter `state`.
    pub state: String,
    /// Parameter `iss` (RFC 9207).
    pub issuer: String,
    /// Parameter `error`.
    pub error: String,
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// A session has begun, and goes to this page.
    Session(NewSession, String),
    /// The session that asked is proved again.
    Proved,
}

/// Tokens of the provider.
struct Given {
    /// The ID token.
    id: String,
    /// What opens its address about the person.
    access: Option<String>,
}

/// Whether a token can stand in the header that carries it (RFC 6750, section 2.1).
fn may_bear(token: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    (1..=TOKEN_BYTES).contains(&token.len()) && token.bytes().all(letter)
}

/// The login name where the ID token does not hold it, but the provider tells it about the person (OpenID Connect Core, section 5.3).
async fn ask_about(oidc: &Oidc, given: &Given, subject: &str, now: Instant) -> Result<String, AppError> {
    let claim = oidc.config.claim.as_str();
    let about = oidc.about(now).await.map_err(|e| unreachable(oidc, &e))?;
    let (Some(url), Some(access)) = (&about.person, &given.access) else {
        return Err(refused(oidc, &format!("IDトークンに {claim} がありません")));
    };
    let wanted = Wanted { url: url.clone(), form: None, authorization: Some(format!("Bearer {access}")) };
    let (status, body) = oidc.fetch(wanted).await.map_err(|e| unreachable(oidc, &e))?;
    if status != 200 {
        return Err(unreachable(oidc, &format!("the userinfo endpoint answers {status}")));
    }
    let login = jwt::told(&body, subject, claim).map_err(|e| refused(oidc, e))?;
    if login.is_empty() {
        let lacks = format!("IDトークンにも利用者の情報（userinfo）にも {claim} がありません");
        return Err(refused(oidc, &lacks));
    }
    Ok(login)
}

fn refused(oidc: &Oidc, why: &str) -> AppError {
    let title = oidc.title();
    tracing::warn!(why, "an answer of the identity provider was refused");
    AppError::refused(
        "Q007",
        format!(
            "{title}からの返事を確かめられませんでした（{why}）。ログインの画面からもう一度始め、続くときは情報政策担当課へ連絡してください。"
        ),
    )
}

fn unreachable(oidc: &Oidc, e: &str) -> AppError {
    let title = oidc.title();
    tracing::error!(error = e, "the identity provider does not answer as it should");
    AppError::refused(
        "Q008",
        format!(
            "{title}につながらないか、返事が正しくないため、今は{title}でログインできません。少し待ってからもう一度試すか、関所のログイン名とパスワードでログインしてください。"
        ),
    )
}

#[boxed]
impl Office {
    fn random(&self) -> Result<String, AppError> {
        let mut bytes = [0u8; 32];
        self.entropy.fill(&mut bytes).map_err(AppError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Begins a sign-in that ends at the page `next`, or with `again` one by which that session proves again who its person is.
    ///
    /// # Errors
    /// There is no provider, or it does not answer.
    pub async fn begin_sign_in(&self, next: &str, again: Option<&Identity>) -> Result<Started, AppError> {
        let oidc = self.oidc().ok_or(AppError::NotFound)?;
        let now = self.clock.now();
        let about = oidc.about(now).await.map_err(|e| unreachable(oidc, &e))?;
        let pending = Pending {
            state: self.random()?,
            nonce: self.random()?,
            verifier: self.random()?,
            next: next.to_owned(),
            session: again.map(|who| who.token_hash.clone()).unwrap_or_default(),
            at: now.millis(),
        };
        let challenge = URL_SAFE_NO_PAD.encode(sha256(pending.verifier.as_bytes()));
        let redirect = oidc.redirect();
        // `profile` brings `preferred_username`, `email` the address.
        let mut asked = vec![
            ("response_type", "code"),
            ("client_id", oidc.config.client.as_str()),
            ("redirect_uri", redirect.as_str()),
            ("scope", "openid profile email"),
            ("state", pending.state.as_str()),
            ("nonce", pending.nonce.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        if again.is_some() {
            asked.extend([("prompt", "login"), ("max_age", "0")]);
        }
        let joint = if about.authorize.contains('?') { '&' } else { '?' };
        let url = format!("{}{joint}{}", about.authorize, query(&asked));
        let kept = serde_json::to_vec(&pending).map_err(AppError::internal)?;
        Ok(Started { url, cookie: seal_secret(self, SEALED_FOR, &kept)? })
    }

    /// Takes what the browser brought back. `who`: whose session it has, if any.
    ///
    /// # Errors
    /// The answer is not one to what this browser began, is not right, or its person may not come in.
    pub async fn end_sign_in(
        self: &Arc<Self>,
        back: &Back,
        who: Option<&Identity>,
        place: &Place,
    ) -> Result<Answer, AppError> {
        let oidc = self.oidc().ok_or(AppError::NotFound)?;
        let now = self.clock.now();
        let pending = self.pending(back, now).ok_or_else(|| {
            AppError::refused(
                "Q009",
                "このログインは、この画面から始めたものではないか、始めてから10分たっています。ログインの画面からもう一度始めてください。",
            )
        })?;
        if !back.issuer.is_empty() && back.issuer != oidc.config.issuer {
            return Err(refused(oidc, "発行元が違います"));
        }
        if !back.error.is_empty() {
            return Err(refused(
                oidc,
                match back.error.as_str() {
                    "access_denied" => "取りやめたか、使うことが許されていません",
                    "temporarily_unavailable" | "server_error" => "相手が今は処理できません",
                    _ => "相手が受け付けませんでした",
                },
            ));
        }
        let given = self.exchange(oidc, back, &pending, now).await?;
        let parsed = Token::parse(&given.id).map_err(|e| refused(oidc, e))?;
        let key = oidc.key_of(&parsed, now).await.map_err(|e| unreachable(oidc, &e))?;
        let key = key.ok_or_else(|| refused(oidc, "署名した鍵が相手の鍵の一覧にありません"))?;
        let again = !pending.session.is_empty();
        let seconds = |ms: i64| ms.div_euclid(1000);
        let expected = Expected {
            issuer: &oidc.config.issuer,
            client: &oidc.config.client,
            nonce: &pending.nonce,
            now: seconds(now.millis()),
            since: again.then(|| seconds(pending.at)),
            claim: &oidc.config.claim,
        };
        let said = parsed.claims(&key).and_then(|claims| jwt::check(&claims, &expected));
        let mut said = said.map_err(|e| refused(oidc, e))?;
        if said.login.is_empty() {
            said.login = ask_about(oidc, &given, &said.subject, now).await?;
        }
        let strong = said.how.iter().any(|how| oidc.config.second_factor.contains(how));
        let vouched = Vouched {
            login: said.login,
            subject: Some((oidc.config.issuer.clone(), said.subject)),
            strong,
            proved: said.proved.map(|at| Instant::from_millis(at.saturating_mul(1000))),
            answer: Some((
                hex(&sha256(pending.state.as_bytes())),
                Instant::from_millis(pending.at).plus_millis(PATIENCE_MS),
            )),
            via: Via::Provider,
            card: None,
        };
        if !again {
            let session = outside::enter(self, vouched, place).await?;
            return Ok(Answer::Session(session, pending.next));
        }
        let who = who.filter(|who| who.token_hash == pending.session).ok_or(AppError::NoSession)?;
        outside::prove(self, who, vouched).await?;
        Ok(Answer::Proved)
    }

    /// What this browser began and the answer belongs to.
    fn pending(&self, back: &Back, now: Instant) -> Option<Pending> {
        if back.cookie.is_empty()
            || [&back.cookie, &back.code, &back.state].iter().any(|t| t.len() > BACK_BYTES)
        {
            return None;
        }
        let pending: Pending =
            serde_json::from_slice(&open_secret(self, SEALED_FOR, &back.cookie).ok()?).ok()?;
        let begun = Instant::from_millis(pending.at);
        let open = begun <= now && begun.plus_millis(PATIENCE_MS) > now;
        (open && pending.state == back.state).then_some(pending)
    }

    /// Gives the code for tokens (RFC 6749, section 4.1.3).
    async fn exchange(
        &self,
        oidc: &Oidc,
        back: &Back,
        pending: &Pending,
        now: Instant,
    ) -> Result<Given, AppError> {
        let about = oidc.about(now).await.map_err(|e| unreachable(oidc, &e))?;
        let (config, redirect) = (&oidc.config, oidc.redirect());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", back.code.as_str()),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", pending.verifier.as_str()),
        ];
        // Section 2.3.1: both are escaped as a form before they are joined.
        let authorization = config.secret.as_ref().map(|secret| {
            let pair = format!("{}:{}", escape(&config.client), escape(secret));
            format!("Basic {}", STANDARD.encode(pair))
        });
        if authorization.is_none() {
            form.push(("client_id", config.client.as_str()));
        }
        let wanted = Wanted { url: about.token.clone(), form: Some(query(&form)), authorization };
        let (status, body) = oidc.fetch(wanted).await.map_err(|e| unreachable(oidc, &e))?;
        match status {
            200 => {
                let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
                let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
                let id = text("id_token").ok_or_else(|| refused(oidc, "IDトークンがありません"))?;
                Ok(Given { id, access: text("access_token").filter(|t| may_bear(t)) })
            }
            // `invalid_grant`: the code was used, is too old, or is somebody else's.
            400 => Err(refused(oidc, "相手がこの返事をもう受け付けません")),
            401 => Err(unreachable(
                oidc,
                "the client is not accepted: see oidc.client_id and oidc.client_secret_file",
            )),
            status => Err(unreachable(oidc, &format!("the token endpoint answers {status}"))),
        }
    }
}
