//! システム: how the system fares, for those who run it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use sekisho_app::system::{Licence, SystemView, licences};

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/system", get(show)).route("/system/licences", get(parts))
}

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    page: Page,
    view: SystemView,
}

async fn show(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let view = web.office.system_page(&who).await?;
    html(&SystemPage { page: Page::of(&web, &who, "システム", "/system").await?, view })
}

#[derive(Template)]
#[template(path = "licences.html")]
struct LicencesPage {
    page: Page,
    parts: Vec<Licence>,
}

async fn parts(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    web.office.runs_system(&who).await?;
    html(&LicencesPage {
        page: Page::of(&web, &who, "使っている部品とライセンス", "/system").await?,
        parts: licences(),
    })
}
