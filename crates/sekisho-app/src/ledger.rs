//! The ledger for people: export as files that others verify, verification of our own, proofs of single entries, witnesses,
//! erasure, the page.
//!
//! | module | what it is |
//! |---|---|
//! | [`proving`] | one entry's evidence as a file |
//! | [`verdict`] | verification as text for the terminal |
//! | [`reconcile`](mod@reconcile) | rows against entries |
//! | [`heartbeat`] | entries that make silence provable |
//! | [`erase`] | personal data goes, existence stays provable |
//! | [`witnesses`] | asking the witnesses |
//! | [`keeper`] | being a witness |
//! | [`jobs`] | what runs beside the pages |
//! | [`page`] | the page 証跡 |

pub mod erase;
pub mod heartbeat;
pub mod jobs;
pub mod keeper;
pub mod page;
pub mod proving;
pub mod reconcile;
pub mod verdict;
pub mod witnesses;

use std::path::{Path, PathBuf};

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_ledger::export::{read_bounded, read_vkey};
use sekisho_ledger::{Checkpoint, FileSource, LogKey, Report, SignedCheckpoint, WitnessKey, export, verify};
use sekisho_store::ledger::CheckpointRow;
use sekisho_store::ledger::witness as kept;
use sekisho_store::{Conn, Store, setting};

use crate::error::AppError;
use crate::ledger_source::StoreSource;

pub use page::{EntryLine, EntryView, LedgerView};
pub use reconcile::reconcile;
pub use sekisho_ledger::witness::{MAX_ANSWER, MAX_REQUEST};

/// Setting that holds the public key line.
pub(crate) const VKEY: &str = "ledger.vkey";
/// Setting that holds the body's name in the ledger.
pub(crate) const BODY: &str = "body.name";
/// Kind of a heartbeat.
pub const HEARTBEAT: &str = "ledger.heartbeat";
/// Kind of the record of an erasure.
pub const ERASED: &str = "ledger.erased";
/// Kind of a change of the witnesses.
pub const WITNESSES: &str = "ledger.witnesses";
/// Kind of a witness's word that this log was set back or rewritten.
pub const ALARM: &str = "ledger.witness_alarm";
/// Kind of the record that a backup was put back.
pub const RESTORED: &str = "ledger.restored";
/// Kind of the entry that old backups went away.
pub const PRUNED: &str = "backup.prune";
/// File of an export with the newest checkpoint that witnesses signed.
const COSIGNED_FILE: &str = "checkpoint.cosigned";

/// Writes the log below a folder; needs no secret key. The newest checkpoint that witnesses signed goes along as a file of its
/// own: the newest of all may not have been shown to them yet.
///
/// # Errors
/// The folder cannot be written, or the stored log is not complete.
#[boxed]
pub async fn export_to(store: &Store, folder: &Path) -> Result<u64, AppError> {
    let (body, key) = identity(store).await?;
    let cosigned = {
        let key = key.clone();
        store.read(move |c| Box::pin(async move { cosigned(c, &key, -1).await })).await?
    };
    let mut source = StoreSource::new(store.clone(), &body);
    let folder = folder.to_owned();
    let job = move || {
        let signed = export(&mut source, &key, |path, bytes| {
            let file = folder.join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(file, bytes)
        })
        .map_err(AppError::internal)?;
        if let Some(seen) = cosigned {
            std::fs::write(folder.join(COSIGNED_FILE), seen.note).map_err(AppError::internal)?;
        }
        Ok::<_, AppError>(signed)
    };
    let signed = tokio::task::spawn_blocking(job).await.map_err(AppError::internal)??;
    Ok(signed.checkpoint.head.size)
}

/// Verifies the stored log entry by entry: leaves against tiles, tiles against the signed head, the log against checkpoints kept
/// elsewhere and against what the witnesses signed, and the rows of the database against the entries.
///
/// `witnesses` are keys that were received on another way than through this database; without any, the configured ones are taken.
///
/// # Errors
/// The log cannot be read or its checkpoint is not accepted; everything else is in the report.
#[boxed]
pub async fn verify_store(
    store: &Store,
    mut earlier: Vec<Checkpoint>,
    witnesses: &[WitnessKey],
) -> Result<Verified, AppError> {
    let (body, key) = identity(store).await?;
    let witnessed = witnessed(store, &key, witnesses).await?;
    earlier.extend(witnessed.iter().filter_map(|w| w.checkpoint.clone()));
    let mut source = StoreSource::new(store.clone(), &body);
    let job = move || verify(&mut source, &key, &earlier, |_, _| {});
    let report =
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    Ok(Verified { report, witnessed, rows: reconcile(store).await? })
}

/// Verifies an exported folder. The key is the folder's own unless one is given (it should be: from paper).
///
/// # Errors
/// The folder is no exported log, or its checkpoint is not signed by the key.
pub fn verify_folder(
    folder: &Path,
    vkey: Option<&str>,
    earlier: &[Checkpoint],
    witnesses: &[WitnessKey],
) -> Result<(Report, Vec<Witnessed>), AppError> {
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
    let mut notes = Vec::new();
    for name in ["checkpoint", COSIGNED_FILE] {
        notes.extend(read(name, sekisho_ledger::checkpoint::MAX_CHECKPOINT).map_err(AppError::internal)?);
    }
    let witnessed: Vec<Witnessed> = witnesses
        .iter()
        .map(|w| {
            let best = notes.iter().map(|note| Witnessed::of(w, Some(note), &key));
            best.max_by_key(|found| found.checkpoint.as_ref().map(|c| c.head.size))
                .unwrap_or(Witnessed::none(w))
        })
        .collect();
    let mut earlier = earlier.to_vec();
    earlier.extend(witnessed.iter().filter_map(|w| w.checkpoint.clone()));
    let report = verify(&mut FileSource::new(read), &key, &earlier, |_, _| {})
        .map_err(|e| AppError::refused("G003", e.to_string()))?;
    Ok((report, witnessed))
}

/// Outcome of a verification of the store.
#[derive(Debug)]
pub struct Verified {
    /// Of the tree.
    pub report: Report,
    /// What each witness signed last.
    pub witnessed: Vec<Witnessed>,
    /// Of rows against entries.
    pub rows: reconcile::Reconciled,
}

impl Verified {
    /// Whether everything holds. A silence alone is not taken for a defect: it is shown, and somebody knows why the server stood
    /// still.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.report.is_sound()
            && self.rows.mismatches.is_empty()
            && self.witnessed.iter().all(|w| w.defect.is_none())
    }
}

/// The newest checkpoint that a witness signed, as far as it can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// Name of the witness.
    pub name: String,
    /// The checkpoint and when the witness signed it; nothing when it has signed none.
    pub checkpoint: Option<Checkpoint>,
    /// The witness's time of signing.
    pub at: Option<Instant>,
    /// What is wrong with what is kept as its signature.
    pub defect: Option<String>,
}

impl Witnessed {
    fn none(key: &WitnessKey) -> Self {
        Self { name: key.name().to_owned(), checkpoint: None, at: None, defect: None }
    }

    fn of(key: &WitnessKey, note: Option<&Vec<u8>>, log: &LogKey) -> Self {
        let none = Self::none(key);
        let Some(note) = note else { return none };
        match (key.find(note), log.open(note)) {
            (Ok(Some(found)), Ok(signed)) => Self {
                checkpoint: Some(signed.checkpoint),
                at: i64::try_from(found.timestamp).ok().map(|s| Instant::from_millis(s.saturating_mul(1000))),
                ..none
            },
            (Ok(None), Ok(_)) => none,
            (Err(e), _) => Self { defect: Some(e.to_string()), ..none },
            (_, Err(e)) => Self { defect: Some(e.to_string()), ..none },
        }
    }
}

/// What the witnesses signed last: those given, otherwise those configured.
async fn witnessed(store: &Store, log: &LogKey, given: &[WitnessKey]) -> Result<Vec<Witnessed>, AppError> {
    let keys = match given {
        [] => {
            let rows = store
                .read(|c| Box::pin(async move { kept::witnesses(c).await.map_err(AppError::from) }))
                .await?;
            rows.iter()
                .map(|r| WitnessKey::parse(&r.vkey).map_err(AppError::internal))
                .collect::<Result<_, _>>()?
        }
        given => given.to_vec(),
    };
    let mut found = Vec::new();
    for key in keys {
        let (name, log_in) = (key.name().to_owned(), log.clone());
        let note = store
            .read(move |c| {
                Box::pin(async move {
                    match kept::witnessed_by(c, &name).await? {
                        Some(row) => {
                            with_cosignatures(c, &log_in, &row).await.map(|s| Some(s.note.into_bytes()))
                        }
                        None => Ok::<_, AppError>(None),
                    }
                })
            })
            .await?;
        found.push(Witnessed::of(&key, note.as_ref(), log));
    }
    Ok(found)
}

/// A stored checkpoint with the witnesses' signatures below the log's own.
pub(crate) async fn with_cosignatures(
    c: &mut Conn<'_>,
    key: &LogKey,
    row: &CheckpointRow,
) -> Result<SignedCheckpoint, AppError> {
    let lines = kept::cosignatures(c, row.size).await?;
    let signed = key.open(row.note.as_bytes()).map_err(AppError::internal)?;
    let note = signed.with_lines(lines.iter().map(|l| l.line.as_str()));
    key.open(note.as_bytes()).map_err(AppError::internal)
}

/// The newest checkpoint with witnesses' signatures that covers the entry at an index; any for -1.
pub(crate) async fn cosigned(
    c: &mut Conn<'_>,
    key: &LogKey,
    index: i64,
) -> Result<Option<SignedCheckpoint>, AppError> {
    match kept::witnessed(c, index).await? {
        Some(row) => with_cosignatures(c, key, &row).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) fn no_such_entry(stream: &str, seq: i64) -> AppError {
    AppError::refused(
        "G008",
        format!(
            "流れ {stream} の {seq} 番の記録はありません。「証跡」の記録のページで、流れと番号を確かめてください。"
        ),
    )
}

/// Refuses a data folder that has no ledger yet.
///
/// # Errors
/// It has none, or the database failed.
#[boxed]
pub async fn must_exist(store: &Store) -> Result<(), AppError> {
    identity(store).await.map(|_| ())
}

/// Name and public key of the body whose ledger this is.
pub(crate) async fn identity(store: &Store) -> Result<(String, LogKey), AppError> {
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

/// What a kind of entry is called.
#[must_use]
pub fn kind_label(kind: &str) -> &'static str {
    const KNOWN: &[(&str, &str)] = &[
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
        ("register.import_undone", "台帳の取込みの取消し"),
        ("calendar.subscribed", "予定表の購読の開始"),
        ("calendar.ended", "予定表の購読の終了"),
        ("register.view_saved", "課の見方の保存"),
        ("register.view_forgotten", "課の見方の削除"),
        ("register.case", "案件による台帳の変更"),
        ("register.stocktaking", "棚卸しで確認した日の記入"),
        ("org.import", "組織の取込み"),
        ("setup.code", "最初の設定のコードの発行"),
        ("setup.enter", "最初の設定を始める"),
        ("setup.body", "最初の設定：団体"),
        ("setup.unseat", "最初の設定：任命の取消し"),
        ("setup.officers", "最初の設定：責任者"),
        ("setup.pack", "最初の設定：基準"),
        ("setup.mail", "最初の設定：メール"),
        ("setup.administrator", "最初の設定：管理者の選択"),
        ("setup.finish", "最初の設定の完了"),
        ("account.create", "利用者の登録"),
        ("account.reset", "仮パスワードの発行"),
        ("account.password", "パスワードの変更"),
        ("account.checked", "パスワードを確かめる所の変更"),
        ("account.create_undone", "利用者の登録の取消し"),
        ("account.import", "利用者の取込み"),
        ("account.import_undone", "利用者の取込みの取消し"),
        ("account.locked", "ログインの一時停止"),
        ("account.login", "ログイン"),
        ("account.login_failed", "ログインの失敗"),
        ("account.second_factor", "多要素認証の設定"),
        ("account.second_factor_removed", "多要素認証の取りやめ"),
        ("account.second_factor_reset", "管理者による多要素認証の取消し"),
        ("account.passkey", "パスキーの登録"),
        ("account.passkey_removed", "パスキーの取消し"),
        ("account.passkey_copied", "パスキーの停止（複製のおそれ）"),
        ("account.recovery_code", "回復コードの使用"),
        ("account.recovery_codes", "回復コードの作り直し"),
        ("account.sessions_ended", "ほかのログインの終了"),
        ("account.ended_by_directory", "ディレクトリで止められた人のログインの終了"),
        ("account.token", "APIトークンの発行"),
        ("account.token_used", "APIトークンの使用（その日の最初）"),
        ("account.token_revoked", "APIトークンの取消し"),
        ("account.token_refused", "APIトークンの拒否（使えない場所から）"),
        ("account.disabled", "利用の停止"),
        ("account.enabled", "利用の再開"),
        ("account.unlocked", "一時停止の解除"),
        ("account.policy", "多要素認証が必要な役割の変更"),
        ("account.taken_up", "引取りの確認"),
        ("account.card", "新しいICカードの証明書でのログイン"),
        ("account.linked", "外部のログインとの結び付き"),
        ("account.link_refused", "外部のログインの拒否（前と別の人）"),
        ("account.unlinked", "外部のログインとの結び付きの取消し"),
        ("duty.open", "定期の仕事の始まり"),
        ("duty.done", "定期の仕事の記録"),
        ("duty.void", "定期の仕事の取下げ"),
        ("duty.escalated", "期限切れの上申"),
        ("document.recorded", "文書の記録"),
        ("assessment.answered", "自己点検の回答"),
        ("notification.made", "お知らせ"),
        ("notification.mailed", "お知らせのメール送信"),
        ("notification.mail_failed", "お知らせのメールを送れず"),
        (RESTORED, "バックアップからの復元"),
        (PRUNED, "古いバックアップの削除"),
        ("pack.load", "規程データの読込み"),
        ("pack.propose", "規程データの提案"),
        ("absence.add", "不在の登録"),
        (HEARTBEAT, "無事の記録（一日何もなかったとき）"),
        (ERASED, "内容の消去"),
        (WITNESSES, "立会人の変更"),
        (ALARM, "立会人からの警告"),
        ("look.export", "台帳の書き出し"),
        ("permit.checker", "許可証の確認ページの作成"),
        ("stocktaking.open", "棚卸しの始まり"),
        ("stocktaking.seen", "棚卸しでの現物の確認"),
        ("stocktaking.close", "棚卸しの終わり"),
        ("look.day", "一日分の閲覧の記録の封印"),
        ("absence.cancel", "不在の取消し"),
        ("delegation.propose", "職務代理の願い出"),
        ("delegation.approve", "職務代理の承認"),
        ("delegation.refuse", "職務代理の不承認"),
        ("delegation.end", "職務代理の終了"),
        ("org.propose", "組織の取込みの提案"),
        ("org.adopt", "組織の取込みの提案の引取り"),
        ("org.refuse", "組織の取込みの取下げ"),
    ];
    KNOWN.iter().find(|(k, _)| *k == kind).map_or("記録", |(_, label)| label)
}
