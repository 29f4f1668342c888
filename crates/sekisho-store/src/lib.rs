//! The only crate with SQL. One SQL text serves SQLite and PostgreSQL: columns are TEXT, BIGINT and BOOLEAN, order is only by
//! NOT NULL columns, JSON and dates are handled in Rust. A [`Store`] belongs to one body; no query can cross bodies.

pub mod account;
pub mod case;
mod conn;
mod db;
mod error;
pub mod ledger;
mod migrate;
pub mod org;
pub mod pack;
pub mod register;
mod search;
pub mod setting;
pub mod upload;
mod viewer;
pub mod violation;
mod writer;

pub use conn::{Arg, Conn, Row};
pub use db::{BoxFuture, Durability, Store};
pub use error::StoreError;
pub use viewer::Viewer;
