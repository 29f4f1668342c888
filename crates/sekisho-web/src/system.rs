//! For machines that watch: is the process alive, can it serve, how does it fare.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sekisho_app::Office;

use crate::Web;
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

/// `/metrics` in the text format of Prometheus, for a listener of its own on this host.
pub fn metrics_router(office: Arc<Office>, meters: Arc<Meters>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state((office, meters))
}

async fn metrics(State((office, meters)): State<(Arc<Office>, Arc<Meters>)>) -> Response {
    let mut out = String::new();
    meters.write(&mut out);
    gauge(
        &mut out,
        "sekisho_up",
        "Whether the database answers and can be written.",
        u8::from(office.readiness().await.database),
    );
    if let Some(trouble) = office.store.trouble() {
        let _ = writeln!(out, "sekisho_database_trouble{{code=\"{}\"}} 1", trouble.code());
    }
    if let Ok(n) = office.numbers().await {
        let acts = n.entries.saturating_add(n.waiting);
        let _ = write!(
            out,
            "# HELP sekisho_acts_total Acts recorded in the ledger.\n# TYPE sekisho_acts_total counter\nsekisho_acts_total {acts}\n"
        );
        let _ = write!(
            out,
            "# HELP sekisho_login_failures_total Failed logins since the start.\n# TYPE sekisho_login_failures_total counter\nsekisho_login_failures_total {}\n",
            n.login_failures
        );
        gauge(&mut out, "sekisho_ledger_entries", "Entries under the newest checkpoint.", n.entries);
        gauge(&mut out, "sekisho_ledger_waiting", "Entries that wait for their place.", n.waiting);
        if let Some(age) = n.checkpoint_age {
            gauge(&mut out, "sekisho_checkpoint_age_seconds", "Age of the newest checkpoint.", age / 1000);
        }
        gauge(&mut out, "sekisho_open_tasks", "Tasks that wait for somebody.", n.open_tasks);
        out.push_str("# HELP sekisho_mail_messages Notifications by the state of their mail.\n# TYPE sekisho_mail_messages gauge\n");
        for (state, count) in &n.mail {
            let _ = writeln!(out, "sekisho_mail_messages{{state=\"{}\"}} {count}", label(state));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

fn gauge(out: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
}
