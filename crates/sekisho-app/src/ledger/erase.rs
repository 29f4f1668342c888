//! Erasing personal data: payload and salt of one entry go, the entry stays, and an entry records who had it erased and why.

use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_store::ledger::{self as rows, EntryRow};
use serde_json::json;

use super::reconcile::may_be_erased;
use super::{ERASED, kind_label};
use crate::error::AppError;
use crate::office::Office;
use crate::record::record;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// What is asked to be erased.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// Stream of the entry, 32 hexadecimal digits.
    pub stream: String,
    /// Number in the stream.
    pub seq: i64,
    /// Why; recorded for good, so it must not hold the data itself.
    pub reason: String,
    /// Number of the person at whose order it happens.
    pub by: String,
}

/// Finds the entry and says what would be erased, in lines for the terminal.
///
/// # Errors
/// There is no such entry, its kind is not erased, it is erased already, or reason or person are missing.
#[boxed]
pub async fn preview(office: &Arc<Office>, wanted: &Erasure) -> Result<Vec<String>, AppError> {
    let row = find(office, wanted).await?;
    Ok(vec![
        format!("記録: 流れ {} の {} 番（{}、{}）", row.stream, row.seq, kind_label(&row.kind), row.at.japanese()),
        "消去するもの: この記録の内容と塩、台帳の変更履歴に残るこの変更の前後の値".to_owned(),
        "残るもの: 記録があったことと、その順番・種類・日時・指紋。存在は証明できます。".to_owned(),
        "台帳の今の行、前後の変更の記録、バックアップは消えません。必要なら、それぞれについて行ってください。".to_owned(),
    ])
}

/// Erases, and records that it did, in one transaction.
///
/// # Errors
/// As [`preview`]; or the database failed.
#[boxed]
pub async fn erase(office: &Arc<Office>, wanted: &Erasure) -> Result<(), AppError> {
    let row = find(office, wanted).await?;
    let (seal, now, wanted) = (office.seal()?, office.clock.now(), wanted.clone());
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                rows::erase(c, &row.id).await?;
                let payload = json!({
                    "erased": row.id, "stream": row.stream, "seq": row.seq, "kind": row.kind, "commitment": row.commitment,
                    "reason": wanted.reason.trim(), "by": wanted.by.trim(), "at": now,
                });
                record(c, seal, &row.stream, ERASED, &payload, now).await.map(|_| ())
            })
        })
        .await
}

async fn find(office: &Arc<Office>, wanted: &Erasure) -> Result<EntryRow, AppError> {
    let reason = wanted.reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON {
        return Err(AppError::refused(
            "G012",
            format!("消去の理由を{MAX_REASON}文字以内で指定してください。"),
        ));
    }
    if wanted.by.trim().is_empty() {
        return Err(AppError::refused("G013", "消去を命じた人の職員番号を --by で指定してください。"));
    }
    let (stream, seq) = (wanted.stream.clone(), wanted.seq);
    let row = office
        .store
        .read(move |c| Box::pin(async move { rows::numbered(c, &stream, seq).await.map_err(AppError::from) }))
        .await?
        .ok_or_else(|| super::no_such_entry(&wanted.stream, wanted.seq))?;
    if !may_be_erased(&row.kind) {
        return Err(AppError::refused(
            "G010",
            format!(
                "「{}」の記録は消去できません。案件の成り立ちや証跡そのものに必要で、個人の情報を入れない種類だからです。消去できるのは、利用者・不在・組織・台帳の記録です。",
                kind_label(&row.kind)
            ),
        ));
    }
    if row.payload.is_none() {
        return Err(AppError::refused("G011", "この記録の内容は、既に消去されています。"));
    }
    Ok(row)
}
