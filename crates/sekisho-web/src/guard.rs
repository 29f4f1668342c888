//! What stands before every page: headers, the session, and that a form comes from our own page.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use sekisho_app::login::{self, Identity, Place, Stage};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::Web;
use crate::error::WebError;

/// Name of the session's cookie.
pub(crate) const COOKIE: &str = "sekisho_session";

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Adds the security headers; pages are never kept by a cache.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    with_headers(next.run(request).await)
}

/// The same for an answer that no page gave.
pub(crate) fn with_headers(mut response: Response) -> Response {
    let h = response.headers_mut();
    h.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    h.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    h.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    h.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    h.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    h.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The session's token from the cookies.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// How far somebody has come on the way to the pages. Each step asks for those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The password was right.
    Session,
    /// So was the code of the second factor, where there is one.
    Known,
    /// The password is their own.
    OwnPassword,
    /// There is a second factor, where a role asks for one.
    Page,
}

/// Who a request comes from, if they have come this far; otherwise where they must go first.
pub(crate) async fn identity(parts: &Parts, web: &Web, level: Level) -> Result<Identity, WebError> {
    let here = || parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let token = token(&parts.headers).ok_or_else(|| WebError::Login { next: here() })?;
    let who = match login::identify(&web.office, token).await {
        Ok(who) => who,
        Err(sekisho_app::AppError::NoSession) => return Err(WebError::Login { next: here() }),
        Err(e) => return Err(e.into()),
    };
    if level != Level::Session && who.stage == Stage::Code {
        return Err(WebError::NeedsCode { next: here() });
    }
    // Wherever the session began: whoever has the cookie may be elsewhere by now.
    if level != Level::Session && !who.strong && web.doors.is_strict(client(parts, web)) {
        return Err(WebError::WeakHere { csrf: who.csrf });
    }
    if matches!(level, Level::OwnPassword | Level::Page) && who.must_change {
        return Err(WebError::MustChangePassword);
    }
    if level == Level::Page && who.stage == Stage::Enrol {
        return Err(WebError::MustEnrol);
    }
    Ok(who)
}

macro_rules! who {
    ($(#[$doc:meta] $name:ident $level:ident)*) => {$(
        #[$doc]
        pub(crate) struct $name(pub Identity);

        impl FromRequestParts<Web> for $name {
            type Rejection = WebError;

            async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
                identity(parts, web, Level::$level).await.map(Self)
            }
        }
    )*};
}

who! {
    /// Somebody who has come to the pages. Asking for it on a page is what makes the page need a login.
    Who Page
    /// Also somebody with a temporary password: for the page that changes it.
    AnyWho Known
    /// Also somebody who must still enrol a second factor: for the page that does it.
    EnrolWho OwnPassword
    /// Also somebody whose code is missing: for the page that takes it.
    CodeWho Session
}

/// The certificates that a client showed on its connection, of which nothing is believed yet.
#[derive(Clone)]
pub(crate) struct Shown {
    /// The person's, and those between it and its authority.
    pub chain: Arc<Vec<CertificateDer<'static>>>,
    /// The host, in lower case, that the client named when it was asked for them: whoever serves that host asked.
    pub host: Option<Arc<str>>,
}

/// Address of the other end of the connection; none in tests of the router.
fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(a)| a.ip())
}

/// Address of whoever asks, behind our own proxies.
pub(crate) fn client(parts: &Parts, web: &Web) -> Option<IpAddr> {
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    web.doors.proxies.client(peer(parts), forwarded)
}

/// Where a request comes from.
pub(crate) struct From(pub Place);

impl FromRequestParts<Web> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let address = client(parts, web).map(|ip| ip.to_string()).unwrap_or_default();
        Ok(Self(Place { address, agent: agent.to_owned() }))
    }
}

/// Whoever comes from where no second factor is demanded. A secret address is none.
pub(crate) struct Lenient;

impl FromRequestParts<Web> for Lenient {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
        if web.doors.is_strict(client(parts, web)) {
            Err(sekisho_app::AppError::NotFound.into())
        } else {
            Ok(Self)
        }
    }
}

/// The card of whoever asks: as shown on the connection, or as a trusted proxy passed it on. Empty without one.
pub(crate) struct Card(pub Vec<CertificateDer<'static>>);

impl FromRequestParts<Web> for Card {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let shown = || parts.extensions.get::<Shown>().map(|s| s.chain.as_ref().clone());
        let chain = match &web.doors.cards {
            // A proxy may show a certificate of its own. From anybody but ours the header is what a stranger wrote.
            Some(cards) if cards.are_passed_on() && web.doors.proxies.trusts(peer(parts)) => {
                cards.passed_on(&parts.headers)
            }
            _ => shown(),
        };
        Ok(Self(chain.unwrap_or_default()))
    }
}

/// Whether a request that changes something comes from a page of this site: `Origin` (or `Referer`) names this host. On plain HTTP
/// browsers leave out `Sec-Fetch-Site`, so it is not enough by itself.
pub(crate) fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let origin = text(header::ORIGIN).filter(|o| *o != "null").or_else(|| text(header::REFERER));
    let Some((_, rest)) = origin.and_then(|o| o.split_once("://")) else { return false };
    rest.split('/').next() == Some(host)
}

/// The address under which browsers reach this site: the configured one, or what this one sent its request to.
pub(crate) fn site(web: &Web, headers: &HeaderMap) -> String {
    if let Some(address) = web.office.address() {
        return address.to_owned();
    }
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost");
    format!("{}://{host}", if web.secure { "https" } else { "http" })
}

/// Compares without telling by time where two texts differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}
