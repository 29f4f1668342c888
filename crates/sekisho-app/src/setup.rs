//! First start of a body's data folder, and verification as text for the terminal.

use std::collections::BTreeMap;
use std::path::Path;

use sekisho_base::Entropy;
use sekisho_base::canonical::{hex, unhex};
use sekisho_ledger::{Checkpoint, LogKey, Report};
use sekisho_pack::model::Pack;
use sekisho_store::{Store, ledger as rows, setting};

use crate::error::AppError;
use crate::ledger;

/// Reads the signing key's seed from a file. Makes one only for a data folder that has no ledger yet: a lost key must be restored from its
/// copy, not silently replaced by another. The file is readable by its owner alone.
///
/// # Errors
/// The file cannot be read or written, holds something else, or is missing although the ledger has a key.
pub async fn signing_seed(store: &Store, file: &Path, entropy: &dyn Entropy) -> Result<[u8; 32], AppError> {
    let vkey = store
        .read(|c| Box::pin(async move { setting::get(c, ledger::VKEY).await.map_err(AppError::from) }))
        .await?;
    let place =
        |e: &dyn std::fmt::Display| AppError::refused("K001", format!("署名鍵 {}: {e}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(text) => unhex(text.trim())
            .and_then(|b| <[u8; 32]>::try_from(b).ok())
            .ok_or_else(|| place(&"鍵の形ではありません（16進数64文字）。控えから戻してください。")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && vkey.is_none() => {
            let seed = sekisho_ledger::checkpoint::new_seed(entropy).map_err(|e| place(&e))?;
            write_private(file, &format!("{}\n", hex(&seed))).map_err(|e| place(&e))?;
            Ok(seed)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(place(&"鍵のファイルがありません。控えから戻すか、--key で場所を指定してください。"))
        }
        Err(e) => Err(place(&e)),
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

/// Text of a verification.
#[derive(Debug)]
pub struct Verdict {
    /// Lines for the terminal.
    pub text: Vec<String>,
    /// Whether everything holds.
    pub sound: bool,
}

/// Verifies a data folder's ledger.
///
/// # Errors
/// It cannot be read, or a kept checkpoint is not signed by its key.
pub async fn verify_data(store: &Store, given: Option<&str>, kept: &[String]) -> Result<Verdict, AppError> {
    let vkey = store
        .read(|c| Box::pin(async move { setting::get(c, ledger::VKEY).await.map_err(AppError::from) }))
        .await?;
    if given.is_some_and(|g| Some(g.trim()) != vkey.as_deref()) {
        return Err(AppError::refused(
            "G006",
            "指定した公開鍵（vkey）が、このデータの公開鍵と違います。別の署名鍵で作り直された証跡かもしれません。",
        ));
    }
    let earlier = open_kept(vkey.as_deref().unwrap_or_default(), kept)?;
    let v = ledger::verify_store(store, earlier).await?;
    let mut verdict = report_text(&v.report);
    for id in &v.altered {
        verdict.text.push(format!("× 記録 {id} の内容が、記録した時の指紋と合いません。"));
    }
    verdict.sound = v.is_sound();
    if v.waiting > 0 {
        verdict
            .text
            .push(format!("・順番待ちの記録が{}件あります（サーバが動くと署名に入ります）。", v.waiting));
    }
    verdict.text.push(last_line(verdict.sound));
    Ok(verdict)
}

/// Verifies an exported folder.
///
/// # Errors
/// As [`verify_data`].
pub fn verify_exported(folder: &Path, vkey: Option<&str>, kept: &[String]) -> Result<Verdict, AppError> {
    let key = match vkey {
        Some(key) => key.to_owned(),
        None => std::fs::read_to_string(folder.join("vkey")).unwrap_or_default(),
    };
    let earlier = open_kept(&key, kept)?;
    let report = ledger::verify_folder(folder, vkey, &earlier)?;
    let mut verdict = report_text(&report);
    verdict.text.push(last_line(verdict.sound));
    Ok(verdict)
}

fn open_kept(vkey: &str, kept: &[String]) -> Result<Vec<Checkpoint>, AppError> {
    if kept.is_empty() {
        return Ok(vec![]);
    }
    let key = LogKey::parse(vkey.trim()).map_err(|e| AppError::refused("G002", e.to_string()))?;
    kept.iter()
        .map(|note| {
            key.open(note.as_bytes())
                .map(|s| s.checkpoint)
                .map_err(|e| AppError::refused("G005", format!("控え: {e}")))
        })
        .collect()
}

fn report_text(report: &Report) -> Verdict {
    let head = &report.signed.checkpoint;
    let mut text = vec![format!(
        "記録 {}件、流れ {}本を調べました（署名 {}、先頭の大きさ {}）。",
        report.entries, report.streams, head.origin, head.head.size
    )];
    text.extend(report.findings.iter().map(|f| format!("× {f}")));
    if let Some(at) = report.stopped_at {
        text.push(format!("× {at}件目で検証を止めました。"));
    }
    Verdict { text, sound: report.is_sound() }
}

fn last_line(sound: bool) -> String {
    if sound {
        "すべて一致しました。改ざんは見つかりません。".to_owned()
    } else {
        "一致しないところがあります。上の×の行を確かめてください。".to_owned()
    }
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

/// The latest signed checkpoint's text.
///
/// # Errors
/// There is none yet.
pub async fn checkpoint(store: &Store) -> Result<String, AppError> {
    let head = store.read(|c| Box::pin(async move { rows::head(c).await.map_err(AppError::from) })).await?;
    head.map(|h| h.note).ok_or_else(|| AppError::refused("G004", "まだ署名した控えがありません。"))
}
