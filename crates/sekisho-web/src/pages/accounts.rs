//! Accounts of other people (利用者), and the confirmation that somebody took up what was set anew for them.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::accounts::{AccountsPage, Change};
use sekisho_app::resets::ResetPage;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/accounts", get(index))
        .route("/accounts/{person}", post(change))
        .route("/accounts/resets/{person}", get(reset).post(confirm))
}

const SECTION: &str = "/organization";

#[derive(Template)]
#[template(path = "accounts.html")]
struct IndexPage {
    page: Page,
    view: AccountsPage,
}

impl IndexPage {
    fn href(&self, page: &i64) -> String {
        format!("/accounts?q={}&page={page}", crate::error::escape_query(&self.view.q))
    }
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: i64,
    done: Option<String>,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.accounts(&who, q.q.trim(), q.page).await?;
    html(&IndexPage {
        page: Page::of(&web, &who, "利用者", SECTION).await?.flash(q.done.as_deref()), view
    })
}

async fn change(
    State(web): State<Web>,
    Path(person): Path<String>,
    Sure(posted): Sure,
) -> Result<Response, WebError> {
    let change = match posted.fields.get("do") {
        "stop" => Change::Stop,
        "resume" => Change::Resume,
        "unlock" => Change::Unlock,
        "drop_factor" => Change::DropSecondFactor,
        _ => return Err(WebError::BadForm),
    };
    web.office.change_account(&posted.who, &person, change).await?;
    let done = if change == Change::Unlock { "unlocked" } else { "account" };
    Ok(Redirect::to(&format!("/accounts?done={done}")).into_response())
}

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetView {
    page: Page,
    view: ResetPage,
}

async fn reset(
    State(web): State<Web>,
    Who(who): Who,
    Path(person): Path<String>,
) -> Result<Response, WebError> {
    let view = web.office.reset_page(&who, &person).await?;
    html(&ResetView { page: Page::of(&web, &who, "引取りの確認", SECTION).await?.narrow(), view })
}

async fn confirm(
    State(web): State<Web>,
    Path(person): Path<String>,
    Sure(posted): Sure,
) -> Result<Response, WebError> {
    web.office.confirm_taken_up(&posted.who, &person, posted.fields.get("shown")).await?;
    Ok(Redirect::to("/?done=taken_up").into_response())
}
