//! Registers: the list of them, rows, one row with its history, adding and changing.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post, put};
use schemars::JsonSchema;
use sekisho_app::registers::{EditForm, HistoryLine, RegisterLine, RegisterList, RowPage};
use sekisho_app::tokens::Scope;
use serde::Deserialize;

use super::Route;
use super::caller::{ApiWho, Sent};
use super::cases::Values;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;
use crate::pages::registers::query;

const TAG: &str = "台帳";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<Vec<RegisterLine>>(TAG, "/registers", "台帳の一覧", get(index)),
        Route::read::<RegisterList>(
            TAG,
            "/registers/{register}",
            "台帳の行の一覧。ほかに f.列名=値 で絞り込めます",
            get(list),
        )
        .asks(&[
            ("q", "ことばで探す"),
            ("sort", "並べる列。前に - を付けると逆順"),
            ("page", "ページ。1から"),
        ]),
        Route::read::<EditForm>(TAG, "/registers/{register}/form", "台帳の列（登録の様式）", get(form)),
        Route::write::<NewRow, RowPage>(
            "post",
            TAG,
            "/registers/{register}/rows",
            "1件登録する",
            post(create),
        )
        .for_token(Some(Scope::Registers)),
        Route::read::<RowPage>(TAG, "/registers/{register}/rows/{row}", "台帳の1件", get(row)),
        Route::write::<ChangedRow, RowPage>(
            "put",
            TAG,
            "/registers/{register}/rows/{row}",
            "台帳の1件を直す。送らなかった列は空になります。読んだ後にほかの人が直していれば409",
            put(change),
        )
        .for_token(Some(Scope::Registers)),
        Route::read::<Vec<HistoryLine>>(
            TAG,
            "/registers/{register}/rows/{row}/history",
            "台帳の1件の履歴",
            get(history),
        ),
    ]
}

/// A new row.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRow {
    /// Values by column id.
    values: Values,
}

/// A row as it should be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangedRow {
    /// Version that was read.
    version: i64,
    /// Every value by column id; what is left out becomes empty.
    values: Values,
}

async fn index(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Vec<RegisterLine>>, ApiError> {
    Ok(Json(web.office.registers(&who).await?))
}

async fn list(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(register): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Json<RegisterList>, ApiError> {
    Ok(Json(web.office.register_list(&who, &register, &query(&asked)).await?))
}

async fn form(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(register): Path<String>,
) -> Result<Json<EditForm>, ApiError> {
    Ok(Json(web.office.register_form(&who, &register, None, None).await?))
}

async fn row(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path((register, row)): Path<(String, String)>,
) -> Result<Json<RowPage>, ApiError> {
    Ok(Json(web.office.register_row(&who, &register, &row).await?))
}

async fn history(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path((register, row)): Path<(String, String)>,
) -> Result<Json<Vec<HistoryLine>>, ApiError> {
    Ok(Json(web.office.register_row(&who, &register, &row).await?.history))
}

async fn create(
    State(web): State<Web>,
    Path(register): Path<String>,
    Sent(who, sent): Sent<NewRow>,
) -> Result<Json<RowPage>, ApiError> {
    let id = web.office.save_row(&who, &register, None, 0, &sent.values.lines()).await?;
    Ok(Json(web.office.register_row(&who, &register, &id).await?))
}

async fn change(
    State(web): State<Web>,
    Path((register, row)): Path<(String, String)>,
    Sent(who, sent): Sent<ChangedRow>,
) -> Result<Json<RowPage>, ApiError> {
    let id = web.office.save_row(&who, &register, Some(&row), sent.version, &sent.values.lines()).await?;
    Ok(Json(web.office.register_row(&who, &register, &id).await?))
}
