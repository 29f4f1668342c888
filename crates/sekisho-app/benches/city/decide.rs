//! Decisions of the whole use case from 64 clients on SQLite: authorize, decide, store with ledger entry, checks and notifications.
//! `cargo bench -p sekisho-app --bench city -- decide [decisions 20]` (decisions of each client in a round).
//!
//! Compared in the same run: the writer as it is (`synchronous=FULL`, group commit), one client at a time and so one commit and fsync for
//! each decision, and the writer without fsync (`synchronous=OFF`).

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use crate::common::{City, Outcome, given, machine, percentile, person};
use sekisho_app::cases::ActInput;
use sekisho_app::login::Identity;
use sekisho_app::{AppError, Durability, Store};
use sekisho_testkit::fsync_time;

const CLIENTS: usize = 64;
const ROUNDS: usize = 3;
/// People of the city: two departments of eight sections, so that four clients share a section.
const STAFF: usize = 400;

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
}

/// Measures.
pub fn run() -> Outcome<()> {
    let each = given("decisions", 20)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::Builder::new().prefix("decide").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let fsync = fsync_time(folder.path())?;
    println!("{}; one fsync after 4 KiB: p50 {:.2} ms", machine(), fsync.as_secs_f64() * 1e3);
    println!(
        "| round | FULL, {CLIENTS} clients | FULL, one commit each | OFF, {CLIENTS} clients | times one commit each | of OFF | p50 | p99 | p99 in fsyncs |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    runtime.block_on(async {
        let mut cities = Vec::new();
        for (name, durability) in [("full", Durability::Full), ("off", Durability::Off)] {
            let store = Store::open_sqlite(&folder.path().join(format!("{name}.db")), durability).await?;
            cities.push(Prepared::new(store).await?);
        }
        let [full_city, off_city] = cities.as_slice() else { return Err("two cities".into()) };
        for round in 1..=ROUNDS {
            let full = full_city.decide(CLIENTS, each).await?;
            let alone = full_city.decide(1, each * 4).await?;
            let off = off_city.decide(CLIENTS, each).await?;
            println!(
                "| {round} | {:.0}/s | {:.0}/s | {:.0}/s | {:.1} | {:.0} % | {:.1} ms | {:.1} ms | {:.1} |",
                full.rate,
                alone.rate,
                off.rate,
                full.rate / alone.rate,
                full.rate / off.rate * 100.0,
                full.p50,
                full.p99,
                full.p99 / 1e3 / fsync.as_secs_f64()
            );
        }
        println!("{}", machine());
        Ok(())
    })
}

/// A city with a clerk and a manager of each section logged in.
struct Prepared {
    city: City,
    people: Vec<(Identity, Identity)>,
    assets: Vec<String>,
}

impl Prepared {
    async fn new(store: Store) -> Outcome<Self> {
        let city = crate::common::city(store, STAFF).await?;
        let mut people = Vec::new();
        for section in &city.sections {
            people.push((city.enter(&person(section, 2)).await?, city.enter(&person(section, 0)).await?));
        }
        let assets = city.assets(city.sections.len()).await?;
        Ok(Self { city, people, assets })
    }

    /// Applications, not measured; then every client permits its own, one after another.
    async fn decide(&self, clients: usize, each: usize) -> Outcome<Figures> {
        let mut work: Vec<(Identity, Vec<(String, ActInput)>)> = Vec::new();
        for client in 0..clients {
            let place = client % self.people.len();
            let (Some((clerk, manager)), Some(asset), Some(section)) =
                (self.people.get(place), self.assets.get(place), self.city.sections.get(place))
            else {
                return Err("as many people and assets as sections".into());
            };
            let mut forms = Vec::new();
            for _ in 0..each {
                let case = self.city.apply(clerk, section, asset).await?;
                let form = self.city.permit_form(manager, &case).await?;
                forms.push((case, form));
            }
            work.push((manager.clone(), forms));
        }
        let began = Stopwatch::now();
        let mut tasks = tokio::task::JoinSet::new();
        for (manager, forms) in work {
            let office = Arc::clone(&self.city.office);
            tasks.spawn(async move {
                let mut times = Vec::with_capacity(forms.len());
                for (case, form) in forms {
                    let began = Stopwatch::now();
                    office.act(&manager, &case, &form).await?;
                    times.push(began.elapsed());
                }
                Ok::<Vec<Duration>, AppError>(times)
            });
        }
        let mut times = Vec::new();
        while let Some(done) = tasks.join_next().await {
            times.extend(done??);
        }
        let took = began.elapsed().as_secs_f64();
        let rate = times.len() as f64 / took;
        Ok(Figures { rate, p50: percentile(&mut times, 50), p99: percentile(&mut times, 99) })
    }
}
