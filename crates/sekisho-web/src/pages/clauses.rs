//! Clauses with their state, one clause with its mechanisms, one check with the rows behind it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::clauses::{
    CheckPage as CheckView, ChecksView, ClausePage as ClauseView, ClausesQuery, ClausesView,
};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/clauses", get(index))
        .route("/clauses/{id}", get(clause))
        .route("/checks", get(checks))
        .route("/checks/{id}", get(check))
}

const SECTION: &str = "/clauses";

#[derive(Template)]
#[template(path = "clauses.html")]
struct IndexPage {
    page: Page,
    view: ClausesView,
}

impl IndexPage {
    /// The same query for one chapter.
    fn chapter_link(&self, chapter: &str) -> String {
        let q = &self.view.query;
        let area = if q.area == 0 { String::new() } else { q.area.to_string() };
        let [chapter, state, actor, on] =
            [chapter, q.state.as_str(), q.actor.as_str(), q.on.as_str()].map(escape_query);
        format!("/clauses?chapter={chapter}&state={state}&area={area}&actor={actor}&on={on}")
    }
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    on: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    chapter: String,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let query = ClausesQuery {
        state: a.state,
        on: a.on,
        area: a.area.parse().unwrap_or(0),
        actor: a.actor,
        chapter: a.chapter,
    };
    let view = web.office.clauses(&who, &query).await?;
    html(&IndexPage { page: Page::of(&web, &who, "規程", SECTION).await?, view })
}

#[derive(Template)]
#[template(path = "clause.html")]
struct ClausePage {
    page: Page,
    clause: ClauseView,
}

async fn clause(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let clause = web.office.clause(&who, &id).await?;
    html(&ClausePage { page: Page::of(&web, &who, &clause.citation, SECTION).await?, clause })
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage {
    page: Page,
    check: CheckView,
}

async fn check(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let check = web.office.check(&who, &id).await?;
    html(&CheckPage { page: Page::of(&web, &who, &check.title, SECTION).await?, check })
}

#[derive(Template)]
#[template(path = "checks.html")]
struct ChecksPage {
    page: Page,
    view: ChecksView,
}

#[derive(serde::Deserialize)]
struct AskedState {
    #[serde(default)]
    state: String,
}

async fn checks(
    State(web): State<Web>,
    Who(who): Who,
    Query(asked): Query<AskedState>,
) -> Result<Response, WebError> {
    let view = web.office.checks(&who, &asked.state).await?;
    html(&ChecksPage { page: Page::of(&web, &who, "点検", SECTION).await?, view })
}
