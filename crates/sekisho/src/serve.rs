//! `sekisho serve`, and what `demo` shares with it: answering pages until the process is told to stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use sekisho_app::ledger::{jobs, witnesses};
use sekisho_app::office::Opening;
use sekisho_app::setup::{self, NodeKey};
use sekisho_app::{AppError, Office, webhooks};
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use sekisho_web::Doors;
use sekisho_web::cards::Cards;
use sekisho_web::tls::{Tls, TlsListener};

use crate::config::{Outcome, make_private, start_logging_as};
use crate::settings::{Options, Settings, table};

pub(crate) async fn run(options: Options) -> Outcome {
    let settings = Settings::load_or_say(&options)?;
    start_logging_as(
        settings.text(table::LOG_FILTER).unwrap_or_default(),
        settings.text(table::LOG_FORMAT) == Some("json"),
    )?;
    let witnesses = settings
        .path(table::WITNESSES)
        .map(|file| {
            let text = std::fs::read_to_string(&file)
                .map_err(|e| format!("{} を読めません: {e}", file.display()))?;
            witnesses::parse_list(&text).map_err(|e| e.to_string())
        })
        .transpose()?;
    let receivers = settings
        .path(table::WEBHOOKS)
        .map(|file| {
            let text = std::fs::read_to_string(&file)
                .map_err(|e| format!("{} を読めません: {e}", file.display()))?;
            let read = |name: &str| std::fs::read(name).map_err(|e| format!("{name} を読めません: {e}"));
            webhooks::parse_list(&text, read).map_err(|e| e.to_string())
        })
        .transpose()?
        .unwrap_or_default();
    let around = crate::doctor::surroundings(&settings)?;
    let doors = crate::sign_in::doors(&settings)?;
    make_private(&settings.data()?)?;
    let entropy = Arc::new(OsEntropy);
    let store = sekisho_app::Store::open(&settings.database()?)
        .await
        .map_err(|e| AppError::for_operator(e).to_string())?;
    let key = setup::node_key(&store, &settings.key()?, entropy.as_ref()).await.map_err(|e| e.to_string())?;
    let (seed, sealing) = match key {
        NodeKey::Signing(seed) => (Some(seed), None),
        NodeKey::Pages(key) => (None, Some(key)),
    };
    let opening = Opening {
        store,
        clock: Arc::new(SystemClock),
        entropy,
        seed,
        body: settings.text(table::BODY).unwrap_or_default().to_owned(),
        title: settings.text(table::TITLE).unwrap_or_default().to_owned(),
        pack: setup::model_pack().map_err(|e| e.to_string())?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    let office = Office::open(opening).await.map_err(|e| e.to_string())?;
    if let Some(key) = sealing {
        office.seal_with(key);
    }
    if let Some(server) = &around.mail {
        office.use_mail(Arc::clone(server));
    }
    if let Some(oidc) = &around.oidc {
        office.use_oidc(Arc::clone(oidc));
    }
    if let Some(directory) = &around.ldap {
        office.use_directory(Arc::clone(directory));
    }
    office.know_surroundings(around);
    if let Some(list) = witnesses {
        witnesses::appoint(&office, &list).await.map_err(|e| e.to_string())?;
    }
    // A default name is nobody's choice: the first start asks.
    let named = [table::TITLE, table::BODY]
        .iter()
        .all(|key| settings.value(key).is_some_and(|v| v.from != crate::settings::From::Default));
    let code = office.begin_first_start(named).await.map_err(|e| e.to_string())?;
    let listen = settings.address(table::LISTEN).ok_or("server.listen")?;
    let metrics = settings.address(table::METRICS);
    let tls = match (settings.path(table::CERTIFICATE), settings.path(table::TLS_KEY)) {
        (Some(certificate), Some(key)) => {
            Some(Tls::open(certificate, key, doors.cards.clone()).map_err(|e| e.to_string())?)
        }
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let open = Open { listen, secure: settings.secure(), metrics, tls, receivers, doors };
    serve(office, open, |address| {
        println!("{scheme}://{address} で動いています。止めるときは Ctrl+C。");
        if let Some(code) = code {
            // Whoever reads the address alone may have closed the pipe by now.
            let _ = writeln!(
                std::io::stdout(),
                "まだ設定されていません。{scheme}://{address}/setup を開き、次のコードを入力してください。\n最初の設定のコード {}（{} まで、1回だけ使えます）",
                code.code,
                code.until.japanese()
            );
        }
    })
    .await
}

/// Where and how pages are served.
pub(crate) struct Open {
    /// Address.
    pub(crate) listen: SocketAddr,
    /// Whether browsers reach it over TLS.
    pub(crate) secure: bool,
    /// Address of the measurements.
    pub(crate) metrics: Option<SocketAddr>,
    /// Certificate, where the program serves TLS itself.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Who is told of events.
    pub(crate) receivers: Vec<webhooks::Receiver>,
    /// What is believed about who comes.
    pub(crate) doors: Doors,
}

/// Answers until SIGTERM or Ctrl+C, finishes what is in flight, sequences the outbox and closes the database.
pub(crate) async fn serve(office: Arc<Office>, open: Open, ready: impl FnOnce(SocketAddr)) -> Outcome {
    let listener = bind(open.listen, "--listen").await?;
    let measured = match open.metrics {
        Some(address) => Some(bind(address, "--metrics-listen").await?),
        None => None,
    };
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    office.call_node(format!("{} {address}", host()));
    let mut running = office.start();
    let messenger = Arc::new(sekisho_web::witness::HttpMessenger);
    running.push(tokio::spawn(jobs::run(Arc::clone(&office), messenger.clone())));
    if !open.receivers.is_empty() {
        running.push(tokio::spawn(webhooks::run(Arc::clone(&office), open.receivers, messenger)));
    }
    let meters = Arc::default();
    let cards = open.doors.cards.clone();
    let router =
        sekisho_web::router_with_doors(Arc::clone(&office), open.secure, Arc::clone(&meters), open.doors);
    if let Some(listener) = measured {
        let router = sekisho_web::metrics_router(Arc::clone(&office), meters);
        running.push(tokio::spawn(async move {
            if let Err(e) = sekisho_web::serve(listener, router, std::future::pending()).await {
                tracing::error!(error = %e, "the listener for measurements ended");
            }
        }));
    }
    running.push(tokio::spawn(reread(open.tls.clone(), cards)));
    ready(address);
    match open.tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, tls).map_err(|e| e.to_string())?;
            sekisho_web::serve(listener, router, stopped()).await
        }
        None => sekisho_web::serve(listener, router, stopped()).await,
    }
    .map_err(|e| e.to_string())?;
    for job in running {
        job.abort();
    }
    if let Err(e) = sekisho_app::sequencer::drain(&office).await {
        tracing::error!(error = %e, "entries stay in the outbox until the next start");
    }
    if let Err(e) = office.leave().await {
        tracing::error!(error = %e, "the other nodes take over when this one's leases have run out");
    }
    office.store.clone().close().await;
    Ok(ExitCode::SUCCESS)
}

/// What this machine calls itself.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "sekisho".to_owned() } else { name.trim().to_owned() }
}

/// Reads certificate, authorities of cards and revocation lists again whenever SIGHUP comes, which without them changes nothing.
async fn reread(tls: Option<Arc<Tls>>, cards: Option<Arc<Cards>>) {
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else {
        return;
    };
    while hangup.recv().await.is_some() {
        match cards.as_ref().map(|c| c.reload()) {
            Some(Ok(())) => tracing::warn!("authorities and revocation lists of cards were read again"),
            Some(Err(e)) => tracing::error!(error = %e, "the former authorities and lists stay in use"),
            None => {}
        }
        match tls.as_ref().map(|t| t.reload()) {
            Some(Ok(())) => tracing::warn!("the certificate was read again"),
            Some(Err(e)) => tracing::error!(error = %e, "the former certificate stays in use"),
            None => {}
        }
    }
}

async fn bind(address: SocketAddr, option: &str) -> Result<tokio::net::TcpListener, String> {
    tokio::net::TcpListener::bind(address)
        .await
        .map_err(|e| format!("{address} で待ち受けられません: {e}。{option} で別の番号を指定してください。"))
}

/// Ends when the process is told to stop.
pub(crate) async fn stopped() {
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
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
