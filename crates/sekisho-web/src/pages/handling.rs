//! 「これはできますか」: the handling decision. One form with GET, so that the address of an answer can be passed on.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::handling::{CLASS, HandlingAnswer, HandlingQuestion, HandlingView};

use crate::Web;
use crate::error::WebError;
use crate::guard::Who;
use crate::page::{Errors, Page, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/handling", get(show))
}

#[derive(Template)]
#[template(path = "handling.html")]
struct HandlingPage {
    page: Page,
    view: HandlingView,
    errors: Errors,
}

impl HandlingPage {
    /// Style of the answer's box.
    fn tone(answer: &HandlingAnswer) -> &'static str {
        match answer.outcome.code() {
            "allowed" | "allowed_with" => "ok",
            "prohibited" => "error",
            _ => "warn",
        }
    }
}

/// The question in an address: `act`, `zone`, `device`, `personal`, `class.<axis>`, and `item` as often as there are contents.
pub(crate) fn question(pairs: &[(String, String)]) -> HandlingQuestion {
    let get = |name: &str| {
        pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
    };
    let class =
        pairs.iter().filter_map(|(n, v)| Some((n.strip_prefix(CLASS)?.to_owned(), v.trim().to_owned())));
    let items = pairs.iter().filter(|(n, v)| n == "item" && !v.trim().is_empty());
    HandlingQuestion {
        act: get("act"),
        zone: get("zone"),
        device: get("device"),
        personal: get("personal"),
        class: class.filter(|(_, v)| !v.is_empty()).take(20).collect(),
        items: items.map(|(_, v)| v.trim().to_owned()).take(200).collect(),
    }
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let words = pairs.iter().find(|(n, _)| n == "words").map(|(_, v)| v.trim()).unwrap_or_default();
    let words = sekisho_base::text::shorten(words, 200);
    let (view, faults) = web.office.handling_page(&who, &question(&pairs), &words).await?;
    let page = Page::of(&web, &who, "これはできますか", "/").await?;
    html(&HandlingPage { page, view, errors: Errors::of(faults) })
}
