//! Asking whether the person may act: facts from the organization, decision from Cedar.

use std::collections::BTreeSet;

use sekisho_pack::model::{Scope, Step};

use super::Ctx;
use super::run::{Run, Stamp};
use crate::authority::{
    self, Anchors, Candidate, Capacity, Held, Lent, Level, Part, Path, Question, Route, Seat, Situation,
    Standing, holders, resolve, standing,
};
use crate::case::{CaseState, StepRun, is_final_decision, is_judging};
use crate::facts::{applies, case_bindings};
use crate::refusal::Refusal;

/// Who is told of a decision: the holders of each role named, or of the role above where nobody holds it.
///
/// # Errors
/// The case runs under another pack version.
pub fn told(state: &CaseState, ctx: &Ctx<'_>) -> Result<BTreeSet<String>, Refusal> {
    let run = Run::on(state, ctx)?;
    let Some(by) = &run.procedure.tells else { return Ok(BTreeSet::new()) };
    let item = state.items().first().map(|i| (i.register.as_str(), i.snapshot.owner.as_str()));
    let anchors = Anchors {
        applicant: &state.applicant.person,
        applicant_unit: &state.applicant.unit,
        item_owner: item.map(|(_, owner)| owner),
        item_role: item
            .and_then(|(register, _)| ctx.pack.registers.get(register))
            .and_then(|r| r.managed_by.as_deref()),
        successors: &[],
    };
    let mut route = Route::default();
    resolve(by, &anchors, ctx.pack, ctx.org, ctx.today(), &mut route);
    let of_level = |l: &Level| -> Vec<String> {
        let held = l.seats.iter().flat_map(|s| holders(s, ctx.org, ctx.today()));
        held.map(|(person, _)| person).collect()
    };
    let first = |p: &Part| p.levels.iter().map(of_level).find(|held| !held.is_empty()).unwrap_or_default();
    Ok(route.parts.iter().flat_map(first).collect())
}

/// Leave to act for one part.
#[derive(Debug, Clone)]
pub(super) struct Leave {
    pub held: Held,
    pub overridden: bool,
    /// 代決 that the pack bars unless there is a reason.
    pub urgent: bool,
    /// Level of the chain by which the person acts.
    pub level: usize,
}

/// How the person asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'s> {
    pub action: &'s str,
    pub shown: &'s str,
    pub content: &'s str,
    pub reason: bool,
    pub open: bool,
    pub judging: bool,
}

impl Run<'_> {
    /// The standing of a part of a step today.
    pub fn standing_of(&self, step: &StepRun, part: &Part) -> Result<Standing, Refusal> {
        let spec = self.spec(&step.id)?;
        let barred = if is_judging(step.kind) { self.barred(&step.id) } else { BTreeSet::new() };
        let situation = Situation {
            org: self.ctx.org,
            day: self.ctx.today(),
            on_absent: spec.on_absent,
            on_empty: spec.on_empty,
            final_decision: is_final_decision(step.kind),
            barred: &barred,
            escalated: step.escalated,
            daiketsu_barred: self.daiketsu_barred(spec),
        };
        Ok(standing(part, &situation))
    }

    /// Whether 代決 needs a reason in this case; an error or a null in the pack's condition means that it does.
    fn daiketsu_barred(&self, spec: &Step) -> bool {
        let Some(when) = &spec.no_daiketsu_when else { return false };
        let b = case_bindings(&self.state, &self.ctx.pack.classification, self.ctx.today());
        applies(Some(when), &b)
    }

    /// Asks Cedar for leave to act for a part of a step.
    pub fn leave(&self, step: &StepRun, part: &Part, asking: Asking<'_>) -> Result<Leave, Refusal> {
        let standing = self.standing_of(step, part)?;
        let everyone = Candidate {
            person: self.ctx.person.to_owned(),
            post: self.main_post(),
            level: 0,
            path: Path::Holder,
        };
        let candidate = standing.of(self.ctx.person).or_else(|| standing.everyone.then_some(&everyone));
        let mut q = self.question(asking);
        self.step_facts(&mut q, step, part, &standing, candidate);
        q.require(self.ctx.rules, &self.who_may(&standing))?;
        // Cedar permits no path but a candidate's; without one it has denied already.
        let Some(c) = candidate else {
            return Err(Refusal::new(
                crate::refusal::Code::NotAuthorized,
                "この操作を行う権限がありません。",
            ));
        };
        let by = part.levels.get(c.level);
        let instead_of = self.spec(&step.id)?.instead_of.clone().filter(|_| is_final_decision(step.kind));
        let capacity = match c.path {
            Path::Holder if instead_of.is_some() => Capacity::DelegatedDecision,
            _ => c.path.capacity(),
        };
        let held = Held {
            capacity,
            role: part.role.clone(),
            by_role: by.map(|l| l.role.clone()).unwrap_or_default(),
            unit: by.map(|l| l.unit.clone()).unwrap_or_default(),
            post: c.post.clone(),
            path: c.path.clone(),
            instead_of,
        };
        let urgent = matches!(c.path, Path::Deputy { .. }) && self.daiketsu_barred(self.spec(&step.id)?);
        Ok(Leave { held, overridden: c.path == Path::Override, urgent, level: c.level })
    }

    fn step_facts(
        &self,
        q: &mut Question,
        step: &StepRun,
        part: &Part,
        standing: &Standing,
        c: Option<&Candidate>,
    ) {
        let seats =
            |levels: &[Level]| -> Vec<Seat> { levels.iter().flat_map(|l| l.seats.iter().cloned()).collect() };
        let (first, higher) = part.levels.split_at(part.levels.len().min(1));
        let opened = higher.get(..standing.reached.min(higher.len())).unwrap_or_default();
        let acting = standing.candidates.iter().filter(|c| matches!(c.path, Path::Deputy { .. }));
        let acting: Vec<Seat> = acting.map(|c| Seat::Post(c.post.clone())).collect();
        q.step.clone_from(&step.id);
        q.role.clone_from(&part.role);
        q.final_decision = is_final_decision(step.kind);
        if q.judging {
            q.performers = self.state.performers_before(&step.id);
            q.judged_units = self.sections_judged();
        }
        q.delegation = c.and_then(|c| self.lent(part, c));
        q.nobody_else = standing.exhausted;
        q.escalated = standing.reached > 0;
        q.holder_present = c.is_some_and(|c| standing.present.contains(&c.level));
        q.path = c.map(|c| c.path.code().to_owned()).unwrap_or_default();
        q.depth = c.map_or(0, |c| i64::from(matches!(c.path, Path::Deputy { .. } | Path::Delegate { .. })));
        q.overridden = c.is_some_and(|c| c.path == Path::Override);
        q.daiketsu_barred = self.spec(&step.id).is_ok_and(|s| self.daiketsu_barred(s));
        let groups =
            [(seats(first), &mut q.holders), (seats(opened), &mut q.higher), (acting, &mut q.acting)];
        for (seats, keys) in groups {
            for seat in seats {
                if authority::sits(&seat, self.ctx.person, self.ctx.org, self.ctx.today()) {
                    q.sits_in.insert(seat.key());
                }
                keys.insert(seat.key());
            }
        }
    }

    /// The delegation a person acts under, as it was approved: whether it is in force is left to the rules.
    fn lent(&self, part: &Part, c: &Candidate) -> Option<Lent> {
        let Path::Delegate { delegation, for_post } = &c.path else { return None };
        let approved = self.ctx.org.delegation(for_post, delegation, &c.person, self.ctx.today())?;
        let seat = part.levels.get(c.level)?.seats.iter().find(|s| s.post() == Some(for_post.as_str()))?;
        let (person, from, until) = (approved.person.clone(), approved.from, approved.until);
        Some(Lent { person, seat: seat.key(), from, until })
    }

    /// Sections that own the items of the case.
    fn sections_judged(&self) -> BTreeSet<String> {
        let owners = self.state.content.items.iter().map(|i| &i.snapshot.owner);
        owners.filter_map(|o| self.ctx.org.scope_unit(o, Scope::Section)).map(|u| u.code.clone()).collect()
    }

    /// Units in which the person holds a post today, and those above them.
    fn units(&self) -> BTreeSet<String> {
        let posts = self.ctx.org.appointments(self.ctx.person, self.ctx.today());
        let units = posts.filter_map(|a| self.ctx.org.post(&a.post)).map(|p| p.unit.as_str());
        units.flat_map(|u| self.ctx.org.ancestors(u)).map(|u| u.code.clone()).collect()
    }

    /// Asks Cedar for leave to do something as the applicant.
    pub fn leave_as_applicant(&self, asking: Asking<'_>) -> Result<Stamp, Refusal> {
        let mut q = self.question(asking);
        q.step = "case".to_owned();
        q.role = authority::APPLICANT.to_owned();
        q.path = "holder".to_owned();
        let who =
            format!("申請した{}さん本人が行います。", self.ctx.org.person_name(&self.state.applicant.person));
        q.require(self.ctx.rules, &who)?;
        let (post, role, unit) =
            (self.applicant_post(), authority::APPLICANT.to_owned(), self.state.applicant.unit.clone());
        let capacity = Capacity::Holder;
        let held = Held {
            capacity,
            by_role: role.clone(),
            role,
            unit,
            post: post.clone(),
            path: Path::Holder,
            instead_of: None,
        };
        Ok(Stamp { post, held: vec![held], content: asking.content.to_owned(), ..Stamp::default() })
    }

    /// Asks Cedar for leave to review, as a holder of the level it was put before.
    pub fn leave_to_review(&self, level: &Level, author: &str, asking: Asking<'_>) -> Result<Held, Refusal> {
        let day = self.ctx.today();
        let mut q = self.question(asking);
        q.step = "review".to_owned();
        q.role.clone_from(&level.role);
        q.path = "holder".to_owned();
        q.performers = [author.to_owned()].into_iter().filter(|a| !a.is_empty()).collect();
        q.holders = level.seats.iter().map(Seat::key).collect();
        let seat = level.seats.iter().find(|s| authority::sits(s, self.ctx.person, self.ctx.org, day));
        q.sits_in = seat.map(Seat::key).into_iter().collect();
        q.require(self.ctx.rules, &format!("{}が行います。", level.title))?;
        let post = seat.and_then(Seat::post).unwrap_or_default().to_owned();
        let (role, by_role, unit) = (level.role.clone(), level.role.clone(), level.unit.clone());
        let (capacity, path) = (Capacity::PostReview, Path::Holder);
        Ok(Held { capacity, role, by_role, unit, post, path, instead_of: None })
    }

    pub fn question(&self, asking: Asking<'_>) -> Question {
        Question {
            action: asking.action.to_owned(),
            person: self.ctx.person.to_owned(),
            in_office: self.ctx.org.in_office(self.ctx.person, self.ctx.today()),
            units: self.units(),
            procedure: self.state.procedure.clone(),
            applicant: self.state.applicant.person.clone(),
            open: asking.open,
            judging: asking.judging,
            content: asking.content.to_owned(),
            shown: asking.shown.to_owned(),
            reason: asking.reason,
            date: Some(self.ctx.today()),
            ..Question::default()
        }
    }

    /// A sentence that names those who may act.
    pub fn who_may(&self, standing: &Standing) -> String {
        if standing.blocked {
            return "担当する職が欠員のため、後任が決まるまで進められません。".to_owned();
        }
        let mut names: Vec<String> = Vec::new();
        for c in standing.eligible() {
            let name = self.ctx.org.person_name(&c.person);
            let named = if c.post.is_empty() {
                format!("{name}さん")
            } else {
                format!("{} {name}さん", self.ctx.org.post_name(&c.post))
            };
            if !names.contains(&named) {
                names.push(named);
            }
        }
        names.truncate(5);
        if names.is_empty() {
            String::new()
        } else {
            format!("この手順は{}が行います。", names.join("、"))
        }
    }

    pub fn main_post(&self) -> String {
        self.ctx
            .org
            .appointments(self.ctx.person, self.ctx.today())
            .next()
            .map(|a| a.post.clone())
            .unwrap_or_default()
    }

    fn applicant_post(&self) -> String {
        let post = &self.state.applicant.post;
        if self.ctx.org.holds(self.ctx.person, post, self.ctx.today()) {
            post.clone()
        } else {
            self.main_post()
        }
    }
}
