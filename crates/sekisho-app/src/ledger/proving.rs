//! One entry's evidence as one text, `tlog-proof@v1`, with the witnesses' signatures where they cover the entry; and checking
//! such a text with nothing but the public keys.

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_ledger::proof::{head_at, prove_inclusion};
use sekisho_ledger::{LogKey, LogSource, SignedCheckpoint, TlogProof, TreeHead, WitnessKey};
use sekisho_store::Store;
use sekisho_store::ledger::{self as rows, EntryRow};

use super::verdict::Verdict;
use super::{cosigned, identity, kind_label, no_such_entry, with_cosignatures};
use crate::error::AppError;
use crate::ledger_source::StoreSource;
use crate::sequencer::leaf;

/// The proof of an entry that has its place: below the newest checkpoint that a witness signed, otherwise below the newest.
///
/// # Errors
/// The entry waits for its place, or the stored tree is damaged.
#[boxed]
pub async fn prove(store: &Store, row: &EntryRow) -> Result<String, AppError> {
    let index = row.leaf_index.ok_or_else(|| {
        AppError::refused(
            "G009",
            "この記録はまだ順番待ちです。サーバを動かし、少し待ってからもう一度行ってください。",
        )
    })?;
    let (body, key) = identity(store).await?;
    let signed = checkpoint_for(store, &key, index).await?;
    let mut source = StoreSource::new(store.clone(), &body);
    let (now, at) = (signed.checkpoint.head, u64::try_from(index).map_err(AppError::internal)?);
    let job = move || {
        // The tiles are as wide as the newest tree; the checkpoint may be an older one, and is compared with them.
        let head: TreeHead = head_at(now, now.size, |t| source.tile(t))?;
        prove_inclusion(head, at, |t| source.tile(t)).map(|(_, path)| (head, path))
    };
    let (head, path) =
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    if head != now {
        return Err(AppError::internal("the stored tree is not that of the stored checkpoint"));
    }
    Ok(TlogProof::new(at, path, &leaf(&body, row)?, &signed).encode())
}

async fn checkpoint_for(store: &Store, key: &LogKey, index: i64) -> Result<SignedCheckpoint, AppError> {
    let key = key.clone();
    store
        .read(move |c| {
            Box::pin(async move {
                if let Some(seen) = cosigned(c, &key, index).await? {
                    return Ok(seen);
                }
                let newest = rows::head(c).await?.ok_or_else(|| AppError::internal("no checkpoint"))?;
                with_cosignatures(c, &key, &newest).await
            })
        })
        .await
}

/// The proof of the entry with a number in a stream.
///
/// # Errors
/// There is no such entry; or as [`prove`].
#[boxed]
pub async fn prove_numbered(store: &Store, stream: &str, seq: i64) -> Result<String, AppError> {
    let wanted = stream.to_owned();
    let row = store
        .read(move |c| Box::pin(async move { rows::numbered(c, &wanted, seq).await.map_err(AppError::from) }))
        .await?
        .ok_or_else(|| no_such_entry(stream, seq))?;
    prove(store, &row).await
}

/// Checks a proof with keys that came on another way, and says what it proves.
///
/// # Errors
/// The proof or a key cannot be read, or the proof proves nothing.
pub fn check(text: &str, vkey: &str, witnesses: &[WitnessKey]) -> Result<Verdict, AppError> {
    let refused = |e: &dyn std::fmt::Display| AppError::refused("G040", format!("証明ファイル: {e}"));
    let key = LogKey::parse(vkey.trim()).map_err(|e| AppError::refused("G002", e.to_string()))?;
    let proof = TlogProof::parse(text).map_err(|e| refused(&e))?;
    let (leaf, signed) = proof.verify(&key).map_err(|e| refused(&e))?;
    let mut verdict = Verdict {
        text: vec![
            format!(
                "台帳 {} の {} 件の控えに、{} 番目（0から数える）の記録として含まれています。",
                signed.checkpoint.origin, signed.checkpoint.head.size, proof.index
            ),
            format!(
                "記録: 流れ {} の {} 番、種類 {}（{}）",
                sekisho_base::canonical::hex(&leaf.stream),
                leaf.sequence,
                leaf.kind,
                kind_label(leaf.kind)
            ),
        ],
        sound: true,
    };
    for witness in witnesses {
        match witness.find(signed.note.as_bytes()) {
            Ok(Some(found)) => {
                let at = i64::try_from(found.timestamp).unwrap_or(i64::MAX);
                let at = Instant::from_millis(at.saturating_mul(1000)).japanese();
                verdict.text.push(format!("立会人 {} の署名（{at}）を確かめました。", witness.name()));
            }
            Ok(None) => {
                verdict.sound = false;
                verdict.text.push(format!("× 立会人 {} の署名がありません。", witness.name()));
            }
            Err(e) => {
                verdict.sound = false;
                verdict.text.push(format!("× {e}"));
            }
        }
    }
    Ok(verdict)
}
