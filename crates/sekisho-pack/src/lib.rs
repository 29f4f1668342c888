//! Pack files to a validated model, expressions and coverage. Pure but for [`model::Pack::load_dir`], which reads a folder.

pub mod absence;
pub mod binding;
pub mod by;
pub mod coverage;
pub mod diff;
pub mod doc;
pub mod document;
pub mod duty;
pub mod expr;
mod files;
pub mod fill;
pub mod load;
pub mod message;
pub mod model;
pub mod own;
mod paths;
pub mod query;
pub mod test;
pub mod words;

pub use files::{ACTS, DEVICES};
pub use message::{Message, Severity};
