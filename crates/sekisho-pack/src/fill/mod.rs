//! Whether a form can be filled at all, and whether the condition of a step can ever hold: a bounded search for values.
//!
//! For every field some values are tried that can tell the outcomes of the conditions apart: its choices, the constants
//! the conditions name and their neighbours, days around today. What is found is a proof; what is not found is a proof
//! only where the conditions compare nothing but choices, truth values, classes, and whole numbers or texts with
//! constants. The answer says which of the two it is.

mod domain;
mod search;
mod worlds;

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::table::Value;

use crate::expr::{Bindings, Expr};
use crate::model::{Field, FieldType, Procedure, Register, Step, StepKind};
use search::{Constraint, Outcome, Problem};

pub use worlds::{names_read, worlds};

/// Values by name. A name without a value is empty.
pub type Values = BTreeMap<String, Value>;

/// Days on which a step may be done after the application, counted from it.
const LATER: [i64; 6] = [0, 1, 7, 30, 180, 366];

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    /// These values are accepted.
    Found(Values),
    /// No values are: every case that matters was tried. Ids of the fields whose conditions stand against each other.
    Impossible(Vec<String>),
    /// None were found among those tried. Ids of the fields whose conditions stand against each other.
    NotFound(Vec<String>),
}

/// Whether the condition of a step can hold for an application that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It holds for these values.
    Holds(Values),
    /// It was never seen to hold; it only applies where something it reads is unknown, as for these values.
    Unknown(Values),
    /// It can neither hold nor be unknown: every case that matters was tried.
    Impossible,
    /// No application was found for which it holds.
    NotFound,
}

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Procedure.
    pub procedure: &'a Procedure,
    /// Registers whose rows its fields name.
    pub registers: &'a BTreeMap<String, Register>,
    /// What may be the case beside the fields: classes of the items and whatever else conditions read, one map for each
    /// case; never empty.
    pub worlds: &'a [Values],
    /// Day of the application.
    pub today: Date,
}

impl<'a> Question<'a> {
    /// Searches values of the application.
    #[must_use]
    pub fn application(&self) -> Filling {
        let constraints = self.applying();
        self.over_worlds(&self.fields_at("", &[]), &constraints, &[self.today])
    }

    /// Searches values of the application and of a step's evidence, given on the same or a later day.
    #[must_use]
    pub fn evidence(&self, step: &'a Step) -> Filling {
        let mut constraints = self.applying();
        constraints.extend(step.evidence.iter().map(|field| Constraint::Field { field, later: true }));
        let fields = self.fields_at(&step.id, &step.evidence);
        let days: Vec<Date> = LATER.iter().map(|d| self.today.plus_days(*d)).collect();
        self.over_worlds(&fields, &constraints, &days)
    }

    /// Whether an application, and evidence of the steps before, exist for which the condition of a step holds.
    #[must_use]
    pub fn reach(&self, step: &str, when: &'a Expr) -> Reach {
        let fields = self.fields_at(step, &[]);
        let days: Vec<Date> = std::iter::once(self.today)
            .chain(when.dates().into_iter().flat_map(|d| [d.plus_days(-1), d, d.plus_days(1)]))
            .filter(|d| *d >= self.today)
            .collect();
        let with = |wanted: Option<bool>| {
            let mut constraints = self.applying();
            constraints.push(Constraint::Is { expr: when, wanted });
            self.over_worlds(&fields, &constraints, &days)
        };
        match with(Some(true)) {
            Filling::Found(values) => Reach::Holds(values),
            Filling::Impossible(_) => match with(None) {
                Filling::Found(values) => Reach::Unknown(values),
                Filling::Impossible(_) => Reach::Impossible,
                Filling::NotFound(_) => Reach::NotFound,
            },
            Filling::NotFound(_) => match with(None) {
                Filling::Found(values) => Reach::Unknown(values),
                Filling::Impossible(_) | Filling::NotFound(_) => Reach::NotFound,
            },
        }
    }

    /// What the application's own rules ask: each field's, and that a permit's period does not end before it begins, is
    /// not over, and ends with the fiscal year where the pack says so.
    fn applying(&self) -> Vec<Constraint<'a>> {
        let fields = self.procedure.fields.iter().map(|field| Constraint::Field { field, later: false });
        fields.chain(self.procedure.permit.as_ref().map(Constraint::Period)).collect()
    }

    /// What conditions at a step may read: the application, what the steps before may have recorded and refused, and the
    /// rows that fields name. What the steps before recorded is left free, empty or not: a step may have been passed by.
    fn fields_at(&self, step: &str, own: &[Field]) -> Vec<Field> {
        let at = self.procedure.steps.iter().position(|s| s.id == step).unwrap_or(0);
        let before = || self.procedure.steps.iter().take(at);
        let free = |f: &Field| Field { required: false, required_when: None, limit: None, ..f.clone() };
        let refused = |s: &Step| Field {
            id: format!("refused_{}", s.id),
            label: s.title.clone(),
            help: None,
            kind: FieldType::Bool,
            required: false,
            required_when: None,
            limit: None,
            limit_says: None,
            choices: vec![],
            personal: false,
        };
        let finals = before().filter(|s| matches!(s.kind, StepKind::Permit | StepKind::Resolve));
        let mut fields: Vec<Field> = self.procedure.fields.iter().chain(own).cloned().collect();
        fields.extend(before().flat_map(|s| &s.evidence).map(free).chain(finals.map(refused)));
        let facts: Vec<Field> = fields.iter().flat_map(|f| f.row_facts(self.registers)).collect();
        fields.extend(facts);
        let mut seen = std::collections::BTreeSet::new();
        fields.retain(|f| seen.insert(f.id.clone()));
        fields
    }

    fn over_worlds(&self, fields: &[Field], constraints: &[Constraint<'_>], days: &[Date]) -> Filling {
        let mut proved = true;
        let mut against: Vec<String> = Vec::new();
        for later in days {
            for world in self.worlds {
                let start = Bindings { today: self.today, values: world.clone() };
                let problem = Problem { fields, constraints, start, later: *later };
                match search::solve(&problem) {
                    Outcome::Found(values) => return Filling::Found(values),
                    Outcome::None { proof, fields } => {
                        proved &= proof;
                        against = fields;
                    }
                }
            }
        }
        if proved { Filling::Impossible(against) } else { Filling::NotFound(against) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pack;

    fn pack(change: &[(&str, &str)]) -> Pack {
        let mut files = Pack::model_city_files();
        let text = files.get_mut("procedures/take_out.toml").unwrap();
        for (old, new) in change {
            assert!(text.contains(old), "{old}");
            *text = text.replacen(old, new, 1);
        }
        Pack::load_files(&files).unwrap_or_else(|m| panic!("{m:#?}"))
    }

    fn worlds(classes: &[&str]) -> Vec<Values> {
        let of = |c: &&str| {
            let codes = Value::List(vec![(*c).to_owned()]);
            Values::from([("class.confidentiality".to_owned(), codes)])
        };
        classes.iter().map(of).collect()
    }

    fn day() -> Date {
        Date::new(2026, 7, 1).unwrap()
    }

    fn application(pack: &Pack, classes: &[&str]) -> Filling {
        let worlds = worlds(classes);
        let (procedure, registers) = (&pack.procedures["take_out"], &pack.registers);
        Question { procedure, registers, worlds: &worlds, today: day() }.application()
    }

    #[test]
    fn the_model_form_can_be_filled_in_every_class() {
        let pack = pack(&[]);
        for class in ["1", "2", "3A"] {
            let found = application(&pack, &[class]);
            let Filling::Found(values) = found else { panic!("{class}: {found:?}") };
            let encryption = values.get("encryption").and_then(Value::as_text).map(str::to_owned);
            assert!(class == "1" || encryption.as_deref() != Some("not_needed"), "{class}: {values:?}");
            assert!(values.contains_key("purpose") && values.contains_key("items"));
        }
    }

    #[test]
    fn a_contradiction_of_choices_is_proved() {
        // The loader would refuse such a pack; here the search alone is asked.
        let mut pack = pack(&[]);
        let p = pack.procedures.get_mut("take_out").unwrap();
        let field = p.fields.iter_mut().find(|f| f.id == "encryption").unwrap();
        let env = crate::expr::Env::new().with("encryption", crate::expr::Type::choice_of(&field.choices));
        field.required = true;
        field.limit = Expr::parse("encryption == \"sealed\" && encryption == \"encrypted\"", &env).ok();
        assert_eq!(application(&pack, &["1", "2"]), Filling::Impossible(vec!["encryption".to_owned()]));
    }

    #[test]
    fn a_contradiction_of_days_is_only_not_found() {
        let pack = pack(&[("limit = \"from >= today\"", "limit = \"from >= today && from < today\"")]);
        let Filling::NotFound(fields) = application(&pack, &["1"]) else { panic!() };
        assert!(fields.contains(&"from".to_owned()));
    }

    #[test]
    fn far_days_are_found_through_the_conditions_own_distances() {
        let narrow = "limit = \"return_by >= from + days(47) && return_by <= from + days(48)\"";
        let pack = pack(&[("limit = \"return_by >= from && return_by <= fiscal_year_end(from)\"", narrow)]);
        assert!(matches!(application(&pack, &["1"]), Filling::Found(_)));
    }

    #[test]
    fn evidence_may_need_a_later_day() {
        let pack = pack(&[(
            "limit = \"returned_at <= today\"",
            "limit = \"returned_at > from && returned_at <= today\"",
        )]);
        let p = &pack.procedures["take_out"];
        let worlds = worlds(&["1"]);
        let q = Question { procedure: p, registers: &pack.registers, worlds: &worlds, today: day() };
        let step = p.steps.iter().find(|s| s.id == "return").unwrap();
        assert!(matches!(q.evidence(step), Filling::Found(_)));
    }

    #[test]
    fn conditions_of_steps_are_reached_or_not() {
        let pack = pack(&[]);
        let p = &pack.procedures["take_out"];
        let worlds = worlds(&["1", "2"]);
        let q = Question { procedure: p, registers: &pack.registers, worlds: &worlds, today: day() };
        let choice =
            crate::expr::Type::choice_of(&p.fields.iter().find(|f| f.id == "encryption").unwrap().choices);
        let env = crate::expr::Env::new()
            .with(
                "class.confidentiality",
                crate::expr::Type::class_of(&pack.classification.axes["confidentiality"]),
            )
            .with("blanket", crate::expr::Type::Bool)
            .with("from", crate::expr::Type::Date)
            .with("encryption", choice);
        let reach = |source: &str| q.reach("", Box::leak(Box::new(Expr::parse(source, &env).unwrap())));
        assert!(matches!(reach("class.confidentiality >= 2"), Reach::Holds(_)));
        assert!(matches!(
            reach("class.confidentiality >= 2 && encryption == \"encrypted\""),
            Reach::Holds(_)
        ));
        // Accepted applications never say so: the form's own limit forbids it.
        let barred = "class.confidentiality >= 2 && encryption == \"not_needed\"";
        assert!(matches!(reach(barred), Reach::Impossible), "{:?}", reach(barred));
        assert!(matches!(reach("blanket && !blanket"), Reach::Unknown(_)));
        assert_eq!(reach("from < today"), Reach::NotFound);
        assert!(matches!(reach("today >= date(\"2027-04-01\")"), Reach::Holds(_)));
    }
}
