//! Who may act on the open step and why, and why the others who might expect to may not. It decides nothing: words for
//! people, beside what authorization works out.

use sekisho_pack::model::{OnAbsent, Step};

use super::Ctx;
use super::run::Run;
use crate::authority::{Explain, Level, Part, Seat, Standing, holders};
use crate::case::{CaseState, SYSTEM, StepRun, StepStatus, is_final_decision, is_judging};

/// Who may act on the open step, and who may not, with the reason.
#[must_use]
pub fn explain(state: &CaseState, ctx: &Ctx<'_>) -> Vec<Explain> {
    let Ok(run) = Run::on(state, ctx) else { return vec![] };
    let mut all: Vec<Explain> = Vec::new();
    for step in state.steps.iter().filter(|s| s.status == StepStatus::Open) {
        let Ok(spec) = run.spec(&step.id) else { continue };
        for part in step.waiting_parts().into_iter().filter_map(|i| step.parts.get(i)) {
            let Ok(standing) = run.standing_of(step, part) else { continue };
            let others = others(&run, spec, part, &standing);
            for e in named(&run, step, spec, standing).into_iter().chain(others) {
                if !all.contains(&e) {
                    all.push(e);
                }
            }
        }
        all.extend(applicant(&run, step, &all));
    }
    // Who may act in one part need not be told why not in another.
    let able: Vec<String> = all.iter().filter(|e| e.may).map(|e| e.person.clone()).collect();
    all.retain(|e| e.may || e.person.is_empty() || !able.contains(&e.person));
    all
}

/// What authorization said, with 専決 where the decision is another role's.
fn named(run: &Run<'_>, step: &StepRun, spec: &Step, standing: Standing) -> Vec<Explain> {
    let instead = spec.instead_of.as_ref().filter(|_| is_final_decision(step.kind));
    let Some(title) = instead.and_then(|id| run.ctx.pack.roles.get(id)).map(|r| r.title.as_str()) else {
        return standing.explain;
    };
    let holds = |p: &str| standing.of(p).is_some_and(|c| c.level == 0);
    let mut explain = standing.explain.clone();
    for e in explain.iter_mut().filter(|e| e.may && holds(&e.person)) {
        e.why.push_str(&format!("{title}の決定を専決します。"));
    }
    explain
}

/// Deputies whose turn it is not, and the role above, whose turn comes with lateness.
fn others(run: &Run<'_>, spec: &Step, part: &Part, standing: &Standing) -> Vec<Explain> {
    let (org, day) = (run.ctx.org, run.ctx.today());
    let known = |person: &str| standing.explain.iter().any(|e| e.person == person);
    let mut found: Vec<Explain> = Vec::new();
    let mut note = |person: &str, post: &str, why: String| {
        if !known(person) && found.iter().all(|e| e.person != person) {
            found.push(Explain { person: person.to_owned(), post: org.post_name(post), may: false, why });
        }
    };
    for (i, level) in part.levels.iter().enumerate().take(standing.reached + 1) {
        let why = no_deputy(spec, level, standing.present.contains(&i));
        for post in &level.deputies {
            for person in org.holders(post, day) {
                note(person, post, why.clone());
            }
        }
    }
    let personal = |l: &Level| l.seats.iter().any(|s| matches!(s, Seat::Person(_)));
    let lower = part.levels.get(standing.reached).filter(|l| !personal(l));
    if let (Some(lower), Some(next)) = (lower, part.levels.get(standing.reached + 1)) {
        let why = format!("{}の番です。期限を過ぎると、{}も行えます。", lower.title, next.title);
        for (person, post) in next.seats.iter().flat_map(|s| holders(s, org, day)) {
            note(&person, &post, why.clone());
        }
    }
    found
}

/// Why a deputy of this level does not act.
fn no_deputy(spec: &Step, level: &Level, present: bool) -> String {
    if present {
        format!("{}が在席しているので、代決はできません。", level.title)
    } else if !is_final_decision(spec.kind) || spec.on_absent != OnAbsent::Daiketsu {
        "この手順は代決しません。".to_owned()
    } else {
        "先に代わる人がいるので、代決はできません。".to_owned()
    }
}

/// The applicant, who might expect to decide.
fn applicant(run: &Run<'_>, step: &StepRun, told: &[Explain]) -> Option<Explain> {
    let a = &run.state.applicant;
    if a.person == SYSTEM || !is_judging(step.kind) || told.iter().any(|e| e.person == a.person) {
        return None;
    }
    Some(Explain {
        person: a.person.clone(),
        post: run.ctx.org.post_name(&a.post),
        may: false,
        why: "申請者なので、自分の申請は判断できません。".to_owned(),
    })
}
