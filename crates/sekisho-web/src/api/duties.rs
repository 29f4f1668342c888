//! Duties: lists, one duty, one occurrence, doing it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use schemars::JsonSchema;
use sekisho_app::duties::{DutiesQuery, DutiesView, DutyPage, OccurrencePage};
use serde::Deserialize;

use super::Route;
use super::caller::{ApiWho, Sent};
use super::cases::Values;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

const TAG: &str = "定期の仕事";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<DutiesView>(TAG, "/duties", "定期の仕事の一覧", get(index)).asks(&[
            ("all", "1なら自分のもの以外も"),
            ("late", "1なら期限切れだけ"),
            ("page", "ページ。1から"),
        ]),
        Route::read::<DutyPage>(TAG, "/duties/{duty}", "1つの仕事と、その各回", get(duty)),
        Route::read::<OccurrencePage>(TAG, "/duties/{duty}/{occurrence}", "1回分", get(show)),
        Route::write::<Done, OccurrencePage>(
            "post",
            TAG,
            "/duties/{duty}/{occurrence}/done",
            "行ったことを記録する",
            post(done),
        ),
    ]
}

/// The record of a duty.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Done {
    /// Evidence by field name.
    values: Values,
}

async fn index(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<DutiesView>, ApiError> {
    let query =
        DutiesQuery { all: asked.get("all") == "1", late: asked.get("late") == "1", page: asked.page() };
    Ok(Json(web.office.duties(&who, &query).await?))
}

async fn duty(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<DutyPage>, ApiError> {
    Ok(Json(web.office.duty(&who, &id).await?))
}

async fn show(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path((duty, id)): Path<(String, String)>,
) -> Result<Json<OccurrencePage>, ApiError> {
    Ok(Json(web.office.duty_occurrence(&who, &duty, &id, None).await?))
}

async fn done(
    State(web): State<Web>,
    Path((duty, id)): Path<(String, String)>,
    Sent(who, sent): Sent<Done>,
) -> Result<Json<OccurrencePage>, ApiError> {
    web.office.do_duty(&who, &duty, &id, &sent.values.lists()).await?;
    Ok(Json(web.office.duty_occurrence(&who, &duty, &id, None).await?))
}
