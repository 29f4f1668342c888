//! What the passing of time does to duties: new ones arise, holders are reminded, late ones go up, and what lost its place falls away.
//! Every step may run again on the same day without doing anything twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::org::Org;
use sekisho_pack::duty::{Cycle, Duty, Occasion, Span};
use sekisho_pack::model::Pack;
use sekisho_store::duty::{self, FOR_EVER, OccurrenceRow};
use sekisho_store::{Conn, ledger};
use serde_json::json;

use super::events::{Happening, happened};
use super::who::{chain, told, unit_above, units_of};
use crate::directory::Directory;
use crate::error::AppError;
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::record::record;

/// Periods that are made up for when the program did not run: the newest.
const MISSED: usize = 60;
/// Days back to which events are looked for.
const EVENT_DAYS: i64 = 120;
/// Occurrences looked at in one transaction.
const BATCH: i64 = 200;

/// What one run reads once.
pub(super) struct Day {
    pub office: Arc<Office>,
    pub pack: Arc<Pack>,
    pub directory: Arc<Directory>,
    pub org: Arc<Org>,
    pub now: Instant,
}

/// One occurrence that is to be made.
struct Arising {
    unit: String,
    subject: String,
    opens_on: Date,
    due_on: Date,
}

/// Brings duties up to date with the clock.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn run_day(office: &Arc<Office>) -> Result<(), AppError> {
    let day = Arc::new(Day {
        office: Arc::clone(office),
        pack: office.pack(),
        directory: office.directory().await?,
        org: office.org().await?,
        now: office.clock.now(),
    });
    let since =
        office.store.read(|c| Box::pin(async move { duty::since(c).await.map_err(AppError::from) })).await?;
    for d in day.pack.duties.values() {
        arise(&day, d, since.get(&d.id).copied()).await?;
    }
    fall_away(&day).await?;
    look_again(&day).await?;
    crate::assessment::run_day(office).await
}

impl Day {
    fn today(&self) -> Date {
        self.now.date()
    }

    fn all(&self) -> (&Pack, &Directory, &Org) {
        (&self.pack, &self.directory, &self.org)
    }
}

/// Periods of a cycle from the first day to today, the newest [`MISSED`].
fn spans(cycle: &Cycle, since: Date, today: Date) -> Vec<Span> {
    let mut out = vec![cycle.span(today)];
    while let Some(first) = out.last().copied() {
        let before = first.start.plus_days(-1);
        if before < since || out.len() >= MISSED {
            break;
        }
        out.push(cycle.span(before));
    }
    out.reverse();
    out
}

/// Makes what a duty lacks, one transaction a duty; nothing is written when nothing is lacking.
async fn arise(day: &Arc<Day>, d: &Duty, since: Option<Date>) -> Result<(), AppError> {
    let today = day.today();
    let first = since.unwrap_or(today);
    let calendar = &day.pack.calendar;
    let mut wanted: BTreeMap<String, Vec<Arising>> = BTreeMap::new();
    match &d.occasion {
        Occasion::Every(cycle) => {
            for span in spans(cycle, first, today) {
                let units =
                    units_of(d.scope, &day.directory, today).into_iter().filter(|u| u.from <= span.end);
                let arising = units.map(|u| {
                    let opens_on = span.start.max(first).max(u.from);
                    let due_on = d.due(opens_on, Some(span), calendar);
                    Arising { unit: u.code.clone(), subject: String::new(), opens_on, due_on }
                });
                wanted.entry(span.start.to_string()).or_default().extend(arising);
            }
        }
        Occasion::On(event) => {
            let from = first.max(today.plus_days(-EVENT_DAYS));
            for Happening { person, unit, on } in happened(*event, &day.directory, from, today) {
                let Some(unit) = unit_above(d.scope, &day.directory, &unit) else { continue };
                // The clock starts when it is known, so that nothing is late before anybody could know.
                let due_on = d.due(today, None, calendar);
                let arising = Arising { unit, subject: person, opens_on: today, due_on };
                wanted.entry(on.to_string()).or_default().push(arising);
            }
        }
    }
    let (id, periods) = (d.id.clone(), wanted.keys().cloned().collect::<Vec<_>>());
    let made = day
        .office
        .store
        .read(move |c| {
            Box::pin(async move {
                let mut made = BTreeMap::new();
                for p in periods {
                    made.insert(p.clone(), duty::made(c, &id, &p).await?);
                }
                Ok::<_, AppError>(made)
            })
        })
        .await?;
    let lacks = |period: &str, a: &Arising| {
        !made.get(period).is_some_and(|m| m.contains(&(a.unit.clone(), a.subject.clone())))
    };
    for (period, list) in &mut wanted {
        list.retain(|a| lacks(period, a));
    }
    wanted.retain(|_, list| !list.is_empty());
    if wanted.is_empty() && since.is_some() {
        return Ok(());
    }
    let (day, id) = (Arc::clone(day), d.id.clone());
    let store = day.office.store.clone();
    store
        .write(move |c| {
            Box::pin(async move {
                duty::put_since(c, &id, today).await?;
                for (period, list) in wanted {
                    make(c, &day, &id, &period, list).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Occurrences of one period, with one ledger entry that names them all.
async fn make(
    c: &mut Conn<'_>,
    day: &Day,
    id: &str,
    period: &str,
    list: Vec<Arising>,
) -> Result<(), AppError> {
    let Some(d) = day.pack.duties.get(id) else { return Ok(()) };
    // Another node may have been faster.
    let made: BTreeSet<(String, String)> = duty::made(c, id, period).await?;
    let list: Vec<Arising> =
        list.into_iter().filter(|a| !made.contains(&(a.unit.clone(), a.subject.clone()))).collect();
    if list.is_empty() {
        return Ok(());
    }
    let named: Vec<_> =
        list.iter().map(|a| json!({"unit": a.unit, "subject": a.subject, "due": a.due_on})).collect();
    let payload = json!({"duty": id, "period": period, "pack": day.pack.hash, "in": named, "at": day.now});
    let stream = ledger::stream_id(day.office.new_id()?);
    let entry = record(c, day.office.seal()?, &stream, "duty.open", &payload, day.now).await?;
    for a in list {
        let row = OccurrenceRow {
            id: day.office.new_id()?.to_string(),
            duty: id.to_owned(),
            pack: day.pack.hash.clone(),
            unit: a.unit,
            subject: a.subject,
            period: period.to_owned(),
            opens_on: a.opens_on,
            due_on: a.due_on,
            created_at: day.now,
            open_entry: entry.clone(),
            reminded: 0,
            escalated: 0,
            next_change_on: Some(day.today()),
            closed_at: None,
            outcome: String::new(),
            done_by: String::new(),
            done_role: String::new(),
            capacity: String::new(),
            evidence: String::new(),
            valid_until: None,
            entry: String::new(),
        };
        duty::add(c, &row).await?;
        if matches!(d.occasion, Occasion::On(_)) {
            tell(c, day, d, &row, 0, "duty_open").await?;
        }
    }
    Ok(())
}

/// Open occurrences whose duty left the pack or whose unit no longer exists fall away, recorded.
async fn fall_away(day: &Arc<Day>) -> Result<(), AppError> {
    let open = day
        .office
        .store
        .read(|c| Box::pin(async move { duty::all_open(c).await.map_err(AppError::from) }))
        .await?;
    let today = day.today();
    let gone: Vec<(String, &'static str)> = open
        .into_iter()
        .filter_map(|(id, of, unit)| {
            let exists = day.directory.unit(&unit).is_some_and(|u| u.exists_on(today));
            match day.pack.duties.contains_key(&of) {
                false => Some((id, "この仕事はパックから除かれました。")),
                true if !exists => Some((id, "所属が廃止されました。")),
                true => None,
            }
        })
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    let inner = Arc::clone(day);
    day.office
        .store
        .write(move |c| {
            Box::pin(async move {
                for (id, why) in gone {
                    let Some(mut row) = duty::get(c, &id).await?.filter(|r| r.closed_at.is_none()) else { continue };
                    let payload = json!({"duty": row.duty, "occurrence": row.id, "unit": row.unit, "period": row.period, "why": why, "at": inner.now});
                    let stream = stream_of(&row.id)?;
                    row.entry =
                        record(c, inner.office.seal()?, &stream, "duty.void", &payload, inner.now).await?;
                    row.closed_at = Some(inner.now);
                    row.outcome = "void".to_owned();
                    row.evidence = why.to_owned();
                    row.next_change_on = None;
                    duty::update(c, &row).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Reminds and escalates what is to be looked at.
async fn look_again(day: &Arc<Day>) -> Result<(), AppError> {
    loop {
        let today = day.today();
        let inner = Arc::clone(day);
        let looked = day
            .office
            .store
            .write(move |c| {
                Box::pin(async move {
                    let rows = duty::to_look_at(c, today, BATCH).await?;
                    let n = rows.len();
                    for row in rows {
                        look_at(c, &inner, row).await?;
                    }
                    Ok::<_, AppError>(n)
                })
            })
            .await?;
        if looked == 0 {
            return Ok(());
        }
    }
}

async fn look_at(c: &mut Conn<'_>, day: &Day, mut row: OccurrenceRow) -> Result<(), AppError> {
    let Some(d) = day.pack.duties.get(&row.duty) else { return Ok(()) };
    let (today, calendar) = (day.today(), &day.pack.calendar);
    let reminders = d.reminders(row.due_on, calendar);
    let passed = i64::try_from(reminders.iter().filter(|r| **r <= today).count()).unwrap_or(0);
    // Several reminders whose days have passed are one.
    if passed > row.reminded && today <= row.due_on {
        tell(c, day, d, &row, 0, "duty_remind").await?;
    }
    row.reminded = row.reminded.max(passed);
    let above = i64::try_from(chain(&day.pack, &d.role).len()).unwrap_or(1) - 1;
    let escalates = |n: i64| d.escalates_on(row.due_on, u32::try_from(n).unwrap_or(u32::MAX), calendar);
    let mut level = row.escalated;
    while level < above && escalates(level + 1) <= today {
        level += 1;
    }
    // One role above at most without a time between them: the next one is told, not the whole chain.
    let most = if d.escalate.is_none() { above.min(1) } else { above };
    let level = level.min(most);
    if level > row.escalated {
        let from = row.escalated;
        row.escalated = level;
        if from == 0 {
            tell(c, day, d, &row, 0, "duty_late").await?;
        }
        tell(c, day, d, &row, usize::try_from(level).unwrap_or(1), "duty_escalated").await?;
        let payload = json!({"duty": row.duty, "occurrence": row.id, "unit": row.unit, "due": row.due_on, "level": level, "at": day.now});
        record(c, day.office.seal()?, &stream_of(&row.id)?, "duty.escalated", &payload, day.now).await?;
    }
    let days = reminders.into_iter().chain((row.escalated < most).then(|| escalates(row.escalated + 1)));
    row.next_change_on = days.filter(|r| *r > today).min();
    duty::update(c, &row).await.map_err(AppError::from)
}

/// Tells the holders of a level of the chain, or of the lowest above it that anybody holds.
async fn tell(
    c: &mut Conn<'_>,
    day: &Day,
    d: &Duty,
    row: &OccurrenceRow,
    level: usize,
    kind: &'static str,
) -> Result<(), AppError> {
    let Some((_, persons)) = told(&d.role, &row.unit, level, day.all(), day.today()) else { return Ok(()) };
    let unit = day.directory.unit_name(&row.unit);
    let (due, era) = (row.due_on.japanese(), row.due_on.wareki());
    let subject = match kind {
        "duty_open" => format!("{}（{unit}）を{due}までに行ってください", d.title),
        "duty_remind" => format!("{}（{unit}）の期限は{due}です", d.title),
        "duty_late" => format!("{}（{unit}）の期限（{era}）が過ぎています", d.title),
        _ => format!(
            "{}（{unit}）が期限（{era}）までに行われていません。上位の責任者として対応してください",
            d.title
        ),
    };
    let link = format!("/duties/{}/{}", row.duty, row.id);
    notify(c, &day.office, &Told { kind, subject: &subject, link: &link }, &persons, day.now).await
}

/// The ledger stream of one occurrence.
pub(super) fn stream_of(id: &str) -> Result<String, AppError> {
    id.parse::<sekisho_base::Id>().map(ledger::stream_id).map_err(AppError::internal)
}

/// Until when a record made for an occurrence counts.
pub(super) fn counts_until(d: &Duty, row: &OccurrenceRow, pack: &Pack) -> Result<Date, AppError> {
    let span = match &d.occasion {
        Occasion::Every(cycle) => row.period.parse::<Date>().ok().map(|start| cycle.span(start)),
        Occasion::On(_) => None,
    };
    d.counts_until(span, &pack.calendar).map_or_else(|| FOR_EVER.parse().map_err(AppError::internal), Ok)
}
