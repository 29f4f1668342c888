//! `sekisho serve`, and what `demo` shares with it: answering pages until the process is told to stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sekisho_app::first_start::SetupCode;
use sekisho_app::turns::Turns;
use sekisho_web::cards::Cards;
use sekisho_web::tls::{ForHosts, Tls, TlsListener};
use sekisho_web::{Bodies, Named};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::body::{self, Crew};
use crate::config::{Outcome, start_logging_as};
use crate::settings::{Configured, Hosted, Options, Settings, table};

/// How long pages of the other bodies wait at the start for one that takes long to open.
const FIRST_TRIES: Duration = Duration::from_secs(10);

pub(crate) async fn run(options: Options) -> Outcome {
    let configured = Configured::load_or_say(&options)?;
    let general = &configured.general;
    start_logging_as(
        general.text(table::LOG_FILTER).unwrap_or_default(),
        general.text(table::LOG_FORMAT) == Some("json"),
    )?;
    if !configured.bodies.is_empty() {
        return several(configured).await;
    }
    let doors = crate::sign_in::doors(general)?;
    let opened = body::open(general, 1).await?;
    let cards = doors.cards.clone();
    let tls = crate::sign_in::pair(general).map(|pair| Tls::open(pair, cards.clone())).transpose();
    let tls = tls.map_err(|e| e.to_string())?;
    let bodies = Bodies::only(Arc::clone(&opened.office), general.secure(), doors);
    let listening = Listening::to(Open::of(general, tls, cards.into_iter().collect())?).await?;
    let crew = Crew::new(bodies, listening.address);
    crew.start(opened.office, opened.receivers).await;
    let site = format!("{}://{}", listening.scheme(), listening.address);
    println!("{site} で動いています。止めるときは Ctrl+C。");
    tell_code(&site, opened.code);
    listening.serve(crew, vec![]).await
}

/// Whoever reads the address alone may have closed the pipe by now.
fn tell_code(site: &str, code: Option<SetupCode>) {
    if let Some(code) = code {
        let _ = writeln!(
            std::io::stdout(),
            "まだ設定されていません。{site}/setup を開き、次のコードを入力してください。\n最初の設定のコード {}（{} まで、1回だけ使えます）",
            code.code,
            code.until.japanese()
        );
    }
}

/// Serves several bodies: one that cannot be opened keeps none of the others waiting, and is tried again.
async fn several(configured: Configured) -> Outcome {
    let Configured { general, bodies: all } = configured;
    let (mut names, mut certified, mut cards) = (Vec::new(), Vec::new(), Vec::new());
    for settings in &all {
        let Some(Hosted { name, hosts, .. }) = settings.hosted.clone() else { continue };
        let doors = crate::sign_in::doors(settings)?;
        cards.extend(doors.cards.clone());
        let pair = crate::sign_in::pair(settings);
        certified.extend(pair.map(|pair| ForHosts {
            hosts: hosts.clone(),
            pair,
            cards: doors.cards.clone(),
        }));
        names.push(Named { name, hosts, doors });
    }
    let bodies = Bodies::named(names, all.iter().all(Settings::secure));
    let tls = if certified.is_empty() {
        None
    } else {
        Some(Tls::by_host(crate::sign_in::pair(&general), certified).map_err(|e| e.to_string())?)
    };
    let listening = Listening::to(Open::of(&general, tls, cards)?).await?;
    let crew = Crew::new(bodies, listening.address);
    let (turns, count) = (Arc::new(Turns::default()), all.len());
    let (mut openers, mut tries) = (Vec::new(), Vec::new());
    for settings in all {
        let (tell, told) = tokio::sync::oneshot::channel();
        let host = settings.hosted.as_ref().and_then(|h| h.hosts.first().cloned()).unwrap_or_default();
        tries.push((settings.label().to_owned(), host, told));
        let span = tracing::error_span!("job", body = settings.label());
        let opening = Arc::clone(&crew).keep_opening(settings, count, Arc::clone(&turns), tell);
        openers.push(tokio::spawn(opening.instrument(span)));
    }
    let until = tokio::time::Instant::now() + FIRST_TRIES;
    let mut lines = Vec::new();
    for (name, host, told) in tries {
        let site = format!("{}://{host}:{}", listening.scheme(), listening.address.port());
        lines.push(match tokio::time::timeout_at(until, told).await {
            Ok(Ok(Ok(code))) => (format!("団体 {name}: {site}"), site, code),
            Ok(Ok(Err(e))) => (format!("団体 {name}: まだ使えません。{e}"), site, None),
            Ok(Err(_)) | Err(_) => (format!("団体 {name}: 開いているところです。"), site, None),
        });
    }
    let address = listening.address;
    println!("{}://{address} で{count}団体を受け持っています。止めるときは Ctrl+C。", listening.scheme());
    for (line, site, code) in lines {
        let _ = writeln!(std::io::stdout(), "{line}");
        tell_code(&site, code);
    }
    listening.serve(crew, openers).await
}

/// Where and how pages are served.
pub(crate) struct Open {
    /// Address.
    pub(crate) listen: SocketAddr,
    /// Address of the measurements.
    pub(crate) metrics: Option<SocketAddr>,
    /// Certificates, where the program serves TLS itself.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Cards by which people come in, of each body that has them.
    pub(crate) cards: Vec<Arc<Cards>>,
}

impl Open {
    fn of(settings: &Settings, tls: Option<Arc<Tls>>, cards: Vec<Arc<Cards>>) -> Result<Self, String> {
        let listen = settings.address(table::LISTEN).ok_or("server.listen")?;
        Ok(Self { listen, metrics: settings.address(table::METRICS), tls, cards })
    }
}

/// Addresses that are this process's own already; nobody is answered yet.
pub(crate) struct Listening {
    /// Where pages are.
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    measured: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
    cards: Vec<Arc<Cards>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Listening {
    /// Takes the addresses. From now on SIGTERM ends the process in order.
    ///
    /// # Errors
    /// Somebody else has one of them.
    pub(crate) async fn to(open: Open) -> Result<Self, String> {
        let listener = bind(open.listen, "--listen").await?;
        let measured = match open.metrics {
            Some(address) => Some(bind(address, "--metrics-listen").await?),
            None => None,
        };
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let stopped = Box::pin(stopped());
        Ok(Self { address, listener, measured, tls: open.tls, cards: open.cards, stopped })
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Answers until SIGTERM or Ctrl+C, finishes what is in flight, sequences the outboxes and closes the databases. `also` is ended with it.
    pub(crate) async fn serve(self, crew: Arc<Crew>, mut also: Vec<JoinHandle<()>>) -> Outcome {
        let router = crew.bodies.router();
        if let Some(listener) = self.measured {
            let router = sekisho_web::metrics_router(Arc::clone(&crew.bodies));
            also.push(tokio::spawn(async move {
                if let Err(e) = sekisho_web::serve(listener, router, std::future::pending()).await {
                    tracing::error!(error = %e, "the listener for measurements ended");
                }
            }));
        }
        also.push(tokio::spawn(reread(self.tls.clone(), self.cards)));
        match self.tls {
            Some(tls) => {
                let listener = TlsListener::new(self.listener, tls).map_err(|e| e.to_string())?;
                sekisho_web::serve(listener, router, self.stopped).await
            }
            None => sekisho_web::serve(self.listener, router, self.stopped).await,
        }
        .map_err(|e| e.to_string())?;
        for job in also {
            job.abort();
        }
        crew.end().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads certificates, authorities of cards and revocation lists again whenever SIGHUP comes, which without them changes nothing.
async fn reread(tls: Option<Arc<Tls>>, cards: Vec<Arc<Cards>>) {
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else {
        return;
    };
    while hangup.recv().await.is_some() {
        for cards in &cards {
            match cards.reload() {
                Ok(()) => tracing::warn!("authorities and revocation lists of cards were read again"),
                Err(e) => tracing::error!(error = %e, "the former authorities and lists stay in use"),
            }
        }
        let Some(tls) = &tls else { continue };
        let faults = tls.reload();
        for e in &faults {
            tracing::error!(error = %e, "the former certificate stays in use");
        }
        if faults.is_empty() {
            tracing::warn!("the certificates were read again");
        }
    }
}

async fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|e| format!("{address} で待ち受けられません: {e}。{option} で別の番号を指定してください。"))
}

/// Ends when the process is told to stop; heard from the call on, not only once it is waited for.
pub(crate) fn stopped() -> impl Future<Output = ()> + Send + use<> {
    let term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        let mut term = match term {
            Ok(term) => term,
            Err(e) => {
                tracing::error!(error = %e, "SIGTERM cannot be heard");
                return std::future::pending().await;
            }
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
