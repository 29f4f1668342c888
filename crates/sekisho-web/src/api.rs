//! The programming interface below `/api/v1` (`docs/decisions/0016-handling-api-and-reclassification.md`): the same use cases, session and visibility as the pages,
//! answers and errors as JSON.

mod handling;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use sekisho_app::AppError;
use sekisho_app::login::Identity;
use serde_json::json;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .merge(handling::routes())
        .route("/api/{*rest}", axum::routing::any(|| async { ApiError(WebError::App(AppError::NotFound)) }))
}

/// Why there is no answer.
pub(crate) struct ApiError(WebError);

impl From<AppError> for ApiError {
    fn from(e: AppError) -> Self {
        Self(e.into())
    }
}

/// A logged-in person whose password is their own.
pub(crate) struct ApiWho(pub Identity);

impl FromRequestParts<Web> for ApiWho {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        Who::from_request_parts(parts, web).await.map(|Who(who)| Self(who)).map_err(ApiError)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut fields = vec![];
        let (status, code, message) = match self.0 {
            WebError::Login { .. } | WebError::App(AppError::NoSession) => {
                (StatusCode::UNAUTHORIZED, "A004", "ログインしてください。".to_owned())
            }
            WebError::MustChangePassword => (
                StatusCode::FORBIDDEN,
                "W402",
                "仮のパスワードのままです。画面でパスワードを変更してください。".to_owned(),
            ),
            WebError::App(AppError::Refused { code, message }) => (StatusCode::FORBIDDEN, code, message),
            WebError::App(AppError::NotFound) => {
                (StatusCode::NOT_FOUND, "A003", "お探しのものは無いか、見る権限がありません。".to_owned())
            }
            WebError::App(AppError::Invalid(wrong)) => {
                fields.extend(wrong.into_iter().map(|f| json!({"field": f.field, "message": f.message})));
                (StatusCode::UNPROCESSABLE_ENTITY, "A001", "値を確かめてください。".to_owned())
            }
            e => {
                tracing::error!(error = ?e, "an API call failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "W500",
                    "処理できませんでした。何も変更されていません。".to_owned(),
                )
            }
        };
        let body = json!({"error": {"code": code, "message": message, "fields": fields}});
        (status, Json(body)).into_response()
    }
}
