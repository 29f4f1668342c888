//! Backups: a folder with a consistent copy of the database as of one moment, the configuration file and a manifest. Attachments, packs and
//! the ledger's tiles are in the database. The signing key is not part of it, unless asked for and then sealed with a passphrase.
//!
//! | module | what it is |
//! |---|---|
//! | [`verify`] | is a backup whole and its ledger sound |
//! | [`restore`] | put a backup back as a new body, and say what is missing since |
//! | [`prune`] | remove old backups by a rule |
//! | [`sealed`] | the signing key under a passphrase |

pub mod prune;
pub mod restore;
pub mod sealed;
pub mod verify;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use sekisho_base::canonical::{hex, sha256_reader};
use sekisho_base::{Clock, Entropy, Instant};
use sekisho_boxed::boxed;
use sekisho_store::maintenance::{self, Facts};
use sekisho_store::{Store, ledger as rows};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::AppError;
use crate::first;
use crate::ledger::{BODY, VKEY};
use crate::record::record;
use crate::setup::{private_folder, write_private};

/// Version of the manifest.
const FORMAT: u32 = 1;
/// The manifest's file.
const MANIFEST: &str = "manifest.json";
/// The copy of an SQLite database.
const SQLITE: &str = "sekisho.db";
/// The archive of a PostgreSQL database.
const POSTGRES: &str = "sekisho.pgdump";
/// The configuration file.
const CONFIG: &str = "sekisho.toml";
/// The sealed signing key.
const KEY: &str = "signing-key.sealed.json";
/// Ends the names of folders that are not finished.
const UNFINISHED: &str = ".unfinished";
/// Ends the names of folders that are going away; a later run finishes what was cut off.
const LEAVING: &str = ".leaving";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Version of the program that made it.
    pub program: String,
    /// When.
    pub made_at: Instant,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Name of the body in the ledger.
    pub body: String,
    /// Public key line of the ledger; empty before the first start.
    pub vkey: String,
    /// Migrations of the database.
    pub schema: Vec<i64>,
    /// Signed checkpoint of the copied ledger; empty when there is none yet.
    pub checkpoint: String,
    /// Entries under the checkpoint.
    pub size: i64,
    /// Entries that wait for their place.
    pub waiting: i64,
    /// When the newest entry was made.
    pub newest: Option<Instant>,
    /// Rows of every table.
    pub rows: BTreeMap<String, i64>,
    /// Files beside the manifest.
    pub files: Vec<FileLine>,
}

impl Manifest {
    /// Name of the folder that it is made in.
    fn folder_name(&self) -> String {
        format!("sekisho-{}-{}", self.body, stamp(self.made_at))
    }
}

fn stamp(at: Instant) -> String {
    at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect()
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// Name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// What goes into a backup beside the database.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The signing key's file and the passphrase that seals it.
    pub key: Option<(PathBuf, String)>,
}

/// A finished backup.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// Makes a backup below a folder, while the server goes on working.
///
/// # Errors
/// The database cannot be copied, the folder cannot be written, or a file asked for cannot be read. Nothing that looks finished is left.
#[boxed]
pub async fn take(
    address: &str,
    below: &Path,
    extras: &Extras,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Taken, AppError> {
    if !maintenance::is_postgres(address) && !Path::new(address).is_file() {
        return Err(AppError::refused(
            "B002",
            format!("{address} にデータがありません。データフォルダの場所を確かめてください。"),
        ));
    }
    make_private(below)?;
    let made_at = clock.now();
    let unfinished = below.join(format!("sekisho-{}{UNFINISHED}", stamp(made_at)));
    make_private(&unfinished)?;
    let taken = fill(address, &unfinished, extras, made_at, entropy).await;
    let manifest = match taken {
        Ok(manifest) => manifest,
        Err(e) => {
            // What is there is no backup; the cause is told, and a rest that cannot be removed shows its state by its name.
            let _ = std::fs::remove_dir_all(&unfinished);
            return Err(e);
        }
    };
    let folder = below.join(manifest.folder_name());
    std::fs::rename(&unfinished, &folder).map_err(|e| written(&folder, &e))?;
    sync(below)?;
    Ok(Taken { folder, manifest })
}

async fn fill(
    address: &str,
    folder: &Path,
    extras: &Extras,
    made_at: Instant,
    entropy: &dyn Entropy,
) -> Result<Manifest, AppError> {
    let postgres = maintenance::is_postgres(address);
    let name = if postgres { POSTGRES } else { SQLITE };
    let copy = folder.join(name);
    let facts = maintenance::copy(address, &copy).await.map_err(AppError::for_operator)?;
    private(&copy)?;
    let mut names = vec![name];
    if let Some(file) = &extras.config {
        let text = std::fs::read(file).map_err(|e| unread(file, &e))?;
        write_new(&folder.join(CONFIG), &text)?;
        names.push(CONFIG);
    }
    if let Some((file, passphrase)) = &extras.key {
        let text = std::fs::read_to_string(file).map_err(|e| unread(file, &e))?;
        write_new(&folder.join(KEY), sealed::seal(&text, passphrase, entropy)?.as_bytes())?;
        names.push(KEY);
    }
    let mut files = Vec::new();
    for name in names {
        files.push(look(folder, name)?);
    }
    let manifest = manifest_of(facts, if postgres { "postgres" } else { "sqlite" }, made_at, files);
    let text = serde_json::to_string_pretty(&manifest).map_err(AppError::internal)?;
    write_new(&folder.join(MANIFEST), format!("{text}\n").as_bytes())?;
    sync(folder)?;
    Ok(manifest)
}

fn manifest_of(facts: Facts, engine: &str, made_at: Instant, files: Vec<FileLine>) -> Manifest {
    let setting = |name: &str| facts.settings.get(name).cloned().unwrap_or_default();
    Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        engine: engine.to_owned(),
        body: setting(BODY),
        vkey: setting(VKEY),
        size: facts.checkpoint.as_ref().map_or(0, |c| c.size),
        checkpoint: facts.checkpoint.map_or_else(String::new, |c| c.note),
        schema: facts.applied,
        waiting: facts.waiting,
        newest: facts.newest,
        rows: facts.rows,
        files,
    }
}

/// The manifest of a backup.
///
/// # Errors
/// The folder is no finished backup, or one of a newer form.
pub fn manifest(folder: &Path) -> Result<Manifest, AppError> {
    let file = folder.join(MANIFEST);
    let wrong = |what: String| AppError::refused("B003", format!("{}: {what}", folder.display()));
    let text = std::fs::read_to_string(&file).map_err(|e| {
        wrong(format!("バックアップではありません（{MANIFEST} を読めません: {e}）。sekisho backup が作ったフォルダを指定してください。"))
    })?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|e| wrong(format!("{MANIFEST} が壊れています（{e}）。")))?;
    if manifest.format > FORMAT {
        return Err(wrong(
            "新しい版の関所が作ったバックアップです。新しい版のプログラムを使ってください。".to_owned(),
        ));
    }
    Ok(manifest)
}

/// Finished backups below a folder, newest first.
#[must_use]
pub fn list(below: &Path) -> Vec<(PathBuf, Manifest)> {
    let Ok(entries) = below.read_dir() else { return vec![] };
    let mut all: Vec<_> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|f| f.is_dir() && ![UNFINISHED, LEAVING].iter().any(|e| name_of(f).ends_with(e)))
        .filter_map(|f| manifest(&f).ok().map(|m| (f, m)))
        .collect();
    all.sort_by_key(|(_, b)| std::cmp::Reverse(b.made_at));
    all
}

/// The last part of a path.
pub(crate) fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes an entry about a backup into the ledger of a database that the terminal opens for it.
async fn note(address: &str, kind: &'static str, at: Instant, payload: &Value) -> Result<(), AppError> {
    let office = first::open_for_terminal(Store::open(address).await?, "", "").await?;
    let (seal, stream) = (office.seal()?, rows::stream_id(office.new_id()?));
    let mut payload = payload.clone();
    if let Some(object) = payload.as_object_mut() {
        object.insert("at".to_owned(), json!(at));
    }
    office
        .store
        .write(move |c| {
            Box::pin(async move { record(c, seal, &stream, kind, &payload, at).await.map(|_| ()) })
        })
        .await?;
    office.store.clone().close().await;
    Ok(())
}

/// A file as it is now.
fn look(folder: &Path, name: &str) -> Result<FileLine, AppError> {
    let path = folder.join(name);
    let mut file = File::open(&path).map_err(|e| unread(&path, &e))?;
    let bytes = file.metadata().map_err(|e| unread(&path, &e))?.len();
    let digest = sha256_reader(&mut file).map_err(|e| unread(&path, &e))?;
    Ok(FileLine { name: name.to_owned(), bytes, sha256: hex(&digest) })
}

fn unread(file: &Path, e: &std::io::Error) -> AppError {
    AppError::refused(
        "B004",
        format!("{} を読めません（{e}）。場所と、読める利用者かどうかを確かめてください。", file.display()),
    )
}

fn written(file: &Path, e: &std::io::Error) -> AppError {
    AppError::refused(
        "B005",
        format!("{} に書けません（{e}）。空きと、書ける利用者かどうかを確かめてください。", file.display()),
    )
}

fn make_private(folder: &Path) -> Result<(), AppError> {
    private_folder(folder).map_err(|e| written(folder, &e))
}

fn private(file: &Path) -> Result<(), AppError> {
    use std::os::unix::fs::PermissionsExt as _;
    let only_owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(file, only_owner).map_err(|e| written(file, &e))
}

/// Writes a file that is not there yet and that only its owner can read.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), AppError> {
    write_private(file, bytes).map_err(|e| written(file, &e))
}

fn sync(folder: &Path) -> Result<(), AppError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| written(folder, &e))
}
