//! The ledger: its newest signed head, entries, proofs.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::AppError;
use sekisho_app::ledger::{EntryView, LedgerView};

use super::Route;
use super::caller::ApiWho;
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

const TAG: &str = "証跡";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<LedgerView>(TAG, "/ledger", "証跡の最新の控え、立会人、点検、最近の記録", get(index))
            .asks(&[("before", "この位置より前の記録")]),
        Route::text(TAG, "/ledger/checkpoint", "署名された最新の控え（signed note）", TEXT, get(checkpoint)),
        Route::read::<EntryView>(TAG, "/ledger/entries/{id}", "1件の記録と、その証明", get(entry)),
        Route::text(TAG, "/ledger/entries/{id}/proof", "1件の記録の証明（tlog-proof@v1）", TEXT, get(proof)),
    ]
}

async fn index(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<LedgerView>, ApiError> {
    Ok(Json(web.office.ledger_page(&who, asked.get("before").parse().ok()).await?))
}

fn text(body: String) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], body).into_response()
}

async fn checkpoint(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Response, ApiError> {
    let note = web.office.ledger_page(&who, None).await?.note;
    if note.is_empty() { Err(AppError::NotFound.into()) } else { Ok(text(note)) }
}

async fn entry(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<EntryView>, ApiError> {
    Ok(Json(web.office.ledger_entry(&who, &id).await?))
}

async fn proof(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let view = web.office.ledger_entry(&who, &id).await?;
    Ok(text(view.proof.ok_or(AppError::NotFound)?))
}
