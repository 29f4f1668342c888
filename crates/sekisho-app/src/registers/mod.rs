//! Registers (台帳): lists, rows, changes, exchange with spreadsheets. The shape of each comes from the pack.

mod list;
mod row;
mod show;
mod spec;
mod transfer;

pub use list::{ColumnHead, FilterView, ListQuery, RegisterLine, RegisterList, RowLine};
pub(crate) use row::keep_row;
pub use row::{EditForm, HistoryLine, RowPage};
pub use show::{FieldView, Pair, RefChoice};
pub(crate) use show::{axes_in_order, choices, class_text};
pub(crate) use spec::class_of;
pub use spec::table_spec;
pub use transfer::{ErrorLine, ExportFormat, ExportedFile, ImportPlan, PlanLine};
pub(crate) use transfer::{changed_meanwhile, column_notes, error_lines, plan_digest, plan_lines, write};
