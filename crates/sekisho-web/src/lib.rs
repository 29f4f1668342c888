//! Pages and routes. One file per page with get and post together; no SQL, no decisions: a page parses what was sent, calls a use
//! case and shows the answer in Japanese.

mod api;
mod assets;
mod chart;
mod error;
mod form;
mod guard;
mod page;
mod pages;
mod sure;
mod view;
pub mod witness;

use std::sync::Arc;

use axum::Router;
use sekisho_app::Office;

/// What every page has at hand.
#[derive(Clone)]
pub struct Web {
    pub(crate) office: Arc<Office>,
    /// Cookies are sent over TLS only; off on loopback without TLS.
    pub(crate) secure: bool,
}

/// The whole site of one body.
pub fn router(office: Arc<Office>, secure: bool) -> Router {
    let web = Web { office, secure };
    Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .merge(assets::routes())
        .fallback(error::not_found)
        .layer(axum::middleware::from_fn(guard::headers))
        .layer(axum::extract::DefaultBodyLimit::max(sekisho_base::limits::UPLOAD_BYTES + 64 * 1024))
        .with_state(web)
}

/// Answers on a listener until `stopped` ends, then finishes what is in flight.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stopped).await
}
