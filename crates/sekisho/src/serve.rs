//! `sekisho serve`, and what `demo` shares with it: answering pages until the process is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sekisho_app::Office;
use sekisho_app::ledger::{jobs, witnesses};
use sekisho_app::office::Opening;
use sekisho_app::setup;
use sekisho_app::webhooks;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::config::{Outcome, database, key_file, start_logging};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// データフォルダ
    #[arg(long)]
    data: PathBuf,
    /// 待ち受けるアドレス
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 署名鍵のファイル（データフォルダの外に置く）
    #[arg(long)]
    key: Option<PathBuf>,
    /// PostgreSQLのアドレス（指定しなければデータフォルダのSQLite）
    #[arg(long)]
    database: Option<String>,
    /// 団体の名前（最初の起動のときに決まる）
    #[arg(long, default_value = "関所市")]
    title: String,
    /// 証跡での団体名（半角英数字。最初の起動のときに決まる）
    #[arg(long, default_value = "city")]
    body: String,
    /// 前段でTLSを終端している（クッキーにSecureを付ける）
    #[arg(long)]
    behind_tls: bool,
    /// 立会人の一覧のファイル（1行に「witness 呼び名 公開鍵 アドレス」。指定しなければ前の起動のときのまま）
    #[arg(long)]
    witnesses: Option<PathBuf>,
    /// 記録を知らせる先の一覧のファイル（1行に「webhook 名前 アドレス 秘密のファイル [種類,種類]」）
    #[arg(long)]
    webhooks: Option<PathBuf>,
    #[command(flatten)]
    mail: crate::mail::Args,
}

pub(crate) async fn run(args: Args) -> Outcome {
    start_logging();
    if !args.listen.ip().is_loopback() && !args.behind_tls {
        return Err("このアドレスはほかの機械から見えます。TLSを終端する装置の後ろに置き、--behind-tls を付けて起動してください。".to_owned());
    }
    let witnesses = args
        .witnesses
        .as_ref()
        .map(|file| {
            let text =
                std::fs::read_to_string(file).map_err(|e| format!("{} を読めません: {e}", file.display()))?;
            witnesses::parse_list(&text).map_err(|e| e.to_string())
        })
        .transpose()?;
    let receivers = args
        .webhooks
        .as_ref()
        .map(|file| {
            let text =
                std::fs::read_to_string(file).map_err(|e| format!("{} を読めません: {e}", file.display()))?;
            let read = |name: &str| std::fs::read(name).map_err(|e| format!("{name} を読めません: {e}"));
            webhooks::parse_list(&text, read).map_err(|e| e.to_string())
        })
        .transpose()?
        .unwrap_or_default();
    let mail = args.mail.server()?;
    std::fs::create_dir_all(&args.data).map_err(|e| format!("{}: {e}", args.data.display()))?;
    let entropy = Arc::new(OsEntropy);
    let address = args.database.unwrap_or_else(|| database(&args.data).to_string_lossy().into_owned());
    let store = sekisho_app::Store::open(&address).await.map_err(|e| e.to_string())?;
    let seed = setup::signing_seed(&store, &key_file(&args.data, args.key), entropy.as_ref())
        .await
        .map_err(|e| e.to_string())?;
    let opening = Opening {
        store,
        clock: Arc::new(SystemClock),
        entropy,
        seed: Some(seed),
        body: args.body,
        title: args.title,
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
    let courier = Arc::new(sekisho_web::witness::HttpMessenger);
    let telling = tokio::spawn(webhooks::run(Arc::clone(&office), receivers, courier));
    let served = serve(office, args.listen, args.behind_tls, |address| {
        println!("http://{address} で動いています。止めるときは Ctrl+C。")
    })
    .await;
    telling.abort();
    served
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
