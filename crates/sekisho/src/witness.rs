//! `sekisho ledger witness new-key|serve`: being a witness of another host's ledger.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use sekisho_app::ledger::keeper;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::config::{Outcome, start_logging};
use crate::serve::stopped;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 立会人の鍵を作り、公開鍵を表示する
    NewKey {
        /// 立会人の名前（例: witness.example/minato）
        #[arg(long)]
        name: String,
        /// 鍵を書くファイル
        #[arg(long)]
        out: PathBuf,
    },
    /// 控えへの署名の依頼を受け付ける
    Serve {
        /// 待ち受けるアドレス
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// 立会人の鍵のファイル
        #[arg(long)]
        key: PathBuf,
        /// 署名した控えと、食い違いの証拠を置くフォルダ
        #[arg(long)]
        state: PathBuf,
        /// 受け持つ台帳の公開鍵（vkey。何度でも指定できる）
        #[arg(long = "log", required = true)]
        logs: Vec<String>,
    },
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::NewKey { name, out } => {
            let vkey = keeper::new_key(&name, &out, &OsEntropy).map_err(|e| e.to_string())?;
            println!("{vkey}");
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve { listen, key, state, logs } => {
            start_logging();
            let keeper =
                keeper::open(&key, &state, &logs, Arc::new(SystemClock)).map_err(|e| e.to_string())?;
            let vkey = keeper.vkey();
            let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| {
                format!("{listen} で待ち受けられません: {e}。--listen で別の番号を指定してください。")
            })?;
            let address = listener.local_addr().map_err(|e| e.to_string())?;
            let stopped = stopped();
            println!("立会人が http://{address} で動いています。止めるときは Ctrl+C。");
            println!("公開鍵 {vkey}");
            let router = sekisho_web::witness::router(Arc::new(keeper));
            sekisho_web::serve(listener, router, stopped).await.map_err(|e| e.to_string())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
