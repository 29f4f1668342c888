//! One file per page.

mod absences;
mod account;
mod accounts;
mod apply;
mod bulk;
mod calendar;
mod cases;
mod change;
mod clauses;
mod dashboard;
mod delegations;
mod documents;
mod duties;
mod exchange;
mod first_start;
pub(crate) mod handling;
mod help;
mod home;
mod labels;
mod ledger;
mod login;
mod notices;
mod notifications;
mod organization;
mod own_account;
mod pack_edit;
mod pack_history;
mod packs;
pub(crate) mod passkeys;
mod password;
mod permits;
pub(crate) mod registers;
mod search;
mod second_factor;
mod sign_in;
mod stocktaking;
mod system;
mod user_import;

use axum::Router;

use crate::Web;
pub(crate) use login::own_path;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .merge(first_start::routes())
        .merge(login::routes())
        .merge(sign_in::routes())
        .merge(password::routes())
        .merge(home::routes())
        .merge(help::routes())
        .merge(apply::routes())
        .merge(bulk::routes())
        .merge(calendar::routes())
        .merge(cases::routes())
        .merge(handling::routes())
        .merge(permits::routes())
        .merge(registers::routes())
        .merge(labels::routes())
        .merge(change::routes())
        .merge(stocktaking::routes())
        .merge(clauses::routes())
        .merge(dashboard::routes())
        .merge(duties::routes())
        .merge(documents::routes())
        .merge(exchange::routes())
        .merge(notices::routes())
        .merge(notifications::routes())
        .merge(organization::routes())
        .merge(packs::routes())
        .merge(pack_edit::routes())
        .merge(pack_history::routes())
        .merge(account::routes())
        .merge(accounts::routes())
        .merge(user_import::routes())
        .merge(own_account::routes())
        .merge(second_factor::routes())
        .merge(passkeys::routes())
        .merge(absences::routes())
        .merge(delegations::routes())
        .merge(ledger::routes())
        .merge(search::routes())
        .merge(system::routes())
}
