//! Privileged work asks again who somebody is when the last proof lies too far back, and then goes on with what was sent: the page that asks
//! carries every field of the form along.

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use sekisho_app::AppError;
use sekisho_app::login::{self, Given, Identity, Via};
use sekisho_app::second_factor::Proofs;

use crate::Web;
use crate::error::WebError;
use crate::form::{EnrolPosted, Fields, Posted};
use crate::guard::From;
use crate::page::{Page, html};
use crate::pages::passkeys::Button;
use crate::refused::typed_on;

/// Whether a field holds what must not come back in a page: a secret, or what proves who sends it.
pub(crate) fn is_secret(name: &str) -> bool {
    ["csrf", PROOF, "ticket", "passkey"].contains(&name)
        || PASSKEY.contains(&name)
        || name.contains("password")
}

/// Field with the password or code that privileged work asks for.
pub(crate) const PROOF: &str = "proof";
/// Fields with a passkey that proves it, and with the ticket of its question.
pub(crate) const PASSKEY: [&str; 2] = ["proof_ticket", "proof_passkey"];

/// A form of somebody who has just proved who they are, or proves it with this form.
pub(crate) struct Sure(pub Posted);

/// The same, also from somebody who must still enrol a second factor.
pub(crate) struct EnrolSure(pub Posted);

#[derive(Template)]
#[template(path = "prove.html")]
struct ProvePage {
    page: Page,
    action: String,
    fields: Vec<(String, String)>,
    /// What the person has that can be typed.
    proofs: Proofs,
    /// What the provider is called by which the person came in, and can prove it again.
    provider: Option<String>,
    passkey: Option<Button>,
    message: Option<String>,
}

/// `message` says what was wrong with what came; empty: with what was typed.
async fn ask(
    web: &Web,
    who: &Identity,
    action: String,
    fields: &Fields,
    message: Option<String>,
) -> WebError {
    let kept = fields
        .with_prefix("")
        .filter(|(name, _)| *name != "csrf" && *name != PROOF && !PASSKEY.contains(name));
    let fields = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(typed_on()).collect();
    let page = match Page::of(web, who, "もう一度確かめます", "").await {
        Ok(page) => page.narrow(),
        Err(e) => return e,
    };
    let provider = web.office.oidc().filter(|_| who.via == Via::Provider).map(|o| o.title().to_owned());
    let passkey = match Button::of(web, who, "/account/passkeys/proof").await {
        Ok(passkey) => passkey,
        Err(e) => return e,
    };
    let proofs = match web.office.proofs_of(who).await {
        Ok(proofs) => proofs.of_proof(),
        Err(e) => return e.into(),
    };
    // What was typed is judged without saying what else might have been.
    let message = message.map(|m| if m.is_empty() { proofs.wrong() } else { m });
    let shown = ProvePage { page, action, fields, proofs, provider, passkey, message };
    match html(&shown) {
        Ok(page) => WebError::Instead(Box::new((StatusCode::UNAUTHORIZED, page).into_response())),
        Err(e) => e,
    }
}

async fn sure(web: &Web, mut posted: Posted, action: String, From(place): From) -> Result<Posted, WebError> {
    // A file cannot be carried along. What takes one only shows what it would change; the use case asks for itself.
    if web.office.proved(&posted.who).is_ok() || !posted.files.is_empty() {
        return Ok(posted);
    }
    let typed = posted.fields.raw(PROOF).to_owned();
    let [ticket, passkey] = PASSKEY.map(|name| posted.fields.raw(name).to_owned());
    let given = match (passkey.is_empty(), typed.is_empty()) {
        (false, _) => Given::Passkey(&ticket, &passkey),
        (true, false) => Given::Typed(&typed),
        (true, true) => return Err(ask(web, &posted.who, action, &posted.fields, None).await),
    };
    let by_typing = matches!(given, Given::Typed(_));
    match login::prove(&web.office, &posted.who, given, &place).await {
        Ok(who) => {
            posted.who = who;
            posted.fields.drop(PROOF);
            PASSKEY.iter().for_each(|name| posted.fields.drop(name));
            Ok(posted)
        }
        Err(AppError::Refused { code: "L003", .. }) if by_typing => {
            Err(ask(web, &posted.who, action, &posted.fields, Some(String::new())).await)
        }
        Err(AppError::Refused { message, .. }) => {
            Err(ask(web, &posted.who, action, &posted.fields, Some(message)).await)
        }
        Err(e) => Err(e.into()),
    }
}

/// Takes apart what a request says about itself before its form is read.
async fn origin(request: Request, web: &Web) -> (Request, String, From) {
    let (mut parts, body) = request.into_parts();
    let action = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let Ok(from) = From::from_request_parts(&mut parts, web).await;
    (Request::from_parts(parts, body), action, from)
}

impl FromRequest<Web> for Sure {
    type Rejection = WebError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, WebError> {
        let (request, action, from) = origin(request, web).await;
        sure(web, Posted::from_request(request, web).await?, action, from).await.map(Self)
    }
}

impl FromRequest<Web> for EnrolSure {
    type Rejection = WebError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, WebError> {
        let (request, action, from) = origin(request, web).await;
        let EnrolPosted(posted) = EnrolPosted::from_request(request, web).await?;
        sure(web, posted, action, from).await.map(Self)
    }
}
