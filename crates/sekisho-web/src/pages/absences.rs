//! Absences (不在): one's own and those of the section; recording and cancelling.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::absences::{AbsenceForm, AbsencePage};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/absences", get(index).post(record)).route("/absences/{id}/cancel", post(cancel))
}

#[derive(Template)]
#[template(path = "absences.html")]
struct AbsencesPage {
    page: Page,
    view: AbsencePage,
    errors: Errors,
}

async fn show(
    web: &Web,
    who: &Identity,
    form: AbsenceForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.absences(who, form).await?;
    let page = Page::of(web, who, "不在", "/").await?.flash(done);
    html(&AbsencesPage { page, view, errors })
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    show(&web, &who, AbsenceForm::default(), Errors::default(), q.done.as_deref()).await
}

async fn record(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let f = &posted.fields;
    let form = AbsenceForm {
        person: f.get("person").to_owned(),
        from: f.get("from").to_owned(),
        until: f.get("until").to_owned(),
        kind: f.get("kind").to_owned(),
        note: f.get("note").to_owned(),
    };
    match web.office.record_absence(&posted.who, &form).await {
        Ok(()) => Ok(Redirect::to("/absences?done=absent").into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let shown = show(&web, &posted.who, form, errors, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}

async fn cancel(
    State(web): State<Web>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    web.office.cancel_absence(&posted.who, &id).await?;
    Ok(Redirect::to("/absences?done=present").into_response())
}
