//! `GET /api/v1/me`: who the caller acts for, and what waits for that person.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use sekisho_app::tokens::Scope;
use serde_json::{Value, json};

use super::{ApiError, ApiWho};
use crate::Web;

/// Tasks told at most.
const TASKS: i64 = 100;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/api/v1/me", get(show))
}

async fn show(State(web): State<Web>, who: ApiWho) -> Result<Json<Value>, ApiError> {
    let who = who.may(Scope::Read).await?;
    let me = web.office.me(&who).await?;
    let tasks: Vec<Value> = web
        .office
        .inbox(&who, TASKS)
        .await?
        .into_iter()
        .map(|t| json!({"case": t.case_id, "number": t.number, "title": t.case_title, "task": t.title, "due": t.due, "late": t.late}))
        .collect();
    Ok(Json(
        json!({"person": me.person, "name": me.name, "section": me.section, "post": me.post, "tasks": tasks}),
    ))
}
