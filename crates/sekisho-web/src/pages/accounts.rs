//! Accounts of other people (利用者), and the confirmation that somebody took up what was set anew for them.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::accounts::{AccountsPage, Change};
use sekisho_app::login::Identity;
use sekisho_app::proposals::{AppointPage, AppointmentForm};
use sekisho_app::resets::ResetPage;
use sekisho_app::second_factor::FactorRolesPage;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/accounts", get(index))
        .route("/accounts/{person}", post(change))
        .route("/accounts/roles", get(appoint).post(propose))
        .route("/accounts/second-factor", get(factor_roles).post(set_factor_roles))
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
    page: String,
    done: Option<String>,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.accounts(&who, q.q.trim(), q.page.parse().unwrap_or(1)).await?;
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
        "unlink" => Change::Unlink,
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

#[derive(Template)]
#[template(path = "appoint.html")]
struct AppointView {
    page: Page,
    view: AppointPage,
    form: AppointmentForm,
    errors: Errors,
}

async fn show_appoint(
    web: &Web,
    who: &Identity,
    form: AppointmentForm,
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.appoint_page(who, &form.person).await?;
    html(&AppointView {
        page: Page::of(web, who, "役割の任命", SECTION).await?.narrow(), view, form, errors
    })
}

#[derive(serde::Deserialize)]
struct Whom {
    #[serde(default)]
    person: String,
}

async fn appoint(State(web): State<Web>, Who(who): Who, Query(q): Query<Whom>) -> Result<Response, WebError> {
    let form = AppointmentForm { person: q.person, ..AppointmentForm::default() };
    show_appoint(&web, &who, form, Errors::default()).await
}

async fn propose(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let f = &posted.fields;
    let form = AppointmentForm {
        person: f.get("person").to_owned(),
        role: f.get("role").to_owned(),
        from: f.get("from").to_owned(),
        until: f.get("until").to_owned(),
    };
    match web.office.propose_appointment(&posted.who, &form).await {
        Ok(id) => Ok(Redirect::to(&format!("/organization/proposals/{id}?done=suggested")).into_response()),
        Err(e) => {
            let shown = show_appoint(&web, &posted.who, form, Errors::from_app(e)?).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "factor_roles.html")]
struct FactorRolesView {
    page: Page,
    view: FactorRolesPage,
}

async fn factor_roles(
    State(web): State<Web>,
    Who(who): Who,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let view = web.office.second_factor_roles_page(&who).await?;
    let page = Page::of(&web, &who, "多要素認証が必要な役割", SECTION).await?;
    html(&FactorRolesView { page: page.narrow().flash(q.done.as_deref()), view })
}

async fn set_factor_roles(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    web.office.set_second_factor_roles(&posted.who, &posted.fields.all("role")).await?;
    Ok(Redirect::to("/accounts/second-factor?done=saved").into_response())
}
