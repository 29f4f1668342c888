//! First start of a body's data folder, and what of it the terminal asks for.

use std::collections::BTreeMap;
use std::path::Path;

use sekisho_base::Entropy;
use sekisho_base::canonical::{hex, unhex};
use sekisho_boxed::boxed;
use sekisho_pack::model::Pack;
use sekisho_store::{Store, ledger as rows, setting};

use crate::error::AppError;
use crate::ledger;
use crate::ledger::verdict::Against;
pub use crate::ledger::verdict::Verdict;

/// Reads the signing key's seed from a file. Makes one only for a data folder that has no ledger yet: a lost key must be restored from its
/// copy, not silently replaced by another. The file is readable by its owner alone.
///
/// # Errors
/// The file cannot be read or written, holds something else, or is missing although the ledger has a key.
#[boxed]
pub async fn signing_seed(store: &Store, file: &Path, entropy: &dyn Entropy) -> Result<[u8; 32], AppError> {
    let vkey = store
        .read(|c| Box::pin(async move { setting::get(c, ledger::VKEY).await.map_err(AppError::from) }))
        .await?;
    let place =
        |e: &dyn std::fmt::Display| AppError::refused("K001", format!("署名鍵 {}: {e}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(text) => parsed(&text, file),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && vkey.is_none() => {
            let seed = sekisho_ledger::checkpoint::new_seed(entropy).map_err(|e| place(&e))?;
            match place_private(file, format!("{}\n", hex(&seed)).as_bytes(), entropy) {
                Ok(()) => Ok(seed),
                // Another node that starts at once was faster: its key is the one.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                    parsed(&std::fs::read_to_string(file).map_err(|e| place(&e))?, file)
                }
                Err(e) => Err(place(&e)),
            }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(place(&"鍵のファイルがありません。控えから戻すか、--key で場所を指定してください。"))
        }
        Err(e) => Err(place(&e)),
    }
}

/// What the key file of a node holds.
#[derive(Clone)]
pub enum NodeKey {
    /// The seed of the signing key: the node serves pages and signs the ledger.
    Signing([u8; 32]),
    /// What secrets at rest are sealed with, and nothing to sign with: the node serves pages only.
    Pages([u8; 32]),
}

/// How the key file of a node that does not sign begins.
const PAGES: &str = "pages ";

/// Reads the key file of a node; as [`signing_seed`] where it is no key for pages only.
///
/// # Errors
/// As [`signing_seed`]; also when no node that signs has made the body yet.
#[boxed]
pub async fn node_key(store: &Store, file: &Path, entropy: &dyn Entropy) -> Result<NodeKey, AppError> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Some(key) = text.strip_prefix(PAGES) else {
        return signing_seed(store, file, entropy).await.map(NodeKey::Signing);
    };
    let made = store
        .read(|c| Box::pin(async move { setting::get(c, ledger::VKEY).await.map_err(AppError::from) }))
        .await?;
    if made.is_none() {
        return Err(AppError::refused(
            "K004",
            "まだ署名鍵のないデータです。署名鍵のあるサーバを先に動かしてください。",
        ));
    }
    parsed(key, file).map(NodeKey::Pages)
}

/// Makes, from the file of the signing key, the key file of a node that serves pages and does not sign.
///
/// # Errors
/// The key cannot be read, or the new file is there already or cannot be written.
pub fn page_key(signing: &Path, out: &Path) -> Result<(), AppError> {
    let place =
        |file: &Path, e: std::io::Error| AppError::refused("K001", format!("{}: {e}", file.display()));
    let text = std::fs::read_to_string(signing).map_err(|e| place(signing, e))?;
    let key = crate::sealed::sealing_key(&parsed(&text, signing)?)
        .ok_or_else(|| AppError::internal("no sealing key"))?;
    write_private(out, format!("{PAGES}{}\n", hex(&key)).as_bytes()).map_err(|e| place(out, e))
}

/// Whether a key file's text is that of a node that does not sign.
pub(crate) fn is_page_key(text: &str) -> bool {
    text.strip_prefix(PAGES).is_some_and(|key| unhex(key.trim()).is_some_and(|b| b.len() == 32))
}

fn parsed(text: &str, file: &Path) -> Result<[u8; 32], AppError> {
    unhex(text.trim()).and_then(|b| <[u8; 32]>::try_from(b).ok()).ok_or_else(|| {
        let says = "鍵の形ではありません（16進数64文字）。控えから戻してください。";
        AppError::refused("K001", format!("署名鍵 {}: {says}", file.display()))
    })
}

/// As [`write_private`], and whoever finds the file finds all of it.
fn place_private(file: &Path, bytes: &[u8], entropy: &dyn Entropy) -> std::io::Result<()> {
    let mut mark = [0u8; 8];
    entropy.fill(&mut mark)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", hex(&mark)));
    let beside = Path::new(&beside);
    write_private(beside, bytes)?;
    // Unlike a rename, a link does not replace what another node placed.
    let placed = std::fs::hard_link(beside, file);
    std::fs::remove_file(beside)?;
    placed
}

/// Writes a new file that only its owner can read.
pub(crate) fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    out.write_all(bytes)?;
    out.sync_all()
}

/// Makes a folder that only its owner can enter, where it is missing.
///
/// # Errors
/// It cannot be made.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Verifies a data folder's ledger against checkpoints kept elsewhere, with the witnesses it knows.
///
/// # Errors
/// As [`ledger::verdict::verify_data`].
#[boxed]
pub async fn verify_data(store: &Store, given: Option<&str>, kept: &[String]) -> Result<Verdict, AppError> {
    ledger::verdict::verify_data(store, Against { vkey: given, kept, witnesses: &[] }).await
}

/// The pack that comes with the program.
///
/// # Errors
/// It does not validate; tests keep that from happening.
pub fn model_pack() -> Result<Pack, AppError> {
    Pack::load_files(&model_pack_files())
        .map_err(|m| AppError::internal(m.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// Files of the pack that comes with the program.
#[must_use]
pub fn model_pack_files() -> BTreeMap<String, String> {
    Pack::model_city_files()
}

/// The latest signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// Its text with the witnesses' signatures.
    pub note: String,
    /// Its short form to be read aloud.
    pub spoken: String,
    /// The public key line of the log.
    pub vkey: String,
}

/// The latest signed checkpoint.
///
/// # Errors
/// There is none yet.
#[boxed]
pub async fn checkpoint(store: &Store) -> Result<Latest, AppError> {
    let (_, key) = ledger::identity(store).await?;
    let none = || AppError::refused("G004", "まだ署名した控えがありません。");
    let vkey = key.to_string();
    let signed = store
        .read(move |c| {
            Box::pin(async move {
                let head = rows::head(c).await?.ok_or_else(none)?;
                ledger::with_cosignatures(c, &key, &head).await
            })
        })
        .await?;
    Ok(Latest { spoken: signed.checkpoint.spoken(), note: signed.note, vkey })
}
