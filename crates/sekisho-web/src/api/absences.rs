//! Absences and delegations.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use schemars::JsonSchema;
use sekisho_app::absences::{AbsenceForm, AbsencePage};
use sekisho_app::delegations::{DelegationForm, DelegationPage};
use serde::Deserialize;

use super::Route;
use super::caller::{ApiWho, Pressed, Sent};
use super::problem::ApiError;
use crate::Web;

const TAG: &str = "不在と職務代理";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<AbsencePage>(TAG, "/absences", "自分と課の人の不在", get(absences)),
        Route::write::<Absence, AbsencePage>("post", TAG, "/absences", "不在を登録する", post(record)),
        Route::press(TAG, "/absences/{id}/cancel", "不在を取り消す", post(cancel)),
        Route::read::<DelegationPage>(TAG, "/delegations", "職務代理", get(delegations)),
        Route::write::<Delegation, DelegationPage>(
            "post",
            TAG,
            "/delegations",
            "職務代理を願い出る",
            post(propose),
        ),
        Route::write::<Decision, DelegationPage>(
            "post",
            TAG,
            "/delegations/{id}/decision",
            "職務代理を承認する、または承認しない",
            post(decide),
        ),
        Route::press(TAG, "/delegations/{id}/end", "職務代理を終わりにする", post(end)),
    ]
}

/// An absence.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Absence {
    /// Person number; empty for oneself.
    #[serde(default)]
    person: String,
    /// First day.
    from: String,
    /// Last day; empty for one day.
    #[serde(default)]
    until: String,
    /// Kind.
    kind: String,
    /// Note.
    #[serde(default)]
    note: String,
}

/// A delegation to be approved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Delegation {
    /// Post code, or `post/role`.
    what: String,
    /// Person number of the delegate.
    person: String,
    /// First day.
    from: String,
    /// Last day.
    until: String,
    /// Why.
    note: String,
}

/// A decision about a delegation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// Yes or no.
    approve: bool,
    /// What is said with it.
    #[serde(default)]
    says: String,
}

async fn absences(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<AbsencePage>, ApiError> {
    Ok(Json(web.office.absences(&who, AbsenceForm::default()).await?))
}

async fn record(State(web): State<Web>, Sent(who, a): Sent<Absence>) -> Result<Json<AbsencePage>, ApiError> {
    let form = AbsenceForm { person: a.person, from: a.from, until: a.until, kind: a.kind, note: a.note };
    web.office.record_absence(&who, &form).await?;
    Ok(Json(web.office.absences(&who, AbsenceForm::default()).await?))
}

async fn cancel(
    State(web): State<Web>,
    Path(id): Path<String>,
    Pressed(who): Pressed,
) -> Result<StatusCode, ApiError> {
    web.office.cancel_absence(&who, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delegations(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<DelegationPage>, ApiError> {
    Ok(Json(web.office.delegations(&who, DelegationForm::default()).await?))
}

async fn propose(
    State(web): State<Web>,
    Sent(who, d): Sent<Delegation>,
) -> Result<Json<DelegationPage>, ApiError> {
    let form = DelegationForm {
        what: d.what,
        person: d.person,
        pick: String::new(),
        from: d.from,
        until: d.until,
        note: d.note,
    };
    web.office.propose_delegation(&who, &form).await?;
    Ok(Json(web.office.delegations(&who, DelegationForm::default()).await?))
}

async fn decide(
    State(web): State<Web>,
    Path(id): Path<String>,
    Sent(who, d): Sent<Decision>,
) -> Result<Json<DelegationPage>, ApiError> {
    web.office.decide_delegation(&who, &id, d.approve, &d.says).await?;
    Ok(Json(web.office.delegations(&who, DelegationForm::default()).await?))
}

async fn end(
    State(web): State<Web>,
    Path(id): Path<String>,
    Pressed(who): Pressed,
) -> Result<StatusCode, ApiError> {
    web.office.end_delegation(&who, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
