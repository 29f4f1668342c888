//! "May this be done with these contents?"

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_case::handling::{Handling, HandlingFacts, Note, Outcome, decide_handling};
use sekisho_pack::model::Pack;
use sekisho_pack::test::Answer;

use super::words;

/// Before the axis in the name of a class.
const CLASS: &str = "class.";

pub(super) fn answer(
    pack: &Pack,
    act: &str,
    facts: &BTreeMap<String, serde_json::Value>,
    day: Date,
) -> Result<Answer, String> {
    let decided = decide_handling(pack, act, &contents(facts)?, day)
        .ok_or_else(|| format!("行為「{act}」についての取扱いの決まりがありません"))?;
    Ok(Answer { outcome: word(decided.outcome).to_owned(), says: says(pack, &decided) })
}

/// One content for each place of the lists; what is written once holds for all.
fn contents(facts: &BTreeMap<String, serde_json::Value>) -> Result<HandlingFacts, String> {
    let many = facts.values().map(|v| words(v).len()).max().unwrap_or(0).max(1);
    let mut found =
        HandlingFacts { classes: vec![BTreeMap::new(); many], facts: vec![BTreeMap::new(); many] };
    for (name, value) in facts {
        let codes = words(value);
        if codes.len() > 1 && codes.len() != many {
            return Err(format!(
                "「{name}」の値は{}個ですが、ほかの事実には{many}個の値があります。個数をそろえるか、1個にしてください",
                codes.len()
            ));
        }
        let each = codes.iter().cycle().take(many);
        for ((class, fact), code) in found.classes.iter_mut().zip(&mut found.facts).zip(each) {
            match name.strip_prefix(CLASS) {
                Some(axis) => drop(class.insert(axis.to_owned(), (*code).to_owned())),
                None => drop(fact.insert(name.clone(), Value::Text((*code).to_owned()))),
            }
        }
    }
    Ok(found)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::AllowedWith => "safeguards",
        Outcome::NeedsPermit => "permit",
        Outcome::Prohibited => "prohibited",
    }
}

fn says(pack: &Pack, decided: &Handling) -> Vec<String> {
    let cited = |n: &Note| format!("{}（{}）", n.says, n.clause);
    let permits = decided.permits.iter().map(|p| match pack.procedures.get(&p.procedure) {
        Some(procedure) => format!("{}: {}", procedure.title, cited(&p.note)),
        None => cited(&p.note),
    });
    let others = decided.prohibitions.iter().chain(&decided.safeguards).map(cited);
    permits.chain(others).collect()
}
