//! Rules of conduct (周知) and the yearly self-assessment (自己点検): each rule is shown with its question, everybody answers once a fiscal year,
//! answers are counted by section and never shown by person. What follows from them is a statement, not a fact: 「申告による」.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::calendar::Calendar;
use sekisho_base::canonical::content_hash;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_pack::document::Notice;
use sekisho_pack::duty::after;
use sekisho_pack::model::MechanismKind;
use sekisho_store::notice::{self, AnswerRow, Counts};
use sekisho_store::{Conn, duty, ledger, setting};
use serde::Serialize;
use serde_json::json;

use crate::clauses::{ClauseLink, state_words};
use crate::directory::Directory;
use crate::duties::clauses_of;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::record::record;

/// What the names of answer fields begin with.
const ANSWER: &str = "a.";
/// Answers: code and label.
const ANSWERS: [(&str, &str); 3] = [("yes", "はい"), ("no", "いいえ"), ("none", "該当なし")];

/// One time a question is asked: fiscal year and days, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asking {
    fiscal_year: i64,
    opens: Date,
    closes: Date,
}

/// What the state of all notices is computed from, read once.
#[derive(Debug, Default)]
pub(crate) struct NoticeFacts {
    /// First day on which each was known.
    pub since: BTreeMap<String, Date>,
    /// Answers by notice and fiscal year.
    pub totals: BTreeMap<(String, i64), Counts>,
    /// People in office.
    pub staff: i64,
}

impl NoticeFacts {
    /// As it was known at a moment, when so many people were in office.
    pub(crate) async fn read(c: &mut Conn<'_>, staff: i64, at: Instant) -> Result<Self, AppError> {
        Ok(Self { since: duty::since(c).await?, totals: notice::totals(c, at).await?, staff })
    }
}

/// Key under which the first day of a notice is kept.
fn since_key(id: &str) -> String {
    format!("notice:{id}")
}

/// The latest asking that has begun by a day; nothing when it ended before anybody knew the notice.
fn asking(n: &Notice, day: Date, since: Option<Date>, calendar: &Calendar) -> Option<Asking> {
    let of = |fiscal_year: i16| {
        let (month, on) = n.asked;
        let opens = Date::new(if month >= 4 { fiscal_year } else { fiscal_year + 1 }, month, on)?;
        Some(Asking { fiscal_year: i64::from(fiscal_year), opens, closes: after(calendar, opens, n.within) })
    };
    let this = of(day.fiscal_year()).filter(|a| a.opens <= day);
    let found = this.or_else(|| of(day.fiscal_year() - 1))?;
    since.filter(|s| *s <= found.closes).map(|_| found)
}

/// Percent, rounded down.
fn percent(part: i64, whole: i64) -> i64 {
    if whole == 0 { 0 } else { part * 100 / whole }
}

/// State and reason of a notice.
pub(crate) fn state_of(
    n: &Notice,
    facts: &NoticeFacts,
    day: Date,
    calendar: &Calendar,
) -> (ClauseState, String) {
    let since = facts.since.get(&since_key(&n.id)).copied();
    let Some(now) = asking(n, day, since, calendar) else {
        return (ClauseState::Unknown, "まだ自己点検で尋ねていません".to_owned());
    };
    let judged = |a: Asking| {
        let c = facts.totals.get(&(n.id.clone(), a.fiscal_year)).copied().unwrap_or_default();
        let good = i64::from(n.good_from);
        let answered = percent(c.all(), facts.staff);
        if c.all() == 0 {
            (ClauseState::Unknown, "回答がありません".to_owned())
        } else if answered < good {
            (ClauseState::Broken, format!("回答した職員 {answered}％（{}人、目標 {good}％）", c.all()))
        } else if percent(c.yes, c.yes + c.no) < good && c.yes + c.no > 0 {
            (
                ClauseState::Broken,
                format!("申告による：「いいえ」{}件（「はい」は{}％）", c.no, percent(c.yes, c.yes + c.no)),
            )
        } else {
            (ClauseState::Met, format!("申告による：「はい」{}件、「いいえ」{}件", c.yes, c.no))
        }
    };
    if day > now.closes {
        return judged(now);
    }
    // While answers are taken, the year before counts on.
    let before = asking(n, now.opens.plus_days(-1), since, calendar).map(judged);
    match before {
        Some((ClauseState::Met, _)) => {
            (ClauseState::Due, format!("今年度の回答を{}まで受け付けています", now.closes.japanese()))
        }
        Some(other) => other,
        None => {
            (ClauseState::Unknown, format!("初めての回答を{}まで受け付けています", now.closes.japanese()))
        }
    }
}

/// People with a main appointment on a day.
pub(crate) fn staff_on(d: &Directory, day: Date) -> i64 {
    let held = d.rows().appointments.iter().filter(|a| a.is_main_on(day));
    let persons: std::collections::BTreeSet<&str> = held.map(|a| a.person.as_str()).collect();
    i64::try_from(persons.len()).unwrap_or(i64::MAX)
}

/// A rule in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoticeLine {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// The rule.
    pub says: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// Answers of one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SectionAnswers {
    /// Section.
    pub unit: String,
    /// Keep the rule.
    pub yes: i64,
    /// Do not.
    pub no: i64,
    /// It does not concern them.
    pub none: i64,
    /// People of the section today.
    pub people: i64,
}

/// A rule's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoticePage {
    /// Title.
    pub title: String,
    /// The rule.
    pub says: String,
    /// The question.
    pub question: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
    /// Days of the asking, or that it was not asked.
    pub asked: String,
    /// Answers of the sections that may be seen.
    pub sections: Vec<SectionAnswers>,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}

/// A question of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Name of the field.
    pub name: String,
    /// The rule's title.
    pub title: String,
    /// The rule.
    pub says: String,
    /// The question.
    pub question: String,
    /// Code, label and whether it is chosen.
    pub answers: Vec<(&'static str, &'static str, bool)>,
    /// Last day.
    pub closes: String,
}

/// The form of the self-assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentForm {
    /// Questions that are asked now.
    pub questions: Vec<Question>,
    /// Whether this person has answered all of them.
    pub answered: bool,
}

#[boxed]
impl Office {
    /// What notices' states are computed from, as it is known now.
    async fn notice_facts(&self, d: &Directory) -> Result<NoticeFacts, AppError> {
        let at = self.clock.now();
        let staff = staff_on(d, at.date());
        self.store.read(move |c| Box::pin(async move { NoticeFacts::read(c, staff, at).await })).await
    }

    /// Every rule with its state.
    ///
    /// # Errors
    /// The database failed.
    pub async fn notices(&self, who: &Identity) -> Result<Vec<NoticeLine>, AppError> {
        let facts = self.notice_facts(self.me(who).await?.directory()).await?;
        let (pack, today) = (self.pack(), self.clock.today());
        let line = |n: &Notice| {
            let (state, reason) = state_of(n, &facts, today, &pack.calendar);
            let (class, label) = state_words(state);
            NoticeLine {
                id: n.id.clone(),
                title: n.title.clone(),
                says: n.says.clone(),
                state: label,
                class,
                reason,
            }
        };
        Ok(pack.notices.values().map(line).collect())
    }

    /// One rule with the answers by section.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn notice(&self, who: &Identity, id: &str) -> Result<NoticePage, AppError> {
        let me = self.me(who).await?;
        let (pack, today) = (self.pack(), self.clock.today());
        let n = pack.notices.get(id).ok_or(AppError::NotFound)?;
        let d = me.directory();
        let facts = self.notice_facts(d).await?;
        let (state, reason) = state_of(n, &facts, today, &pack.calendar);
        let (class, label) = state_words(state);
        let asking = asking(n, today, facts.since.get(&since_key(id)).copied(), &pack.calendar);
        let mut sections = Vec::new();
        if let Some(a) = asking {
            let (key, year) = (id.to_owned(), a.fiscal_year);
            let counts = self
                .store
                .read(move |c| {
                    Box::pin(async move { notice::by_unit(c, &key, year).await.map_err(AppError::from) })
                })
                .await?;
            for (unit, c) in counts.into_iter().filter(|(unit, _)| me.sees_unit(unit)) {
                let people = i64::try_from(d.head_count(&unit, today)).unwrap_or(i64::MAX);
                let unit = d.unit_name(&unit).to_owned();
                sections.push(SectionAnswers { unit, yes: c.yes, no: c.no, none: c.none, people });
            }
        }
        let asked = asking.map_or_else(
            || "まだ尋ねていません".to_owned(),
            |a| format!("{}から{}まで", a.opens.japanese(), a.closes.japanese()),
        );
        Ok(NoticePage {
            title: n.title.clone(),
            says: n.says.clone(),
            question: n.question.clone(),
            state: label,
            class,
            reason,
            asked,
            sections,
            clauses: clauses_of(&pack, MechanismKind::Notice, id),
        })
    }

    /// Questions that are asked today, with their year.
    async fn asked_now(&self) -> Result<Vec<(Notice, Asking)>, AppError> {
        let since = self
            .store
            .read(|c| Box::pin(async move { duty::since(c).await.map_err(AppError::from) }))
            .await?;
        let (pack, today) = (self.pack(), self.clock.today());
        let now = |n: &Notice| {
            let a = asking(n, today, since.get(&since_key(&n.id)).copied(), &pack.calendar)?;
            (today <= a.closes).then(|| (n.clone(), a))
        };
        Ok(pack.notices.values().filter_map(now).collect())
    }

    /// The form of the self-assessment, with what was typed or answered before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn assessment(
        &self,
        who: &Identity,
        typed: Option<&BTreeMap<String, String>>,
    ) -> Result<AssessmentForm, AppError> {
        self.me(who).await?;
        let asked = self.asked_now().await?;
        let years: Vec<i64> = asked.iter().map(|(_, a)| a.fiscal_year).collect();
        let person = who.person.clone();
        let mine = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let mut mine: BTreeMap<(String, i64), String> = BTreeMap::new();
                    for year in years.into_iter().collect::<std::collections::BTreeSet<_>>() {
                        let answers = notice::of_person(c, &person, year).await?;
                        mine.extend(answers.into_iter().map(|(n, a)| ((n, year), a)));
                    }
                    Ok::<_, AppError>(mine)
                })
            })
            .await?;
        let answered = asked.iter().all(|(n, a)| mine.contains_key(&(n.id.clone(), a.fiscal_year)));
        let question = |(n, a): (Notice, Asking)| {
            let name = format!("{ANSWER}{}", n.id);
            let chosen = match typed {
                Some(t) => t.get(&name).cloned(),
                None => mine.get(&(n.id.clone(), a.fiscal_year)).cloned(),
            };
            Question {
                name,
                title: n.title,
                says: n.says,
                question: n.question,
                answers: ANSWERS
                    .iter()
                    .map(|(code, label)| (*code, *label, chosen.as_deref() == Some(code)))
                    .collect(),
                closes: a.closes.japanese(),
            }
        };
        Ok(AssessmentForm { questions: asked.into_iter().map(question).collect(), answered })
    }

    /// Answers the self-assessment. Until it closes one may answer again; the last answers count.
    ///
    /// # Errors
    /// Questions without an answer, or a refusal when nothing is asked now.
    pub async fn answer(
        self: &Arc<Self>,
        who: &Identity,
        typed: &BTreeMap<String, String>,
    ) -> Result<(), AppError> {
        let me = self.me(who).await?;
        let asked = self.asked_now().await?;
        if asked.is_empty() {
            return Err(AppError::refused("J001", "今は自己点検の期間ではありません。"));
        }
        if me.posts().is_empty() {
            return Err(AppError::refused("J002", "自己点検は、今、職にある職員が行います。"));
        }
        let d = self.directory().await?;
        let unit = d.nearest(me.unit(), &["section", "branch"]).map_or(me.unit(), |u| u.code.as_str());
        let now = self.clock.now();
        let mut rows = Vec::new();
        let mut errors = Vec::new();
        for (n, a) in asked {
            let name = format!("{ANSWER}{}", n.id);
            let answer = typed.get(&name).map(String::as_str).unwrap_or_default();
            if ANSWERS.iter().any(|(code, _)| *code == answer) {
                rows.push(AnswerRow {
                    fiscal_year: a.fiscal_year,
                    notice: n.id,
                    person: me.person.clone(),
                    unit: unit.to_owned(),
                    answer: answer.to_owned(),
                    answered_at: now,
                    entry: String::new(),
                });
            } else {
                errors
                    .push(FieldError {
                        field: name, message: format!("「{}」に答えてください。", n.title)
                    });
            }
        }
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        let answers: BTreeMap<&str, &str> =
            rows.iter().map(|r| (r.notice.as_str(), r.answer.as_str())).collect();
        // The entry proves that these answers were given, without telling them.
        let payload = json!({"person": me.person, "unit": unit, "answers": content_hash(&json!(answers)), "questions": rows.len(), "at": now});
        let (seal, stream) = (self.seal()?, ledger::stream_id(self.new_id()?));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let entry = record(c, seal, &stream, "assessment.answered", &payload, now).await?;
                    for mut row in rows {
                        row.entry.clone_from(&entry);
                        notice::put(c, &row).await?;
                    }
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}

/// Notes new notices, and once a year tells everybody in office that the self-assessment is open.
///
/// # Errors
/// The database failed.
pub(crate) async fn run_day(office: &Arc<Office>) -> Result<(), AppError> {
    let pack = office.pack();
    let known =
        office.store.read(|c| Box::pin(async move { duty::since(c).await.map_err(AppError::from) })).await?;
    let new: Vec<String> =
        pack.notices.keys().map(|id| since_key(id)).filter(|k| !known.contains_key(k)).collect();
    let today = office.clock.today();
    if !new.is_empty() {
        office
            .store
            .write(move |c| {
                Box::pin(async move {
                    for key in new {
                        duty::put_since(c, &key, today).await?;
                    }
                    Ok::<_, AppError>(())
                })
            })
            .await?;
    }
    let asked = office.asked_now().await?;
    let Some((_, a)) = asked.iter().max_by_key(|(_, a)| a.opens) else { return Ok(()) };
    let (key, a) = (format!("assessment.told.{}", a.opens), *a);
    let d = office.directory().await?;
    let persons: Vec<String> = d
        .rows()
        .persons
        .iter()
        .filter(|p| !d.appointments(&p.number, today).is_empty())
        .map(|p| p.number.clone())
        .collect();
    let inner = Arc::clone(office);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                if setting::get(c, &key).await?.is_some() {
                    return Ok(());
                }
                let now = inner.clock.now();
                setting::set(c, &key, &now.to_string()).await?;
                let subject = format!("自己点検に{}までに答えてください", a.closes.japanese());
                let told = Told { kind: "assessment", subject: &subject, link: "/assessment" };
                for some in persons.chunks(1_000) {
                    notify(c, &inner, &told, some, now).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use sekisho_pack::model::Period;

    use super::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    fn notice() -> Notice {
        Notice {
            id: "lock".into(),
            title: "離席".into(),
            says: "x".into(),
            question: "x".into(),
            asked: (10, 1),
            within: Period::Months(1),
            good_from: 90,
        }
    }

    fn state(since: &str, day: &str, staff: i64, counts: &[(i64, Counts)]) -> ClauseState {
        let facts = NoticeFacts {
            since: [("notice:lock".to_owned(), d(since))].into(),
            totals: counts.iter().map(|(year, c)| (("lock".to_owned(), *year), *c)).collect(),
            staff,
        };
        state_of(&notice(), &facts, d(day), &Calendar::default()).0
    }

    #[test]
    fn unknown_until_asked_then_judged_by_who_answered_and_what() {
        let good = Counts { yes: 95, no: 2, none: 0 };
        let some_no = Counts { yes: 80, no: 15, none: 0 };
        let few = Counts { yes: 30, no: 0, none: 0 };
        assert_eq!(state("2026-11-25", "2027-03-01", 100, &[]), ClauseState::Unknown, "never asked");
        assert_eq!(
            state("2026-04-01", "2026-10-15", 100, &[(2026, good)]),
            ClauseState::Unknown,
            "first time, not over"
        );
        assert_eq!(state("2026-04-01", "2026-11-03", 100, &[(2026, good)]), ClauseState::Met);
        assert_eq!(state("2026-04-01", "2026-11-03", 100, &[(2026, some_no)]), ClauseState::Broken);
        assert_eq!(state("2026-04-01", "2026-11-03", 100, &[(2026, few)]), ClauseState::Broken);
        assert_eq!(state("2026-04-01", "2026-11-03", 100, &[]), ClauseState::Unknown, "nobody answered");
        assert_eq!(
            state("2026-04-01", "2027-10-05", 100, &[(2026, good)]),
            ClauseState::Due,
            "next year's is open"
        );
        assert_eq!(state("2026-04-01", "2027-10-05", 100, &[(2026, few)]), ClauseState::Broken);
        assert_eq!(
            state("2026-04-01", "2027-09-30", 100, &[(2026, good)]),
            ClauseState::Met,
            "until the next"
        );
    }
}
