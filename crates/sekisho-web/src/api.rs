//! The programming interface below `/api/v1` (`docs/decisions/0016-handling-api-and-reclassification.md`): the same use cases, session and visibility as the pages,
//! answers as JSON, errors as problem details (RFC 9457). Called with a session or with a token of a scope.

mod handling;
mod me;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use sekisho_app::login::Identity;
use sekisho_app::tokens::Scope;
use sekisho_app::{AppError, Office};
use serde_json::json;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .merge(handling::routes())
        .merge(me::routes())
        .route("/api/{*rest}", axum::routing::any(|| async { ApiError(WebError::App(AppError::NotFound)) }))
}

/// Why there is no answer.
pub(crate) struct ApiError(WebError);

impl From<AppError> for ApiError {
    fn from(e: AppError) -> Self {
        Self(e.into())
    }
}

/// Whoever calls: a program with a token (`Authorization: Bearer`), or a browser with a session. Asking what it may do is what gives the person.
pub(crate) enum ApiWho {
    /// A browser's session may do what its person may.
    Session(Identity),
    /// A token does what it was made for.
    Token(Arc<Office>, String),
}

impl ApiWho {
    /// The person, if this is in the caller's scope.
    pub(crate) async fn may(self, scope: Scope) -> Result<Identity, ApiError> {
        match self {
            Self::Session(who) => Ok(who),
            Self::Token(office, secret) => Ok(office.identify_token(&secret, scope).await?),
        }
    }
}

impl FromRequestParts<Web> for ApiWho {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let Some(sent) = parts.headers.get(header::AUTHORIZATION) else {
            return Who::from_request_parts(parts, web)
                .await
                .map(|Who(who)| Self::Session(who))
                .map_err(ApiError);
        };
        let secret = sent.to_str().ok().and_then(|v| v.split_once(' '));
        match secret {
            Some((kind, secret)) if kind.eq_ignore_ascii_case("bearer") => {
                Ok(Self::Token(Arc::clone(&web.office), secret.trim().to_owned()))
            }
            _ => Err(AppError::NoSession.into()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut fields = vec![];
        let (status, code, message) = match self.0 {
            WebError::Login { .. } | WebError::NeedsCode { .. } | WebError::App(AppError::NoSession) => (
                StatusCode::UNAUTHORIZED,
                "A004",
                "ログインするか、有効なトークンを付けてください。".to_owned(),
            ),
            WebError::MustEnrol => (
                StatusCode::FORBIDDEN,
                "W405",
                "あなたの役割には多要素認証が必要です。画面で設定してください。".to_owned(),
            ),
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
        // RFC 9457, with an own member `error`, whose code outlives the words.
        let title = status.canonical_reason().unwrap_or_default();
        let error = json!({"code": code, "message": message, "fields": fields});
        let body = json!({"title": title, "status": status.as_u16(), "detail": message, "error": error});
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
