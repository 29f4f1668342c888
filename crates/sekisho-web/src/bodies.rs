//! Several bodies behind one address: which one a request is for says its host, and nothing else. Each has its own office, router and
//! measurements; what stands here knows no page and holds no data of any body (`docs/decisions/0031-several-bodies.md`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use sekisho_app::Office;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::guard::Shown;
use crate::watch::Meters;
use crate::{Doors, assets, error, guard, watched_router};

/// Requests of one body that are carried out at the same time; more wait for their turn. Many readers fit in, and the others' share of the
/// processors, of memory for uploads and of threads stays theirs.
const AT_ONCE: usize = 32;

/// A body that cannot be told from another: two of them would be one.
#[derive(Debug, thiserror::Error)]
#[error(
    "団体 {this} は {other} と同じ署名鍵を使っています。団体ごとに別のデータと署名鍵を指定してください。"
)]
pub struct SameKey {
    this: String,
    other: String,
}

/// What is served of a body once it is open.
#[derive(Clone)]
struct AtWork {
    office: Arc<Office>,
    meters: Arc<Meters>,
    router: Router,
}

/// One body: its place here is there before it is open, and stays when it cannot be opened.
struct Body {
    /// What the operator calls it; empty for the only one.
    name: String,
    /// What is believed about who comes to it.
    doors: Arc<Doors>,
    open: RwLock<Option<AtWork>>,
}

/// One of several bodies, before it is open.
pub struct Named {
    /// What the operator calls it.
    pub name: String,
    /// Its hosts, in lower case and without a port.
    pub hosts: Vec<String>,
    /// What is believed about who comes to it.
    pub doors: Doors,
}

impl Body {
    fn at_work(&self) -> Option<AtWork> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All bodies of a process.
pub struct Bodies {
    all: Vec<Arc<Body>>,
    /// Nothing for the only one, which answers whatever it is called.
    by_host: Option<HashMap<String, Arc<Body>>>,
    opening: Mutex<()>,
    secure: bool,
    /// Style and script for pages that belong to no body.
    bare: Router,
}

/// One body as those who measure see it.
pub(crate) struct Measured {
    /// What the operator calls it; empty for the only one.
    pub name: String,
    /// Nothing while it cannot be opened.
    pub open: Option<(Arc<Office>, Arc<Meters>)>,
}

impl Bodies {
    /// The only body: everything is as if there were no others.
    #[must_use]
    pub fn only(office: Arc<Office>, secure: bool, doors: Doors) -> Arc<Self> {
        let (meters, doors) = (Arc::<Meters>::default(), Arc::new(doors));
        let router =
            watched_router(Arc::clone(&office), secure, Arc::clone(&doors), Arc::clone(&meters), None);
        let open = RwLock::new(Some(AtWork { office, meters, router }));
        let all = vec![Arc::new(Body { name: String::new(), doors, open })];
        Arc::new(Self { all, by_host: None, opening: Mutex::default(), secure, bare: Router::new() })
    }

    /// Several bodies, none of them open yet.
    #[must_use]
    pub fn named(list: Vec<Named>, secure: bool) -> Arc<Self> {
        let (mut all, mut by_host) = (Vec::new(), HashMap::new());
        for Named { name, hosts, doors } in list {
            let body = Arc::new(Body { name, doors: Arc::new(doors), open: RwLock::default() });
            by_host.extend(hosts.into_iter().map(|h| (h, Arc::clone(&body))));
            all.push(body);
        }
        let bare = assets::routes().layer(axum::middleware::from_fn(guard::headers));
        Arc::new(Self { all, by_host: Some(by_host), opening: Mutex::default(), secure, bare })
    }

    /// Serves a body from now on.
    ///
    /// # Errors
    /// Another body has its key.
    pub fn open(&self, name: &str, office: Arc<Office>) -> Result<(), SameKey> {
        // Of two that are opened at once the later one finds the earlier.
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let others = self.all.iter().filter(|b| b.name != name);
        let twin = others.into_iter().find(|b| b.at_work().is_some_and(|o| o.office.has_the_key_of(&office)));
        if let Some(twin) = twin {
            return Err(SameKey { this: name.to_owned(), other: twin.name.clone() });
        }
        if let Some(body) = self.all.iter().find(|b| b.name == name) {
            let (meters, doors) = (Arc::<Meters>::default(), Arc::clone(&body.doors));
            let turns = Some(Arc::new(Semaphore::new(AT_ONCE)));
            let router = watched_router(Arc::clone(&office), self.secure, doors, Arc::clone(&meters), turns);
            let open = Some(AtWork { office, meters, router });
            *body.open.write().unwrap_or_else(PoisonError::into_inner) = open;
        }
        Ok(())
    }

    /// What answers on the listener.
    pub fn router(self: &Arc<Self>) -> Router {
        match (&self.by_host, self.all.first().and_then(|b| b.at_work())) {
            (None, Some(only)) => only.router,
            _ => Router::new().fallback(pick).with_state(Arc::clone(self)),
        }
    }

    pub(crate) fn measured(&self) -> Vec<Measured> {
        let one = |b: &Arc<Body>| Measured {
            name: b.name.clone(),
            open: b.at_work().map(|o| (o.office, o.meters)),
        };
        self.all.iter().map(one).collect()
    }

    /// Whether this process can serve anybody, for a balancer that asks by address: how many bodies there are, and none by its name.
    async fn ready(&self) -> Response {
        let all = at_once(self.measured().into_iter().map(is_ready)).await;
        let able = all.iter().filter(|able| **able).count();
        let status = if able > 0 { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, format!("bodies {able} of {}\n", self.all.len())).into_response()
    }
}

/// Whether pages of a body can be served.
pub(crate) async fn is_ready(m: Measured) -> bool {
    let Some((office, _)) = m.open else { return false };
    let r = office.readiness().await;
    r.database && r.key
}

/// Asks all bodies at the same time: one whose database is gone is not waited for by each of the next.
pub(crate) async fn at_once<T: Send + 'static>(
    asked: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = asked.map(tokio::spawn).collect();
    let mut all = Vec::new();
    for one in running {
        all.extend(one.await);
    }
    all
}

/// The host that a request names, in lower case and without its port. Nothing when it names none, several, or what is no host: a header of
/// a proxy that names another one is never looked at.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let mut named = headers.get_all(header::HOST).iter();
    let header = named.next().map(|v| v.to_str().ok().and_then(plain));
    if named.next().is_some() {
        return None;
    }
    // In HTTP/2 the authority stands in the target.
    match (uri.authority().map(|a| plain(a.as_str())), header) {
        (Some(target), Some(header)) => target.filter(|t| header.as_ref() == Some(t)),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => None,
    }
}

fn plain(text: &str) -> Option<String> {
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => text,
    };
    (!host.is_empty() && !host.contains('@')).then(|| host.to_ascii_lowercase())
}

/// Hands a request to the body whose host it names.
async fn pick(State(bodies): State<Arc<Bodies>>, mut request: Request) -> Response {
    let host = host(request.headers(), request.uri());
    let body = host.as_ref().and_then(|h| bodies.by_host.as_ref()?.get(h)).cloned();
    // A connection is agreed on for one host and may carry requests for others: a card that somebody showed to one body is not shown to another.
    if let Some(shown) = request.extensions_mut().remove::<Shown>()
        && let Some(asked) = shown.host.as_ref().and_then(|h| bodies.by_host.as_ref()?.get(h.as_ref()))
        && body.as_ref().is_some_and(|b| Arc::ptr_eq(b, asked))
    {
        request.extensions_mut().insert(shown);
    }
    if let Some(open) = body.as_ref().and_then(|b| b.at_work()) {
        // Pages look for it here only.
        if let (false, Some(host)) = (request.headers().contains_key(header::HOST), host)
            && let Ok(value) = HeaderValue::from_str(&host)
        {
            request.headers_mut().insert(header::HOST, value);
        }
        return match open.router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let (path, api) = (request.uri().path().to_owned(), request.uri().path().starts_with("/api/"));
    let answer = match (path.as_str(), body) {
        ("/health" | "/healthz", _) => "ok\n".into_response(),
        ("/readyz", None) => bodies.ready().await,
        ("/readyz", Some(_)) => (StatusCode::SERVICE_UNAVAILABLE, "body failed\n").into_response(),
        (path, _) if path.starts_with("/assets/") => match bodies.bare.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        (_, Some(_)) => error::closed(api),
        (_, None) => error::misdirected(api),
    };
    guard::with_headers(answer)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Uri, header};

    use super::host;

    fn of(uri: &str, hosts: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for h in hosts {
            headers.append(header::HOST, h.parse().unwrap());
        }
        host(&headers, &uri.parse::<Uri>().unwrap())
    }

    #[test]
    fn a_host_is_what_the_request_names_once() {
        for (uri, hosts, found) in [
            ("/", &["A.Example:8443"][..], Some("a.example")),
            ("/", &["a.example"], Some("a.example")),
            ("/", &["[::1]:80"], Some("[::1]")),
            ("https://a.example/x", &[], Some("a.example")),
            ("https://a.example:443/x", &["a.example"], Some("a.example")),
            ("https://a.example/x", &["b.example"], None),
            ("/", &["a.example", "b.example"], None),
            ("/", &["a.example", "a.example"], None),
            ("/", &[], None),
            ("/", &[""], None),
            ("/", &[":80"], None),
            ("/", &["u@a.example"], None),
        ] {
            assert_eq!(of(uri, hosts).as_deref(), found, "{uri} {hosts:?}");
        }
    }
}
