//! Exchange with the world outside: own calendar, printed reports, other tools' formats, events, and the programming interface.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::AppError;
use sekisho_app::login::Identity;
use sekisho_app::oscal::OscalKind;
use sekisho_app::registers::ExportedFile;
use sekisho_app::tokens::Scope;
use sekisho_app::webhooks::WebhookLine;

use crate::Web;
use crate::api::{Body, Route, table};
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::{Lenient, Who, site};
use crate::page::{Done, Page, html};
use crate::view::{download, pdf};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/exchange", get(index))
        .route("/exchange/calendar", post(calendar))
        .route("/exchange/oscal/{kind}", get(oscal))
        .route("/exchange/ciso-assistant", get(ciso_assistant))
        .route("/calendar/{file}", get(feed))
        .route("/reports/month.pdf", get(month))
        .route("/reports/clauses.pdf", get(clauses))
        .route("/reports/binder.pdf", get(binder))
        .route("/api", get(interface))
}

const SECTION: &str = "/exchange";

#[derive(Template)]
#[template(path = "exchange.html")]
struct ExchangePage {
    page: Page,
    /// Since when the own calendar is subscribed to.
    since: Option<String>,
    /// Address of the calendar, shown once after it was made.
    address: Option<String>,
    /// Whether this person sees the whole body.
    whole: bool,
    webhooks: Vec<WebhookLine>,
}

async fn page(
    web: &Web,
    who: &Identity,
    address: Option<String>,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, "データの受渡し", SECTION).await?.flash(done);
    let whole = web.office.me(who).await?.sees_whole_body();
    let since = web.office.calendar_since(who).await?;
    let webhooks = web.office.webhooks(who).await?;
    html(&ExchangePage { page, since, address, whole, webhooks })
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    page(&web, &who, None, q.done.as_deref()).await
}

async fn calendar(State(web): State<Web>, headers: HeaderMap, posted: Posted) -> Result<Response, WebError> {
    match posted.fields.get("do") {
        "subscribe" => {
            let secret = web.office.subscribe_calendar(&posted.who).await?;
            let address = format!("{}/calendar/{secret}.ics", site(&web, &headers));
            page(&web, &posted.who, Some(address), None).await
        }
        "end" => {
            web.office.end_calendar(&posted.who).await?;
            Ok(Redirect::to("/exchange?done=ended").into_response())
        }
        _ => Err(WebError::BadForm),
    }
}

/// The calendar behind a secret address: asked by programs, without a session.
async fn feed(
    State(web): State<Web>,
    Path(file): Path<String>,
    headers: HeaderMap,
    _: Lenient,
) -> Result<Response, WebError> {
    let secret = file.strip_suffix(".ics").ok_or(AppError::NotFound)?;
    let text = web.office.calendar_feed(secret, &site(&web, &headers)).await?;
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

async fn oscal(
    State(web): State<Web>,
    Who(who): Who,
    Path(kind): Path<String>,
) -> Result<Response, WebError> {
    let kind = OscalKind::named(&kind).ok_or(AppError::NotFound)?;
    Ok(download(web.office.oscal(&who, kind).await?))
}

async fn ciso_assistant(State(web): State<Web>, Who(_): Who) -> Result<Response, WebError> {
    let (name, text) = web.office.ciso_assistant().await?;
    Ok(download(ExportedFile { name, mime: "application/yaml", bytes: text.into_bytes() }))
}

async fn month(State(web): State<Web>, Who(who): Who, Query(q): Query<Fields>) -> Result<Response, WebError> {
    Ok(pdf(web.office.month_pdf(&who, q.get("month")).await?))
}

async fn clauses(
    State(web): State<Web>,
    Who(who): Who,
    Query(q): Query<Fields>,
) -> Result<Response, WebError> {
    Ok(pdf(web.office.clauses_pdf(&who, q.get("on")).await?))
}

async fn binder(
    State(web): State<Web>,
    Who(who): Who,
    Query(q): Query<Fields>,
) -> Result<Response, WebError> {
    let (clause, from, until) = (q.get("clause"), q.get("from"), q.get("until"));
    Ok(pdf(web.office.binder_pdf(&who, clause, from, until).await?))
}

/// A heading of the interface with its paths.
struct Tag {
    name: &'static str,
    routes: Vec<Route>,
}

#[derive(Template)]
#[template(path = "interface.html")]
struct InterfacePage {
    page: Page,
    tags: Vec<Tag>,
}

impl InterfacePage {
    fn sends(route: &Route) -> &'static str {
        match route.body {
            Some(Body::Json(_)) => "JSON",
            Some(Body::Bytes) => "ファイル",
            None => "なし",
        }
    }

    fn scope(route: &Route) -> &'static str {
        route.scope.map_or("不可", Scope::word)
    }
}

async fn interface(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let mut tags: Vec<Tag> = Vec::new();
    for route in table() {
        match tags.iter_mut().find(|t| t.name == route.tag) {
            Some(tag) => tag.routes.push(route),
            None => tags.push(Tag { name: route.tag, routes: vec![route] }),
        }
    }
    html(&InterfacePage {
        page: Page::of(&web, &who, "プログラムからの利用（API）", SECTION).await?, tags
    })
}
