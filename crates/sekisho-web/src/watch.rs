//! What watches over every request: an id for the log, measurements, and the page that keeps what was typed while the database cannot work.
//! Nothing here tells who asked for what: routes are named by their pattern, never by the address.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use sekisho_base::limits;
use tokio::sync::SemaphorePermit;
use tracing::Instrument as _;

use crate::Web;
use crate::error::{Unavailable, busy, unavailable};

/// Upper ends of the latency buckets in milliseconds.
const BUCKETS: [u64; 10] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/// How long a request waits for its turn among those of its body.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a request counts among those of its body.
const LONGEST_TURN: Duration = Duration::from_secs(30);

/// What answers however much there is to do.
const UNCOUNTED: [&str; 3] = ["/health", "/healthz", "/readyz"];

/// Where what is typed is secret and must not come back in a page.
pub(crate) const SECRET: [&str; 6] =
    ["/login", "/login/code", "/password", "/account/second-factor", "/setup", "/setup/administrator"];

#[derive(Debug, Default, Clone)]
struct Route {
    by_status: BTreeMap<(String, u16), u64>,
    buckets: [u64; BUCKETS.len()],
    count: u64,
    micros: u64,
}

/// Measurements of the requests of one process.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    started: AtomicU64,
    routes: Mutex<BTreeMap<String, Route>>,
}

impl Meters {
    fn note(&self, route: &str, method: &Method, status: u16, took: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let r = routes.entry(route.to_owned()).or_default();
        *r.by_status.entry((method.as_str().to_owned(), status)).or_default() += 1;
        r.count += 1;
        r.micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (bucket, most) in r.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(took <= Duration::from_millis(most));
        }
    }

    /// How many were answered: lines in the text format of Prometheus (version 0.0.4). `of` is what stands before the other labels.
    pub(crate) fn write_counts(&self, of: &str, out: &mut String) {
        for (route, r) in &self.kept() {
            for ((method, status), n) in &r.by_status {
                let _ = writeln!(
                    out,
                    "sekisho_requests_total{{{of}method=\"{method}\",route=\"{}\",status=\"{status}\"}} {n}",
                    label(route)
                );
            }
        }
    }

    /// How long it took, in the same way.
    pub(crate) fn write_times(&self, of: &str, out: &mut String) {
        for (route, r) in &self.kept() {
            let route = label(route);
            for (most, n) in BUCKETS.iter().zip(r.buckets) {
                let le = *most as f64 / 1000.0;
                let _ =
                    writeln!(out, "sekisho_request_seconds_bucket{{{of}route=\"{route}\",le=\"{le}\"}} {n}");
            }
            let seconds = r.micros as f64 / 1e6;
            let _ = write!(
                out,
                "sekisho_request_seconds_bucket{{{of}route=\"{route}\",le=\"+Inf\"}} {}\nsekisho_request_seconds_sum{{{of}route=\"{route}\"}} {seconds}\nsekisho_request_seconds_count{{{of}route=\"{route}\"}} {}\n",
                r.count, r.count
            );
        }
    }

    fn kept(&self) -> BTreeMap<String, Route> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A label's value with the characters escaped that the format asks for.
pub(crate) fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Watches over one request.
pub(crate) async fn watch(State(web): State<Web>, request: Request, next: Next) -> Response {
    let number = web.meters.started.fetch_add(1, Ordering::Relaxed) + 1;
    let id = format!("{}-{number:x}", web.office.node_mark());
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let span = tracing::error_span!("request", id, %method, route, body = tracing::field::Empty);
    if let Some(body) = web.office.label() {
        span.record("body", body);
    }
    let begun = std::time::Instant::now();
    let mut response = async {
        let (request, typed) = keep_form(request).await;
        let Ok(turn) = turn(&web, &route).await else {
            tracing::warn!("this body has more requests than it may have at once");
            let typed = typed.as_deref().filter(|_| !SECRET.contains(&route.as_str()));
            return busy(typed.map(|bytes| (path.as_str(), bytes)));
        };
        let mut answering = std::pin::pin!(next.run(request));
        let response = match tokio::time::timeout(LONGEST_TURN, &mut answering).await {
            Ok(response) => response,
            Err(_) => {
                // Whoever sends a file drop by drop does not keep the others of the body waiting.
                drop(turn);
                answering.await
            }
        };
        let Some(Unavailable(trouble)) = response.extensions().get::<Unavailable>().copied() else {
            return response;
        };
        tracing::error!(
            trouble = trouble.code(),
            "the database cannot work; the request was not carried out"
        );
        match typed.filter(|_| !SECRET.contains(&route.as_str())) {
            Some(bytes) => unavailable(trouble, Some((&path, &bytes))),
            None => response,
        }
    }
    .instrument(span.clone())
    .await;
    let took = begun.elapsed();
    let status = response.status().as_u16();
    web.meters.note(&route, &method, status, took);
    span.in_scope(|| {
        tracing::info!(status, ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "answered")
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Too many wait already.
struct Full;

/// Among several bodies: waits until this one may carry out another request. Those who watch do not wait.
async fn turn<'w>(web: &'w Web, route: &str) -> Result<Option<SemaphorePermit<'w>>, Full> {
    let Some(turns) = web.turns.as_deref().filter(|_| !UNCOUNTED.contains(&route)) else { return Ok(None) };
    match tokio::time::timeout(PATIENCE, turns.acquire()).await {
        Ok(Ok(turn)) => Ok(Some(turn)),
        _ => Err(Full),
    }
}

/// Reads a plain form, so that it can be shown again, and gives the request back as it was. Files are too large to be kept.
async fn keep_form(request: Request) -> (Request, Option<Bytes>) {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let plain = kind.is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let small = request.body().size_hint().exact().is_some_and(|n| n <= limits::FORM_BYTES as u64);
    if request.method() != Method::POST || !plain || !small {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, limits::FORM_BYTES).await {
        Ok(bytes) => (Request::from_parts(parts, Body::from(bytes.clone())), Some(bytes)),
        // The connection broke: whoever reads the form finds it incomplete.
        Err(_) => (Request::from_parts(parts, Body::empty()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_count_in_every_bucket_that_holds_them() {
        let meters = Meters::default();
        meters.note("/cases/{id}", &Method::GET, 200, Duration::from_millis(30));
        meters.note("/cases/{id}", &Method::GET, 503, Duration::from_secs(20));
        let mut out = String::new();
        meters.write_counts("", &mut out);
        meters.write_times("", &mut out);
        for line in [
            "sekisho_requests_total{method=\"GET\",route=\"/cases/{id}\",status=\"200\"} 1",
            "sekisho_request_seconds_bucket{route=\"/cases/{id}\",le=\"0.025\"} 0",
            "sekisho_request_seconds_bucket{route=\"/cases/{id}\",le=\"0.05\"} 1",
            "sekisho_request_seconds_bucket{route=\"/cases/{id}\",le=\"10\"} 1",
            "sekisho_request_seconds_bucket{route=\"/cases/{id}\",le=\"+Inf\"} 2",
            "sekisho_request_seconds_sum{route=\"/cases/{id}\"} 20.03",
        ] {
            assert!(out.lines().any(|l| l == line), "{line}\n{out}");
        }
    }
}
