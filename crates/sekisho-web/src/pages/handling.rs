//! 「これはできますか」: the handling decision. One form with GET, so that the address of an answer can be passed on.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::handling::{CLASS, HandlingAnswer, HandlingQuestion, HandlingView};

use crate::Web;
use crate::error::WebError;
use crate::form::Fields;
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
pub(crate) fn question(asked: &Fields) -> HandlingQuestion {
    let get = |name: &str| asked.get(name).to_owned();
    let class = asked.with_prefix(CLASS).map(|(axis, v)| (axis.to_owned(), v.trim().to_owned()));
    let items = asked.all("item").into_iter().map(|v| v.trim().to_owned());
    HandlingQuestion {
        act: get("act"),
        zone: get("zone"),
        device: get("device"),
        personal: get("personal"),
        class: class.filter(|(_, v)| !v.is_empty()).take(20).collect(),
        items: items.filter(|v| !v.is_empty()).take(200).collect(),
    }
}

async fn show(
    State(web): State<Web>,
    Who(who): Who,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    let words = sekisho_base::text::shorten(asked.get("words"), 200);
    let (view, mut faults) = web.office.handling_page(&who, &question(&asked), &words).await?;
    if asked.get("do") == "answer" && asked.get("act").is_empty() {
        let message = "何をしたいかを選んでください。".to_owned();
        faults.insert(0, sekisho_app::FieldError { field: "act".to_owned(), message });
    }
    let page = Page::of(&web, &who, "これはできますか", "/").await?;
    html(&HandlingPage { page, view, errors: Errors::of(faults) })
}
