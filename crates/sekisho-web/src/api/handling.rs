//! The handling decision.

use axum::Json;
use axum::extract::{Query, State};
use axum::routing::get;
use sekisho_app::handling::HandlingAnswer;
use sekisho_app::tokens::Scope;

use super::Route;
use super::caller::ApiWho;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;
use crate::pages::handling::question;

pub(super) fn table() -> Vec<Route> {
    let asks = [
        ("act", "行うこと。copy、send、carry_out など"),
        ("zone", "情報がある領域"),
        ("device", "使う端末"),
        ("personal", "個人情報の有無"),
        ("item", "対象。「台帳/行」または管理番号。複数可"),
        ("class.confidentiality", "機密性の分類"),
        ("class.integrity", "完全性の分類"),
        ("class.availability", "可用性の分類"),
    ];
    let route =
        Route::read::<HandlingAnswer>("取扱判定", "/handling", "取扱判定（これはできますか）", get(show));
    vec![route.asks(&asks).for_token(Some(Scope::Handling))]
}

async fn show(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<HandlingAnswer>, ApiError> {
    Ok(Json(web.office.handling(&who, &question(&asked)).await?))
}
