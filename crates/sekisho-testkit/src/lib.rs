//! For tests and benchmarks only: how long an fsync takes, and a private PostgreSQL, started from the installed programs and gone when the test process
//! ends.
//!
//! The work is done by `private-postgres.sh` (beside this crate's manifest), which `scripts/test` also uses to
//! start one server for a whole run.

mod disk;
mod postgres;

pub use disk::fsync_time;
pub use postgres::postgres_url;
