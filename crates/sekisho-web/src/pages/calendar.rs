//! The calendar: a month as a grid and as a list.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::calendar::{CalendarScope, CalendarView};

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/calendar", get(show))
}

/// Things of a day that the grid shows; the list below shows all.
const IN_GRID: usize = 3;

#[derive(serde::Deserialize, Default)]
struct Asked {
    #[serde(default)]
    month: String,
    #[serde(default)]
    scope: String,
}

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    page: Page,
    view: CalendarView,
}

impl CalendarPage {
    fn address(&self, month: &str, scope: &str) -> String {
        format!("/calendar?month={month}&scope={scope}")
    }

    fn of_scope(&self, scope: &str) -> bool {
        self.view.scope.code() == scope
    }

    fn is_empty(&self) -> bool {
        self.view.weeks.iter().flatten().flatten().all(|d| d.items.is_empty())
    }
}

async fn show(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.calendar(&who, &a.month, CalendarScope::of_code(&a.scope)).await?;
    html(&CalendarPage { page: Page::of(&web, &who, "予定表", "/calendar").await?, view })
}
