//! Instants and the clock. An instant is UTC, stored as text of fixed width so that text order is time order.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::date::Date;

/// Offset of Asia/Tokyo from UTC in milliseconds. Japan has had no summer time since 1951.
const TOKYO_OFFSET_MS: i64 = 9 * 3_600_000;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// From milliseconds since the Unix epoch; out of range (year 9999) is clamped.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, 253_402_300_799_999))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Civil date in Asia/Tokyo.
    #[must_use]
    pub fn date(self) -> Date {
        Date::from_epoch_days((self.0 + TOKYO_OFFSET_MS).div_euclid(86_400_000))
    }

    /// Hour and minute in Asia/Tokyo.
    #[must_use]
    pub fn time_of_day(self) -> (u32, u32) {
        let minutes = (self.0 + TOKYO_OFFSET_MS).rem_euclid(86_400_000) / 60_000;
        (u32::try_from(minutes / 60).unwrap_or(0), u32::try_from(minutes % 60).unwrap_or(0))
    }

    /// In running text of pages and messages: `2026年（令和8年）7月1日 9時05分`.
    #[must_use]
    pub fn japanese(self) -> String {
        let (h, m) = self.time_of_day();
        format!("{} {h}時{m:02}分", self.date().japanese())
    }

    /// On printed forms: `令和8年7月1日 9時05分`.
    #[must_use]
    pub fn wareki(self) -> String {
        let (h, m) = self.time_of_day();
        format!("{} {h}時{m:02}分", self.date().wareki())
    }

    /// In cells of tables: `R8.7.1 9:05`.
    #[must_use]
    pub fn short(self) -> String {
        let (h, m) = self.time_of_day();
        format!("{} {h}:{m:02}", self.date().short())
    }

    /// Midnight in Asia/Tokyo at the start of a day.
    #[must_use]
    pub fn start_of(date: Date) -> Self {
        Self::from_millis(date.epoch_days() * 86_400_000 - TOKYO_OFFSET_MS)
    }

    /// The last moment of a day in Asia/Tokyo.
    #[must_use]
    pub fn end_of(date: Date) -> Self {
        Self::start_of(date.plus_days(1)).plus_millis(-1)
    }

    /// This many milliseconds later (or earlier, when negative).
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Instant {
    /// `2026-11-25T07:00:00.000Z`, always 24 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Date::from_epoch_days(self.0.div_euclid(86_400_000));
        let ms = self.0.rem_euclid(86_400_000);
        write!(
            f,
            "{day}T{:02}:{:02}:{:02}.{:03}Z",
            ms / 3_600_000,
            ms / 60_000 % 60,
            ms / 1000 % 60,
            ms % 1000
        )
    }
}

/// The text is not an instant in the stored form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an instant of the form 2026-11-25T07:00:00.000Z: {0:?}")]
pub struct BadInstant(String);

impl FromStr for Instant {
    type Err = BadInstant;

    fn from_str(s: &str) -> Result<Self, BadInstant> {
        let bad = || BadInstant(s.chars().take(40).collect());
        let (day, rest) = s.split_once('T').ok_or_else(bad)?;
        let time = rest.strip_suffix('Z').ok_or_else(bad)?;
        let day: Date = day.parse().map_err(|_| bad())?;
        let mut ms = 0i64;
        let mut parts = time.split([':', '.']);
        for (scale, width) in [(3_600_000, 2), (60_000, 2), (1000, 2), (1, 3)] {
            let part = parts.next().ok_or_else(bad)?;
            if part.len() != width || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            ms += part.parse::<i64>().map_err(|_| bad())? * scale;
        }
        if parts.next().is_some() || ms >= 86_400_000 {
            return Err(bad());
        }
        Ok(Self::from_millis(day.epoch_days() * 86_400_000 + ms))
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Instant;

    /// Today in Asia/Tokyo.
    fn today(&self) -> Date {
        self.now().date()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "the one place where the machine's time enters")]
        let now = std::time::SystemTime::now();
        let ms = now.duration_since(std::time::UNIX_EPOCH).map(|d| d.as_millis()).unwrap_or(0);
        Instant::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

/// A clock that tests and the demo city set by hand.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// Starts at a moment.
    #[must_use]
    pub fn new(at: Instant) -> Self {
        Self(Mutex::new(at))
    }

    /// Moves to a moment.
    pub fn set(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_fixed_and_round_trips() {
        for ms in [0, 1, 1_795_000_000_123, 253_402_300_799_999] {
            let at = Instant::from_millis(ms);
            assert_eq!(at.to_string().len(), 24);
            assert_eq!(at.to_string().parse::<Instant>().unwrap(), at);
        }
        for bad in [
            "",
            "2026-11-25",
            "2026-11-25T24:00:00.000Z",
            "2026-11-25T07:00:00Z",
            "2026-11-25T07:00:00.000+09",
        ] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_day_is_tokyos() {
        let late: Instant = "2026-03-31T15:00:00.000Z".parse().unwrap();
        assert_eq!(late.date().to_string(), "2026-04-01");
        assert_eq!(late.japanese(), "2026年（令和8年）4月1日 0時00分");
        assert_eq!(late.wareki(), "令和8年4月1日 0時00分");
        assert_eq!(late.short(), "R8.4.1 0:00");
        assert_eq!(Instant::start_of(late.date()), late);
    }
}
