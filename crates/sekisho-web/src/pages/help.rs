//! The guide (手引): the list of its parts and one part. Open to everybody: it holds nothing of the body, and whoever cannot log in needs it most.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::AppError;

use crate::Web;
use crate::error::WebError;
use crate::guard::{Level, identity};
use crate::guide;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/help", get(index)).route("/help/{name}", get(part))
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    /// The part as HTML; empty for the list.
    text: String,
    /// Parts: name and title.
    parts: Vec<(&'static str, &'static str)>,
}

fn parts() -> Vec<(&'static str, &'static str)> {
    guide::FILES.iter().map(|(name, title, _)| (*name, *title)).collect()
}

/// The frame for whoever asks; without navigation for somebody who has not come to the pages.
async fn frame(web: &Web, request: Request, title: &str) -> Result<Page, WebError> {
    let (parts, _) = request.into_parts();
    match identity(&parts, web, Level::Page).await {
        Ok(who) => Page::of(web, &who, title, "").await,
        Err(_) => Ok(Page { body: web.office.body_title().to_owned(), narrow: false, ..Page::bare(title) }),
    }
}

async fn index(State(web): State<Web>, request: Request) -> Result<Response, WebError> {
    html(&HelpPage { page: frame(&web, request, "手引").await?, text: String::new(), parts: parts() })
}

async fn part(
    State(web): State<Web>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, WebError> {
    let (_, title, text) = guide::FILES.iter().find(|(n, ..)| *n == name).ok_or(AppError::NotFound)?;
    html(&HelpPage { page: frame(&web, request, title).await?, text: guide::html(text), parts: parts() })
}
