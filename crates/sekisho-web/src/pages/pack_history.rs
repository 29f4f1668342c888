//! Versions of the standard to be read: one version with its files, two of them beside each other.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::packs::{CompareFilePage, ComparePage, VersionFilePage, VersionPage};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::guard::Who;
use crate::page::{Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/packs/versions/{hash}", get(version))
        .route("/packs/versions/{hash}/file", get(file))
        .route("/packs/compare", get(compare))
        .route("/packs/compare/file", get(compare_file))
}

const SECTION: &str = "/clauses";

#[derive(Template)]
#[template(path = "pack_version.html")]
struct VersionView {
    page: Page,
    view: VersionPage,
}

impl VersionView {
    fn link(&self, path: &str) -> String {
        format!("/packs/versions/{}/file?path={}", self.view.hash, escape_query(path))
    }
}

async fn version(
    State(web): State<Web>,
    Who(who): Who,
    Path(hash): Path<String>,
) -> Result<Response, WebError> {
    let view = web.office.pack_version_page(&who, &hash).await?;
    html(&VersionView { page: Page::of(&web, &who, "基準の版を読む", SECTION).await?, view })
}

#[derive(Template)]
#[template(path = "pack_version_file.html")]
struct FileView {
    page: Page,
    view: VersionFilePage,
}

#[derive(serde::Deserialize)]
struct Named {
    #[serde(default)]
    path: String,
}

async fn file(
    State(web): State<Web>,
    Who(who): Who,
    Path(hash): Path<String>,
    Query(q): Query<Named>,
) -> Result<Response, WebError> {
    let view = web.office.pack_version_file(&who, &hash, &q.path).await?;
    html(&FileView { page: Page::of(&web, &who, "基準の版を読む", SECTION).await?, view })
}

#[derive(serde::Deserialize)]
struct Two {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    path: String,
}

#[derive(Template)]
#[template(path = "pack_compare.html")]
struct CompareView {
    page: Page,
    view: ComparePage,
}

impl CompareView {
    fn link(&self, path: &str) -> String {
        let (old, new) = (&self.view.old.hash, &self.view.new.hash);
        format!("/packs/compare/file?old={old}&new={new}&path={}", escape_query(path))
    }
}

async fn compare(State(web): State<Web>, Who(who): Who, Query(q): Query<Two>) -> Result<Response, WebError> {
    let view = web.office.compare_packs(&who, &q.old, &q.new).await?;
    html(&CompareView { page: Page::of(&web, &who, "基準の版の違い", SECTION).await?, view })
}

#[derive(Template)]
#[template(path = "pack_compare_file.html")]
struct CompareFileView {
    page: Page,
    view: CompareFilePage,
}

async fn compare_file(
    State(web): State<Web>,
    Who(who): Who,
    Query(q): Query<Two>,
) -> Result<Response, WebError> {
    let view = web.office.compare_pack_file(&who, &q.old, &q.new, &q.path).await?;
    html(&CompareFileView { page: Page::of(&web, &who, "基準の版の違い", SECTION).await?, view })
}
