//! Login and logout.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::AppError;
use sekisho_app::demo::PrintedLogin;
use sekisho_app::login::{self, Given, Identity, NewSession, Stage};
use sekisho_app::second_factor::Proofs;

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::{CodePosted, Open};
use crate::guard::{COOKIE, CodeWho, From, Who, token};
use crate::page::{Page, html};
use crate::pages::passkeys::Button;
use crate::pages::sign_in::Ways;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/login", get(show).post(enter))
        .route("/login/code", get(show_code).post(enter_code))
        .route("/login/again", get(again))
        .route("/logout", post(leave))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    message: Option<String>,
    login: String,
    next: String,
    ways: Ways,
    passkey: Option<Button>,
    /// People of a demo city.
    demo: Vec<PrintedLogin>,
}

#[derive(serde::Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

fn page(web: &Web) -> Page {
    Page { body: web.office.body_title().to_owned(), ..Page::bare("ログイン") }
}

async fn show(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(q): Query<Next>,
) -> Result<Response, WebError> {
    if let Some(t) = token(&headers)
        && login::identify(&web.office, t).await.is_ok()
    {
        return Ok(Redirect::to(&own_path(&q.next)).into_response());
    }
    // Nobody can log in yet.
    if web.office.first_start_open().await? {
        return Err(WebError::SetupCode);
    }
    html(&login_page(&web, None, String::new(), own_path(&q.next)))
}

fn login_page(web: &Web, message: Option<String>, login: String, next: String) -> LoginPage {
    let (ways, demo) = (Ways::of(web, &next), web.office.demo_logins().to_vec());
    let passkey = Button::for_anybody(web);
    LoginPage { page: page(web), message, login, next, ways, passkey, demo }
}

/// The login page with what was in the way.
pub(crate) fn refused(
    web: &Web,
    status: StatusCode,
    message: String,
    login: String,
    next: &str,
) -> Result<Response, WebError> {
    Ok((status, html(&login_page(web, Some(message), login, own_path(next)))?).into_response())
}

/// Where a session goes first.
pub(crate) fn first_page(session: &NewSession, next: &str) -> String {
    match (session.stage, session.must_change) {
        (Stage::Code, _) => format!("/login/code?next={}", escape_query(&own_path(next))),
        (_, true) => "/password".to_owned(),
        (Stage::Enrol, false) => "/account/second-factor".to_owned(),
        (Stage::Open, false) => own_path(next),
    }
}

async fn enter(State(web): State<Web>, From(place): From, Open(form): Open) -> Result<Response, WebError> {
    match login::login(&web.office, form.get("login"), form.raw("password"), &place).await {
        Ok(session) => Ok(with_cookie(&web, &session, &first_page(&session, form.get("next")))),
        Err(AppError::Refused { message, .. }) => {
            let login = form.get("login").to_owned();
            refused(&web, StatusCode::UNAUTHORIZED, message, login, form.get("next"))
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    page: Page,
    message: Option<String>,
    next: String,
    /// What the person has that can be typed.
    proofs: Proofs,
    passkey: Option<Button>,
}

impl CodePage {
    /// `message` says what was wrong with what came; empty: with what was typed.
    async fn of(web: &Web, who: Identity, message: Option<String>, next: String) -> Result<Self, WebError> {
        let passkey = Button::of(web, &who, "/login/code/passkey").await?;
        let proofs = web.office.proofs_of(&who).await?.of_second();
        let message = message.map(|m| if m.is_empty() { proofs.wrong() } else { m });
        Ok(Self { page: Page { csrf: who.csrf, ..page(web) }, message, next, proofs, passkey })
    }
}

async fn show_code(
    State(web): State<Web>,
    CodeWho(who): CodeWho,
    Query(q): Query<Next>,
) -> Result<Response, WebError> {
    if who.stage != Stage::Code {
        return Ok(Redirect::to(&own_path(&q.next)).into_response());
    }
    html(&CodePage::of(&web, who, None, own_path(&q.next)).await?)
}

async fn enter_code(
    State(web): State<Web>,
    From(place): From,
    CodePosted(posted): CodePosted,
) -> Result<Response, WebError> {
    let next = own_path(posted.fields.get("next"));
    if posted.who.stage != Stage::Code {
        return Ok(Redirect::to(&next).into_response());
    }
    let given = match posted.fields.raw("passkey") {
        "" => Given::Typed(posted.fields.get("code")),
        answer => Given::Passkey(posted.fields.raw("ticket"), answer),
    };
    let by_typing = matches!(given, Given::Typed(_));
    match login::second(&web.office, &posted.who, given, &place).await {
        Ok(session) => Ok(with_cookie(&web, &session, &first_page(&session, &next))),
        Err(AppError::Refused { code, message }) => {
            let message = if by_typing && code == "L002" { String::new() } else { message };
            let shown = CodePage::of(&web, posted.who, Some(message), next).await?;
            Ok((StatusCode::UNAUTHORIZED, html(&shown)?).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Template)]
#[template(path = "logged_in_again.html")]
struct AgainPage {
    page: Page,
}

/// The end of a login beside a form that waits in another tab (`kept`).
async fn again(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    html(&AgainPage { page: Page::of(&web, &who, "ログインしました", "").await?.narrow() })
}

async fn leave(State(web): State<Web>, CodePosted(posted): CodePosted) -> Result<Response, WebError> {
    login::logout(&web.office, &posted.who).await?;
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response())
}

/// Sends the token once and goes to a page.
pub(crate) fn with_cookie(web: &Web, session: &NewSession, to: &str) -> Response {
    let secure = if web.secure { "; Secure" } else { "" };
    // Lax, so that a link in a mail opens the page; forms are guarded by Origin and token.
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}", session.token);
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// A path on this site, or the home page: a login must not send anybody elsewhere.
pub(crate) fn own_path(next: &str) -> String {
    let plain = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if plain && next.len() < 500 { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn goes_on_only_within_the_site() {
        assert_eq!(own_path("/cases/1?x=2"), "/cases/1?x=2");
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"] {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }
}
