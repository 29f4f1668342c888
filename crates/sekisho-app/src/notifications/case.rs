//! What people are told about cases: that something waits for them, that it is late, and how their application went.

use std::collections::BTreeSet;

use sekisho_case::case::{Act, CaseState, SYSTEM, open_tasks};
use sekisho_case::decide::{self, Ctx};
use sekisho_store::case::{CaseRow, TaskRow};
use sekisho_store::{Conn, notification};

use super::{Told, notify, said};
use crate::error::AppError;
use crate::office::Office;

/// Kind of a task that waits for a deputy only while the holder is away: whoever comes looks into the inbox.
const IN_ABSENCE: &str = "act_in_absence";
/// Code of the act that records a deadline passed.
const OVERDUE: &str = "overdue";

/// What the applicant is told when a case comes to a status.
fn decision(status: &str) -> Option<&'static str> {
    Some(match status {
        "in_force" => "許可されました",
        "refused" => "許可されませんでした",
        "sent_back" => "差し戻されました",
        "revoked" => "許可が取り消されました",
        "closed" => "終わりました",
        _ => return None,
    })
}

/// What somebody is told of a task that is open.
fn waits(row: &CaseRow, task: &str) -> String {
    said(&format!("{} {}：「{task}」を待っています", row.number, row.title))
}

/// What somebody is told of a task that is late.
fn is_late(row: &CaseRow, task: &str) -> String {
    said(&format!("{} {}：「{task}」の期限が過ぎています", row.number, row.title))
}

/// Tells whom a case's acts concern. `before` is the row they were decided on; whoever acted is not told.
pub(crate) async fn case_changed(
    c: &mut Conn<'_>,
    office: &Office,
    before: Option<&CaseRow>,
    row: &CaseRow,
    tasks: &[TaskRow],
    acts: &[Act],
) -> Result<(), AppError> {
    let Some(at) = acts.last().map(|a| a.at) else { return Ok(()) };
    let actors: BTreeSet<&str> = acts.iter().map(|a| a.person.as_str()).filter(|p| *p != SYSTEM).collect();
    let link = format!("/cases/{}", row.id);
    let were_open = match before {
        None => vec![],
        Some(b) => {
            let state: CaseState = serde_json::from_str(&b.state)
                .map_err(|e| AppError::internal(format!("case {}: {e}", b.id)))?;
            open_tasks(&state)
        }
    };
    // What was done asks nobody any more, also not those who share the post.
    let done: BTreeSet<&str> = were_open
        .iter()
        .map(|t| t.title.as_str())
        .filter(|title| tasks.iter().all(|t| t.title != *title))
        .collect();
    let asked: Vec<String> = done.iter().flat_map(|title| [waits(row, title), is_late(row, title)]).collect();
    notification::settle(c, &link, &asked, at).await?;
    let earlier: BTreeSet<(String, String, String)> =
        were_open.into_iter().map(|t| (t.step, t.post, t.person)).collect();
    let late = acts.iter().any(|a| a.what.code() == OVERDUE);
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for t in tasks.iter().filter(|t| t.kind != IN_ABSENCE) {
        let is_new = !earlier.contains(&(t.step.clone(), t.post.clone(), t.person.clone()));
        let over = late && t.due.is_some_and(|due| due < at.date());
        if !is_new && !over {
            continue;
        }
        let mut persons =
            if t.person.is_empty() { office.holders_of(&t.post) } else { vec![t.person.clone()] };
        persons.retain(|p| !actors.contains(p.as_str()) && told.insert((t.title.clone(), p.clone())));
        let (kind, subject) =
            if over { ("overdue", is_late(row, &t.title)) } else { ("task", waits(row, &t.title)) };
        notify(c, office, &Told { kind, subject: &subject, link: &link }, &persons, at).await?;
    }
    let changed = before.is_some_and(|b| b.status != row.status);
    let applicant = row.applicant.as_str();
    if let Some(words) = decision(&row.status).filter(|_| changed)
        && !actors.contains(applicant)
        && applicant != SYSTEM
        && !applicant.is_empty()
    {
        let subject = format!("{} {}が{words}", row.number, row.title);
        let told = Told { kind: "decision", subject: &subject, link: &link };
        notify(c, office, &told, &[applicant.to_owned()], at).await?;
    }
    if changed && matches!(row.status.as_str(), "in_force" | "refused" | "revoked") {
        let mut others = others_told(office, row).await?;
        others.retain(|p| !actors.contains(p.as_str()) && p != applicant);
        let words = decision(&row.status).unwrap_or_default();
        let subject = format!("{} {}が{words}", row.number, row.title);
        let told = Told { kind: "decision", subject: &subject, link: &link };
        notify(c, office, &told, &others, at).await?;
    }
    Ok(())
}

/// Whom the pack wants told of a decision beside the applicant.
async fn others_told(office: &Office, row: &CaseRow) -> Result<Vec<String>, AppError> {
    let pack = office.pack_of(&row.pack).await?;
    if pack.procedures.get(&row.procedure).is_none_or(|p| p.tells.is_none()) {
        return Ok(vec![]);
    }
    let state: CaseState =
        serde_json::from_str(&row.state).map_err(|e| AppError::internal(format!("case {}: {e}", row.id)))?;
    let (org, rules) = (office.org().await?, office.rules(&pack)?);
    let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now: office.clock.now(), person: SYSTEM };
    let told = decide::told(&state, &ctx)
        .map_err(|r| AppError::internal(format!("case {}: {}", row.id, r.message)))?;
    Ok(told.into_iter().collect())
}
