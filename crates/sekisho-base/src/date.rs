//! Civil dates in Asia/Tokyo: fiscal year (年度), Japanese eras (和暦), lenient reading.
//!
//! The one place that writes dates for people: [`Date::japanese`] (`2026年（令和8年）7月1日`) in running text of pages and messages,
//! [`Date::wareki`] (`令和8年7月1日`) on printed forms and where the text stands in brackets already, [`Date::short`] (`R8.7.1`) in cells of tables; [`crate::Instant`] has the same
//! three with the time. What programs read (spreadsheets, CSV, JSON) stays ISO 8601.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Era name, letter and first day (JIS X 0301), newest first.
const ERAS: [(&str, char, &str); 5] = [
    ("令和", 'R', "2019-05-01"),
    ("平成", 'H', "1989-01-08"),
    ("昭和", 'S', "1926-12-25"),
    ("大正", 'T', "1912-07-30"),
    ("明治", 'M', "1873-01-01"),
];

/// Days of the week from Monday.
const WEEK: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];

/// A civil date between year 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

/// The text is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("「{0}」は日付として読めません。R8.7.1、令和8年7月1日、2026/7/1 のように入力してください。")]
pub struct BadDate(String);

impl Date {
    /// From year, month and day; `None` when there is no such day.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        (1..=9999).contains(&year).then(|| jiff::civil::Date::new(year, month, day).ok().map(Self)).flatten()
    }

    /// From days since 1970-01-01; out of range is clamped.
    #[must_use]
    pub fn from_epoch_days(days: i64) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = i32::try_from(days.clamp(-719_162, 2_932_896)).unwrap_or(0);
        Self(epoch.checked_add(jiff::Span::new().days(days)).unwrap_or(epoch))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn epoch_days(self) -> i64 {
        let (y, m, d) = (i64::from(self.0.year()), i64::from(self.0.month()), i64::from(self.0.day()));
        // Days from civil, Howard Hinnant's algorithm for the proleptic Gregorian calendar.
        let y = if m <= 2 { y - 1 } else { y };
        let era = y.div_euclid(400);
        let yoe = y - era * 400;
        let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
        era * 146_097 + (yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719_468
    }

    /// Year, month (1–12), day (1–31).
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// Day of the week, Monday = 1 … Sunday = 7.
    #[must_use]
    pub fn weekday(self) -> i8 {
        self.0.weekday().to_monday_one_offset()
    }

    /// This many days later (earlier when negative).
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_epoch_days(self.epoch_days().saturating_add(days))
    }

    /// This many months later; 31 January + 1 month is the last day of February.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        self.0.checked_add(jiff::Span::new().months(months.clamp(-120_000, 120_000))).map_or(self, Self)
    }

    /// Fiscal year (年度): 1 April to 31 March, named by the year it starts in.
    #[must_use]
    pub fn fiscal_year(self) -> i16 {
        if self.0.month() >= 4 { self.0.year() } else { self.0.year() - 1 }
    }

    /// 31 March at the end of this date's fiscal year.
    #[must_use]
    pub fn fiscal_year_end(self) -> Self {
        Self::new(self.fiscal_year().saturating_add(1), 3, 31).unwrap_or(self)
    }

    /// 1 April at the start of this date's fiscal year.
    #[must_use]
    pub fn fiscal_year_start(self) -> Self {
        Self::new(self.fiscal_year(), 4, 1).unwrap_or(self)
    }

    /// Era and year in it: (`令和`, `R`, 8); none before 1873.
    #[must_use]
    pub fn era(self) -> Option<(&'static str, char, i16)> {
        ERAS.iter().find_map(|(name, letter, first)| {
            let first: Self = first.parse().ok()?;
            (self >= first).then(|| (*name, *letter, self.0.year() - first.0.year() + 1))
        })
    }

    /// Fiscal year as numbers of documents write it: `R8`.
    #[must_use]
    pub fn fiscal_year_short(self) -> String {
        self.fiscal_year_start()
            .era()
            .map_or_else(|| self.fiscal_year().to_string(), |(_, l, y)| format!("{l}{y}"))
    }

    /// In running text of pages and messages, by both calendars: `2026年（令和8年）7月1日`; the first year is 元年.
    #[must_use]
    pub fn japanese(self) -> String {
        format!("{}{}日", self.month_japanese(), self.0.day())
    }

    /// A month in running text: `2026年（令和8年）7月`.
    #[must_use]
    pub fn month_japanese(self) -> String {
        let (y, month) = (self.0.year(), self.0.month());
        self.year_of_era().map_or_else(|| format!("{y}年{month}月"), |era| format!("{y}年（{era}）{month}月"))
    }

    /// On printed forms, in letters: `令和8年7月1日`. Before 1873 by the common era.
    #[must_use]
    pub fn wareki(self) -> String {
        format!("{}{}日", self.month_wareki(), self.0.day())
    }

    /// A month on printed forms: `令和8年7月`.
    #[must_use]
    pub fn month_wareki(self) -> String {
        let year = self.year_of_era().unwrap_or_else(|| format!("{}年", self.0.year()));
        format!("{year}{}月", self.0.month())
    }

    /// `令和8年`, `令和元年`.
    fn year_of_era(self) -> Option<String> {
        self.era().map(|(era, _, n)| if n == 1 { format!("{era}元年") } else { format!("{era}{n}年") })
    }

    /// In cells of tables: `R8.7.1`. Before 1873 as ISO 8601.
    #[must_use]
    pub fn short(self) -> String {
        let (_, m, d) = self.ymd();
        self.era().map_or_else(|| self.to_string(), |(_, letter, y)| format!("{letter}{y}.{m}.{d}"))
    }

    /// On a seal: `8.7.1`.
    #[must_use]
    pub fn on_a_seal(self) -> String {
        self.short().trim_start_matches(|c: char| c.is_ascii_alphabetic()).to_owned()
    }

    /// Reads what people type: `R8.7.1`, `令和8年7月1日`, `令和元年…`, `2026/7/1`, `2026-07-01`, `20260701`, full width or not, and each with
    /// its day of the week behind it: `令和8年7月1日（水）`. Also `2026年（令和8年）7月1日`, since people copy it from pages.
    ///
    /// # Errors
    /// [`BadDate`] when it is no date, no day of the era it names, or falls on another day of the week.
    pub fn parse_japanese(s: &str) -> Result<Self, BadDate> {
        let bad = || BadDate(s.chars().take(40).collect());
        let t: String = crate::text::normalize_code(s).chars().filter(|c| !c.is_whitespace()).collect();
        let Some((day, week)) = t.strip_suffix(')').and_then(|t| t.rsplit_once('(')) else {
            return Self::parse_day(&t).ok_or_else(bad);
        };
        let day = Self::parse_day(day).ok_or_else(bad)?;
        let week = week.strip_suffix("曜日").or(week.strip_suffix('曜')).unwrap_or(week);
        let named = WEEK.iter().position(|w| *w == week).ok_or_else(bad)?;
        if usize::try_from(day.weekday()) == Ok(named + 1) { Ok(day) } else { Err(bad()) }
    }

    /// A day without its day of the week, in normal width and without spaces.
    fn parse_day(t: &str) -> Option<Self> {
        if t.matches('(').count() > 1 {
            return None;
        }
        if let Some((year, rest)) = t.split_once('(') {
            let (era, rest) = rest.split_once(')')?;
            let day = Self::parse_day(&format!("{year}{rest}"))?;
            return (Self::parse_day(&format!("{era}{rest}")) == Some(day)).then_some(day);
        }
        if t.len() == 8 && t.bytes().all(|b| b.is_ascii_digit()) {
            let n: i64 = t.parse().ok()?;
            return Self::from_numbers(n / 10_000, n / 100 % 100, n % 100);
        }
        let (era, rest) = ERAS
            .iter()
            .find_map(|era| {
                let short =
                    t.chars().next().filter(|c| c.eq_ignore_ascii_case(&era.1)).and_then(|_| t.get(1..));
                t.strip_prefix(era.0).or(short).map(|rest| (Some(era), rest))
            })
            .unwrap_or((None, t));
        let rest = rest.replace('元', "1").replace(['年', '月', '/', '-', '.'], " ").replace('日', "");
        let numbers: Vec<i64> = rest.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        let [y, m, d] = numbers.as_slice() else { return None };
        match era {
            None if *y >= 1000 => Self::from_numbers(*y, *m, *d),
            None => None,
            Some((_, letter, first)) => {
                let first: Self = first.parse().ok()?;
                let year = i64::from(first.0.year() - 1).checked_add(*y)?;
                let date = Self::from_numbers(year, *m, *d)?;
                date.era().is_some_and(|(_, l, n)| l == *letter && i64::from(n) == *y).then_some(date)
            }
        }
    }

    fn from_numbers(y: i64, m: i64, d: i64) -> Option<Self> {
        Self::new(i16::try_from(y).ok()?, i8::try_from(m).ok()?, i8::try_from(d).ok()?)
    }
}

/// A text of a query with its ISO days as running text writes them: SQL knows no era.
#[must_use]
pub fn days_in_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(i);
        out.push_str(before);
        let run = from.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(from.len());
        let (word, after) = from.split_at(run);
        // A number that goes on in letters (R8-2026-07-01, T10:00) is no day by itself.
        let free = |c: Option<char>| {
            c.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | ':' | '/'))
        };
        let alone = free(before.chars().next_back()) && free(after.chars().next());
        match word.parse::<Date>() {
            // In brackets the era alone: brackets in brackets read badly.
            Ok(day) if alone && out.ends_with('（') => out.push_str(&day.wareki()),
            Ok(day) if alone => out.push_str(&day.japanese()),
            _ => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}

impl fmt::Display for Date {
    /// ISO 8601, `2026-07-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.ymd();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

impl FromStr for Date {
    type Err = BadDate;

    /// Strict ISO 8601, ten characters.
    fn from_str(s: &str) -> Result<Self, BadDate> {
        let bad = || BadDate(s.chars().take(40).collect());
        let mut parts = s.split('-');
        let (Some(y), Some(m), Some(d), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        if (y.len(), m.len(), d.len()) != (4, 2, 2) || !s.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return Err(bad());
        }
        let n = |t: &str| t.parse::<i64>().map_err(|_| bad());
        Self::from_numbers(n(y)?, n(m)?, n(d)?).ok_or_else(bad)
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    #[test]
    fn reads_what_people_type() {
        for s in [
            "R8.7.1",
            "r8/7/1",
            "令和8年7月1日",
            "令和８年７月１日",
            "2026/7/1",
            "２０２６／７／１",
            "2026-07-01",
            "20260701",
            " 2026年7月1日 ",
            "令和8年7月1日（水）",
            "2026/7/1(水曜日)",
            "2026年（令和8年）7月1日",
            "2026年（令和8年）7月1日（水）",
        ] {
            assert_eq!(Date::parse_japanese(s), Ok(d("2026-07-01")), "{s}");
        }
        assert_eq!(Date::parse_japanese("令和元年5月1日"), Ok(d("2019-05-01")));
        assert_eq!(Date::parse_japanese("S64.1.7"), Ok(d("1989-01-07")));
        for s in [
            "",
            "R8",
            "令和8年13月1日",
            "令和元年4月30日",
            "平成31年5月1日",
            "8/7/1",
            "2026/2/30",
            "あした",
            "令和8年7月1日（木）",
            "令和8年7月1日（）",
            "2026年（令和7年）7月1日",
            "2026年（令和8年）（令和8年）7月1日",
            "（水）",
            "令和9223372036854775807年1月1日",
        ] {
            assert!(Date::parse_japanese(s).is_err(), "{s}");
        }
    }

    #[test]
    fn fiscal_years_turn_on_the_first_of_april() {
        assert_eq!(d("2027-03-31").fiscal_year(), 2026);
        assert_eq!(d("2027-04-01").fiscal_year(), 2027);
        assert_eq!(d("2026-04-01").fiscal_year_end(), d("2027-03-31"));
        assert_eq!(d("2027-02-01").fiscal_year_short(), "R8");
    }

    #[test]
    fn epoch_days_round_trip_and_months_clamp() {
        for days in [-719_162, -1, 0, 11_016, 20_000, 2_932_896] {
            assert_eq!(Date::from_epoch_days(days).epoch_days(), days);
        }
        assert_eq!(d("2027-01-31").plus_months(1), d("2027-02-28"));
        assert_eq!(d("2026-11-25").weekday(), 3);
    }

    #[test]
    fn writes_three_styles_and_reads_them_again() {
        for (day, text, month, form, cell) in [
            ("2026-07-01", "2026年（令和8年）7月1日", "2026年（令和8年）7月", "令和8年7月1日", "R8.7.1"),
            ("2019-05-01", "2019年（令和元年）5月1日", "2019年（令和元年）5月", "令和元年5月1日", "R1.5.1"),
            (
                "2019-04-30",
                "2019年（平成31年）4月30日",
                "2019年（平成31年）4月",
                "平成31年4月30日",
                "H31.4.30",
            ),
            ("1872-12-31", "1872年12月31日", "1872年12月", "1872年12月31日", "1872-12-31"),
        ] {
            let day = d(day);
            assert_eq!(
                [day.japanese(), day.month_japanese(), day.wareki(), day.short()],
                [text, month, form, cell].map(String::from)
            );
            for written in [text, form, cell] {
                assert_eq!(Date::parse_japanese(written), Ok(day), "{written}");
            }
        }
        assert_eq!(d("2026-07-01").month_wareki(), "令和8年7月");
        assert_eq!(d("2026-07-01").on_a_seal(), "8.7.1");
        assert_eq!(
            days_in_words("期限（2026-07-01）、2026-07-02から 2026-13-01 と12026-07-01、2026-07-011"),
            "期限（令和8年7月1日）、2026年（令和8年）7月2日から 2026-13-01 と12026-07-01、2026-07-011"
        );
    }
}
