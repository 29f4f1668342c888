//! Events told to other systems (webhooks): after each entry of the ledger has its place, receivers that the configuration names are
//! sent what happened, signed with a secret of their own. The ledger is the queue: an entry is written in its act's transaction,
//! places are dense, and each receiver's next place is kept until it answered. No payload is sent: whoever may read it asks the interface.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sekisho_base::canonical::hex;
use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_store::ledger::{self, EntryRow};
use sekisho_store::webhook::{self, WebhookRow};
use serde_json::json;
use sha2::Sha256;

use crate::error::AppError;
use crate::ledger::kind_label;
use crate::login::Identity;
use crate::office::Office;

/// Receivers that a body may have.
const MOST: usize = 16;
/// Entries read at once.
const BATCH: i64 = 100;
/// Bytes of a secret at least.
const SECRET: usize = 32;
/// How long a node may be the one that tells.
const LEASE_MS: i64 = 60_000;
/// First pause after a failure in milliseconds; it doubles with each.
const FIRST_PAUSE: i64 = 10_000;
/// Longest pause in milliseconds.
const LONGEST_PAUSE: i64 = 3_600_000;

/// Header with the moment of sending, seconds since 1970.
pub const TIMESTAMP: &str = "x-sekisho-timestamp";
/// Header with `v1=` and HMAC-SHA256 over the timestamp, a full stop and the body, hexadecimal.
pub const SIGNATURE: &str = "x-sekisho-signature";
/// Header with the entry's id: the same entry may come more than once.
pub const DELIVERY: &str = "x-sekisho-delivery";

/// A receiver as configured.
#[derive(Clone)]
pub struct Receiver {
    /// Name.
    pub name: String,
    /// Where it listens, `http://…`.
    pub url: String,
    /// What its signatures are made with.
    pub secret: Vec<u8>,
    /// Beginnings of the kinds it is told; none: all.
    pub kinds: Vec<String>,
}

/// Reads a list of receivers: lines `webhook NAME ADDRESS SECRET-FILE [KIND,…]`; empty lines and lines that begin with `#` are left
/// out. `read` reads a secret's file.
///
/// # Errors
/// Names the line and what is wrong with it.
pub fn parse_list(
    text: &str,
    read: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<Receiver>, AppError> {
    let mut list: Vec<Receiver> = Vec::new();
    for (line, n) in text.lines().zip(1..) {
        let bad = |what: &str| AppError::refused("E001", format!("通知先の一覧の{n}行目: {what}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, url, file, kinds) = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            ["webhook", name, url, file] => (name, url, file, ""),
            ["webhook", name, url, file, kinds] => (name, url, file, *kinds),
            _ => return Err(bad("「webhook 名前 アドレス 秘密のファイル [種類,種類]」の形で書いてください")),
        };
        if !url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
            return Err(bad("アドレスは http:// で始めてください（例: http://10.1.2.3:9000/sekisho）"));
        }
        if list.iter().any(|r| r.name == *name) {
            return Err(bad("同じ名前の通知先が2回あります"));
        }
        let secret = read(file).map_err(|e| bad(&e))?;
        let secret = secret.trim_ascii_end().to_vec();
        if secret.len() < SECRET {
            return Err(bad(&format!("秘密は{SECRET}文字以上にしてください")));
        }
        let kinds = kinds.split(',').map(str::trim).filter(|k| !k.is_empty()).map(str::to_owned).collect();
        list.push(Receiver { name: (*name).to_owned(), url: (*url).to_owned(), secret, kinds });
    }
    if list.len() > MOST {
        return Err(AppError::refused("E002", format!("通知先は{MOST}までです。")));
    }
    Ok(list)
}

/// What carries an event to a receiver. Who implements it knows HTTP; nobody here does.
pub trait Courier: Send + Sync {
    /// Sends JSON with headers by POST and answers the status within seconds. It follows no redirection.
    fn deliver(
        &self,
        url: String,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + '_>>;
}

/// The signature header of a body sent at a moment (seconds since 1970).
#[must_use]
pub fn signature(secret: &[u8], seconds: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

fn event(body: &str, e: &EntryRow) -> String {
    json!({
        "body": body,
        "id": e.id,
        "kind": e.kind,
        "title": kind_label(&e.kind),
        "stream": e.stream,
        "seq": e.seq,
        "leaf_index": e.leaf_index,
        "commitment": e.commitment,
        "at": e.at,
    })
    .to_string()
}

fn pause(tries: i64) -> i64 {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(20);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Tells every receiver what it has not heard yet. One node at a time tells. A receiver that is named for the first time begins at
/// the present. Answers how many events were taken.
///
/// # Errors
/// The database failed; a receiver that does not answer is no error.
#[boxed]
pub async fn round(
    office: &Arc<Office>,
    receivers: &[Receiver],
    courier: &dyn Courier,
) -> Result<usize, AppError> {
    if receivers.is_empty() {
        return Ok(0);
    }
    // Looked at without writing first: a lease taken for nothing would be a commit, and every commit wakes this again.
    let (standing, size) = where_they_stand(office).await?;
    let now = office.clock.now();
    let waits = |r: &Receiver| {
        let known = standing.iter().find(|w| w.receiver == r.name);
        known.is_none_or(|w| w.next_leaf < size && w.try_after <= now)
    };
    if !receivers.iter().any(waits) {
        return Ok(0);
    }
    Ok(office.alone("webhook", LEASE_MS, tell_all(office, receivers, courier)).await?.unwrap_or_default())
}

/// Under the lease, which everything that is kept renews.
async fn tell_all(
    office: &Arc<Office>,
    receivers: &[Receiver],
    courier: &dyn Courier,
) -> Result<usize, AppError> {
    // Another node may have told some of it just before.
    let (standing, size) = where_they_stand(office).await?;
    let now = office.clock.now();
    let mut taken = 0;
    for r in receivers {
        let known = standing.iter().find(|w| w.receiver == r.name).cloned();
        let row = match known {
            Some(row) => row,
            None => {
                let row = WebhookRow {
                    receiver: r.name.clone(),
                    next_leaf: size,
                    tries: 0,
                    try_after: now,
                    delivered_at: None,
                    error: String::new(),
                };
                keep(office, &row).await?;
                row
            }
        };
        if row.try_after <= now {
            taken += tell(office, r, row, courier).await?;
        }
    }
    Ok(taken)
}

/// Where the receivers stand, and how many entries have their place.
async fn where_they_stand(office: &Office) -> Result<(Vec<WebhookRow>, i64), AppError> {
    office
        .store
        .read(|c| {
            Box::pin(async move {
                let size = ledger::head(c).await?.map_or(0, |h| h.size);
                Ok::<_, AppError>((webhook::all(c).await?, size))
            })
        })
        .await
}

async fn keep(office: &Arc<Office>, row: &WebhookRow) -> Result<(), AppError> {
    let row = row.clone();
    office
        .store
        .write(move |c| Box::pin(async move { webhook::put(c, &row).await.map_err(AppError::from) }))
        .await
}

/// One batch to one receiver, until it fails or everything was told.
async fn tell(
    office: &Arc<Office>,
    r: &Receiver,
    mut row: WebhookRow,
    courier: &dyn Courier,
) -> Result<usize, AppError> {
    let from = row.next_leaf;
    let entries = office
        .store
        .read(move |c| {
            Box::pin(async move { ledger::sequenced(c, from, BATCH).await.map_err(AppError::from) })
        })
        .await?;
    let mut taken = 0;
    for e in &entries {
        let next = e.leaf_index.map_or(row.next_leaf, |i| i + 1);
        if !r.kinds.is_empty() && !r.kinds.iter().any(|k| e.kind.starts_with(k.as_str())) {
            row.next_leaf = next;
            continue;
        }
        let (body, now) = (event(office.body(), e), office.clock.now());
        let seconds = now.millis().div_euclid(1000);
        let headers = vec![
            (TIMESTAMP, seconds.to_string()),
            (SIGNATURE, signature(&r.secret, seconds, &body)),
            (DELIVERY, e.id.clone()),
        ];
        match courier.deliver(r.url.clone(), headers, body).await {
            Ok(200..=299) => {
                (row.next_leaf, row.tries, row.delivered_at) = (next, 0, Some(now));
                row.error = String::new();
                taken += 1;
                // What was told is not told again when the next one fails.
                keep(office, &row).await?;
            }
            other => {
                row.tries += 1;
                row.try_after = now.plus_millis(pause(row.tries));
                row.error = match other {
                    Ok(status) => format!("状態 {status} が返りました"),
                    Err(e) => shorten(&e, 200),
                };
                keep(office, &row).await?;
                return Ok(taken);
            }
        }
    }
    // Entries after the last that was told were of other kinds.
    if row.next_leaf != from {
        keep(office, &row).await?;
    }
    Ok(taken)
}

/// Tells after commits, and every few seconds for what is to be tried again, until it is dropped.
#[boxed]
pub async fn run(office: Arc<Office>, receivers: Vec<Receiver>, courier: Arc<dyn Courier>) {
    let committed = office.store.committed();
    loop {
        match round(&office, &receivers, courier.as_ref()).await {
            Ok(n) if n > 0 => continue,
            Ok(_) => {}
            Err(e) => tracing::error!(error = %e, "receivers of events could not be told"),
        }
        let _ = tokio::time::timeout(Duration::from_secs(10), committed.notified()).await;
        // The sequencer gives the entry its place first.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Where a receiver stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookLine {
    /// Name.
    pub receiver: String,
    /// How many entries it has not heard of.
    pub behind: i64,
    /// When it took something last, or empty.
    pub delivered: String,
    /// What the last attempt failed with, or empty.
    pub error: String,
}

#[boxed]
impl Office {
    /// Where the receivers stand; nothing for those who do not run the system.
    ///
    /// # Errors
    /// The database failed.
    pub async fn webhooks(&self, who: &Identity) -> Result<Vec<WebhookLine>, AppError> {
        if !self.me(who).await?.administers() {
            return Ok(vec![]);
        }
        let (all, size) = where_they_stand(self).await?;
        let line = |w: WebhookRow| WebhookLine {
            behind: (size - w.next_leaf).max(0),
            delivered: w.delivered_at.map(sekisho_base::Instant::japanese).unwrap_or_default(),
            receiver: w.receiver,
            error: w.error,
        };
        Ok(all.into_iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        // By Python: hmac.new(b"s" * 32, b'1800000000.{"a":1}', hashlib.sha256).hexdigest()
        assert_eq!(
            signature(&[b's'; 32], 1_800_000_000, r#"{"a":1}"#),
            "v1=5900c81bf568d90e7fdb58396bea548309b292217acc7e6df76b53b4032a0471"
        );
    }

    #[test]
    fn a_list_names_its_faults() {
        let read = |file: &str| {
            if file == "short" {
                Ok(b"x".to_vec())
            } else {
                Ok(b"0123456789abcdef0123456789abcdef\n".to_vec())
            }
        };
        let list = parse_list("# 通知先\n\nwebhook a http://10.0.0.1/x key case.,duty.\n", read).unwrap();
        assert_eq!((list.len(), list[0].kinds.len(), list[0].secret.len()), (1, 2, 32));
        for (text, says) in [
            ("webhook a https://x key", "http://"),
            ("webhook a http://x short", "32文字以上"),
            ("webhook a", "の形で"),
            ("webhook a http://x key\nwebhook a http://y key", "2行目"),
        ] {
            let e = parse_list(text, read).err().unwrap().to_string();
            assert!(e.contains(says), "{e}");
        }
    }
}
