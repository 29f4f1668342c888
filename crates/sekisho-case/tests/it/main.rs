//! The case engine through its public API: every invariant with the rightful and the wrong person.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod absence;
mod content;
mod deadlines;
mod handling;
mod history;
mod joint;
mod long;
mod model;
mod offers;
mod org;
mod permit;
mod power;
mod publish;
mod publish_play;
mod related;
mod route;
mod rules;
mod self_decision;
mod steps;
mod world;
