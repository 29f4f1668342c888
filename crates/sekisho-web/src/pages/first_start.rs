//! The first start: the code from the terminal, then the steps up to the first administrator. Once somebody can log in, none of this answers.

mod officers;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::AppError;
use sekisho_app::first_start::{
    AdministratorForm, AdministratorPage, BodyPage, Door, Finished, MailForm, MailPage, PackPage, Setup,
    Step, UnitsForm, UnitsPage,
};

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Files, Open, Upload, read_fields};
use crate::guard::{From, cookie, same};
use crate::page::{Done, Errors, Page, html};
use crate::refused;
use crate::view::{ImportView, download};

/// Name of the cookie of the browser that used the code.
const COOKIE: &str = "sekisho_setup";

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/setup", get(show_code).post(enter))
        .route("/setup/body", get(body).post(keep_body))
        .route("/setup/organization", get(units).post(keep_units))
        .route("/setup/organization/import", get(import).post(import_step))
        .route("/setup/organization/export.xlsx", get(export))
        .route("/setup/unseat", post(unseat))
        .merge(officers::routes())
        .route("/setup/pack", get(pack).post(keep_pack))
        .route("/setup/mail", get(mail).post(keep_mail))
        .route("/setup/administrator", get(administrator).post(keep_administrator))
        .route("/setup/administrator/qr.svg", get(qr))
}

/// The browser that used the code.
struct Inside(Setup);

/// A form of that browser.
struct Sent {
    setup: Setup,
    fields: Fields,
    file: Option<Upload>,
}

async fn door(web: &Web, headers: &HeaderMap) -> Result<Setup, WebError> {
    match web.office.first_start_door(cookie(headers, COOKIE)).await? {
        Door::Open(setup) => Ok(setup),
        Door::Locked => Err(WebError::SetupCode),
        Door::Closed => Err(AppError::NotFound.into()),
    }
}

impl FromRequestParts<Web> for Inside {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
        door(web, &parts.headers).await.map(Self)
    }
}

impl FromRequest<Web> for Sent {
    type Rejection = WebError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, WebError> {
        let setup = door(web, request.headers()).await?;
        let read = read_fields(request, web, Files::Whole).await;
        refused::vouch(&setup.csrf);
        let (fields, files) = read?;
        if !same(fields.raw("csrf"), &setup.csrf) {
            return Err(WebError::ForeignForm);
        }
        Ok(Self { setup, fields, file: files.into_iter().next().map(|(_, f)| f) })
    }
}

/// The list of steps at the head of a page.
struct Steps {
    all: Vec<Step>,
    here: &'static str,
}

async fn head(web: &Web, setup: &Setup, here: &'static str, title: &str) -> Result<(Page, Steps), WebError> {
    let all = web.office.first_steps(setup).await?;
    Ok((Page { csrf: setup.csrf.clone(), ..Page::bare(title) }, Steps { all, here }))
}

/// Shows a form again with what is wrong with it.
fn again(page: Response) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

fn go(to: &str) -> Result<Response, WebError> {
    Ok(Redirect::to(to).into_response())
}

#[derive(Template)]
#[template(path = "first_code.html")]
struct CodePage {
    page: Page,
    message: Option<String>,
    file: String,
}

fn code_page(web: &Web, message: Option<String>) -> Result<Response, WebError> {
    let file = web.office.code_file().map(|f| f.display().to_string()).unwrap_or_default();
    html(&CodePage { page: Page::bare("最初の設定"), message, file })
}

async fn show_code(State(web): State<Web>, headers: HeaderMap) -> Result<Response, WebError> {
    match door(&web, &headers).await {
        Ok(_) => go("/setup/body"),
        Err(WebError::SetupCode) => code_page(&web, None),
        Err(e) => Err(e),
    }
}

async fn enter(State(web): State<Web>, From(place): From, Open(form): Open) -> Result<Response, WebError> {
    match web.office.enter_first_start(form.get("code"), &place).await {
        Ok(token) => {
            let secure = if web.secure { "; Secure" } else { "" };
            let cookie = format!("{COOKIE}={token}; Path=/setup; HttpOnly; SameSite=Strict{secure}");
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/setup/body")).into_response())
        }
        Err(AppError::Refused { message, .. }) => {
            Ok((StatusCode::UNAUTHORIZED, code_page(&web, Some(message))?).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Template)]
#[template(path = "first_body.html")]
struct BodyView {
    page: Page,
    steps: Steps,
    view: BodyPage,
    errors: Errors,
}

async fn body_page(web: &Web, setup: &Setup, view: BodyPage, errors: Errors) -> Result<Response, WebError> {
    let (page, steps) = head(web, setup, "/setup/body", "最初の設定：団体").await?;
    html(&BodyView { page, steps, view, errors })
}

async fn body(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    let view = web.office.first_body(&setup).await?;
    body_page(&web, &setup, view, Errors::default()).await
}

async fn keep_body(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let (title, body) = (sent.fields.get("title"), sent.fields.get("body"));
    match web.office.keep_first_body(&sent.setup, title, body).await {
        Ok(()) => go("/setup/organization"),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let typed =
                BodyPage { title: title.to_owned(), body: body.to_owned(), ..web.office.year_sample() };
            Ok(again(body_page(&web, &sent.setup, typed, errors).await?))
        }
    }
}

/// A text field of a form with many of them.
struct Blank {
    name: String,
    label: String,
    value: String,
    /// What is wrong, as HTML.
    note: String,
}

impl Blank {
    fn new(name: String, label: &str, value: &str, errors: &Errors) -> Self {
        Self { note: errors.note(&name), value: value.to_owned(), name, label: label.to_owned() }
    }
}

#[derive(Template)]
#[template(path = "first_units.html")]
struct UnitsView {
    page: Page,
    steps: Steps,
    view: UnitsPage,
    /// A department and its sections, each with its fields.
    groups: Vec<(String, Vec<Blank>)>,
    errors: Errors,
}

fn unit_blanks(form: &UnitsForm, errors: &Errors) -> Vec<(String, Vec<Blank>)> {
    let rows = form.rows().into_iter().enumerate();
    rows.map(|(n, (key, f))| {
        let (legend, name) = if n == 0 {
            ("部局".to_owned(), "部局の名前")
        } else {
            (format!("課室 {n}"), "課室の名前")
        };
        let blank = |field: &str, label, value| Blank::new(format!("{key}.{field}"), label, value, errors);
        let blanks = vec![
            blank("unit", name, &f.unit),
            blank("number", "長の職員番号", &f.number),
            blank("name", "長の氏名", &f.name),
            blank("kana", "長のふりがな", &f.kana),
        ];
        (legend, blanks)
    })
    .collect()
}

async fn units_page(
    web: &Web,
    setup: &Setup,
    form: UnitsForm,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.first_units(setup).await?;
    let (page, steps) = head(web, setup, "/setup/organization", "最初の設定：組織").await?;
    let page = page.flash(done);
    html(&UnitsView { page, steps, view, groups: unit_blanks(&form, &errors), errors })
}

async fn units(
    State(web): State<Web>,
    Inside(setup): Inside,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let empty = UnitsForm::of(|_| String::new());
    units_page(&web, &setup, empty, Errors::default(), q.done.as_deref()).await
}

async fn keep_units(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let form = UnitsForm::of(|name| sent.fields.get(name).to_owned());
    match web.office.add_first_units(&sent.setup, &form).await {
        Ok(()) => go("/setup/organization?done=saved"),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok(again(units_page(&web, &sent.setup, form, errors, None).await?))
        }
    }
}

async fn unseat(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    web.office.unseat(&sent.setup, sent.fields.get("appointment")).await?;
    let back = if sent.fields.get("back") == "officers" { "officers" } else { "organization" };
    go(&format!("/setup/{back}?done=unseated"))
}

async fn import_page(web: &Web, setup: &Setup, view: ImportView) -> Result<Response, WebError> {
    let view = ImportView {
        back: "/setup/organization".to_owned(),
        back_label: "最初の設定：組織".to_owned(),
        action: "/setup/organization/import".to_owned(),
        help: "「組織」「職」「職員」「任命」の4つのシートを持つExcelファイル、またはその1つのCSVです。まず内容を確かめ、それから取り込みます。".to_owned(),
        sample: "/setup/organization/export.xlsx".to_owned(),
        ..view
    };
    view.on(head(web, setup, "/setup/organization", "組織・職員の取込み").await?.0)
}

async fn import(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    import_page(&web, &setup, ImportView::default()).await
}

async fn import_step(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let (office, setup, f) = (&web.office, &sent.setup, &sent.fields);
    if f.get("do") == "apply" {
        office.import_first_file(setup, f.get("upload"), f.get("shown")).await?;
        return go("/setup/organization?done=imported");
    }
    let mut view = ImportView::default();
    match sent.file {
        None => view.message = "ファイルを選んでください。".to_owned(),
        Some(file) => match office.plan_first_file(setup, &file.name, file.bytes.to_vec()).await {
            Ok(plan) => view.plan = Some(plan),
            Err(AppError::Refused { message, .. }) => view.message = message,
            Err(e) => return Err(e.into()),
        },
    }
    import_page(&web, setup, view).await
}

async fn export(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    Ok(download(web.office.first_export(&setup).await?))
}

#[derive(Template)]
#[template(path = "first_pack.html")]
struct PackView {
    page: Page,
    steps: Steps,
    view: PackPage,
}

async fn pack(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    let view = web.office.first_pack(&setup).await?;
    let (page, steps) = head(&web, &setup, "/setup/pack", "最初の設定：基準").await?;
    html(&PackView { page, steps, view })
}

async fn keep_pack(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    web.office.keep_first_pack(&sent.setup).await?;
    go("/setup/mail")
}

#[derive(Template)]
#[template(path = "first_mail.html")]
struct MailView {
    page: Page,
    steps: Steps,
    view: MailPage,
    form: MailForm,
    /// What to write into the configuration file, after the test went out.
    lines: String,
    errors: Errors,
}

async fn mail_page(
    web: &Web,
    setup: &Setup,
    form: MailForm,
    lines: String,
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.first_mail(setup).await?;
    let (page, steps) = head(web, setup, "/setup/mail", "最初の設定：メール").await?;
    let page = page.flash((!lines.is_empty()).then_some("mail_sent"));
    html(&MailView { page, steps, view, form, lines, errors })
}

async fn mail(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    let form = MailForm { tls: "starttls".to_owned(), ..MailForm::default() };
    mail_page(&web, &setup, form, String::new(), Errors::default()).await
}

async fn keep_mail(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let f = &sent.fields;
    if f.get("do") == "later" {
        web.office.put_off_mail(&sent.setup).await?;
        return go("/setup/administrator");
    }
    let field = |name: &str| f.get(name).to_owned();
    let form = MailForm { server: field("server"), tls: field("tls"), from: field("from"), to: field("to") };
    match web.office.try_mail(&sent.setup, &form).await {
        Ok(()) => {
            let lines = form.lines();
            mail_page(&web, &sent.setup, form, lines, Errors::default()).await
        }
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok(again(mail_page(&web, &sent.setup, form, String::new(), errors).await?))
        }
    }
}

#[derive(Template)]
#[template(path = "first_administrator.html")]
struct AdministratorView {
    page: Page,
    steps: Steps,
    view: AdministratorPage,
    person: String,
    login: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "first_done.html")]
struct DoneView {
    page: Page,
    done: Finished,
}

async fn administrator_page(
    web: &Web,
    setup: &Setup,
    (person, login): (&str, &str),
    errors: Errors,
) -> Result<Response, WebError> {
    let view = web.office.first_administrator(setup).await?;
    let (page, steps) = head(web, setup, "/setup/administrator", "最初の設定：最初の管理者").await?;
    let (person, login) = (person.to_owned(), login.to_owned());
    html(&AdministratorView { page, steps, view, person, login, errors })
}

async fn administrator(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    administrator_page(&web, &setup, ("", ""), Errors::default()).await
}

async fn keep_administrator(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let (office, setup, f) = (&web.office, &sent.setup, &sent.fields);
    let kept = match f.get("do") {
        "finish" => match office.finish_first_start(setup, f.get("code")).await {
            Ok(done) => {
                let page =
                    Page { body: done.title.clone(), ..Page::bare("最初の設定が終わりました") };
                let gone = format!("{COOKIE}=; Path=/setup; HttpOnly; SameSite=Strict; Max-Age=0");
                return Ok(([(header::SET_COOKIE, gone)], html(&DoneView { page, done })?).into_response());
            }
            Err(e) => Err(e),
        },
        "again" => office.choose_administrator_again(setup).await,
        "choose" => {
            let form = AdministratorForm {
                person: f.get("person").to_owned(),
                login: f.get("login").to_owned(),
                password: f.raw("password").to_owned(),
                again: f.raw("again").to_owned(),
            };
            office.choose_administrator(setup, &form).await
        }
        _ => return Err(WebError::BadForm),
    };
    match kept {
        Ok(()) => go("/setup/administrator"),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let typed = (f.get("person"), f.get("login"));
            Ok(again(administrator_page(&web, setup, typed, errors).await?))
        }
    }
}

/// The QR code as a picture of its own: the pages' policy lets no style or script stand in them.
async fn qr(State(web): State<Web>, Inside(setup): Inside) -> Result<Response, WebError> {
    let svg = web.office.first_administrator_qr(&setup).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}
