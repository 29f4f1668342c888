//! Business days: weekends, holidays and the body's own closed days (行政機関の休日に関する法律 1条: weekends,
//! national holidays, 29 December to 3 January).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;

/// Closed days of one body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Calendar {
    /// National holidays and the body's own closed days.
    pub closed: BTreeSet<Date>,
    /// Last day for which `closed` is known; after it only weekends and the turn of the year are closed, and doctor warns.
    pub known_until: Option<Date>,
}

impl Calendar {
    /// Whether the office is closed that day.
    #[must_use]
    pub fn is_closed(&self, day: Date) -> bool {
        let (_, m, d) = day.ymd();
        day.weekday() >= 6 || (m == 12 && d >= 29) || (m == 1 && d <= 3) || self.closed.contains(&day)
    }

    /// The n-th business day after `from`; the first day is not counted (民法140条).
    #[must_use]
    pub fn plus_business_days(&self, from: Date, n: u32) -> Date {
        let mut day = from;
        let mut left = n;
        // Bounded: at most one closed stretch of a few weeks for each business day.
        for _ in 0..(u64::from(n) + 1) * 40 {
            if left == 0 {
                return self.roll_on(day);
            }
            day = day.plus_days(1);
            if !self.is_closed(day) {
                left -= 1;
            }
        }
        day
    }

    /// The day itself, or the next open one: an end on a closed day rolls on (民法142条).
    #[must_use]
    pub fn roll_on(&self, day: Date) -> Date {
        (0..40).map(|n| day.plus_days(n)).find(|d| !self.is_closed(*d)).unwrap_or(day)
    }

    /// Business days from the day after `from` up to and including `until`; 0 when `until` is not later.
    #[must_use]
    pub fn business_days_between(&self, from: Date, until: Date) -> u32 {
        let days = (until.epoch_days() - from.epoch_days()).clamp(0, 36_600);
        u32::try_from((1..=days).filter(|n| !self.is_closed(from.plus_days(*n))).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    #[test]
    fn counts_over_weekend_and_new_year() {
        let cal = Calendar { closed: [d("2026-11-23")].into(), known_until: None };
        // Friday 20 November 2026; Monday 23 is 勤労感謝の日.
        assert_eq!(cal.plus_business_days(d("2026-11-20"), 1), d("2026-11-24"));
        assert_eq!(cal.plus_business_days(d("2026-11-21"), 0), d("2026-11-24"));
        assert_eq!(cal.plus_business_days(d("2026-12-28"), 1), d("2027-01-04"));
        assert_eq!(cal.business_days_between(d("2026-11-20"), d("2026-11-25")), 2);
        assert_eq!(cal.business_days_between(d("2026-11-25"), d("2026-11-20")), 0);
    }
}
