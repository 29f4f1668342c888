//! Home: what do I have to do. And the inbox, which is all of it.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::cases::{BulkResult, Home, MOST_AT_ONCE, TaskLine};
use sekisho_app::duties::DutyLine;
use sekisho_app::overview::Overview;

use crate::Web;
use crate::error::WebError;
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};

/// Duties on the home page.
const HOME_DUTIES: usize = 10;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/", get(home)).route("/inbox", get(inbox).post(decide))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    home: Home,
    /// For those who oversee the whole body.
    overview: Option<Overview>,
    duties: Vec<DutyLine>,
    other_duties: usize,
    /// The login before this one; empty when this is the first.
    previous: String,
    /// Failed logins between the two.
    failed: i64,
}

async fn home(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    let office = &web.office;
    let me = office.me(&who).await?;
    // All parts at a time: the page that everybody opens first waits for the slowest, not for all.
    let parts = async {
        Ok(tokio::try_join!(
            office.home(&who, &me),
            office.own_duties(&me, HOME_DUTIES),
            office.overview(&who, &me)
        )?)
    };
    let (page, (home, (duties, other_duties), overview)) =
        tokio::try_join!(Page::of_me(&web, &who, me.clone(), "ホーム", "/"), parts)?;
    let page = page.flash(q.done.as_deref());
    let previous = who.previous.map(sekisho_base::Instant::japanese).unwrap_or_default();
    html(&HomePage { page, home, overview, duties, other_duties, previous, failed: who.failed })
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    page: Page,
    tasks: Vec<TaskLine>,
    /// What became of the cases that were chosen.
    results: Vec<BulkResult>,
    errors: Errors,
    says: String,
    most: usize,
}

impl InboxPage {
    fn offers(&self) -> bool {
        self.tasks.iter().any(|t| t.bulk.is_some())
    }

    fn done(&self) -> usize {
        self.results.iter().filter(|r| r.message.is_empty()).count()
    }

    fn refused(&self) -> impl Iterator<Item = &BulkResult> {
        self.results.iter().filter(|r| !r.message.is_empty())
    }
}

async fn inbox_page(
    web: &Web,
    who: &sekisho_app::login::Identity,
    results: Vec<BulkResult>,
    errors: Errors,
    says: &str,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let tasks = web.office.inbox_page(who).await?;
    let page = Page::of(web, who, "決裁・処理待ち", "/inbox").await?.flash(done);
    html(&InboxPage { page, tasks, results, errors, says: says.to_owned(), most: MOST_AT_ONCE })
}

async fn inbox(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    inbox_page(&web, &who, vec![], Errors::default(), "", q.done.as_deref()).await
}

/// Several cases at once: each is one act; those that were refused are named with the reason.
async fn decide(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let Posted { who, fields, .. } = posted;
    let says = fields.get("says").to_owned();
    let (results, errors) = match web.office.decide_together(&who, &fields.all("task"), &says).await {
        Ok(results) if results.iter().all(|r| r.message.is_empty()) => {
            return Ok(Redirect::to("/inbox?done=together").into_response());
        }
        Ok(results) => (results, Errors::default()),
        Err(e) => (vec![], Errors::from_app(e)?),
    };
    let page = inbox_page(&web, &who, results, errors, &says, None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
