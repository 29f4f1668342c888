//! Style and script, embedded and addressed by their hash so that browsers keep them for good.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use sekisho_base::canonical::{hex, sha256};

const CSS: &str = include_str!("../assets/app.css");
const JS: &str = include_str!("../assets/app.js");
const PASSKEY: &str = include_str!("../assets/passkey.js");

/// Address of the style sheet.
pub(crate) static CSS_PATH: LazyLock<String> = LazyLock::new(|| path("css", CSS));
/// Address of the script.
pub(crate) static JS_PATH: LazyLock<String> = LazyLock::new(|| path("js", JS));
/// Address of the script that asks the browser for a passkey.
pub(crate) static PASSKEY_PATH: LazyLock<String> = LazyLock::new(|| path("js", PASSKEY));

fn path(kind: &str, text: &str) -> String {
    let hash: String = hex(&sha256(text.as_bytes())).chars().take(12).collect();
    format!("/assets/{hash}.{kind}")
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(&CSS_PATH, get(|| async { serve("text/css; charset=utf-8", CSS) }))
        .route(&JS_PATH, get(|| async { serve("text/javascript; charset=utf-8", JS) }))
        .route(&PASSKEY_PATH, get(|| async { serve("text/javascript; charset=utf-8", PASSKEY) }))
}

fn serve(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], text)
}
