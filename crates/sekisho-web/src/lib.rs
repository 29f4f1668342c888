//! Pages and routes. One file per page with get and post together; no SQL, no decisions: a page parses what was sent, calls a use
//! case and shows the answer in Japanese.

mod api;
mod assets;
mod bodies;
mod chart;
mod checker;
mod error;
mod form;
mod guard;
mod guide;
mod page;
mod pages;
mod sure;
mod system;
pub mod tls;
mod view;
mod watch;
pub mod witness;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::{Listener, ListenerExt as _};
use sekisho_app::Office;
use tokio::sync::Semaphore;
use watch::Meters;

pub use bodies::{Bodies, SameKey};
pub use checker::checker_file;
pub use system::metrics_router;

/// What every page has at hand.
#[derive(Clone)]
pub struct Web {
    pub(crate) office: Arc<Office>,
    /// Cookies are sent over TLS only; off on loopback without TLS.
    pub(crate) secure: bool,
    pub(crate) meters: Arc<Meters>,
    /// Among several bodies: requests of this one that are carried out at the same time.
    pub(crate) turns: Option<Arc<Semaphore>>,
}

/// The whole site of one body.
pub fn router(office: Arc<Office>, secure: bool) -> Router {
    watched_router(office, secure, Arc::default(), None)
}

/// The same, with its measurements kept where [`metrics_router`] finds them.
pub(crate) fn watched_router(
    office: Arc<Office>,
    secure: bool,
    meters: Arc<Meters>,
    turns: Option<Arc<Semaphore>>,
) -> Router {
    let web = Web { office, secure, meters, turns };
    Router::new()
        .merge(system::routes())
        .merge(pages::routes())
        .merge(api::routes())
        .merge(assets::routes())
        .fallback(error::not_found)
        .layer(axum::middleware::from_fn_with_state(web.clone(), watch::watch))
        .layer(axum::middleware::from_fn(guard::headers))
        .layer(axum::extract::DefaultBodyLimit::max(sekisho_base::limits::UPLOAD_BYTES + 64 * 1024))
        .with_state(web)
}

/// Answers on a listener until `stopped` ends, then finishes what is in flight.
///
/// # Errors
/// The listener failed.
pub async fn serve<L>(
    listener: L,
    router: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()>
where
    L: Listener<Addr = SocketAddr>,
{
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // A tapped listener tells the other end's address of any kind of listener.
    axum::serve(listener.tap_io(|_| ()), service).with_graceful_shutdown(stopped).await
}
