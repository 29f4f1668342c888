//! One error type for pages, logged once here; its text is for the person who reads it.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use sekisho_app::{AppError, FieldError, Trouble};

use crate::page::Page;
use crate::refused::Refusal;
use crate::sure::PROOF;

/// Why a page could not be shown.
#[derive(Debug)]
pub(crate) enum WebError {
    /// Log in first, then go on to this address.
    Login { next: String },
    /// The code of the second factor first, then go on to this address.
    NeedsCode { next: String },
    /// A temporary password must be changed first.
    MustChangePassword,
    /// A second factor must be enrolled first.
    MustEnrol,
    /// From this network one comes only by a second factor, and this session began without one.
    WeakHere {
        /// The session's, for the form that ends it.
        csrf: String,
    },
    /// The first start asks for its code.
    SetupCode,
    /// A page that is shown instead.
    Instead(Box<Response>),
    /// A form that does not come from our own page, or from an older session.
    ForeignForm,
    /// More bytes than a form may have.
    TooLarge,
    /// A body that is no form.
    BadForm,
    /// A draft that became an application, or was deleted.
    NoDraft,
    /// A use case said no.
    App(AppError),
    /// A template failed.
    Template(askama::Error),
}

impl From<AppError> for WebError {
    fn from(e: AppError) -> Self {
        Self::App(e)
    }
}

impl From<askama::Error> for WebError {
    fn from(e: askama::Error) -> Self {
        Self::Template(e)
    }
}

/// A page that says one thing.
#[derive(Template, Clone)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    pub page: Page,
    pub message: String,
    pub code: String,
    /// Where the request came from.
    pub back: Option<String>,
    /// What was typed into a form that is no more, to be copied.
    pub unsent: Vec<String>,
}

fn message(status: StatusCode, title: &str, text: &str, code: &str) -> Response {
    let whole = FieldError { field: String::new(), message: text.to_owned() };
    message_about(status, title, vec![whole], code)
}

/// The same about single fields of a form.
fn message_about(status: StatusCode, title: &str, faults: Vec<FieldError>, code: &str) -> Response {
    let texts: Vec<&str> = faults.iter().map(|e| e.message.as_str()).collect();
    let text = texts.join("\n");
    let page = MessagePage {
        page: Page::bare(title),
        message: text.clone(),
        code: code.to_owned(),
        back: crate::back::here(),
        unsent: vec![],
    };
    let mut response = match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (status, text).into_response(),
    };
    response.extensions_mut().insert(Refusal { page, faults });
    response
}

/// Marks an answer that was not given because of the database.
#[derive(Clone, Copy)]
pub(crate) struct Unavailable(pub Trouble);

#[derive(Template)]
#[template(path = "unavailable.html")]
struct UnavailablePage {
    page: Page,
    says: &'static str,
    unsure: bool,
    /// Where the form goes when it is sent again, with its fields.
    again: Option<(String, Vec<(String, String)>)>,
}

/// The page while the database cannot work. `typed` is the address and the form that were sent: they are shown as a form to send again,
/// unless it is not known whether the act was kept.
pub(crate) fn unavailable(trouble: Trouble, typed: Option<(&str, &[u8])>) -> Response {
    let says = match trouble {
        Trouble::Full => "サーバのディスクに空きがないため、今は記録できません。",
        Trouble::ReadOnly => "サーバのデータに書き込めないため、今は記録できません。",
        Trouble::Locked => "サーバのデータがほかの処理で使われているため、今は記録できません。",
        Trouble::Gone => "サーバのデータベースにつながらないため、今は処理できません。",
        Trouble::Damaged => "サーバのデータの読み書きに失敗したため、今は処理できません。",
        Trouble::Unsure => "記録している途中で、データベースとのつながりが切れました。",
        Trouble::Outdated => {
            "システムを新しい版に入れ替えているところなので、このサーバでは今は処理できません。"
        }
        Trouble::Stopping => "サーバが止まるところなので、今は処理できません。",
    };
    let mut response = try_again("今は処理できません", says, trouble == Trouble::Unsure, typed);
    response.extensions_mut().insert(Unavailable(trouble));
    response
}

/// The page of a body that has more to do than is good for the others.
pub(crate) fn busy(typed: Option<(&str, &[u8])>) -> Response {
    try_again("混み合っています", "一度に多くの操作が来ているため、今は処理できません。", false, typed)
}

fn try_again(title: &str, says: &'static str, unsure: bool, typed: Option<(&str, &[u8])>) -> Response {
    let again = typed.filter(|_| !unsure).map(|(action, body)| {
        let fields = crate::form::form_urlencoded(body);
        // The password of a proof does not come back: the form asks for it again.
        (action.to_owned(), fields.into_iter().filter(|(name, _)| name != PROOF).collect())
    });
    let shown = UnavailablePage { page: Page::bare(title), says, unsure, again };
    let mut response = match shown.render() {
        Ok(html) => (StatusCode::SERVICE_UNAVAILABLE, Html(html)).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, says).into_response(),
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

#[derive(Template)]
#[template(path = "weak_here.html")]
struct WeakHerePage {
    page: Page,
}

/// The page for somebody who came in without a second factor and is where one is asked for.
fn weak_here(csrf: String) -> Response {
    let shown = WeakHerePage { page: Page { csrf, ..Page::bare("多要素認証が必要です") } };
    match shown.render() {
        Ok(html) => (StatusCode::FORBIDDEN, Html(html)).into_response(),
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The answer for a body that could not be opened; it is tried again meanwhile.
pub(crate) fn closed(api: bool) -> Response {
    let says = "この団体のデータを開けないため、今は使えません。直ると、自動で使えるようになります。";
    let mut response = said(StatusCode::SERVICE_UNAVAILABLE, "今は使えません", says, "W503", api);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// The answer to a host that is no body's. It names none.
pub(crate) fn misdirected(api: bool) -> Response {
    let says = "このアドレスの画面はありません。アドレスを確かめてください。";
    said(StatusCode::MISDIRECTED_REQUEST, "見つかりません", says, "W421", api)
}

pub(crate) fn said(status: StatusCode, title: &'static str, says: &str, code: &str, api: bool) -> Response {
    if api { crate::api::unreached(status, code, says) } else { message(status, title, says, code) }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        match self {
            Self::Login { next } => {
                Redirect::to(&format!("/login?next={}", escape_query(&next))).into_response()
            }
            Self::NeedsCode { next } => {
                Redirect::to(&format!("/login/code?next={}", escape_query(&next))).into_response()
            }
            Self::MustChangePassword => Redirect::to("/password").into_response(),
            Self::MustEnrol => Redirect::to("/account/second-factor").into_response(),
            Self::WeakHere { csrf } => weak_here(csrf),
            Self::SetupCode => Redirect::to("/setup").into_response(),
            Self::Instead(page) => *page,
            Self::ForeignForm => message(
                StatusCode::FORBIDDEN,
                "受け付けられません",
                "この送信は、この画面の外から来たか、ログインし直す前の古い画面から送られました。画面を開き直してからもう一度操作してください。",
                "W403",
            ),
            Self::TooLarge => message(
                StatusCode::PAYLOAD_TOO_LARGE,
                "大きすぎます",
                "送られた内容が大きすぎるため受け付けられません。ファイルは20MBまでです。分割して送ってください。",
                "W413",
            ),
            Self::BadForm => message(
                StatusCode::BAD_REQUEST,
                "読み取れません",
                "送られた内容を読み取れません。画面を開き直してください。",
                "W400",
            ),
            Self::NoDraft => message(
                StatusCode::NOT_FOUND,
                "この下書きはもうありません",
                "申請したか、削除した下書きです。申請したものは、ホームの「自分の案件」にあります。同じ内容でもう一度申請するときは、その案件の画面の「この内容で新しく申請する」を使えます。",
                "W404",
            ),
            Self::App(AppError::NotFound) => missing(false),
            Self::App(AppError::Unproved) => message(
                StatusCode::FORBIDDEN,
                "もう一度確かめる必要があります",
                "ログインしてから時間がたったため、この操作の前に、もう一度本人であることを確かめます。前の画面に戻って、もう一度操作してください。",
                "A006",
            ),
            Self::App(AppError::NoSession) => Redirect::to("/login").into_response(),
            Self::App(AppError::Unfit { code, message: text }) => {
                message(StatusCode::UNPROCESSABLE_ENTITY, "この形では取り出せません", &text, code)
            }
            Self::App(AppError::Refused { code, message: text }) => {
                message(StatusCode::FORBIDDEN, "この操作はできません", &text, code)
            }
            Self::App(AppError::Invalid(errors)) => {
                message_about(StatusCode::UNPROCESSABLE_ENTITY, "入力を確かめてください", errors, "A001")
            }
            Self::App(AppError::Store(ref e)) if e.trouble().is_some() => {
                tracing::error!(error = %e, "a page failed");
                unavailable(e.trouble().unwrap_or(Trouble::Gone), None)
            }
            Self::App(e) => {
                tracing::error!(error = %e, "a page failed");
                message(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "処理できませんでした",
                    "システムの内部で誤りが起きました。何も変更されていません。少し待ってからもう一度操作し、続くときは情報政策担当課へ連絡してください。",
                    "W500",
                )
            }
            Self::Template(e) => {
                tracing::error!(error = %e, "a template failed");
                message(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "表示できませんでした",
                    "画面を作れませんでした。情報政策担当課へ連絡してください。",
                    "W501",
                )
            }
        }
    }
}

/// What is not there, or not to be seen by whoever asks, for a page or for a program.
pub(crate) fn missing(api: bool) -> Response {
    let says = "お探しのものは無いか、見る権限がありません。アドレスを確かめるか、ホームから探してください。";
    said(StatusCode::NOT_FOUND, "見つかりません", says, "W404", api)
}

/// For addresses that only a form is sent to, opened as a page: from a bookmark, or after a login.
pub(crate) async fn no_page() -> Response {
    message(
        StatusCode::METHOD_NOT_ALLOWED,
        "開けません",
        "このアドレスは、画面のボタンを押したときだけ使われるものです。ホームから開き直してください。",
        "W405",
    )
}

/// For addresses that no page answers.
pub(crate) async fn not_found() -> Response {
    missing(false)
}

/// Percent-encodes what may not stand in a query value.
pub(crate) fn escape_query(s: &str) -> String {
    s.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}
