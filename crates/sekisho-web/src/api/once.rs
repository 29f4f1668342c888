//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) on every POST of the interface: the same request under the same key is carried out once.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sekisho_app::once::{Claim, Met, in_hand, under};
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::limits;
use tracing::Instrument as _;

use super::caller::{Known, caller};
use super::problem::ApiError;
use crate::Web;
use crate::error::WebError;

/// The header.
pub(super) const HEADER: &str = "idempotency-key";
/// Longest key, in characters.
pub(super) const LONGEST: usize = 255;

/// How often a sending looks for the answer of another that is under way, and how long it waits each time.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// The key of a request: visible ASCII, also quoted as the draft writes it.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut all = headers.get_all(HEADER).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let fits = |k: &&str| (1..=LONGEST).contains(&k.len()) && k.bytes().all(|b| b.is_ascii_graphic());
    match (first.to_str().ok().filter(fits), all.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::BadKey),
    }
}

/// Carries out a request once, when it has a key.
pub(super) async fn once(State(web): State<Web>, request: Request, next: Next) -> Response {
    match key(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => keyed(web, &key, request, next).await.unwrap_or_else(ApiError::into_response),
        Err(e) => e.into_response(),
    }
}

async fn keyed(web: Web, key: &str, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let who = caller(&mut parts, &web).await?;
    let bytes = to_bytes(body, limits::UPLOAD_BYTES).await.map_err(|_| WebError::TooLarge)?;
    let asked = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let asked = hex(&sha256(format!("{} {asked} {}", parts.method, hex(&sha256(&bytes))).as_bytes()));
    let claim = match web.office.meet_request(&who, key, &asked).await? {
        Met::New(claim) => claim,
        Met::Answered(status, text) => return Ok(again(status, text)),
        Met::InHand => return waited(&web, &who, key, &asked, None).await,
    };
    parts.extensions.insert(Known(who.clone()));
    let request = Request::from_parts(parts, Body::from(bytes));
    // A task of its own: it comes to its end, and its answer is kept, also when whoever asked has gone.
    let doing = tokio::spawn(carried_out(web.clone(), claim, request, next).in_current_span());
    let response = doing.await.map_err(|e| ApiError::from(sekisho_app::AppError::internal(e)))??;
    if response.status().is_success() {
        return Ok(response);
    }
    waited(&web, &who, key, &asked, Some(response)).await
}

/// Carries a request out under its claim and keeps what was answered.
async fn carried_out(web: Web, claim: Claim, request: Request, next: Next) -> Result<Response, ApiError> {
    let response = under(&claim, next.run(request)).await;
    if !response.status().is_success() {
        web.office.give_up(&claim).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes =
        to_bytes(body, usize::MAX).await.map_err(|e| ApiError::from(sekisho_app::AppError::internal(e)))?;
    let text = String::from_utf8_lossy(&bytes);
    // The act is done: that its answer cannot be kept must not hide it.
    if let Err(e) = web.office.keep_answer(&claim, parts.status.as_u16(), &text).await {
        tracing::error!(error = %e, "the answer of a request was not kept");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The answer of another sending of the same, once it is there. `own` is the refusal of this one: it stands when there is no other.
async fn waited(
    web: &Web,
    who: &sekisho_app::login::Identity,
    key: &str,
    asked: &str,
    own: Option<Response>,
) -> Result<Response, ApiError> {
    for _ in 0..LOOKS {
        match web.office.meet_request(who, key, asked).await? {
            Met::Answered(status, text) => return Ok(again(status, text)),
            Met::New(_) => return Ok(own.unwrap_or_else(|| ApiError::from(in_hand()).into_response())),
            Met::InHand => tokio::time::sleep(PAUSE).await,
        }
    }
    let mut response = ApiError::from(in_hand()).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    Ok(response)
}

/// The first answer once more.
fn again(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if text.is_empty() {
        return status.into_response();
    }
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
