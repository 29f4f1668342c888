//! The first of April: `cargo bench -p sekisho-app --bench city -- april [staff 5000 transfers 1500 cases 500]`.
//!
//! A workbook with the transfers of people, heads of sections among them, is looked at, proposed by one person and confirmed by another in
//! March. Then the day turns: roles, logins and open cases follow, and what runs every morning runs. SQLite with `synchronous=FULL`.

use std::time::{Duration, Instant as Stopwatch};

use crate::common::{ADMIN, City, OPERATOR, Outcome, at, given, machine, person};
use sekisho_app::exchange::org::{OrgRecords, OrgSheet};
use sekisho_app::exchange::{Record, Table, write_xlsx};
use sekisho_app::{Durability, Store, cases, checks, duties};
use sekisho_base::table::Value;

/// The bar, in seconds.
const BAR: f64 = 10.0;

/// Measures.
pub fn run() -> Outcome<()> {
    let (staff, transfers, open) = (given("staff", 5_000)?, given("transfers", 1_500)?, given("cases", 500)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::Builder::new().prefix("april").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    runtime.block_on(async {
        let store = Store::open_sqlite(&folder.path().join("april.db"), Durability::Full).await?;
        let city = crate::common::city(store, staff).await?;
        let office = &city.office;
        city.clock.set(at("2027-03-24", 9)?);
        let (admin, operator) = (city.enter(ADMIN).await?, city.enter(OPERATOR).await?);
        let assets = city.assets(city.sections.len()).await?;
        let mut clerks = Vec::new();
        for section in city.sections.iter().take(open) {
            clerks.push(city.enter(&person(section, 2)).await?);
        }
        let places: Vec<_> = clerks.iter().zip(&city.sections).zip(&assets).collect();
        for ((clerk, section), asset) in places.iter().cycle().take(open) {
            city.apply(clerk, section, asset).await?;
        }
        let book = workbook(&city, staff, transfers)?;
        let mut times: Vec<(&str, Duration)> = Vec::new();
        let mut clock = Stopwatch::now();
        let mut lap = |what, times: &mut Vec<(&str, Duration)>| {
            times.push((what, clock.elapsed()));
            clock = Stopwatch::now();
        };
        let plan = office.plan_organization_import(&admin, "異動.xlsx", book).await?;
        lap("workbook looked at", &mut times);
        if let Some(e) = plan.errors.first() {
            return Err(format!("{} {} {}: {}", e.place, e.column, e.value, e.message).into());
        }
        let proposal = office.propose_organization_import(&admin, &plan.upload, &plan.shown).await?;
        lap("proposed", &mut times);
        let rows = office.confirm_proposal(&operator, &proposal).await?;
        lap("confirmed by the second person, in effect", &mut times);
        city.clock.set(at("2027-04-01", 8)?);
        let changed = cases::sweep(office).await?;
        lap("the day turned: open cases follow", &mut times);
        let bar: Duration = times.iter().map(|(_, t)| *t).sum();
        duties::run_day(office).await?;
        lap("duties of the new year", &mut times);
        checks::run_all(office).await?;
        lap("every check evaluated anew", &mut times);
        println!(
            "{staff} staff, {transfers} transfers ({rows} rows), {open} open cases ({changed} changed); {}",
            machine()
        );
        for (what, time) in &times {
            println!("| {what} | {:.2} s |", time.as_secs_f64());
        }
        println!("| **imported and re-assigned** (bar {BAR:.0} s) | **{:.2} s** |", bar.as_secs_f64());
        Ok(())
    })
}

/// The appointments that end on the last day of March and those that begin on the first of April: everybody named goes on to the next
/// section. One in ten of them is a head; the heads of sections change places.
fn workbook(city: &City, staff: usize, transfers: usize) -> Outcome<Vec<u8>> {
    let sections = &city.sections;
    let of_each = staff / sections.len();
    let mut book = OrgRecords::default();
    let mut left = transfers;
    'all: for n in (0..of_each).filter(|n| *n != 1) {
        let post = if n == 0 { "h" } else { "s" };
        for (i, from) in sections.iter().enumerate() {
            let to = sections.get((i + 1) % sections.len()).ok_or("a city has sections")?;
            let who = person(from, n);
            for (section, begin, end) in [(from, "2026-04-01", "2027-03-31"), (to, "2027-04-01", "")] {
                let place = format!("{section}-{post}");
                let cells = [
                    ("person", who.as_str()),
                    ("post", &place),
                    ("main", "main"),
                    ("from", begin),
                    ("until", end),
                ];
                let cells = cells.into_iter().filter(|(_, v)| !v.is_empty());
                let record: Record = cells.map(|(k, v)| (k.to_owned(), Value::Text(v.to_owned()))).collect();
                book.insert(OrgSheet::Appointments, record);
            }
            left -= 1;
            if left == 0 {
                break 'all;
            }
        }
    }
    let sheet = OrgSheet::Appointments;
    Ok(write_xlsx(&[Table::new(&sheet.schema(&[]), book.records(sheet))], "2027-03-24".parse()?)?)
}
