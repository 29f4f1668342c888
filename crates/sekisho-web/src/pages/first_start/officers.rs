//! The step 責任者: as many people for each role as are needed, and heads where a department or section has none.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use sekisho_app::first_start::{Headless, MOST_OF_ROLE, OfficersPage, Seat, Setup, row_key, rows_of_role};

use super::{Blank, Inside, Sent, Steps, again, go, head};
use crate::Web;
use crate::error::WebError;
use crate::page::{Done, Errors, Page, html};

/// Units without a head up to which their fields are shown at once.
const FEW: usize = 6;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/setup/officers", get(officers).post(keep))
}

/// A form as typed.
type Typed = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "first_officers.html")]
struct OfficersView {
    page: Page,
    steps: Steps,
    view: OfficersPage,
    /// What must be filled or is kept apart from others.
    seats: Vec<SeatView>,
    /// Units without a head.
    heads: Vec<HeadView>,
    /// There are few of them, or one is wrong.
    heads_open: bool,
    /// The rest.
    later: Vec<SeatView>,
    /// One of the rest was typed in or is wrong.
    later_open: bool,
    errors: Errors,
}

/// A seat with its fields.
struct SeatView {
    seat: Seat,
    blanks: Vec<Blank>,
    /// The choice of the unit for a post that does not exist yet.
    unit: Option<Blank>,
    /// Another person can be added.
    more: bool,
}

/// A unit without a head, with its fields.
struct HeadView {
    unit: Headless,
    blanks: Vec<Blank>,
}

fn blank(typed: &Typed, errors: &Errors, field: &str, key: &str, label: &str) -> Blank {
    let name = format!("{field}.{key}");
    let value = typed.get(&name).map_or("", |v| v.trim());
    Blank::new(name.clone(), label, value, errors)
}

/// The fields of somebody whose number may not be known yet.
fn person(typed: &Typed, errors: &Errors, key: &str, number: &str) -> Vec<Blank> {
    let fields = [
        ("number", number),
        ("name", "氏名（初めて入力する人だけ）"),
        ("kana", "ふりがな（初めて入力する人だけ）"),
    ];
    fields.map(|(field, label)| blank(typed, errors, field, key, label)).into()
}

impl SeatView {
    /// `more` is the key of the seat for which one more person was asked for.
    fn new(seat: &Seat, typed: &Typed, errors: &Errors, more: &str) -> Self {
        let mut blanks = Vec::new();
        let mut rows = 0;
        if seat.by_role {
            rows = (rows_of_role(typed, &seat.key) + usize::from(more == seat.key)).min(MOST_OF_ROLE);
            for n in 1..=rows {
                let label = match (n, seat.holders.is_empty()) {
                    (1, true) => "担う人の職員番号".to_owned(),
                    (1, false) => "加える人の職員番号".to_owned(),
                    (n, _) => format!("{n}人目の職員番号"),
                };
                blanks.push(blank(typed, errors, "number", &row_key(&seat.key, n), &label));
            }
        } else if seat.holders.is_empty() {
            blanks = person(typed, errors, &seat.key, "担う人の職員番号");
        }
        if seat.no_post {
            blanks.push(blank(typed, errors, "title", &seat.key, "職の名前"));
        }
        let unit = seat.no_post.then(|| blank(typed, errors, "unit", &seat.key, "この職のある組織"));
        Self { seat: seat.clone(), blanks, unit, more: seat.by_role && rows < MOST_OF_ROLE }
    }

    fn typed_or_wrong(&self, more: &str) -> bool {
        let blanks = self.blanks.iter().chain(&self.unit);
        self.seat.key == more || blanks.into_iter().any(|b| !b.note.is_empty() || !b.value.is_empty())
    }
}

async fn page(
    web: &Web,
    setup: &Setup,
    typed: &Typed,
    more: &str,
    errors: Errors,
    done: Option<&str>,
) -> Result<Response, WebError> {
    let view = web.office.first_officers(setup).await?;
    let (page, steps) = head(web, setup, "/setup/officers", "最初の設定：責任者").await?;
    let page = page.flash(done);
    let seats = view.seats.iter().map(|s| SeatView::new(s, typed, &errors, more));
    let (seats, later): (Vec<_>, Vec<_>) = seats.partition(|v| v.seat.must || !v.seat.apart.is_empty());
    let later_open = later.iter().any(|v| v.typed_or_wrong(more));
    let heads: Vec<HeadView> = view
        .headless
        .iter()
        .map(|u| HeadView { unit: u.clone(), blanks: person(typed, &errors, &u.key, "長の職員番号") })
        .collect();
    let typed_in = |h: &HeadView| h.blanks.iter().any(|b| !b.note.is_empty() || !b.value.is_empty());
    let heads_open = heads.len() <= FEW || heads.iter().any(typed_in);
    html(&OfficersView { page, steps, view, seats, heads, heads_open, later, later_open, errors })
}

async fn officers(
    State(web): State<Web>,
    Inside(setup): Inside,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    page(&web, &setup, &Typed::new(), "", Errors::default(), q.done.as_deref()).await
}

async fn keep(State(web): State<Web>, sent: Sent) -> Result<Response, WebError> {
    let typed = sent.fields.singles();
    // One more line for a role: what was typed stays in the form, nothing is kept yet.
    let more = sent.fields.get("more");
    if !more.is_empty() {
        return page(&web, &sent.setup, &typed, more, Errors::default(), None).await;
    }
    match web.office.fill_first_seats(&sent.setup, &typed).await {
        Ok(()) => go("/setup/pack"),
        Err(e) => {
            let errors = Errors::from_app(e)?;
            Ok(again(page(&web, &sent.setup, &typed, "", errors, None).await?))
        }
    }
}
