//! What guards check permits with: the page that explains it, and the file.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use sekisho_app::permits::PermitsPage as View;

use crate::Web;
use crate::checker::checker_file;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};
use crate::view::attach;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/permits", get(index)).route("/permits/checker", get(file))
}

#[derive(Template)]
#[template(path = "permits.html")]
struct PermitsPage {
    page: Page,
    view: View,
}

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let view = web.office.permits_page(&who).await?;
    html(&PermitsPage { page: Page::of(&web, &who, "許可証の確認", "/cases").await?.narrow(), view })
}

/// Always to save, never to show: its script is none of this site's.
async fn file(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let checker = web.office.permit_checker(&who).await?;
    let text = checker_file(&checker)?;
    Ok(attach(text.into_bytes(), "text/html; charset=utf-8", &checker.file, "attachment"))
}
