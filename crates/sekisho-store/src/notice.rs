//! Answers of the yearly self-assessment.

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// One person's answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Fiscal year in which it was asked.
    pub fiscal_year: i64,
    /// Notice.
    pub notice: String,
    /// Person number.
    pub person: String,
    /// Section of the person on that day.
    pub unit: String,
    /// yes, no, none (does not apply).
    pub answer: String,
    /// When.
    pub answered_at: Instant,
    /// Ledger entry.
    pub entry: String,
}

/// Puts an answer, in place of an earlier one of the same year.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, a: &AnswerRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO assessment_answer (fiscal_year, notice, person, unit, answer, answered_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (fiscal_year, notice, person) DO UPDATE SET unit = excluded.unit, answer = excluded.answer, answered_at = excluded.answered_at, entry = excluded.entry",
        args![a.fiscal_year, &a.notice, &a.person, &a.unit, &a.answer, a.answered_at, &a.entry],
    )
    .await
    .map(|_| ())
}

/// A person's answers of a year: notice → answer.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_person(
    c: &mut Conn<'_>,
    person: &str,
    fiscal_year: i64,
) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT notice, answer FROM assessment_answer WHERE fiscal_year = $1 AND person = $2";
    c.all(sql, args![fiscal_year, person]).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?))).collect()
}

/// Answers counted: yes, no, does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keep the rule.
    pub yes: i64,
    /// Do not.
    pub no: i64,
    /// It does not concern them.
    pub none: i64,
}

impl Counts {
    /// All answers.
    #[must_use]
    pub fn all(self) -> i64 {
        self.yes + self.no + self.none
    }

    fn add(&mut self, answer: &str, n: i64) {
        match answer {
            "yes" => self.yes += n,
            "no" => self.no += n,
            _ => self.none += n,
        }
    }
}

/// Answers to every question as they were known at a moment: (notice, fiscal year) → counts.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn totals(c: &mut Conn<'_>, at: Instant) -> Result<BTreeMap<(String, i64), Counts>, StoreError> {
    let sql = "SELECT notice, fiscal_year, answer, COUNT(*) FROM assessment_answer WHERE answered_at <= $1 GROUP BY notice, fiscal_year, answer";
    let mut out: BTreeMap<(String, i64), Counts> = BTreeMap::new();
    for r in c.all(sql, args![at]).await? {
        out.entry((r.text(0)?, r.int(1)?)).or_default().add(&r.text(2)?, r.int(3)?);
    }
    Ok(out)
}

/// Answers to one question by section.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_unit(
    c: &mut Conn<'_>,
    notice: &str,
    fiscal_year: i64,
) -> Result<BTreeMap<String, Counts>, StoreError> {
    let sql = "SELECT unit, answer, COUNT(*) FROM assessment_answer WHERE notice = $1 AND fiscal_year = $2 GROUP BY unit, answer";
    let mut out: BTreeMap<String, Counts> = BTreeMap::new();
    for r in c.all(sql, args![notice, fiscal_year]).await? {
        out.entry(r.text(0)?).or_default().add(&r.text(1)?, r.int(2)?);
    }
    Ok(out)
}
