//! Documents that must exist: all of them, one with its history and the form that records it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::documents::{DocumentInput, DocumentLine, DocumentPage as DocumentView};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/documents", get(index)).route("/documents/{id}", get(show).post(record))
}

const SECTION: &str = "/documents";

#[derive(Template)]
#[template(path = "documents.html")]
struct ListPage {
    page: Page,
    rows: Vec<DocumentLine>,
}

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let rows = web.office.documents(&who).await?;
    html(&ListPage { page: Page::of(&web, &who, "文書", SECTION).await?, rows })
}

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    page: Page,
    document: DocumentView,
    errors: Errors,
}

async fn page(
    web: &Web,
    who: &Identity,
    document: DocumentView,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, &document.title, SECTION).await?.flash(done);
    html(&DocumentPage { page, document, errors })
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let document = web.office.document(&who, &id, None).await?;
    page(&web, &who, document, Errors::default(), q.done.as_deref()).await
}

async fn record(
    State(web): State<Web>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    let Posted { who, fields, file, .. } = posted;
    let mut input = DocumentInput { kind: fields.get("do").to_owned(), values: fields.singles(), file: None };
    let shown = input.clone();
    input.file = file.map(|f| (f.name, f.bytes.to_vec()));
    match web.office.record_document(&who, &id, input).await {
        Ok(()) => Ok(Redirect::to(&format!("/documents/{id}?done=saved")).into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let document = web.office.document(&who, &id, Some(&shown)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&web, &who, document, errors, None).await?)
                .into_response())
        }
    }
}
