//! Is a backup whole? Every file against the manifest; unless told to be quick, also a trial restore of an SQLite copy with its whole ledger.

use std::path::Path;

use sekisho_boxed::boxed;
use sekisho_store::{Store, maintenance};

use super::{Manifest, SQLITE, look, manifest};
use crate::error::AppError;
use crate::ledger::verdict::{Against, Verdict, verify_data};

/// Verifies a backup.
///
/// # Errors
/// The folder is no backup, or the trial has no room.
#[boxed]
pub async fn verify(folder: &Path, quick: bool) -> Result<Verdict, AppError> {
    let manifest = manifest(folder)?;
    let mut text = vec![describe(&manifest)];
    let mut sound = files_are_whole(folder, &manifest, &mut text);
    if sound && !quick {
        if manifest.engine == "sqlite" {
            sound = trial(folder, &manifest, &mut text).await?;
        } else {
            text.push(
                "・PostgreSQLのバックアップです。記録の検証は、空のデータベースに sekisho restore で戻して行ってください。"
                    .to_owned(),
            );
        }
    }
    text.push(
        if sound {
            "このバックアップは使えます。"
        } else {
            "このバックアップは使えません。"
        }
        .to_owned(),
    );
    Ok(Verdict { text, sound })
}

pub(super) fn describe(m: &Manifest) -> String {
    format!(
        "{} のバックアップ（{}、関所 {}、署名済みの記録 {}件、順番待ち {}件）",
        m.body,
        m.made_at.japanese(),
        m.program,
        m.size,
        m.waiting
    )
}

/// Compares every file with the manifest.
pub(super) fn files_are_whole(folder: &Path, manifest: &Manifest, text: &mut Vec<String>) -> bool {
    let mut sound = true;
    for line in &manifest.files {
        let wrong = if line.name.contains('/') || line.name.starts_with('.') {
            Some("名前が正しくありません".to_owned())
        } else {
            match look(folder, &line.name) {
                Ok(now) if now == *line => None,
                Ok(_) => Some("内容が、作った時と違います".to_owned()),
                Err(e) => Some(e.to_string()),
            }
        };
        if let Some(what) = wrong {
            sound = false;
            text.push(format!("× {}: {what}", line.name));
        }
    }
    if sound {
        text.push(format!("ファイル {}個は、作った時のままです。", manifest.files.len()));
    }
    sound
}

/// Opens a copy of the copy as a server would, and verifies its ledger. The backup itself stays as it is.
async fn trial(folder: &Path, manifest: &Manifest, text: &mut Vec<String>) -> Result<bool, AppError> {
    let room = tempfile::Builder::new()
        .prefix(".sekisho-trial-")
        .tempdir_in(folder.parent().unwrap_or(folder))
        .map_err(|e| super::written(folder, &e))?;
    let copy = room.path().join(SQLITE);
    std::fs::copy(folder.join(SQLITE), &copy).map_err(|e| super::written(&copy, &e))?;
    let defects = maintenance::integrity(&copy.to_string_lossy()).await?;
    if !defects.is_empty() {
        text.extend(defects.iter().map(|d| format!("× データベース: {d}")));
        return Ok(false);
    }
    ledger_holds(&copy.to_string_lossy(), manifest, &[], text).await
}

/// Verifies the ledger of a copy against the checkpoint in its manifest and others that were kept.
pub(super) async fn ledger_holds(
    address: &str,
    manifest: &Manifest,
    others: &[String],
    text: &mut Vec<String>,
) -> Result<bool, AppError> {
    if manifest.checkpoint.is_empty() {
        text.push("・署名した控えがまだないので、記録は検証していません。".to_owned());
        return Ok(true);
    }
    let kept = [std::slice::from_ref(&manifest.checkpoint), others].concat();
    let store = Store::open(address).await?;
    let against = Against { vkey: Some(&manifest.vkey), kept: &kept, witnesses: &[] };
    let verdict = verify_data(&store, against).await;
    store.close().await;
    let verdict = verdict?;
    text.extend(verdict.text);
    Ok(verdict.sound)
}
