//! One's own account: sessions, what happened to it, tokens of programs.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::login::Identity;
use sekisho_app::sessions::AccountPage;
use sekisho_app::tokens::{DAYS, Scope, Wanted};

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/account", get(show))
        .route("/account/sessions", post(end))
        .route("/account/tokens", post(tokens))
}

#[derive(Template)]
#[template(path = "own_account.html")]
struct OwnAccountPage {
    page: Page,
    view: AccountPage,
    /// People come in by cards.
    cards: bool,
    /// Secret of the token just made.
    secret: Option<String>,
    scopes: [Scope; 3],
    days: [i64; 3],
    typed: Fields,
    errors: Errors,
}

impl OwnAccountPage {
    fn chosen(&self, scope: &Scope) -> bool {
        self.typed.all("scope").iter().any(|s| s == scope.word())
    }
}

async fn page(
    web: &Web,
    who: &Identity,
    done: Option<&str>,
    secret: Option<String>,
    typed: Fields,
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.account_page(who).await?;
    let page = Page::of(web, who, "アカウント", "").await?.flash(done);
    let cards = web.doors.cards.is_some();
    html(&OwnAccountPage { page, view, cards, secret, scopes: Scope::ALL, days: DAYS, typed, errors })
}

async fn show(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    page(&web, &who, q.done.as_deref(), None, Fields::default(), Errors::default()).await
}

async fn end(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let id = posted.fields.get("session");
    web.office.end_own_sessions(&posted.who, Some(id).filter(|id| !id.is_empty())).await?;
    Ok(Redirect::to("/account?done=sessions").into_response())
}

async fn tokens(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    match f.get("do") {
        "revoke" => {
            web.office.revoke_token(who, f.get("token")).await?;
            Ok(Redirect::to("/account?done=token_revoked").into_response())
        }
        "make" => {
            let (name, networks, days) = (f.get("name"), f.get("networks"), f.get("days"));
            let wanted = Wanted { name, scopes: &f.all("scope"), networks, days };
            match web.office.make_token(who, wanted).await {
                Ok(secret) => page(&web, who, None, Some(secret), Fields::default(), Errors::default()).await,
                Err(e) => {
                    let errors = Errors::from_app(e)?;
                    let shown = page(&web, who, None, None, posted.fields.clone(), errors).await?;
                    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
                }
            }
        }
        _ => Err(WebError::BadForm),
    }
}
