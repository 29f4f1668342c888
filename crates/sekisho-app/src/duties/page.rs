//! What pages show of duties: one's own, all of them for those who oversee, one duty over all its places, one occurrence with its form.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::limits::PAGE_ROWS;
use sekisho_boxed::boxed;
use sekisho_case::org::Org;
use sekisho_pack::duty::{Duty, Occasion, period_japanese};
use sekisho_pack::model::{Field, FieldType, MechanismKind, Pack};
use sekisho_store::Viewer;
use sekisho_store::duty::{self, FOR_EVER, OccurrenceFilter, OccurrenceRow, Standing};

use super::act::EVIDENCE;
use super::view::{DutiesQuery, DutiesView, DutyLine, DutyPage, DutySummary, OccurrencePage};
use super::who::{capacity_words, chain, holders, standing};
use crate::cases::field_view;
use crate::clauses::{ClauseLink, state_words};
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::Pair;

/// Due within so many days is soon: shown on the home page, and 注意.
pub(crate) const SOON_DAYS: i64 = 30;
/// Rows read to find one's own.
const OWN_ROWS: i64 = 1_000;
/// Rows of one duty's page.
const SHOWN: i64 = 300;

/// State and reason of a duty from how it stands.
pub(crate) fn state_of(
    s: Option<&Standing>,
    occasion: &Occasion,
    past: bool,
) -> (sekisho_case::state::ClauseState, String) {
    use sekisho_case::state::ClauseState;
    let s = s.copied().unwrap_or_default();
    if s.late > 0 {
        return (ClauseState::Broken, format!("期限を過ぎたもの {}件", s.late));
    }
    if s.uncovered > 0 {
        return (ClauseState::Unknown, format!("まだ行われていないもの {}件", s.uncovered));
    }
    if s.soon > 0 && !past {
        return (ClauseState::Due, format!("まもなく期限 {}件", s.soon));
    }
    match (s.valid, occasion) {
        (0, Occasion::On(_)) => (ClauseState::Unknown, "対象になる出来事がまだありません".to_owned()),
        (0, Occasion::Every(_)) => (ClauseState::Unknown, "まだ一度も行われていません".to_owned()),
        (n, _) => (ClauseState::Met, format!("有効な記録 {n}件")),
    }
}

/// How often, for people.
fn occasion_words(o: &Occasion) -> String {
    match o {
        Occasion::Every(cycle) => cycle.japanese(),
        Occasion::On(event) => event.japanese().to_owned(),
    }
}

/// Evidence for people.
fn evidence_pairs(fields: &[Field], json: &str) -> Vec<Pair> {
    let given: BTreeMap<String, serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let shown = |f: &Field, v: &serde_json::Value| match (v, &f.kind) {
        (serde_json::Value::Bool(b), _) => if *b { "はい" } else { "いいえ" }.to_owned(),
        (serde_json::Value::String(s), FieldType::Date) => {
            s.parse::<Date>().map_or_else(|_| s.clone(), Date::japanese)
        }
        (serde_json::Value::String(s), FieldType::Choice) => {
            f.choices.iter().find(|c| c.code == *s).map_or_else(|| s.clone(), |c| c.label.clone())
        }
        (serde_json::Value::String(s), _) => s.clone(),
        (other, _) => other.to_string(),
    };
    // A field that the pack no longer asks for keeps what was recorded, under its id.
    let known: BTreeSet<&str> = fields.iter().map(|f| f.id.as_str()).collect();
    let mut out: Vec<Pair> = fields
        .iter()
        .filter_map(|f| Some(Pair { label: f.label.clone(), value: shown(f, given.get(&f.id)?) }))
        .collect();
    for (id, v) in given.iter().filter(|(id, _)| !known.contains(id.as_str())) {
        let value = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        out.push(Pair { label: id.clone(), value });
    }
    out
}

/// What lines are made with.
struct Making<'a> {
    pack: &'a Pack,
    d: &'a Directory,
    org: &'a Org,
    today: Date,
}

impl Making<'_> {
    fn holder(&self, role: &str, unit: &str) -> String {
        let Some(r) = self.pack.roles.get(role) else { return String::new() };
        let found = holders(r, unit, self.d, self.org, self.today);
        match found.as_slice() {
            [] => "空席".to_owned(),
            [one] => self.d.person_name(one).to_owned(),
            [one, rest @ ..] => format!("{} ほか{}人", self.d.person_name(one), rest.len()),
        }
    }

    fn line(&self, o: &OccurrenceRow) -> DutyLine {
        let duty = self.pack.duties.get(&o.duty);
        let (status, class) = match (o.outcome.as_str(), o.closed_at) {
            ("done", _) => ("済", "done"),
            (_, Some(_)) => ("対象外", "none"),
            _ if o.due_on < self.today => ("期限切れ", "late"),
            _ if o.due_on <= self.today.plus_days(SOON_DAYS) => ("まもなく期限", "due"),
            _ => ("", "none"),
        };
        let done = match (o.outcome.as_str(), o.closed_at) {
            ("done", Some(at)) => {
                format!(
                    "{} {}{}",
                    at.date().japanese(),
                    self.d.person_name(&o.done_by),
                    if at.date() > o.due_on { "（期限後）" } else { "" }
                )
            }
            (_, Some(_)) => o.evidence.clone(),
            _ => String::new(),
        };
        DutyLine {
            link: format!("/duties/{}/{}", o.duty, o.id),
            title: duty.map_or_else(|| o.duty.clone(), |d| d.title.clone()),
            unit: self.d.unit_name(&o.unit).to_owned(),
            subject: if o.subject.is_empty() {
                String::new()
            } else {
                self.d.person_name(&o.subject).to_owned()
            },
            due: o.due_on.short(),
            due_on: o.due_on,
            status,
            class,
            holder: duty.map(|d| self.holder(&d.role, &o.unit)).unwrap_or_default(),
            done,
        }
    }

    /// Whether somebody may do an occurrence today.
    fn may(&self, person: &str, o: &OccurrenceRow) -> bool {
        let Some(d) = self.pack.duties.get(&o.duty) else { return false };
        let all = (self.pack, self.d, self.org);
        standing(person, &d.role, &o.unit, o.escalated, all, self.today).is_some()
    }
}

/// Open occurrences that somebody may do, those due first: of the roles held, of posts acted for, and what has come up to a role above.
async fn own(
    office: &Office,
    me: &Me,
    m: &Making<'_>,
    due_by: Option<Date>,
) -> Result<Vec<OccurrenceRow>, AppError> {
    let held: BTreeSet<&str> = me.roles().iter().map(|r| r.role.as_str()).collect();
    let acts_for = m.acts_for(&me.person);
    let near = |d: &&Duty| held.contains(d.role.as_str()) || acts_for.iter().any(|(role, _)| *role == d.role);
    let above = |d: &&Duty| chain(m.pack, &d.role).iter().skip(1).any(|r| held.contains(r.id.as_str()));
    let ids = |of: &dyn Fn(&&Duty) -> bool| -> Vec<String> {
        m.pack.duties.values().filter(of).map(|d| d.id.clone()).collect()
    };
    let mut units: Option<Vec<String>> = Some(acts_for.iter().map(|(_, unit)| unit.clone()).collect());
    for r in me.roles().iter().filter(|r| m.pack.duties.values().any(|d| d.role == r.role)) {
        match (&mut units, &r.units) {
            (Some(all), Some(own)) => all.extend(own.iter().cloned()),
            _ => units = None,
        }
    }
    let near = OccurrenceFilter { duties: Some(ids(&near)), units, open: true, due_by, ..Default::default() };
    let above = OccurrenceFilter {
        duties: Some(ids(&above)),
        escalated: true,
        open: true,
        due_by,
        ..Default::default()
    };
    let viewer = Viewer::whole_body(&me.person);
    let mut rows = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let (mut rows, _) = duty::list(c, &viewer, &near, 0, OWN_ROWS).await?;
                rows.extend(duty::list(c, &viewer, &above, 0, OWN_ROWS).await?.0);
                Ok::<_, AppError>(rows)
            })
        })
        .await?;
    rows.sort_by(|a, b| (a.due_on, &a.duty, &a.unit, &a.id).cmp(&(b.due_on, &b.duty, &b.unit, &b.id)));
    rows.dedup_by(|a, b| a.id == b.id);
    rows.retain(|o| m.may(&me.person, o));
    Ok(rows)
}

impl Making<'_> {
    /// Roles and units for which somebody stands in today.
    fn acts_for(&self, person: &str) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let posts = self.org.appointments(person, self.today).filter_map(|a| self.org.post(&a.post));
        // Whether a delegation counts today is asked below; here it only says where to look.
        let delegated = self.d.rows().delegations.iter().filter(|x| x.person == person);
        let units: BTreeSet<String> = posts
            .map(|p| p.unit.clone())
            .chain(delegated.filter_map(|x| self.org.post(&x.post)).map(|p| p.unit.clone()))
            .collect();
        for duty in self.pack.duties.values() {
            for unit in &units {
                let Some(unit) = super::who::unit_above(duty.scope, self.d, unit) else { continue };
                let key = (duty.role.clone(), unit.clone());
                let all = (self.pack, self.d, self.org);
                if !out.contains(&key)
                    && standing(person, &duty.role, &unit, 0, all, self.today)
                        .is_some_and(|s| s.capacity == "deputy")
                {
                    out.push(key);
                }
            }
        }
        out
    }
}

#[boxed]
impl Office {
    /// Open occurrences that somebody may do, due by a day: for the calendar.
    pub(crate) async fn own_occurrences(
        &self,
        who: &Identity,
        due_by: Date,
    ) -> Result<Vec<OccurrenceRow>, AppError> {
        let me = self.me(who).await?;
        let (pack, d, org, today) = (self.pack(), me.directory(), me.org(), self.clock.today());
        own(self, &me, &Making { pack: &pack, d, org, today }, Some(due_by)).await
    }

    /// Own open duties that are late or due soon, and how many others are open.
    ///
    /// # Errors
    /// The database failed.
    pub async fn own_duties(&self, me: &Me, limit: usize) -> Result<(Vec<DutyLine>, usize), AppError> {
        let (pack, d, org, today) = (self.pack(), me.directory(), me.org(), self.clock.today());
        let m = Making { pack: &pack, d, org, today };
        let rows = own(self, me, &m, None).await?;
        let soon = today.plus_days(SOON_DAYS);
        let shown: Vec<DutyLine> =
            rows.iter().filter(|o| o.due_on <= soon).take(limit).map(|o| m.line(o)).collect();
        let rest = rows.len() - shown.len();
        Ok((shown, rest))
    }

    /// The page of duties.
    ///
    /// # Errors
    /// The database failed.
    pub async fn duties(&self, who: &Identity, q: &DutiesQuery) -> Result<DutiesView, AppError> {
        let me = self.me(who).await?;
        let (pack, d, org, today) = (self.pack(), me.directory(), me.org(), self.clock.today());
        let m = Making { pack: &pack, d, org, today };
        let due_by = q.late.then(|| today.plus_days(-1));
        let page = q.page.clamp(1, 100_000);
        let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let skip = usize::try_from(page - 1).unwrap_or(0).saturating_mul(shown);
        let (rows, total) = if q.all {
            let filter = OccurrenceFilter { open: true, due_by, ..Default::default() };
            let viewer = me.viewer().clone();
            self.store
                .read(move |c| {
                    Box::pin(async move {
                        duty::list(c, &viewer, &filter, (page - 1) * PAGE_ROWS, PAGE_ROWS + 1)
                            .await
                            .map_err(AppError::from)
                    })
                })
                .await?
        } else {
            let rows = own(self, &me, &m, due_by).await?;
            let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            (rows.into_iter().skip(skip).take(shown + 1).collect(), total)
        };
        let summary = if q.all { self.duty_summary().await? } else { vec![] };
        Ok(DutiesView {
            rows: rows.iter().take(shown).map(|o| m.line(o)).collect(),
            all: q.all,
            late: q.late,
            page,
            more: rows.len() > shown,
            total,
            summary,
        })
    }

    async fn standings(&self) -> Result<BTreeMap<String, Standing>, AppError> {
        let now = self.clock.now();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    duty::standings(c, now, now.date().plus_days(SOON_DAYS)).await.map_err(AppError::from)
                })
            })
            .await
    }

    async fn duty_summary(&self) -> Result<Vec<DutySummary>, AppError> {
        let standings = self.standings().await?;
        let pack = self.pack();
        let one = |d: &Duty| {
            let (state, reason) = state_of(standings.get(&d.id), &d.occasion, false);
            let (class, label) = state_words(state);
            DutySummary {
                id: d.id.clone(),
                title: d.title.clone(),
                role: pack.roles.get(&d.role).map(|r| r.title.clone()).unwrap_or_default(),
                cycle: occasion_words(&d.occasion),
                state: label,
                class,
                reason,
            }
        };
        Ok(pack.duties.values().map(one).collect())
    }

    /// One duty with its occurrences.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn duty(&self, who: &Identity, id: &str) -> Result<DutyPage, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let duty = pack.duties.get(id).ok_or(AppError::NotFound)?;
        let (d, org, today) = (me.directory(), me.org(), self.clock.today());
        let m = Making { pack: &pack, d, org, today };
        let filter = OccurrenceFilter { duties: Some(vec![id.to_owned()]), ..Default::default() };
        let viewer = me.viewer().clone();
        let (rows, total) = self
            .store
            .read(move |c| {
                Box::pin(
                    async move { duty::list(c, &viewer, &filter, 0, SHOWN).await.map_err(AppError::from) },
                )
            })
            .await?;
        let standings = self.standings().await?;
        let (state, reason) = state_of(standings.get(id), &duty.occasion, false);
        let (class, label) = state_words(state);
        Ok(DutyPage {
            title: duty.title.clone(),
            says: duty.says.clone(),
            facts: facts(&pack, duty),
            state: label,
            class,
            reason,
            rows: rows.iter().map(|o| m.line(o)).collect(),
            total,
            clauses: clauses_of(&pack, MechanismKind::Duty, id),
        })
    }

    /// One occurrence, with the form of what was typed when a record was not accepted.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also where this person may neither see nor do it.
    pub async fn duty_occurrence(
        &self,
        who: &Identity,
        duty_id: &str,
        id: &str,
        typed: Option<&BTreeMap<String, Vec<String>>>,
    ) -> Result<OccurrencePage, AppError> {
        let me = self.me(who).await?;
        let o = self.occurrence(duty_id, id).await?;
        let pack = self.pack();
        let (d, org, today) = (me.directory(), me.org(), self.clock.today());
        let m = Making { pack: &pack, d, org, today };
        let duty = pack.duties.get(&o.duty);
        let standing =
            duty.and_then(|x| standing(&me.person, &x.role, &o.unit, o.escalated, (&pack, d, org), today));
        let seen = me.sees_unit(&o.unit);
        if !seen && standing.is_none() {
            return Err(AppError::NotFound);
        }
        let line = m.line(&o);
        let open = o.closed_at.is_none();
        let may = open && standing.is_some();
        let role = |id: &str| pack.roles.get(id).map_or_else(|| id.to_owned(), |r| r.title.clone());
        let note = match &standing {
            _ if !open => String::new(),
            Some(s) if s.capacity != "own" => {
                format!("{}（{}）記録します。", capacity_words(s.capacity), role(&s.role))
            }
            Some(_) => String::new(),
            None => format!(
                "この仕事を行うのは、{}の{}（{}）です。",
                line.unit,
                duty.map(|d| role(&d.role)).unwrap_or_default(),
                line.holder
            ),
        };
        let value = |f: &Field| {
            typed.and_then(|t| t.get(&format!("{EVIDENCE}{}", f.id))?.first().cloned()).unwrap_or_default()
        };
        let fields = match duty {
            Some(x) if may => x.evidence.iter().map(|f| field_view(f, value(f), EVIDENCE)).collect(),
            _ => vec![],
        };
        let pair = |label: &str, value: String| Pair { label: label.to_owned(), value };
        let mut facts = vec![pair("所属", line.unit.clone())];
        if !line.subject.is_empty() {
            facts.push(pair("対象の職員", line.subject.clone()));
        }
        facts.push(pair("始まり", o.opens_on.japanese()));
        facts.push(pair("期限", o.due_on.japanese()));
        facts.push(pair("今の担当", line.holder.clone()));
        if o.escalated > 0 {
            let told = duty.map(|x| chain(&pack, &x.role)).unwrap_or_default();
            let to = usize::try_from(o.escalated).ok().and_then(|n| told.get(n)).map(|r| r.title.clone());
            facts.push(pair("上申", format!("{}に知らせました", to.unwrap_or_default())));
        }
        if o.outcome == "done" {
            let at = o.closed_at.map(sekisho_base::Instant::japanese).unwrap_or_default();
            facts.push(pair("行った日時", at));
            facts.push(pair("行った人", d.person_name(&o.done_by).to_owned()));
            facts.push(pair("役割", format!("{}{}", role(&o.done_role), capacity_note(&o.capacity))));
            if let Some(until) = o.valid_until.filter(|u| u.to_string() != FOR_EVER) {
                facts.push(pair("有効な期間", format!("{}まで", until.japanese())));
            }
        }
        let evidence = if o.outcome == "done" {
            evidence_pairs(duty.map(|x| x.evidence.as_slice()).unwrap_or_default(), &o.evidence)
        } else {
            vec![]
        };
        Ok(OccurrencePage {
            link: line.link.clone(),
            duty: o.duty.clone(),
            title: line.title.clone(),
            says: duty.map(|x| x.says.clone()).unwrap_or_default(),
            line,
            facts,
            may,
            note,
            fields,
            evidence,
            entry: o.entry,
            open_entry: o.open_entry,
            clauses: clauses_of(&pack, MechanismKind::Duty, duty_id),
        })
    }
}

fn capacity_note(capacity: &str) -> String {
    let words = capacity_words(capacity);
    if words.is_empty() { String::new() } else { format!("（{words}）") }
}

/// Clauses that name a mechanism.
pub(crate) fn clauses_of(pack: &Pack, kind: MechanismKind, name: &str) -> Vec<ClauseLink> {
    pack.clauses
        .iter()
        .filter(|c| c.mechanisms.iter().any(|m| m.kind == kind && m.name == name))
        .map(|c| ClauseLink::of(&c.id))
        .collect()
}

fn facts(pack: &Pack, d: &Duty) -> Vec<Pair> {
    use sekisho_pack::model::Scope;
    let pair = |label: &str, value: String| Pair { label: label.to_owned(), value };
    let place = match d.scope {
        Scope::Section | Scope::System => "課室ごと",
        Scope::Department => "部局ごと",
        Scope::Body => "全庁で一つ",
    };
    let within =
        d.within.map_or_else(|| "その期間の末日".to_owned(), |p| format!("始まりから{}", period_japanese(p)));
    let remind: Vec<String> = d.remind.iter().map(|p| format!("期限の{}前", period_japanese(*p))).collect();
    let above: Vec<&str> = chain(pack, &d.role).into_iter().skip(1).map(|r| r.title.as_str()).collect();
    let escalate = match (above.first(), d.escalate) {
        (None, _) => "なし".to_owned(),
        (Some(first), None) => format!("期限の翌日に{first}へ"),
        (Some(_), Some(p)) => format!("期限から{}ごとに、{}の順に", period_japanese(p), above.join("、")),
    };
    vec![
        pair("行う役割", pack.roles.get(&d.role).map(|r| r.title.clone()).unwrap_or_default()),
        pair("単位", place.to_owned()),
        pair("いつ", occasion_words(&d.occasion)),
        pair("期限", within),
        pair("事前の知らせ", if remind.is_empty() { "なし".to_owned() } else { remind.join("、") }),
        pair("期限を過ぎたとき", escalate),
    ]
}
