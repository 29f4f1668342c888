//! A refused form loses nothing: where a page has no answer of its own, the answer to a refusal is the page the form was on, as it is now, with
//! what was typed in its fields and the fault named above and beside them. Where that page has no such form any more, the message carries what was typed,
//! to be copied. Nothing is kept on the server; what is secret does not come back.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use sekisho_app::FieldError;
use tower::ServiceExt as _;

use crate::error::MessagePage;
use crate::filled::{Filled, Sent, filled};
use crate::form::{Fields, Upload};
use crate::guard::{Shown, same};
use crate::kept::FILES_LOST;
use crate::page::escape;
use crate::pages::own_path;
use crate::sure::is_secret;
use crate::watch::SECRET;
use crate::{back, filled};

/// Field with the page that a form is on, where its address is not the one that answers: after a refusal, and on a page that asks something first.
const TYPED_ON: &str = "typed_on";

/// Largest page that is read again, in bytes.
const PAGE_BYTES: usize = 8 << 20;

/// Whether somebody wrote this: codes, days and buttons are chosen again in a moment, a sentence is not.
pub(crate) fn is_sentence(text: &str) -> bool {
    !text.is_ascii() || text.trim().contains(char::is_whitespace)
}

/// Texts that somebody wrote, of fields that a page has no place for.
fn written<'a>(fields: impl Iterator<Item = &'a Sent>) -> Vec<String> {
    fields.map(|(_, value)| value).filter(|value| is_sentence(value)).cloned().collect()
}

/// A form as it was sent.
#[derive(Debug, Default, Clone)]
struct Typed {
    csrf: String,
    /// It came with the token of whoever is logged in.
    vouched: bool,
    page: Option<String>,
    fields: Vec<Sent>,
    files: Vec<String>,
}

tokio::task_local! {
    /// The form that is being answered.
    static TYPED: Arc<Mutex<Typed>>;
}

fn with_typed<T>(does: impl FnOnce(&mut Typed) -> T) -> Option<T> {
    TYPED.try_with(|typed| does(&mut typed.lock().unwrap_or_else(PoisonError::into_inner))).ok()
}

/// Holds a form while it is answered, and takes out of it what is said for this module.
pub(crate) fn hold(fields: &mut Fields, files: &[(String, Upload)]) {
    let page = Some(fields.get(TYPED_ON)).filter(|page| !page.is_empty()).map(own_path);
    fields.drop(TYPED_ON);
    let typed = Typed {
        csrf: fields.raw("csrf").to_owned(),
        vouched: false,
        page,
        fields: fields
            .with_prefix("")
            .filter(|(name, _)| *name != FILES_LOST && !is_secret(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        files: files.iter().map(|(_, file)| file.name.clone()).collect(),
    };
    with_typed(|held| *held = typed);
}

/// The form that is held comes from a page of the session with this token.
pub(crate) fn vouch(csrf: &str) {
    with_typed(|held| held.vouched = same(&held.csrf, csrf));
}

/// The field with the page on which the form was that is being answered, to be carried along.
pub(crate) fn typed_on() -> Option<Sent> {
    let page = with_typed(|held| held.page.clone()).flatten().or_else(back::here)?;
    Some((TYPED_ON.to_owned(), page))
}

/// Marks a message in answer to a form, so that what was typed is put into it.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub page: MessagePage,
    /// By field; empty where the message is about the whole.
    pub faults: Vec<FieldError>,
}

/// What was asked, for asking for the page of the form in the same way.
struct Asked {
    action: String,
    secret: bool,
    headers: HeaderMap,
    peer: Option<ConnectInfo<SocketAddr>>,
    shown: Option<Shown>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let kept = [header::COOKIE, header::HOST, header::USER_AGENT];
        let mut headers: HeaderMap = request
            .headers()
            .iter()
            .filter(|(name, _)| kept.contains(name) || name.as_str().starts_with("x-"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        Self {
            action: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            secret: SECRET.contains(&route),
            headers,
            peer: request.extensions().get().copied(),
            shown: request.extensions().get().cloned(),
        }
    }

    /// A page as this person sees it now; none where it is none.
    async fn page(&self, site: &Router, path: &str) -> Option<String> {
        let mut request =
            axum::http::Request::builder().method(Method::GET).uri(path).body(Body::empty()).ok()?;
        request.headers_mut().clone_from(&self.headers);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        if let Some(shown) = &self.shown {
            request.extensions_mut().insert(shown.clone());
        }
        let Ok(response) = site.clone().oneshot(request).await;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !response.status().is_success() || !kind.is_some_and(|k| k.starts_with("text/html")) {
            return None;
        }
        let bytes = to_bytes(response.into_body(), PAGE_BYTES).await.ok()?;
        String::from_utf8(bytes.to_vec()).ok()
    }
}

/// Answers a form; a refusal brings back what was typed. `site` is the pages without this layer.
pub(crate) async fn give_back(State(site): State<Router>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let asked = Asked::of(&request);
    let held = Arc::new(Mutex::new(Typed::default()));
    let response = TYPED.scope(Arc::clone(&held), next.run(request)).await;
    let Some(refusal) = response.extensions().get::<Refusal>().cloned() else { return response };
    let typed = held.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if asked.secret || !typed.vouched {
        return response;
    }
    let Some(html) = typed_again(&site, &asked, &typed, &refusal).await else { return response };
    // Whatever else the answer carries stays: its status, cookies, when to come again.
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(html))
}

/// The page that a form was on, without what it said of an earlier act.
fn without_flash(page: &str) -> String {
    let Some((path, query)) = page.split_once('?') else { return page.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("done=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

async fn typed_again(site: &Router, asked: &Asked, typed: &Typed, refusal: &Refusal) -> Option<String> {
    let mut pages: Vec<String> = [typed.page.clone(), refusal.page.back.clone()]
        .into_iter()
        .flatten()
        .map(|p| without_flash(&p))
        .collect();
    pages.push(asked.action.clone());
    pages.dedup();
    for path in pages {
        let Some(page) = asked.page(site, &path).await else { continue };
        let told = filled::Refused {
            action: &asked.action,
            fields: &typed.fields,
            faults: &refusal.faults,
            hidden: format!("<input type=\"hidden\" name=\"{TYPED_ON}\" value=\"{}\">", escape(&path)),
        };
        let Some(form) = filled(&page, &path, &told) else { continue };
        // A form of nothing but buttons: the message alone says it better.
        let rest = written(form.rest.iter().copied());
        if form.placed == 0 && rest.is_empty() && typed.files.is_empty() {
            return None;
        }
        return Some(with_message(&form, &rest, &typed.files, refusal));
    }
    let unsent = written(typed.fields.iter());
    if unsent.is_empty() {
        return None;
    }
    MessagePage { unsent, ..refusal.page.clone() }.render().ok()
}

/// The page with the message at its head.
fn with_message(form: &Filled<'_>, rest: &[String], files: &[String], refusal: &Refusal) -> String {
    let says = &refusal.page;
    let mut head = format!(
        "<div class=\"notice error\" role=\"alert\" tabindex=\"-1\" data-focus><p><strong>{}。入力した内容は残っています。</strong></p><ul>",
        escape(&says.page.title)
    );
    for (fault, anchor) in refusal.faults.iter().zip(&form.anchors) {
        let to = anchor.as_ref().unwrap_or(&form.form);
        let _ = write!(head, "<li><a href=\"#{}\">{}</a></li>", escape(to), escape(&fault.message));
    }
    head.push_str("</ul>");
    if !files.is_empty() {
        let names = escape(&files.join("、"));
        let _ = write!(head, "<p>選んだファイル（{names}）は、もう一度選んでください。</p>");
    }
    if !rest.is_empty() {
        head.push_str(
            "<p>次のものを入れる欄は、今のこの画面にありません。要るときは、ここから写してください。</p>",
        );
        for text in rest {
            let _ = write!(head, "<blockquote class=\"pre\">{}</blockquote>", escape(text));
        }
    }
    let _ = write!(
        head,
        "<p class=\"muted small\">問い合わせるときは、この記号を伝えてください：{}</p></div>",
        escape(&says.code)
    );
    let html = form.html.replacen("<title>", &format!("<title>{}：", escape(&says.page.title)), 1);
    let Some(main) = html.find("<main").and_then(|at| Some(at + html.get(at..)?.find('>')? + 1)) else {
        return html;
    };
    let (before, after) = html.split_at_checked(main).unwrap_or((&html, ""));
    format!("{before}{head}{after}")
}
