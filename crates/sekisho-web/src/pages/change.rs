//! One column of many rows of a register changed at once: choose the column, tick the rows, see what would change, carry it out.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::registers::{ChangeForm, ImportPlan, MOST_CHANGED, VALUE};

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::page::{Errors, Page, html};
use crate::pages::registers::{pairs_of, query};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/registers/{id}/change", get(choose).post(plan))
}

#[derive(Template)]
#[template(path = "register_change.html")]
struct ChangePage {
    page: Page,
    form: ChangeForm,
    /// The list's query as hidden fields.
    kept: Vec<(String, String)>,
    /// Rows that are ticked; nothing: all.
    ticked: Option<Vec<String>>,
    most: usize,
    errors: Errors,
    /// What would change.
    plan: Option<ImportPlan>,
}

impl ChangePage {
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
    (errors, plan): (Errors, Option<ImportPlan>),
) -> Result<Response, WebError> {
    let q = query(asked);
    let value = typed.map(|f| f.all(VALUE).join("\n")).unwrap_or_default();
    let form = web.office.change_form(who, id, &q, asked.get("column"), &value).await?;
    let page = Page::of(web, who, &format!("{}をまとめて直す", form.title), "/registers").await?;
    let ticked = typed.map(|f| f.all("row"));
    html(&ChangePage { page, form, kept: pairs_of(&q, &q.sort), ticked, most: MOST_CHANGED, errors, plan })
}

async fn choose(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    page(&web, &who, &id, &asked, None, (Errors::default(), None)).await
}

async fn plan(
    State(web): State<Web>,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
    posted: Posted,
) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let value = f.all(VALUE).join("\n");
    let (column, ticked) = (asked.get("column"), f.all("row"));
    match web.office.plan_register_change(who, &id, &query(&asked), (column, &value), &ticked).await {
        Ok(plan) => page(&web, who, &id, &asked, Some(f), (Errors::default(), Some(plan))).await,
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let shown = page(&web, who, &id, &asked, Some(f), (errors, None)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}
