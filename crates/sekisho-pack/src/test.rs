//! Data tests of a pack (`sekisho pack test`): the questions are here, the answers come from an [`Oracle`], because the
//! handling decision and the authority rules live in crates that depend on this one.

use std::collections::BTreeMap;
use std::fmt;

use crate::files::ACTS;
use crate::model::{Pack, PackTest};

/// Who acts in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestPerson<'a> {
    /// The applicant.
    Applicant,
    /// The holder of a role.
    Role {
        /// Role id.
        role: &'a str,
        /// Whether for the applicant's own section and department, or for another one.
        own: bool,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// `allowed`, `safeguards`, `permit`, `prohibited`; or `allowed`, `refused`.
    pub outcome: String,
    /// What the explanation says.
    pub says: Vec<String>,
}

/// Who answers.
pub trait Oracle {
    /// The handling decision for an act; the facts are codes, or lists of codes where items are mixed.
    ///
    /// # Errors
    /// Why the question has no answer, in Japanese.
    fn handling(&self, act: &str, facts: &BTreeMap<String, serde_json::Value>) -> Result<Answer, String>;

    /// Whether this person may act at this step, or whether the application is accepted (step `apply`). Facts: `applicant`
    /// (role the applicant holds), `register`, `absent` and `vacant` (role ids), `owner` (`own` or `other`), `fields.<id>`
    /// (values of the application), `class.<axis>` (level code of the items).
    ///
    /// # Errors
    /// Why the question has no answer, in Japanese.
    fn who_may(
        &self,
        procedure: &str,
        step: &str,
        person: TestPerson<'_>,
        facts: &BTreeMap<String, serde_json::Value>,
    ) -> Result<Answer, String>;
}

/// A test that did not come out as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// File.
    pub file: String,
    /// Line of the test.
    pub line: usize,
    /// Name of the test.
    pub name: String,
    /// What differs, in Japanese.
    pub differs: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: 「{}」が期待と違います", self.file, self.line, self.name)?;
        self.differs.iter().try_for_each(|d| write!(f, "\n    {d}"))
    }
}

/// Asks every test of the pack; gives those that failed.
#[must_use]
pub fn run(pack: &Pack, oracle: &dyn Oracle) -> Vec<Failure> {
    pack.tests.iter().filter_map(|t| failure(t, oracle)).collect()
}

fn failure(t: &PackTest, oracle: &dyn Oracle) -> Option<Failure> {
    let given = &t.given;
    let answer = if ACTS.contains(&given.act.as_str()) {
        oracle.handling(&given.act, &given.facts)
    } else {
        oracle.who_may(
            &given.act,
            given.step.as_deref().unwrap_or_default(),
            person(&given.person),
            &given.facts,
        )
    };
    let differs = match answer {
        Err(why) => vec![format!("答えが出ません: {why}")],
        Ok(answer) => differences(t, &answer),
    };
    (!differs.is_empty()).then(|| Failure {
        file: t.file.clone(),
        line: t.line,
        name: t.name.clone(),
        differs,
    })
}

fn differences(t: &PackTest, answer: &Answer) -> Vec<String> {
    let mut out = Vec::new();
    if answer.outcome != t.expect.outcome {
        out.push(format!(
            "結果は「{}」のはずが「{}」でした",
            japanese(&t.expect.outcome),
            japanese(&answer.outcome)
        ));
    }
    for word in &t.expect.says {
        if !answer.says.iter().any(|s| s.contains(word.as_str())) {
            out.push(format!("説明に「{word}」がありません"));
        }
    }
    if !out.is_empty() {
        out.push(if answer.says.is_empty() {
            "説明はありません".to_owned()
        } else {
            format!("説明: {}", answer.says.join(" ／ "))
        });
    }
    out
}

fn japanese(outcome: &str) -> &str {
    match outcome {
        "allowed" => "できる",
        "refused" => "できない",
        "safeguards" => "対策を取ればできる",
        "permit" => "許可が要る",
        "prohibited" => "してはならない",
        other => other,
    }
}

fn person(s: &str) -> TestPerson<'_> {
    match s.strip_suffix(crate::files::ELSEWHERE) {
        _ if s == "applicant" => TestPerson::Applicant,
        Some(role) => TestPerson::Role { role, own: false },
        None => TestPerson::Role { role: s, own: true },
    }
}
