//! An act is answered only after its commit: a process that is killed at any moment loses nothing that it acknowledged.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use sekisho_base::entropy::{Entropy as _, OsEntropy};
use sekisho_store::case::{self, ActRow};
use sekisho_store::{Store, StoreError, args, lease, ledger, setting};

use crate::engine::{Db, at, runtime};
use crate::ledger::entry;

const ADDRESS: &str = "SEKISHO_STORE_TEST_ADDRESS";
const ROUND: &str = "SEKISHO_STORE_TEST_ROUND";
const CLIENTS: u64 = 8;

/// The killed process: clients write acts with their ledger entries until the end, a sequencer places the entries.
#[test]
#[ignore = "runs as the child process of the tests below"]
fn writer() {
    let (address, round) = (std::env::var(ADDRESS).unwrap(), std::env::var(ROUND).unwrap());
    runtime().block_on(async {
        let store = Store::open(&address).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            tasks.spawn(write_acts(store.clone(), format!("{round}-{client}")));
        }
        tasks.spawn(place_entries(store));
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}

async fn write_acts(store: Store, name: String) {
    for n in 0_i64.. {
        let id = format!("{name}-{n}");
        let (act, case_id) = (id.clone(), name.clone());
        let refused = n % 7 == 3;
        let answer = act!(store, c => {
            let seq = ledger::next_seq(c, &case_id).await?;
            ledger::put(c, &entry(&act, &case_id, seq, n)).await?;
            let row = ActRow { seq, kind: "permit".into(), person: "00001".into(), at: at(n), body: "{}".into(), entry: act.clone() };
            case::add_act(c, &case_id, &row).await?;
            if refused { Err(StoreError::Conflict(act)) } else { Ok(()) }
        });
        assert_eq!(answer.is_err(), refused, "{answer:?}");
        if !refused {
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged {id}").unwrap();
            out.flush().unwrap();
        }
    }
}

async fn place_entries(store: Store) {
    loop {
        let placed = act!(store, c => {
            if lease::take(c, "sequencer", "node", at(0), at(30)).await?.is_none() {
                return Ok(0);
            }
            let rows = ledger::outbox(c, 20).await?;
            let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
            let next = c.count("SELECT COALESCE(MAX(leaf_index), -1) + 1 FROM ledger_entry", vec![]).await?;
            ledger::set_leaves(c, next, &ids).await?;
            Ok(ids.len())
        });
        if placed.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Starts the writer, kills it after some acknowledgements, returns all that it printed whole.
fn killed(address: &str, round: u64) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writer", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ADDRESS, address)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut random = [0; 2];
    OsEntropy.fill(&mut random).unwrap();
    let enough = 1 + usize::from(u16::from_be_bytes(random)) % 400;
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        // What the test harness prints stands before the first line without an end of its own.
        if let Some((_, id)) = line.strip_suffix('\n').and_then(|l| l.split_once("acknowledged ")) {
            acknowledged.push(id.to_owned());
        }
        line.clear();
        if acknowledged.len() == enough {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(acknowledged.len() >= enough, "the writer ended by itself: {status}");
    acknowledged
}

async fn kill_and_look(db: &Db, rounds: u64) {
    for round in 0..rounds {
        let address = db.address.clone();
        let acknowledged = tokio::task::spawn_blocking(move || killed(&address, round)).await.unwrap();
        let store = Store::open(&db.address).await.unwrap();
        for id in &acknowledged {
            let key = id.clone();
            let (acts, entries) = look!(store, c => Ok((
                c.count("SELECT COUNT(*) FROM case_act WHERE entry = $1", args![&key]).await?,
                c.count("SELECT COUNT(*) FROM ledger_entry WHERE id = $1", args![&key]).await?,
            )))
            .unwrap();
            assert_eq!((acts, entries), (1, 1), "{id} of round {round}");
        }
        let (acts, entries, pairs, waiting, placed, last) = look!(store, c => Ok((
            c.count("SELECT COUNT(*) FROM case_act", vec![]).await?,
            c.count("SELECT COUNT(*) FROM ledger_entry", vec![]).await?,
            c.count("SELECT COUNT(*) FROM case_act a JOIN ledger_entry e ON e.id = a.entry AND e.stream = a.case_id AND e.seq = a.seq", vec![]).await?,
            ledger::outbox_len(c).await?,
            c.count("SELECT COUNT(leaf_index) FROM ledger_entry", vec![]).await?,
            c.count("SELECT COALESCE(MAX(leaf_index), -1) + 1 FROM ledger_entry", vec![]).await?,
        )))
        .unwrap();
        assert_eq!((acts, pairs), (entries, entries), "no act without entry, no entry without act");
        assert_eq!((waiting + placed, last), (entries, placed), "every entry has its place or waits for it");
        for client in 0..CLIENTS {
            let stream = format!("{round}-{client}");
            let (rows, counted) = look!(store, c => Ok((ledger::stream(c, &stream).await?, setting::current(c, &format!("stream:{stream}")).await?))).unwrap();
            let seqs: Vec<i64> = rows.iter().map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=counted).collect::<Vec<i64>>(), "stream {round}-{client}");
            assert!(
                rows.iter().all(|e| e.id.rsplit_once('-').unwrap().1.parse::<i64>().unwrap() % 7 != 3),
                "a refused act was kept"
            );
        }
        store.close().await;
    }
}

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    crate::engine::sqlite(|db| async move {
        // Opened by every writer anew, with synchronous=FULL.
        kill_and_look(&db, 10).await;
    });
}

#[test]
fn nothing_acknowledged_is_lost_on_postgres() {
    crate::engine::postgres(|db| async move {
        kill_and_look(&db, 3).await;
    });
}
