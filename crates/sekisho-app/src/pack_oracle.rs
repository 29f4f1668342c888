//! Answers to a pack's data tests (`sekisho pack test`), from the same decisions that serve the pages: the handling
//! decision, and real cases run through their route in a small made-up city. Nothing here knows a procedure.

mod city;
mod fill;
mod handling;
mod item;
mod play;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_case::authority::Rules;
use sekisho_pack::model::Pack;
use sekisho_pack::test::{Answer, Oracle, TestPerson};

use city::{City, Facts};

/// Answers for one pack.
pub struct PackOracle<'a> {
    pack: &'a Pack,
    /// Built once; why not, in Japanese, where the pack's rules do not hold.
    rules: Result<Rules, String>,
}

impl<'a> PackOracle<'a> {
    /// For this pack.
    pub fn new(pack: &'a Pack) -> Self {
        Self {
            pack,
            rules: Rules::for_pack(pack).map_err(|e| format!("手続から権限の規則を作れません（{e}）")),
        }
    }
}

impl Oracle for PackOracle<'_> {
    fn handling(&self, act: &str, facts: &BTreeMap<String, serde_json::Value>) -> Result<Answer, String> {
        handling::answer(self.pack, act, facts, day()?)
    }

    fn who_may(
        &self,
        procedure: &str,
        step: &str,
        person: TestPerson<'_>,
        facts: &BTreeMap<String, serde_json::Value>,
    ) -> Result<Answer, String> {
        let facts = Facts::read(facts)?;
        let city = City::build(self.pack, &facts, day()?)?;
        let asked = match person {
            TestPerson::Applicant => city.applicant.clone(),
            TestPerson::Role { role, own } => city.holder(role, own)?,
        };
        let rules = self.rules.as_ref().map_err(Clone::clone)?;
        let stage = play::Stage { pack: self.pack, rules, city: &city, facts: &facts, asked: &asked };
        stage.answer(procedure, step)
    }
}

/// The day of every test: a certain one, so that answers never change by themselves, well inside a fiscal year.
fn day() -> Result<Date, String> {
    Date::new(2026, 7, 1).ok_or_else(|| "例の日付を作れません".to_owned())
}

/// A code or a list of codes.
fn words(value: &serde_json::Value) -> Vec<&str> {
    match value {
        serde_json::Value::String(s) => vec![s],
        serde_json::Value::Array(l) => l.iter().filter_map(serde_json::Value::as_str).collect(),
        _ => vec![],
    }
}
