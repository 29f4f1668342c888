//! Where things are, and the async runtime.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sekisho_app::setup::private_folder;
use tracing_subscriber::EnvFilter;

use crate::settings::{Options, Settings, table};

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

/// Which body a command is about: a data folder, or what the configuration says.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Place {
    /// データフォルダ、または postgres:// で始まるアドレス（指定しなければ設定のもの）
    #[arg(long)]
    data: Option<PathBuf>,
    /// 設定ファイル
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// 団体の名前。設定に団体がいくつもあるときに選ぶ（新しいデータのときは、証跡での団体名になる）
    #[arg(long, value_name = "NAME")]
    body: Option<String>,
}

/// Where a body is.
pub(crate) struct Found {
    /// What `Store::open` takes.
    database: String,
    /// Its data folder, where its database is a file in it.
    folder: Option<PathBuf>,
    /// Signing key.
    pub(crate) key: PathBuf,
    /// Name in the ledger of a new one.
    pub(crate) body: String,
    /// Name on pages of a new one.
    pub(crate) title: String,
}

impl Place {
    /// Finds the body.
    ///
    /// # Errors
    /// The configuration has faults, names no data or several bodies, in Japanese.
    pub(crate) fn find(&self) -> Result<Found, String> {
        let mut options = Options::of_file(self.config.clone());
        if let Some(name) = &self.body {
            options.set(table::BODY, name);
        }
        let Some(data) = &self.data else {
            let s = Settings::load_or_say(&options)?;
            let folder = if s.text(table::DATABASE).is_some() { None } else { Some(s.data()?) };
            let text = |key| s.text(key).unwrap_or_default().to_owned();
            return Ok(Found {
                database: s.database()?,
                folder,
                key: s.key()?,
                body: text(table::BODY),
                title: text(table::TITLE),
            });
        };
        let text = data.to_string_lossy().into_owned();
        let default = |key: &str| table::setting(key).and_then(|s| s.default).unwrap_or_default().to_owned();
        let file = (!sekisho_app::is_postgres(&text)).then(|| database(data).to_string_lossy().into_owned());
        Ok(Found {
            folder: file.is_some().then(|| data.clone()),
            database: file.unwrap_or(text),
            key: key_file(data, None),
            body: self.body.clone().unwrap_or_else(|| default(table::BODY)),
            title: default(table::TITLE),
        })
    }

    /// Whether the command line names a body or where to find it.
    pub(crate) fn is_named(&self) -> bool {
        self.data.is_some() || self.config.is_some() || self.body.is_some()
    }

    /// Opens the store of a body that is there.
    ///
    /// # Errors
    /// As [`Place::find`] and [`Found::open`].
    pub(crate) async fn store(&self) -> Result<sekisho_app::Store, String> {
        self.find()?.open(false).await
    }
}

impl Found {
    /// Opens the store. `make` makes a folder that is missing.
    ///
    /// # Errors
    /// There is no data, or it cannot be opened, in Japanese.
    pub(crate) async fn open(&self, make: bool) -> Result<sekisho_app::Store, String> {
        if let Some(folder) = &self.folder {
            if make {
                make_private(folder)?;
            } else if !Path::new(&self.database).is_file() {
                let place = folder.display();
                return Err(format!(
                    "{place} にデータがありません。--data にデータフォルダを指定してください。"
                ));
            }
        }
        sekisho_app::Store::open(&self.database)
            .await
            .map_err(|e| sekisho_app::AppError::for_operator(e).to_string())
    }
}

/// The text of a file that the operator names.
pub(crate) fn read_text(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|e| unreadable(file, &e))
}

/// The bytes of a file that the operator names.
pub(crate) fn read_bytes(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|e| unreadable(file, &e))
}

fn unreadable(file: &Path, e: &std::io::Error) -> String {
    format!("{} を読めません: {e}", file.display())
}

/// A passphrase from its file, without the line's end.
pub(crate) fn passphrase(file: &Path) -> Result<String, String> {
    let text = read_text(file)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
