//! Lists at 100,000 rows on SQLite and, where it is installed, PostgreSQL: `cargo bench -p sekisho-store --bench lists`.
//!
//! Prints p50, p95 and this process's processor time in milliseconds of one call of `register::list` or `case::list` (count and page) for each kind of list.

use std::error::Error;
use std::time::Instant as Stopwatch;

use sekisho_base::table::{ColumnSpec, Storage, TableSpec, Value};
use sekisho_base::text::fold_key;
use sekisho_base::{Date, Instant};
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::{Durability, Store, StoreError, Viewer};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROWS: u64 = 100_000;
const UNITS: u64 = 62;
const PAGE: i64 = 50;
const ROUNDS: usize = 60;

const THINGS: &[&str] = &[
    "住民税課税台帳",
    "固定資産評価調書",
    "児童手当受給者名簿",
    "介護保険被保険者台帳",
    "公共施設予約簿",
    "職員給与明細",
    "議会答弁資料",
    "道路占用許可台帳",
    "水道料金調定簿",
    "保育所入所申込書",
    "国民健康保険資格台帳",
    "選挙人名簿",
    "防災行政無線記録",
    "学校給食献立表",
    "墓地使用者台帳",
    "予防接種履歴",
];
const PLACES: &[&str] = &[
    "第一書庫",
    "北庁舎三階",
    "業務系共有サーバ",
    "窓口端末",
    "外部記録媒体",
    "地下倉庫",
    "支所金庫",
    "外部委託先",
];

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    runtime.block_on(async {
        let store = Store::open_sqlite(&folder.path().join("lists.db"), Durability::Off).await?;
        measure("SQLite", store).await?;
        match sekisho_testkit::postgres_url() {
            Ok(url) => measure("PostgreSQL", Store::open_postgres(&url).await?).await,
            Err(why) => {
                println!("PostgreSQL left out: {why}");
                Ok(())
            }
        }
    })
}

fn spec() -> TableSpec {
    let column = |id: &str, storage, indexed| ColumnSpec {
        id: id.to_owned(),
        storage,
        many: false,
        indexed,
        unsearched: false,
    };
    let mut columns: Vec<ColumnSpec> = ["number", "title", "owner", "class", "medium", "place"]
        .map(|id| column(id, Storage::Text, true))
        .into();
    columns.extend(
        ["zone", "purpose", "origin", "keeper", "until", "sighted_on", "remark", "approver"]
            .map(|id| column(id, Storage::Text, false)),
    );
    columns.push(column("copies", Storage::Int, false));
    columns.push(column("personal", Storage::Bool, false));
    TableSpec {
        id: "asset".into(),
        key: "number".into(),
        name: "title".into(),
        owner: "owner".into(),
        columns,
    }
}

/// A number that is the same in every run and looks like none in particular.
fn mixed(n: u64, salt: u64) -> u64 {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 29;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 32
}

fn pick<'a>(from: &[&'a str], n: u64) -> &'a str {
    from.iter().cycle().nth(usize::try_from(n % 97).unwrap_or(0)).copied().unwrap_or("")
}

fn unit(n: u64) -> String {
    format!("{:04}", 100 + n % UNITS)
}

fn row(n: u64) -> RegisterRow {
    let thing = pick(THINGS, mixed(n, 1));
    let rare = if n % 5_000 == 77 { "（瀬戸際対策分）" } else { "" };
    let texts = [
        ("number", format!("IA-{:07}", mixed(n, 2) % 10_000 * 1_000 + n % 1_000 + n / 1_000 * 10_000_000)),
        ("title", format!("{thing}{rare} 令和{}年度 第{}号", mixed(n, 3) % 8 + 1, mixed(n, 4) % 900)),
        ("owner", unit(mixed(n, 5))),
        ("class", pick(&["3A", "3B", "3C", "2", "1"], mixed(n, 6)).to_owned()),
        ("medium", pick(&["紙", "電子データ", "外部記録媒体", "紙と電子データ"], mixed(n, 7)).to_owned()),
        ("place", pick(PLACES, mixed(n, 8)).to_owned()),
        (
            "zone",
            pick(&["マイナンバー利用事務系", "LGWAN接続系", "インターネット接続系"], mixed(n, 9)).to_owned(),
        ),
        ("purpose", format!("{thing}の作成及び保管のため")),
        ("origin", pick(&["本人提出", "庁内作成", "他団体照会"], mixed(n, 10)).to_owned()),
        ("keeper", format!("職員{:05}", mixed(n, 11) % 1_500)),
        ("until", format!("20{:02}-03-31", 26 + mixed(n, 12) % 30)),
        ("sighted_on", format!("2026-{:02}-{:02}", mixed(n, 13) % 12 + 1, mixed(n, 14) % 28 + 1)),
        (
            "remark",
            if mixed(n, 15).is_multiple_of(3) {
                "毎年四月に見直す。".to_owned()
            } else {
                String::new()
            },
        ),
    ];
    let mut values: std::collections::BTreeMap<String, Value> =
        texts.into_iter().map(|(id, text)| (id.to_owned(), Value::Text(text))).collect();
    values.insert("copies".into(), Value::Int(1));
    values.insert("personal".into(), Value::Bool(mixed(n, 16).is_multiple_of(2)));
    RegisterRow {
        id: format!("01ASSET{n:019}"),
        version: 1,
        updated_at: Instant::from_millis(1_790_000_000_000),
        values,
    }
}

fn case_row(n: u64) -> CaseRow {
    let title = format!("{}の持出", pick(THINGS, mixed(n, 1)));
    CaseRow {
        id: format!("01CASE{n:020}"),
        procedure: "take_out".into(),
        number: format!("持出-R8-{n:06}"),
        search: fold_key(&format!(
            "{title} 持出-R8-{n:06} 職員{:05}{}",
            mixed(n, 2) % 1_500,
            if n % 5_000 == 77 { "瀬戸際" } else { "" }
        )),
        title,
        status: pick(&["open", "out", "closed", "closed", "closed"], mixed(n, 3)).to_owned(),
        applicant: format!("{:05}", mixed(n, 2) % 1_500),
        post: "P-1".into(),
        unit: unit(mixed(n, 5)),
        pack: "0".repeat(64),
        version: 1,
        state: format!("{{\"filler\":\"{}\"}}", "状".repeat(600)),
        opened_at: Instant::from_millis(1_700_000_000_000 + i64::try_from(n).unwrap_or(0) * 600_000),
        closed_at: None,
        due: Date::new(2026, 12, 1),
        next_change_on: None,
    }
}

async fn fill(store: &Store) -> Outcome<()> {
    let spec = spec();
    let table = spec.clone();
    store.write(move |c| Box::pin(async move { register::ensure(c, &table).await })).await?;
    let began = Stopwatch::now();
    for first in (0..ROWS).step_by(2_000) {
        let spec = spec.clone();
        store
            .write(move |c| {
                Box::pin(async move {
                    for n in first..first + 2_000 {
                        register::put(c, &spec, &row(n)).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
    }
    println!("  {ROWS} register rows written in {:.1} s", began.elapsed().as_secs_f64());
    for first in (0..ROWS).step_by(2_000) {
        store
            .write(move |c| {
                Box::pin(async move {
                    for n in first..first + 2_000 {
                        let case = case_row(n);
                        case::put(c, &case).await?;
                        case::add_parties(c, &case.id, std::slice::from_ref(&case.applicant)).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
    }
    Ok(())
}

async fn measure(engine: &str, store: Store) -> Outcome<()> {
    println!("{engine}, {ROWS} rows, {UNITS} units, pages of {PAGE}; milliseconds");
    fill(&store).await?;
    let all = Viewer::whole_body("00001");
    let units = |n: u64| Viewer { person: "00001".into(), units: Some((0..n).map(unit).collect()) };
    let words = |words: &[&str]| Filter {
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        ..Filter::default()
    };
    let by =
        |column: &str, descending| Filter { sort: Some(column.to_owned()), descending, ..Filter::default() };
    let is = |column: &str, value: &str| Filter {
        equals: vec![(column.to_owned(), value.to_owned())],
        ..Filter::default()
    };
    let lists: Vec<(&str, Viewer, Filter, i64)> = vec![
        ("first page", all.clone(), Filter::default(), 1),
        ("page 1,900", all.clone(), Filter::default(), 1_900),
        ("filtered by unit", all.clone(), is("owner", &unit(5)), 1),
        ("filtered by unit, page 30", all.clone(), is("owner", &unit(5)), 30),
        ("filtered by class, page 300", all.clone(), is("class", "3A"), 300),
        ("rare word (20 rows)", all.clone(), words(&["瀬戸際"]), 1),
        ("word of no row", all.clone(), words(&["存在しない語"]), 1),
        ("word of 1 row in 16", all.clone(), words(&["議会答弁"]), 1),
        ("word of 1 row in 16, page 100", all.clone(), words(&["議会答弁"]), 100),
        ("word of 1 row in 8", all.clone(), words(&["外部委託先"]), 1),
        ("word of 1 row in 3", all.clone(), words(&["lgwan"]), 1),
        ("word of every row", all.clone(), words(&["令和"]), 1),
        ("word of every row, page 1,900", all.clone(), words(&["令和"]), 1_900),
        ("two words", all.clone(), words(&["選挙人", "地下倉庫"]), 1),
        ("one character", all.clone(), words(&["墓"]), 1),
        ("sorted by place", all.clone(), by("place", false), 1),
        ("sorted by place, down, page 1,900", all.clone(), by("place", true), 1_900),
        ("viewer of 1 unit", units(1), Filter::default(), 1),
        ("viewer of 7 units, last page", units(7), Filter::default(), 220),
        ("viewer of 31 units, first page", units(31), Filter::default(), 1),
        ("viewer of 31 units, last page", units(31), Filter::default(), 990),
        ("viewer of 31 units, sorted, last page", units(31), by("place", false), 990),
        ("viewer of 7 units, word of 1 row in 8", units(7), words(&["外部委託先"]), 1),
        ("viewer of 31 units, rare word", units(31), words(&["瀬戸際"]), 1),
    ];
    let spec = spec();
    for (name, viewer, filter, page) in &lists {
        let (mut times, since) = (Vec::new(), processor());
        let mut shown = (0, 0);
        for _ in 0..ROUNDS {
            let (spec, viewer, filter, offset) =
                (spec.clone(), viewer.clone(), filter.clone(), (page - 1) * PAGE);
            let began = Stopwatch::now();
            let (rows, total) = store
                .read(move |c| {
                    Box::pin(async move { register::list(c, &spec, &viewer, &filter, offset, PAGE).await })
                })
                .await?;
            times.push(began.elapsed());
            shown = (rows.len(), total);
        }
        print(name, times, shown, since);
    }
    let cases: Vec<(&str, Viewer, CaseFilter, i64)> = vec![
        ("cases: first page", all.clone(), CaseFilter::default(), 1),
        ("cases: page 1,900", all.clone(), CaseFilter::default(), 1_900),
        ("cases: viewer of 1 unit", units(1), CaseFilter::default(), 1),
        ("cases: viewer of 7 units", units(7), CaseFilter::default(), 1),
        ("cases: viewer of 31 units, last page", units(31), CaseFilter::default(), 990),
        ("cases: viewer of 31 units, first page", units(31), CaseFilter::default(), 1),
        (
            "cases: rare word",
            all.clone(),
            CaseFilter { words: vec!["瀬戸際".into()], ..CaseFilter::default() },
            1,
        ),
        (
            "cases: word of 1 in 16",
            all.clone(),
            CaseFilter { words: vec!["議会答弁".into()], ..CaseFilter::default() },
            1,
        ),
        ("cases: status", all.clone(), CaseFilter { status: Some("out".into()), ..CaseFilter::default() }, 1),
        ("cases: applicant", all, CaseFilter { applicant: Some("00042".into()), ..CaseFilter::default() }, 1),
    ];
    for (name, viewer, filter, page) in &cases {
        let (mut times, since) = (Vec::new(), processor());
        let mut shown = (0, 0);
        for _ in 0..ROUNDS {
            let (viewer, filter, offset) = (viewer.clone(), filter.clone(), (page - 1) * PAGE);
            let began = Stopwatch::now();
            let (rows, total) = store
                .read(move |c| Box::pin(async move { case::list(c, &viewer, &filter, offset, PAGE).await }))
                .await?;
            times.push(began.elapsed());
            shown = (rows.len(), total);
        }
        print(name, times, shown, since);
    }
    store.close().await;
    Ok(())
}

/// Processor time of this process so far, in milliseconds, where the system tells: on a busy machine it says more than the clock.
fn processor() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks * 10.0)
}

fn print(name: &str, mut times: Vec<std::time::Duration>, shown: (usize, i64), since: Option<f64>) {
    times.sort_unstable();
    let at = |percent: usize| {
        times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    };
    let used = processor().zip(since).map_or(0.0, |(now, then)| (now - then) / times.len() as f64);
    println!(
        "  {name:<40} p50 {:>7.1}  p95 {:>7.1}  processor {used:>6.1}  ({} rows of {})",
        at(50),
        at(95),
        shown.0,
        shown.1
    );
}
