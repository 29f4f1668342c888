//! Lists of a register, and the rows that a check asks for.

use std::collections::HashMap;

use sekisho_base::limits::COUNT_CAP;
use sekisho_base::table::{Storage, TableSpec};

use super::row::{RegisterRow, add_many, read_row, select};
use crate::conn::{Arg, marks};
use crate::search::{self, Candidates, Index};
use crate::{Conn, StoreError, Viewer};

/// So many candidates are named in a query; with more, a word is so frequent that walking the order finds a page at once.
const NAMED: usize = 10_000;
/// As many are named for a viewer of some units: the index tells the owner, only rows of those units are read.
const NAMED_OF_UNITS: usize = 20_000;
/// With so many units or fewer, rows are taken from the index by unit and sorted; with more, the order is walked.
const FEW_UNITS: usize = 8;
/// So few candidates are better than the rows of even one unit.
const NAMED_OF_ONE_UNIT: usize = 2_000;

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

/// How the rows of a list are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the index of units, then sorted.
    Units,
    /// In the order asked for, or by number; the unit is only compared.
    Order,
}

fn terms(spec: &TableSpec, viewer: &Viewer, f: &Filter, words: &[String], way: Way) -> Terms {
    let mut args = Vec::new();
    // The empty text appended keeps the planner from taking (and sorting) all rows of the units after all.
    let owner = match way {
        Way::Units => format!("r.c_{}", spec.owner),
        Way::Order => format!("(r.c_{} || '')", spec.owner),
    };
    let mut sql = vec![viewer.unit_predicate(&owner, &mut args)];
    for (column, value) in &f.equals {
        if is_compared(spec, column) {
            args.push(value.into());
            sql.push(format!("r.c_{column} = ${}", args.len()));
        }
    }
    for word in words {
        sql.push(search::like("r.search", word, &mut args));
    }
    Terms { sql: sql.join(" AND "), args }
}

/// Whether lists filter and sort by a column.
fn is_compared(spec: &TableSpec, column: &str) -> bool {
    spec.columns.iter().any(|col| col.id == column && !col.many && col.storage == Storage::Text)
}

/// One page of a register and how many rows there are (capped): a fixed number of queries, five at most.
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
        direction: if f.descending { "DESC" } else { "ASC" },
        offset,
        limit,
    };
    let units = viewer.units.as_ref().map(Vec::len);
    let of_one = units.is_some_and(|n| n <= 1) || f.equals.iter().any(|(column, _)| *column == spec.owner);
    let most = match units {
        _ if of_one => NAMED_OF_ONE_UNIT,
        Some(_) => NAMED_OF_UNITS,
        None => NAMED,
    };
    let found = search::candidates(c, &Index::of_register(&spec.id), &words).await?;
    let (mut rows, total) = match found {
        Some(k) if k.numbers.len() <= most => {
            among(c, spec, &terms(spec, viewer, f, &words, Way::Order), &page, &k.numbers).await?
        }
        found => {
            let way = if units.is_some_and(|n| n <= FEW_UNITS) { Way::Units } else { Way::Order };
            let terms = terms(spec, viewer, f, &words, way);
            let rows = walk(c, spec, &terms, &page).await?;
            (rows, total(c, spec, &terms, found.filter(|_| !of_one)).await?)
        }
    };
    add_many(c, spec, &mut rows).await?;
    Ok((rows, total))
}

struct Page<'a> {
    column: &'a str,
    direction: &'static str,
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
    let to = page.direction;
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

/// A page and the count among rows named by number.
async fn among(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    terms: &Terms,
    page: &Page<'_>,
    numbers: &[i64],
) -> Result<(Vec<RegisterRow>, i64), StoreError> {
    let mut a = terms.args.clone();
    a.push(page.limit.into());
    a.push(page.offset.into());
    let sql = format!(
        "WITH hit AS MATERIALIZED (SELECT r.id AS hit_id, r.c_{by} AS place, r.c_{key} AS hit_key FROM r_{id} r WHERE r.no IN ({numbers}) AND {terms})
         SELECT hit_id, (SELECT COUNT(*) FROM hit) FROM hit ORDER BY place {to}, hit_key {to} LIMIT ${limit} OFFSET ${offset}",
        by = page.column,
        key = spec.key,
        to = page.direction,
        id = spec.id,
        numbers = search::literals(numbers),
        terms = terms.sql,
        limit = a.len() - 1,
        offset = a.len(),
    );
    let hits = c.all_once(&sql, a).await?;
    let Some(first) = hits.first() else {
        // Beyond the last page the query has no row to carry the count.
        let total = if page.offset == 0 { 0 } else { count_among(c, spec, terms, numbers).await? };
        return Ok((Vec::new(), total));
    };
    let total = first.int(1)?.min(COUNT_CAP + 1);
    let ids: Vec<String> = hits.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    let mut by_id: HashMap<String, RegisterRow> = HashMap::with_capacity(ids.len());
    for some in ids.chunks(FETCHED) {
        let mut a = Vec::new();
        let sql =
            format!("SELECT {} FROM r_{} r WHERE r.id IN ({})", select(spec), spec.id, marks(some, &mut a));
        for r in c.all(&sql, a).await? {
            let row = read_row(spec, &r)?;
            by_id.insert(row.id.clone(), row);
        }
    }
    Ok((ids.iter().filter_map(|id| by_id.remove(id)).collect(), total))
}

/// How many rows the terms hold for, at most one more than is shown as exact.
async fn total(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    terms: &Terms,
    found: Option<Candidates>,
) -> Result<i64, StoreError> {
    // A rather frequent word: a good part of the candidates settles that there are more than are counted, without reading all.
    if let Some(k) = found.filter(|k| i64::try_from(k.numbers.len()).is_ok_and(|n| n < k.highest / 4)) {
        let some = k.numbers.get(..NAMED + NAMED / 4).unwrap_or(&k.numbers);
        let n = count_among(c, spec, terms, some).await?;
        if n > COUNT_CAP || some.len() == k.numbers.len() {
            return Ok(n);
        }
    }
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM r_{} r WHERE {} LIMIT {}) t",
        spec.id,
        terms.sql,
        COUNT_CAP + 1
    );
    c.count(&sql, terms.args.clone()).await
}

async fn count_among(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    terms: &Terms,
    numbers: &[i64],
) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM r_{} r WHERE r.no IN ({}) AND {} LIMIT {}) t",
        spec.id,
        search::literals(numbers),
        terms.sql,
        COUNT_CAP + 1
    );
    c.all_once(&sql, terms.args.clone()).await?.first().map_or(Ok(0), |r| r.int(0))
}

/// How many rows a register has.
///
/// # Errors
/// The database failed.
pub async fn count(c: &mut Conn<'_>, spec: &TableSpec) -> Result<i64, StoreError> {
    c.count(&format!("SELECT COUNT(*) FROM r_{}", spec.id), vec![]).await
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
