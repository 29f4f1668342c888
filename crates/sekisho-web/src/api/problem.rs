//! Errors as problem documents (RFC 9457) with the codes that outlive their wording.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use sekisho_app::AppError;
use serde::Serialize;

use super::once::LONGEST;
use crate::error::WebError;

/// One field that was not accepted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Fault {
    /// Name of the field.
    pub field: String,
    /// What is wrong and what to do, in Japanese.
    pub message: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the code tells more.
    pub r#type: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Stable code of the reason.
    pub code: String,
    /// What was wrong and what to do, in Japanese.
    pub detail: String,
    /// Fields that were not accepted.
    pub fields: Vec<Fault>,
}

/// Media type of a problem document.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// As on a page.
    Web(WebError),
    /// The header that names a request is not what the document says.
    BadKey,
    /// The body is not what the document says.
    Unreadable(String),
}

impl ApiError {
    pub(super) fn unreadable(why: &str) -> Self {
        Self::Unreadable(why.to_owned())
    }

    fn problem(self) -> Problem {
        let mut fields = vec![];
        let (status, code, detail) = match self {
            Self::Unreadable(why) => {
                (StatusCode::BAD_REQUEST, "W400", format!("送られたJSONを読み取れません。{why}"))
            }
            Self::BadKey => (
                StatusCode::BAD_REQUEST,
                "W400",
                format!(
                    "ヘッダ Idempotency-Key は、空白を含まない半角の{LONGEST}文字以内で、1つだけ付けてください。"
                ),
            ),
            Self::Web(
                WebError::Login { .. } | WebError::NeedsCode { .. } | WebError::App(AppError::NoSession),
            ) => (
                StatusCode::UNAUTHORIZED,
                "A004",
                "ログインするか、有効なトークンを付けてください。".to_owned(),
            ),
            Self::Web(WebError::MustEnrol) => (
                StatusCode::FORBIDDEN,
                "W405",
                "あなたの役割には多要素認証が必要です。画面で設定してください。".to_owned(),
            ),
            Self::Web(WebError::App(AppError::Unproved)) => (
                StatusCode::FORBIDDEN,
                "W406",
                "この操作には、直前の本人確認が必要です。画面で行ってください。".to_owned(),
            ),
            Self::Web(WebError::WeakHere { .. }) => (
                StatusCode::FORBIDDEN,
                "W407",
                "このネットワークからは、多要素認証を使ってログインした人だけが使えます。".to_owned(),
            ),
            Self::Web(WebError::MustChangePassword) => (
                StatusCode::FORBIDDEN,
                "W402",
                "仮のパスワードのままです。画面でパスワードを変更してください。".to_owned(),
            ),
            Self::Web(WebError::ForeignForm) => (
                StatusCode::FORBIDDEN,
                "W403",
                format!("変更には、ヘッダ {} に /api/v1/me の csrf の値が必要です。", super::caller::CSRF),
            ),
            Self::Web(WebError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "W413", "送られた内容が大きすぎます。".to_owned())
            }
            Self::Web(WebError::BadForm) => {
                (StatusCode::BAD_REQUEST, "W400", "送られた内容を読み取れません。".to_owned())
            }
            // Somebody else was faster, or the name is taken.
            Self::Web(WebError::App(AppError::Refused {
                code: code @ ("A002" | "A005" | "A009"),
                message,
            })) => (StatusCode::CONFLICT, code, message),
            // The key of a request belongs to another one.
            Self::Web(WebError::App(
                AppError::Unfit { code, message } | AppError::Refused { code: code @ "A008", message },
            )) => (StatusCode::UNPROCESSABLE_ENTITY, code, message),
            Self::Web(WebError::App(AppError::Refused { code, message })) => {
                (StatusCode::FORBIDDEN, code, message)
            }
            Self::Web(WebError::App(AppError::NotFound)) => {
                (StatusCode::NOT_FOUND, "A003", "お探しのものは無いか、見る権限がありません。".to_owned())
            }
            Self::Web(WebError::App(AppError::Invalid(wrong))) => {
                fields.extend(wrong.into_iter().map(|f| Fault { field: f.field, message: f.message }));
                (StatusCode::UNPROCESSABLE_ENTITY, "A001", "値を確かめてください。".to_owned())
            }
            Self::Web(e) => {
                tracing::error!(error = ?e, "an API call failed");
                let says = "処理できませんでした。何も変更されていません。".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, "W500", says)
            }
        };
        let title = status.canonical_reason().unwrap_or_default();
        let (code, status) = (code.to_owned(), status.as_u16());
        Problem { r#type: "about:blank", title, status, code, detail, fields }
    }
}

impl From<AppError> for ApiError {
    fn from(e: AppError) -> Self {
        Self::Web(e.into())
    }
}

impl From<WebError> for ApiError {
    fn from(e: WebError) -> Self {
        Self::Web(e)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An answer before any interface was reached.
pub(crate) fn unreached(status: StatusCode, code: &str, says: &str) -> Response {
    let (code, detail) = (code.to_owned(), says.to_owned());
    let title = status.canonical_reason().unwrap_or_default();
    let status = status.as_u16();
    Problem { r#type: "about:blank", title, status, code, detail, fields: vec![] }.into_response()
}
