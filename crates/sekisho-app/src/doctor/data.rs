//! What is in the database.

use sekisho_base::{Clock, Instant};
use sekisho_pack::model::Pack;
use sekisho_store::ledger::witness as kept;
use sekisho_store::maintenance::{self, Facts};
use sekisho_store::node::{self, NodeRow};
use sekisho_store::{Store, StoreError, Trouble, ledger, notification, pack as packs, setting, violation};

use super::{Finding, not_seen};
use crate::error::AppError;
use crate::ledger::reconcile::LONGEST_SILENCE_MS;
use crate::ledger::verdict::{Against, verify_data};
use crate::mail::in_state;

/// How long an entry may wait for its place before somebody should look, in milliseconds.
pub(crate) const LAG_MS: i64 = 60_000;
/// How far the newest entry may be ahead of the clock, in milliseconds.
const AHEAD_MS: i64 = 60_000;
/// Days before the end of the known holidays from which somebody should look.
const CALENDAR_DAYS: i64 = 120;
/// How long the daily jobs may be ago, in milliseconds.
const DAILY_MS: i64 = 26 * 3_600_000;

pub(super) fn unreachable(e: &StoreError) -> Finding {
    const ID: &str = "database";
    const TITLE: &str = "データベース";
    let (says, remedy) = match e.trouble() {
        Some(Trouble::Outdated) => return schema_is_newer(),
        Some(Trouble::Full) => ("ディスクに空きがありません。", "空きを作ってください。"),
        Some(Trouble::ReadOnly) => {
            ("書き込めません。", "ファイルとフォルダに、サーバを動かす利用者が書けるようにしてください。")
        }
        Some(Trouble::Locked) => {
            ("ほかのプログラムが使い続けています。", "そのプログラムを終わらせてください。")
        }
        Some(Trouble::Damaged) => (
            "ファイルが壊れているか、読み書きに失敗しました。",
            "サーバを止め、写しを取ってから、バックアップを新しい場所に戻してください。",
        ),
        _ => (
            "開けません。",
            "場所（data.folder、data.database）と、データベースが動いているかを確かめてください。",
        ),
    };
    Finding::bad(ID, TITLE, format!("{says}（{e}）"), remedy)
}

fn schema_is_newer() -> Finding {
    Finding::bad(
        "schema",
        "データの版",
        "このデータは、新しい版の関所で使われたものです。このプログラムでは開けません。",
        "新しい版のプログラムを使うか、この版で作ったバックアップを新しい場所に戻してください。",
    )
}

pub(super) fn schema(facts: &Facts) -> Finding {
    if !facts.unknown.is_empty() {
        return schema_is_newer();
    }
    if facts.pending.is_empty() {
        return Finding::good(
            "schema",
            "データの版",
            format!("{}まで、このプログラムと同じです。", facts.applied.last().unwrap_or(&0)),
        );
    }
    Finding::caution(
        "schema",
        "データの版",
        format!(
            "古い版です（{}個の更新がまだ）。次にサーバを動かすと、自動で新しくなります。",
            facts.pending.len()
        ),
        "バックアップを作り、sekisho upgrade-check で確かめてから、サーバを動かしてください。",
    )
}

pub(super) async fn integrity(address: &str) -> Finding {
    const ID: &str = "database";
    const TITLE: &str = "データベース";
    match maintenance::integrity(address).await {
        Ok(defects) if defects.is_empty() => Finding::good(ID, TITLE, "読め、壊れたところはありません。"),
        Ok(defects) => Finding::bad(
            ID,
            TITLE,
            format!("壊れています（{}）。", defects.join(" / ")),
            "サーバを止め、データフォルダを丸ごと写して保全し、バックアップを新しい場所に戻してください。",
        ),
        Err(e) => unreachable(&e),
    }
}

/// Looks at everything in an open database; `thorough` also verifies the whole ledger.
pub(super) async fn look(store: &Store, clock: &dyn Clock, thorough: bool) -> Vec<Finding> {
    let now = clock.now();
    let mut found = Vec::new();
    if let Some(trouble) = store.trouble() {
        found.push(Finding::bad(
            "database.writes",
            "データベースへの書込み",
            format!("最後の書込みが失敗しました（{}）。", trouble.code()),
            "ディスクの空きと、データベースが動いているかを確かめてください。直ると、次の書込みから元に戻ります。",
        ));
    }
    found.push(
        ledger_state(store, thorough).await.unwrap_or_else(|e| not_seen("ledger.verified", "証跡の検証", &e)),
    );
    match rows(store, now).await {
        Ok(seen) => {
            found.extend(super::nodes::look(&seen.nodes.0, seen.nodes.1));
            found.push(outbox(&seen, now));
            found.push(clock_of(&seen, now));
            found.push(heartbeat(&seen, now));
            found.push(calendar(&seen, now));
            found.extend(witnesses(&seen, now));
            found.push(mail_queue(&seen));
            found.push(daily(&seen, now));
        }
        Err(e) => found.push(not_seen("database.rows", "データベースの中身", &e)),
    }
    found
}

/// What one transaction reads.
struct Seen {
    waiting: i64,
    oldest_waiting: Option<Instant>,
    newest: Option<Instant>,
    pack: Option<Pack>,
    witnesses: Vec<kept::WitnessRow>,
    mail: Vec<(String, i64)>,
    last_check: Option<Instant>,
    /// Nodes, and the time by which they were seen.
    nodes: (Vec<NodeRow>, Instant),
}

async fn rows(store: &Store, now: Instant) -> Result<Seen, AppError> {
    let (mut seen, files) = store
        .read(move |c| {
            Box::pin(async move {
                let files = match setting::get(c, crate::office::RUNNING).await? {
                    Some(hash) => packs::get(c, &hash).await?.map(|p| p.files),
                    None => None,
                };
                let seen = Seen {
                    waiting: ledger::outbox_len(c).await?,
                    oldest_waiting: ledger::outbox(c, 1).await?.first().map(|e| e.at),
                    newest: ledger::newest_at(c).await?,
                    pack: None,
                    witnesses: kept::witnesses(c).await?,
                    mail: notification::mail_state(c, 1).await?.0,
                    last_check: violation::runs(c).await?.values().map(|r| r.ran_at).max(),
                    nodes: node::all(c, now).await?,
                };
                Ok::<_, AppError>((seen, files))
            })
        })
        .await?;
    seen.pack = files.and_then(|f| Pack::load_files(&f).ok());
    Ok(seen)
}

async fn ledger_state(store: &Store, thorough: bool) -> Result<Finding, AppError> {
    const ID: &str = "ledger.verified";
    const TITLE: &str = "証跡の検証";
    let remedy = "サーバを止め、データフォルダを丸ごと写して保全し、CSIRTと監査を行う人に知らせてください。直そうとしないでください。";
    let head = store.read(|c| Box::pin(async move { ledger::head(c).await.map_err(AppError::from) })).await?;
    let Some(head) = head else {
        return Ok(Finding::caution(
            ID,
            TITLE,
            "署名した控えがまだありません。",
            "サーバを動かすと、はじめの記録に署名します。",
        ));
    };
    if thorough {
        let verdict = verify_data(store, Against::default()).await?;
        return Ok(if verdict.sound {
            Finding::good(ID, TITLE, format!("{}件の記録すべてと、処理の行が一致しました。", head.size))
        } else {
            let lines: Vec<String> =
                verdict.text.into_iter().filter(|l| l.starts_with('×')).take(5).collect();
            Finding::bad(ID, TITLE, format!("一致しないところがあります。{}", lines.join(" ")), remedy)
        });
    }
    let review =
        store.read(|c| Box::pin(async move { kept::latest_review(c).await.map_err(AppError::from) })).await?;
    Ok(match review {
        None => Finding::caution(
            ID,
            TITLE,
            "毎日の照合が、まだ一度も行われていません。",
            "サーバを動かして数分待ってください。",
        ),
        Some(r) if r.sound => Finding::good(
            ID,
            TITLE,
            format!("{} の照合で、{}件すべてが一致しました。", r.ran_at.japanese(), r.size),
        ),
        Some(r) => Finding::bad(
            ID,
            TITLE,
            format!("{} の照合で、一致しないところが見つかりました。", r.ran_at.japanese()),
            remedy,
        ),
    })
}

fn outbox(seen: &Seen, now: Instant) -> Finding {
    const ID: &str = "ledger.sequencer";
    const TITLE: &str = "署名を待つ記録";
    let age = seen.oldest_waiting.map_or(0, |at| now.millis() - at.millis());
    if seen.waiting == 0 || age <= LAG_MS {
        return Finding::good(ID, TITLE, format!("{}件です。", seen.waiting));
    }
    Finding::caution(
        ID,
        TITLE,
        format!("{}件あり、いちばん古いものは {}分待っています。", seen.waiting, age / 60_000),
        "サーバが止まっていれば動かしてください。動いているのに減らないときは、動作の記録の sequencer の行を見てください。",
    )
}

fn clock_of(seen: &Seen, now: Instant) -> Finding {
    const ID: &str = "clock";
    const TITLE: &str = "時計";
    match seen.newest {
        Some(at) if at.millis() - now.millis() > AHEAD_MS => Finding::bad(
            ID,
            TITLE,
            format!(
                "最後の記録（{}）が、今の時刻（{}）より先です。時計が戻ったか、進んでいた間に記録しました。",
                at.japanese(),
                now.japanese()
            ),
            "時刻合わせ（NTP）が動いているかを確かめてください。記録の順番は保たれ、時計が追いつくまで新しい記録の時刻は前の記録と同じになります。",
        ),
        _ => Finding::good(ID, TITLE, format!("{}。記録の時刻より戻っていません。", now.japanese())),
    }
}

fn heartbeat(seen: &Seen, now: Instant) -> Finding {
    const ID: &str = "ledger.heartbeat";
    const TITLE: &str = "無事の記録";
    match seen.newest {
        Some(at) if now.millis() - at.millis() <= LONGEST_SILENCE_MS => {
            Finding::good(ID, TITLE, format!("最後の記録は {} です。", at.japanese()))
        }
        Some(at) => Finding::caution(
            ID,
            TITLE,
            format!("最後の記録は {} で、一日を超えて何も記録されていません。", at.japanese()),
            "サーバが止まっていれば動かし、止めていた理由を残してください。",
        ),
        None => Finding::caution(ID, TITLE, "記録がまだありません。", "サーバを動かしてください。"),
    }
}

fn calendar(seen: &Seen, now: Instant) -> Finding {
    const ID: &str = "calendar";
    const TITLE: &str = "休日の表";
    let Some(until) = seen.pack.as_ref().and_then(|p| p.calendar.known_until) else {
        return Finding::caution(
            ID,
            TITLE,
            "使っているパックの休日の表を読めません。",
            "sekisho pack check で確かめてください。",
        );
    };
    let left = until.epoch_days() - now.date().epoch_days();
    let says = format!("{} までの休日が分かっています。", until.japanese());
    let remedy = "パックの calendar.toml に翌年の休日を足し、新しい版として使い始めてください。過ぎると、営業日で数える期限が祝日を数えてしまいます。";
    if left < 0 {
        Finding::bad(ID, TITLE, says, remedy)
    } else if left < CALENDAR_DAYS {
        Finding::caution(ID, TITLE, says, remedy)
    } else {
        Finding::good(ID, TITLE, says)
    }
}

fn witnesses(seen: &Seen, now: Instant) -> Vec<Finding> {
    const ID: &str = "ledger.witness";
    const TITLE: &str = "立会人";
    if seen.witnesses.is_empty() {
        return vec![Finding::caution(
            ID,
            TITLE,
            "立会人がいません。控えを外に預けていなければ、データと鍵を持つ人が記録を作り直しても分かりません。",
            "別の機械で別の人が sekisho ledger witness を動かし、witness.list に書いてください。少なくとも、控えを毎月印刷して預けてください。",
        )];
    }
    seen.witnesses
        .iter()
        .map(|w| {
            let quiet = w.answered_at.is_none_or(|at| now.millis() - at.millis() > LONGEST_SILENCE_MS);
            if crate::ledger::witnesses::is_alarm(&w.trouble_code) {
                Finding::bad(
                    ID,
                    TITLE,
                    format!("{} が警告しています（{}）。", w.name, w.trouble),
                    "サーバを止めずに、CSIRTと監査を行う人にすぐ知らせてください。",
                )
            } else if !w.trouble.is_empty() || quiet {
                Finding::caution(
                    ID,
                    TITLE,
                    format!(
                        "{} は、新しい控えに署名していません（{}）。",
                        w.name,
                        if w.trouble.is_empty() { "返事がない" } else { &w.trouble }
                    ),
                    "立会人が動いているか、そこへつながるかを確かめてください。",
                )
            } else {
                Finding::good(ID, TITLE, format!("{} は、{}件の控えに署名しました。", w.name, w.size))
            }
        })
        .collect()
}

fn mail_queue(seen: &Seen) -> Finding {
    const ID: &str = "mail.queue";
    const TITLE: &str = "送信待ちのメール";
    let (waiting, failed) = (in_state(&seen.mail, "waiting"), in_state(&seen.mail, "failed"));
    let says = format!("送信待ち {waiting}件、送れなかったもの {failed}件です。");
    if failed > 0 {
        return Finding::caution(
            ID,
            TITLE,
            says,
            "「お知らせ」の「メールの送信」で、宛先と理由を確かめてください。",
        );
    }
    Finding::good(ID, TITLE, says)
}

fn daily(seen: &Seen, now: Instant) -> Finding {
    const ID: &str = "jobs.daily";
    const TITLE: &str = "毎日の点検";
    match seen.last_check {
        Some(at) if now.millis() - at.millis() <= DAILY_MS => {
            Finding::good(ID, TITLE, format!("{} に行いました。", at.japanese()))
        }
        Some(at) => Finding::caution(
            ID,
            TITLE,
            format!("{} から行われていません。期限切れの知らせと、条項の状態が古いままです。", at.japanese()),
            "サーバを動かしてください。動いているのに行われないときは、動作の記録の daily の行を見てください。",
        ),
        None => Finding::caution(ID, TITLE, "まだ一度も行われていません。", "サーバを動かすと行われます。"),
    }
}
