//! The test runner of a pack says what differs.

use std::collections::BTreeMap;

use sekisho_pack::model::Pack;
use sekisho_pack::test::{Answer, Oracle, TestPerson, run};
use serde_json::Value;

/// Answers every question with what the pack's tests expect, but for one act.
struct AlmostRight<'a>(&'a Pack);

impl AlmostRight<'_> {
    fn expected(
        &self,
        act: &str,
        step: Option<&str>,
        facts: &BTreeMap<String, Value>,
        person: Option<&str>,
    ) -> Result<Answer, String> {
        let t = self.0.tests.iter().find(|t| {
            t.given.act == act
                && t.given.step.as_deref() == step
                && t.given.facts == *facts
                && person.is_none_or(|p| t.given.person == p)
        });
        t.map(|t| Answer { outcome: t.expect.outcome.clone(), says: t.expect.says.clone() })
            .ok_or_else(|| "no such test".to_owned())
    }
}

impl Oracle for AlmostRight<'_> {
    fn handling(&self, act: &str, facts: &BTreeMap<String, Value>) -> Result<Answer, String> {
        match act {
            "dispose" => Ok(Answer { outcome: "allowed".to_owned(), says: vec!["どうぞ".to_owned()] }),
            "provide" => Err("決まりがない".to_owned()),
            _ => self.expected(act, None, facts, None),
        }
    }

    fn who_may(
        &self,
        procedure: &str,
        step: &str,
        person: TestPerson<'_>,
        facts: &BTreeMap<String, Value>,
    ) -> Result<Answer, String> {
        let person = match person {
            TestPerson::Applicant => "applicant".to_owned(),
            TestPerson::Role { role, own: true } => role.to_owned(),
            TestPerson::Role { role, own: false } => format!("{role} of another section"),
        };
        self.expected(procedure, Some(step), facts, Some(&person))
    }
}

#[test]
fn only_the_wrong_answers_fail_and_say_how() {
    let pack = Pack::model_city().unwrap();
    assert!(pack.tests.len() >= 20, "{}", pack.tests.len());
    let failed = run(&pack, &AlmostRight(&pack));
    let acts: Vec<&str> = failed
        .iter()
        .map(|f| pack.tests.iter().find(|t| t.line == f.line && t.file == f.file).unwrap().given.act.as_str())
        .collect();
    assert!(!acts.is_empty() && acts.iter().all(|a| ["dispose", "provide"].contains(a)), "{acts:?}");
    let dispose = failed.iter().find(|f| f.name.contains("廃棄")).unwrap().to_string();
    for words in
        ["tests/handling.toml:", "「許可が要る」のはずが「できる」", "「元に戻せない」がありません", "どうぞ"]
    {
        assert!(dispose.contains(words), "{dispose}");
    }
    assert!(failed.iter().any(|f| f.to_string().contains("答えが出ません: 決まりがない")));
}
