//! Clauses with their state and evidence, checks, documents, rules of conduct.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use sekisho_app::assessment::{NoticeLine, NoticePage};
use sekisho_app::clauses::{CheckPage, ChecksView, ClausePage, ClausesQuery, ClausesView};
use sekisho_app::dashboard::Dashboard;
use sekisho_app::documents::{DocumentLine, DocumentPage};

use super::Route;
use super::caller::ApiWho;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

const TAG: &str = "条項の状態";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<ClausesView>(TAG, "/clauses", "すべての条項の状態", get(index)).asks(&[
            ("state", "状態のコード。met、due、broken、unknown、excepted"),
            ("on", "過去の日"),
            ("area", "分野。1から8"),
            ("actor", "行う役割"),
            ("chapter", "章"),
        ]),
        Route::read::<ClausePage>(TAG, "/clauses/{id}", "条項の状態と、その根拠になる仕組み", get(clause)),
        Route::read::<Dashboard>(
            TAG,
            "/dashboard",
            "遵守の状況。章、分野、部ごとの数と、前の月からの変化",
            get(dashboard),
        ),
        Route::read::<ChecksView>(TAG, "/checks", "すべての点検と、最後の結果", get(checks))
            .asks(&[("state", "状態のコード。met、due、broken、unknown、excepted")]),
        Route::read::<CheckPage>(TAG, "/checks/{id}", "点検と、該当するもの", get(check)),
        Route::read::<Vec<DocumentLine>>(TAG, "/documents", "定めておく文書", get(documents)),
        Route::read::<DocumentPage>(TAG, "/documents/{id}", "文書の状態と履歴", get(document)),
        Route::read::<Vec<NoticeLine>>(TAG, "/notices", "守ること", get(notices)),
        Route::read::<NoticePage>(TAG, "/notices/{id}", "守ることと、自己点検の結果", get(notice)),
    ]
}

async fn index(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<ClausesView>, ApiError> {
    let query = ClausesQuery {
        state: asked.get("state").to_owned(),
        on: asked.get("on").to_owned(),
        area: asked.get("area").parse().unwrap_or(0),
        actor: asked.get("actor").to_owned(),
        chapter: asked.get("chapter").to_owned(),
    };
    Ok(Json(web.office.clauses(&who, &query).await?))
}

async fn checks(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<ChecksView>, ApiError> {
    Ok(Json(web.office.checks(&who, asked.get("state")).await?))
}

async fn dashboard(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Dashboard>, ApiError> {
    Ok(Json(web.office.dashboard(&web.office.me(&who).await?).await?))
}

async fn clause(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<ClausePage>, ApiError> {
    Ok(Json(web.office.clause(&who, &id).await?))
}

async fn check(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<CheckPage>, ApiError> {
    Ok(Json(web.office.check(&who, &id).await?))
}

async fn documents(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Vec<DocumentLine>>, ApiError> {
    Ok(Json(web.office.documents(&who).await?))
}

async fn document(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<DocumentPage>, ApiError> {
    Ok(Json(web.office.document(&who, &id, None).await?))
}

async fn notices(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Vec<NoticeLine>>, ApiError> {
    Ok(Json(web.office.notices(&who).await?))
}

async fn notice(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<NoticePage>, ApiError> {
    Ok(Json(web.office.notice(&who, &id).await?))
}
