//! The permit a case results in, and what moves under it.

use std::collections::BTreeSet;

use sekisho_base::{Date, Instant};
use serde::{Deserialize, Serialize};

/// Out or in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Taken out.
    Out,
    /// Brought back.
    In,
}

/// One movement of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Item key.
    pub item: String,
    /// Out or in.
    pub direction: Direction,
    /// When.
    pub at: Instant,
    /// Person who recorded it.
    pub person: String,
    /// Remark.
    pub note: String,
    /// Act that recorded it.
    pub seq: u32,
}

/// A wish to keep things longer, not yet answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Until when.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// Act that asked.
    pub seq: u32,
}

/// Why and by whom a permit was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Instant,
    /// Person.
    pub person: String,
    /// Why.
    pub reason: String,
    /// Act.
    pub seq: u32,
}

/// A permit (許可).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// Number.
    pub number: String,
    /// Title on the permit.
    pub title: String,
    /// Person who holds it.
    pub holder: String,
    /// Keys of the items it covers.
    pub items: Vec<String>,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
    /// Covers many movements in the period (包括許可).
    pub blanket: bool,
    /// Conditions set by those who permitted.
    pub conditions: Vec<String>,
    /// When it was issued.
    pub issued_at: Instant,
    /// Act that completed the decision.
    pub seq: u32,
    /// Movements, in order.
    #[serde(default)]
    pub movements: Vec<Movement>,
    /// Extension asked for.
    #[serde(default)]
    pub extension: Option<Extension>,
    /// Revocation.
    #[serde(default)]
    pub revoked: Option<Revocation>,
    /// Whether its expiry was noted.
    #[serde(default)]
    pub expiry_noted: bool,
}

impl Permit {
    /// Whether it allows taking out on a day.
    #[must_use]
    pub fn valid(&self, day: Date) -> bool {
        self.revoked.is_none() && self.from <= day && day <= self.until
    }

    /// Items outside now.
    #[must_use]
    pub fn outside(&self) -> BTreeSet<&str> {
        let mut outside = BTreeSet::new();
        for m in &self.movements {
            match m.direction {
                Direction::Out => outside.insert(m.item.as_str()),
                Direction::In => outside.remove(m.item.as_str()),
            };
        }
        outside
    }
}
