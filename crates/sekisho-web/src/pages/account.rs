//! Giving somebody a login: a temporary password, shown once and handed over on paper, or the one of the directory.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::accounts::{Checked, Slip};
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
    /// What people call the directory; empty where there is none.
    title: String,
    /// Chosen: the directory.
    directory: bool,
    slip: Option<Slip>,
    errors: Errors,
}

async fn page(
    web: &Web,
    who: &Identity,
    (person, login): (&str, &str),
    checked: Checked,
    slip: Option<Slip>,
    errors: Errors,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, "ログインの発行", "/organization").await?.narrow();
    let title = web.office.directory_title().unwrap_or_default().to_owned();
    let directory = checked == Checked::Directory;
    html(&AccountPage {
        page,
        person: person.to_owned(),
        login: login.to_owned(),
        title,
        directory,
        slip,
        errors,
    })
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    person: String,
}

async fn show(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    web.office.may_import_organization(&who).await?;
    page(&web, &who, (&q.person, ""), Checked::Own, None, Errors::default()).await
}

async fn issue(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (person, login) = (posted.fields.get("person"), posted.fields.get("login"));
    let checked = match posted.fields.get("checked") {
        "" => Checked::Own,
        code => Checked::from_code(code).ok_or(WebError::BadForm)?,
    };
    let (asked, who) = ((person, login), &posted.who);
    match web.office.issue_login(who, person, login, checked).await {
        Ok(slip) => page(&web, who, asked, checked, Some(slip), Errors::default()).await,
        Err(e) => {
            let shown = page(&web, who, asked, checked, None, Errors::from_app(e)?).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}
