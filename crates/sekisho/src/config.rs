//! Where things are, and the async runtime.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sekisho_app::setup::private_folder;
use tracing_subscriber::EnvFilter;

/// What a subcommand answers: an exit code, or a message for the person at the terminal.
pub(crate) type Outcome = Result<ExitCode, String>;

/// Runs a subcommand that waits for input and output.
pub(crate) fn on_runtime(job: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?.block_on(job)
}

/// Logs go to the standard error stream, one line an event; `json` for programs that collect them. They hold no personal data: no names, no
/// contents, no tokens, and addresses of pages only by their pattern.
///
/// # Errors
/// The filter cannot be read, in Japanese.
pub(crate) fn start_logging_as(filter: &str, json: bool) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|e| {
        format!("log.filter（SEKISHO_LOG、--log）の「{filter}」を読めません（{e}）。error、warn、info、debug などを書いてください。")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start changes nothing.
    let _ = if json {
        builder.json().flatten_event(true).with_span_list(false).try_init()
    } else {
        builder.try_init()
    };
    Ok(())
}

/// Logging of the subcommands that read no configuration file; a filter that cannot be read is passed over.
pub(crate) fn start_logging() {
    let filter = std::env::var("SEKISHO_LOG").unwrap_or_default();
    if start_logging_as(&filter, false).is_err() || filter.is_empty() {
        let _ = start_logging_as("warn", false);
    }
}

/// Makes a folder that only its owner can enter, where it is missing.
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    private_folder(folder).map_err(|e| format!("{} を作れません: {e}", folder.display()))
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
    let address = if sekisho_app::is_postgres(&text) {
        text.into_owned()
    } else {
        let file = database(data);
        if make {
            make_private(data)?;
        } else if !file.is_file() {
            return Err(format!("{text} にデータがありません。--data にデータフォルダを指定してください。"));
        }
        file.to_string_lossy().into_owned()
    };
    sekisho_app::Store::open(&address).await.map_err(|e| sekisho_app::AppError::for_operator(e).to_string())
}

/// A passphrase from its file, without the line's end.
pub(crate) fn passphrase(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{} を読めません: {e}", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
