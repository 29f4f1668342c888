//! The programming interface below `/api/v1` (`docs/decisions/0024-json-interface.md`): the same use cases, session and
//! visibility as the pages, answers as JSON and errors as problem documents (RFC 9457). Every path stands once, in [`table`]:
//! from it come the router, the OpenAPI document and the page for people.

mod absences;
mod caller;
mod cases;
mod clauses;
mod document;
mod duties;
mod handling;
mod home;
mod ledger;
mod once;
mod organization;
mod problem;
mod registers;
mod route;

use axum::{Extension, Router};

use crate::Web;
use problem::ApiError;
pub(crate) use problem::unreached;
pub(crate) use route::{Body, Route};

/// Every path of the interface.
pub(crate) fn table() -> Vec<Route> {
    [
        home::table(),
        cases::table(),
        registers::table(),
        handling::table(),
        clauses::table(),
        duties::table(),
        absences::table(),
        organization::table(),
        ledger::table(),
        document::table(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) fn routes(web: &Web) -> Router<Web> {
    let router = table().into_iter().fold(Router::new(), |r, route| {
        let path = route.full_path();
        let handler = match route.method {
            "post" => route.handler.layer(axum::middleware::from_fn_with_state(web.clone(), once::once)),
            _ => route.handler,
        };
        r.route(&path, handler.layer(Extension(caller::ForToken(route.scope))))
    });
    let unknown = || async { ApiError::from(sekisho_app::AppError::NotFound) };
    router.route("/api/{*rest}", axum::routing::any(unknown))
}
