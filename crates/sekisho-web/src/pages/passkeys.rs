//! Passkeys: what the page's script asks the browser for, coming in by one, registering and removing one's own.
//!
//! The script fetches the question when the button is pressed, so that no page grows too old for it, and sends the answer in fields of an
//! ordinary form.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use sekisho_app::AppError;
use sekisho_app::login::{Identity, Stage};
use sekisho_app::passkeys::Asked;
use sekisho_base::canonical::hex;
use serde_json::json;

use crate::Web;
use crate::assets::PASSKEY_PATH;
use crate::error::WebError;
use crate::form::Open;
use crate::guard::{CodeWho, EnrolWho, From, cookie};
use crate::page::Errors;
use crate::pages::login::{first_page, own_path, refused, with_cookie};
use crate::pages::second_factor::page;
use crate::sure::EnrolSure;

/// Cookie by which a question is for the browser that asked it, before there is a session.
const ASKER: &str = "sekisho_passkey";

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/login/passkey", get(ask_to_come_in).post(come_in))
        .route("/login/code/passkey", get(ask_as_second_factor))
        .route("/account/passkeys", post(act))
        .route("/account/passkeys/proof", get(ask_as_proof))
        .route("/account/passkeys/new", get(ask_for_new))
}

/// A button that the script shows where the browser can ask for a passkey.
pub(crate) struct Button {
    /// Where the script finds the question.
    pub ask: &'static str,
    /// Origin of the pages for which passkeys are: on any other the button stays hidden.
    pub origin: String,
    /// The script.
    pub js: &'static str,
}

impl Button {
    pub(crate) fn at(origin: &str, ask: &'static str) -> Self {
        Self { ask, origin: origin.to_owned(), js: &PASSKEY_PATH }
    }

    /// For the login page.
    pub(crate) fn for_anybody(web: &Web) -> Option<Self> {
        web.office.passkey_site().ok().map(|site| Self::at(&site.origin, "/login/passkey"))
    }

    /// For somebody who has a passkey.
    pub(crate) async fn of(web: &Web, who: &Identity, ask: &'static str) -> Result<Option<Self>, WebError> {
        let Ok(site) = web.office.passkey_site() else { return Ok(None) };
        let any = !web.office.usable_passkeys(who).await?.is_empty();
        Ok(any.then(|| Self::at(&site.origin, ask)))
    }
}

fn question(asked: Asked) -> Response {
    Json(json!({"publicKey": asked.options, "ticket": asked.ticket})).into_response()
}

/// What a browser keeps in the cookie: of the form that is given out here.
fn asker(headers: &HeaderMap) -> &str {
    cookie(headers, ASKER)
        .filter(|v| v.len() == 64 && v.bytes().all(|b| b.is_ascii_hexdigit()))
        .unwrap_or_default()
}

async fn ask_to_come_in(State(web): State<Web>, headers: HeaderMap) -> Result<Response, WebError> {
    let mut browser = asker(&headers).to_owned();
    if browser.is_empty() {
        let mut secret = [0u8; 32];
        web.office.entropy.fill(&mut secret).map_err(AppError::internal)?;
        browser = hex(&secret);
    }
    let asked = web.office.ask_to_come_in(&browser)?;
    let secure = if web.secure { "; Secure" } else { "" };
    let cookie =
        format!("{ASKER}={browser}; Path=/login/passkey; HttpOnly; SameSite=Strict; Max-Age=300{secure}");
    Ok(([(header::SET_COOKIE, cookie)], question(asked)).into_response())
}

async fn come_in(
    State(web): State<Web>,
    headers: HeaderMap,
    From(place): From,
    Open(form): Open,
) -> Result<Response, WebError> {
    let next = own_path(form.get("next"));
    let answer = (form.raw("ticket"), form.raw("passkey"));
    match web.office.enter_by_passkey(asker(&headers), answer, &place).await {
        Ok(session) => Ok(with_cookie(&web, &session, &first_page(&session, &next))),
        Err(AppError::Refused { message, .. }) => {
            refused(&web, StatusCode::UNAUTHORIZED, message, String::new(), &next)
        }
        Err(e) => Err(e.into()),
    }
}

async fn ask_as_second_factor(State(web): State<Web>, CodeWho(who): CodeWho) -> Result<Response, WebError> {
    if who.stage != Stage::Code {
        return Err(AppError::NotFound.into());
    }
    Ok(question(web.office.ask_as_second_factor(&who).await?))
}

async fn ask_as_proof(State(web): State<Web>, EnrolWho(who): EnrolWho) -> Result<Response, WebError> {
    Ok(question(web.office.ask_as_proof(&who).await?))
}

async fn ask_for_new(State(web): State<Web>, EnrolWho(who): EnrolWho) -> Result<Response, WebError> {
    Ok(question(web.office.ask_for_new_passkey(&who).await?))
}

async fn act(State(web): State<Web>, EnrolSure(posted): EnrolSure) -> Result<Response, WebError> {
    let (office, who, f) = (&web.office, &posted.who, &posted.fields);
    let refused = match f.get("do") {
        "register" => {
            let (name, answer) = (f.get("passkey_name"), (f.raw("ticket"), f.raw("passkey")));
            match office.register_passkey(who, name, answer).await {
                Ok(codes) if codes.is_empty() => {
                    return Ok(Redirect::to("/account/second-factor?done=passkey").into_response());
                }
                Ok(codes) => return page(&web, who, None, codes, "", Errors::default()).await,
                Err(e) => e,
            }
        }
        "remove" => match office.remove_passkey(who, f.raw("id")).await {
            Ok(()) => {
                return Ok(Redirect::to("/account/second-factor?done=passkey_removed").into_response());
            }
            Err(e) => e,
        },
        _ => return Err(WebError::BadForm),
    };
    let errors = match refused {
        AppError::Refused { message, .. } => Errors::one("passkey_name", message),
        e => Errors::from_app(e)?,
    };
    let shown = page(&web, who, None, vec![], f.get("passkey_name"), errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}
