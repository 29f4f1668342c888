//! Pack files to a validated model, expressions and coverage. Pure but for [`model::Pack::load_dir`], which reads a folder.

pub mod by;
pub mod coverage;
pub mod expr;
mod files;
pub mod load;
pub mod message;
pub mod model;
mod paths;
pub mod test;

pub use files::{ACTS, DEVICES};
pub use message::{Message, Severity};
