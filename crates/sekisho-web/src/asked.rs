//! Addresses and requests that the framework refuses before a page sees them: a query that lacks what the page needs or names it twice, a
//! part of an address that is no text, a body that is no form. The framework answers with one English line; here it becomes a page, or a
//! problem document below `/api/`. One layer does it for all routes, so that no page can forget it.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::error::{missing, said};
use crate::form::percent_decoded;

/// Every page and every answer of ours is HTML, JSON or a file; a refusal in plain text is the framework's own.
fn is_bare(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    response.status().is_client_error() && kind.is_none_or(|kind| kind.starts_with("text/plain"))
}

/// Answers in the reader's language what the framework refused.
pub(crate) async fn in_words(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    // What stands before the `?` names the thing: what cannot be read there is not there.
    let named = std::str::from_utf8(&percent_decoded(request.uri().path().as_bytes())).is_ok();
    let response = next.run(request).await;
    if !is_bare(&response) {
        return response;
    }
    match response.status() {
        StatusCode::BAD_REQUEST if !named => missing(api),
        StatusCode::BAD_REQUEST => said(
            StatusCode::BAD_REQUEST,
            "アドレスを読み取れません",
            "アドレスの「?」から後ろに、足りないところか、読み取れないところがあります。一覧などのリンクから開き直してください。",
            "W409",
            api,
        ),
        _ => response,
    }
}
