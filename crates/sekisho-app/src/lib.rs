//! Use cases: authorize, decide, store and ledger in one transaction. No HTTP, no SQL.

pub mod accounts;
pub mod cases;
pub mod checks;
pub mod clauses;
pub mod demo;
pub mod directory;
mod error;
pub mod exchange;
pub mod first;
pub mod forms;
pub mod ledger;
mod ledger_source;
pub mod login;
pub mod office;
pub mod organization;
mod pack_oracle;
pub mod pack_tools;
pub mod people;
pub mod policy;
mod record;
pub mod registers;
pub mod sequencer;
pub mod setup;

pub use error::{AppError, FieldError};
pub use office::Office;
pub use sekisho_store::{Durability, Store};
