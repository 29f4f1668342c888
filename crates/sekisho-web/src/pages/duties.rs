//! Duties: one's own and all of them, one duty over all its places, one occurrence with the form that records it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::duties::{DutiesQuery, DutiesView, DutyPage as DutyView, OccurrencePage as OccurrenceView};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/duties", get(index))
        .route("/duties/{duty}", get(duty))
        .route("/duties/{duty}/{occurrence}", get(show).post(done))
}

const SECTION: &str = "/duties";

#[derive(Template)]
#[template(path = "duties.html")]
struct ListPage {
    page: Page,
    view: DutiesView,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(serde::Deserialize, Default)]
struct Asked {
    #[serde(default)]
    all: String,
    #[serde(default)]
    late: String,
    #[serde(default)]
    page: String,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let query = DutiesQuery { all: a.all == "1", late: a.late == "1", page: a.page.parse().unwrap_or(1) };
    let view = web.office.duties(&who, &query).await?;
    let address = |page: i64| {
        let all = if query.all { "all=1&" } else { "" };
        let late = if query.late { "late=1&" } else { "" };
        format!("/duties?{all}{late}page={page}")
    };
    let prev = (view.page > 1).then(|| address(view.page - 1));
    let next = view.more.then(|| address(view.page + 1));
    html(&ListPage { page: Page::of(&web, &who, "定期の仕事", SECTION).await?, view, prev, next })
}

#[derive(Template)]
#[template(path = "duty.html")]
struct DutyPage {
    page: Page,
    duty: DutyView,
}

async fn duty(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let duty = web.office.duty(&who, &id).await?;
    html(&DutyPage { page: Page::of(&web, &who, &duty.title, SECTION).await?, duty })
}

#[derive(Template)]
#[template(path = "duty_occurrence.html")]
struct OccurrencePage {
    page: Page,
    o: OccurrenceView,
    errors: Errors,
}

async fn page(
    web: &Web,
    who: &Identity,
    o: OccurrenceView,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, &o.title, SECTION).await?.flash(done);
    html(&OccurrencePage { page, o, errors })
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path((duty, id)): Path<(String, String)>,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let o = web.office.duty_occurrence(&who, &duty, &id, None).await?;
    page(&web, &who, o, Errors::default(), q.done.as_deref()).await
}

async fn done(
    State(web): State<Web>,
    Path((duty, id)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, WebError> {
    let Posted { who, fields, .. } = posted;
    let typed = fields.lists();
    match web.office.do_duty(&who, &duty, &id, &typed).await {
        Ok(()) => Ok(Redirect::to(&format!("/duties/{duty}/{id}?done=acted")).into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let o = web.office.duty_occurrence(&who, &duty, &id, Some(&typed)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&web, &who, o, errors, None).await?).into_response())
        }
    }
}
