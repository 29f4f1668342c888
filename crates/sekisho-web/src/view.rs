//! Pieces that several pages share: the import page, downloads.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sekisho_app::AppError;
use sekisho_app::login::Identity;
use sekisho_app::registers::{ExportFormat, ExportedFile, ImportPlan};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::page::{Page, html};

/// The page of a two-step import.
#[derive(Default)]
pub(crate) struct ImportView {
    pub back: String,
    pub back_label: String,
    pub action: String,
    pub help: String,
    pub sample: String,
    pub message: String,
    /// Words on the button of the second step; empty: it carries out.
    pub apply: String,
    /// What the person should know before anything else.
    pub warning: String,
    pub plan: Option<ImportPlan>,
    /// What becomes of rows that are there already, as chosen; empty where there is no choice.
    pub conflict: String,
    /// Page of the imports so far, or empty.
    pub past: String,
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    page: Page,
    view: ImportView,
}

impl ImportView {
    /// The choices: code, words.
    fn conflicts(&self) -> [(&'static str, &'static str); 3] {
        [
            ("update", "ファイルの内容に直す"),
            ("skip", "今の内容を残し、新しい番号だけを登録する"),
            ("stop", "誤りとして取り込まない"),
        ]
    }

    /// On a page that is there already.
    pub(crate) fn on(self, page: Page) -> Result<Response, WebError> {
        html(&ImportPage { page, view: self })
    }

    pub(crate) async fn page(
        self,
        web: &Web,
        who: &Identity,
        title: &str,
        section: &'static str,
    ) -> Result<Response, WebError> {
        self.on(Page::of(web, who, title, section).await?)
    }
}

/// The format that an address names by its ending.
pub(crate) fn export_format(ending: &str) -> Result<ExportFormat, WebError> {
    match ending {
        "xlsx" => Ok(ExportFormat::Xlsx),
        "csv" => Ok(ExportFormat::Csv),
        "sjis" => Ok(ExportFormat::Cp932),
        _ => Err(AppError::NotFound.into()),
    }
}

/// A file to save; the name in RFC 6266 form because it is Japanese.
pub(crate) fn download(file: ExportedFile) -> Response {
    attach(file.bytes, file.mime, &file.name, "attachment")
}

/// A PDF with its name, to be shown.
pub(crate) fn pdf((name, bytes): (String, Vec<u8>)) -> Response {
    attach(bytes, "application/pdf", &name, "inline")
}

/// Bytes with a name, to save or to show.
pub(crate) fn attach(bytes: Vec<u8>, mime: &'static str, name: &str, disposition: &str) -> Response {
    let value = format!("{disposition}; filename*=UTF-8''{}", escape_query(name).replace('/', "%2F"));
    let mut response = ([(header::CONTENT_TYPE, mime)], bytes).into_response();
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
