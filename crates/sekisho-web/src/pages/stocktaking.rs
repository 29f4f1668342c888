//! 棚卸し: the list, opening one, confirming things with a phone or a scanner, closing.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::stocktaking::{SeenForm, StocktakingForm, StocktakingPage, StocktakingsPage};

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/stocktakings", get(index).post(open))
        .route("/stocktakings/{id}", get(show).post(act))
}

const SECTION: &str = "/registers";

#[derive(Template)]
#[template(path = "stocktakings.html")]
struct IndexPage {
    page: Page,
    view: StocktakingsPage,
    errors: Errors,
}

async fn list(
    web: &Web,
    who: &Identity,
    form: StocktakingForm,
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.stocktakings(who, form).await?;
    html(&IndexPage { page: Page::of(web, who, "棚卸し", SECTION).await?, view, errors })
}

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    list(&web, &who, StocktakingForm::default(), Errors::default()).await
}

async fn open(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let f = &posted.fields;
    let form = StocktakingForm {
        register: f.get("register").to_owned(),
        unit: f.get("unit").to_owned(),
        due_on: f.get("due_on").to_owned(),
    };
    match web.office.open_stocktaking(&posted.who, &form).await {
        Ok(id) => Ok(Redirect::to(&format!("/stocktakings/{id}?done=stocktaking")).into_response()),
        Err(e) => {
            let shown = list(&web, &posted.who, form, Errors::from_app(e)?).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "stocktaking.html")]
struct ShowPage {
    page: Page,
    view: StocktakingPage,
    errors: Errors,
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    code: String,
    done: Option<String>,
}

async fn one(
    web: &Web,
    who: &Identity,
    id: &str,
    form: SeenForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.stocktaking(who, id, form).await?;
    let page = Page::of(web, who, &format!("棚卸し {}", view.title), SECTION).await?.narrow().flash(done);
    html(&ShowPage { page, view, errors })
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<Asked>,
) -> Result<Response, WebError> {
    let form = SeenForm { code: q.code, place: String::new() };
    one(&web, &who, &id, form, Errors::default(), q.done.as_deref()).await
}

async fn act(State(web): State<Web>, Path(id): Path<String>, posted: Posted) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let form = SeenForm { code: f.get("code").to_owned(), place: f.get("place").to_owned() };
    let done = match f.get("do") {
        "see" => web.office.confirm_thing(who, &id, &form).await.map(|_| "found"),
        "days" => web.office.enter_days(who, &id).await.map(|_| "days"),
        "close" => web.office.close_stocktaking(who, &id).await.map(|()| "counted"),
        _ => return Err(WebError::BadForm),
    };
    match done {
        Ok(done) => Ok(Redirect::to(&format!("/stocktakings/{id}?done={done}")).into_response()),
        Err(e) => {
            let shown = one(&web, who, &id, form, Errors::from_app(e)?, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}
