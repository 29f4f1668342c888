//! An index by which lists find, count and sort without reading rows; it serves both databases.
//!
//! A write that changes what is indexed of a row gives the row a new number (`no`). When a block of 1,024 numbers is full, the
//! write that filled it indexes the block: where each pair of characters stands ([`grams`]), each column by which lists filter
//! and sort ([`cells`]), and which numbers a row carries. A number that its row has left is struck off there; pairs and cells are
//! only ever added, a block at a time. Rows of the last, unfilled block are not indexed; they are few, and read as they are.

mod cells;
mod find;
mod grams;
mod places;

use sekisho_base::table::{Storage, TableSpec};

use crate::conn::Row;
use crate::{Conn, StoreError, args, setting};

pub(crate) use find::{Seen, Standing, TailRow, Wanted, numbers, pick, rows_of, standing, standing_of};
use grams::Postings;
pub(crate) use grams::TEXT_CHARS;
use places::{BLOCK, Places, place_of};

/// Values of one INSERT.
const CHUNK: usize = 250;

/// What is indexed of a table. Its rows have the columns `id`, `no` and `search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The table; what is indexed carries its name.
    pub table: String,
    /// Counts the numbers given.
    counter: String,
    /// Columns kept as cells.
    pub columns: Vec<String>,
}

impl Source {
    /// A register's.
    pub(crate) fn of_register(spec: &TableSpec) -> Self {
        let columns = spec.columns.iter().filter(|col| is_compared(spec, &col.id));
        Self {
            table: format!("r_{}", spec.id),
            counter: format!("rows:{}", spec.id),
            columns: columns.map(|col| format!("c_{}", col.id)).collect(),
        }
    }

    /// That of the cases: what does not change without a new number.
    pub(crate) fn of_cases() -> Self {
        Self {
            table: "case_file".to_owned(),
            counter: "case_file.no".to_owned(),
            columns: ["opened_at", "unit", "applicant", "procedure"].map(str::to_owned).into(),
        }
    }
}

/// Whether lists of a register filter and sort by a column.
pub(crate) fn is_compared(spec: &TableSpec, column: &str) -> bool {
    spec.columns.iter().any(|col| {
        col.id == column
            && !col.many
            && col.storage == Storage::Text
            && (col.indexed || col.id == spec.key || col.id == spec.owner)
    })
}

/// The next number. Its counter is locked until commit, so numbers are committed in their order.
pub(crate) async fn next_no(c: &mut Conn<'_>, source: &Source) -> Result<i64, StoreError> {
    setting::next(c, &source.counter).await
}

/// The number a row carries. Asked after [`next_no`], which keeps others from giving it a new one.
pub(crate) async fn number_of(
    c: &mut Conn<'_>,
    source: &Source,
    id: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = format!("SELECT no FROM {} WHERE id = $1", source.table);
    c.one(&sql, args![id]).await?.map(|r| r.int(0)).transpose()
}

/// After a row that carried `before` was given `no`: the old number is nobody's.
pub(crate) async fn left(c: &mut Conn<'_>, source: &Source, before: i64, no: i64) -> Result<(), StoreError> {
    let (block, place) = place_of(before);
    if block >= place_of(no).0 {
        // Its block is not full yet.
        return Ok(());
    }
    let sql = "SELECT places FROM list_live WHERE src = $1 AND block = $2";
    let Some(row) = c.one(sql, args![&source.table, block]).await? else { return Ok(()) };
    let mut places = bits(&row, 0)?;
    places.remove(place);
    if places.is_empty() {
        for table in ["list_live", "list_gram", "list_cell"] {
            c.exec(
                &format!("DELETE FROM {table} WHERE src = $1 AND block = $2"),
                args![&source.table, block],
            )
            .await?;
        }
        return Ok(());
    }
    let sql = "UPDATE list_live SET places = $3 WHERE src = $1 AND block = $2";
    c.exec(sql, args![&source.table, block, places.encode()]).await?;
    Ok(())
}

/// Indexes the block that a number filled, if it filled one.
pub(crate) async fn filled(c: &mut Conn<'_>, source: &Source, no: i64) -> Result<(), StoreError> {
    if no % BLOCK == 0 { add_block(c, source, no / BLOCK - 1, Part::All).await } else { Ok(()) }
}

/// Indexes every full block anew: for rows that were written before there was this index.
pub(crate) async fn rebuild(c: &mut Conn<'_>, source: &Source) -> Result<(), StoreError> {
    for table in ["list_live", "list_gram", "list_cell"] {
        c.exec(&format!("DELETE FROM {table} WHERE src = $1"), args![&source.table]).await?;
    }
    for block in 0..setting::current(c, &source.counter).await? / BLOCK {
        add_block(c, source, block, Part::All).await?;
    }
    Ok(())
}

/// Adds the cells of columns that were not indexed before.
pub(crate) async fn add_columns(c: &mut Conn<'_>, before: &Source, now: &Source) -> Result<(), StoreError> {
    let columns: Vec<String> =
        now.columns.iter().filter(|col| !before.columns.contains(col)).cloned().collect();
    if columns.is_empty() {
        return Ok(());
    }
    for column in &columns {
        c.exec("DELETE FROM list_cell WHERE src = $1 AND col = $2", args![&now.table, column]).await?;
    }
    let only = Source { columns, ..now.clone() };
    for block in 0..setting::current(c, &now.counter).await? / BLOCK {
        add_block(c, &only, block, Part::Cells).await?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Cells,
}

async fn add_block(c: &mut Conn<'_>, source: &Source, block: i64, part: Part) -> Result<(), StoreError> {
    let text = if part == Part::All { "search" } else { "''" };
    let columns: String = source.columns.iter().map(|col| format!(", {col}")).collect();
    let sql =
        format!("SELECT no, {text}{columns} FROM {} WHERE no > $1 AND no <= $2 ORDER BY no", source.table);
    let mut postings = Postings::default();
    let mut live = Places::NONE;
    let mut cells: Vec<Vec<(usize, String)>> = vec![Vec::new(); source.columns.len()];
    for row in c.all(&sql, args![block * BLOCK, (block + 1) * BLOCK]).await? {
        let (_, place) = place_of(row.int(0)?);
        live.add(place);
        postings.add(place, &row.text(1)?);
        for (i, column) in cells.iter_mut().enumerate() {
            column.push((place, row.text(i + 2)?));
        }
    }
    if live.is_empty() {
        return Ok(());
    }
    for (name, column) in source.columns.iter().zip(&cells) {
        c.exec(
            "INSERT INTO list_cell (src, col, block, cells) VALUES ($1, $2, $3, $4)",
            args![&source.table, name, block, cells::encode(column)],
        )
        .await?;
    }
    if part == Part::Cells {
        return Ok(());
    }
    c.exec(
        "INSERT INTO list_live (src, block, places) VALUES ($1, $2, $3)",
        args![&source.table, block, live.encode()],
    )
    .await?;
    for chunk in postings.into_sorted().chunks(CHUNK) {
        let mut a = args![&source.table, block];
        let mut marks = Vec::with_capacity(chunk.len());
        for (gram, places) in chunk {
            a.push(gram.into());
            a.push(places.into());
            marks.push(format!("($1, $2, ${}, ${})", a.len() - 1, a.len()));
        }
        c.exec(&format!("INSERT INTO list_gram (src, block, gram, places) VALUES {}", marks.join(", ")), a)
            .await?;
    }
    Ok(())
}

fn bits(row: &Row, i: usize) -> Result<Places, StoreError> {
    let text = row.text(i)?;
    Places::decode(&text).ok_or_else(|| corrupt(&text))
}

fn corrupt(text: &str) -> StoreError {
    StoreError::Corrupt("list index", text.chars().take(40).collect())
}
