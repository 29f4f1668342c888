//! The guide (手引): the list of its parts and one part.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::AppError;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
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

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    html(&HelpPage { page: Page::of(&web, &who, "手引", "").await?, text: String::new(), parts: parts() })
}

async fn part(State(web): State<Web>, Who(who): Who, Path(name): Path<String>) -> Result<Response, WebError> {
    let (_, title, text) = guide::FILES.iter().find(|(n, ..)| *n == name).ok_or(AppError::NotFound)?;
    let page = Page::of(&web, &who, title, "").await?;
    html(&HelpPage { page, text: guide::html(text), parts: parts() })
}
