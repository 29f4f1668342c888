//! What waits for whom: rows for inboxes, without asking the organization or Cedar; and when time alone changes a case.

use std::collections::BTreeSet;

use sekisho_base::{Date, Instant};
use serde::{Deserialize, Serialize};

use super::{CaseState, Due, Review, ReviewCause, Status, StepRun, StepStatus};
use crate::authority::{Level, Seat};

/// Kinds of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Do the step.
    Act,
    /// Do it if the holder is absent (代決).
    ActInAbsence,
    /// It is late: see to it.
    Overdue,
    /// Correct and apply again.
    Resubmit,
    /// Answer a wish for more time.
    Extension,
    /// Review a permit whose item was reclassified.
    Review,
    /// Read afterwards (後閲).
    PostReview,
}

impl TaskKind {
    /// Stable code, as stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::ActInAbsence => "act_in_absence",
            Self::Overdue => "overdue",
            Self::Resubmit => "resubmit",
            Self::Extension => "extension",
            Self::Review => "review",
            Self::PostReview => "post_review",
        }
    }
}

/// One task of a post or a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenTask {
    /// Step; empty for a review.
    pub step: String,
    /// Kind.
    pub kind: TaskKind,
    /// Post that holds it; empty when a person does.
    pub post: String,
    /// Person who holds it; empty when a post does.
    pub person: String,
    /// Deadline.
    pub due: Option<Date>,
    /// What is to be done, in Japanese.
    pub title: String,
    /// Since when.
    pub opened_at: Instant,
}

/// The open tasks of a case, in a stable order, each once.
#[must_use]
pub fn open_tasks(state: &CaseState) -> Vec<OpenTask> {
    let mut tasks = BTreeSet::new();
    for run in state.steps.iter().filter(|s| s.status == StepStatus::Open) {
        step_tasks(run, &mut tasks);
    }
    if state.status == Status::SentBack {
        tasks.insert(OpenTask {
            step: state.resume.as_ref().map(|r| r.step.clone()).unwrap_or_default(),
            kind: TaskKind::Resubmit,
            post: String::new(),
            person: state.applicant.person.clone(),
            due: None,
            title: "差し戻された申請を直す".to_owned(),
            opened_at: state.opened_at,
        });
    }
    // An extension asked for before the end is answered by the end.
    if !state.status.ended()
        && state.permit.as_ref().is_some_and(|p| p.extension.is_some())
        && let Some(run) = state.deciding_step()
    {
        let opened_at = run.decisions.last().map_or(state.opened_at, |d| d.at);
        for part in &run.parts {
            for level in part.levels.get(part.turn).into_iter() {
                level_tasks(
                    level,
                    TaskKind::Extension,
                    "期間の延長に答える",
                    &run.id,
                    None,
                    opened_at,
                    &mut tasks,
                );
            }
        }
    }
    // A permit that has ended has nothing left to review; what was done in it still has to be read.
    let moot = |r: &Review| r.cause == ReviewCause::Reclassified && state.status.ended();
    for review in state.reviews.iter().filter(|r| r.done.is_none() && !moot(r)) {
        let (kind, title) = match review.cause {
            ReviewCause::Reclassified => (TaskKind::Review, "分類が変わった許可を見直す"),
            ReviewCause::Override => (TaskKind::PostReview, "本人が自ら決めた案件を確認する"),
            ReviewCause::Acting | ReviewCause::PassedOver => {
                (TaskKind::PostReview, "不在の間の案件を後閲する")
            }
        };
        level_tasks(&review.by, kind, title, "", None, review.opened_at, &mut tasks);
    }
    tasks.into_iter().collect()
}

fn step_tasks(run: &StepRun, tasks: &mut BTreeSet<OpenTask>) {
    let due = run.due.map(Due::date);
    let Some(opened_at) = run.opened_at else { return };
    for index in run.waiting_parts() {
        let Some(part) = run.parts.get(index) else { continue };
        let done = run.posts_done(index);
        for (i, level) in part.levels.iter().enumerate().skip(part.turn).take(run.escalated + 1) {
            if i == part.turn {
                let mut level = level.clone();
                level.seats.retain(|s| s.post().is_none_or(|p| !done.contains(p)));
                level_tasks(&level, TaskKind::Act, &run.title, &run.id, due, opened_at, tasks);
                for post in &level.deputies {
                    let (post, person) = (post.clone(), String::new());
                    let (step, title) = (run.id.clone(), run.title.clone());
                    tasks.insert(OpenTask {
                        step,
                        kind: TaskKind::ActInAbsence,
                        post,
                        person,
                        due,
                        title,
                        opened_at,
                    });
                }
            } else {
                let title = format!("{}（期限超過）", run.title);
                level_tasks(level, TaskKind::Overdue, &title, &run.id, due, opened_at, tasks);
            }
        }
    }
}

fn level_tasks(
    level: &Level,
    kind: TaskKind,
    title: &str,
    step: &str,
    due: Option<Date>,
    opened_at: Instant,
    tasks: &mut BTreeSet<OpenTask>,
) {
    for seat in &level.seats {
        let (post, person) = match seat {
            Seat::Post(post) | Seat::Named { post, .. } => (post.clone(), String::new()),
            Seat::Person(person) => (String::new(), person.clone()),
            Seat::Everyone => continue,
        };
        tasks.insert(OpenTask {
            step: step.to_owned(),
            kind,
            post,
            person,
            due,
            title: title.to_owned(),
            opened_at,
        });
    }
}

/// The day on which the passing of time alone changes the case: a step falls overdue, or a permit expires.
#[must_use]
pub fn next_change_on(state: &CaseState) -> Option<Date> {
    let steps = state.steps.iter().filter(|s| s.status == StepStatus::Open && s.escalated == 0);
    let overdue = steps.filter_map(|s| s.due).map(|due| match due {
        Due::On(date) => date.plus_days(1),
        Due::At(at) => at.date(),
    });
    let permit = state.permit.as_ref().filter(|p| state.status == Status::InForce && !p.expiry_noted);
    overdue.chain(permit.map(|p| p.until.plus_days(1))).min()
}
