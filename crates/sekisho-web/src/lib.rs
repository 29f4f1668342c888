//! Pages and routes. One file per page with get and post together; no SQL, no decisions: a page parses what was sent, calls a use
//! case and shows the answer in Japanese.

mod api;
mod asked;
mod assets;
mod back;
mod bodies;
pub mod cards;
mod chart;
mod checker;
mod client;
mod der;
mod error;
mod filled;
mod form;
mod guard;
mod guide;
mod guide_places;
mod kept;
mod page;
mod pages;
mod proxies;
mod refused;
mod sure;
mod system;
pub mod tls;
mod view;
mod watch;
pub mod witness;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::serve::{IncomingStream, Listener};
use sekisho_app::Office;
use tokio::sync::Semaphore;
use watch::Meters;

pub use bodies::{Bodies, Named, SameKey};
pub use checker::checker_file;
pub use client::HttpFetcher;
pub use der::Field;
pub use proxies::Proxies;
pub use sekisho_base::Networks;
pub use system::metrics_router;

/// What every page has at hand.
#[derive(Clone)]
pub struct Web {
    pub(crate) office: Arc<Office>,
    /// Cookies are sent over TLS only; off on loopback without TLS.
    pub(crate) secure: bool,
    pub(crate) meters: Arc<Meters>,
    pub(crate) doors: Arc<Doors>,
    /// Among several bodies: requests of this one that are carried out at the same time.
    pub(crate) turns: Option<Arc<Semaphore>>,
}

/// What is believed about who comes to a body.
#[derive(Default)]
pub struct Doors {
    /// Proxies whose word is believed.
    pub proxies: Proxies,
    /// Cards by which people come in.
    pub cards: Option<Arc<cards::Cards>>,
    /// Networks from which nobody comes to the pages but by a second factor, and no program but by a token that names them.
    pub second_factor: Networks,
}

impl Doors {
    /// Whether a second factor is demanded where somebody comes from. Without an address it is a test or a socket of this machine, which lies in
    /// whatever there is.
    pub(crate) fn is_strict(&self, address: Option<IpAddr>) -> bool {
        address.map_or(!self.second_factor.is_empty(), |ip| self.second_factor.hold(ip))
    }

    /// Where nothing is configured: no cards, and with TLS a proxy that ends it, which usually stands on this machine.
    #[must_use]
    pub fn usual(secure: bool) -> Self {
        Self { proxies: if secure { Proxies::here() } else { Proxies::default() }, ..Self::default() }
    }
}

/// The whole site of one body.
pub fn router(office: Arc<Office>, secure: bool) -> Router {
    router_with_doors(office, secure, Doors::usual(secure))
}

/// The same, and what is believed about who comes.
pub fn router_with_doors(office: Arc<Office>, secure: bool, doors: Doors) -> Router {
    watched_router(office, secure, Arc::new(doors), Arc::default(), None)
}

/// The same, with its measurements kept where [`metrics_router`] finds them.
pub(crate) fn watched_router(
    office: Arc<Office>,
    secure: bool,
    doors: Arc<Doors>,
    meters: Arc<Meters>,
    turns: Option<Arc<Semaphore>>,
) -> Router {
    let web = Web { office, secure, meters, doors, turns };
    let site = Router::new()
        .merge(system::routes())
        .merge(pages::routes().method_not_allowed_fallback(error::no_page))
        .merge(api::routes(&web))
        .merge(assets::routes())
        .fallback(error::not_found)
        .layer(axum::middleware::from_fn(asked::in_words))
        .layer(axum::middleware::from_fn(guide_places::remember))
        .layer(axum::middleware::from_fn(back::remember))
        .with_state(web.clone());
    site.clone()
        .layer(axum::middleware::from_fn_with_state(site, refused::give_back))
        .layer(axum::middleware::from_fn_with_state(web, watch::watch))
        .layer(axum::middleware::from_fn(guard::headers))
        .layer(axum::extract::DefaultBodyLimit::max(sekisho_base::limits::UPLOAD_BYTES + 64 * 1024))
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
    tls::Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let router = router.layer(axum::middleware::map_request(who_is_there));
    let service = router.into_make_service_with_connect_info::<tls::Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stopped).await
}

/// Tells the pages of a connection's other end in its two parts, as tests of the router do too.
async fn who_is_there(ConnectInfo(peer): ConnectInfo<tls::Peer>, mut request: Request) -> Request {
    request.extensions_mut().insert(ConnectInfo(peer.address));
    if let Some(shown) = peer.shown {
        request.extensions_mut().insert(shown);
    }
    request
}
