//! Logins by file (SCIM, xlsx, CSV), and the directory beside organization and logins.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::AppError;
use sekisho_app::account_import::{How, UsersDone, UsersImportLine, UsersPlan, UsersUndone};
use sekisho_app::accounts::Checked;
use sekisho_app::exchange::Conflict;
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::Fields;
use crate::guard::Who;
use crate::page::{Page, html};
use crate::sure::Sure;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/accounts/import", get(show).post(step))
        .route("/accounts/directory", get(directory).post(compare))
}

const SECTION: &str = "/organization";

#[derive(Template)]
#[template(path = "user_import.html")]
struct ImportPage {
    page: Page,
    /// What people call the directory; empty where there is none.
    title: String,
    how: How,
    message: String,
    plan: Option<UsersPlan>,
    undone: Option<UsersUndone>,
    past: Vec<UsersImportLine>,
}

impl ImportPage {
    fn directory(&self) -> bool {
        self.how.checked == Checked::Directory
    }

    fn skips(&self) -> bool {
        self.how.conflict == Conflict::Skip
    }
}

#[derive(Template)]
#[template(path = "user_slips.html")]
struct DonePage {
    page: Page,
    title: String,
    done: UsersDone,
    /// Logins with a temporary password.
    slips: bool,
}

/// What a page shows beside the frame.
#[derive(Default)]
struct Shown {
    message: String,
    plan: Option<UsersPlan>,
    undone: Option<UsersUndone>,
}

fn title(web: &Web) -> String {
    web.office.directory_title().unwrap_or_default().to_owned()
}

async fn page(web: &Web, who: &Identity, how: How, shown: Shown) -> Result<Response, WebError> {
    let past = web.office.users_imports(who).await?;
    html(&ImportPage {
        page: Page::of(web, who, "利用者の取込み", SECTION).await?,
        title: title(web),
        how,
        message: shown.message,
        plan: shown.plan,
        undone: shown.undone,
        past,
    })
}

fn how(f: &Fields) -> Result<How, WebError> {
    let conflict = match f.get("conflict") {
        "stop" => Conflict::Stop,
        "skip" | "" => Conflict::Skip,
        _ => return Err(WebError::BadForm),
    };
    let checked = match f.get("checked") {
        "" => Checked::Own,
        code => Checked::from_code(code).ok_or(WebError::BadForm)?,
    };
    Ok(How { conflict, checked })
}

async fn show(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    page(&web, &who, how(&Fields::default())?, Shown::default()).await
}

/// A refusal is said on the page, where the next try begins; everything else is an error.
async fn said(web: &Web, who: &Identity, how: How, e: AppError) -> Result<Response, WebError> {
    let AppError::Refused { message, .. } = e else { return Err(e.into()) };
    let shown = page(web, who, how, Shown { message, ..Shown::default() }).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

async fn step(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (f, who) = (&posted.fields, &posted.who);
    web.office.may_import_organization(who).await?;
    let how = how(f)?;
    match f.get("do") {
        "apply" => match web.office.apply_users_import(who, f.get("upload"), f.get("shown"), how).await {
            Ok(done) => {
                let page = Page::of(&web, who, "発行したログイン", SECTION).await?;
                let slips = done.slips.iter().any(|s| !s.password.is_empty());
                html(&DonePage { page, title: title(&web), done, slips })
            }
            Err(e) => said(&web, who, how, e).await,
        },
        "undo" => match web.office.undo_users_import(who, f.get("import")).await {
            Ok(undone) => page(&web, who, how, Shown { undone: Some(undone), ..Shown::default() }).await,
            Err(e) => said(&web, who, how, e).await,
        },
        "check" => {
            let Some(file) = posted.file else {
                let message = "ファイルを選んでください。".to_owned();
                return page(&web, who, how, Shown { message, ..Shown::default() }).await;
            };
            match web.office.plan_users_import(who, &file.name, file.bytes.to_vec(), how).await {
                Ok(plan) => page(&web, who, how, Shown { plan: Some(plan), ..Shown::default() }).await,
                Err(e) => said(&web, who, how, e).await,
            }
        }
        _ => Err(WebError::BadForm),
    }
}

#[derive(Template)]
#[template(path = "directory.html")]
struct DirectoryPage {
    page: Page,
    title: String,
    message: String,
}

async fn directory_page(web: &Web, who: &Identity, message: String) -> Result<Response, WebError> {
    let page = Page::of(web, who, "ディレクトリとの比較", SECTION).await?.narrow();
    html(&DirectoryPage { page, title: title(web), message })
}

async fn directory(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    web.office.may_import_organization(&who).await?;
    directory_page(&web, &who, String::new()).await
}

async fn compare(State(web): State<Web>, Sure(posted): Sure) -> Result<Response, WebError> {
    let (f, who) = (&posted.fields, &posted.who);
    web.office.may_import_organization(who).await?;
    let failed = match f.get("do") {
        "people" => {
            let update = match f.get("changed") {
                "update" => true,
                "skip" => false,
                _ => return Err(WebError::BadForm),
            };
            match web.office.plan_organization_from_directory(who, update).await {
                Ok(plan) => return super::organization::planned(&web, who, plan).await,
                Err(e) => e,
            }
        }
        "logins" => match web.office.plan_users_from_directory(who).await {
            Ok(plan) => {
                let how = plan.how;
                return page(&web, who, how, Shown { plan: Some(plan), ..Shown::default() }).await;
            }
            Err(e) => e,
        },
        _ => return Err(WebError::BadForm),
    };
    let AppError::Refused { message, .. } = failed else { return Err(failed.into()) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, directory_page(&web, who, message).await?).into_response())
}
