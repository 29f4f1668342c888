//! Spreadsheet exchange: xlsx and CSV in and out, with a dry run that shows what an import would change.
//!
//! The way of a file: bytes → [`read_grid`] / [`read_workbook`] → [`plan()`] (or [`org::plan_org`] for the organization)
//! → the use case applies [`RowAction::Add`] and [`RowAction::Change`]. The way back: records → [`Table`] →
//! [`write_xlsx`] / [`write_csv`]. What was exported and not touched imports as [`RowAction::Same`].
//!
//! Pure: no store, no clock. Text cells keep every character; only codes, dates and numbers are normalized, by the kind
//! of their column.

mod cell;
mod column;
mod container;
mod cp932;
mod file_kind;
mod guard;
mod header;
pub mod ics;
pub mod org;
mod org_check;
#[cfg(test)]
mod org_tests;
mod plan;
mod read;
mod read_csv;
mod read_xlsx;
#[cfg(test)]
mod real_files;
#[cfg(test)]
mod round_trip;
pub mod users;
mod write;

pub use cell::{Cell, Encoding, Grid, Source, cell_name};
pub use column::{Column, Kind, Record, Schema};
pub use file_kind::{Accepted, FileFault, Group};
pub use plan::{CellError, Conflict, Counts, Diff, Existing, Plan, References, RowAction, RowPlan, plan};
pub use read::{ReadError, read_grid, read_workbook};
pub use write::{CsvEncoding, Table, UnmappableCell, WriteError, write_csv, write_xlsx};
