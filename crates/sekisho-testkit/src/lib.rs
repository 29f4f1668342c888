//! For tests and benchmarks only: how long an fsync takes, a private PostgreSQL and a private LDAP directory, started from the installed programs
//! and gone when the test process ends.
//!
//! The work is done by `private-postgres.sh` and `private-slapd.sh` (beside this crate's manifest); with the former `scripts/test` also starts one
//! server for a whole run.

mod disk;
mod postgres;
mod slapd;

pub use disk::fsync_time;
pub use postgres::{postgres_copy, postgres_url};
pub use slapd::Slapd;
