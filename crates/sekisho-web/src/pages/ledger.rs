//! The ledger: signed head, latest entries, one entry with its proof.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::AppError;
use sekisho_app::ledger::{EntryView, LedgerView};

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/ledger", get(index))
        .route("/ledger/{id}", get(entry))
        .route("/ledger/{id}/proof", get(proof))
}

#[derive(Template)]
#[template(path = "ledger.html")]
struct LedgerPage {
    page: Page,
    view: LedgerView,
}

#[derive(serde::Deserialize)]
struct Before {
    #[serde(default)]
    before: String,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Before>) -> Result<Response, WebError> {
    let view = web.office.ledger_page(&who, q.before.parse().ok()).await?;
    html(&LedgerPage { page: Page::of(&web, &who, "証跡", "/ledger").await?, view })
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage {
    page: Page,
    view: EntryView,
}

async fn entry(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let view = web.office.ledger_entry(&who, &id).await?;
    html(&EntryPage { page: Page::of(&web, &who, "記録", "/ledger").await?, view })
}

/// The entry's proof as a file that others verify.
async fn proof(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let view = web.office.ledger_entry(&who, &id).await?;
    let proof = view.proof.ok_or(AppError::NotFound)?;
    let name = format!("attachment; filename=\"{}-{}.tlog-proof\"", view.stream, view.seq);
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, proof).into_response())
}
