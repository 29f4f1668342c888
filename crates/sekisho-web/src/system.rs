//! For machines that watch: is the process alive, can it serve, how does it fare.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::system::Numbers;

use crate::Web;
use crate::bodies::{Bodies, Measured, at_once, is_ready};
use crate::watch::{Meters, label};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
}

/// 200 while this process can serve, otherwise 503; one line for each thing, without details.
async fn ready(State(web): State<Web>) -> Response {
    let r = web.office.readiness().await;
    let word = |ok: bool| if ok { "ok" } else { "failed" };
    let sequencer = if r.sequencer { "ok" } else { "late" };
    let key = if r.signs {
        word(r.key)
    } else if r.key {
        "pages"
    } else {
        "failed"
    };
    let node = web.office.node_mark();
    let text = format!("database {}\nkey {key}\nsequencer {sequencer}\nnode {node}\n", word(r.database));
    let status = if r.database && r.key { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

/// `/metrics` in the text format of Prometheus, and `/readyz` with each body by its name, for a listener of its own on this host.
pub fn metrics_router(bodies: Arc<Bodies>) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/readyz", get(each_ready)).with_state(bodies)
}

/// 200 while every body can be served; a line for each.
async fn each_ready(State(bodies): State<Arc<Bodies>>) -> Response {
    let (mut text, mut status) = (String::new(), StatusCode::OK);
    let asked = bodies.measured().into_iter().map(|m| async move { (m.name.clone(), is_ready(m).await) });
    for (name, ok) in at_once(asked).await {
        if !ok {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        let name = if name.is_empty() { "body" } else { &name };
        let _ = writeln!(text, "{name} {}", if ok { "ok" } else { "failed" });
    }
    (status, text).into_response()
}

/// What is measured of one body.
struct Seen {
    /// Its label before others; empty for the only body.
    of: String,
    up: bool,
    trouble: Option<&'static str>,
    meters: Option<Arc<Meters>>,
    numbers: Option<Numbers>,
}

async fn seen(m: Measured) -> Seen {
    let of = if m.name.is_empty() { String::new() } else { format!("body=\"{}\",", label(&m.name)) };
    let Some((office, meters)) = m.open else {
        return Seen { of, up: false, trouble: None, meters: None, numbers: None };
    };
    let up = office.readiness().await.database;
    let trouble = office.store.trouble().map(|t| t.code());
    Seen { of, up, trouble, meters: Some(meters), numbers: office.numbers().await.ok() }
}

async fn metrics(State(bodies): State<Arc<Bodies>>) -> Response {
    let all = at_once(bodies.measured().into_iter().map(seen)).await;
    let mut out = String::from(
        "# HELP sekisho_requests_total Requests answered.\n# TYPE sekisho_requests_total counter\n",
    );
    for s in &all {
        s.meters.iter().for_each(|m| m.write_counts(&s.of, &mut out));
    }
    out.push_str(
        "# HELP sekisho_request_seconds Time to answer.\n# TYPE sekisho_request_seconds histogram\n",
    );
    for s in &all {
        s.meters.iter().for_each(|m| m.write_times(&s.of, &mut out));
    }
    family(&mut out, &all, "sekisho_up", "gauge", "Whether the database answers and can be written.", |s| {
        Some(u64::from(s.up))
    });
    for s in &all {
        if let Some(code) = s.trouble {
            let _ = writeln!(out, "sekisho_database_trouble{{{}code=\"{code}\"}} 1", s.of);
        }
    }
    type Value = fn(&Numbers) -> Option<i64>;
    let families: [(&str, &str, &str, Value); 6] = [
        ("sekisho_acts_total", "counter", "Acts recorded in the ledger.", |n| {
            Some(n.entries.saturating_add(n.waiting))
        }),
        ("sekisho_login_failures_total", "counter", "Failed logins since the start.", |n| {
            i64::try_from(n.login_failures).ok()
        }),
        ("sekisho_ledger_entries", "gauge", "Entries under the newest checkpoint.", |n| Some(n.entries)),
        ("sekisho_ledger_waiting", "gauge", "Entries that wait for their place.", |n| Some(n.waiting)),
        ("sekisho_checkpoint_age_seconds", "gauge", "Age of the newest checkpoint.", |n| {
            n.checkpoint_age.map(|age| age / 1000)
        }),
        ("sekisho_open_tasks", "gauge", "Tasks that wait for somebody.", |n| Some(n.open_tasks)),
    ];
    for (name, kind, help, value) in families {
        family(&mut out, &all, name, kind, help, |s| s.numbers.as_ref().and_then(value));
    }
    out.push_str("# HELP sekisho_mail_messages Notifications by the state of their mail.\n# TYPE sekisho_mail_messages gauge\n");
    for s in &all {
        for (state, count) in s.numbers.iter().flat_map(|n| &n.mail) {
            let _ = writeln!(out, "sekisho_mail_messages{{{}state=\"{}\"}} {count}", s.of, label(state));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

/// One number of each body that has it.
fn family<N: std::fmt::Display>(
    out: &mut String,
    all: &[Seen],
    name: &str,
    kind: &str,
    help: &str,
    value: impl Fn(&Seen) -> Option<N>,
) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for s in all {
        if let Some(v) = value(s) {
            let of = s.of.trim_end_matches(',');
            let of = if of.is_empty() { String::new() } else { format!("{{{of}}}") };
            let _ = writeln!(out, "{name}{of} {v}");
        }
    }
}
