//! The organization.

use axum::Json;
use axum::extract::{Query, State};
use axum::routing::get;
use sekisho_app::organization::OrganizationView;

use super::Route;
use super::caller::ApiWho;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

pub(super) fn table() -> Vec<Route> {
    let route = Route::read::<OrganizationView>(
        "組織",
        "/organization",
        "部署と所属長。q を付けると職員を探す",
        get(show),
    );
    vec![route.asks(&[("q", "氏名・ふりがな・職員番号")])]
}

async fn show(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<OrganizationView>, ApiError> {
    Ok(Json(web.office.organization(&who, asked.get("q")).await?))
}
