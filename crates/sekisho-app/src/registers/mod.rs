//! Registers (台帳): lists, rows, changes, exchange with spreadsheets. The shape of each comes from the pack.

mod change;
pub(crate) mod copies;
mod labels;
mod list;
mod row;
mod saved;
mod show;
mod spec;
mod transfer;
mod undo;

pub use change::{ChangeForm, MOST_CHANGED, VALUE};
pub(crate) use labels::find_row;
pub use labels::{LabelRow, LabelsForm, MOST_LABELS, SHEET};
pub(crate) use list::filter as list_filter;
pub use list::{ColumnHead, FilterView, ListQuery, RegisterLine, RegisterList, RowLine};
pub use row::{EditForm, HistoryLine, RowPage};
pub(crate) use row::{batch_payload, keep_row, keep_rows};
pub use saved::SavedView;
pub use show::{FieldView, Pair, RefChoice};
pub(crate) use show::{axes_in_order, axis_order, choices, class_text, level_title};
pub(crate) use spec::class_of;
pub use spec::table_spec;
pub use transfer::{ErrorLine, ExportFormat, ExportedFile, ImportPlan, PlanLine};
pub(crate) use transfer::{changed_meanwhile, column_notes, error_lines, plan_digest, plan_lines, write};
pub use undo::{ImportLine, ImportsView, UndoOutcome};
