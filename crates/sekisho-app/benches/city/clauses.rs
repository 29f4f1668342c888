//! The state of all clauses at full size: `cargo bench -p sekisho-app --bench city -- clauses [staff 5000 assets 100000 entries 1000000]`.
//!
//! Makes a city by formula on SQLite and, where it is installed, PostgreSQL, and measures what the page 条項の状態 calls, the full evaluation
//! of every check, and an act with the checks that it touches followed by the page again.

use std::collections::BTreeMap;
use std::time::Instant as Stopwatch;

use crate::common::{ADMIN, City, Outcome, given, machine, on_both, percentile, person};
use sekisho_app::clauses::ClausesQuery;
use sekisho_app::{AppError, Store, checks, duties, sequencer};
use sekisho_base::Id;
use sekisho_base::canonical::hex;
use sekisho_store::ledger::{self, EntryRow};

const ROUNDS: usize = 20;

/// Measures.
pub fn run() -> Outcome<()> {
    on_both("clauses", measure)
}

/// The city and one of its assets, of the first section.
async fn make(store: Store) -> Outcome<(City, String)> {
    let began = Stopwatch::now();
    let (staff, assets, entries) =
        (given("staff", 5_000)?, given("assets", 100_000)?, given("entries", 1_000_000)?);
    let city = crate::common::city(store, staff).await?;
    let asset = city.assets(assets).await?.into_iter().next().ok_or("a city has assets")?;
    for first in (0..entries).step_by(4_096) {
        let rows: Vec<EntryRow> =
            (first..entries.min(first + 4_096)).map(|n| entry(&city, n)).collect::<Outcome<_>>()?;
        let put = city.office.store.write(move |c| {
            Box::pin(async move { ledger::put_first(c, &rows).await.map_err(AppError::from) })
        });
        put.await?;
        if first % (4_096 * 16) == 0 {
            sequencer::drain(&city.office).await?;
        }
    }
    sequencer::drain(&city.office).await?;
    duties::run_day(&city.office).await?;
    checks::run_all(&city.office).await?;
    println!(
        "{staff} staff, {assets} assets, {entries} entries made in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    Ok((city, asset))
}

fn entry(city: &City, n: usize) -> Outcome<EntryRow> {
    let payload = format!("{{\"n\":{n},\"filler\":\"{}\"}}", "p".repeat(300));
    let salt = [5; 16];
    let id: Id = city.office.new_id()?;
    Ok(EntryRow {
        id: id.to_string(),
        stream: format!("{n:032x}"),
        seq: 1,
        kind: "bench.entry".to_owned(),
        commitment: hex(&sekisho_ledger::commit(&salt, &payload)),
        salt: Some(hex(&salt)),
        payload: Some(payload),
        at: city.office.clock.now(),
        leaf_index: None,
    })
}

async fn measure(what: &str, store: Store) -> Outcome<()> {
    let (city, asset) = make(store).await?;
    let section = city.sections.first().ok_or("a city has sections")?.clone();
    let (admin, clerk) = (city.enter(ADMIN).await?, city.enter(&person(&section, 2)).await?);
    let office = &city.office;
    let mut page = Vec::new();
    let mut broken = 0;
    for _ in 0..ROUNDS {
        let began = Stopwatch::now();
        let view = office.clauses(&admin, &ClausesQuery::default()).await?;
        page.push(began.elapsed());
        broken = view.totals.iter().find(|t| t.class == "broken").map_or(0, |t| t.count);
    }
    let mut full = Vec::new();
    for _ in 0..3 {
        let began = Stopwatch::now();
        checks::run_all(office).await?;
        full.push(began.elapsed());
    }
    // The first case of a process has the pack's rules compiled; that is no part of any state.
    city.apply(&clerk, &section, &asset).await?;
    let (mut saved, mut applied, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        // The place goes and comes back: the check that wants it opens and closes.
        let (version, typed) = form(&city, &admin, &asset, if n % 2 == 0 { "" } else { "書庫" }).await?;
        let began = Stopwatch::now();
        office.save_row(&admin, "asset", Some(&asset), version, &typed).await?;
        saved.push(began.elapsed());
        let began = Stopwatch::now();
        city.apply(&clerk, &section, &asset).await?;
        applied.push(began.elapsed());
        let began = Stopwatch::now();
        office.clauses(&admin, &ClausesQuery::default()).await?;
        after.push(began.elapsed());
    }
    println!("{what}; {}; {broken} clauses broken; p50 / p95 in ms", machine());
    for (name, times) in [
        ("state of all clauses (page)", &mut page),
        ("every check evaluated anew", &mut full),
        ("a register row saved, with its checks", &mut saved),
        ("a case applied for, with its checks", &mut applied),
        ("state of all clauses after these", &mut after),
    ] {
        println!("| {name} | {:.1} / {:.1} |", percentile(times, 50), percentile(times, 95));
    }
    city.office.store.clone().close().await;
    Ok(())
}

async fn form(
    city: &City,
    who: &sekisho_app::login::Identity,
    id: &str,
    place: &str,
) -> Outcome<(i64, BTreeMap<String, String>)> {
    let form = city.office.register_form(who, "asset", Some(id), None).await?;
    let mut typed: BTreeMap<String, String> = form.fields.into_iter().map(|f| (f.name, f.value)).collect();
    typed.insert("place".to_owned(), place.to_owned());
    Ok((form.version, typed))
}
