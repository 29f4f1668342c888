//! The organization: departments and sections with their managers, people, import and export.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::organization::OrganizationView;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Page, html};
use crate::view::{ImportView, download};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/organization", get(index))
        .route("/organization/export.xlsx", get(export))
        .route("/organization/import", get(import).post(import_step))
}

const SECTION: &str = "/organization";

#[derive(Template)]
#[template(path = "organization.html")]
struct IndexPage {
    page: Page,
    view: OrganizationView,
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    done: Option<String>,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.organization(&who, &q.q).await?;
    let page = Page::of(&web, &who, "組織", SECTION).await?.flash(q.done.as_deref());
    html(&IndexPage { page, view })
}

async fn export(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    Ok(download(web.office.export_organization(&who).await?))
}

fn view() -> ImportView {
    ImportView {
        back: "/organization".to_owned(),
        back_label: "組織".to_owned(),
        action: "/organization/import".to_owned(),
        help: "「組織」「職」「職員」「任命」の4つのシートを持つExcelファイル、またはその1つのCSVです。まず内容を確かめ、それから取り込みます。".to_owned(),
        sample: "/organization/export.xlsx".to_owned(),
        ..ImportView::default()
    }
}

async fn import(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    web.office.may_import_organization(&who).await?;
    view().page(&web, &who, "組織・職員の取込み", SECTION).await
}

async fn import_step(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    if posted.fields.get("do") == "apply" {
        let f = &posted.fields;
        web.office.apply_organization_import(&posted.who, f.get("upload"), f.get("shown")).await?;
        return Ok(Redirect::to("/organization?done=imported").into_response());
    }
    web.office.may_import_organization(&posted.who).await?;
    let mut view = view();
    match posted.file {
        None => view.message = "ファイルを選んでください。".to_owned(),
        Some(file) => {
            match web.office.plan_organization_import(&posted.who, &file.name, file.bytes.to_vec()).await {
                Ok(plan) => view.plan = Some(plan),
                Err(sekisho_app::AppError::Refused { message, .. }) => view.message = message,
                Err(e) => return Err(e.into()),
            }
        }
    }
    view.page(&web, &posted.who, "組織・職員の取込み", SECTION).await
}
