//! What the benchmarks share: a city made by formula through the store, people who log in, and how figures are told.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sekisho_app::cases::{ActInput, Typed};
use sekisho_app::login::{self, Identity};
use sekisho_app::office::Opening;
use sekisho_app::registers::table_spec;
use sekisho_app::{AppError, Durability, Office, Store, setup};
use sekisho_base::clock::ManualClock;
use sekisho_base::entropy::SeededEntropy;
use sekisho_base::table::Value;
use sekisho_base::{Date, Instant};
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::org::{self, AppointmentRow, PersonRow, PostRow, UnitRow};
use sekisho_store::register::{self, RegisterRow};

/// What a benchmark ends with.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Password of everybody who logs in.
const PASSWORD: &str = "関所のためのパスワード";
/// Sections of a department.
const SECTIONS: usize = 8;
/// Wednesday, the day on which everything begins.
pub const DAY: &str = "2026-11-25";
/// Vice mayor, who answers for the standard.
pub const CISO: &str = "90001";
/// Head of the information policy section, who runs the system.
pub const ADMIN: &str = "90003";
/// Operator of the system by appointment.
pub const OPERATOR: &str = "90004";

/// A city at work.
pub struct City {
    /// The body.
    pub office: Arc<Office>,
    /// Its time.
    pub clock: Arc<ManualClock>,
    /// Sections: unit codes. The head is person `<code>00`, the staff follow.
    pub sections: Vec<String>,
}

/// Day and hour in Tokyo.
pub fn at(day: &str, hour: i64) -> Outcome<Instant> {
    Ok(Instant::start_of(day.parse::<Date>()?).plus_millis(hour * 3_600_000))
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

/// Person number of somebody in a section; 0 is the head.
pub fn person(section: &str, n: usize) -> String {
    format!("{section}{n:03}")
}

/// Opens a body in a store and fills it with so many people: departments of eight sections, a head and staff in each.
pub async fn city(store: Store, staff: usize) -> Outcome<City> {
    let clock = Arc::new(ManualClock::new(at(DAY, 9)?));
    let opening = Opening {
        store,
        clock: Arc::<ManualClock>::clone(&clock),
        entropy: Arc::new(SeededEntropy::new(7)),
        seed: Some([7; 32]),
        body: "bench".to_owned(),
        title: "計測市".to_owned(),
        pack: setup::model_pack()?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    let office = Office::open(opening).await?;
    let departments = (staff / 200).clamp(1, 99);
    let sections: Vec<String> =
        (1..=departments).flat_map(|d| (1..=SECTIONS).map(move |s| format!("{d:02}{s}"))).collect();
    let of_each = (staff / sections.len()).clamp(2, 999);
    let rows = organization(departments, &sections, of_each)?;
    let stored = office.store.write(move |c| {
        Box::pin(async move {
            for u in &rows.units {
                org::put_unit(c, u).await?;
            }
            for p in &rows.posts {
                org::put_post(c, p).await?;
            }
            for p in &rows.persons {
                org::put_person(c, p).await?;
            }
            for a in &rows.appointments {
                org::put_appointment(c, a).await?;
            }
            Ok::<_, AppError>(())
        })
    });
    stored.await?;
    Ok(City { office, clock, sections })
}

#[derive(Default)]
struct Rows {
    units: Vec<UnitRow>,
    posts: Vec<PostRow>,
    persons: Vec<PersonRow>,
    appointments: Vec<AppointmentRow>,
}

impl Rows {
    fn unit(&mut self, code: &str, name: &str, kind: &str, parent: Option<&str>) -> Outcome<()> {
        let sort = i64::try_from(self.units.len())?;
        let (code, name, kind) = (code.to_owned(), name.to_owned(), kind.to_owned());
        let (parent, from) = (parent.map(str::to_owned), "2020-04-01".parse()?);
        self.units.push(UnitRow { code, name, kind, parent, from, until: None, sort });
        Ok(())
    }

    fn post(&mut self, code: &str, unit: &str, title: &str, head: bool) {
        let (code, unit, title) = (code.to_owned(), unit.to_owned(), title.to_owned());
        self.posts.push(PostRow { code, unit, title, head, sort: i64::from(!head) });
    }

    fn person(&mut self, number: &str, post: &str) -> Outcome<()> {
        let name = format!("計測 {number}");
        let (kana, mail) = ("けいそく".to_owned(), String::new());
        self.persons.push(PersonRow { number: number.to_owned(), name, kana, mail });
        self.appoint(number, post, true, "")
    }

    fn appoint(&mut self, number: &str, post: &str, main: bool, role: &str) -> Outcome<()> {
        self.appointments.push(AppointmentRow {
            id: format!("A{:08}", self.appointments.len()),
            person: number.to_owned(),
            post: post.to_owned(),
            main,
            from: "2026-04-01".parse()?,
            until: None,
            role: role.to_owned(),
            scope_unit: String::new(),
        });
        Ok(())
    }
}

fn organization(departments: usize, sections: &[String], of_each: usize) -> Outcome<Rows> {
    let mut rows = Rows::default();
    rows.unit("0", "計測市", "body", None)?;
    rows.unit("00", "企画政策部", "department", Some("0"))?;
    rows.unit("000", "情報政策課", "section", Some("00"))?;
    for (code, unit, title, head, number) in [
        ("deputy_mayor", "0", "副市長", false, CISO),
        ("info_policy_director", "00", "企画政策部長", true, "90002"),
        ("info_policy_manager", "000", "情報政策課長", true, ADMIN),
        ("000-s", "000", "主事", false, OPERATOR),
    ] {
        rows.post(code, unit, title, head);
        rows.person(number, code)?;
    }
    rows.appoint(OPERATOR, "000-s", false, "system_operator")?;
    for d in 1..=departments {
        let code = format!("{d:02}");
        rows.unit(&code, &format!("第{d}部"), "department", Some("0"))?;
        rows.post(&format!("{code}-h"), &code, "部長", true);
        rows.person(&format!("{code}000"), &format!("{code}-h"))?;
    }
    for code in sections {
        rows.unit(code, &format!("第{code}課"), "section", code.get(..2))?;
        for (post, title, head) in [("h", "課長", true), ("d", "課長補佐", false), ("s", "主事", false)]
        {
            rows.post(&format!("{code}-{post}"), code, title, head);
        }
        for n in 0..of_each {
            let post = ["h", "d"].get(n).unwrap_or(&"s");
            rows.person(&person(code, n), &format!("{code}-{post}"))?;
        }
    }
    Ok(rows)
}

impl City {
    /// Gives somebody an account and logs in.
    pub async fn enter(&self, number: &str) -> Outcome<Identity> {
        Ok(login::identify(&self.office, &self.token(number).await?).await?)
    }

    /// The same; returns what the browser would hold.
    pub async fn token(&self, number: &str) -> Outcome<String> {
        let row = AccountRow {
            login: format!("u{number}"),
            person: number.to_owned(),
            password: sekisho_app::password::hash_password(&self.office, PASSWORD)?,
            must_change: false,
            active: true,
            changed_at: self.office.clock.now(),
            checked: Checked::Own,
        };
        let name = row.login.clone();
        let put = self
            .office
            .store
            .write(move |c| Box::pin(async move { account::put(c, &row).await.map_err(AppError::from) }));
        put.await?;
        Ok(login::login(&self.office, &name, PASSWORD, &login::Place::default()).await?.token)
    }

    /// Writes so many assets, spread over the sections; of 100 some were not looked at for long, or lack their place. Returns their ids.
    pub async fn assets(&self, count: usize) -> Outcome<Vec<String>> {
        let spec = table_spec(
            self.office.pack().registers.get("asset").ok_or("the model pack has no register asset")?,
        );
        let mut ids = Vec::with_capacity(count);
        for first in (0..count).step_by(2_000) {
            let mut rows = Vec::new();
            for n in first..count.min(first + 2_000) {
                let section = self.sections.get(n % self.sections.len()).ok_or("a city has sections")?;
                let row = RegisterRow {
                    id: self.office.new_id()?.to_string(),
                    version: 1,
                    updated_at: self.office.clock.now(),
                    values: asset(n, section),
                };
                ids.push(row.id.clone());
                rows.push(row);
            }
            let spec = spec.clone();
            let put = self.office.store.write(move |c| {
                Box::pin(async move {
                    for row in &rows {
                        register::put(c, &spec, row).await?;
                    }
                    Ok::<_, AppError>(())
                })
            });
            put.await?;
        }
        Ok(ids)
    }

    /// Applies to take an asset out, today and back today. Returns the case.
    pub async fn apply(&self, who: &Identity, section: &str, asset: &str) -> Outcome<String> {
        let today = self.office.clock.today().to_string();
        let fields = [
            ("items", format!("asset/{asset}")),
            ("purpose", "訪問調査".to_owned()),
            ("destination", "市内の訪問先".to_owned()),
            ("from", today.clone()),
            ("return_by", today),
            ("carrying_method", "locked_bag".to_owned()),
            ("encryption", "sealed".to_owned()),
        ];
        let values = fields.into_iter().map(|(k, v)| (k.to_owned(), vec![v])).collect();
        let typed = Typed { post: format!("{section}-s"), draft: String::new(), values };
        Ok(self.office.apply(who, "take_out", &typed).await?)
    }

    /// What permitting a case sends, as the page shows it.
    pub async fn permit_form(&self, who: &Identity, case: &str) -> Outcome<ActInput> {
        let page = self.office.case_page(who, &self.office.me(who).await?, case, None).await?;
        let action = page.actions.into_iter().find(|a| a.act == "permit").ok_or("the manager may permit")?;
        let (step, shown) = (action.step, action.shown);
        Ok(ActInput { act: "permit".to_owned(), step, shown, values: BTreeMap::new() })
    }
}

/// An asset by its number: 4 of 100 were last looked at two years ago, 2 have no place.
pub fn asset(n: usize, section: &str) -> BTreeMap<String, Value> {
    let checked = if n % 25 == 3 { "2024-10-01" } else { "2026-10-01" };
    let mut row: BTreeMap<String, Value> = [
        ("number", format!("K-{n:06}").as_str()),
        ("name", &format!("第{n}号の台帳")),
        ("kind", "information"),
        ("section", section),
        ("manager", &format!("{section}-h")),
        ("confidentiality", ["1", "2", "3B"].get(n % 3).unwrap_or(&"2")),
        ("integrity", "2"),
        ("availability", "1"),
        ("personal", "personal"),
        ("zone", "lgwan"),
        ("place", if n % 50 == 7 { "" } else { "書庫の棚" }),
        ("retention_until", "2032-03-31"),
        ("backup", "毎週、副本を取る"),
        ("checked_on", checked),
    ]
    .into_iter()
    .filter(|(_, v)| !v.is_empty())
    .map(|(k, v)| (k.to_owned(), text(v)))
    .collect();
    row.insert("persons".to_owned(), Value::Int(120));
    row
}

/// Milliseconds below which so many percent of the times are; the times are sorted.
pub fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}

/// Processors, memory and load, for beside the figures.
pub fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!("{processors} processors, {} GiB, load {load}", kib >> 20)
}

/// Measures with a store on SQLite, and then, where it is installed, on a private PostgreSQL.
pub fn on_both<F>(name: &str, measure: impl Fn(&'static str, Store) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::Builder::new().prefix(name).tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    runtime.block_on(async {
        let file = folder.path().join("city.db");
        measure("SQLite", Store::open_sqlite(&file, Durability::Full).await?).await?;
        match sekisho_testkit::postgres_url() {
            Ok(url) => measure("PostgreSQL", Store::open_postgres(&url).await?).await,
            Err(why) => {
                println!("PostgreSQL left out: {why}");
                Ok(())
            }
        }
    })
}

/// A number given on the command line after the name, or what is usual. What cargo itself adds does not count.
pub fn given(name: &str, usual: usize) -> Outcome<usize> {
    let mut words = std::env::args().skip_while(|w| w != name).skip(1);
    words.next().map_or(Ok(usual), |n| n.parse().map_err(|e| format!("{name} {n}: {e}").into()))
}
