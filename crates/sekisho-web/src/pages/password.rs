//! Changing one's own password; a temporary one must be changed before anything else.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::login::{self, Identity, Stage};

use crate::Web;
use crate::error::WebError;
use crate::form::AnyPosted;
use crate::guard::AnyWho;
use crate::page::{Errors, Page, html};
use crate::pages::login::with_cookie;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/password", get(show).post(change))
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    page: Page,
    forced: bool,
    /// Where the password is changed instead; empty: here.
    elsewhere: String,
    errors: Errors,
}

async fn page(web: &Web, who: &Identity, errors: Errors) -> Result<Response, WebError> {
    let page = Page::of(web, who, "パスワードの変更", "").await?.narrow();
    let title = web.office.directory_title().unwrap_or("庁内のディレクトリ");
    let elsewhere = if who.directory { title.to_owned() } else { String::new() };
    html(&PasswordPage { page, forced: who.must_change, elsewhere, errors })
}

async fn show(State(web): State<Web>, AnyWho(who): AnyWho) -> Result<Response, WebError> {
    page(&web, &who, Errors::default()).await
}

async fn change(State(web): State<Web>, AnyPosted(posted): AnyPosted) -> Result<Response, WebError> {
    let f = &posted.fields;
    match login::change_password(&web.office, &posted.who, f.raw("old"), f.raw("new"), f.raw("again")).await {
        Ok(session) => {
            let to = if session.stage == Stage::Enrol { "/account/second-factor" } else { "/?done=password" };
            Ok(with_cookie(&web, &session, to))
        }
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&web, &posted.who, errors).await?).into_response())
        }
    }
}
