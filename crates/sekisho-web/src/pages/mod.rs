//! One file per page.

mod account;
mod apply;
mod cases;
mod clauses;
mod home;
mod ledger;
mod login;
mod organization;
mod password;
mod registers;

use axum::Router;
use axum::routing::get;

use crate::Web;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .merge(login::routes())
        .merge(password::routes())
        .merge(home::routes())
        .merge(apply::routes())
        .merge(cases::routes())
        .merge(registers::routes())
        .merge(clauses::routes())
        .merge(organization::routes())
        .merge(account::routes())
        .merge(ledger::routes())
}
