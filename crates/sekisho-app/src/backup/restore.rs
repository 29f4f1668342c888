//! Puts a backup back as a new body: nothing that is there is overwritten, the whole ledger is verified, and what was recorded since the
//! backup is named as far as a newer checkpoint shows it.

use std::path::{Path, PathBuf};

use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_boxed::boxed;
use sekisho_ledger::LogKey;
use sekisho_store::maintenance::{self, Facts};
use serde_json::json;

use super::verify::{describe, files_are_whole, ledger_holds};
use super::{
    KEY, Manifest, POSTGRES, SQLITE, make_private, manifest, note, private, sealed, sync, write_new, written,
};
use crate::error::AppError;
use crate::ledger::RESTORED;
use crate::ledger::verdict::Verdict;

/// Where a backup goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// A data folder that is missing or empty.
    Folder(PathBuf),
    /// Address of an empty PostgreSQL database.
    Postgres(String),
}

/// What is asked of a restore.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where to.
    pub target: Target,
    /// Checkpoints that were kept elsewhere, from paper or from a witness.
    pub against: Vec<String>,
    /// File for the sealed key of the backup, and its passphrase.
    pub key: Option<(PathBuf, String)>,
}

/// Outcome of a restore.
#[derive(Debug)]
pub struct Restored {
    /// Lines, and whether everything that was restored holds.
    pub verdict: Verdict,
    /// Whether a newer checkpoint shows that acts are missing.
    pub missing: bool,
}

/// Restores a backup.
///
/// # Errors
/// Refused when something would be overwritten, a file differs from the manifest, or the backup is of a newer program.
#[boxed]
pub async fn restore(folder: &Path, wanted: &Wanted) -> Result<Restored, AppError> {
    let manifest = manifest(folder)?;
    let mut text = vec![describe(&manifest)];
    let newer = newer_checkpoints(&manifest, &wanted.against)?;
    if !files_are_whole(folder, &manifest, &mut text) {
        text.push("何も戻していません。別のバックアップを使ってください。".to_owned());
        return Ok(Restored { verdict: Verdict { text, sound: false }, missing: false });
    }
    if !maintenance::unknown(&manifest.schema).is_empty() {
        return Err(AppError::refused(
            "B010",
            format!(
                "新しい版の関所（{}）のデータです。その版のプログラムで戻してください。何も戻していません。",
                manifest.program
            ),
        ));
    }
    if let Some((file, _)) = wanted.key.as_ref().filter(|(f, _)| f.exists()) {
        return Err(occupied(file));
    }
    let address = place(folder, &manifest, &wanted.target).await?;
    let facts = maintenance::facts(&address).await?;
    let mut sound = same_rows(&facts, &manifest, &mut text);
    // Checkpoints ahead of the backup cannot be held against it; what they show is told by itself.
    let older = wanted.against.iter().filter(|g| newer.iter().all(|(n, _)| n != *g));
    let older: Vec<String> = older.cloned().collect();
    sound &= ledger_holds(&address, &manifest, &older, &mut text).await?;
    if let Some((file, passphrase)) = &wanted.key {
        let sealed_key = folder.join(KEY);
        let sealed_text = std::fs::read_to_string(&sealed_key).map_err(|e| super::unread(&sealed_key, &e))?;
        write_new(file, sealed::open(&sealed_text, passphrase)?.as_bytes())?;
        text.push(format!("署名鍵を {} に戻しました。", file.display()));
    } else {
        text.push(
            "・署名鍵は戻していません。鍵の控えを元の場所に置いてから、サーバを動かしてください。".to_owned(),
        );
    }
    let missing = say_missing(&facts, &newer, &mut text);
    if sound {
        note_it(&address, &manifest, &newer).await?;
        text.push("戻したデータは、作った時の控えと一致しました。".to_owned());
    } else {
        text.push(
            "戻したデータに一致しないところがあります。動かさずに、別のバックアップを使ってください。"
                .to_owned(),
        );
    }
    Ok(Restored { verdict: Verdict { text, sound }, missing })
}

fn occupied(place: &Path) -> AppError {
    AppError::refused(
        "B008",
        format!("{} は空ではありません。上書きはしません。新しい場所を指定してください。", place.display()),
    )
}

/// Copies the database to its new place and tells its address.
async fn place(folder: &Path, manifest: &Manifest, target: &Target) -> Result<String, AppError> {
    let wrong_kind = |remedy: &str| {
        AppError::refused("B009", format!("バックアップは {} のものです。{remedy}", manifest.engine))
    };
    match target {
        Target::Folder(data) => {
            if manifest.engine != "sqlite" {
                return Err(wrong_kind(
                    "--database に空のPostgreSQLデータベースのアドレスを指定してください。",
                ));
            }
            if data.exists() && data.read_dir().map_or(true, |mut d| d.next().is_some()) {
                return Err(occupied(data));
            }
            make_private(data)?;
            let file = data.join(SQLITE);
            let arriving = data.join(format!("{SQLITE}.arriving"));
            std::fs::copy(folder.join(SQLITE), &arriving).map_err(|e| written(&arriving, &e))?;
            private(&arriving)?;
            sync(&arriving)?;
            std::fs::rename(&arriving, &file).map_err(|e| written(&file, &e))?;
            sync(data)?;
            Ok(file.to_string_lossy().into_owned())
        }
        Target::Postgres(address) => {
            if manifest.engine != "postgres" {
                return Err(wrong_kind(
                    "--data に新しいデータフォルダを指定し、--database は付けないでください。",
                ));
            }
            maintenance::restore_postgres(address, &folder.join(POSTGRES))
                .await
                .map_err(AppError::for_operator)?;
            Ok(address.clone())
        }
    }
}

/// Every table holds as many rows as when the copy was made.
fn same_rows(facts: &Facts, manifest: &Manifest, text: &mut Vec<String>) -> bool {
    let mut sound = true;
    for (table, count) in &manifest.rows {
        let now = facts.rows.get(table).copied().unwrap_or(-1);
        if now != *count {
            sound = false;
            text.push(format!("× 表 {table}: 作った時は {count}行、戻したものは {now}行です"));
        }
    }
    if sound {
        let all: i64 = manifest.rows.values().sum();
        text.push(format!("表 {}個、{all}行を戻しました。", manifest.rows.len()));
    }
    sound
}

/// Checkpoints that are ahead of the backup, largest last, as text and size.
fn newer_checkpoints(manifest: &Manifest, given: &[String]) -> Result<Vec<(String, i64)>, AppError> {
    if given.is_empty() {
        return Ok(vec![]);
    }
    let key = LogKey::parse(manifest.vkey.trim()).map_err(|e| AppError::refused("G002", e.to_string()))?;
    let mut newer = Vec::new();
    for note in given {
        let signed = key.open(note.as_bytes()).map_err(|e| {
            AppError::refused("G005", format!("控え: {e}。この市の控えかどうかを確かめてください。"))
        })?;
        let size = crate::sequencer::signed(signed.checkpoint.head.size)?;
        if size > manifest.size {
            newer.push((note.clone(), size));
        }
    }
    newer.sort_by_key(|(_, size)| *size);
    Ok(newer)
}

/// Says how many acts were recorded after the backup, as far as a newer checkpoint shows it.
fn say_missing(facts: &Facts, newer: &[(String, i64)], text: &mut Vec<String>) -> bool {
    let Some((_, size)) = newer.last() else { return false };
    let restored = facts.checkpoint.as_ref().map_or(0, |c| c.size);
    let last = facts.newest.map_or_else(|| "なし".to_owned(), |at| at.japanese());
    let most = size - restored;
    let least = (most - facts.waiting).max(0);
    let lost = if least == most { format!("{most}件") } else { format!("{least}件から{most}件") };
    text.push(format!(
        "△ 控えは {size}件まで署名していますが、戻したものは {restored}件までです（順番待ち {}件）。{}番から{size}番までの記録のうち、{lost}の処理が失われています。",
        facts.waiting,
        restored + 1
    ));
    text.push(format!(
        "△ 最後に戻った記録は {last} のものです。その後の申請、許可、返却などを関係者に確かめ、もう一度行ってください。これから署名する記録は、前の控えの続きではありません。立会人は巻戻しとして警告するので、CSIRTと監査を行う人に、戻したことを知らせてください。"
    ));
    true
}

/// The restored ledger itself says that it was restored, and how far others had seen it.
async fn note_it(address: &str, manifest: &Manifest, newer: &[(String, i64)]) -> Result<(), AppError> {
    if manifest.body.is_empty() {
        return Ok(());
    }
    let payload = json!({
        "backup_made_at": manifest.made_at,
        "size": manifest.size,
        "seen_size": newer.last().map_or(manifest.size, |(_, size)| *size),
    });
    note(address, RESTORED, SystemClock.now(), &payload).await
}
