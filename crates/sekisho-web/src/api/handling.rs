//! `GET /api/v1/handling`: the handling decision.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use sekisho_app::handling::HandlingAnswer;
use sekisho_app::tokens::Scope;

use super::{ApiError, ApiWho};
use crate::Web;
use crate::form::Fields;
use crate::pages::handling::question;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/api/v1/handling", get(show))
}

async fn show(
    State(web): State<Web>,
    who: ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<HandlingAnswer>, ApiError> {
    let who = who.may(Scope::Handling).await?;
    Ok(Json(web.office.handling(&who, &question(&asked)).await?))
}
