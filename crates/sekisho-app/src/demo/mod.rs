//! The demo city: made up by seed, filled through the same use cases that people use, so that its ledger and its states are real.

pub mod assets;
pub mod names;
pub mod organization;
mod play;
pub mod rng;
pub mod stories;

use std::sync::Arc;

use sekisho_base::clock::ManualClock;
use sekisho_base::entropy::SeededEntropy;
use sekisho_base::{Clock, Date, Entropy, Id, Instant};
use sekisho_boxed::boxed;
use sekisho_store::absence;
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::org;
use sekisho_store::register::{self, RegisterRow};
use sekisho_store::{Store, setting};
use serde_json::json;

use crate::error::AppError;
use crate::office::{Office, Opening};
use crate::password::hash_password;
use crate::record::record;
use crate::registers::table_spec;
use crate::{checks, sequencer, setup};

/// Setting that says on which day a demo city was made: it is made once and then grows like a real one.
const MADE: &str = "demo.made_on";
/// Business days of history before the day of making begin two fiscal years ago.
const START_HOUR_MS: i64 = 8 * 3_600_000;
/// On the day of making itself everything has happened by then: a demo that is started early in the morning holds nothing of the future, which
/// would not count yet.
const TODAY_MS: i64 = 60_000;

/// A login of the demo, with the only passwords that are ever printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedLogin {
    /// Login name.
    pub login: String,
    /// Password.
    pub password: String,
    /// Role id.
    pub role: String,
    /// Role in Japanese.
    pub title: String,
    /// Person's name.
    pub name: String,
}

fn opening(
    store: Store,
    key: [u8; 32],
    seed: u64,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Opening, AppError> {
    Ok(Opening {
        store,
        clock,
        entropy,
        seed: Some(key),
        body: "shiomino".to_owned(),
        title: organization::organization(seed, clock_today()).city.to_owned(),
        pack: setup::model_pack()?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    })
}

/// Makes a demo city in an empty store, as of a day. May run without waiting for the disk: until it is finished nothing of it counts.
///
/// # Errors
/// The store could not be written, or the pack and the stories do not fit.
#[boxed]
pub async fn make_city(store: Store, key: [u8; 32], seed: u64, today: Date) -> Result<(), AppError> {
    let past = Arc::new(ManualClock::new(Instant::start_of(today).plus_millis(TODAY_MS)));
    let clock = Arc::<ManualClock>::clone(&past);
    let office = Office::open(opening(store, key, seed, clock, Arc::new(SeededEntropy::new(seed)))?).await?;
    make(&office, &past, seed, today).await
}

/// Opens a demo city that was made.
///
/// # Errors
/// The store holds a city that is no demo, or one that was not finished.
#[boxed]
pub async fn open(
    store: Store,
    key: [u8; 32],
    seed: u64,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Arc<Office>, AppError> {
    let made =
        store.read(|c| Box::pin(async move { setting::get(c, MADE).await.map_err(AppError::from) })).await?;
    if made.is_none() {
        return Err(AppError::refused(
            "D001",
            "このフォルダにあるのは、デモではないデータか、作りかけのデモです。--data に別のフォルダを指定してください（作りかけのデモなら、フォルダを削除するとやり直せます）。",
        ));
    }
    Office::open(opening(store, key, seed, clock, entropy)?).await
}

/// The city's name does not depend on the day.
fn clock_today() -> Date {
    Date::from_epoch_days(20_000)
}

/// The printed logins of a demo city.
///
/// # Errors
/// The store holds no demo city.
#[boxed]
pub async fn logins(office: &Arc<Office>, seed: u64) -> Result<Vec<PrintedLogin>, AppError> {
    let made = office
        .store
        .read(|c| Box::pin(async move { setting::get(c, MADE).await.map_err(AppError::from) }))
        .await?;
    let day: Date =
        made.ok_or_else(|| AppError::internal("no demo city"))?.parse().map_err(AppError::internal)?;
    let city = organization::organization(seed, day);
    let directory = office.directory().await?;
    Ok(city
        .logins
        .iter()
        .map(|l| PrintedLogin {
            login: l.login.to_owned(),
            password: password(l.login),
            role: l.role.to_owned(),
            title: l.label.clone(),
            name: directory.person_name(&l.person).to_owned(),
        })
        .collect())
}

/// Demo passwords are made from the login: they open nothing but a demo city on this machine.
fn password(login: &str) -> String {
    format!("demo-{login}-2026")
}

async fn make(
    office: &Arc<Office>,
    clock: &Arc<ManualClock>,
    seed: u64,
    today: Date,
) -> Result<(), AppError> {
    let city = organization::organization(seed, today);
    let rows = assets::registers(seed, today, &city);
    let pack = office.pack();
    let stories = stories::stories(seed, today, &pack.calendar, &city, &rows);
    let begin = stories.first().map_or(today, |s| s.applied_on).plus_days(-7);
    clock.set(Instant::start_of(begin).plus_millis(START_HOUR_MS));
    people(office, &city).await?;
    for (id, list) in [("asset", rows.assets), ("media", rows.media), ("device", rows.devices)] {
        fill(office, id, list).await?;
    }
    let readers: Vec<String> = city.logins.iter().map(|l| l.person.clone()).collect();
    play::play(office, clock, &stories, today, &readers).await?;
    clock.set(Instant::start_of(today).plus_millis(TODAY_MS));
    crate::cases::sweep(office).await?;
    checks::run_all(office).await?;
    sequencer::drain(office).await?;
    let day = today.to_string();
    office
        .store
        .write(move |c| Box::pin(async move { setting::set(c, MADE, &day).await.map_err(AppError::from) }))
        .await
}

/// Units, posts, people, appointments and the accounts that can log in.
async fn people(office: &Arc<Office>, city: &organization::Organization) -> Result<(), AppError> {
    let now = office.clock.now();
    let mut accounts = Vec::new();
    for l in &city.logins {
        accounts.push(AccountRow {
            login: l.login.to_owned(),
            person: l.person.clone(),
            password: hash_password(office, &password(l.login))?,
            must_change: false,
            active: true,
            changed_at: now,
            checked: Checked::Own,
        });
    }
    let mut appointments = city.appointments.clone();
    // A role on the main row would hide the post itself: the role becomes a row beside it.
    for a in city.appointments.iter().filter(|a| a.main && !a.role.is_empty()) {
        appointments.push(org::AppointmentRow { id: office.new_id()?.to_string(), main: false, ..a.clone() });
    }
    for a in appointments.iter_mut().filter(|a| a.main) {
        a.role.clear();
        a.scope_unit.clear();
    }
    let (units, posts, persons, absences) =
        (city.units.clone(), city.posts.clone(), city.persons.clone(), city.absences.clone());
    let (seal, stream) = (office.seal()?, sekisho_store::ledger::stream_id(office.new_id()?));
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                for u in &units {
                    org::put_unit(c, u).await?;
                }
                for p in &posts {
                    org::put_post(c, p).await?;
                }
                for p in &persons {
                    org::put_person(c, p).await?;
                }
                for a in &appointments {
                    org::put_appointment(c, a).await?;
                }
                for a in &absences {
                    absence::add(c, a).await?;
                }
                for a in &accounts {
                    account::put(c, a).await?;
                }
                // The passwords are printed for everybody to see: a second factor would protect nothing and stand in everybody's way.
                setting::set(c, crate::second_factor::ROLES, "").await?;
                let payload = json!({"by": "system", "at": now, "units": units.len(), "posts": posts.len(), "persons": persons.len(), "appointments": appointments.len()});
                record(c, seal, &stream, "org.import", &payload, now).await?;
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Rows of one register, as one import.
async fn fill(office: &Arc<Office>, register: &str, rows: Vec<assets::Row>) -> Result<(), AppError> {
    let pack = office.pack();
    let r = pack
        .registers
        .get(register)
        .ok_or_else(|| AppError::internal(format!("the model pack has no register {register}")))?;
    let spec = table_spec(r);
    let now = office.clock.now();
    let mut ready = Vec::with_capacity(rows.len());
    for values in rows {
        ready.push(RegisterRow {
            id: Id::new(now, office.entropy.as_ref()).map_err(AppError::internal)?.to_string(),
            version: 1,
            updated_at: now,
            values,
        });
    }
    let (seal, stream, register) =
        (office.seal()?, sekisho_store::ledger::stream_id(office.new_id()?), register.to_owned());
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                for row in &ready {
                    register::put(c, &spec, row).await?;
                }
                let hash = sekisho_base::canonical::content_hash(&json!(ready.iter().map(|r| &r.values).collect::<Vec<_>>()));
                let payload = json!({"register": register, "by": "system", "at": now, "rows": ready.len(), "hash": hash});
                record(c, seal, &stream, "register.import", &payload, now).await?;
                Ok::<_, AppError>(())
            })
        })
        .await
}
