//! Exceptions (例外措置): cases whose permit takes a section out of clauses while it is valid. An exception replaces only what it
//! covers: rows of the applicant's section, for the clauses that were applied for.

use std::collections::BTreeSet;

use sekisho_base::{Date, Instant};
use sekisho_case::case::CaseState;
use sekisho_pack::model::Pack;
use sekisho_store::Viewer;
use sekisho_store::case::{self, CaseFilter};

use super::Evidence;
use super::view::ExceptionLine;
use crate::directory::Directory;
use crate::error::AppError;
use crate::office::Office;
use crate::people::Me;

/// Cases of one procedure that are read; more exceptions than this are no exceptions.
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
                until: e.until.wareki(),
            })
            .collect()
    }
}

impl Office {
    /// Exceptions in force at a moment, as it was known then.
    pub(super) async fn exceptions(&self, pack: &Pack, at: Instant) -> Result<Vec<Exception>, AppError> {
        let d = self.directory().await?;
        let mut found = Vec::new();
        for p in pack.procedures.values() {
            let Some(field) = p.permit.as_ref().and_then(|s| s.excepts.clone()) else { continue };
            let filter = CaseFilter { procedure: Some(p.id.clone()), ..CaseFilter::default() };
            let rows = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        let (rows, _) =
                            case::list(c, &Viewer::whole_body("system"), &filter, 0, MOST).await?;
                        Ok::<_, AppError>(rows)
                    })
                })
                .await?;
            for row in rows {
                let state: CaseState = serde_json::from_str(&row.state).map_err(AppError::internal)?;
                found.extend(in_force(&state, &field, at, &d));
            }
        }
        Ok(found)
    }
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
