//! The witness protocol over HTTP (c2sp.org/tlog-witness): the server that a witness runs, and the client that asks one.
//!
//! Plain HTTP on purpose: everything that passes is signed, nothing is secret, and no personal data is in it. A network that
//! wants TLS all the same puts it in front.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::Full;
use hyper::{Request, Uri};
use sekisho_app::ledger::keeper::{Keeper, KeeperError};
use sekisho_app::ledger::witnesses::{Messenger, Reply};
use sekisho_app::ledger::{MAX_ANSWER, MAX_REQUEST};
use sekisho_app::webhooks::Courier;
use tokio::net::TcpStream;

use crate::client::{answer_of, host_and_port};

/// How long one exchange with a witness may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests that a witness judges at a time; they wait for the disk.
const AT_ONCE: usize = 4;

const TEXT: &str = "text/plain; charset=utf-8";

/// What a witness answers.
#[derive(Clone)]
struct Desk {
    keeper: Arc<Keeper>,
    slots: Arc<tokio::sync::Semaphore>,
}

/// The routes of a witness: `POST /add-checkpoint`, and `GET /`, which shows whoever asks what it has signed.
pub fn router(keeper: Arc<Keeper>) -> Router {
    let desk = Desk { keeper, slots: Arc::new(tokio::sync::Semaphore::new(AT_ONCE)) };
    Router::new()
        .route("/", get(shown))
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(axum::middleware::from_fn(hurry))
        .with_state(desk)
}

/// Nobody holds a connection open with half a request.
async fn hurry(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

async fn add_checkpoint(State(desk): State<Desk>, body: Bytes) -> Response {
    let Ok(_slot) = desk.slots.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let keeper = Arc::clone(&desk.keeper);
    let judged = tokio::task::spawn_blocking(move || keeper.add_checkpoint(&body)).await;
    match judged {
        Ok(Ok(line)) => answer(StatusCode::OK, TEXT, line),
        Ok(Err(KeeperError::Refused(refusal))) => {
            if refusal.is_evidence() {
                tracing::error!("{refusal}: kept as evidence");
            }
            let (kind, text) = refusal.body();
            answer(StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST), kind, text)
        }
        Ok(Err(e)) => {
            tracing::error!(error = %e, "a checkpoint could not be kept, so it was not signed");
            answer(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "立会人の記録を保存できません。\n".to_owned())
        }
        Err(e) => {
            tracing::error!(error = %e, "a request ended in disorder");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// For people, and for whoever compares what the log shows with what the witness saw.
async fn shown(State(desk): State<Desk>) -> Response {
    let keeper = Arc::clone(&desk.keeper);
    let Ok(watched) = tokio::task::spawn_blocking(move || keeper.watched()).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut text = format!("立会人の公開鍵\n{}\n", desk.keeper.vkey());
    for log in watched {
        text.push_str(&format!("\n台帳の公開鍵\n{}\n", log.vkey));
        match log.last {
            Some(note) => text.push_str(&format!("最後に署名した控え\n\n{note}")),
            None => text.push_str("まだ署名した控えはありません。\n"),
        }
        if log.evidence > 0 {
            text.push_str(&format!("\n食い違いの証拠 {}件（立会人のフォルダの evidence）\n", log.evidence));
        }
    }
    answer(StatusCode::OK, TEXT, text)
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// Asks witnesses and tells receivers of events over HTTP/1.1.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpMessenger;

impl Messenger for HttpMessenger {
    fn post(
        &self,
        url: String,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, String>> + Send + '_>> {
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, exchange(&url, TEXT, &[], body)).await {
                Ok(done) => done,
                Err(_) => Err(format!("{}秒待っても答えがありません（{url}）", PATIENCE.as_secs())),
            }
        })
    }
}

impl Courier for HttpMessenger {
    fn deliver(
        &self,
        url: String,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + '_>> {
        Box::pin(async move {
            let sent = exchange(&url, "application/json", &headers, body);
            match tokio::time::timeout(PATIENCE, sent).await {
                Ok(done) => done.map(|reply| reply.status),
                Err(_) => Err(format!("{}秒待っても答えがありません（{url}）", PATIENCE.as_secs())),
            }
        })
    }
}

async fn exchange(
    url: &str,
    kind: &str,
    headers: &[(&'static str, String)],
    body: String,
) -> Result<Reply, String> {
    let failed = |e: &dyn std::fmt::Display| format!("{url}: {e}");
    let uri: Uri = url.parse().map_err(|e| failed(&e))?;
    let (Some("http"), Some((host, port))) = (uri.scheme_str(), host_and_port(&uri)) else {
        return Err(failed(&"アドレスが http:// ではありません"));
    };
    let stream = TcpStream::connect((host, port)).await.map_err(|e| failed(&e))?;
    let authority = uri.authority().map_or_else(String::new, ToString::to_string);
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let request = Request::post(path).header(header::HOST, authority).header(header::CONTENT_TYPE, kind);
    let request = headers
        .iter()
        .fold(request, |r, (name, value)| r.header(*name, value))
        .body(Full::new(Bytes::from(body)))
        .map_err(|e| failed(&e))?;
    let (parts, body) = answer_of(stream, request, MAX_ANSWER).await.map_err(|e| failed(&e))?;
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Ok(Reply { status: parts.status.as_u16(), content_type: content_type.to_owned(), body })
}
