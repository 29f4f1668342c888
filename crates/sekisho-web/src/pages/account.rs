//! Issuing a temporary password: shown once, to be handed over on paper.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::accounts::Slip;
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/organization/account", get(show).post(issue))
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    person: String,
    login: String,
    slip: Option<Slip>,
    errors: Errors,
}

async fn page(
    web: &Web,
    who: &Identity,
    person: &str,
    login: &str,
    slip: Option<Slip>,
    errors: Errors,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, "仮パスワードの発行", "/organization").await?.narrow();
    html(&AccountPage { page, person: person.to_owned(), login: login.to_owned(), slip, errors })
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    person: String,
}

async fn show(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    web.office.may_import_organization(&who).await?;
    page(&web, &who, &q.person, "", None, Errors::default()).await
}

async fn issue(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (person, login) = (posted.fields.get("person"), posted.fields.get("login"));
    match web.office.issue_password(&posted.who, person, login).await {
        Ok(slip) => page(&web, &posted.who, person, login, Some(slip), Errors::default()).await,
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok((
                StatusCode::UNPROCESSABLE_ENTITY,
                page(&web, &posted.who, person, login, None, errors).await?,
            )
                .into_response())
        }
    }
}
