//! A form whose session has ended meanwhile loses nothing: the page that says so carries every field along, and so does the one that answers
//! a form of an earlier session. Each is sent again by the person who reads it; nothing is carried out before.

use askama::Template;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use sekisho_app::AppError;
use sekisho_app::login::Identity;

use crate::Web;
use crate::error::WebError;
use crate::form::{Fields, Files, Upload, read_fields};
use crate::guard::from_own_page;
use crate::page::{Errors, Page, html};
use crate::refused::typed_on;
use crate::sure::is_secret;
use crate::watch::SECRET;

/// Field with the names of files that were chosen and could not be carried along.
pub(crate) const FILES_LOST: &str = "files_lost";

/// Who wants to leave has typed nothing, and is out already.
const LEAVE: &str = "/logout";

/// A form as it was sent, without what is secret.
struct Kept {
    action: String,
    fields: Vec<(String, String)>,
    /// Names of the files that were chosen.
    files: String,
}

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    page: Page,
    kept: Kept,
    /// As whom the form is sent again; none before the login.
    sender: Option<String>,
}

impl Kept {
    /// What was sent to an address; none where what is typed is secret, or no page of a session asked for it.
    fn of(parts: &Parts, fields: &Fields, files: &[(String, Upload)]) -> Option<Self> {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        if SECRET.contains(&route) || route == LEAVE || fields.raw("csrf").is_empty() {
            return None;
        }
        let mut names: Vec<&str> = files.iter().map(|(_, file)| file.name.as_str()).collect();
        names.extend(Some(fields.get(FILES_LOST)).filter(|before| !before.is_empty()));
        let fields = fields
            .with_prefix("")
            .filter(|(name, _)| *name != FILES_LOST && !is_secret(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(typed_on())
            .collect();
        let action = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Some(Self { action, fields, files: names.join("、") })
    }
}

/// The answer to a form that nobody is logged in for. `login` is the answer where there is nothing to keep.
pub(crate) async fn ended(web: &Web, request: Request, login: WebError) -> WebError {
    if request.uri().path() == LEAVE {
        return AppError::NoSession.into();
    }
    if !from_own_page(request.headers()) {
        return login;
    }
    let (parts, body) = request.into_parts();
    let Ok((fields, files)) = read_fields(Request::from_parts(parts.clone(), body), web, Files::Named).await
    else {
        return login;
    };
    let Some(kept) = Kept::of(&parts, &fields, &files) else { return login };
    let page =
        Page { body: web.office.body_title().to_owned(), ..Page::bare("ログインが切れました") };
    shown(&KeptPage { page, kept, sender: None }, StatusCode::UNAUTHORIZED)
}

/// The answer to a form of an earlier session, from a page of this site.
pub(crate) async fn of_before(
    web: &Web,
    who: &Identity,
    parts: &Parts,
    fields: &Fields,
    files: &[(String, Upload)],
) -> WebError {
    let Some(kept) = Kept::of(parts, fields, files) else { return WebError::ForeignForm };
    let page = match Page::of(web, who, "もう一度送ってください", "").await {
        Ok(page) => page.narrow(),
        Err(e) => return e,
    };
    let sender = page.me.as_ref().map(|me| format!("{} {} {}", me.section, me.post, me.name));
    shown(&KeptPage { page, kept, sender }, StatusCode::FORBIDDEN)
}

fn shown(page: &KeptPage, status: StatusCode) -> WebError {
    match html(page) {
        Ok(page) => WebError::Instead(Box::new((status, page).into_response())),
        Err(e) => e,
    }
}

/// What to say beside a field for files when some were chosen before the session ended: they are to be chosen again, and nothing is
/// decided without them.
pub(crate) fn files_lost(fields: &Fields, field: &str) -> Option<Errors> {
    let names = fields.get(FILES_LOST);
    (!names.is_empty()).then(|| {
        let says = format!(
            "ログインが切れる前に選んだファイル（{names}）は残っていません。もう一度選んでから送ってください。要らなければ、このまま送れます。"
        );
        Errors::one(field, says)
    })
}
