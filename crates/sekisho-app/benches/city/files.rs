//! Applications from a file: `cargo bench -p sekisho-app --bench city -- files [staff 1200 rows 200]`.
//!
//! A clerk loads a file with as many applications as one may hold: looked at, made drafts, sent, taken back. What writes holds the only writer, so its
//! time is also how long anybody else waits. SQLite with `synchronous=FULL`.

use std::time::{Duration, Instant as Stopwatch};

use crate::common::{Outcome, given, machine, person};
use sekisho_app::cases::{CaseImportChoice, CaseImportOrder};
use sekisho_app::{Durability, Store};

const HEAD: &str = "案件番号,持ち出すもの,持出しの目的,持出先,持出日,返却予定日,期間中に何度も持ち出す（包括許可）,運搬の方法,暗号化などの対策";
const PROCEDURE: &str = "take_out";

/// Measures.
pub fn run() -> Outcome<()> {
    let (staff, rows) = (given("staff", 1_200)?, given("rows", 200)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::Builder::new().prefix("files").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    runtime.block_on(async {
        let store = Store::open_sqlite(&folder.path().join("files.db"), Durability::Full).await?;
        let city = crate::common::city(store, staff).await?;
        let office = &city.office;
        let section = city.sections.first().ok_or("a city has sections")?;
        city.assets(city.sections.len() * rows).await?;
        let clerk = city.enter(&person(section, 2)).await?;
        let today = office.clock.today();
        let mut csv = format!("{HEAD}\r\n");
        for n in 0..rows {
            let number = n * city.sections.len();
            csv.push_str(&format!(
                ",K-{number:06},訪問調査,市内の訪問先,{today},{today},×,鍵付きかばんに入れ、職員が携行する,sealed\r\n"
            ));
        }
        println!("{staff} staff, {rows} applications in a file; {}", machine());
        let mut times: Vec<(&str, Duration)> = Vec::new();
        for (what, submit) in [("made drafts", false), ("sent", true)] {
            let choice = CaseImportChoice { post: format!("{section}-s"), ..CaseImportChoice::default() };
            let began = Stopwatch::now();
            let plan = office
                .plan_case_import(&clerk, PROCEDURE, ("持出.csv", csv.clone().into_bytes()), &choice)
                .await?;
            times.push(("looked at", began.elapsed()));
            if plan.fresh != rows {
                return Err(
                    format!("{} of {rows} rows are good: {:?}", plan.fresh, plan.errors.first()).into()
                );
            }
            let order =
                CaseImportOrder { upload: plan.upload, shown: plan.shown, choice, submit, confirmed: true };
            let began = Stopwatch::now();
            let id = office.apply_case_import(&clerk, PROCEDURE, &order).await?;
            times.push((what, began.elapsed()));
            let began = Stopwatch::now();
            let undone = office.undo_case_import(&clerk, PROCEDURE, &id).await?;
            times.push(("taken back", began.elapsed()));
            if undone.dropped + undone.withdrawn != rows {
                return Err(format!("{undone:?} of {rows} rows").into());
            }
        }
        for (what, time) in &times {
            println!("| {what} | {:.2} s |", time.as_secs_f64());
        }
        println!("{}", machine());
        Ok(())
    })
}
