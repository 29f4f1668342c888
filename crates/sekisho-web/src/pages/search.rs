//! One box in the head of every page: search over everything a person may see.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::search::{SearchQuery, SearchView};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/search", get(show))
}

#[derive(serde::Deserialize, Default)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Page,
    view: SearchView,
    prev: Option<String>,
    next: Option<String>,
}

impl SearchPage {
    /// The address of one kind alone.
    fn only(&self, kind: &str) -> String {
        address(&self.view.q, kind, 1)
    }
}

fn address(q: &str, kind: &str, page: i64) -> String {
    let kind = if kind.is_empty() { String::new() } else { format!("&kind={}", escape_query(kind)) };
    let page = if page > 1 { format!("&page={page}") } else { String::new() };
    format!("/search?q={}{kind}{page}", escape_query(q))
}

async fn show(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let asked = SearchQuery { q: a.q, kind: a.kind, page: a.page.parse().unwrap_or(1) };
    let view = web.office.search(&who, &asked).await?;
    let mut page = Page::of(&web, &who, "検索", "").await?;
    page.q.clone_from(&view.q);
    let paged = !view.kind.is_empty();
    let more = view.groups.iter().any(|g| g.more);
    let prev = (paged && view.page > 1).then(|| address(&view.q, &view.kind, view.page - 1));
    let next = (paged && more).then(|| address(&view.q, &view.kind, view.page + 1));
    html(&SearchPage { page, view, prev, next })
}
