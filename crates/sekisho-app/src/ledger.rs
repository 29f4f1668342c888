//! The ledger for people: export as files that others verify, verification of our own, the page, proofs of single entries.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_base::canonical::unhex;
use sekisho_ledger::export::{read_bounded, read_vkey};
use sekisho_ledger::proof::prove_inclusion;
use sekisho_ledger::{Checkpoint, FileSource, LogKey, Report, TlogProof, export, verify};
use sekisho_store::ledger::{CheckpointRow, EntryRow};
use sekisho_store::{Store, ledger, setting};

use crate::error::AppError;
use crate::ledger_source::StoreSource;
use crate::login::Identity;
use crate::office::Office;
use crate::sequencer::{head, leaf};

/// Setting that holds the public key line.
pub(crate) const VKEY: &str = "ledger.vkey";
/// Setting that holds the body's name in the ledger.
pub(crate) const BODY: &str = "body.name";

/// Writes the log below a folder; needs no secret key.
///
/// # Errors
/// The folder cannot be written, or the stored log is not complete.
pub async fn export_to(store: &Store, folder: &Path) -> Result<u64, AppError> {
    let (body, key) = identity(store).await?;
    let mut source = StoreSource::new(store.clone(), &body);
    let folder = folder.to_owned();
    let job = move || {
        export(&mut source, &key, |path, bytes| {
            let file = folder.join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(file, bytes)
        })
    };
    let signed =
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    Ok(signed.checkpoint.head.size)
}

/// Verifies the stored log entry by entry: payloads against their commitments, leaves against tiles, tiles against the signed head,
/// and against checkpoints kept elsewhere.
///
/// # Errors
/// The log cannot be read or its checkpoint is not accepted; everything else is in the report.
pub async fn verify_store(store: &Store, earlier: Vec<Checkpoint>) -> Result<Verified, AppError> {
    let (body, key) = identity(store).await?;
    let mut source = StoreSource::new(store.clone(), &body);
    let job = move || verify(&mut source, &key, &earlier, |_, _| {});
    let report =
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    let (altered, waiting) = payloads(store).await?;
    Ok(Verified { report, altered, waiting })
}

/// Verifies an exported folder. The key is the folder's own unless one is given (it should be: from paper).
///
/// # Errors
/// The folder is no exported log, or its checkpoint is not signed by the key.
pub fn verify_folder(folder: &Path, vkey: Option<&str>, earlier: &[Checkpoint]) -> Result<Report, AppError> {
    let folder: PathBuf = folder.to_owned();
    let read = move |path: &str, most: usize| match std::fs::File::open(folder.join(path)) {
        Ok(file) => read_bounded(file, most).map(Some),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    };
    let own = read_vkey(&read).map_err(AppError::internal)?;
    let line = vkey.map(str::to_owned).or(own).ok_or_else(|| {
        AppError::refused("G001", "公開鍵（vkey）がありません。書き出したフォルダを指定してください。")
    })?;
    let key = LogKey::parse(line.trim()).map_err(|e| AppError::refused("G002", e.to_string()))?;
    verify(&mut FileSource::new(read), &key, earlier, |_, _| {})
        .map_err(|e| AppError::refused("G003", e.to_string()))
}

/// Outcome of a verification of the store.
#[derive(Debug)]
pub struct Verified {
    /// Of the tree.
    pub report: Report,
    /// Ids of entries whose payload is not what was committed to.
    pub altered: Vec<String>,
    /// Entries that wait for their place.
    pub waiting: i64,
}

impl Verified {
    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.report.is_sound() && self.altered.is_empty()
    }
}

/// Compares every payload that is still there with its commitment.
async fn payloads(store: &Store) -> Result<(Vec<String>, i64), AppError> {
    let mut altered = Vec::new();
    let mut from = 0;
    loop {
        let rows = store
            .read(move |c| {
                Box::pin(async move { ledger::sequenced(c, from, 2048).await.map_err(AppError::from) })
            })
            .await?;
        let Some(last) = rows.last().and_then(|r| r.leaf_index) else { break };
        altered.extend(rows.iter().filter(|r| !payload_holds(r)).map(|r| r.id.clone()));
        from = last + 1;
    }
    let waiting =
        store.read(|c| Box::pin(async move { ledger::outbox_len(c).await.map_err(AppError::from) })).await?;
    Ok((altered, waiting))
}

fn payload_holds(row: &EntryRow) -> bool {
    match (&row.salt, &row.payload) {
        (None, None) => true,
        (Some(salt), Some(payload)) => {
            unhex(salt).and_then(|b| <[u8; 16]>::try_from(b).ok()).is_some_and(|salt| {
                sekisho_base::canonical::hex(&sekisho_ledger::commit(&salt, payload)) == row.commitment
            })
        }
        _ => false,
    }
}

async fn identity(store: &Store) -> Result<(String, LogKey), AppError> {
    let (body, vkey) = store
        .read(|c| {
            Box::pin(async move {
                Ok::<_, AppError>((setting::get(c, BODY).await?, setting::get(c, VKEY).await?))
            })
        })
        .await?;
    let missing = || {
        AppError::refused(
            "G004",
            "このデータフォルダにはまだ証跡がありません。一度サーバを起動してください。",
        )
    };
    let key = LogKey::parse(&vkey.ok_or_else(missing)?).map_err(AppError::internal)?;
    Ok((body.ok_or_else(missing)?, key))
}

/// One line of the ledger page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLine {
    /// Id.
    pub id: String,
    /// Place in the tree.
    pub leaf_index: i64,
    /// What happened, in Japanese.
    pub kind: String,
    /// When.
    pub at: Instant,
    /// Commitment, hexadecimal.
    pub commitment: String,
}

/// The ledger page.
#[derive(Debug, Clone)]
pub struct LedgerView {
    /// Latest signed head.
    pub head: Option<CheckpointRow>,
    /// Public key line.
    pub vkey: String,
    /// Entries waiting for their place.
    pub waiting: i64,
    /// Latest entries.
    pub entries: Vec<EntryLine>,
    /// Where the next older page begins.
    pub older: Option<i64>,
}

/// An entry's page.
#[derive(Debug, Clone)]
pub struct EntryView {
    /// The line.
    pub line: EntryLine,
    /// Stream and number in it.
    pub stream: String,
    /// Number in the stream.
    pub seq: i64,
    /// What was recorded, for those who may see the whole body's records.
    pub payload: Option<String>,
    /// Salt, likewise.
    pub salt: Option<String>,
    /// `tlog-proof@v1`, once the entry has its place.
    pub proof: Option<String>,
}

/// What a kind of entry is called.
#[must_use]
pub fn kind_label(kind: &str) -> &'static str {
    const KNOWN: [(&str, &str); 31] = [
        ("case.applied", "申請"),
        ("case.step_opened", "処理待ちの開始"),
        ("case.step_not_applicable", "対象外の段階"),
        ("case.seen", "閲覧"),
        ("case.decided", "許可・確認などの処理"),
        ("case.sent_back", "差戻し"),
        ("case.resubmitted", "再申請"),
        ("case.withdrawn", "引戻し"),
        ("case.permit_issued", "許可書の発行"),
        ("case.moved", "持出し・返却の記録"),
        ("case.extension_asked", "延長の願い出"),
        ("case.extended", "期間の延長"),
        ("case.extension_declined", "延長を認めない"),
        ("case.revoked", "許可の取消し"),
        ("case.reclassified", "分類の変更"),
        ("case.review_opened", "確認の依頼"),
        ("case.reviewed", "確認・後閲"),
        ("case.overdue", "期限の超過"),
        ("case.expired", "許可期間の満了"),
        ("case.repinned", "担当職の見直し"),
        ("case.closed", "完了"),
        ("register.change", "台帳の変更"),
        ("register.import", "台帳の取込み"),
        ("org.import", "組織の取込み"),
        ("account.create", "利用者の登録"),
        ("account.reset", "仮パスワードの発行"),
        ("account.password", "パスワードの変更"),
        ("account.locked", "ログインの一時停止"),
        ("pack.load", "規程データの読込み"),
        ("pack.propose", "規程データの提案"),
        ("absence.add", "不在の登録"),
    ];
    KNOWN.iter().find(|(k, _)| *k == kind).map_or("記録", |(_, label)| label)
}

fn line(r: &EntryRow) -> EntryLine {
    EntryLine {
        id: r.id.clone(),
        leaf_index: r.leaf_index.unwrap_or(-1),
        kind: kind_label(&r.kind).to_owned(),
        at: r.at,
        commitment: r.commitment.clone(),
    }
}

impl Office {
    /// The ledger page: heads and places are for all staff, contents are not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ledger_page(&self, _who: &Identity, before: Option<i64>) -> Result<LedgerView, AppError> {
        const LINES: i64 = 50;
        let before = before.unwrap_or(i64::MAX);
        let (head, vkey, waiting, rows) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let head = ledger::head(c).await?;
                    let vkey = setting::get(c, VKEY).await?.unwrap_or_default();
                    let waiting = ledger::outbox_len(c).await?;
                    Ok::<_, AppError>((head, vkey, waiting, ledger::latest(c, before, LINES).await?))
                })
            })
            .await?;
        let older = rows.last().and_then(|r| r.leaf_index).filter(|i| *i > 0);
        Ok(LedgerView { head, vkey, waiting, entries: rows.iter().map(line).collect(), older })
    }

    /// One entry with its proof.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or the stored tree is damaged.
    pub async fn ledger_entry(self: &Arc<Self>, who: &Identity, id: &str) -> Result<EntryView, AppError> {
        let sees_all = self.me(who).await?.sees_whole_body();
        let id = id.to_owned();
        let row = self
            .store
            .read(move |c| Box::pin(async move { ledger::by_id(c, &id).await.map_err(AppError::from) }))
            .await?;
        let row = row.ok_or(AppError::NotFound)?;
        let proof = match row.leaf_index {
            Some(index) => Some(self.prove(&row, index).await?),
            None => None,
        };
        Ok(EntryView {
            line: line(&row),
            stream: row.stream.clone(),
            seq: row.seq,
            payload: row.payload.clone().filter(|_| sees_all),
            salt: row.salt.clone().filter(|_| sees_all),
            proof,
        })
    }

    async fn prove(self: &Arc<Self>, row: &EntryRow, index: i64) -> Result<String, AppError> {
        let (tree, checkpoint) = self
            .store
            .read(|c| Box::pin(async move { Ok::<_, AppError>((head(c).await?, ledger::head(c).await?)) }))
            .await?;
        let checkpoint = checkpoint.ok_or_else(|| AppError::internal("no checkpoint"))?;
        let mut source = StoreSource::new(self.store.clone(), self.body());
        let index = u64::try_from(index).map_err(AppError::internal)?;
        let job = move || prove_inclusion(tree, index, |t| sekisho_ledger::LogSource::tile(&mut source, t));
        let (_, path) = tokio::task::spawn_blocking(job)
            .await
            .map_err(AppError::internal)?
            .map_err(AppError::internal)?;
        let (_, key) = identity(&self.store).await?;
        let signed = key.open(checkpoint.note.as_bytes()).map_err(AppError::internal)?;
        Ok(TlogProof::new(index, path, &leaf(self.body(), row)?, &signed).encode())
    }
}
