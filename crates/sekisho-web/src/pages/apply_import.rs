//! Applications from a file: what each row would do, keeping them as drafts or sending them, taking a file back.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::AppError;
use sekisho_app::cases::{
    CONFIRMED, CaseImportChoice, CaseImportHead, CaseImportOrder, CaseImportPlan, CaseImportsView, CaseUndo,
};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::kept::files_lost;
use crate::page::{Done, Errors, Page, html};
use crate::pages::registers::conflict;
use crate::view::{download, export_format};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/apply/{procedure}/import", get(show).post(step))
        .route("/apply/{procedure}/import/table.{format}", get(table))
        .route("/apply/{procedure}/imports", get(past).post(undo))
}

/// What the form held.
struct Held {
    post: String,
    conflict: String,
    submit: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self { post: String::new(), conflict: "stop".to_owned(), submit: false }
    }
}

impl Held {
    fn of(f: &Fields) -> Self {
        let known = ["skip", "update"].into_iter().find(|code| *code == f.get("conflict"));
        Self {
            post: f.get("post").to_owned(),
            conflict: known.unwrap_or("stop").to_owned(),
            submit: f.get("then") == "submit",
        }
    }

    fn choice(&self) -> CaseImportChoice {
        CaseImportChoice { post: self.post.clone(), conflict: conflict(&self.conflict) }
    }
}

#[derive(Template)]
#[template(path = "case_import.html")]
struct ImportPage {
    page: Page,
    head: CaseImportHead,
    held: Held,
    plan: Option<CaseImportPlan>,
    /// Why a file was not read or not carried out.
    message: String,
    errors: Errors,
}

impl ImportPage {
    /// What becomes of rows that name what was begun: code, words.
    fn conflicts(&self) -> [(&'static str, &'static str); 3] {
        [
            ("stop", "誤りとして読み込まない"),
            ("skip", "今の内容を残し、とばす"),
            ("update", "ファイルの内容に直す"),
        ]
    }

    fn chosen(&self, code: &str) -> bool {
        self.held.conflict == code
    }

    fn is_post(&self, code: &str) -> bool {
        let first = self.head.posts.first().is_some_and(|p| p.code == code);
        if self.held.post.is_empty() { first } else { self.held.post == code }
    }
}

async fn page(
    web: &Web,
    who: &Identity,
    procedure: &str,
    held: Held,
    plan: Option<CaseImportPlan>,
    (message, errors): (String, Errors),
) -> Result<Response, WebError> {
    let head = web.office.case_import_head(who, procedure).await?;
    let page = Page::of(web, who, &format!("{}をファイルから申請する", head.title), "/").await?;
    html(&ImportPage { page, head, held, plan, message, errors })
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(procedure): Path<String>,
) -> Result<Response, WebError> {
    // What changes many classes has its own form, which takes a file.
    if web.office.is_bulk(&procedure) {
        return Ok(Redirect::to(&format!("/bulk/{procedure}")).into_response());
    }
    page(&web, &who, &procedure, Held::default(), None, Default::default()).await
}

async fn table(
    State(web): State<Web>,
    Who(who): Who,
    Path((procedure, format)): Path<(String, String)>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    let begun = asked.get("with") == "begun";
    let format = export_format(&format)?;
    Ok(download(web.office.case_import_table(&who, &procedure, begun, format).await?))
}

async fn step(
    State(web): State<Web>,
    Path(procedure): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    if posted.fields.get("do") == "apply" {
        return carry_out(&web, &procedure, &posted).await;
    }
    let Posted { who, fields, file, .. } = posted;
    let held = Held::of(&fields);
    // Whoever may not apply is told so, whatever the file.
    web.office.case_import_head(&who, &procedure).await?;
    let file = file.filter(|f| !f.bytes.is_empty() || !f.name.is_empty());
    let refused = match file {
        _ if files_lost(&fields, "file").is_some() => {
            "ファイルは、ログインし直す間に残りませんでした。もう一度選んでください。".to_owned()
        }
        None => "ファイルを選んでください。".to_owned(),
        Some(file) => {
            let whole = (file.name.as_str(), file.bytes.to_vec());
            match web.office.plan_case_import(&who, &procedure, whole, &held.choice()).await {
                Ok(plan) => {
                    return page(&web, &who, &procedure, held, Some(plan), Default::default()).await;
                }
                Err(AppError::Refused { message, .. }) => message,
                Err(e) => return Err(e.into()),
            }
        }
    };
    let shown = page(&web, &who, &procedure, held, None, (refused, Errors::default())).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

/// The second step. What is not as it was shown is shown anew, with the file that was kept.
async fn carry_out(web: &Web, procedure: &str, posted: &Posted) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let held = Held::of(f);
    let order = CaseImportOrder {
        upload: f.get("upload").to_owned(),
        shown: f.get("shown").to_owned(),
        choice: held.choice(),
        submit: held.submit,
        confirmed: f.get(CONFIRMED) == "1",
    };
    let faults = match web.office.apply_case_import(who, procedure, &order).await {
        Ok(_) => {
            let done = if order.submit { "files_applied" } else { "files_drafted" };
            return Ok(Redirect::to(&format!("/apply/{procedure}/imports?done={done}")).into_response());
        }
        Err(AppError::Refused { message, .. }) => (message, Errors::default()),
        Err(e) => (String::new(), Errors::from_app(e)?),
    };
    let plan = web.office.plan_case_import_again(who, procedure, &order.upload, &order.choice).await;
    let plan = match plan {
        Ok(plan) => Some(plan),
        Err(AppError::Refused { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    let shown = page(web, who, procedure, held, plan, faults).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

#[derive(Template)]
#[template(path = "case_imports.html")]
struct PastPage {
    page: Page,
    view: CaseImportsView,
    outcome: Option<CaseUndo>,
    message: String,
}

async fn past_page(
    web: &Web,
    who: &Identity,
    procedure: &str,
    done: Option<&str>,
    (outcome, message): (Option<CaseUndo>, String),
) -> Result<Response, WebError> {
    let view = web.office.case_imports(who, procedure).await?;
    let title = format!("{}のファイルからの申請の記録", view.title);
    let page = Page::of(web, who, &title, "/").await?.flash(done);
    html(&PastPage { page, view, outcome, message })
}

async fn past(
    State(web): State<Web>,
    Who(who): Who,
    Path(procedure): Path<String>,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    past_page(&web, &who, &procedure, q.done.as_deref(), (None, String::new())).await
}

async fn undo(
    State(web): State<Web>,
    Path(procedure): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    let who = &posted.who;
    match web.office.undo_case_import(who, &procedure, posted.fields.get("import")).await {
        Ok(done) => past_page(&web, who, &procedure, None, (Some(done), String::new())).await,
        Err(AppError::Refused { message, .. }) => {
            let shown = past_page(&web, who, &procedure, None, (None, message)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
        Err(e) => Err(e.into()),
    }
}
