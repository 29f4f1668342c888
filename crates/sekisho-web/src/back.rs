//! Where a request comes from, for a message that leads back there: a refusal is no dead end.

use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::guard::from_own_page;
use crate::pages::own_path;

tokio::task_local! {
    /// The page of this site that this request was sent from; empty when it came by itself.
    static BACK: String;
}

fn came_from(request: &Request) -> Option<String> {
    if !from_own_page(request.headers()) {
        return None;
    }
    let referer = request.headers().get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let path = own_path(&format!("/{path}"));
    // A page that leads to itself leads nowhere; below the address of a form its page is found.
    let same = request.uri().path_and_query().is_some_and(|here| here.as_str() == path);
    (request.method() == Method::POST || !same).then_some(path)
}

/// Remembers, while a request is answered, where it came from.
pub(crate) async fn remember(request: Request, next: Next) -> Response {
    let from = came_from(&request).unwrap_or_default();
    BACK.scope(from, next.run(request)).await
}

/// Where the request that is being answered came from.
pub(crate) fn here() -> Option<String> {
    BACK.try_with(Clone::clone).ok().filter(|from| !from.is_empty())
}
