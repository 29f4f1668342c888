//! Cases: the list, one case with everything about it, acting on it, its permit as PDF.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::cases::{ActInput, CaseItem, CaseLine, CasePage as CaseView, CasesQuery};
use sekisho_app::login::Identity;
use sekisho_app::registers::RefChoice;
use sekisho_app::{AppError, FieldError};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::Posted;
use crate::guard::Who;
use crate::kept::files_lost;
use crate::page::{Done, Errors, Page, html};
use crate::refused::is_sentence;
use crate::view::{attach, download, export_format, pdf};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/cases", get(index))
        .route("/cases/export.{format}", get(export))
        .route("/cases/{id}", get(show).post(act))
        .route("/cases/{id}/permit.pdf", get(permit))
        .route("/cases/{id}/files/{pos}", get(file))
}

const SECTION: &str = "/cases";

struct ListView {
    q: String,
    procedure: String,
    procedures: Vec<RefChoice>,
    status: String,
    mine: bool,
    late: bool,
    statuses: Vec<RefChoice>,
    rows: Vec<CaseLine>,
    export: String,
    /// Where applications of the chosen procedure come from a file; empty where none is chosen or it takes none.
    import: String,
    total: String,
    page: i64,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct ListPage {
    page: Page,
    list: ListView,
}

#[derive(serde::Deserialize, Default)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    procedure: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    mine: String,
    #[serde(default)]
    late: String,
    #[serde(default)]
    page: String,
}

impl Asked {
    fn query(&self) -> CasesQuery {
        CasesQuery {
            procedure: self.procedure.clone(),
            q: self.q.clone(),
            status: self.status.clone(),
            mine: self.mine == "1",
            late: self.late == "1",
            page: self.page.parse().unwrap_or(1),
        }
    }
}

async fn export(
    State(web): State<Web>,
    Who(who): Who,
    Path(format): Path<String>,
    Query(a): Query<Asked>,
) -> Result<Response, WebError> {
    Ok(download(web.office.export_cases(&who, &a.query(), export_format(&format)?).await?))
}

async fn index(State(web): State<Web>, Who(who): Who, Query(a): Query<Asked>) -> Result<Response, WebError> {
    let query = a.query();
    let l = web.office.cases(&who, &query).await?;
    let pairs = [
        ("q", &a.q),
        ("procedure", &a.procedure),
        ("status", &a.status),
        ("mine", &a.mine),
        ("late", &a.late),
    ];
    let kept: String = pairs
        .iter()
        .filter(|(_, v)| !v.is_empty())
        .map(|(n, v)| format!("{n}={}&", escape_query(v)))
        .collect();
    let address = |page: i64| format!("/cases?{kept}page={page}");
    let list = ListView {
        import: if web.office.takes_file(&a.procedure) {
            format!("/apply/{}/import", a.procedure)
        } else {
            String::new()
        },
        procedure: a.procedure.clone(),
        procedures: l.procedures,
        q: a.q.clone(),
        status: a.status.clone(),
        mine: query.mine,
        late: query.late,
        statuses: l.statuses,
        rows: l.rows,
        export: kept.trim_end_matches('&').to_owned(),
        total: l.total,
        page: l.page,
        prev: (l.page > 1).then(|| address(l.page - 1)),
        next: l.more.then(|| address(l.page + 1)),
    };
    html(&ListPage { page: Page::of(&web, &who, "案件", SECTION).await?, list })
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    page: Page,
    case: CaseView,
    errors: Errors,
    /// Why an act was not recorded; empty when there is nothing to say.
    refusal: String,
    /// What was written with it and has no field any more.
    unsent: Vec<String>,
    /// Further tasks, after one was done.
    waiting: usize,
}

/// Things that stand on the page at once; the others are folded away, so that the decision is not far below.
const FIRST_ITEMS: usize = 10;

impl CasePage {
    fn first_items(&self) -> &[CaseItem] {
        self.case.items.get(..FIRST_ITEMS).unwrap_or(&self.case.items)
    }

    fn more_items(&self) -> &[CaseItem] {
        self.case.items.get(FIRST_ITEMS..).unwrap_or_default()
    }
}

/// Most further tasks that are counted one by one.
const COUNTED: i64 = 100;

/// What was written into fields that the case's page does not show any more.
fn unsent(case: &CaseView, input: &ActInput) -> Vec<String> {
    let shown = |text: &str| case.actions.iter().flat_map(|a| &a.fields).any(|f| f.value == text);
    let not_typed = ["csrf", "act", "step", "shown", "do"];
    let typed = input.values.iter().filter(|(name, _)| !not_typed.contains(&name.as_str()));
    typed.flat_map(|(_, values)| values).filter(|text| is_sentence(text) && !shown(text)).cloned().collect()
}

/// The case as it is now, after an act that was not recorded: nothing that was written is lost.
async fn not_recorded(
    web: &Web,
    who: &Identity,
    id: &str,
    input: &ActInput,
    (status, errors, refusal): (StatusCode, Errors, String),
) -> Result<Response, WebError> {
    let me = web.office.me(who).await?;
    let case = web.office.case_page(who, &me, id, Some(input)).await?;
    let unsent = unsent(&case, input);
    let page = Page::of_me(web, who, me, &case.title, SECTION).await?;
    let shown = CasePage { page, case, errors, refusal, unsent, waiting: 0 };
    Ok((status, html(&shown)?).into_response())
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let me = web.office.me(&who).await?;
    let case = web.office.case_page(&who, &me, &id, None).await?;
    let done = q.done.as_deref();
    let waiting = if done == Some("acted") { web.office.inbox(&me, COUNTED).await?.len() } else { 0 };
    let page = Page::of_me(&web, &who, me, &case.title, SECTION).await?.flash(done);
    html(&CasePage { page, case, errors: Errors::default(), refusal: String::new(), unsent: vec![], waiting })
}

async fn act(State(web): State<Web>, Path(id): Path<String>, posted: Posted) -> Result<Response, WebError> {
    let Posted { who, fields, files, .. } = posted;
    let mut values = fields.lists();
    // A file is kept before the act is looked at: what was chosen is not lost when another field was wrong.
    let mut refused = Vec::new();
    for (name, file) in files {
        match web.office.attach(&who, &file.name, file.bytes.to_vec()).await {
            Ok(id) => {
                values.insert(name, vec![format!("{}{id}", sekisho_app::cases::WAITING)]);
            }
            // What is wrong with the file stands beside its field.
            Err(AppError::Invalid(faults)) => {
                refused.extend(faults.into_iter().map(|f| FieldError { field: name.clone(), ..f }));
            }
            Err(e) => return Err(e.into()),
        }
    }
    let input = ActInput {
        act: fields.get("do").to_owned(),
        step: fields.get("step").to_owned(),
        shown: fields.get("shown").to_owned(),
        values,
    };
    let faults = Some(Errors::of(refused)).filter(|faults| !faults.is_empty());
    let told = match faults.or_else(|| files_lost(&fields, "act")) {
        Some(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors, String::new()),
        None => match web.office.act(&who, &id, &input).await {
            Ok(()) => return Ok(Redirect::to(&format!("/cases/{id}?done=acted")).into_response()),
            // Somebody else was faster, or the content is another by now.
            Err(AppError::Refused { message, .. }) => (StatusCode::FORBIDDEN, Errors::default(), message),
            Err(e) => (StatusCode::UNPROCESSABLE_ENTITY, Errors::from_app(e)?, String::new()),
        },
    };
    not_recorded(&web, &who, &id, &input, told).await
}

/// A file of a case. Whatever it is, the browser saves it and never shows it as a page of this site.
async fn file(
    State(web): State<Web>,
    Who(who): Who,
    Path((id, pos)): Path<(String, i64)>,
) -> Result<Response, WebError> {
    let (name, bytes) = web.office.case_file(&who, &id, pos).await?;
    Ok(attach(bytes, "application/octet-stream", &name, "attachment"))
}

async fn permit(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    Ok(pdf(web.office.permit_pdf(&who, &id).await?))
}
