//! Playing a case up to the step asked about: every act is decided as it would be for a page, by persons whom the engine
//! itself allows.

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_case::authority::Rules;
use sekisho_case::case::{Act, CaseState, Cause, Status, fold};
use sekisho_case::decide::{
    Application, Command, Ctx, Draft, Offer, Opening, apply, case_number, check_form, child_moved, decide,
    explain, open_without_applicant, opened, own_offer,
};
use sekisho_case::{Code, Refusal};
use sekisho_pack::model::{Pack, Procedure, Step};
use sekisho_pack::test::Answer;

use super::city::{City, Facts};
use super::fill::{Example, Values, fill, fitting};
use super::item::items;

/// Most acts by persons before the step asked about.
const ACTS: usize = 200;
/// What the application itself is called among the steps.
const APPLY: &str = "apply";
/// Nine in the morning, in milliseconds of the day.
const MORNING: i64 = 9 * 3_600_000;

/// What a question is played with.
pub(super) struct Stage<'a> {
    pub pack: &'a Pack,
    pub rules: &'a Rules,
    pub city: &'a City<'a>,
    pub facts: &'a Facts,
    /// Person asked about: lets others act in earlier steps where there are others.
    pub asked: &'a str,
}

impl<'a> Stage<'a> {
    /// Whether the person asked about may act at the step, and what that person is told.
    pub fn answer(&self, procedure: &str, step: &str) -> Result<Answer, String> {
        let procedure =
            self.pack.procedures.get(procedure).ok_or_else(|| format!("手続「{procedure}」がありません"))?;
        if step == APPLY {
            return self.applying(procedure);
        }
        let spec = procedure
            .steps
            .iter()
            .find(|s| s.id == step)
            .ok_or_else(|| format!("段「{step}」がありません"))?;
        let state = self.reach(procedure, spec)?;
        let ctx = self.ctx(self.asked);
        let allowed = self.offer(&state, step, self.asked).is_some();
        let lines = explain(&state, &ctx).into_iter().filter(|e| e.person == self.asked);
        let mut says: Vec<String> = lines.map(|e| format!("{} {}", e.post, e.why)).collect();
        if !allowed && let Err(refusal) = decide(&state, &ctx, act(&state, step, &Values::new(), None)) {
            says.push(refusal.message);
        }
        let outcome = if allowed { "allowed" } else { "refused" }.to_owned();
        Ok(Answer { outcome, says })
    }

    /// Whether the application with the values asked about is accepted, and what is said where it is not.
    fn applying(&self, procedure: &Procedure) -> Result<Answer, String> {
        let refusal = match self.application(procedure, 0, &BTreeMap::new())? {
            Ok(_) => return Ok(Answer { outcome: "allowed".to_owned(), says: vec![] }),
            Err(refusal) => refusal,
        };
        let about = |f: &str| self.facts.fields.contains_key(f);
        if !refusal.fields.is_empty() && !refusal.fields.iter().any(|f| about(&f.field)) {
            // Something else of the made-up application does not fit: that says nothing about what was asked.
            return Err(format!("例の申請を作れません。{}", refusal.message));
        }
        let says = refusal.fields.into_iter().map(|f| f.message).chain([refusal.message]).collect();
        Ok(Answer { outcome: "refused".to_owned(), says })
    }

    fn ctx<'s>(&'s self, person: &'s str) -> Ctx<'s> {
        let now = Instant::start_of(self.city.day).plus_millis(MORNING);
        Ctx { org: &self.city.org, pack: self.pack, rules: self.rules, now, person }
    }

    /// A case in which the step is open. Where the step depends on what is applied for, other applications are tried:
    /// one field of its condition changed, and higher classes.
    fn reach(&self, procedure: &Procedure, step: &Step) -> Result<CaseState, String> {
        let names = step.when.as_ref().map(|w| w.names()).unwrap_or_default();
        let mut starts = vec![BTreeMap::new()];
        for f in procedure.fields.iter().filter(|f| names.contains(&f.id)) {
            let others = 1..fitting(self.pack, f, self.city.day).len();
            starts.extend(others.map(|n| BTreeMap::from([(f.id.clone(), n)])));
        }
        let axes =
            self.pack.classification.axes.iter().filter(|(id, _)| names.contains(&format!("class.{id}")));
        let levels = axes.map(|(_, a)| a.levels.len()).max().unwrap_or(0).max(1);
        let mut first = None;
        for level in 0..levels {
            for start in &starts {
                match self.run(procedure, step, level, start) {
                    Ok(state) => return Ok(state),
                    Err(why) => first = first.or(Some(why)),
                }
            }
        }
        Err(first.unwrap_or_else(|| "申請の例を作れません".to_owned()))
    }

    fn run(
        &self,
        procedure: &Procedure,
        step: &Step,
        level: usize,
        start: &BTreeMap<String, usize>,
    ) -> Result<CaseState, String> {
        let applied = self.application(procedure, level, start)?;
        let mut acts = applied.map_err(|r| format!("例の申請が受け付けられません。{}", r.message))?;
        for _ in 0..ACTS {
            let state = fold(&acts).map_err(|e| e.to_string())?;
            let Some(open) = state.open_step() else { break };
            if open.id == step.id {
                return Ok(state);
            }
            let spec = procedure.steps.iter().find(|s| s.id == open.id);
            let spec = spec.ok_or_else(|| format!("段「{}」がありません", open.id))?;
            acts.extend(
                self.next(&state, spec)
                    .map_err(|r| format!("前の手順「{}」が進みません。{}", open.title, r.message))?,
            );
        }
        Err(format!("この例では、手順「{}」まで進みません", step.title))
    }

    /// Applies with the values asked about and others that fit; what nobody applies for is opened by its first cause.
    fn application(
        &self,
        procedure: &Procedure,
        level: usize,
        start: &BTreeMap<String, usize>,
    ) -> Result<Result<Vec<Act>, Refusal>, String> {
        let items = items(self.pack, procedure, self.facts, level, self.city.day)?;
        let ctx = self.ctx(&self.city.applicant);
        let example = Example { pack: self.pack, today: self.city.day, start, fixed: &self.facts.fields };
        Ok(fill(&example, &procedure.fields, |values| {
            let draft = Draft { fields: values.clone(), attachments: vec![], items: items.clone() };
            let faults = check_form(procedure, &ctx, &draft);
            if !faults.is_empty() {
                return Err(Refusal::form(faults));
            }
            let number = case_number(&procedure.number, self.city.day, 1);
            if !procedure.applied_for() {
                let by = procedure.opened_by.first().cloned().unwrap_or_default();
                let cause = Cause { by, row: "例/1".to_owned(), says: "例".to_owned() };
                let (case, unit) = ("example".to_owned(), super::city::OWN.to_owned());
                return open_without_applicant(
                    &procedure.id,
                    &ctx,
                    Opening { case, number, unit, cause, draft },
                );
            }
            let post = self.city.applicant_post.clone();
            apply(
                &procedure.id,
                &ctx,
                Application { case: "example".to_owned(), number, post, draft, parent: None },
            )
        }))
    }

    /// The acts by which an earlier step goes on: of the first person who may, those present and not asked about first.
    fn next(&self, state: &CaseState, spec: &Step) -> Result<Vec<Act>, Refusal> {
        let mut persons: Vec<String> = Vec::new();
        let named =
            explain(state, &self.ctx(self.asked)).into_iter().filter(|e| e.may && !e.person.is_empty());
        // Where everybody may act nobody is named.
        for person in named.map(|e| e.person).chain(self.city.persons.iter().cloned()) {
            if !persons.contains(&person) {
                persons.push(person);
            }
        }
        persons.sort_by_key(|p| (self.city.org.absent(p, self.city.day), p == self.asked));
        let mut refusal = Refusal::new(Code::NotAuthorized, "行える人がいません。");
        for person in persons {
            let Some(offer) = self.offer(state, &spec.id, &person) else { continue };
            let reason = offer.needs_reason.then(|| "ほかに決められる人がいないため".to_owned());
            let ctx = self.ctx(&person);
            let (before, state) = self.with_child(state, spec, &ctx)?;
            let (start, fixed) = (BTreeMap::new(), Values::new());
            let example = Example { pack: self.pack, today: self.city.day, start: &start, fixed: &fixed };
            let acts = fill(&example, &spec.evidence, |evidence| {
                decide(&state, &ctx, act(&state, &spec.id, evidence, reason.clone()))
            });
            match acts {
                Ok(acts) => return Ok(before.into_iter().chain(acts).collect()),
                Err(r) => refusal = r,
            }
        }
        Err(refusal)
    }

    /// The case with the one that the step opens, decided; unchanged where it opens none.
    fn with_child(
        &self,
        state: &CaseState,
        spec: &Step,
        ctx: &Ctx<'_>,
    ) -> Result<(Vec<Act>, CaseState), Refusal> {
        if spec.opens.is_none() {
            return Ok((vec![], state.clone()));
        }
        let broken = |e| Refusal::new(Code::WrongState, format!("案件の記録が整合しません（{e}）。"));
        let after = |state: &CaseState, acts: &[Act]| {
            acts.iter().try_fold(state.clone(), |mut s, a| s.apply(a).map(|()| s)).map_err(broken)
        };
        let mut acts = opened(state, ctx, &spec.id, "child", "例")?;
        let with = after(state, &acts)?;
        let moved = child_moved(&with, ctx, "child", Status::Closed)?;
        let with = after(&with, &moved)?;
        acts.extend(moved);
        Ok((acts, with))
    }

    /// Whether the person is offered the step's own act.
    fn offer(&self, state: &CaseState, step: &str, person: &str) -> Option<Offer> {
        own_offer(state, &self.ctx(person), step)
    }
}

/// The step's own act, on everything that the person may decide.
fn act(state: &CaseState, step: &str, evidence: &Values, override_reason: Option<String>) -> Command {
    Command::Act {
        step: step.to_owned(),
        shown: state.content_hash(Some(step)),
        items: vec![],
        says: "例".to_owned(),
        conditions: vec![],
        evidence: evidence.clone(),
        override_reason,
    }
}
