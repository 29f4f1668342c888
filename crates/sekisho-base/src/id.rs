//! Identifiers: ULID text (26 characters of Crockford base 32), whose text order is the order of creation to the millisecond.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::entropy::Entropy;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A 128-bit identifier: 48 bits of milliseconds, 80 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// A new id at a moment.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn new(at: Instant, entropy: &dyn Entropy) -> std::io::Result<Self> {
        let mut random = [0u8; 10];
        entropy.fill(&mut random)?;
        let low = random.iter().fold(0u128, |n, b| n << 8 | u128::from(*b));
        Ok(Self((u128::from(at.millis().unsigned_abs()) & 0xffff_ffff_ffff) << 80 | low))
    }

    /// The 128 bits, big endian.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for shift in (0..26).rev() {
            let digit = usize::try_from(self.0 >> (shift * 5) & 31).unwrap_or(0);
            write!(f, "{}", char::from(*ALPHABET.get(digit).unwrap_or(&b'0')))?;
        }
        Ok(())
    }
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 26 characters")]
pub struct BadId;

impl FromStr for Id {
    type Err = BadId;

    fn from_str(s: &str) -> Result<Self, BadId> {
        if s.len() != 26 {
            return Err(BadId);
        }
        let mut n = 0u128;
        for (i, b) in s.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|a| *a == b).ok_or(BadId)?;
            if i == 0 && digit > 7 {
                return Err(BadId);
            }
            n = n << 5 | digit as u128;
        }
        Ok(Self(n))
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let e = SeededEntropy::new(7);
        let a = Id::new(Instant::from_millis(1_000), &e).unwrap();
        let b = Id::new(Instant::from_millis(2_000), &e).unwrap();
        assert!(a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse::<Id>(), Ok(a));
        assert!("0".repeat(25).parse::<Id>().is_err());
        assert!("8".repeat(26).parse::<Id>().is_err());
        assert!("U".repeat(26).parse::<Id>().is_err());
    }
}
