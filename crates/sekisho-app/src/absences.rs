//! Absences (不在): a person records the own absence; a colleague or the next head may do it for another, but never whoever gains power by
//! it. Each record and each cancellation is one ledger entry, which holds person, days and author and not the kind or the note.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::authority::stand_ins;
use sekisho_case::org::Org;
use sekisho_store::absence::{self, AbsenceRow};
use sekisho_store::ledger;
use serde::Serialize;
use serde_json::json;

use crate::directory::Directory;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::news::News;
use crate::office::Office;
use crate::record::record;
use crate::registers::RefChoice;

/// Longest absence, in days: three years, as long as childcare leave can last.
const MAX_DAYS: i64 = 3 * 366;
/// Longest note, in characters.
const MAX_NOTE: usize = 200;
/// Absences shown at most.
const SHOWN: i64 = 300;
/// For how many days after its end an absence stays in the list.
const LOOK_BACK: i64 = 30;

/// What was typed into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AbsenceForm {
    /// Person number; empty for oneself.
    pub person: String,
    /// First day, as typed.
    pub from: String,
    /// Last day, as typed; empty for one day.
    pub until: String,
    /// Kind.
    pub kind: String,
    /// Note.
    pub note: String,
}

/// An absence in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AbsenceLine {
    /// Id.
    pub id: String,
    /// Name.
    pub person: String,
    /// Post, as people read it.
    pub post: String,
    /// 「…から…まで」.
    pub period: String,
    /// Kind and note; empty where they are nobody's business.
    pub what: String,
    /// Who recorded it and when.
    pub recorded: String,
    /// これから, 不在中, 終わり, 取消し, 不在に数えない.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// More about the state: who cancelled it and when.
    pub detail: String,
    /// Whether the viewer may cancel it now.
    pub may_cancel: bool,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AbsencePage {
    /// What is in the form.
    pub form: AbsenceForm,
    /// For whom the viewer may record, besides oneself.
    pub people: Vec<RefChoice>,
    /// Kinds of the pack.
    pub kinds: Vec<RefChoice>,
    /// The viewer's own.
    pub own: Vec<AbsenceLine>,
    /// Of people in the viewer's sections, and of those whose next head the viewer is.
    pub others: Vec<AbsenceLine>,
}

/// Why somebody may not record or cancel the absence of another.
fn forbidden(d: &Directory, by: &str, person: &str, today: Date) -> Option<AppError> {
    let mine = d.workplaces(by, today);
    let together = d.workplaces(person, today).iter().any(|w| mine.contains(w));
    if by == person || together || d.next_heads(person, today).contains(by) {
        return None;
    }
    Some(AppError::refused(
        "N001",
        format!(
            "{}さんの不在を登録したり取り消したりできるのは、本人と、同じ課の人と、すぐ上の所属長です。",
            d.person_name(person)
        ),
    ))
}

/// Days on which to ask who would stand in: the powers of two people change on these only.
fn days_to_ask(d: &Directory, people: [&str; 2], from: Date, until: Date, today: Date) -> BTreeSet<Date> {
    let mut days: BTreeSet<Date> = [today, from, until].into();
    let rows = d.rows();
    let starts = rows.appointments.iter().filter(|a| people.contains(&a.person.as_str())).map(|a| a.from);
    let lent = rows.delegations.iter().filter(|x| people.contains(&x.person.as_str())).map(|x| x.from);
    days.extend(starts.chain(lent).filter(|day| (from..=until).contains(day)));
    days
}

#[boxed]
impl Office {
    /// Why recording an absence would give its author power: deputies and delegates of the absent person never record it.
    fn gains(
        &self,
        d: &Directory,
        org: &Org,
        by: &str,
        person: &str,
        (from, until): (Date, Date),
    ) -> Option<AppError> {
        let (pack, today) = (self.pack(), self.clock.today());
        let found = days_to_ask(d, [by, person], from, until, today)
            .into_iter()
            .flat_map(|day| stand_ins(person, &pack, org, day))
            .find(|s| s.person == by)?;
        let how = if found.post.is_empty() {
            "職務代理として代わって決める人".to_owned()
        } else {
            format!("代わって決裁（代決）する職（{}）の人", d.post_name(&found.post))
        };
        let name = d.person_name(person);
        Some(AppError::refused(
            "N002",
            format!(
                "あなたは{name}さんが不在のときに{how}なので、{name}さんの不在を登録できません。本人か、ほかの人に登録してもらってください。"
            ),
        ))
    }

    /// For whom somebody may record an absence, besides oneself.
    fn people_to_record(&self, d: &Directory, org: &Org, by: &str) -> Vec<RefChoice> {
        let (pack, today) = (self.pack(), self.clock.today());
        let mut people = self.seen_people(d, by);
        people.retain(|p| {
            p != by
                && forbidden(d, by, p, today).is_none()
                && stand_ins(p, &pack, org, today).iter().all(|s| s.person != by)
        });
        people
            .into_iter()
            .map(|p| RefChoice {
                label: format!("{}（{}）", d.person_name(&p), d.main_post(&p, today)),
                code: p,
            })
            .collect()
    }

    /// People of the own workplaces, and those below whose next head this person is.
    fn seen_people(&self, d: &Directory, by: &str) -> Vec<String> {
        let today = self.clock.today();
        let own = d.workplaces(by, today);
        let mut people = d.colleagues(&own, today);
        let headed = |unit: &&&str| d.heads_from(unit, today, &[]).contains(by);
        for unit in own.iter().filter(headed) {
            for child in d.children(unit, today) {
                let below: BTreeSet<&str> = [child.code.as_str()].into();
                let members = d.colleagues(&below, today);
                people.extend(members.into_iter().filter(|p| d.next_heads(p, today).contains(by)));
            }
        }
        people.sort();
        people.dedup();
        people
    }

    /// Absences that count on any of these days, for the calendar: name, first and last day; one's own, or of everybody whose
    /// absences this person sees.
    pub(crate) async fn absences_between(
        &self,
        who: &Identity,
        from: Date,
        until: Date,
        others: bool,
    ) -> Result<Vec<(String, Date, Date)>, AppError> {
        let d = self.directory().await?;
        let mut people = if others { self.seen_people(&d, &who.person) } else { vec![] };
        people.push(who.person.clone());
        let rows = self
            .store
            .ask(move |c| {
                Box::pin(
                    async move { absence::of_people(c, &people, from, SHOWN).await.map_err(AppError::from) },
                )
            })
            .await?;
        let rows = rows.into_iter().filter(|a| a.cancelled.is_none() && a.from <= until && a.until >= from);
        Ok(rows.map(|a| (d.person_name(&a.person).to_owned(), a.from, a.until)).collect())
    }

    fn absence_line(&self, d: &Directory, by: &str, a: &AbsenceRow) -> AbsenceLine {
        let (today, pack) = (self.clock.today(), self.pack());
        let counts = pack.absence.counts(&a.kind, a.from, a.until);
        let (state, class) = match &a.cancelled {
            Some(_) => ("取消し", "none"),
            None if a.until < today => ("終わり", "none"),
            None if !counts => ("不在に数えない", "none"),
            None if a.from > today => ("これから", "running"),
            None => ("不在中", "wait"),
        };
        let may_know = a.person == by || a.by == by || d.next_heads(&a.person, today).contains(by);
        let kind = pack.absence.label(&a.kind);
        let what = match (may_know, a.note.is_empty()) {
            (false, _) => String::new(),
            (true, true) => kind.to_owned(),
            (true, false) => format!("{kind}（{}）", a.note),
        };
        let open = a.cancelled.is_none() && a.until >= today;
        AbsenceLine {
            id: a.id.clone(),
            person: d.person_name(&a.person).to_owned(),
            post: d.main_post(&a.person, today),
            period: if a.from == a.until {
                a.from.short()
            } else {
                format!("{}から{}まで", a.from.short(), a.until.short())
            },
            what,
            recorded: recorded(d, a),
            state,
            class,
            detail: a
                .cancelled
                .as_ref()
                .map(|(who, at)| format!("{} {}", at.short(), d.person_name(who)))
                .unwrap_or_default(),
            may_cancel: open && forbidden(d, by, &a.person, today).is_none(),
        }
    }

    /// The page of absences; `form` is what is shown in the form.
    ///
    /// # Errors
    /// The database failed.
    pub async fn absences(&self, who: &Identity, form: AbsenceForm) -> Result<AbsencePage, AppError> {
        let (d, org) = (self.directory().await?, self.org().await?);
        let by = who.person.as_str();
        let people = self.seen_people(&d, by);
        let since = self.clock.today().plus_days(-LOOK_BACK);
        let asked: Vec<String> = people.iter().filter(|p| *p != by).cloned().collect();
        let me = vec![by.to_owned()];
        let (own, others) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let own = absence::of_people(c, &me, since, SHOWN).await?;
                    Ok::<_, AppError>((own, absence::of_people(c, &asked, since, SHOWN).await?))
                })
            })
            .await?;
        let kinds = &self.pack().absence.kinds;
        Ok(AbsencePage {
            people: self.people_to_record(&d, &org, by),
            kinds: kinds.iter().map(|k| RefChoice { code: k.code.clone(), label: k.label.clone() }).collect(),
            own: own.iter().map(|a| self.absence_line(&d, by, a)).collect(),
            others: others.iter().map(|a| self.absence_line(&d, by, a)).collect(),
            form,
        })
    }

    /// Records an absence; the open cases follow.
    ///
    /// # Errors
    /// Fields that cannot be read; refused for strangers and for whoever gains power by it.
    pub async fn record_absence(
        self: &Arc<Self>,
        who: &Identity,
        form: &AbsenceForm,
    ) -> Result<(), AppError> {
        let (d, org) = (self.directory().await?, self.org().await?);
        let today = self.clock.today();
        let by = who.person.as_str();
        let person = if form.person.is_empty() { by } else { form.person.as_str() };
        d.person(person).ok_or(AppError::NotFound)?;
        if let Some(refused) = forbidden(&d, by, person, today) {
            return Err(refused);
        }
        // An absence gives deputies power.
        Self::may_decide_now(who)?;
        let (from, until) = read_days(form, today)?;
        let pack = self.pack();
        if pack.absence.kinds.iter().all(|k| k.code != form.kind) {
            return Err(AppError::field("kind", "不在の種類を選んでください。"));
        }
        if form.note.chars().count() > MAX_NOTE {
            return Err(AppError::field("note", format!("備考は{MAX_NOTE}文字までにしてください。")));
        }
        if let Some(refused) = self.gains(&d, &org, by, person, (from, until)) {
            return Err(refused);
        }
        let at = self.clock.now();
        let id = self.new_id()?;
        let row = AbsenceRow {
            id: id.to_string(),
            person: person.to_owned(),
            from,
            until,
            kind: form.kind.clone(),
            note: form.note.clone(),
            by: by.to_owned(),
            at: Some(at),
            cancelled: None,
        };
        let seal = self.seal()?;
        self.store
            .write(move |c| {
                Box::pin(async move {
                    absence::add(c, &row).await?;
                    let payload = json!({"absence": row.id, "person": row.person, "from": row.from, "until": row.until, "by": row.by, "at": at});
                    record(c, seal, &ledger::stream_id(id), "absence.add", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        self.forget_organization();
        crate::cases::organization_changed(self).await
    }

    /// Cancels a future or running absence. It is kept, with who cancelled it.
    ///
    /// # Errors
    /// Refused for strangers, and when it is over or was cancelled before.
    pub async fn cancel_absence(self: &Arc<Self>, who: &Identity, id: &str) -> Result<(), AppError> {
        let d = self.directory().await?;
        let (key, by) = (id.to_owned(), who.person.clone());
        let row = self
            .store
            .ask(move |c| Box::pin(async move { absence::get(c, &key).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)?;
        let today = self.clock.today();
        if let Some(refused) = forbidden(&d, &by, &row.person, today) {
            return Err(refused);
        }
        if row.cancelled.is_some() || row.until < today {
            return Err(AppError::refused("N003", "この不在は、もう終わっているか、取り消されています。"));
        }
        let stream = row.id.parse().map(ledger::stream_id).map_err(AppError::internal)?;
        let (at, seal) = (self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    absence::cancel(c, &row.id, &by, at).await?;
                    let payload = json!({"absence": row.id, "person": row.person, "from": row.from, "until": row.until, "by": by, "at": at});
                    record(c, seal, &stream, "absence.cancel", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        self.forget_organization();
        crate::cases::organization_changed(self).await
    }

    /// What the absent person is told: somebody else recorded or cancelled an absence that is not over.
    pub(crate) async fn absence_news(&self, d: &Directory, person: &str) -> Result<Vec<News>, AppError> {
        let (today, me) = (self.clock.today(), vec![person.to_owned()]);
        let rows = self
            .store
            .ask(move |c| {
                Box::pin(
                    async move { absence::of_people(c, &me, today, SHOWN).await.map_err(AppError::from) },
                )
            })
            .await?;
        let mut told = Vec::new();
        for a in &rows {
            let days = period(a.from, a.until);
            let text = match &a.cancelled {
                Some((who, at)) if who != person => format!(
                    "{}さんが{}に、あなたの不在（{days}）を取り消しました。",
                    d.person_name(who),
                    at.date().japanese()
                ),
                None if !a.by.is_empty() && a.by != person => format!(
                    "{}さんが{}に、あなたの不在（{days}）を登録しました。",
                    d.person_name(&a.by),
                    a.at.map(|at| at.date().japanese()).unwrap_or_default()
                ),
                _ => continue,
            };
            told.push(News { text, href: "/absences".to_owned(), label: "不在を確かめる".to_owned() });
        }
        Ok(told)
    }
}

fn read_days(form: &AbsenceForm, today: Date) -> Result<(Date, Date), AppError> {
    const HOW: &str = "「R8.7.1」「2026/7/1」のように入力してください。";
    let mut wrong = Vec::new();
    let mut read = |field: &str, text: &str| {
        let day = Date::parse_japanese(text).ok();
        if day.is_none() {
            wrong.push(FieldError {
                field: field.to_owned(), message: format!("日付が読めません。{HOW}")
            });
        }
        day
    };
    let from = read("from", &form.from);
    let until = if form.until.is_empty() { from } else { read("until", &form.until) };
    let (Some(from), Some(until)) = (from, until) else { return Err(AppError::Invalid(wrong)) };
    if until < from {
        return Err(AppError::field("until", "最後の日が最初の日より前です。日付を確かめてください。"));
    }
    if until < today {
        return Err(AppError::field(
            "until",
            "もう終わった期間は登録できません。今日からの期間を入力してください。",
        ));
    }
    if until.epoch_days() - from.epoch_days() >= MAX_DAYS {
        return Err(AppError::field("until", "一度に登録できるのは3年までです。"));
    }
    Ok((from, until))
}

fn period(from: Date, until: Date) -> String {
    if from == until {
        from.japanese()
    } else {
        format!("{}から{}まで", from.japanese(), until.japanese())
    }
}

fn recorded(d: &Directory, a: &AbsenceRow) -> String {
    let at = a.at.map(|at| at.date().short()).unwrap_or_default();
    let by = if a.by.is_empty() || a.by == a.person { "本人" } else { d.person_name(&a.by) };
    format!("{by} {at}").trim().to_owned()
}
