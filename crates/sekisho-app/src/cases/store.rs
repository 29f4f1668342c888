//! From the engine's acts to rows: each act with its ledger entry, the folded state, open tasks, and the checks it touches, all in the
//! transaction in which it was decided.

use std::sync::Arc;

use sekisho_base::text::fold_key;
use sekisho_boxed::boxed;
use sekisho_case::case::{Act, CaseState, SYSTEM, next_change_on, open_tasks};
use sekisho_case::decide::Ctx;
use sekisho_store::case::{self, ActRow, CaseRow, TaskRow};
use sekisho_store::{Conn, Viewer};
use serde_json::json;

use crate::cases::act::folded;
use crate::cases::follow::day_turned;
use crate::cases::lent::covers;
use crate::cases::related;
use crate::checks;
use crate::error::AppError;
use crate::office::Office;
use crate::people::Me;
use crate::record::{record, stream_of};

/// Reads a row's folded state.
pub(super) fn state_of(row: &CaseRow) -> Result<CaseState, AppError> {
    serde_json::from_str(&row.state).map_err(|e| AppError::internal(format!("case {}: {e}", row.id)))
}

impl Office {
    /// A case that somebody may see: of the units seen, one the person takes part in, or one that waits for the person.
    pub(super) async fn load_case(&self, me: &Me, id: &str) -> Result<(CaseRow, CaseState), AppError> {
        let lent = self.lent_to(me);
        let lent_posts: Vec<String> = lent.iter().map(|x| x.post.clone()).collect();
        let (viewer, posts, id) = (me.viewer().clone(), me.posts().to_vec(), id.to_owned());
        let (row, by_delegation) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let own = match case::get(c, &viewer, &id).await? {
                        None if case::waits_for(c, &id, &viewer.person, &posts).await? => {
                            case::get(c, &engine(), &id).await?
                        }
                        found => found,
                    };
                    Ok::<_, AppError>(match own {
                        None if case::waits_for(c, &id, "", &lent_posts).await? => {
                            (case::get(c, &engine(), &id).await?, true)
                        }
                        found => (found, false),
                    })
                })
            })
            .await?;
        let row = row.ok_or(AppError::NotFound)?;
        let state = state_of(&row)?;
        if by_delegation && !covers(&lent, &state, "") {
            return Err(AppError::NotFound);
        }
        Ok((row, state))
    }

    /// What happened in a case so far.
    pub(super) async fn acts_of(&self, case: &str) -> Result<Vec<ActRow>, AppError> {
        let case = case.to_owned();
        self.store
            .ask(move |c| Box::pin(async move { case::acts(c, &case).await.map_err(AppError::from) }))
            .await
    }
}

/// Stores acts and the state they lead to. `before` is the row they were decided on; nothing for a new case.
pub(super) async fn keep(
    c: &mut Conn<'_>,
    office: &Office,
    before: Option<&CaseRow>,
    state: &CaseState,
    acts: &[Act],
) -> Result<(), AppError> {
    if acts.is_empty() {
        return Ok(());
    }
    let stream = stream_of(&state.id)?;
    let mut entry = String::new();
    for act in acts {
        let body = json!(act);
        let payload = json!({"case": state.id, "number": state.number, "act": body});
        entry = record(c, office.seal()?, &stream, &format!("case.{}", act.what.code()), &payload, act.at)
            .await?;
        let row = ActRow {
            seq: i64::from(act.seq),
            kind: act.what.code().to_owned(),
            person: act.person.clone(),
            at: act.at,
            body: body.to_string(),
            entry: entry.clone(),
        };
        case::add_act(c, &state.id, &row).await?;
    }
    let directory_text = [state.number.as_str(), state.title.as_str()].join("\u{1f}");
    // What a case is found by: of a bulk change the first things; the others lead to it from their own pages.
    let found_by = state.content.items.iter().take(sekisho_base::limits::CASE_ITEMS);
    let names: Vec<&str> = found_by.flat_map(|i| [i.number.as_str(), i.name.as_str()]).collect();
    let tasks: Vec<TaskRow> = open_tasks(state)
        .into_iter()
        .map(|t| TaskRow {
            case_id: state.id.clone(),
            step: t.step,
            kind: t.kind.code().to_owned(),
            title: t.title,
            post: t.post,
            person: t.person,
            due: t.due,
            opened_at: t.opened_at,
        })
        .collect();
    let row = CaseRow {
        id: state.id.clone(),
        procedure: state.procedure.clone(),
        number: state.number.clone(),
        title: state.title.clone(),
        status: state.status.code().to_owned(),
        applicant: state.applicant.person.clone(),
        post: state.applicant.post.clone(),
        unit: state.applicant.unit.clone(),
        pack: state.pack.hash.clone(),
        version: before.map_or(1, |b| b.version + 1),
        state: serde_json::to_string(state).map_err(AppError::internal)?,
        opened_at: state.opened_at,
        closed_at: state.closed_at,
        due: tasks.iter().filter_map(|t| t.due).min(),
        next_change_on: next_change_on(state),
        search: fold_key(&format!(
            "{directory_text}\u{1f}{}\u{1f}{}",
            names.join("\u{1f}"),
            office.cached_name(&state.applicant.person)
        )),
    };
    case::put(c, &row).await?;
    crate::permits::after_case(c, state).await?;
    let parties: Vec<String> = state.parties.iter().filter(|p| p.as_str() != SYSTEM).cloned().collect();
    case::add_parties(c, &state.id, &parties).await?;
    if before.is_none() || acts.iter().any(|a| matches!(a.what, sekisho_case::case::What::Resubmitted { .. }))
    {
        let items: Vec<(String, String)> =
            state.content.items.iter().map(|i| (i.register.clone(), i.id.clone())).collect();
        case::set_items(c, &state.id, &items).await?;
    }
    case::set_tasks(c, &state.id, &tasks).await?;
    crate::notifications::case_changed(c, office, before, &row, &tasks, acts).await?;
    if before.is_some_and(|b| b.status != state.status.code()) {
        related::tell_opener(c, office, state).await?;
    }
    checks::after_case(c, office, &row, tasks, &entry).await
}

/// Asks the engine about a case as its row has it, and keeps what follows, in the caller's transaction.
pub(super) async fn decide_and_keep<F>(
    c: &mut Conn<'_>,
    office: &Office,
    row: &CaseRow,
    person: &str,
    decision: F,
) -> Result<(), AppError>
where
    F: FnOnce(&CaseState, &Ctx<'_>) -> Result<Vec<Act>, AppError> + Send,
{
    let state = state_of(row)?;
    let pack = office.pack_of(&row.pack).await?;
    let (org, rules) = (office.org_now(c).await?, office.rules(&pack)?);
    let now = office.clock.now();
    let acts = decision(&state, &Ctx { org: &org, pack: &pack, rules: &rules, now, person })?;
    let after = folded(state, &acts)?;
    keep(c, office, Some(row), &after, &acts).await
}

/// Cases that one sweep looks at in one transaction.
const SWEEP: i64 = 200;

/// Records what the passing of time changed: deadlines passed, permits ended, people who came or went.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn sweep(office: &Arc<Office>) -> Result<usize, AppError> {
    day_turned(office).await?;
    let mut total = 0;
    loop {
        let today = office.clock.today();
        let rows = office
            .store
            .read(move |c| {
                Box::pin(async move { case::due_for_sweep(c, today, SWEEP).await.map_err(AppError::from) })
            })
            .await?;
        let mut changed = 0;
        for row in rows {
            changed += usize::from(office.pass_time(&row).await?);
        }
        total += changed;
        if changed == 0 {
            return Ok(total);
        }
    }
}

/// Looks at a case with the eyes of the engine.
pub(super) fn engine() -> Viewer {
    Viewer::whole_body(SYSTEM)
}
