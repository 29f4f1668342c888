//! Where things are, and the async runtime.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// What a subcommand answers: an exit code, or a message for the person at the terminal.
pub(crate) type Outcome = Result<ExitCode, String>;

/// Runs a subcommand that waits for input and output.
pub(crate) fn on_runtime(job: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?.block_on(job)
}

/// Logs go to the standard error stream; `SEKISHO_LOG` chooses what (`info`, `sekisho_app=debug` …).
pub(crate) fn start_logging() {
    let filter = EnvFilter::try_from_env("SEKISHO_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The database of a data folder.
pub(crate) fn database(data: &Path) -> PathBuf {
    data.join("sekisho.db")
}

/// The signing key stays outside the data folder and so outside its backups: beside it, unless told otherwise.
pub(crate) fn key_file(data: &Path, given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| {
        let mut name = data.file_name().unwrap_or_default().to_owned();
        name.push(".key");
        data.with_file_name(name)
    })
}

/// Opens the store of a data folder, or of a PostgreSQL database where its address is given instead. `make` makes a folder that is missing.
pub(crate) async fn open_store(data: &Path, make: bool) -> Result<sekisho_app::Store, String> {
    let text = data.to_string_lossy();
    let address = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        text.into_owned()
    } else {
        let file = database(data);
        if make {
            std::fs::create_dir_all(data).map_err(|e| format!("{text}: {e}"))?;
        } else if !file.is_file() {
            return Err(format!("{text} にデータがありません。--data にデータフォルダを指定してください。"));
        }
        file.to_string_lossy().into_owned()
    };
    sekisho_app::Store::open(&address).await.map_err(|e| e.to_string())
}
