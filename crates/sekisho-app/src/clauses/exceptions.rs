//! Exceptions (例外措置): cases whose permit takes a section out of clauses while it is valid. An exception replaces only what it
//! covers: rows of the applicant's section, for the clauses that were applied for.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use sekisho_case::case::CaseState;
use sekisho_pack::model::{Pack, Procedure};
use sekisho_store::{Conn, case};

use super::Evidence;
use super::view::ExceptionLine;
use crate::directory::Directory;
use crate::error::AppError;
use crate::people::Me;

/// Cases under way that are read; more exceptions than this are no exceptions.
const MOST: i64 = 2_000;

/// One exception in force.
pub(super) struct Exception {
    case: String,
    number: String,
    clauses: Vec<String>,
    unit: String,
    units: Vec<String>,
    until: Date,
}

impl Evidence {
    /// Units that exceptions in force take out of a clause.
    pub(super) fn excepted(&self, clause: &str) -> BTreeSet<&str> {
        let of_clause = self.exceptions.iter().filter(|e| e.clauses.iter().any(|c| c == clause));
        of_clause.flat_map(|e| &e.units).map(String::as_str).collect()
    }

    /// The same for the clause's page.
    /// The case is named to those who may see it.
    pub(super) fn exception_lines(&self, clause: &str, me: &Me, d: &Directory) -> Vec<ExceptionLine> {
        let of_clause = self.exceptions.iter().filter(|e| e.clauses.iter().any(|c| c == clause));
        of_clause
            .map(|e| ExceptionLine {
                case: if me.sees_unit(&e.unit) { e.case.clone() } else { String::new() },
                number: if me.sees_unit(&e.unit) { e.number.clone() } else { String::new() },
                unit: d.unit_name(&e.unit).to_owned(),
                until: e.until.japanese(),
            })
            .collect()
    }
}

/// Exceptions in force at a moment, as it was known then: one query.
pub(super) async fn exceptions(
    c: &mut Conn<'_>,
    pack: &Pack,
    d: &Directory,
    at: Instant,
) -> Result<Vec<Exception>, AppError> {
    let field = |p: &Procedure| p.permit.as_ref().and_then(|s| s.excepts.clone());
    let fields: BTreeMap<&str, String> =
        pack.procedures.values().filter_map(|p| Some((p.id.as_str(), field(p)?))).collect();
    let procedures: Vec<String> = fields.keys().map(|id| (*id).to_owned()).collect();
    let mut found = Vec::new();
    for text in case::states_at(c, &procedures, at, MOST).await? {
        let state: CaseState = serde_json::from_str(&text).map_err(AppError::internal)?;
        let field = fields.get(state.procedure.as_str());
        found.extend(field.and_then(|field| in_force(&state, field, at, d)));
    }
    Ok(found)
}

fn in_force(state: &CaseState, field: &str, at: Instant, d: &Directory) -> Option<Exception> {
    let permit = state.permit.as_ref()?;
    let revoked = permit.revoked.as_ref().is_some_and(|r| r.at <= at);
    let day = at.date();
    let closed = state.closed_at.is_some_and(|c| c <= at);
    if permit.issued_at > at || revoked || closed || day < permit.from || day > permit.until {
        return None;
    }
    let clauses = state.content.fields.get(field)?.as_array()?;
    let section = d
        .nearest(&state.applicant.unit, &["section", "branch"])
        .map_or_else(|| state.applicant.unit.clone(), |u| u.code.clone());
    Some(Exception {
        case: state.id.clone(),
        number: state.number.clone(),
        clauses: clauses.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        units: d.below(&section),
        unit: section,
        until: permit.until,
    })
}
