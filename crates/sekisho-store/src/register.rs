//! Registers as tables: `r_<id>` with columns `c_<id>`, and `m_<id>` for columns with many values. The shape comes from the pack's [`TableSpec`](sekisho_base::table::TableSpec); a
//! column is only ever added, never dropped or changed (a change of type is a new id).

mod change;
mod list;
mod row;
mod table;

pub use change::{ChangeRow, changes, changes_of, put_change};
pub use list::{CheckedRow, Filter, count, count_in, counts, find, list, matching};
pub use row::{RegisterRow, by_key, by_key_among, get, put, remove};
pub use table::ensure;
