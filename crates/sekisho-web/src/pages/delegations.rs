//! Delegations (職務代理): proposing, approving by somebody else, ending.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::delegations::{DelegationForm, DelegationPage};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/delegations", get(index).post(propose)).route("/delegations/{id}", post(act))
}

#[derive(Template)]
#[template(path = "delegations.html")]
struct DelegationsPage {
    page: Page,
    view: DelegationPage,
    errors: Errors,
}

async fn show(
    web: &Web,
    who: &Identity,
    form: DelegationForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.delegations(who, form).await?;
    let page = Page::of(web, who, "職務代理", "/organization").await?.flash(done);
    html(&DelegationsPage { page, view, errors })
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    show(&web, &who, DelegationForm::default(), Errors::default(), q.done.as_deref()).await
}

async fn propose(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let f = &posted.fields;
    let form = DelegationForm {
        what: f.get("what").to_owned(),
        person: f.get("person").to_owned(),
        pick: f.get("pick").to_owned(),
        from: f.get("from").to_owned(),
        until: f.get("until").to_owned(),
        note: f.get("note").to_owned(),
    };
    match web.office.propose_delegation(&posted.who, &form).await {
        Ok(()) => Ok(Redirect::to("/delegations?done=proposed").into_response()),
        Err(e) => refused(&web, &posted.who, form, Errors::from_app(e)?).await,
    }
}

async fn refused(
    web: &Web,
    who: &Identity,
    form: DelegationForm,
    errors: Errors,
) -> Result<Response, WebError> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, show(web, who, form, errors, None).await?).into_response())
}

async fn act(
    State(web): State<Web>,
    Path(id): Path<String>,
    Sure(posted): Sure,
) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let (done, result) = match f.get("do") {
        "approve" => ("approved", web.office.decide_delegation(who, &id, true, f.get("says")).await),
        "refuse" => ("declined", web.office.decide_delegation(who, &id, false, f.get("says")).await),
        "end" => ("ended", web.office.end_delegation(who, &id).await),
        _ => return Err(WebError::BadForm),
    };
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/delegations?done={done}")).into_response()),
        Err(e) => {
            // The field stands beside its own delegation: several forms are on the page.
            let errors = Errors::from_app(e)?.beside(&format!("{id}."));
            refused(&web, who, DelegationForm::default(), errors).await
        }
    }
}
