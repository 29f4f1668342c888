//! Duties (定期の仕事): a recurring or event-driven task of a role with a due date and the evidence asked for; and when each falls due.

use sekisho_base::Date;
use sekisho_base::calendar::Calendar;
use serde::{Deserialize, Serialize};

use crate::model::{Field, Period, Scope};

/// A Monday from which cycles of days and weeks are counted.
const MONDAY: (i16, i8, i8) = (2000, 1, 3);

/// One duty of the pack (`duties/*.toml`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    /// Identifier, as clauses name it: `duty:<id>`.
    pub id: String,
    /// Japanese name (情報資産の棚卸し).
    pub title: String,
    /// What is to be done, in plain words.
    pub says: String,
    /// Role that does it.
    pub role: String,
    /// Where it is done once each: every section, every department, the body.
    pub scope: Scope,
    /// When it arises.
    pub occasion: Occasion,
    /// Deadline after it arose; none: the end of its period.
    pub within: Option<Period>,
    /// What is recorded when it is done. Never empty: a duty done without evidence is not done.
    pub evidence: Vec<Field>,
    /// How long before the due date the holder is reminded.
    pub remind: Vec<Period>,
    /// How long after the due date, and again after each further such time, the next role is told; none: on the first late day, once.
    pub escalate: Option<Period>,
}

/// When a duty arises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Again and again.
    Every(Cycle),
    /// When something happened to a person.
    On(Event),
}

/// How often a duty recurs. Periods follow one another without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Months counted from April: 1, 2, 3, 4, 6 or 12, or whole years.
    Months(u32),
    /// Days counted from a Monday, so that 7 is a week.
    Days(u32),
    /// Begins on these days of the year (month, day), in order.
    Each(Vec<(i8, i8)>),
}

/// What the program knows to happen to people: it follows from their appointments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// 採用: the first appointment of a person.
    Joined,
    /// 異動: a main appointment in another section than before.
    Transferred,
    /// 任命: an appointment to a role of the standard.
    Appointed,
    /// 退職・離任: the last appointment ended.
    Left,
}

impl Event {
    /// The word of the pack.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Transferred => "transferred",
            Self::Appointed => "appointed",
            Self::Left => "left",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Joined => "採用のとき",
            Self::Transferred => "異動のとき",
            Self::Appointed => "役割に任命されたとき",
            Self::Left => "退職・離任のとき",
        }
    }
}

/// One period of a cycle, both days inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
}

impl Cycle {
    /// The period that holds a day.
    #[must_use]
    pub fn span(&self, day: Date) -> Span {
        match self {
            Self::Months(n) => {
                let n = i64::from((*n).max(1));
                let (_, month, _) = day.ymd();
                let since_april = i64::from((month + 8) % 12);
                let index = (i64::from(day.fiscal_year()) * 12 + since_april).div_euclid(n) * n;
                Span { start: month_start(index), end: month_start(index + n).plus_days(-1) }
            }
            Self::Days(n) => {
                let n = i64::from((*n).max(1));
                let monday = Date::new(MONDAY.0, MONDAY.1, MONDAY.2).map_or(0, Date::epoch_days);
                let start = (day.epoch_days() - monday).div_euclid(n) * n + monday;
                Span { start: Date::from_epoch_days(start), end: Date::from_epoch_days(start + n - 1) }
            }
            Self::Each(days) => {
                let (year, _, _) = day.ymd();
                let starts = (year.saturating_sub(1)..=year.saturating_add(1))
                    .flat_map(|y| days.iter().filter_map(move |(m, d)| Date::new(y, *m, *d)));
                let (mut start, mut end) = (day, day);
                for s in starts {
                    if s <= day {
                        start = s;
                    } else {
                        end = s.plus_days(-1);
                        break;
                    }
                }
                Span { start, end }
            }
        }
    }

    /// The period after one.
    #[must_use]
    pub fn next(&self, span: Span) -> Span {
        self.span(span.end.plus_days(1))
    }

    /// As people read it: 年に1回, 毎月, 毎年4月1日から.
    #[must_use]
    pub fn japanese(&self) -> String {
        match self {
            Self::Months(12) => "年に1回".to_owned(),
            Self::Months(1) => "毎月".to_owned(),
            Self::Months(n) if n % 12 == 0 => format!("{}年に1回", n / 12),
            Self::Months(n) => format!("{n}か月に1回"),
            Self::Days(7) => "毎週".to_owned(),
            Self::Days(n) => format!("{n}日に1回"),
            Self::Each(days) => {
                let list: Vec<String> = days.iter().map(|(m, d)| format!("{m}月{d}日")).collect();
                format!("毎年{}から", list.join("と"))
            }
        }
    }
}

/// First day of a month counted from April of year 0.
fn month_start(index: i64) -> Date {
    let (fiscal_year, since_april) = (index.div_euclid(12), index.rem_euclid(12));
    let (year, month) =
        if since_april < 9 { (fiscal_year, since_april + 4) } else { (fiscal_year + 1, since_april - 8) };
    let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).and_then(|(y, m)| Date::new(y, m, 1));
    date.unwrap_or_else(|| Date::from_epoch_days(0))
}

impl Duty {
    /// Due date of what arose on a day, in a period when it recurs. An end on a closed day rolls on.
    #[must_use]
    pub fn due(&self, arose: Date, span: Option<Span>, calendar: &Calendar) -> Date {
        match (self.within, span) {
            (Some(p), _) => after(calendar, arose, p),
            (None, Some(s)) => calendar.roll_on(s.end),
            (None, None) => calendar.roll_on(arose),
        }
    }

    /// Until when a record counts that was made for a period: the due date of the period after it. What happened once counts for ever.
    #[must_use]
    pub fn counts_until(&self, span: Option<Span>, calendar: &Calendar) -> Option<Date> {
        let Occasion::Every(cycle) = &self.occasion else { return None };
        let next = cycle.next(span?);
        Some(self.due(next.start, Some(next), calendar))
    }

    /// Days on which the holder is reminded of what is due on a day, earliest first.
    #[must_use]
    pub fn reminders(&self, due: Date, calendar: &Calendar) -> Vec<Date> {
        let mut days: Vec<Date> = self.remind.iter().map(|p| before(calendar, due, *p)).collect();
        days.sort_unstable();
        days
    }

    /// The day on which the `n`-th role above the holder (1 is the next) is told that something is late.
    #[must_use]
    pub fn escalates_on(&self, due: Date, n: u32, calendar: &Calendar) -> Date {
        let first = due.plus_days(1);
        match self.escalate {
            None => first,
            Some(p) => (0..n.min(10)).fold(due, |day, _| after(calendar, day, p)).max(first),
        }
    }
}

/// A day later by a length of time; an end on a closed day rolls on, hours count as begun days.
#[must_use]
pub fn after(calendar: &Calendar, from: Date, p: Period) -> Date {
    match p {
        Period::Hours(n) => calendar.roll_on(from.plus_days(i64::from(n.div_ceil(24)))),
        Period::Days(n) => calendar.roll_on(from.plus_days(i64::from(n))),
        Period::BusinessDays(n) => calendar.plus_business_days(from, n),
        Period::Months(n) => calendar.roll_on(from.plus_months(i32::try_from(n).unwrap_or(i32::MAX))),
    }
}

/// A day earlier by a length of time.
#[must_use]
pub fn before(calendar: &Calendar, until: Date, p: Period) -> Date {
    match p {
        Period::Hours(n) => until.plus_days(-i64::from(n.div_ceil(24))),
        Period::Days(n) => until.plus_days(-i64::from(n)),
        Period::Months(n) => until.plus_months(-i32::try_from(n).unwrap_or(i32::MAX)),
        Period::BusinessDays(n) => {
            let (mut day, mut left) = (until, n);
            // Bounded as the way forward is: a closed stretch is a few weeks at most.
            for _ in 0..(u64::from(n) + 1) * 40 {
                if left == 0 {
                    break;
                }
                day = day.plus_days(-1);
                if !calendar.is_closed(day) {
                    left -= 1;
                }
            }
            day
        }
    }
}

/// A length of time as people read it.
#[must_use]
pub fn period_japanese(p: Period) -> String {
    match p {
        Period::Hours(n) => format!("{n}時間"),
        Period::Days(n) => format!("{n}日"),
        Period::BusinessDays(n) => format!("{n}開庁日"),
        Period::Months(n) => format!("{n}か月"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    fn span(c: &Cycle, day: &str) -> (String, String) {
        let s = c.span(d(day));
        (s.start.to_string(), s.end.to_string())
    }

    #[test]
    fn months_are_counted_from_april() {
        for (n, day, start, end) in [
            (12, "2026-11-25", "2026-04-01", "2027-03-31"),
            (12, "2027-03-31", "2026-04-01", "2027-03-31"),
            (1, "2028-02-10", "2028-02-01", "2028-02-29"),
            (3, "2027-01-01", "2027-01-01", "2027-03-31"),
            (6, "2026-09-30", "2026-04-01", "2026-09-30"),
            (24, "2027-05-01", "2026-04-01", "2028-03-31"),
        ] {
            assert_eq!(span(&Cycle::Months(n), day), (start.to_owned(), end.to_owned()), "{n} {day}");
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_named_days_begin_periods() {
        assert_eq!(span(&Cycle::Days(7), "2026-11-25"), ("2026-11-23".into(), "2026-11-29".into()));
        let twice = Cycle::Each(vec![(4, 1), (10, 1)]);
        assert_eq!(span(&twice, "2026-04-01"), ("2026-04-01".into(), "2026-09-30".into()));
        assert_eq!(span(&twice, "2027-02-01"), ("2026-10-01".into(), "2027-03-31".into()));
    }

    #[test]
    fn periods_follow_one_another_without_a_gap() {
        for c in [Cycle::Months(1), Cycle::Months(4), Cycle::Days(14), Cycle::Each(vec![(2, 28), (7, 1)])] {
            let mut s = c.span(d("2023-12-30"));
            for _ in 0..40 {
                let next = c.next(s);
                assert_eq!(next.start, s.end.plus_days(1), "{c:?}");
                assert!(next.end >= next.start, "{c:?}");
                assert_eq!(c.span(next.end), next, "{c:?}");
                s = next;
            }
        }
    }

    #[test]
    fn due_dates_roll_on_and_reminders_go_back_over_closed_days() {
        let calendar = Calendar { closed: [d("2026-11-23")].into(), known_until: None };
        let duty = Duty {
            id: "x".into(),
            title: "x".into(),
            says: "x".into(),
            role: "r".into(),
            scope: Scope::Body,
            occasion: Occasion::Every(Cycle::Months(1)),
            within: None,
            evidence: vec![],
            remind: vec![Period::BusinessDays(1), Period::BusinessDays(3)],
            escalate: Some(Period::BusinessDays(5)),
        };
        let span = Cycle::Months(1).span(d("2026-10-10"));
        // 31 October 2026 is a Saturday.
        assert_eq!(duty.due(span.start, Some(span), &calendar), d("2026-11-02"));
        assert_eq!(duty.counts_until(Some(span), &calendar), Some(d("2026-11-30")));
        assert_eq!(duty.reminders(d("2026-11-24"), &calendar), [d("2026-11-18"), d("2026-11-20")]);
        assert_eq!(duty.escalates_on(d("2026-11-20"), 1, &calendar), d("2026-11-30"));
        assert_eq!(duty.escalates_on(d("2026-11-20"), 2, &calendar), d("2026-12-07"));
        let at_once = Duty { escalate: None, ..duty };
        assert_eq!(at_once.escalates_on(d("2026-11-20"), 1, &calendar), d("2026-11-21"));
    }
}
