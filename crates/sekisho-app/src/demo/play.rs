//! Plays the demo city's stories through the use cases, in the order of time, so that every act has its authority and its ledger entry.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sekisho_base::clock::ManualClock;
use sekisho_base::{Date, Instant};
use sekisho_case::case::{CaseState, Status};
use sekisho_pack::model::{FieldType, StepKind};
use sekisho_store::register::{self, Filter};
use sekisho_store::{Viewer, notification};

use crate::cases::{ActInput, Typed, shown_for};
use crate::checks;
use crate::clauses::month_ends;
use crate::demo::stories::{Outcome, Story};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::table_spec;

/// The procedure that the stories are about.
const PROCEDURE: &str = "take_out";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Apply,
    Decide,
    Return,
    Confirm,
}

/// Plays everything; at the ends of the last months before `made_on` the clauses are looked at, as a city's day turn does every day, and
/// `readers` (職員番号) have read what they were told.
pub(super) async fn play(
    office: &Arc<Office>,
    clock: &Arc<ManualClock>,
    stories: &[Story],
    made_on: Date,
    readers: &[String],
) -> Result<(), AppError> {
    let ids = row_ids(office).await?;
    let calendar = office.pack().calendar.clone();
    let mut events: Vec<(Date, i64, Event, usize)> = Vec::new();
    for (i, s) in stories.iter().enumerate() {
        let minute = i64::from(s.applied_minute);
        events.push((s.applied_on, minute, Event::Apply, i));
        let spread = i64::try_from(i % 50).unwrap_or(0);
        match &s.outcome {
            Outcome::Permitted { after: 0 } => events.push((s.applied_on, minute + 30, Event::Decide, i)),
            Outcome::Permitted { after } => events.push((
                calendar.plus_business_days(s.applied_on, *after),
                560 + spread,
                Event::Decide,
                i,
            )),
            Outcome::Refused(_) | Outcome::SentBack(_) => {
                events.push((calendar.plus_business_days(s.applied_on, 1), 600 + spread, Event::Decide, i))
            }
            Outcome::Withdrawn => events.push((s.applied_on, minute + 20, Event::Decide, i)),
            Outcome::Pending => {}
        }
        if let Some(day) = s.returned {
            events.push((day, 980 + spread, Event::Return, i));
        }
        if let Some(day) = s.confirmed {
            events.push((day, 1035 + spread, Event::Confirm, i));
        }
    }
    events.sort();
    let mut cases: HashMap<usize, String> = HashMap::new();
    let mut today = None;
    let mut ends = month_ends(made_on).into_iter().peekable();
    for (day, minute, event, i) in events {
        let Some(story) = stories.get(i) else { continue };
        while let Some(end) = ends.next_if(|end| *end < day) {
            // Before the first story nothing tells how things stood.
            if today.is_some() {
                look_back(office, clock, end, readers).await?;
            }
        }
        clock.set(Instant::start_of(day).plus_millis(minute * 60_000));
        if today != Some(day) {
            crate::cases::sweep(office).await?;
            today = Some(day);
        }
        match event {
            Event::Apply => {
                let id = apply(office, &ids, story).await?;
                cases.insert(i, id);
            }
            Event::Decide => {
                decide(office, cases.get(&i).map(String::as_str).unwrap_or_default(), story).await?
            }
            Event::Return => {
                perform(office, cases.get(&i).map(String::as_str).unwrap_or_default(), story, day).await?
            }
            Event::Confirm => confirm(office, cases.get(&i).map(String::as_str).unwrap_or_default()).await?,
        }
    }
    Ok(())
}

/// The evening of a month's last day: what is overdue is noted, and which clauses turned.
async fn look_back(
    office: &Arc<Office>,
    clock: &ManualClock,
    day: Date,
    readers: &[String],
) -> Result<(), AppError> {
    let at = Instant::end_of(day);
    clock.set(at);
    crate::cases::sweep(office).await?;
    checks::run_all(office).await?;
    office.note_turns().await?;
    let readers = readers.to_vec();
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                for person in &readers {
                    notification::mark_read(c, person, None, at).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Row ids by register and key.
async fn row_ids(office: &Arc<Office>) -> Result<HashMap<(String, String), String>, AppError> {
    let mut ids = HashMap::new();
    for r in office.pack().registers.values() {
        let (spec, key) = (table_spec(r), r.key.clone());
        let rows = office
            .store
            .read(move |c| {
                Box::pin(async move {
                    register::list(c, &spec, &Viewer::whole_body("system"), &Filter::default(), 0, 1_000_000)
                        .await
                        .map_err(AppError::from)
                })
            })
            .await?
            .0;
        ids.extend(rows.into_iter().map(|row| ((r.id.clone(), row.text(&key).to_owned()), row.id)));
    }
    Ok(ids)
}

async fn apply(
    office: &Arc<Office>,
    ids: &HashMap<(String, String), String>,
    s: &Story,
) -> Result<String, AppError> {
    let pack = office.pack();
    let p =
        pack.procedures.get(PROCEDURE).ok_or_else(|| AppError::internal("the model pack has no take_out"))?;
    let mut typed = Typed { post: s.post.clone(), ..Typed::default() };
    for f in &p.fields {
        let value = match (f.id.as_str(), &f.kind) {
            (_, FieldType::Items(_)) => {
                let keys = s
                    .items
                    .iter()
                    .filter_map(|(r, k)| Some(format!("{r}/{}", ids.get(&((*r).to_owned(), k.clone()))?)))
                    .collect();
                typed.values.insert(f.id.clone(), keys);
                continue;
            }
            ("purpose", _) => s.purpose.to_owned(),
            ("destination", _) => s.destination.to_owned(),
            ("from", _) => s.from.to_string(),
            ("return_by", _) => s.return_by.to_string(),
            ("blanket", _) => if s.blanket { "1" } else { "" }.to_owned(),
            ("carrying_method", FieldType::Choice) => s.carrying.code().to_owned(),
            ("carrying_method", _) => s.carrying.label().to_owned(),
            (_, FieldType::Bool) => "1".to_owned(),
            (_, FieldType::Choice) => f.choices.first().map(|c| c.code.clone()).unwrap_or_default(),
            (_, FieldType::Integer) => "1".to_owned(),
            _ => String::new(),
        };
        typed.values.insert(f.id.clone(), vec![value]);
    }
    let done = office.apply(&Identity::of_person(&s.applicant), PROCEDURE, &typed).await;
    done.map_err(|e| {
        AppError::internal(format!(
            "demo: {} of {} cannot apply on {}: {e:?}",
            s.applicant, s.post, s.applied_on
        ))
    })
}

async fn act(
    office: &Arc<Office>,
    case: &str,
    state: &CaseState,
    person: &str,
    act: &str,
    values: &[(&str, String)],
) -> Result<(), AppError> {
    let (step, shown) = shown_for(state, act);
    let values: BTreeMap<String, Vec<String>> =
        values.iter().map(|(k, v)| ((*k).to_owned(), vec![v.clone()])).collect();
    let input = ActInput { act: act.to_owned(), step, shown, values };
    let done = office.act(&Identity::of_person(person), case, &input).await;
    done.map_err(|e| AppError::internal(format!("demo: {person} cannot {act} case {case}: {e:?}")))
}

async fn decide(office: &Arc<Office>, case: &str, s: &Story) -> Result<(), AppError> {
    let mut state = office.state_for_engine(case).await?;
    if s.outcome == Outcome::Withdrawn {
        return act(
            office,
            case,
            &state,
            &s.applicant,
            "withdraw",
            &[("withdraw.says", "持ち出さずに済むことになったため。".to_owned())],
        )
        .await;
    }
    // Items of two keepers need two permissions; each holder gives the own part.
    for _ in 0..4 {
        // A vacant post with nobody above present: the case waits, as it would in a real office.
        let Some(person) = office.first_who_may(&state).await? else { return Ok(()) };
        let what = match &s.outcome {
            Outcome::Permitted { .. } => "permit",
            Outcome::Refused(_) => "refuse",
            Outcome::SentBack(_) => "send_back",
            Outcome::Withdrawn | Outcome::Pending => return Ok(()),
        };
        let says = match &s.outcome {
            Outcome::Refused(why) | Outcome::SentBack(why) => vec![("says", (*why).to_owned())],
            _ => vec![],
        };
        act(office, case, &state, &person, what, &says).await?;
        state = office.state_for_engine(case).await?;
        let permits = state.open_step().is_some_and(|step| step.kind == StepKind::Permit);
        if state.status != Status::Open || !permits {
            return Ok(());
        }
    }
    Ok(())
}

async fn perform(office: &Arc<Office>, case: &str, s: &Story, day: Date) -> Result<(), AppError> {
    let pack = office.pack();
    let steps = pack.procedures.get(PROCEDURE).map(|p| p.steps.as_slice()).unwrap_or_default();
    let Some(step) = steps.iter().find(|x| x.kind == StepKind::Perform) else { return Ok(()) };
    // Never permitted, because nobody was there to decide: nothing went out.
    let state = office.state_for_engine(case).await?;
    if state.open_step().is_none_or(|open| open.id != step.id) {
        return Ok(());
    }
    let values: Vec<(String, String)> = step
        .evidence
        .iter()
        .map(|f| {
            let value = match f.kind {
                FieldType::Date => day.to_string(),
                FieldType::Bool | FieldType::Integer => "1".to_owned(),
                FieldType::Choice => f.choices.first().map(|c| c.code.clone()).unwrap_or_default(),
                _ => "異常なし".to_owned(),
            };
            (format!("{}{}", crate::cases::EVIDENCE, f.id), value)
        })
        .collect();
    let borrowed: Vec<(&str, String)> = values.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
    act(office, case, &state, &s.applicant, "perform", &borrowed).await
}

async fn confirm(office: &Arc<Office>, case: &str) -> Result<(), AppError> {
    let pack = office.pack();
    let steps = pack.procedures.get(PROCEDURE).map(|p| p.steps.as_slice()).unwrap_or_default();
    let state = office.state_for_engine(case).await?;
    let open = state.open_step().map(|step| step.id.as_str()).unwrap_or_default();
    if !steps.iter().any(|x| x.kind == StepKind::Confirm && x.id == open) {
        return Ok(());
    }
    let Some(person) = office.first_who_may(&state).await? else { return Ok(()) };
    act(office, case, &state, &person, "confirm", &[]).await
}
