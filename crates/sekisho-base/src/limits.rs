//! Bounds on what comes from outside. One place, so that a reviewer can see them all.

/// Bytes of one uploaded spreadsheet or CSV.
pub const UPLOAD_BYTES: usize = 20 * 1024 * 1024;
/// Bytes of one ordinary form post.
pub const FORM_BYTES: usize = 512 * 1024;
/// Characters of one line of text typed by a person.
pub const LINE_CHARS: usize = 200;
/// Characters of one multi-line text typed by a person.
pub const TEXT_CHARS: usize = 4_000;
/// Rows of one import.
pub const IMPORT_ROWS: usize = 200_000;
/// Columns of one import.
pub const IMPORT_COLUMNS: usize = 200;
/// Items of one case.
pub const CASE_ITEMS: usize = 50;
/// Items of one case that changes the class of many things.
pub const BULK_ITEMS: usize = 2_000;
/// Files attached to one case.
pub const CASE_FILES: usize = 10;
/// Rows of one page of a list.
pub const PAGE_ROWS: i64 = 50;
/// Counts are exact up to this; beyond it lists say 「以上」.
pub const COUNT_CAP: i64 = 10_000;

/// A count in words: its digits, or 「10000以上」 beyond [`COUNT_CAP`].
#[must_use]
pub fn count_words(n: i64) -> String {
    if n > COUNT_CAP { format!("{COUNT_CAP}以上") } else { n.to_string() }
}
