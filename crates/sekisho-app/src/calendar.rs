//! The calendar (予定表): what is due in a month, as a grid and as a list: tasks of cases, duties, ends of permits, reviews of documents,
//! absences and closed days; one's own, of the own section, or everything that one may see.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::case::CaseState;
use sekisho_store::case;
use sekisho_store::duty::OccurrenceFilter;
use sekisho_store::{Viewer, document, duty};
use serde::Serialize;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;

/// Rows of one kind in one month.
const MOST: i64 = 1_000;

/// Whose dates are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum CalendarScope {
    /// One's own.
    #[default]
    Own,
    /// Of the own section.
    Section,
    /// Of everything that the person may see.
    All,
}

impl CalendarScope {
    /// Stable code, as addresses have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Section => "section",
            Self::All => "all",
        }
    }

    /// From an address; what is unknown is one's own.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        [Self::Section, Self::All].into_iter().find(|s| s.code() == code).unwrap_or_default()
    }
}

/// One thing on a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CalendarItem {
    /// 処理の期限, 定期の仕事, 許可の終わり, 文書の見直し, 不在.
    pub kind: &'static str,
    /// What.
    pub text: String,
    /// Its page.
    pub link: String,
    /// Past its day and still open.
    pub late: bool,
}

/// A day of the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CalendarDay {
    /// ISO date, for links within the page.
    pub date: String,
    /// 「11月25日（水）」.
    pub title: String,
    /// Day of the month.
    pub number: i8,
    /// Whether it is today.
    pub today: bool,
    /// Whether the office is closed.
    pub closed: bool,
    /// What is on it.
    pub items: Vec<CalendarItem>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CalendarView {
    /// 「2026年（令和8年）11月」.
    pub title: String,
    /// Weeks from Monday; nothing where a day is of another month.
    pub weeks: Vec<Vec<Option<CalendarDay>>>,
    /// Whose.
    pub scope: CalendarScope,
    /// `2026-11`.
    pub month: String,
    /// The month before.
    pub before: String,
    /// The month after.
    pub after: String,
    /// Whether there is more to see than the own section.
    pub sees_more: bool,
}

fn month_code(first: Date) -> String {
    first.to_string().chars().take(7).collect()
}

fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        1 => "月",
        2 => "火",
        3 => "水",
        4 => "木",
        5 => "金",
        6 => "土",
        _ => "日",
    }
}

/// The first day of a month as addresses name it; of the present month for anything else.
fn first_of(month: &str, today: Date) -> Date {
    let (y, m, _) = today.ymd();
    let asked = format!("{month}-01").parse::<Date>().ok().filter(|d| (1900..=2200).contains(&d.ymd().0));
    asked.or_else(|| Date::new(y, m, 1)).unwrap_or(today)
}

/// Everything of a month, by day.
#[derive(Default)]
struct Days(BTreeMap<Date, BTreeSet<CalendarItem>>);

impl Days {
    fn add(&mut self, day: Date, kind: &'static str, text: String, link: String, late: bool) {
        self.0.entry(day).or_default().insert(CalendarItem { kind, text, link, late });
    }
}

/// The part of a month that is looked at, and with whose eyes.
struct Asked {
    from: Date,
    until: Date,
    today: Date,
    scope: CalendarScope,
    viewer: Viewer,
}

#[boxed]
impl Office {
    /// A month of the calendar.
    ///
    /// # Errors
    /// The database failed.
    pub async fn calendar(
        &self,
        who: &Identity,
        month: &str,
        scope: CalendarScope,
    ) -> Result<CalendarView, AppError> {
        let me = self.me(who).await?;
        let today = self.clock.today();
        let from = first_of(month, today);
        let until = from.plus_months(1).plus_days(-1);
        let section = self.section_viewer(&me).await?;
        let viewer = if scope == CalendarScope::All { me.viewer().clone() } else { section.clone() };
        let asked = Asked { from, until, today, scope, viewer };
        let mut days = Days::default();
        self.tasks_into(&me, &asked, &mut days).await?;
        self.duties_into(who, &asked, &mut days).await?;
        self.permits_into(&me, &asked, &mut days).await?;
        self.documents_into(&me, &asked, &mut days).await?;
        for (person, first, last) in
            self.absences_between(who, from, until, scope != CalendarScope::Own).await?
        {
            let mut day = first.max(from);
            while day <= last.min(until) {
                days.add(day, "不在", person.clone(), "/absences".to_owned(), false);
                day = day.plus_days(1);
            }
        }
        Ok(CalendarView {
            title: from.month_japanese(),
            weeks: self.weeks(from, until, today, days),
            scope,
            month: month_code(from),
            before: month_code(from.plus_months(-1)),
            after: month_code(from.plus_months(1)),
            sees_more: me.viewer() != &section,
        })
    }

    /// The records of the own section only.
    async fn section_viewer(&self, me: &Me) -> Result<Viewer, AppError> {
        let d = self.directory().await?;
        let root = d.nearest(me.unit(), &["section", "branch"]).map_or(me.unit(), |u| u.code.as_str());
        let units = d.below(root).into_iter().filter(|u| me.sees_unit(u)).collect();
        Ok(Viewer { person: me.person.clone(), units: Some(units) })
    }

    fn weeks(&self, from: Date, until: Date, today: Date, mut days: Days) -> Vec<Vec<Option<CalendarDay>>> {
        let calendar = &self.pack().calendar;
        let blank = usize::try_from(from.weekday() - 1).unwrap_or(0);
        let mut cells: Vec<Option<CalendarDay>> = vec![None; blank];
        let mut day = from;
        while day <= until {
            let (_, m, number) = day.ymd();
            cells.push(Some(CalendarDay {
                date: day.to_string(),
                title: format!("{m}月{number}日（{}）", weekday(day)),
                number,
                today: day == today,
                closed: calendar.is_closed(day),
                items: days.0.remove(&day).unwrap_or_default().into_iter().collect(),
            }));
            day = day.plus_days(1);
        }
        cells.resize(cells.len().div_ceil(7) * 7, None);
        cells.chunks(7).map(<[_]>::to_vec).collect()
    }

    async fn tasks_into(&self, me: &Me, a: &Asked, days: &mut Days) -> Result<(), AppError> {
        let (from, until, viewer) = (a.from, a.until, a.viewer.clone());
        let mine = (a.scope == CalendarScope::Own).then(|| me.posts().to_vec());
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    match mine {
                        Some(posts) => case::inbox(c, &viewer.person, &posts, MOST).await,
                        None => case::tasks_between(c, &viewer, from, until, MOST).await,
                    }
                    .map_err(AppError::from)
                })
            })
            .await?;
        for r in rows {
            let Some(due) = r.task.due.filter(|due| (a.from..=a.until).contains(due)) else { continue };
            let text = format!("{}：{} {}", r.task.title, r.number, r.case_title);
            days.add(due, "処理の期限", text, format!("/cases/{}", r.task.case_id), due < a.today);
        }
        Ok(())
    }

    async fn duties_into(&self, who: &Identity, a: &Asked, days: &mut Days) -> Result<(), AppError> {
        let rows = if a.scope == CalendarScope::Own {
            self.own_occurrences(who, a.until).await?
        } else {
            let (viewer, from, until) = (a.viewer.clone(), a.from, a.until);
            let filter = OccurrenceFilter {
                open: true,
                due_from: Some(from),
                due_by: Some(until),
                ..Default::default()
            };
            self.store
                .read(move |c| {
                    Box::pin(async move {
                        duty::list(c, &viewer, &filter, 0, MOST)
                            .await
                            .map(|(rows, _)| rows)
                            .map_err(AppError::from)
                    })
                })
                .await?
        };
        let (pack, d) = (self.pack(), self.directory().await?);
        for o in rows.iter().filter(|o| (a.from..=a.until).contains(&o.due_on)) {
            let title = pack.duties.get(&o.duty).map_or(o.duty.as_str(), |x| x.title.as_str());
            let text = format!("{title}（{}）", d.unit_name(&o.unit));
            days.add(
                o.due_on,
                "定期の仕事",
                text,
                format!("/duties/{}/{}", o.duty, o.id),
                o.due_on < a.today,
            );
        }
        Ok(())
    }

    /// Ends of permits in force: of the own applications, or of all cases that are seen.
    async fn permits_into(&self, me: &Me, a: &Asked, days: &mut Days) -> Result<(), AppError> {
        let (viewer, until) = (a.viewer.clone(), a.until.plus_days(1));
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    case::in_force_until(c, &viewer, until, MOST).await.map_err(AppError::from)
                })
            })
            .await?;
        for row in rows.iter().filter(|r| a.scope != CalendarScope::Own || r.applicant == me.person) {
            let state: CaseState = serde_json::from_str(&row.state).map_err(AppError::internal)?;
            let end = state.permit.map(|p| p.until).filter(|end| (a.from..=a.until).contains(end));
            let Some(end) = end else { continue };
            let text = format!("{} {}", row.number, row.title);
            days.add(end, "許可の終わり", text, format!("/cases/{}", row.id), end < a.today);
        }
        Ok(())
    }

    /// Reviews of documents: for those who keep them, and for everybody among everything.
    async fn documents_into(&self, me: &Me, a: &Asked, days: &mut Days) -> Result<(), AppError> {
        if a.scope == CalendarScope::Section {
            return Ok(());
        }
        let now: Instant = self.clock.now();
        let rows = self
            .store
            .read(move |c| Box::pin(async move { document::present(c, now).await.map_err(AppError::from) }))
            .await?;
        let pack = self.pack();
        for v in rows.iter().filter(|v| v.kind != "withdrawn") {
            let Some(d) = pack.documents.get(&v.document) else { continue };
            let keeps = me.roles().iter().any(|r| r.role == d.kept_by);
            if (a.scope == CalendarScope::All || keeps) && (a.from..=a.until).contains(&v.next_review) {
                let late = v.next_review < a.today;
                days.add(
                    v.next_review,
                    "文書の見直し",
                    d.title.clone(),
                    format!("/documents/{}", d.id),
                    late,
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_from_addresses() {
        let today: Date = "2026-11-25".parse().unwrap();
        assert_eq!(first_of("2027-02", today).to_string(), "2027-02-01");
        for odd in ["", "2026-13", "昨日", "0001-01", "2026-11-03", "99999-01"] {
            assert_eq!(first_of(odd, today).to_string(), "2026-11-01", "{odd}");
        }
        assert_eq!(month_code(first_of("2027-01", today).plus_months(-1)), "2026-12");
        assert_eq!(CalendarScope::of_code("all"), CalendarScope::All);
        assert_eq!(CalendarScope::of_code("everything"), CalendarScope::Own);
    }
}
