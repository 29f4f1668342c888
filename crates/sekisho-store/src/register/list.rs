//! Lists of a register, and the rows that a check asks for.

use sekisho_base::limits::COUNT_CAP;
use sekisho_base::table::TableSpec;

use super::row::{RegisterRow, add_many, read_row, select};
use crate::conn::{Arg, marks};
use crate::index::{self, Seen, Source, TailRow, Wanted, is_compared};
use crate::{Conn, StoreError, Viewer, search};

/// Rows that a list walks past at most; a page further down is found by the index.
const WALKED: i64 = 2_000;

/// Rows of one query: a page needs one, an export many.
const FETCHED: usize = 500;

/// What a list is filtered and sorted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words, each must occur.
    pub words: Vec<String>,
    /// Columns with the text they must equal; unknown columns are ignored.
    pub equals: Vec<(String, String)>,
    /// Column to sort by; default is the key.
    pub sort: Option<String>,
    /// Descending.
    pub descending: bool,
}

/// The terms of a list's WHERE and their arguments.
struct Terms {
    sql: String,
    args: Vec<Arg>,
}

/// What must hold for the rows of a list, over a table or query named `r`.
fn terms(spec: &TableSpec, viewer: &Viewer, f: &Filter, words: &[String]) -> Terms {
    let mut args = Vec::new();
    let mut sql = vec![viewer.unit_predicate(&format!("r.c_{}", spec.owner), &mut args)];
    for (column, value) in compared(spec, f) {
        args.push(value.into());
        sql.push(format!("r.c_{column} = ${}", args.len()));
    }
    for word in words {
        sql.push(search::like("r.search", word, &mut args));
    }
    Terms { sql: sql.join(" AND "), args }
}

fn compared<'a>(spec: &TableSpec, f: &'a Filter) -> impl Iterator<Item = &'a (String, String)> {
    f.equals.iter().filter(|(column, _)| is_compared(spec, column))
}

/// One page of a register and how many rows there are (capped): a fixed number of queries, eight at most.
///
/// # Errors
/// The database failed.
pub async fn list(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    viewer: &Viewer,
    f: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<RegisterRow>, i64), StoreError> {
    let words = search::fold(&f.words);
    let page = Page {
        column: f.sort.as_deref().filter(|s| is_compared(spec, s)).unwrap_or(&spec.key),
        descending: f.descending,
        offset,
        limit,
    };
    let terms = terms(spec, viewer, f, &words);
    // One order, at most one condition that begins it: what an index of the database gives as it stands.
    let units = viewer.units.as_ref().map_or(0, Vec::len);
    let conditions = compared(spec, f).count() + units;
    let in_order = conditions == 0 || (conditions == 1 && page.column == spec.key);
    let (mut rows, total) = if words.is_empty() && in_order && offset <= WALKED {
        (walk(c, spec, &terms, &page).await?, count_of(c, spec, &terms).await?)
    } else {
        picked(c, spec, viewer, f, words, &terms, &page).await?
    };
    add_many(c, spec, &mut rows).await?;
    Ok((rows, total))
}

struct Page<'a> {
    column: &'a str,
    descending: bool,
    offset: i64,
    limit: i64,
}

/// A page in the order of an index: what is skipped is not read, the rows of the page are fetched last. The id at the end of
/// the order says nothing new, but makes the index that also holds the owner the one that fits.
async fn walk(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    terms: &Terms,
    page: &Page<'_>,
) -> Result<Vec<RegisterRow>, StoreError> {
    let mut a = terms.args.clone();
    a.push(page.limit.into());
    a.push(page.offset.into());
    let (limit, offset) = (a.len() - 1, a.len());
    let to = if page.descending { "DESC" } else { "ASC" };
    let by = match page.column {
        key if key == spec.key => format!("r.c_{key} {to}, r.id {to}"),
        column => format!("r.c_{column} {to}, r.c_{} {to}, r.id {to}", spec.key),
    };
    let sql = format!(
        "SELECT {columns} FROM (SELECT r.id AS page_id FROM r_{id} r WHERE {terms} ORDER BY {by} LIMIT ${limit} OFFSET ${offset}) p
         JOIN r_{id} r ON r.id = p.page_id ORDER BY {by}",
        columns = select(spec),
        id = spec.id,
        terms = terms.sql,
    );
    c.all(&sql, a).await?.iter().map(|r| read_row(spec, r)).collect()
}

/// How many rows the terms hold for, at most one more than is shown as exact.
async fn count_of(c: &mut Conn<'_>, spec: &TableSpec, terms: &Terms) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM r_{} r WHERE {} LIMIT {}) t",
        spec.id,
        terms.sql,
        COUNT_CAP + 1
    );
    c.count(&sql, terms.args.clone()).await
}

/// A page and the count by the index of words and columns.
async fn picked(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    viewer: &Viewer,
    f: &Filter,
    words: Vec<String>,
    terms: &Terms,
    page: &Page<'_>,
) -> Result<(Vec<RegisterRow>, i64), StoreError> {
    let source = Source::of_register(spec);
    let (sort, key) = (format!("c_{}", page.column), format!("c_{}", spec.key));
    let wanted = Wanted {
        words,
        equals: compared(spec, f).map(|(column, value)| (format!("c_{column}"), value.clone())).collect(),
        seen: viewer.units.clone().map(|units| Seen {
            column: format!("c_{}", spec.owner),
            units,
            also: Default::default(),
        }),
        sets: Vec::new(),
        tie: if sort == key { String::new() } else { key.clone() },
        sort,
        descending: page.descending,
    };
    let tail = tail(c, &source, &wanted.sort, &key, terms).await?;
    let picked = index::pick(c, &source, &wanted, &tail, page.offset, page.limit).await?;
    let mut rows = Vec::with_capacity(picked.numbers.len());
    for some in picked.numbers.chunks(FETCHED) {
        // The terms again: whatever the index says, nothing is shown for which they do not hold. The rows apart, so that no
        // planner takes another index first.
        let sql = format!(
            "WITH named AS MATERIALIZED (SELECT * FROM r_{} WHERE no IN ({})) SELECT {} FROM named r WHERE {}",
            spec.id,
            index::rows_of(some),
            select(spec),
            terms.sql
        );
        for r in c.all_once(&sql, terms.args.clone()).await? {
            rows.push(read_row(spec, &r)?);
        }
    }
    let place = |row: &RegisterRow| (row.text(page.column).to_owned(), row.text(&spec.key).to_owned());
    rows.sort_by_cached_key(place);
    if page.descending {
        rows.reverse();
    }
    let limit = usize::try_from(page.limit).unwrap_or(0);
    let rows = rows.into_iter().skip(picked.skip).take(limit).collect();
    Ok((rows, picked.total.min(COUNT_CAP + 1)))
}

/// The rows of the unfilled block for which the terms hold.
async fn tail(
    c: &mut Conn<'_>,
    source: &Source,
    sort: &str,
    key: &str,
    terms: &Terms,
) -> Result<Vec<TailRow>, StoreError> {
    let from = index::tail_from(c, source).await?;
    let mut a = terms.args.clone();
    a.push(from.into());
    // Apart, so that no planner takes another index first.
    let sql = format!(
        "WITH tail AS MATERIALIZED (SELECT no, search, {} FROM {} WHERE no > ${}) SELECT r.no, r.{sort}, r.{key} FROM tail r WHERE {}",
        source.columns.join(", "),
        source.table,
        a.len(),
        terms.sql
    );
    let rows = c.all(&sql, a).await?;
    rows.iter().map(|r| Ok(TailRow { no: r.int(0)?, sort: r.text(1)?, tie: r.text(2)? })).collect()
}

/// How many rows a register has.
///
/// # Errors
/// The database failed.
pub async fn count(c: &mut Conn<'_>, spec: &TableSpec) -> Result<i64, StoreError> {
    c.count(&format!("SELECT COUNT(*) FROM r_{}", spec.id), vec![]).await
}

/// Values of one query of [`count_in`].
const NAMED: usize = 200;

/// How many rows have one of these values, each given once, in a text column.
///
/// # Errors
/// The database failed.
pub async fn count_in(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    column: &str,
    values: &[String],
) -> Result<i64, StoreError> {
    let mut count = 0;
    for some in values.chunks(NAMED) {
        let mut a = vec![];
        let marks = marks(some, &mut a);
        count +=
            c.count(&format!("SELECT COUNT(*) FROM r_{} WHERE c_{column} IN ({marks})", spec.id), a).await?;
    }
    Ok(count)
}

/// A row that a check is about: id, key, name, owner unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRow {
    /// Id.
    pub id: String,
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// Owner unit's code.
    pub unit: String,
}

/// Rows for which a predicate over `r.c_…` holds, optionally of one row id only. The predicate comes from the pack's typed
/// expressions, never from a person; its arguments start at `$1`.
///
/// # Errors
/// The database failed.
pub async fn matching(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    predicate: &str,
    predicate_args: Vec<Arg>,
    only: Option<&str>,
) -> Result<Vec<CheckedRow>, StoreError> {
    let mut a = predicate_args;
    let only = match only {
        Some(id) => {
            a.push(id.into());
            format!("AND r.id = ${}", a.len())
        }
        None => String::new(),
    };
    let sql = format!(
        "SELECT r.id, r.c_{}, r.c_{}, r.c_{} FROM r_{} r WHERE ({predicate}) {only} ORDER BY r.c_{}",
        spec.key, spec.name, spec.owner, spec.id, spec.key
    );
    let rows = c.all(&sql, a).await?;
    rows.iter()
        .map(|r| Ok(CheckedRow { id: r.text(0)?, key: r.text(1)?, name: r.text(2)?, unit: r.text(3)? }))
        .collect()
}
