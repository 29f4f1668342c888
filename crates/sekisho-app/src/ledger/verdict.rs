//! Verification as lines for the terminal and for the page.

use std::path::Path;

use sekisho_boxed::boxed;
use sekisho_ledger::{Checkpoint, LogKey, Report, WitnessKey};
use sekisho_store::{Store, setting};

use super::reconcile::Reconciled;
use super::{VKEY, Verified, Witnessed, verify_folder, verify_store};
use crate::error::AppError;

/// Erased entries and silences that are listed one by one.
const LISTED: usize = 50;

/// Text of a verification.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Lines for the terminal.
    pub text: Vec<String>,
    /// Whether everything holds.
    pub sound: bool,
}

/// What a verification is held against.
#[derive(Debug, Default, Clone, Copy)]
pub struct Against<'a> {
    /// Public key of the log that came on another way, such as on paper.
    pub vkey: Option<&'a str>,
    /// Checkpoints kept from earlier, as text.
    pub kept: &'a [String],
    /// Public keys of witnesses that came on another way.
    pub witnesses: &'a [String],
}

/// Verifies a data folder's ledger.
///
/// # Errors
/// It cannot be read, or what it is held against is not accepted.
#[boxed]
pub async fn verify_data(store: &Store, against: Against<'_>) -> Result<Verdict, AppError> {
    let vkey =
        store.read(|c| Box::pin(async move { setting::get(c, VKEY).await.map_err(AppError::from) })).await?;
    if against.vkey.is_some_and(|g| Some(g.trim()) != vkey.as_deref()) {
        return Err(AppError::refused(
            "G006",
            "指定した公開鍵（vkey）が、このデータの公開鍵と違います。別の署名鍵で作り直された証跡かもしれません。",
        ));
    }
    let earlier = open_kept(vkey.as_deref().unwrap_or_default(), against.kept)?;
    let witnesses = open_keys(against.witnesses)?;
    let v = verify_store(store, earlier, &witnesses).await?;
    Ok(verdict_of(&v, !witnesses.is_empty()))
}

/// Verifies an exported folder.
///
/// # Errors
/// As [`verify_data`].
pub fn verify_exported(folder: &Path, against: Against<'_>) -> Result<Verdict, AppError> {
    let key = match against.vkey {
        Some(key) => key.to_owned(),
        None => std::fs::read_to_string(folder.join("vkey")).unwrap_or_default(),
    };
    let earlier = open_kept(&key, against.kept)?;
    let witnesses = open_keys(against.witnesses)?;
    let (report, witnessed) = verify_folder(folder, against.vkey, &earlier, &witnesses)?;
    let mut verdict = report_text(&report);
    witness_text(&mut verdict, &witnessed, true);
    verdict.text.push(last_line(verdict.sound));
    Ok(verdict)
}

/// A verification in lines; `given`: the witnesses' keys came from outside, so that a missing signature is a defect.
pub(crate) fn verdict_of(v: &Verified, given: bool) -> Verdict {
    let mut verdict = report_text(&v.report);
    verdict.sound = v.is_sound();
    witness_text(&mut verdict, &v.witnessed, given);
    rows_text(&mut verdict, &v.rows);
    verdict.text.push(last_line(verdict.sound));
    verdict
}

/// Public keys of witnesses from lines.
///
/// # Errors
/// One of them is no such key.
pub fn open_keys(lines: &[String]) -> Result<Vec<WitnessKey>, AppError> {
    lines
        .iter()
        .map(|line| {
            WitnessKey::parse(line.trim())
                .map_err(|e| AppError::refused("G007", format!("--witness {line}: {e}")))
        })
        .collect()
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

fn witness_text(verdict: &mut Verdict, witnessed: &[Witnessed], given: bool) {
    for w in witnessed {
        match (&w.defect, &w.checkpoint, w.at) {
            (Some(defect), _, _) => {
                verdict.sound = false;
                verdict.text.push(format!("× {defect}"));
            }
            (None, Some(checkpoint), Some(at)) => verdict.text.push(format!(
                "立会人 {} の署名を確かめました（{}件の控え、{}）。",
                w.name,
                checkpoint.head.size,
                at.japanese()
            )),
            _ => {
                verdict.sound &= !given;
                let mark = if given { "×" } else { "・" };
                verdict.text.push(format!("{mark} 立会人 {} の署名は、まだありません。", w.name));
            }
        }
    }
    if !given && witnessed.iter().any(|w| w.checkpoint.is_some()) {
        verdict.text.push(
            "・立会人の公開鍵は、このデータの中のものです。紙などで受け取った公開鍵を --witness で指定すると、より確かです。"
                .to_owned(),
        );
    }
}

fn rows_text(verdict: &mut Verdict, rows: &Reconciled) {
    verdict.text.push(format!("処理 {}件を、その記録と突き合わせました。", rows.acts));
    verdict.text.extend(rows.mismatches.iter().map(|m| format!("× {m}。")));
    for place in rows.erased.iter().take(LISTED) {
        verdict.text.push(format!("・{place}: 消去済み（存在は証明できる）"));
    }
    for silence in rows.silences.iter().take(LISTED) {
        verdict.text.push(format!("△ {silence}。サーバを止めていた理由を確かめてください。"));
    }
    for (all, what) in [(rows.erased.len(), "消去済みの記録"), (rows.silences.len(), "記録のない期間")]
    {
        if all > LISTED {
            verdict.text.push(format!("・{what}は、ほかに{}件あります。", all - LISTED));
        }
    }
    if rows.waiting > 0 {
        verdict
            .text
            .push(format!("・順番待ちの記録が{}件あります（サーバが動くと署名に入ります）。", rows.waiting));
    }
}

fn last_line(sound: bool) -> String {
    if sound {
        "すべて一致しました。改ざんは見つかりません。".to_owned()
    } else {
        "一致しないところがあります。上の×の行を確かめてください。".to_owned()
    }
}
