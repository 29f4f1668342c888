//! `sekisho serve`, and what `demo` shares with it: answering pages until the process is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use sekisho_app::Office;
use sekisho_app::ledger::{jobs, witnesses};
use sekisho_app::office::Opening;
use sekisho_app::setup;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

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
    let mail = crate::mail::server(&settings)?;
    make_private(&settings.data()?)?;
    let entropy = Arc::new(OsEntropy);
    let store = sekisho_app::Store::open(&settings.database()?).await.map_err(|e| e.to_string())?;
    let seed =
        setup::signing_seed(&store, &settings.key()?, entropy.as_ref()).await.map_err(|e| e.to_string())?;
    let opening = Opening {
        store,
        clock: Arc::new(SystemClock),
        entropy,
        seed: Some(seed),
        body: settings.text(table::BODY).unwrap_or_default().to_owned(),
        title: settings.text(table::TITLE).unwrap_or_default().to_owned(),
        pack: setup::model_pack().map_err(|e| e.to_string())?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    let office = Office::open(opening).await.map_err(|e| e.to_string())?;
    if let Some(server) = mail {
        office.use_mail(server);
    }
    if let Some(list) = witnesses {
        witnesses::appoint(&office, &list).await.map_err(|e| e.to_string())?;
    }
    let listen = settings.address(table::LISTEN).ok_or("server.listen")?;
    serve(office, listen, settings.on(table::BEHIND_TLS), |address| {
        println!("http://{address} で動いています。止めるときは Ctrl+C。")
    })
    .await
}

/// Answers until SIGTERM or Ctrl+C, finishes what is in flight, sequences the outbox and closes the database.
pub(crate) async fn serve(
    office: Arc<Office>,
    listen: SocketAddr,
    secure: bool,
    ready: impl FnOnce(SocketAddr),
) -> Outcome {
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| {
        format!("{listen} で待ち受けられません: {e}。--listen で別の番号を指定してください。")
    })?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let mut running = office.start();
    let messenger = Arc::new(sekisho_web::witness::HttpMessenger);
    running.push(tokio::spawn(jobs::run(Arc::clone(&office), messenger)));
    let router = sekisho_web::router(Arc::clone(&office), secure);
    ready(address);
    sekisho_web::serve(listener, router, stopped()).await.map_err(|e| e.to_string())?;
    for job in running {
        job.abort();
    }
    if let Err(e) = sekisho_app::sequencer::drain(&office).await {
        tracing::error!(error = %e, "entries stay in the outbox until the next start");
    }
    office.store.clone().close().await;
    Ok(ExitCode::SUCCESS)
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
