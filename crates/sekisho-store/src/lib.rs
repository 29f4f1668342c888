//! The only crate with SQL. One SQL text serves SQLite and PostgreSQL: columns are TEXT, BIGINT and BOOLEAN, order is only by
//! NOT NULL columns, JSON and dates are handled in Rust. A [`Store`] belongs to one body; no query can cross bodies.

pub mod absence;
pub mod account;
pub mod api_token;
pub mod attachment;
pub mod case;
pub mod cause;
mod conn;
mod db;
pub mod delegation;
pub mod document;
pub mod duty;
mod error;
mod index;
pub mod ledger;
pub mod look;
pub mod maintenance;
mod migrate;
pub mod notice;
pub mod notification;
pub mod org;
pub mod org_proposal;
pub mod pack;
pub mod pack_draft;
pub mod pack_proposal;
pub mod proposal;
pub mod query;
pub mod register;
pub mod register_view;
mod search;
pub mod second_factor;
pub mod session;
pub mod setting;
pub mod turn;
pub mod upload;
mod viewer;
pub mod violation;
mod writer;

pub use conn::{Arg, Conn, Row, counted};
pub use db::{BoxFuture, Durability, Store};
pub use error::{MayBeTrouble, StoreError, Trouble};
pub use viewer::Viewer;
