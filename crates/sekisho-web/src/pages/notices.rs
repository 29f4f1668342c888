//! Rules of conduct with the answers by section, and the yearly self-assessment.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::assessment::{AssessmentForm, NoticeLine, NoticePage as NoticeView};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/notices", get(index))
        .route("/notices/{id}", get(show))
        .route("/assessment", get(form).post(answer))
}

const SECTION: &str = "/notices";

#[derive(Template)]
#[template(path = "notices.html")]
struct ListPage {
    page: Page,
    rows: Vec<NoticeLine>,
    /// Whether the self-assessment asks anything today.
    asks: bool,
}

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let rows = web.office.notices(&who).await?;
    let asks = !web.office.assessment(&who, None).await?.questions.is_empty();
    html(&ListPage { page: Page::of(&web, &who, "守ること", SECTION).await?, rows, asks })
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    page: Page,
    notice: NoticeView,
}

async fn show(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let notice = web.office.notice(&who, &id).await?;
    html(&NoticePage { page: Page::of(&web, &who, &notice.title, SECTION).await?, notice })
}

#[derive(Template)]
#[template(path = "assessment.html")]
struct FormPage {
    page: Page,
    form: AssessmentForm,
    errors: Errors,
}

async fn page(
    web: &Web,
    who: &Identity,
    form: AssessmentForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, "自己点検", SECTION).await?.narrow().flash(done);
    html(&FormPage { page, form, errors })
}

async fn form(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    let form = web.office.assessment(&who, None).await?;
    page(&web, &who, form, Errors::default(), q.done.as_deref()).await
}

async fn answer(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let Posted { who, fields, .. } = posted;
    let typed = fields.singles();
    match web.office.answer(&who, &typed).await {
        Ok(()) => Ok(Redirect::to("/assessment?done=answered").into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let form = web.office.assessment(&who, Some(&typed)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&web, &who, form, errors, None).await?)
                .into_response())
        }
    }
}
