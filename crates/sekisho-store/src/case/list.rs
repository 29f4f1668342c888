//! Lists of cases as a viewer may see them.

use std::collections::HashMap;

use sekisho_base::Date;
use sekisho_base::limits::COUNT_CAP;

use super::{COLUMNS, CaseRow, case};
use crate::conn::{Arg, Row, marks};
use crate::search::{self, Index};
use crate::{Conn, StoreError, Viewer};

/// So many candidates of a word are named in a query; with more, a page is found at once by walking from the newest.
const NAMED: usize = 10_000;
/// With so many units or fewer, their cases are taken from the index by unit and sorted; with more, all are walked from the newest.
const FEW_UNITS: usize = 8;

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

/// The filter's own terms; who may see the case comes on top.
fn terms(f: &CaseFilter, words: &[String], a: &mut Vec<Arg>) -> String {
    let mut terms = vec!["TRUE".to_owned()];
    for (column, value) in [("procedure", &f.procedure), ("status", &f.status), ("applicant", &f.applicant)] {
        if let Some(v) = value {
            a.push(v.into());
            terms.push(format!("f.{column} = ${}", a.len()));
        }
    }
    for word in words {
        terms.push(search::like("f.search", word, a));
    }
    if let Some(day) = f.due_before {
        a.push(day.into());
        terms.push(format!("f.due <> '' AND f.due < ${}", a.len()));
    }
    if let Some((register, row)) = &f.item {
        a.push(register.into());
        a.push(row.into());
        terms.push(format!(
            "f.id IN (SELECT i.case_id FROM case_item i WHERE i.register = ${} AND i.row_id = ${})",
            a.len() - 1,
            a.len()
        ));
    }
    terms.join(" AND ")
}

/// Cases, newest first, and how many there are (capped): a fixed number of queries, four at most.
///
/// # Errors
/// The database failed.
pub async fn list(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    f: &CaseFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<CaseRow>, i64), StoreError> {
    let words = search::fold(&f.words);
    let mut a = Vec::new();
    let mut terms = terms(f, &words, &mut a);
    let found = search::candidates(c, &Index::of_cases(), &words).await?;
    let named = found.filter(|k| k.numbers.len() <= NAMED);
    if let Some(k) = &named {
        terms.push_str(&format!(" AND f.no IN ({})", search::literals(&k.numbers)));
    }
    let (by_index, walked) = visible(viewer, &terms, &mut a);
    let count = format!("SELECT COUNT(*) FROM ({by_index} LIMIT {}) t", COUNT_CAP + 1);
    let before = a.clone();
    a.push(limit.into());
    a.push(offset.into());
    let page = format!("ORDER BY t.opened_at DESC, t.id DESC LIMIT ${} OFFSET ${}", a.len() - 1, a.len());
    if named.is_some() {
        // Few enough to be looked through once, for the page and the count.
        let sql = format!(
            "WITH hit AS MATERIALIZED ({by_index}) SELECT t.id, (SELECT COUNT(*) FROM hit) FROM hit t {page}"
        );
        let hits = c.all_once(&sql, a).await?;
        let total = match hits.first() {
            Some(r) => r.int(1)?.min(COUNT_CAP + 1),
            None if offset == 0 => 0,
            // Beyond the last page there is no row to carry the count.
            None => number(c, &count, before).await?,
        };
        return Ok((fetch(c, &hits).await?, total));
    }
    let total = number(c, &count, before).await?;
    let few = viewer.units.as_ref().is_some_and(|units| units.len() <= FEW_UNITS);
    let sql = format!("SELECT t.id FROM ({}) t {page}", if few { by_index } else { walked });
    let rows = c.all(&sql, a).await?;
    Ok((fetch(c, &rows).await?, total))
}

async fn number(c: &mut Conn<'_>, sql: &str, a: Vec<Arg>) -> Result<i64, StoreError> {
    c.all_once(sql, a).await?.first().map_or(Ok(0), |r| r.int(0))
}

/// Two texts of one meaning, for the cases that the viewer may see: with the indexes by unit and by person, and for a walk.
fn visible(viewer: &Viewer, terms: &str, a: &mut Vec<Arg>) -> (String, String) {
    let all = format!("SELECT f.id, f.opened_at FROM case_file f WHERE {terms}");
    if viewer.units.is_none() {
        return (all.clone(), all);
    }
    let before = a.len();
    let units = viewer.unit_predicate("f.unit", a);
    a.push(Arg::from(&viewer.person));
    let person = a.len();
    let by_index = format!(
        "{all} AND {units} UNION ALL SELECT f.id, f.opened_at FROM case_party p JOIN case_file f ON f.id = p.case_id
         WHERE p.person = ${person} AND NOT ({units}) AND {terms}"
    );
    // The empty text appended keeps the planner from sorting the cases of half the body instead of walking them.
    let mut same = a.get(..before).map(<[Arg]>::to_vec).unwrap_or_default();
    let loose = viewer.unit_predicate("(f.unit || '')", &mut same);
    let walked = format!(
        "{all} AND ({loose} OR f.id IN (SELECT p.case_id FROM case_party p WHERE p.person = ${person}))"
    );
    (by_index, walked)
}

/// The rows of a page come last: a state is long, and what a page skips need not be read or sorted with it.
async fn fetch(c: &mut Conn<'_>, found: &[Row]) -> Result<Vec<CaseRow>, StoreError> {
    let ids: Vec<String> = found.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
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
