//! Notifications: what one was told, and for those who run the system how mail fares.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::mail::MailView;
use sekisho_app::notifications::NotificationsView;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/notifications", get(index).post(read_all))
        .route("/notifications/mail", get(mail))
        .route("/notifications/{id}/open", post(open))
}

const SECTION: &str = "/notifications";

#[derive(Template)]
#[template(path = "notifications.html")]
struct ListPage {
    page: Page,
    view: NotificationsView,
    runs_mail: bool,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(serde::Deserialize, Default)]
struct Asked {
    #[serde(default)]
    page: String,
    done: Option<String>,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.notifications(&who, a.page.parse().unwrap_or(1)).await?;
    let page = Page::of(&web, &who, "お知らせ", SECTION).await?.flash(a.done.as_deref());
    let runs_mail = page.me.as_ref().is_some_and(sekisho_app::people::Me::administers);
    let prev = (view.page > 1).then(|| format!("/notifications?page={}", view.page - 1));
    let next = view.more.then(|| format!("/notifications?page={}", view.page + 1));
    html(&ListPage { page, view, runs_mail, prev, next })
}

async fn read_all(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    web.office.read_notifications(&posted.who).await?;
    Ok(Redirect::to("/notifications").into_response())
}

async fn open(State(web): State<Web>, Path(id): Path<String>, posted: Posted) -> Result<Response, WebError> {
    let link = web.office.open_notification(&posted.who, &id).await?;
    Ok(Redirect::to(&link).into_response())
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    page: Page,
    mail: MailView,
}

async fn mail(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let mail = web.office.mail_state(&who).await?;
    html(&MailPage { page: Page::of(&web, &who, "メールの送信", SECTION).await?, mail })
}
