//! Lists of cases as a viewer may see them.

use std::collections::HashMap;

use sekisho_base::Date;
use sekisho_base::limits::COUNT_CAP;
use sekisho_boxed::boxed;

use super::{COLUMNS, CaseRow, case};
use crate::conn::{Arg, marks};
use crate::index::{self, Seen, Source, TailRow, Wanted};
use crate::{Conn, StoreError, Viewer, args, search};

/// Cases that a list walks past at most; a page further down is found by the index.
const WALKED: i64 = 2_000;

/// Rows of one query: a page needs one, an export many.
const FETCHED: usize = 500;

/// What a list of cases is filtered by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Procedure.
    pub procedure: Option<String>,
    /// Status.
    pub status: Option<String>,
    /// Applicant.
    pub applicant: Option<String>,
    /// Words, each must occur in the search text.
    pub words: Vec<String>,
    /// Only those with a due date before this day.
    pub due_before: Option<Date>,
    /// Only those about this register row.
    pub item: Option<(String, String)>,
}

/// Columns that conditions and order are about; the state is long and left out.
const TERMS_OVER: &str = "id, no, procedure, status, applicant, unit, opened_at, due, search";

/// By which index the rows of a query are to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Any that fits.
    Any,
    /// Those of the unit and of the person. Half of all cases may have one status or one procedure, a unit has few, and SQLite would not know.
    Unit,
}

impl By {
    /// A column that must equal an argument, written so that an index of it is taken only where it may be.
    fn equal(self, column: &str, argument: usize) -> String {
        let common = matches!(column, "status" | "procedure");
        // No index is over an expression.
        let kept = if self == Self::Unit && common { " || ''" } else { "" };
        format!("f.{column}{kept} = ${argument}")
    }
}

/// A condition of a filter over a table or query named `f`; adds its arguments.
type Condition = fn(&CaseFilter, By, &mut Vec<Arg>) -> Option<String>;

/// What changes without a case getting a new number.
const CONDITIONS: [Condition; 3] = [status, late, about];

fn status(f: &CaseFilter, by: By, a: &mut Vec<Arg>) -> Option<String> {
    a.push(f.status.as_ref()?.into());
    Some(by.equal("status", a.len()))
}

fn late(f: &CaseFilter, _: By, a: &mut Vec<Arg>) -> Option<String> {
    a.push(f.due_before?.into());
    Some(format!("f.due <> '' AND f.due < ${}", a.len()))
}

fn about(f: &CaseFilter, _: By, a: &mut Vec<Arg>) -> Option<String> {
    let (register, row) = f.item.as_ref()?;
    a.push(register.into());
    a.push(row.into());
    Some(format!(
        "f.id IN (SELECT i.case_id FROM case_item i WHERE i.register = ${} AND i.row_id = ${})",
        a.len() - 1,
        a.len()
    ))
}

/// Columns that do not change without a new number, with the text they must equal.
fn equals(f: &CaseFilter) -> Vec<(String, String)> {
    [("applicant", &f.applicant), ("procedure", &f.procedure)]
        .into_iter()
        .filter_map(|(column, value)| Some((column.to_owned(), value.clone()?)))
        .collect()
}

/// All of the filter's terms; who may see the case comes on top.
fn terms(f: &CaseFilter, words: &[String], by: By, a: &mut Vec<Arg>) -> String {
    let mut terms = vec!["TRUE".to_owned()];
    for (column, value) in equals(f) {
        a.push(value.into());
        terms.push(by.equal(&column, a.len()));
    }
    terms.extend(CONDITIONS.iter().filter_map(|condition| condition(f, by, a)));
    for word in words {
        terms.push(search::like("f.search", word, a));
    }
    terms.join(" AND ")
}

/// Cases, newest first, and how many there are (capped): a fixed number of queries, nine at most.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    f: &CaseFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<CaseRow>, i64), StoreError> {
    let words = search::fold(&f.words);
    let one_unit = viewer.units.as_ref().is_none_or(|units| units.len() <= 1);
    if words.is_empty() && one_unit && f.due_before.is_none() && offset <= WALKED {
        return walk(c, viewer, f, offset, limit).await;
    }
    picked(c, viewer, f, words, offset, limit).await
}

/// The newest cases of several procedures that the viewer may see, at most `each` of any, procedure by procedure: two queries, however many.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn newest_of(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    procedures: &[String],
    each: i64,
) -> Result<Vec<CaseRow>, StoreError> {
    let mut a = Vec::new();
    let by = if viewer.units.is_some() { By::Unit } else { By::Any };
    let mut arms = Vec::new();
    for (i, procedure) in procedures.iter().enumerate() {
        let filter = CaseFilter { procedure: Some(procedure.clone()), ..CaseFilter::default() };
        let terms = terms(&filter, &[], by, &mut a);
        let seen = visible(viewer, &terms, &mut a);
        a.push(each.into());
        arms.push(format!(
            "SELECT * FROM (SELECT {i} AS arm, t.opened_at, t.id FROM ({seen}) t ORDER BY t.opened_at DESC, t.id DESC LIMIT ${}) x{i}",
            a.len()
        ));
    }
    if arms.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "SELECT u.id FROM ({}) u ORDER BY u.arm, u.opened_at DESC, u.id DESC",
        arms.join(" UNION ALL ")
    );
    let ids: Vec<String> = c.all_once(&sql, a).await?.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    fetch(c, &ids).await
}

/// Rows of one query of [`under_way`].
const NAMED: usize = 200;

/// Cases under way about rows of a register: row id and case id, in order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn under_way(
    c: &mut Conn<'_>,
    register: &str,
    rows: &[String],
) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for some in rows.chunks(NAMED) {
        let mut a = args![register];
        let marks = marks(some, &mut a);
        let sql = format!(
            "SELECT i.row_id, i.case_id FROM case_item i JOIN case_file f ON f.id = i.case_id
             WHERE i.register = $1 AND i.row_id IN ({marks}) AND f.closed_at IS NULL ORDER BY i.row_id, i.case_id"
        );
        for r in c.all_once(&sql, a).await? {
            found.push((r.text(0)?, r.text(1)?));
        }
    }
    Ok(found)
}

/// A page in the order of an index.
async fn walk(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    f: &CaseFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<CaseRow>, i64), StoreError> {
    let mut a = Vec::new();
    let by = if viewer.units.is_some() { By::Unit } else { By::Any };
    let terms = terms(f, &[], by, &mut a);
    let seen = visible(viewer, &terms, &mut a);
    let count = format!("SELECT COUNT(*) FROM ({seen} LIMIT {}) t", COUNT_CAP + 1);
    let total = c.count(&count, a.clone()).await?;
    a.push(limit.into());
    a.push(offset.into());
    let sql = format!(
        "SELECT t.id FROM ({seen}) t ORDER BY t.opened_at DESC, t.id DESC LIMIT ${} OFFSET ${}",
        a.len() - 1,
        a.len()
    );
    let ids: Vec<String> = c.all(&sql, a).await?.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    Ok((fetch(c, &ids).await?, total))
}

/// The cases that the viewer may see, with the indexes by unit and by person.
fn visible(viewer: &Viewer, terms: &str, a: &mut Vec<Arg>) -> String {
    let all = format!("SELECT f.id, f.opened_at FROM case_file f WHERE {terms}");
    if viewer.units.is_none() {
        return all;
    }
    let units = viewer.unit_predicate("f.unit", a);
    a.push(Arg::from(&viewer.person));
    // CROSS JOIN: the few cases of the person first, on SQLite too.
    format!(
        "{all} AND {units} UNION ALL SELECT f.id, f.opened_at FROM case_party p CROSS JOIN case_file f
         WHERE p.person = ${} AND f.id = p.case_id AND NOT ({units}) AND {terms}",
        a.len()
    )
}

/// A page and the count by the index of words and columns.
async fn picked(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    f: &CaseFilter,
    words: Vec<String>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<CaseRow>, i64), StoreError> {
    let source = Source::of_cases();
    let mut sets = Vec::new();
    for condition in CONDITIONS {
        let mut a = Vec::new();
        if let Some(sql) = condition(f, By::Any, &mut a) {
            sets.push(index::numbers(c, "f.no", &format!("case_file f WHERE {sql}"), a).await?);
        }
    }
    let seen = match &viewer.units {
        None => None,
        Some(units) => {
            let own = "case_party p JOIN case_file f ON f.id = p.case_id WHERE p.person = $1";
            let also = index::numbers(c, "f.no", own, args![&viewer.person]).await?;
            Some(Seen { column: "unit".to_owned(), units: units.clone(), also })
        }
    };
    // Over the few rows in question: the unit, or a row of case_party.
    let mut a = Vec::new();
    let mut terms = terms(f, &words, By::Any, &mut a);
    if viewer.units.is_some() {
        let units = viewer.unit_predicate("f.unit", &mut a);
        a.push(Arg::from(&viewer.person));
        terms.push_str(&format!(
            " AND ({units} OR EXISTS (SELECT 1 FROM case_party p WHERE p.case_id = f.id AND p.person = ${}))",
            a.len()
        ));
    }
    let wanted = Wanted {
        words,
        equals: equals(f),
        seen,
        sets,
        sort: "opened_at".to_owned(),
        tie: String::new(),
        descending: true,
    };
    let standing = index::standing_of(c, &source).await?;
    let tail = tail(c, standing.from, &terms, &a).await?;
    let picked = index::pick(c, &source, standing, &wanted, &tail, offset, limit).await?;
    let mut found = Vec::with_capacity(picked.numbers.len());
    for some in picked.numbers.chunks(FETCHED) {
        // The terms again: whatever the index says, nothing is shown for which they do not hold. The cases apart, so that no
        // planner takes another index first.
        let sql = format!(
            "WITH named AS MATERIALIZED (SELECT {TERMS_OVER} FROM case_file WHERE no IN ({})) SELECT f.opened_at, f.id FROM named f WHERE {terms}",
            index::rows_of(some)
        );
        for r in c.all_once(&sql, a.clone()).await? {
            found.push((r.text(0)?, r.text(1)?));
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    let limit = usize::try_from(limit).unwrap_or(0);
    let ids: Vec<String> = found.into_iter().skip(picked.skip).take(limit).map(|(_, id)| id).collect();
    Ok((fetch(c, &ids).await?, picked.total.min(COUNT_CAP + 1)))
}

/// The cases of the unfilled block for which the terms hold.
async fn tail(c: &mut Conn<'_>, from: i64, terms: &str, a: &[Arg]) -> Result<Vec<TailRow>, StoreError> {
    let mut a = a.to_vec();
    a.push(from.into());
    // Apart, so that no planner takes another index first.
    let sql = format!(
        "WITH tail AS MATERIALIZED (SELECT {TERMS_OVER} FROM case_file WHERE no > ${})
         SELECT f.no, f.opened_at FROM tail f WHERE {terms}",
        a.len()
    );
    let rows = c.all(&sql, a).await?;
    rows.iter().map(|r| Ok(TailRow { no: r.int(0)?, sort: r.text(1)?, tie: String::new() })).collect()
}

/// Cases by id, as a viewer may see them, in the order of the ids.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_ids(c: &mut Conn<'_>, viewer: &Viewer, ids: &[String]) -> Result<Vec<CaseRow>, StoreError> {
    let mut a = Vec::new();
    let seen = viewer.case_predicate("f.id", &mut a);
    let sql = format!("SELECT f.id FROM case_file f WHERE f.id IN ({}) AND {seen}", marks(ids, &mut a));
    let rows = c.all(&sql, a).await?;
    let known: Vec<String> = rows.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    let some: Vec<String> = ids.iter().filter(|id| known.contains(id)).cloned().collect();
    fetch(c, &some).await
}

/// The rows of a page come last: a state is long, and what a page skips need not be read or sorted with it.
async fn fetch(c: &mut Conn<'_>, ids: &[String]) -> Result<Vec<CaseRow>, StoreError> {
    let mut rows: HashMap<String, CaseRow> = HashMap::with_capacity(ids.len());
    for some in ids.chunks(FETCHED) {
        let mut a = Vec::new();
        let sql = format!("SELECT {COLUMNS} FROM case_file WHERE id IN ({})", marks(some, &mut a));
        for r in c.all(&sql, a).await? {
            let row = case(&r)?;
            rows.insert(row.id.clone(), row);
        }
    }
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_half_of_the_cases_share_are_kept_from_the_planner_only_where_the_unit_is_to_be_taken() {
        let f = CaseFilter {
            procedure: Some("take_out".to_owned()),
            status: Some("open".to_owned()),
            applicant: Some("00001".to_owned()),
            item: Some(("status = procedure = asset".to_owned(), "R1".to_owned())),
            ..CaseFilter::default()
        };
        let about = "f.id IN (SELECT i.case_id FROM case_item i WHERE i.register = $4 AND i.row_id = $5)";
        for (by, procedure, status) in
            [(By::Any, "f.procedure", "f.status"), (By::Unit, "f.procedure || ''", "f.status || ''")]
        {
            let mut a = Vec::new();
            let all = format!("TRUE AND f.applicant = $1 AND {procedure} = $2 AND {status} = $3 AND {about}");
            assert_eq!(terms(&f, &[], by, &mut a), all);
            assert_eq!(a.len(), 5);
        }
    }
}
