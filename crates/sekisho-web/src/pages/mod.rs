//! One file per page.

mod absences;
mod account;
mod apply;
mod bulk;
mod cases;
mod clauses;
mod delegations;
mod documents;
mod duties;
mod exchange;
pub(crate) mod handling;
mod home;
mod ledger;
mod login;
mod notices;
mod notifications;
mod organization;
mod packs;
mod password;
pub(crate) mod registers;

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
        .merge(bulk::routes())
        .merge(cases::routes())
        .merge(handling::routes())
        .merge(registers::routes())
        .merge(clauses::routes())
        .merge(duties::routes())
        .merge(documents::routes())
        .merge(exchange::routes())
        .merge(notices::routes())
        .merge(notifications::routes())
        .merge(organization::routes())
        .merge(packs::routes())
        .merge(account::routes())
        .merge(absences::routes())
        .merge(delegations::routes())
        .merge(ledger::routes())
}
