//! Who calls, and what they send. The one place where a caller becomes a person.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::http::header;
use axum::http::request::Parts;
use sekisho_app::AppError;
use sekisho_app::login::Identity;
use sekisho_app::tokens::{Caller, Scope};
use sekisho_base::limits;
use serde::de::DeserializeOwned;

use super::problem::ApiError;
use crate::Web;
use crate::error::WebError;
use crate::guard::{Who, client, from_own_page, same};

/// Header with the session's token on every write of a session; `GET /api/v1/me` tells the token.
pub(super) const CSRF: &str = "x-csrf-token";

/// What a token must be made for on the path that was called; put there by the router from the table of paths.
#[derive(Clone, Copy)]
pub(super) struct ForToken(pub Option<Scope>);

/// Who a request was found to come from by what carries it out once.
#[derive(Clone)]
pub(super) struct Known(pub Identity);

/// A person who has come to the pages, or whose token has the path's scope, on reads.
pub(crate) struct ApiWho(pub Identity);

/// The same on writes, with what was sent as JSON.
pub(super) struct Sent<T>(pub Identity, pub T);

/// The same on writes that carry nothing.
pub(super) struct Pressed(pub Identity);

/// The same on writes that carry a file.
pub(super) struct SentFile(pub Identity, pub Vec<u8>);

/// The person behind a request. A program's token comes as `Authorization: Bearer`, and does what it was made for; no page can
/// send it, so it needs no other token. A session comes as the pages' cookie; what changes something also needs the session's token in
/// a header, which no foreign page can set, and no foreign `Origin`.
///
/// # Errors
/// Nobody is logged in, a temporary password is in use, a second factor is missing, the token is missing, not made for this or not to be used
/// from there.
pub(super) async fn caller(parts: &mut Parts, web: &Web) -> Result<Identity, ApiError> {
    if let Some(Known(who)) = parts.extensions.remove() {
        return Ok(who);
    }
    if let Some(sent) = parts.headers.get(header::AUTHORIZATION) {
        let sent = sent.to_str().ok().and_then(|v| v.split_once(' '));
        let secret =
            sent.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).map(|(_, secret)| secret.trim());
        let secret = secret.ok_or(AppError::NoSession)?;
        let ForToken(scope) = parts.extensions.get().copied().unwrap_or(ForToken(None));
        let address = client(parts, web);
        let program = Caller { address, strict: web.doors.is_strict(address) };
        return Ok(web.office.identify_token(secret, scope, program).await?);
    }
    let Who(who) = Who::from_request_parts(parts, web).await?;
    if parts.method != Method::GET {
        let token = parts.headers.get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let foreign = parts.headers.contains_key(header::ORIGIN) && !from_own_page(&parts.headers);
        if foreign || !same(token, &who.csrf) {
            return Err(WebError::ForeignForm.into());
        }
    }
    Ok(who)
}

impl FromRequestParts<Web> for ApiWho {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        caller(parts, web).await.map(Self)
    }
}

async fn bytes(request: Request, web: &Web, most: usize) -> Result<(Identity, Vec<u8>), ApiError> {
    let (mut parts, body) = request.into_parts();
    let who = caller(&mut parts, web).await?;
    let bytes = axum::body::to_bytes(body, most).await.map_err(|_| WebError::TooLarge)?;
    Ok((who, bytes.to_vec()))
}

impl<T: DeserializeOwned> FromRequest<Web> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let (who, bytes) = bytes(request, web, limits::FORM_BYTES).await?;
        let sent = serde_json::from_slice(&bytes).map_err(|e| ApiError::unreadable(&e.to_string()))?;
        Ok(Self(who, sent))
    }
}

impl FromRequest<Web> for Pressed {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let (mut parts, _) = request.into_parts();
        caller(&mut parts, web).await.map(Self)
    }
}

impl FromRequest<Web> for SentFile {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let (who, bytes) = bytes(request, web, limits::UPLOAD_BYTES).await?;
        Ok(Self(who, bytes))
    }
}
