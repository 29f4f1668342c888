//! What every crate of Sekisho may use: ids, clock, dates, text normalization, limits, networks and register
//! table specifications. Pure: time and randomness come in as parameters.

pub mod calendar;
pub mod canonical;
pub mod clock;
pub mod date;
pub mod entropy;
pub mod id;
pub mod limits;
pub mod networks;
pub mod os;
pub mod syntax;
pub mod table;
pub mod text;

pub use clock::{Clock, Instant};
pub use date::Date;
pub use entropy::Entropy;
pub use id::Id;
pub use networks::Networks;
