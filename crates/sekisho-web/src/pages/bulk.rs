//! Changing the class of many things at once: numbers and new classes, the dry run, applying. One form; every button keeps what was typed.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::cases::{BulkForm, BulkPlan, NUMBERS, Typed};
use sekisho_app::login::Identity;
use sekisho_app::{AppError, FieldError};

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::page::{Errors, Page, html};
use crate::pages::apply::typed;
use crate::pages::registers::query;

/// Rows of the dry run on the page; all of them are applied for.
const SHOWN_ROWS: usize = 200;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/bulk/{procedure}", get(show).post(post))
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    page: Page,
    form: BulkForm,
    plan: Option<BulkPlan>,
    errors: Errors,
    most: usize,
}

async fn page(
    web: &Web,
    who: &Identity,
    form: BulkForm,
    plan: Option<BulkPlan>,
    errors: Errors,
) -> Result<Response, WebError> {
    let title = form.title.clone();
    html(&BulkPage { page: Page::of(web, who, &title, "/").await?, form, plan, errors, most: SHOWN_ROWS })
}

/// The form, with the numbers of a list where the address has one: `register` and the list's own query.
async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(procedure): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    let (list, items) = (query(&asked), asked.all("item"));
    let from = Some((asked.get("register"), &list));
    let mut form = web.office.bulk_form(&who, &procedure, &Typed::default(), from).await?;
    if !items.is_empty() {
        form.numbers = web.office.bulk_numbers_of(&who, &procedure, &items).await?;
    }
    page(&web, &who, form, None, Errors::default()).await
}

async fn post(
    State(web): State<Web>,
    Path(procedure): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    let Posted { who, fields, file, .. } = posted;
    let mut typed = typed(&fields);
    let mut faults: Vec<FieldError> = Vec::new();
    // A file that was chosen counts with whichever button was pressed.
    if let Some(file) = file {
        match web.office.bulk_numbers(&procedure, file.bytes.to_vec(), typed.first(NUMBERS)).await {
            Ok(numbers) => drop(typed.values.insert(NUMBERS.to_owned(), vec![numbers])),
            Err(AppError::Invalid(wrong)) => faults.extend(wrong),
            Err(e) => return Err(e.into()),
        }
    }
    let applies = fields.get("do") == "apply" && faults.is_empty();
    if applies {
        match web.office.bulk_apply(&who, &procedure, &typed, fields.raw("shown")).await {
            Ok(id) => return Ok(Redirect::to(&format!("/cases/{id}?done=applied")).into_response()),
            Err(AppError::Invalid(wrong)) => faults.extend(wrong),
            Err(e) => return Err(e.into()),
        }
    }
    let plan = if faults.is_empty() || applies {
        match web.office.bulk_plan(&who, &procedure, &typed).await {
            Ok(plan) => Some(plan),
            Err(AppError::Invalid(wrong)) => {
                let new = wrong.into_iter().filter(|w| faults.iter().all(|f| f.field != w.field));
                faults.extend(new.collect::<Vec<_>>());
                None
            }
            Err(e) => return Err(e.into()),
        }
    } else {
        None
    };
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let form = web.office.bulk_form(&who, &procedure, &typed, None).await?;
    Ok((status, page(&web, &who, form, plan, Errors::of(faults)).await?).into_response())
}
