//! The editor of the standard: its files in text areas, what is wrong with them, what they change. Proposing is all that it can do with them.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sekisho_app::login::Identity;
use sekisho_app::packs::{EditCheck, EditFilePage, EditPage};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::Posted;
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/packs/edit", get(index).post(act))
        .route("/packs/edit/file", get(file).post(save))
        .route("/packs/edit/check", get(check))
}

const SECTION: &str = "/clauses";

#[derive(Template)]
#[template(path = "pack_edit.html")]
struct IndexView {
    page: Page,
    view: EditPage,
    /// The place of a new file, as typed.
    path: String,
    errors: Errors,
}

async fn show(
    web: &Web,
    who: &Identity,
    path: &str,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.pack_edit_page(who).await?;
    let page = Page::of(web, who, "規程・手続の編集", SECTION).await?.flash(done);
    html(&IndexView { page, view, path: path.to_owned(), errors })
}

async fn index(State(web): State<Web>, Who(who): Who, Query(q): Query<Done>) -> Result<Response, WebError> {
    show(&web, &who, "", Errors::default(), q.done.as_deref()).await
}

fn file_link(path: &str) -> String {
    format!("/packs/edit/file?path={}", escape_query(path))
}

async fn act(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (office, who, f) = (&web.office, &posted.who, &posted.fields);
    match f.get("do") {
        "propose" => {
            let id = office.propose_pack_draft(who).await?;
            Ok(Redirect::to(&format!("/packs/proposals/{id}?done=version_proposed")).into_response())
        }
        "drop" => {
            office.drop_pack_draft(who, "").await?;
            Ok(Redirect::to("/packs/edit?done=edits_dropped").into_response())
        }
        // The file is made when it is first saved.
        "new" => {
            let path = f.get("path");
            match office.pack_edit_file(who, path, None).await {
                Ok(_) => Ok(Redirect::to(&file_link(path)).into_response()),
                Err(sekisho_app::AppError::NotFound) => {
                    let message = "「procedures/名前.toml」のように、フォルダーと、半角の英小文字・数字・「_」の名前で入力してください。";
                    let shown = show(&web, who, path, Errors::one("path", message.to_owned()), None).await?;
                    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
                }
                Err(e) => Err(e.into()),
            }
        }
        _ => Err(WebError::BadForm),
    }
}

#[derive(Template)]
#[template(path = "pack_file.html")]
struct FileView {
    page: Page,
    view: EditFilePage,
    errors: Errors,
}

#[derive(serde::Deserialize)]
struct Asked {
    path: String,
    done: Option<String>,
}

async fn file_page(
    web: &Web,
    who: &Identity,
    view: EditFilePage,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let page = Page::of(web, who, "規程・手続の編集", SECTION).await?.flash(done);
    html(&FileView { page, view, errors })
}

async fn file(State(web): State<Web>, Who(who): Who, Query(q): Query<Asked>) -> Result<Response, WebError> {
    let view = web.office.pack_edit_file(&who, &q.path, None).await?;
    file_page(&web, &who, view, Errors::default(), q.done.as_deref()).await
}

async fn save(State(web): State<Web>, posted: Posted) -> Result<Response, WebError> {
    let (office, who, f) = (&web.office, &posted.who, &posted.fields);
    let (path, text) = (f.get("path"), f.raw("text"));
    let seen = f.get("version").parse().unwrap_or(0);
    let shown = Some((text, seen));
    match f.get("do") {
        "save" => match office.save_pack_file(who, path, text, seen).await {
            Ok(()) => Ok(Redirect::to(&format!("{}&done=file_saved", file_link(path))).into_response()),
            Err(e) => {
                let errors = Errors::from_app(e)?;
                let view = office.pack_edit_file(who, path, shown).await?;
                let page = file_page(&web, who, view, errors, None).await?;
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
        },
        // Looks at what was typed; keeps nothing but the page's own text.
        "check" => {
            let view = office.pack_edit_file(who, path, shown).await?;
            file_page(&web, who, view, Errors::default(), None).await
        }
        "revert" => {
            office.drop_pack_draft(who, path).await?;
            Ok(Redirect::to("/packs/edit?done=edits_dropped").into_response())
        }
        _ => Err(WebError::BadForm),
    }
}

#[derive(Template)]
#[template(path = "pack_check.html")]
struct CheckView {
    page: Page,
    view: EditCheck,
}

impl CheckView {
    /// Where a file is edited.
    fn link(&self, path: &str) -> String {
        file_link(path)
    }
}

async fn check(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let view = web.office.check_pack_draft(&who).await?;
    html(&CheckView { page: Page::of(&web, &who, "直した版を確かめる", SECTION).await?, view })
}
