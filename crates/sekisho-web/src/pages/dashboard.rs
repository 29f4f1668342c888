//! How the standard is kept, at one look.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use sekisho_app::dashboard::{Dashboard, Turned};

use crate::Web;
use crate::chart::bars;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/dashboard", get(show))
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    page: Page,
    view: Dashboard,
    trend: String,
    chapters: String,
    areas: String,
}

/// Turns that are shown at once; the others are folded away.
const FIRST: usize = 10;

impl DashboardPage {
    fn first_turned(&self) -> &[Turned] {
        self.view.turned.get(..FIRST).unwrap_or(&self.view.turned)
    }

    fn more_turned(&self) -> &[Turned] {
        self.view.turned.get(FIRST..).unwrap_or_default()
    }
}

async fn show(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let me = web.office.me(&who).await?;
    let view = web.office.dashboard(&me).await?;
    let page = Page::of_me(&web, &who, me, "遵守の状況", "/dashboard").await?;
    let trend = bars("trend", "条項の状態の移り変わり", &view.trend);
    let chapters = bars("chapters", "章ごとの条項の状態", &view.chapters);
    let areas = bars("areas", "8つの区分ごとの条項の状態", &view.areas);
    html(&DashboardPage { page, view, trend, chapters, areas })
}
