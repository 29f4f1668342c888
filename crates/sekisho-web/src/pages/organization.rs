//! The organization: departments and sections with their managers, people, import and export.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::organization::OrganizationView;
use sekisho_app::proposals::ProposalPage;
use sekisho_app::registers::ImportPlan;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Errors, Page, html};
use crate::sure::Sure;
use crate::view::{ImportView, download};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/organization", get(index))
        .route("/organization/export.xlsx", get(export))
        .route("/organization/import", get(import).post(import_step))
        .route("/organization/proposals/{id}", get(proposal).post(decide))
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

async fn view(web: &Web) -> Result<ImportView, WebError> {
    Ok(ImportView {
        apply: "この内容で提案する（もう1人が確認すると取り込まれます）".to_owned(),
        warning: web.office.second_importer_missing().await?.unwrap_or_default(),
        back: "/organization".to_owned(),
        back_label: "組織".to_owned(),
        action: "/organization/import".to_owned(),
        help: "「組織」「職」「職員」「任命」の4つのシートを持つExcelファイル、またはその1つのCSVです。まず内容を確かめ、それから提案します。取り込めるもう1人が確認すると、取り込まれます。".to_owned(),
        sample: "/organization/export.xlsx".to_owned(),
        ..ImportView::default()
    })
}

async fn import(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    web.office.may_import_organization(&who).await?;
    view(&web).await?.page(&web, &who, "組織・職員の取込み", SECTION).await
}

/// The dry run of what came from elsewhere than a file that was sent.
pub(crate) async fn planned(web: &Web, who: &Identity, plan: ImportPlan) -> Result<Response, WebError> {
    let view = ImportView { plan: Some(plan), ..view(web).await? };
    view.page(web, who, "組織・職員の取込み", SECTION).await
}

async fn import_step(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    if posted.fields.get("do") == "apply" {
        let f = &posted.fields;
        let id = web.office.propose_organization_import(&posted.who, f.get("upload"), f.get("shown")).await?;
        return Ok(Redirect::to(&format!("/organization/proposals/{id}?done=suggested")).into_response());
    }
    web.office.may_import_organization(&posted.who).await?;
    let mut view = view(&web).await?;
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

#[derive(Template)]
#[template(path = "proposal.html")]
struct ProposalView {
    page: Page,
    view: ProposalPage,
    errors: Errors,
}

async fn show_proposal(
    web: &Web,
    who: &Identity,
    id: &str,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.proposal_page(who, id).await?;
    html(&ProposalView {
        page: Page::of(web, who, "組織の取込みの提案", SECTION).await?.flash(done),
        view,
        errors,
    })
}

async fn proposal(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<Asked>,
) -> Result<Response, WebError> {
    show_proposal(&web, &who, &id, Errors::default(), q.done.as_deref()).await
}

async fn decide(
    State(web): State<Web>,
    Path(id): Path<String>,
    Sure(posted): Sure,
) -> Result<Response, WebError> {
    let (office, who) = (&web.office, &posted.who);
    let (done, result) = match posted.fields.get("do") {
        "adopt" => ("adopted", office.adopt_proposal(who, &id).await),
        "confirm" => ("imported", office.confirm_proposal(who, &id).await.map(|_| ())),
        "refuse" => ("dismissed", office.refuse_proposal(who, &id, posted.fields.get("says")).await),
        _ => return Err(WebError::BadForm),
    };
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/organization/proposals/{id}?done={done}")).into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let shown = show_proposal(&web, who, &id, errors, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}
