//! Asking the witnesses: which there are, one round of asking, what they answered. Acts never wait for it, and what goes wrong
//! is on the page 証跡.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_ledger::proof::{head_at, prove_consistency};
use sekisho_ledger::witness::{AddCheckpoint, Answer, Trouble, read_answer};
use sekisho_ledger::{Cosignature, LogSource, TreeHead, WitnessKey};
use sekisho_store::ledger::witness::{self as kept, CosignatureRow, WitnessRow};
use sekisho_store::ledger::{self as rows, CheckpointRow};
use serde_json::json;

use super::{ALARM, WITNESSES};
use crate::error::AppError;
use crate::ledger_source::StoreSource;
use crate::office::Office;
use crate::record::record;
use crate::sequencer::{head_of, signed};

/// Witnesses that a body may have.
const MOST: usize = 16;
/// Requests to one witness in one round: the size it has may have to be learnt first.
const TRIES: usize = 3;
/// How long a node may be the one that asks.
const LEASE_MS: i64 = 55_000;
/// How long a signature on the newest checkpoint is fresh, in milliseconds.
const FRESH_MS: i64 = 3_600_000;

/// A witness as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessAddress {
    /// Public key.
    pub key: WitnessKey,
    /// Address below which `add-checkpoint` is, such as `http://10.1.2.3:8090`.
    pub url: String,
}

/// Reads a list of witnesses: lines `witness NAME KEY ADDRESS` as in c2sp.org/tlog-policy, empty lines and lines that begin
/// with `#`. The name is only for those who read the file.
///
/// # Errors
/// Names the line and what is wrong with it.
pub fn parse_list(text: &str) -> Result<Vec<WitnessAddress>, AppError> {
    let mut list: Vec<WitnessAddress> = Vec::new();
    for (line, n) in text.lines().zip(1..) {
        let bad = |what: &str| AppError::refused("G020", format!("立会人の一覧の{n}行目: {what}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["witness", _, vkey, url] => {
                let key = WitnessKey::parse(vkey).map_err(|e| bad(&e.to_string()))?;
                if !url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
                {
                    return Err(bad("アドレスは http:// で始めてください（例: http://10.1.2.3:8090）"));
                }
                if list.iter().any(|w| w.key.name() == key.name()) {
                    return Err(bad("同じ名前の立会人が2回あります"));
                }
                list.push(WitnessAddress { key, url: url.trim_end_matches('/').to_owned() });
            }
            _ => return Err(bad("「witness 呼び名 公開鍵 アドレス」の形で書いてください")),
        }
    }
    if list.len() > MOST {
        return Err(AppError::refused("G021", format!("立会人は{MOST}者までです。")));
    }
    Ok(list)
}

/// What carries a request to a witness. Who implements it knows HTTP; nobody here does.
pub trait Messenger: Send + Sync {
    /// Sends a body to an address by POST and answers within seconds.
    fn post(
        &self,
        url: String,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, String>> + Send + '_>>;
}

/// A witness's answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content type; empty when there was none.
    pub content_type: String,
    /// At most [`sekisho_ledger::witness::MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

/// Makes these the witnesses from now on. Who comes and who goes is recorded: to drop a witness in silence would be a way
/// around it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn appoint(office: &Arc<Office>, list: &[WitnessAddress]) -> Result<(), AppError> {
    // Not while another node asks those of before or appoints its own.
    while office.alone("witnesses", LEASE_MS, replace(office, list)).await?.is_none() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn replace(office: &Arc<Office>, list: &[WitnessAddress]) -> Result<(), AppError> {
    let before = office
        .store
        .read(|c| Box::pin(async move { kept::witnesses(c).await.map_err(AppError::from) }))
        .await?;
    let rows: Vec<WitnessRow> = list
        .iter()
        .map(|w| {
            let (name, vkey) = (w.key.name().to_owned(), w.key.to_string());
            match before.iter().find(|b| b.name == name && b.vkey == vkey) {
                Some(known) => WitnessRow { url: w.url.clone(), ..known.clone() },
                None => WitnessRow {
                    name,
                    vkey,
                    url: w.url.clone(),
                    size: 0,
                    asked_at: None,
                    answered_at: None,
                    trouble_code: String::new(),
                    trouble: String::new(),
                    trouble_since: None,
                },
            }
        })
        .collect();
    let gone: Vec<String> =
        before.iter().filter(|b| rows.iter().all(|r| r.name != b.name)).map(|b| b.name.clone()).collect();
    let mut sorted = rows.clone();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    if sorted == before {
        return Ok(());
    }
    let (seal, stream, now) = (office.seal()?, rows::stream_id(office.new_id()?), office.clock.now());
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                for name in &gone {
                    kept::remove_witness(c, name).await?;
                }
                for row in &rows {
                    kept::put_witness(c, row).await?;
                }
                let line = |w: &WitnessRow| json!({"key": w.vkey, "address": w.url});
                let payload = json!({
                    "before": before.iter().map(line).collect::<Vec<_>>(), "after": rows.iter().map(line).collect::<Vec<_>>(), "at": now,
                });
                record(c, seal, &stream, WITNESSES, &payload, now).await.map(|_| ())
            })
        })
        .await
}

/// Asks every witness that has not signed the newest checkpoint yet, unless another node is at it. Tells how many signed.
///
/// # Errors
/// The database failed or the stored tree is damaged; a witness that does not answer is no error.
#[boxed]
pub async fn round(office: &Arc<Office>, messenger: &dyn Messenger) -> Result<usize, AppError> {
    // Looked at without writing first: a lease taken for nothing would be a commit.
    let (witnesses, newest) = standing(office).await?;
    let Some(newest) = newest else { return Ok(0) };
    let (now, at) = (head_of(&newest)?, office.clock.now());
    if !witnesses.iter().any(|w| wants(w, now, at)) {
        return Ok(0);
    }
    Ok(office.alone("witnesses", LEASE_MS, ask_all(office, messenger)).await?.unwrap_or_default())
}

/// The witnesses, and the newest checkpoint.
async fn standing(office: &Office) -> Result<(Vec<WitnessRow>, Option<CheckpointRow>), AppError> {
    office
        .store
        .read(|c| {
            Box::pin(async move { Ok::<_, AppError>((kept::witnesses(c).await?, rows::head(c).await?)) })
        })
        .await
}

async fn ask_all(office: &Arc<Office>, messenger: &dyn Messenger) -> Result<usize, AppError> {
    let (witnesses, newest) = standing(office).await?;
    let Some(newest) = newest else { return Ok(0) };
    let (now, note, at) = (head_of(&newest)?, newest.note, office.clock.now());
    let mut cosigned = 0;
    for witness in witnesses.into_iter().filter(|w| wants(w, now, at)) {
        cosigned += usize::from(ask(office, messenger, witness, now, &note).await?);
    }
    Ok(cosigned)
}

/// Whether a witness is to be asked: for a new checkpoint, after trouble, and once an hour even when nothing is new. The last
/// is what shows a restored backup that it is one, and keeps the time of the signature fresh.
fn wants(witness: &WitnessRow, now: TreeHead, at: Instant) -> bool {
    let fresh = witness.answered_at.is_some_and(|then| at.millis() - then.millis() < FRESH_MS && then <= at);
    signed(now.size).ok() != Some(witness.size) || !witness.trouble.is_empty() || !fresh
}

async fn ask(
    office: &Arc<Office>,
    messenger: &dyn Messenger,
    witness: WitnessRow,
    now: TreeHead,
    note: &str,
) -> Result<bool, AppError> {
    let key = WitnessKey::parse(&witness.vkey).map_err(AppError::internal)?;
    // A size beyond what there is makes the witness tell its own.
    let mut old = u64::try_from(witness.size).ok().filter(|size| *size <= now.size).unwrap_or(0);
    let mut answer = Answer::Trouble(Trouble::Answer(409));
    for _ in 0..TRIES {
        let request = request(office, old, now, note).await?;
        let sent = messenger.post(format!("{}/add-checkpoint", witness.url), request.encode()).await;
        answer = match sent {
            Err(why) => Answer::Trouble(Trouble::Unreachable(why)),
            Ok(r) => read_answer(&key, &request, now.size, r.status, &r.content_type, &r.body),
        };
        match answer {
            Answer::HasSize(size) => old = size,
            _ => break,
        }
    }
    match answer {
        Answer::Cosigned(line) => keep(office, witness, now, line).await.map(|()| true),
        Answer::HasSize(_) => complain(office, witness, Trouble::Answer(409)).await.map(|()| false),
        Answer::Trouble(trouble) => complain(office, witness, trouble).await.map(|()| false),
    }
}

/// The request that starts from the witness's size.
async fn request(
    office: &Arc<Office>,
    old: u64,
    now: TreeHead,
    note: &str,
) -> Result<AddCheckpoint, AppError> {
    let mut source = StoreSource::new(office.store.clone(), office.body());
    let job = move || {
        let before = head_at(now, old, |t| source.tile(t))?;
        prove_consistency(before, now, |t| source.tile(t))
    };
    let proof =
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    Ok(AddCheckpoint { old_size: old, proof, checkpoint: note.to_owned() })
}

async fn keep(
    office: &Arc<Office>,
    witness: WitnessRow,
    now: TreeHead,
    cosignature: Cosignature,
) -> Result<(), AppError> {
    let (size, at) = (signed(now.size)?, office.clock.now());
    let seconds = i64::try_from(cosignature.timestamp).map_err(AppError::internal)?;
    let line = CosignatureRow {
        size,
        witness: witness.name.clone(),
        line: cosignature.line,
        at: Instant::from_millis(seconds.saturating_mul(1000)),
    };
    let row = WitnessRow {
        size,
        asked_at: Some(at),
        answered_at: Some(at),
        trouble_code: String::new(),
        trouble: String::new(),
        trouble_since: None,
        ..witness
    };
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                kept::put_cosignature(c, &line).await?;
                kept::put_witness(c, &row).await.map_err(AppError::from)
            })
        })
        .await
}

/// Notes why a witness did not sign. That it accuses the log of a rollback or a fork is recorded in the ledger itself, once.
async fn complain(office: &Arc<Office>, witness: WitnessRow, trouble: Trouble) -> Result<(), AppError> {
    let now = office.clock.now();
    let text = trouble.to_string();
    let same = witness.trouble_code == trouble.code();
    let alarm = trouble.accuses_the_log() && !same;
    if alarm {
        tracing::error!(witness = witness.name, code = trouble.code(), "{text}");
    } else if !same {
        tracing::warn!(witness = witness.name, code = trouble.code(), "{text}");
    }
    let row = WitnessRow {
        asked_at: Some(now),
        trouble_code: trouble.code().to_owned(),
        trouble: text,
        trouble_since: if same { witness.trouble_since } else { Some(now) },
        ..witness
    };
    let (seal, stream) = (office.seal()?, rows::stream_id(office.new_id()?));
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                kept::put_witness(c, &row).await?;
                if alarm {
                    let payload = json!({"witness": row.vkey, "code": row.trouble_code, "says": row.trouble, "at": now});
                    record(c, seal, &stream, ALARM, &payload, now).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Whether a witness's trouble says that this log was set back or rewritten.
pub(crate) fn is_alarm(code: &str) -> bool {
    ["ledger.witness.rolled_back", "ledger.witness.forked"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

    #[test]
    fn a_list_names_the_line_that_is_wrong() {
        let list =
            parse_list(&format!("# 監査委員事務局\n\nwitness 監査 {KEY} http://10.1.2.3:8090/\n")).unwrap();
        assert_eq!(list[0].url, "http://10.1.2.3:8090");
        assert_eq!(list[0].key.to_string(), KEY);
        for (text, line) in [
            ("\nwitness 監査 x http://10.1.2.3".to_owned(), "2行目"),
            (format!("witness 監査 {KEY} https://10.1.2.3"), "1行目"),
            (format!("witness 監査 {KEY}"), "1行目"),
            (format!("witness a {KEY} http://a\nwitness b {KEY} http://b"), "2行目"),
            (format!("log {KEY}"), "1行目"),
        ] {
            let refused = parse_list(&text).unwrap_err().to_string();
            assert!(refused.contains(line), "{text}: {refused}");
        }
    }
}
