//! One's own second factor: enrolling it with an app, recovery codes, giving it up.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::second_factor::SecondFactorPage;

use crate::Web;
use crate::error::WebError;
use crate::guard::EnrolWho;
use crate::page::{Done, Errors, Page, html};
use crate::pages::passkeys::Button;
use crate::sure::EnrolSure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/account/second-factor", get(show).post(act))
        .route("/account/second-factor/qr.svg", get(qr))
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct View {
    page: Page,
    view: SecondFactorPage,
    /// Recovery codes just made.
    codes: Vec<String>,
    /// Asks for a new passkey.
    passkey: Option<Button>,
    /// What the new passkey was to be called.
    name: String,
    errors: Errors,
}

pub(crate) async fn page(
    web: &Web,
    who: &Identity,
    done: Option<&str>,
    codes: Vec<String>,
    name: &str,
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.second_factor(who).await?;
    let passkey = (!view.passkeys.origin.is_empty() && !view.passkeys.full)
        .then(|| Button::at(&view.passkeys.origin, "/account/passkeys/new"));
    html(&View {
        page: Page::of(web, who, "多要素認証", "").await?.narrow().flash(done),
        view,
        codes,
        passkey,
        name: name.to_owned(),
        errors,
    })
}

async fn show(
    State(web): State<Web>,
    EnrolWho(who): EnrolWho,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    page(&web, &who, q.done.as_deref(), vec![], "", Errors::default()).await
}

/// The QR code as a picture of its own: the pages' policy lets no style or script stand in them.
async fn qr(State(web): State<Web>, EnrolWho(who): EnrolWho) -> Result<Response, WebError> {
    let svg = web.office.second_factor_qr(&who).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

async fn act(State(web): State<Web>, EnrolSure(posted): EnrolSure) -> Result<Response, WebError> {
    let (office, who, f) = (&web.office, &posted.who, &posted.fields);
    let made = match f.get("do") {
        "begin" => {
            office.begin_second_factor(who).await?;
            return Ok(Redirect::to("/account/second-factor").into_response());
        }
        "drop" => {
            office.drop_second_factor(who).await?;
            return Ok(Redirect::to("/account?done=factor_dropped").into_response());
        }
        "confirm" => office.confirm_second_factor(who, f.get("code")).await,
        "renew" => office.renew_recovery_codes(who).await,
        _ => return Err(WebError::BadForm),
    };
    match made {
        Ok(codes) => page(&web, who, None, codes, "", Errors::default()).await,
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&web, who, None, vec![], "", errors).await?)
                .into_response())
        }
    }
}
