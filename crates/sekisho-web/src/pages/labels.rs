//! Labels of a register's rows, and the short address to which their codes lead.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::passkeys::only_on_this_machine;
use sekisho_app::registers::{LabelsForm, MOST_LABELS, SHEET};

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::{Who, site};
use crate::page::{Errors, Page, html};
use crate::pages::registers::query;
use crate::view::pdf;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/registers/{id}/labels", get(choose).post(print))
        .route("/r/{register}/{code}", get(lead))
}

#[derive(Template)]
#[template(path = "labels.html")]
struct LabelsPage {
    page: Page,
    form: LabelsForm,
    /// Rows that are ticked; nothing: all.
    ticked: Option<Vec<String>>,
    skip: String,
    /// The address that is printed.
    site: String,
    /// It is the configured one, not that of this request.
    configured: bool,
    /// It leads nowhere from another machine.
    only_here: bool,
    sheet: usize,
    most: usize,
    errors: Errors,
}

impl LabelsPage {
    fn is_ticked(&self, id: &str) -> bool {
        self.ticked.as_ref().is_none_or(|t| t.iter().any(|x| x == id))
    }
}

async fn page(
    web: &Web,
    who: &Identity,
    id: &str,
    asked: &Fields,
    typed: Option<&Fields>,
    site: String,
    errors: Errors,
) -> Result<Response, WebError> {
    let form = web.office.labels_form(who, id, &query(asked)).await?;
    let page = Page::of(web, who, &format!("{}のラベル", form.title), "/registers").await?;
    html(&LabelsPage {
        page,
        form,
        ticked: typed.map(|f| f.all("row")),
        skip: typed.map(|f| f.get("skip").to_owned()).unwrap_or_default(),
        configured: web.office.address().is_some(),
        only_here: only_on_this_machine(&site),
        site,
        sheet: SHEET,
        most: MOST_LABELS,
        errors,
    })
}

async fn choose(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    page(&web, &who, &id, &asked, None, site(&web, &headers), Errors::default()).await
}

async fn print(
    State(web): State<Web>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(asked): Query<Fields>,
    posted: Posted,
) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let site = site(&web, &headers);
    let skip = if f.get("skip").is_empty() { Some(0) } else { f.get("skip").parse().ok() };
    let made = match skip.filter(|n| *n < SHEET) {
        Some(skip) => web.office.labels_pdf(who, &id, &f.all("row"), skip, &site).await,
        None => {
            Err(sekisho_app::AppError::field("skip", format!("0から{}までの数を入れてください。", SHEET - 1)))
        }
    };
    match made {
        Ok(made) => Ok(pdf(made)),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let shown = page(&web, who, &id, &asked, Some(f), site, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}

async fn lead(
    State(web): State<Web>,
    Who(who): Who,
    Path((register, code)): Path<(String, String)>,
) -> Result<Response, WebError> {
    Ok(Redirect::to(&web.office.label_leads(&who, &register, &code).await?).into_response())
}
