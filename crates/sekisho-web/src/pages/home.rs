//! Home: what do I have to do. And the inbox, which is all of it.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::cases::{Home, TaskLine};
use sekisho_app::duties::DutyLine;

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Done, Page, html};

/// Duties on the home page.
const HOME_DUTIES: usize = 10;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/", get(home)).route("/inbox", get(inbox))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    home: Home,
    duties: Vec<DutyLine>,
    other_duties: usize,
    /// The login before this one; empty when this is the first.
    previous: String,
    /// Failed logins between the two.
    failed: i64,
}

async fn home(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    let home = web.office.home(&who).await?;
    let page = Page::of(&web, &who, "ホーム", "/").await?.flash(q.done.as_deref());
    let (duties, other_duties) = web.office.own_duties(&who, HOME_DUTIES).await?;
    let previous = who.previous.map(sekisho_base::Instant::japanese).unwrap_or_default();
    html(&HomePage { page, home, duties, other_duties, previous, failed: who.failed })
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    page: Page,
    tasks: Vec<TaskLine>,
}

async fn inbox(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let tasks = web.office.inbox(&who, 500).await?;
    html(&InboxPage { page: Page::of(&web, &who, "決裁・処理待ち", "/inbox").await?, tasks })
}
