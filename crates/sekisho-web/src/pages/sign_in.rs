//! Coming in by what others vouch for: an identity provider (シングルサインオン) or an IC card.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::AppError;
use sekisho_app::login;
use sekisho_app::oidc::{Answer, Back};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::{Fields, Open};
use crate::guard::{Card, EnrolWho, From, cookie, token};
use crate::page::{Page, html};
use crate::pages::login::{first_page, own_path, refused, with_cookie};

/// Cookie with what must be remembered while somebody is at the provider.
const PENDING: &str = "sekisho_sign_in";

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/login/oidc", get(leave))
        .route("/login/oidc/again", get(leave_again))
        .route(sekisho_app::oidc::BACK, get(come_back))
        .route("/login/card", post(by_card))
}

/// Ways in beside the password, for the login page.
pub(crate) struct Ways {
    /// Label and address of the provider's button.
    pub provider: Option<(String, String)>,
    /// Cards are taken.
    pub card: bool,
}

impl Ways {
    pub(crate) fn of(web: &Web, next: &str) -> Self {
        let to = |title: &str| (title.to_owned(), format!("/login/oidc?next={}", escape_query(next)));
        Self { provider: web.office.oidc().map(|o| to(o.title())), card: web.doors.cards.is_some() }
    }

    /// Whether there is any.
    pub(crate) fn any(&self) -> bool {
        self.provider.is_some() || self.card
    }
}

/// The cookie, kept for as long as the provider may take. Lax: the way back begins on the provider's page.
fn pending(web: &Web, value: &str) -> String {
    let secure = if web.secure { "; Secure" } else { "" };
    let age = if value.is_empty() { 0 } else { 600 };
    format!("{PENDING}={value}; Path=/login/oidc; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

async fn leave(State(web): State<Web>, Query(q): Query<Fields>) -> Result<Response, WebError> {
    let next = own_path(q.get("next"));
    if web.office.first_start_open().await? {
        return Err(WebError::SetupCode);
    }
    match web.office.begin_sign_in(&next, None).await {
        Ok(started) => {
            let cookie = pending(&web, &started.cookie);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&started.url)).into_response())
        }
        Err(AppError::Refused { message, .. }) => {
            refused(&web, StatusCode::SERVICE_UNAVAILABLE, message, String::new(), &next)
        }
        Err(e) => Err(e.into()),
    }
}

/// The proof before privileged work, by signing in there once more.
async fn leave_again(State(web): State<Web>, EnrolWho(who): EnrolWho) -> Result<Response, WebError> {
    let started = web.office.begin_sign_in("/", Some(&who)).await?;
    let cookie = pending(&web, &started.cookie);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&started.url)).into_response())
}

#[derive(Template)]
#[template(path = "proved.html")]
struct ProvedPage {
    page: Page,
}

async fn come_back(
    State(web): State<Web>,
    headers: HeaderMap,
    From(place): From,
    Query(q): Query<Fields>,
) -> Result<Response, WebError> {
    let back = Back {
        cookie: cookie(&headers, PENDING).unwrap_or_default().to_owned(),
        code: q.raw("code").to_owned(),
        state: q.raw("state").to_owned(),
        issuer: q.raw("iss").to_owned(),
        error: q.raw("error").to_owned(),
    };
    let who = match token(&headers) {
        Some(token) => login::identify(&web.office, token).await.ok(),
        None => None,
    };
    let mut response = match web.office.end_sign_in(&back, who.as_ref(), &place).await {
        Ok(Answer::Session(session, next)) => with_cookie(&web, &session, &first_page(&session, &next)),
        Ok(Answer::Proved) => html(&ProvedPage { page: Page::bare("確かめました") })?,
        Err(AppError::Refused { message, .. }) => {
            refused(&web, StatusCode::UNAUTHORIZED, message, String::new(), "/")?
        }
        Err(e) => WebError::from(e).into_response(),
    };
    if let Ok(gone) = pending(&web, "").parse() {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}

async fn by_card(
    State(web): State<Web>,
    From(place): From,
    Card(chain): Card,
    Open(form): Open,
) -> Result<Response, WebError> {
    let cards = web.doors.cards.as_ref().ok_or(AppError::NotFound)?;
    let next = own_path(form.get("next"));
    let entered = match cards.holder(&chain, web.office.clock.now()) {
        Ok((login, mark)) => web.office.enter_by_card(&login, mark, cards.second_factor(), &place).await,
        Err(e) => Err(e),
    };
    match entered {
        Ok(session) => Ok(with_cookie(&web, &session, &first_page(&session, &next))),
        Err(AppError::Refused { message, .. }) => {
            refused(&web, StatusCode::UNAUTHORIZED, message, String::new(), &next)
        }
        Err(e) => Err(e.into()),
    }
}
