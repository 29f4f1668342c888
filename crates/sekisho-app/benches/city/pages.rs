//! What a page costs on the server in a large city: `cargo bench -p sekisho-app --bench city -- pages [staff 1200 assets 100000 cases 50000 rounds 200 page 0]`
//! (`page`: only the one at that place, to look at it with a profiler).
//!
//! Lists, search, home, calendar, clauses and dashboard as a clerk, a section's head, the administrator and the CISO call them, on SQLite and,
//! where it is installed, PostgreSQL; with the number of statements each sends. 400 cases are open by acts; the others are copies of one of them, closed over two
//! years.

use std::time::{Duration, Instant as Stopwatch};

use crate::common::{ADMIN, CISO, City, Outcome, given, machine, on_both, percentile, person};
use sekisho_app::calendar::CalendarScope;
use sekisho_app::cases::CasesQuery;
use sekisho_app::clauses::ClausesQuery;
use sekisho_app::login::Identity;
use sekisho_app::registers::ListQuery;
use sekisho_app::search::SearchQuery;
use sekisho_app::{AppError, Store, checks, counted, duties, sequencer};
use sekisho_store::{Viewer, case};

/// Cases that stay open.
const OPEN: usize = 400;

/// Measures.
pub fn run() -> Outcome<()> {
    on_both("pages", measure)
}

/// The city; open cases spread over the sections, and the closed ones.
async fn make(store: Store) -> Outcome<City> {
    let began = Stopwatch::now();
    let (staff, assets, cases) = (given("staff", 1_200)?, given("assets", 100_000)?, given("cases", 50_000)?);
    let city = crate::common::city(store, staff).await?;
    let ids = city.assets(assets).await?;
    let mut pattern = String::new();
    for (n, section) in city.sections.iter().enumerate() {
        let clerk = city.enter(&person(section, 2)).await?;
        for asset in
            ids.iter().skip(n).step_by(city.sections.len()).take(OPEN.min(cases) / city.sections.len())
        {
            pattern = city.apply(&clerk, section, asset).await?;
        }
    }
    let pattern = city
        .office
        .store
        .read(move |c| {
            Box::pin(async move {
                case::get(c, &Viewer::whole_body(ADMIN), &pattern).await.map_err(AppError::from)
            })
        })
        .await?
        .ok_or("a case was applied for")?;
    for first in (OPEN..cases).step_by(2_000) {
        let mut rows = Vec::new();
        for n in first..cases.min(first + 2_000) {
            let section = city.sections.get(n % city.sections.len()).ok_or("a city has sections")?;
            let mut row = pattern.clone();
            row.id = city.office.new_id()?.to_string();
            row.number = format!("持出-R7-{n:06}");
            row.applicant = person(section, 2 + n / city.sections.len() % 8);
            (row.post, row.unit) = (format!("{section}-s"), section.clone());
            row.search = format!("{} {}", row.number, row.search);
            row.status = "closed".to_owned();
            row.opened_at = city.office.clock.now().plus_millis(-i64::try_from(n)? * 1_260_000);
            row.closed_at = Some(row.opened_at.plus_millis(86_400_000));
            row.due = None;
            row.next_change_on = None;
            rows.push(row);
        }
        let put = city.office.store.write(move |c| {
            Box::pin(async move {
                for row in &rows {
                    case::put(c, row).await?;
                    case::add_parties(c, &row.id, std::slice::from_ref(&row.applicant)).await?;
                }
                Ok::<_, AppError>(())
            })
        });
        put.await?;
    }
    sequencer::drain(&city.office).await?;
    duties::run_day(&city.office).await?;
    checks::run_all(&city.office).await?;
    println!("{staff} staff, {assets} assets, {cases} cases made in {:.0} s", began.elapsed().as_secs_f64());
    Ok(city)
}

async fn measure(what: &str, store: Store) -> Outcome<()> {
    let city = make(store).await?;
    let section = city.sections.first().ok_or("a city has sections")?.clone();
    println!("{what}; {}", machine());
    println!("| page | clerk | head of section | administrator | CISO | statements |");
    println!("|---|---|---|---|---|---|");
    let people = [
        city.enter(&person(&section, 2)).await?,
        city.enter(&person(&section, 0)).await?,
        city.enter(ADMIN).await?,
        city.enter(CISO).await?,
    ];
    let rounds = given("rounds", 200)?;
    let only = given("page", 0)?;
    for (n, page) in (1..).zip(PAGES) {
        if only != 0 && only != n {
            continue;
        }
        let (mut line, mut most) = (String::new(), 0);
        for who in &people {
            let mut times: Vec<Duration> = Vec::new();
            for _ in 0..rounds {
                let began = Stopwatch::now();
                let (answer, sent) = counted(open(&city, who, page)).await;
                answer?;
                times.push(began.elapsed());
                most = most.max(sent);
            }
            let (p50, p95) = (percentile(&mut times, 50), percentile(&mut times, 95));
            line.push_str(&format!(" {p50:.1} / {p95:.1} |"));
        }
        println!("| {page} |{line} {most} |");
    }
    println!("{}", machine());
    city.office.store.clone().close().await;
    Ok(())
}

const PAGES: &[&str] = &[
    "home",
    "inbox",
    "assets",
    "assets, page 1,000",
    "assets, one class",
    "assets, a word of every row",
    "cases",
    "cases, page 500",
    "cases, closed",
    "search, one number",
    "search, a word of every asset",
    "search, a word of every case",
    "search, a word of nothing",
    "calendar of everything",
    "clauses",
    "dashboard",
];

async fn open(city: &City, who: &Identity, page: &str) -> Outcome<()> {
    let office = &city.office;
    let list = |q: &str, page| ListQuery { q: q.to_owned(), page, ..ListQuery::default() };
    let cases = |status: &str, page| CasesQuery { status: status.to_owned(), page, ..CasesQuery::default() };
    let search = |q: &str| SearchQuery { q: q.to_owned(), page: 1, ..SearchQuery::default() };
    match page {
        "home" => {
            let me = office.me(who).await?;
            drop(tokio::try_join!(
                office.home(who, &me),
                office.own_duties(&me, 10),
                office.overview(who, &me)
            )?);
        }
        "inbox" => drop(office.inbox_page(who).await?),
        "assets" => drop(office.register_list(who, "asset", &list("", 1)).await?),
        "assets, page 1,000" => drop(office.register_list(who, "asset", &list("", 1_000)).await?),
        "assets, one class" => {
            let filters = vec![("confidentiality".to_owned(), "3B".to_owned())];
            drop(
                office
                    .register_list(who, "asset", &ListQuery { filters, page: 1, ..ListQuery::default() })
                    .await?,
            );
        }
        "assets, a word of every row" => drop(office.register_list(who, "asset", &list("台帳", 1)).await?),
        "cases" => drop(office.cases(who, &cases("", 1)).await?),
        "cases, page 500" => drop(office.cases(who, &cases("", 500)).await?),
        "cases, closed" => drop(office.cases(who, &cases("closed", 1)).await?),
        "search, one number" => drop(office.search(who, &search("K-000400")).await?),
        "search, a word of every asset" => drop(office.search(who, &search("台帳")).await?),
        "search, a word of every case" => drop(office.search(who, &search("持出")).await?),
        "search, a word of nothing" => drop(office.search(who, &search("瀬戸際")).await?),
        "calendar of everything" => drop(office.calendar(who, "", CalendarScope::All).await?),
        "clauses" => drop(office.clauses(who, &ClausesQuery::default()).await?),
        "dashboard" => drop(office.dashboard(&office.me(who).await?).await?),
        other => return Err(format!("no page {other}").into()),
    }
    Ok(())
}
