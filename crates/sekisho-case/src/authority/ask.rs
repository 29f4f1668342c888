//! One question to Cedar: a person, an act, and the slice of facts about one part of a step.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, ParseErrors, Request,
    RestrictedExpression as R,
};
use sekisho_base::Date;

use super::Rules;
use super::rules::DENIED_BY;
use crate::refusal::{Code, Refusal};

/// Entity types of the schema, named as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Person,
    Step,
    Seat,
    Unit,
    Action,
}

/// A delegation (職務代理) as it was approved: Cedar compares its days and its seat itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// Person number of whoever may act under it.
    pub person: String,
    /// Key of the seat it was given for.
    pub seat: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
}

/// The facts of one question. The engine prepares them; Cedar decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Action (`permit`, `withdraw` …).
    pub action: String,
    /// Person number of the natural person who acts.
    pub person: String,
    /// Whether the person holds any post on the day.
    pub in_office: bool,
    /// Keys of the seats, among those named below, in which the person sits on the day.
    pub sits_in: BTreeSet<String>,
    /// Codes of the units in which the person holds a post on the day, and of the units above them.
    pub units: BTreeSet<String>,
    /// Procedure id.
    pub procedure: String,
    /// Step id, or the name of an act on the case itself.
    pub step: String,
    /// Role that the part asks for.
    pub role: String,
    /// Applicant.
    pub applicant: String,
    /// Persons whose own work is judged.
    pub performers: BTreeSet<String>,
    /// Codes of the sections that own what is judged.
    pub judged_units: BTreeSet<String>,
    /// Seats of the role itself.
    pub holders: BTreeSet<String>,
    /// Seats of the roles it escalated to.
    pub higher: BTreeSet<String>,
    /// Seats of the deputies whose turn it is.
    pub acting: BTreeSet<String>,
    /// The delegation that the person acts under.
    pub delegation: Option<Lent>,
    /// Whether the step is open for this act.
    pub open: bool,
    /// Whether the act judges somebody's case or work.
    pub judging: bool,
    /// Whether it is a final decision.
    pub final_decision: bool,
    /// Whether a holder whose turn it is, is present.
    pub holder_present: bool,
    /// Whether a higher role's turn has come.
    pub escalated: bool,
    /// Whether the engine found nobody else.
    pub nobody_else: bool,
    /// Whether the pack bars 代決 in this case unless there is a reason.
    pub daiketsu_barred: bool,
    /// Hash of the present content.
    pub content: String,
    /// Day of the act.
    pub date: Option<Date>,
    /// Path code; empty when the engine found none.
    pub path: String,
    /// 0 for a holder, 1 for a deputy or delegate.
    pub depth: i64,
    /// Whether an override is claimed.
    pub overridden: bool,
    /// Whether a reason is given.
    pub reason: bool,
    /// Hash of the content that was shown.
    pub shown: String,
}

/// What Cedar said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the act is allowed.
    pub allowed: bool,
    /// Ids of the rules that decided: permits when allowed, forbids when not, none when no rule permits.
    pub rules: Vec<String>,
}

impl Question {
    /// Asks Cedar.
    ///
    /// # Errors
    /// [`Code::WrongPack`] when the procedure is unknown to the rules or the facts do not fit the schema; nothing is
    /// allowed then.
    pub fn ask(&self, rules: &Rules) -> Result<Answer, Refusal> {
        let policies = rules.policies(&self.procedure).ok_or_else(|| fault("手続の規則がありません"))?;
        let (request, entities) = self.build(rules).map_err(|e| fault(&e))?;
        let response = Authorizer::new().is_authorized(&request, policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            // A rule that cannot be evaluated must never loosen a decision by dropping out of it.
            return Err(fault(&error.to_string()));
        }
        let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        ids.sort();
        Ok(Answer { allowed: response.decision() == Decision::Allow, rules: ids })
    }

    /// Asks Cedar and turns a denial into a refusal. `who` names those who may act.
    ///
    /// # Errors
    /// The denial, with the code of the rule that denied.
    pub fn require(&self, rules: &Rules, who: &str) -> Result<Answer, Refusal> {
        let answer = self.ask(rules)?;
        if answer.allowed {
            return Ok(answer);
        }
        let (code, says) = DENIED_BY.iter().find(|(id, ..)| answer.rules.iter().any(|r| r == id)).map_or(
            (Code::NotAuthorized, "この操作を行う権限がありません。"),
            |(_, code, says)| (*code, says),
        );
        let names_who = !matches!(code, Code::StaleContent | Code::NotOpen | Code::ReasonRequired);
        let message = if names_who && !who.is_empty() { format!("{says}{who}") } else { says.to_owned() };
        Err(Refusal::new(code, message))
    }

    fn build(&self, rules: &Rules) -> Result<(Request, Entities), String> {
        let person = uid(Kind::Person, &self.person)?;
        let step = uid(Kind::Step, &format!("{}/{}/{}", self.procedure, self.step, self.role))?;
        let seats = self.sits_in.iter().map(|s| uid(Kind::Seat, s));
        let units = self.units.iter().map(|u| uid(Kind::Unit, u));
        let parents: HashSet<EntityUid> = seats.chain(units).collect::<Result<_, _>>()?;
        let principal = Entity::new(
            person.clone(),
            HashMap::from([("in_office".to_owned(), R::new_bool(self.in_office))]),
            parents,
        )
        .map_err(|e| e.to_string())?;
        let texts = [
            ("procedure", &self.procedure),
            ("step", &self.step),
            ("role", &self.role),
            ("content", &self.content),
        ];
        let sets = [
            ("performers", Kind::Person, &self.performers),
            ("judged_units", Kind::Unit, &self.judged_units),
            ("holders", Kind::Seat, &self.holders),
            ("higher", Kind::Seat, &self.higher),
            ("acting", Kind::Seat, &self.acting),
        ];
        let flags = [
            ("open", self.open),
            ("judging", self.judging),
            ("final_decision", self.final_decision),
            ("holder_present", self.holder_present),
            ("escalated", self.escalated),
            ("nobody_else", self.nobody_else),
            ("daiketsu_barred", self.daiketsu_barred),
        ];
        let mut attrs: HashMap<String, R> = HashMap::new();
        attrs.extend(texts.map(|(k, v)| (k.to_owned(), R::new_string(v.clone()))));
        attrs.extend(flags.map(|(k, v)| (k.to_owned(), R::new_bool(v))));
        attrs.insert("applicant".to_owned(), R::new_entity_uid(uid(Kind::Person, &self.applicant)?));
        for (k, kind, members) in sets {
            let members =
                members.iter().map(|m| uid(kind, m).map(R::new_entity_uid)).collect::<Result<Vec<_>, _>>()?;
            attrs.insert(k.to_owned(), R::new_set(members));
        }
        let resource = Entity::new(step.clone(), attrs, HashSet::new()).map_err(|e| e.to_string())?;
        let entities = Entities::from_entities([principal, resource], None).map_err(|e| e.to_string())?;
        let mut context = vec![
            // Without a day no delegation holds.
            ("date".to_owned(), R::new_long(self.date.map_or(i64::MIN, Date::epoch_days))),
            ("path".to_owned(), R::new_string(self.path.clone())),
            ("depth".to_owned(), R::new_long(self.depth)),
            ("overridden".to_owned(), R::new_bool(self.overridden)),
            ("reason".to_owned(), R::new_bool(self.reason)),
            ("shown".to_owned(), R::new_string(self.shown.clone())),
        ];
        if let Some(lent) = &self.delegation {
            context.push(("delegation".to_owned(), lent.record()?));
        }
        let context = Context::from_pairs(context).map_err(|e| e.to_string())?;
        let request =
            Request::new(person, uid(Kind::Action, &self.action)?, step, context, Some(rules.schema()))
                .map_err(|e| e.to_string())?;
        Ok((request, entities))
    }
}

impl Lent {
    fn record(&self) -> Result<R, String> {
        R::new_record([
            ("person".to_owned(), R::new_entity_uid(uid(Kind::Person, &self.person)?)),
            ("seat".to_owned(), R::new_entity_uid(uid(Kind::Seat, &self.seat)?)),
            ("from".to_owned(), R::new_long(self.from.epoch_days())),
            ("until".to_owned(), R::new_long(self.until.epoch_days())),
        ])
        .map_err(|e| e.to_string())
    }
}

fn uid(kind: Kind, id: &str) -> Result<EntityUid, String> {
    // Parsed once for each kind: a page asks many questions.
    static NAMES: OnceLock<Result<BTreeMap<Kind, EntityTypeName>, String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let kinds = [Kind::Person, Kind::Step, Kind::Seat, Kind::Unit, Kind::Action];
        let parse =
            |kind: &Kind| format!("Sekisho::{kind:?}").parse().map_err(|e: ParseErrors| e.to_string());
        kinds.into_iter().map(|kind| Ok((kind, parse(&kind)?))).collect()
    });
    let name = names.as_ref().map_err(Clone::clone)?.get(&kind).ok_or("kind without a name")?.clone();
    Ok(EntityUid::from_type_name_and_id(name, cedar_policy::EntityId::new(id)))
}

fn fault(what: &str) -> Refusal {
    Refusal::new(
        Code::WrongPack,
        format!("権限を判定できないため、受け付けませんでした（{what}）。管理者に連絡してください。"),
    )
}
