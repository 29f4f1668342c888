//! Applying: the form of a procedure, with drafts. Works without script: searching, choosing, saving and applying are buttons of one form.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::AppError;
use sekisho_app::cases::{ApplyForm, FormPart, Typed};
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::kept::files_lost;
use crate::page::{Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/apply/{procedure}", get(show).post(post))
}

#[derive(Template)]
#[template(path = "apply.html")]
struct ApplyPage {
    page: Page,
    form: ApplyForm,
    errors: Errors,
    /// Kinds of files that are taken, in words.
    taken: String,
}

async fn page(
    web: &Web,
    who: &Identity,
    form: ApplyForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, &form.title, "/").await?.flash(done);
    html(&ApplyPage { page, form, errors, taken: web.office.attachments_taken() })
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Path(procedure): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    // `draft`, `parent`, `like` and `done` once, `item` as often as things were chosen elsewhere.
    let (draft, chosen) = (asked.get("draft"), asked.all("item"));
    // What changes many classes has its own form with a dry run; numbers go along.
    if draft.is_empty() && web.office.is_bulk(&procedure) {
        let items: Vec<String> = chosen.iter().map(|i| format!("item={}", escape_query(i))).collect();
        return Ok(Redirect::to(&format!("/bulk/{procedure}?{}", items.join("&"))).into_response());
    }
    let like = asked.get("like");
    if draft.is_empty() && !like.is_empty() {
        let form = web.office.apply_form_like(&who, &procedure, like).await?;
        return page(&web, &who, form, Errors::default(), Some("like")).await;
    }
    let form = match web.office.apply_form(&who, &procedure, draft, &chosen, asked.get("parent")).await {
        // The way back from what was just applied for leads here.
        Err(AppError::NotFound) if !draft.is_empty() => return Err(WebError::NoDraft),
        form => form?,
    };
    page(&web, &who, form, Errors::default(), Some(asked.get("done"))).await
}

pub(super) fn typed(fields: &Fields) -> Typed {
    Typed {
        post: fields.get("post").to_owned(),
        draft: fields.get("draft").to_owned(),
        values: fields.lists(),
    }
}

/// The form once more, with everything that was typed and what was wrong with it.
async fn again(
    web: &Web,
    who: &Identity,
    procedure: &str,
    typed: &Typed,
    e: AppError,
) -> Result<Response, WebError> {
    let form = web.office.typed_form(who, procedure, typed, false).await;
    let (status, errors) = match e {
        // What nobody applies for has no form to show again.
        AppError::Refused { .. } if form.is_err() => return Err(e.into()),
        AppError::Refused { message, .. } => (StatusCode::FORBIDDEN, Errors::one("main", message)),
        e => (StatusCode::UNPROCESSABLE_ENTITY, Errors::from_app(e)?),
    };
    let form = form?;
    Ok((status, page(web, who, form, errors, None).await?).into_response())
}

async fn post(
    State(web): State<Web>,
    Path(procedure): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    let Posted { who, fields, files, .. } = posted;
    let mut typed = typed(&fields);
    // Files that were chosen are kept with whichever button was pressed: nothing chosen is lost.
    let chosen = files.into_iter().filter(|_| fields.get("do") != "drop");
    let mut refused = Vec::new();
    for (_, file) in chosen {
        match web.office.attach(&who, &file.name, file.bytes.to_vec()).await {
            Ok(id) => typed.values.entry("attachment".to_owned()).or_default().push(id),
            Err(AppError::Invalid(faults)) => refused.extend(faults),
            Err(e) => return Err(e.into()),
        }
    }
    if !refused.is_empty() {
        return again(&web, &who, &procedure, &typed, AppError::Invalid(refused)).await;
    }
    if let Some(errors) = files_lost(&fields, "attachments") {
        let form = web.office.typed_form(&who, &procedure, &typed, false).await?;
        let shown = page(&web, &who, form, errors, None).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response());
    }
    match fields.get("do") {
        "apply" => match web.office.apply(&who, &procedure, &typed).await {
            Ok(id) => Ok(Redirect::to(&format!("/cases/{id}?done=applied")).into_response()),
            Err(e) => again(&web, &who, &procedure, &typed, e).await,
        },
        "draft" => {
            let id = web.office.save_draft(&who, &procedure, &typed).await?;
            Ok(Redirect::to(&format!("/apply/{procedure}?draft={id}&done=draft")).into_response())
        }
        "drop" => {
            web.office.drop_draft(&who, &typed.draft).await?;
            Ok(Redirect::to("/?done=dropped").into_response())
        }
        // Enter in a text field presses the first button of the form, "search" or "pick": neither changes anything.
        search => {
            let looks = !matches!(search, "pick" | "attach");
            let form = web.office.typed_form(&who, &procedure, &typed, looks).await?;
            page(&web, &who, form, Errors::default(), None).await
        }
    }
}
