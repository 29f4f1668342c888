//! Lists of a register, and the rows that a check asks for.

use sekisho_base::limits::COUNT_CAP;
use sekisho_base::table::TableSpec;
use sekisho_boxed::boxed;

use super::row::{RegisterRow, add_many, read_row, select};
use crate::conn::{Arg, capped_counts, marks};
use crate::index::{self, Seen, Source, Standing, TailRow, Wanted, is_compared};
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

/// What a list is about.
#[derive(Clone, Copy)]
struct Asked<'a> {
    viewer: &'a Viewer,
    filter: &'a Filter,
    /// The filter's words, folded.
    words: &'a [String],
}

/// The terms of a list's WHERE and their arguments.
struct Terms {
    sql: String,
    args: Vec<Arg>,
}

impl Asked<'_> {
    fn terms(self, spec: &TableSpec) -> Terms {
        let mut args = Vec::new();
        Terms { sql: terms(spec, self, &mut args), args }
    }
}

/// What must hold for the rows of a list, over a table or query named `r`; adds its arguments.
fn terms(spec: &TableSpec, asked: Asked<'_>, args: &mut Vec<Arg>) -> String {
    let Asked { viewer, filter: f, words } = asked;
    let mut sql = vec![viewer.unit_predicate(&format!("r.c_{}", spec.owner), args)];
    for (column, value) in compared(spec, f) {
        args.push(value.into());
        sql.push(format!("r.c_{column} = ${}", args.len()));
    }
    for word in words {
        sql.push(search::like("r.search", word, args));
    }
    sql.join(" AND ")
}

fn compared<'a>(spec: &TableSpec, f: &'a Filter) -> impl Iterator<Item = &'a (String, String)> {
    f.equals.iter().filter(|(column, _)| is_compared(spec, column))
}

/// One page of a register and how many rows there are (capped): a fixed number of queries, six at most.
///
/// # Errors
/// The database failed.
#[boxed]
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
    let asked = Asked { viewer, filter: f, words: &words };
    // One order, at most one condition that begins it: what an index of the database gives as it stands.
    let units = viewer.units.as_ref().map_or(0, Vec::len);
    let conditions = compared(spec, f).count() + units;
    let in_order = conditions == 0 || (conditions == 1 && page.column == spec.key);
    let (mut rows, total) = if words.is_empty() && in_order && offset <= WALKED {
        let terms = asked.terms(spec);
        (walk(c, spec, &terms, &page).await?, count_of(c, spec, &terms).await?)
    } else {
        let source = Source::of_register(spec);
        let standing = index::standing_of(c, &source).await?;
        let order = [Order { spec, source: &source, sort: page.column, from: standing.from }];
        let tail = tails(c, &order, asked).await?.pop().unwrap_or_default();
        picked(c, (spec, &source), asked, &page, standing, &tail).await?
    };
    add_many(c, spec, &mut rows).await?;
    Ok((rows, total))
}

/// The first rows of several registers in which every word occurs, and how many there are of each (capped). What is asked once for all
/// registers are three queries; those in which something may be found cost five more at most.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn find(
    c: &mut Conn<'_>,
    specs: &[TableSpec],
    viewer: &Viewer,
    words: &[String],
    offset: i64,
    limit: i64,
) -> Result<Vec<(Vec<RegisterRow>, i64)>, StoreError> {
    let words = search::fold(words);
    let filter = Filter::default();
    let asked = Asked { viewer, filter: &filter, words: &words };
    let sources: Vec<Source> = specs.iter().map(Source::of_register).collect();
    let standings = index::standing(c, &sources).await?;
    let registers = || specs.iter().zip(&sources);
    let orders: Vec<Order<'_>> = registers()
        .zip(&standings)
        .map(|((spec, source), s)| Order { spec, source, sort: &spec.key, from: s.from })
        .collect();
    let tails = tails(c, &orders, asked).await?;
    let mut found = Vec::with_capacity(specs.len());
    for (((spec, source), standing), tail) in registers().zip(standings).zip(tails) {
        let page = Page { column: &spec.key, descending: false, offset, limit };
        let (mut rows, total) = picked(c, (spec, source), asked, &page, standing, &tail).await?;
        add_many(c, spec, &mut rows).await?;
        found.push((rows, total));
    }
    Ok(found)
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
    let table = (format!("r_{} r", spec.id), terms.sql.clone());
    Ok(capped_counts(c, [table], terms.args.clone()).await?.pop().unwrap_or_default())
}

/// A page and the count by the index of words and columns.
async fn picked(
    c: &mut Conn<'_>,
    (spec, source): (&TableSpec, &Source),
    asked: Asked<'_>,
    page: &Page<'_>,
    standing: Standing,
    tail: &[TailRow],
) -> Result<(Vec<RegisterRow>, i64), StoreError> {
    let terms = asked.terms(spec);
    let (sort, key) = (format!("c_{}", page.column), format!("c_{}", spec.key));
    let wanted = Wanted {
        words: asked.words.to_vec(),
        equals: compared(spec, asked.filter)
            .map(|(column, value)| (format!("c_{column}"), value.clone()))
            .collect(),
        seen: asked.viewer.units.clone().map(|units| Seen {
            column: format!("c_{}", spec.owner),
            units,
            also: Default::default(),
        }),
        sets: Vec::new(),
        tie: if sort == key { String::new() } else { key },
        sort,
        descending: page.descending,
    };
    let picked = index::pick(c, source, standing, &wanted, tail, page.offset, page.limit).await?;
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

/// In which order the unfilled block of a register is read, and the last number before it.
struct Order<'a> {
    spec: &'a TableSpec,
    source: &'a Source,
    sort: &'a str,
    from: i64,
}

/// The rows of the unfilled blocks for which the terms hold, by register: one query.
async fn tails(
    c: &mut Conn<'_>,
    orders: &[Order<'_>],
    asked: Asked<'_>,
) -> Result<Vec<Vec<TailRow>>, StoreError> {
    let (mut a, mut apart, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, Order { spec, source, sort, from }) in orders.iter().enumerate() {
        a.push(Arg::from(*from));
        // Apart, so that no planner takes another index first.
        apart.push(format!(
            "t{at} AS MATERIALIZED (SELECT no, search, {} FROM r_{} WHERE no > ${})",
            source.columns.join(", "),
            spec.id,
            a.len()
        ));
        let terms = terms(spec, asked, &mut a);
        parts.push(format!(
            "SELECT CAST({at} AS BIGINT), r.no, r.c_{sort}, r.c_{} FROM t{at} r WHERE {terms}",
            spec.key
        ));
    }
    let mut found: Vec<Vec<TailRow>> = orders.iter().map(|_| Vec::new()).collect();
    if parts.is_empty() {
        return Ok(found);
    }
    let sql = format!("WITH {} {}", apart.join(", "), parts.join(" UNION ALL "));
    for r in c.all(&sql, a).await? {
        let at = usize::try_from(r.int(0)?).unwrap_or(usize::MAX);
        if let Some(tail) = found.get_mut(at) {
            tail.push(TailRow { no: r.int(1)?, sort: r.text(2)?, tie: r.text(3)? });
        }
    }
    Ok(found)
}

/// How many rows registers have, each capped as lists cap it: one query.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn counts(c: &mut Conn<'_>, specs: &[TableSpec]) -> Result<Vec<i64>, StoreError> {
    let tables = specs.iter().map(|spec| (format!("r_{} r", spec.id), "TRUE".to_owned()));
    capped_counts(c, tables, vec![]).await
}

/// How many rows a register has.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn count(c: &mut Conn<'_>, spec: &TableSpec) -> Result<i64, StoreError> {
    c.count(&format!("SELECT COUNT(*) FROM r_{}", spec.id), vec![]).await
}

/// Values of one query of [`count_in`].
const NAMED: usize = 200;

/// How many rows have one of these values, each given once, in a text column.
///
/// # Errors
/// The database failed.
#[boxed]
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
#[boxed]
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
