//! What stands before every page: headers, the session, and that a form comes from our own page.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use sekisho_app::login::{self, Identity};

use crate::Web;
use crate::error::WebError;

/// Name of the session's cookie.
pub(crate) const COOKIE: &str = "sekisho_session";

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Adds the security headers; pages are never kept by a cache.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
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
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// A logged-in person whose password is their own. Asking for it on a page is what makes the page need a login.
pub(crate) struct Who(pub Identity);

/// A logged-in person, also with a temporary password: for the page that changes it.
pub(crate) struct AnyWho(pub Identity);

impl FromRequestParts<Web> for AnyWho {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
        let next = || WebError::Login {
            next: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        };
        let token = token(&parts.headers).ok_or_else(next)?;
        match login::identify(&web.office, token).await {
            Ok(who) => Ok(Self(who)),
            Err(sekisho_app::AppError::NoSession) => Err(next()),
            Err(e) => Err(e.into()),
        }
    }
}

impl FromRequestParts<Web> for Who {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
        let AnyWho(who) = AnyWho::from_request_parts(parts, web).await?;
        if who.must_change { Err(WebError::MustChangePassword) } else { Ok(Self(who)) }
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

/// Compares without telling by time where two texts differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}
