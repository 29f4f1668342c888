//! Versions of the standard: which one runs, which wait for a second person, what would change.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::packs::{PackProposalPage, PacksPage};

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/packs", get(index).post(again))
        .route("/packs/proposals/{id}", get(proposal).post(decide))
}

const SECTION: &str = "/clauses";

#[derive(Template)]
#[template(path = "packs.html")]
struct IndexPage {
    page: Page,
    view: PacksPage,
}

#[derive(serde::Deserialize)]
struct Asked {
    done: Option<String>,
    /// The day for which somebody asks what was in force, as typed.
    #[serde(default)]
    on: String,
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.packs_page(&who, &q.on).await?;
    let page = Page::of(&web, &who, "基準の版", SECTION).await?.flash(q.done.as_deref());
    html(&IndexPage { page, view })
}

/// Proposes an earlier version again.
async fn again(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let id = web.office.propose_earlier_pack(&posted.who, posted.fields.get("hash")).await?;
    Ok(Redirect::to(&format!("/packs/proposals/{id}?done=version_proposed")).into_response())
}

#[derive(Template)]
#[template(path = "pack_proposal.html")]
struct ProposalView {
    page: Page,
    view: PackProposalPage,
    errors: Errors,
}

async fn show(
    web: &Web,
    who: &Identity,
    id: &str,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.pack_proposal_page(who, id).await?;
    html(&ProposalView {
        page: Page::of(web, who, "基準の版の提案", SECTION).await?.flash(done),
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
    show(&web, &who, &id, Errors::default(), q.done.as_deref()).await
}

async fn decide(
    State(web): State<Web>,
    Path(id): Path<String>,
    Sure(posted): Sure,
) -> Result<Response, WebError> {
    let (office, who, f) = (&web.office, &posted.who, &posted.fields);
    let (done, result) = match f.get("do") {
        "adopt" => ("version_adopted", office.adopt_pack_proposal(who, &id).await),
        "confirm" => {
            let acknowledged = f.get("acknowledged") == "yes";
            ("version_runs", office.confirm_pack_proposal(who, &id, f.get("shown"), acknowledged).await)
        }
        "refuse" => ("dismissed", office.refuse_pack_proposal(who, &id, f.get("says")).await),
        _ => return Err(WebError::BadForm),
    };
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/packs/proposals/{id}?done={done}")).into_response()),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let shown = show(&web, who, &id, errors, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}
