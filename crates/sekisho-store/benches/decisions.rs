//! Durable decisions on SQLite from 64 clients, and placing ledger entries: `cargo bench -p sekisho-store --bench decisions`.
//!
//! One decision writes its case, an act, the open task and a ledger entry in one transaction. Compared in the same run: the
//! writer as it is (`synchronous=FULL`, group commit), one commit and fsync per decision (one client at a time), and the writer
//! without fsync (`synchronous=OFF`).

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant as Stopwatch};

use sekisho_base::Instant;
use sekisho_store::case::{self, ActRow, CaseRow, TaskRow};
use sekisho_store::ledger::{self, EntryRow};
use sekisho_store::{Conn, Durability, Store, StoreError};
use sekisho_testkit::fsync_time;

type Outcome<T> = Result<T, Box<dyn Error>>;

const CLIENTS: usize = 64;
const DECISIONS: usize = 100;
const ALONE: usize = 400;
const ENTRIES: usize = 100_000;
const BATCH: usize = 1_024;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // In the folder of the build, on a disk: a folder for temporary files may be in memory.
    let folder = tempfile::Builder::new().prefix("decisions").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let fsync = fsync_time(folder.path())?;
    println!("one fsync after 4 KiB: p50 {:.2} ms", fsync.as_secs_f64() * 1e3);
    runtime.block_on(async {
        for round in 1..=3 {
            println!("round {round}");
            let full = clients(&folder.path().join(format!("full{round}.db")), Durability::Full).await?;
            let alone = alone(&folder.path().join(format!("alone{round}.db"))).await?;
            let off = clients(&folder.path().join(format!("off{round}.db")), Durability::Off).await?;
            println!(
                "  FULL, {CLIENTS} clients:        {:>7.0} decisions/s, p50 {:.1} ms, p99 {:.1} ms",
                full.rate, full.p50, full.p99
            );
            println!(
                "  FULL, one commit each:    {:>7.0} decisions/s, p50 {:.1} ms, p99 {:.1} ms",
                alone.rate, alone.p50, alone.p99
            );
            println!(
                "  OFF, {CLIENTS} clients:         {:>7.0} decisions/s, p50 {:.1} ms, p99 {:.1} ms",
                off.rate, off.p50, off.p99
            );
            println!(
                "  {:.1} times one commit each; {:.0} % of OFF; p99 is {:.1} fsyncs",
                full.rate / alone.rate,
                full.rate / off.rate * 100.0,
                full.p99 / 1e3 / fsync.as_secs_f64()
            );
        }
        place(&folder.path().join("leaves.db")).await
    })
}

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn figures(mut times: Vec<Duration>, took: Duration) -> Figures {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    Figures { rate: times.len() as f64 / took.as_secs_f64(), p50: at(50), p99: at(99) }
}

async fn clients(path: &Path, durability: Durability) -> Outcome<Figures> {
    let store = Store::open_sqlite(path, durability).await?;
    let began = Stopwatch::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(DECISIONS);
            for n in 0..DECISIONS {
                let began = Stopwatch::now();
                store.write(move |c| Box::pin(decide(c, client * DECISIONS + n))).await?;
                times.push(began.elapsed());
            }
            Ok::<_, StoreError>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let figures = figures(times, began.elapsed());
    store.close().await;
    Ok(figures)
}

async fn alone(path: &Path) -> Outcome<Figures> {
    let store = Store::open_sqlite(path, Durability::Full).await?;
    let (began, mut times) = (Stopwatch::now(), Vec::new());
    for n in 0..ALONE {
        let began = Stopwatch::now();
        store.write(move |c| Box::pin(decide(c, n))).await?;
        times.push(began.elapsed());
    }
    let figures = figures(times, began.elapsed());
    store.close().await;
    Ok(figures)
}

async fn decide(c: &mut Conn<'_>, n: usize) -> Result<(), StoreError> {
    let at = Instant::from_millis(1_790_000_000_000 + i64::try_from(n).unwrap_or(0));
    let id = format!("01CASE{n:020}");
    let stream = format!("{n:032x}");
    let seq = ledger::next_seq(c, &stream).await?;
    let entry = entry(n, &stream, seq, at);
    ledger::put(c, &entry).await?;
    let row = CaseRow {
        id: id.clone(),
        procedure: "take_out".into(),
        number: format!("持出-R8-{n:06}"),
        title: "固定資産評価調書の持出".into(),
        status: "out".into(),
        applicant: "00042".into(),
        post: "P-1".into(),
        unit: "0105".into(),
        pack: "0".repeat(64),
        version: 1,
        state: format!("{{\"filler\":\"{}\"}}", "状".repeat(600)),
        opened_at: at,
        closed_at: None,
        due: None,
        next_change_on: None,
        search: "固定資産評価調書の持出".into(),
    };
    case::put(c, &row).await?;
    let act = ActRow {
        seq: 1,
        kind: "permit".into(),
        person: "00007".into(),
        at,
        body: format!("{{\"hash\":\"{}\"}}", "a".repeat(300)),
        entry: entry.id,
    };
    case::add_act(c, &id, &act).await?;
    let task = TaskRow {
        case_id: id.clone(),
        step: "return".into(),
        kind: "perform".into(),
        title: "返却".into(),
        post: String::new(),
        person: "00042".into(),
        due: None,
        opened_at: at,
    };
    case::set_tasks(c, &id, &[task]).await
}

fn entry(n: usize, stream: &str, seq: i64, at: Instant) -> EntryRow {
    EntryRow {
        id: format!("01ENTRY{n:019}"),
        stream: stream.to_owned(),
        seq,
        kind: "case.permit".into(),
        commitment: "c".repeat(64),
        salt: Some("5".repeat(32)),
        payload: Some(format!("{{\"filler\":\"{}\"}}", "p".repeat(400))),
        at,
        leaf_index: None,
    }
}

/// Reads the outbox and places its entries batch by batch, as the sequencer does.
async fn place(path: &Path) -> Outcome<()> {
    let store = Store::open_sqlite(path, Durability::Full).await?;
    for first in (0..ENTRIES).step_by(5_000) {
        store
            .write(move |c| {
                Box::pin(async move {
                    for n in first..first + 5_000 {
                        let at = Instant::from_millis(1_790_000_000_000 + i64::try_from(n).unwrap_or(0));
                        ledger::put(c, &entry(n, &format!("{n:032x}"), 1, at)).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
    }
    let began = Stopwatch::now();
    let mut placed = 0;
    loop {
        let n = store
            .write(move |c| {
                Box::pin(async move {
                    let rows = ledger::outbox(c, i64::try_from(BATCH).unwrap_or(1)).await?;
                    let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
                    ledger::set_leaves(c, i64::try_from(placed).unwrap_or(0), &ids).await?;
                    Ok::<_, StoreError>(rows.len())
                })
            })
            .await?;
        if n == 0 {
            break;
        }
        placed += n;
    }
    let took = began.elapsed();
    println!(
        "{placed} entries placed in batches of {BATCH}: {:.2} s, {:.0} entries/s",
        took.as_secs_f64(),
        placed as f64 / took.as_secs_f64()
    );
    store.close().await;
    Ok(())
}
