//! Who one is, what one has to do, what one was told.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use schemars::JsonSchema;
use sekisho_app::calendar::{CalendarScope, CalendarView};
use sekisho_app::cases::{Home, TaskLine};
use sekisho_app::notifications::NotificationsView;
use sekisho_app::search::{SearchQuery, SearchView};
use sekisho_base::text::shorten;
use serde::Serialize;

use super::Route;
use super::caller::{ApiWho, Pressed};
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

const TAG: &str = "自分";

/// Tasks of one inbox, as on the page.
const INBOX: i64 = 500;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<MeAnswer>(TAG, "/me", "自分の氏名・所属・職と、変更に要る csrf の値", get(me)),
        Route::read::<Home>(
            TAG,
            "/home",
            "ホーム。処理待ち、下書き、最近の自分の案件、始められる手続",
            get(home),
        ),
        Route::read::<Vec<TaskLine>>(TAG, "/inbox", "決裁・処理待ち", get(inbox)),
        Route::read::<NotificationsView>(TAG, "/notifications", "お知らせ", get(notifications))
            .asks(&[("page", "ページ。1から")]),
        Route::read::<CalendarView>(
            TAG,
            "/calendar",
            "予定表。1か月の期限、定期の仕事、許可の終わり、不在",
            get(calendar),
        )
        .asks(&[
            ("month", "2026-11 の形。空なら今月"),
            ("scope", "own（自分）、section（課）、all（見られるもの）"),
        ]),
        Route::read::<SearchView>(TAG, "/search", "見ることのできるすべてから探す", get(search)).asks(&[
            ("q", "ことば"),
            ("kind", "種類のコード。空ならすべて"),
            ("page", "ページ。1から。種類を選んだとき"),
        ]),
        Route::press(TAG, "/notifications/read", "お知らせをすべて既読にする", post(read_all)),
        Route::press(TAG, "/notifications/{id}/open", "お知らせを1件、既読にする", post(open)),
    ]
}

/// Who calls.
#[derive(Serialize, JsonSchema)]
struct MeAnswer {
    /// Person number.
    person: String,
    /// Name.
    name: String,
    /// Section of the main appointment.
    section: String,
    /// Title of the main post.
    post: String,
    /// Codes of the posts held today.
    posts: Vec<String>,
    /// Whether records of the whole body are seen.
    whole_body: bool,
    /// What writes send in the header `x-csrf-token`.
    csrf: String,
    /// Name of the body.
    body: String,
}

async fn me(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<MeAnswer>, ApiError> {
    let me = web.office.me(&who).await?;
    Ok(Json(MeAnswer {
        posts: me.posts().to_vec(),
        whole_body: me.sees_whole_body(),
        person: me.person,
        name: me.name,
        section: me.section,
        post: me.post,
        csrf: who.csrf,
        body: web.office.body_title().to_owned(),
    }))
}

async fn home(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Home>, ApiError> {
    Ok(Json(web.office.home(&who, &web.office.me(&who).await?).await?))
}

async fn inbox(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Vec<TaskLine>>, ApiError> {
    Ok(Json(web.office.inbox(&web.office.me(&who).await?, INBOX).await?))
}

async fn notifications(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<NotificationsView>, ApiError> {
    Ok(Json(web.office.notifications(&who, asked.page()).await?))
}

async fn calendar(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<CalendarView>, ApiError> {
    let scope = CalendarScope::of_code(asked.get("scope"));
    Ok(Json(web.office.calendar(&who, asked.get("month"), scope).await?))
}

async fn search(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<SearchView>, ApiError> {
    let query = SearchQuery {
        q: shorten(asked.get("q"), 200),
        kind: asked.get("kind").to_owned(),
        page: asked.page(),
    };
    Ok(Json(web.office.search(&who, &query).await?))
}

async fn read_all(State(web): State<Web>, Pressed(who): Pressed) -> Result<StatusCode, ApiError> {
    web.office.read_notifications(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn open(
    State(web): State<Web>,
    Path(id): Path<String>,
    Pressed(who): Pressed,
) -> Result<StatusCode, ApiError> {
    web.office.open_notification(&who, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
