//! Printed forms (様式): the pack's typst templates and a case's facts become an A4 PDF with embedded fonts.
//!
//! The only crate that knows typst. A template sees the other templates of its pack and `/data.json`, and
//! nothing else: no file of the machine, no package, no network, no clock. The same input gives the same bytes.
//!
//! Packs are edited by people, so a template may be wrong or never end: the server uses [`render_limited`], which
//! runs [`child_main`] in a process of its own under limits, never [`render`].

mod child;
mod data;
mod error;
mod fonts;
mod render;
mod world;

pub use child::{Limits, RenderRequest, SUBCOMMAND, child_main, render_limited};
pub use data::{
    Act, AxisClass, Column, Field, FormData, Item, Ledger, Movement, Permit, Person, RecordTable, Safeguard,
    Step,
};
pub use error::{Fault, FormError};
pub use fonts::unprintable;
pub use render::render;
