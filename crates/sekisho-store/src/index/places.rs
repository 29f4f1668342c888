//! Which numbers of a block: bits.

use std::collections::BTreeMap;

/// Numbers of one block.
pub(crate) const BLOCK: i64 = 1024;
const WORDS: usize = 16;

/// Places of one block, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places([u64; WORDS]);

/// Numbers of any size, by block.
pub(crate) type Set = BTreeMap<i64, Places>;

impl Places {
    pub const NONE: Self = Self([0; WORDS]);

    /// Adds a place; one beyond the block is none.
    pub fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    pub fn remove(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
        }
    }

    /// Keeps what is in both.
    pub fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= b);
    }

    pub fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(rest.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                rest &= rest - 1;
                Some(i * 64 + bit)
            })
        })
    }

    /// As kept in a column: 16 digits of base 16 for each 64 places.
    pub fn encode(&self) -> String {
        self.0.iter().map(|word| format!("{word:016x}")).collect()
    }

    pub fn decode(text: &str) -> Option<Self> {
        let (digits, rest) = text.as_bytes().as_chunks::<16>();
        let mut words = [0; WORDS];
        if digits.len() != WORDS || !rest.is_empty() {
            return None;
        }
        for (word, digits) in words.iter_mut().zip(digits) {
            *word = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(words))
    }
}

/// Block and place of a number; numbers begin at 1.
pub(crate) fn place_of(no: i64) -> (i64, usize) {
    ((no - 1).div_euclid(BLOCK), usize::try_from((no - 1).rem_euclid(BLOCK)).unwrap_or(0))
}

/// The number at a place.
pub(crate) fn number_at(block: i64, place: usize) -> i64 {
    block * BLOCK + i64::try_from(place).unwrap_or(0) + 1
}

/// Keeps what is in both; blocks without any place fall away.
pub(crate) fn keep(set: &mut Set, other: &Set) {
    set.retain(|block, places| {
        places.keep(other.get(block).unwrap_or(&Places::NONE));
        !places.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_round_trip_and_combine() {
        let mut places = Places::NONE;
        for place in [0, 1, 63, 64, 500, 1023, 1024] {
            places.add(place);
        }
        assert_eq!(places.iter().collect::<Vec<_>>(), [0, 1, 63, 64, 500, 1023]);
        assert_eq!(Places::decode(&places.encode()), Some(places));
        let mut other = Places::NONE;
        other.add(63);
        other.add(7);
        places.keep(&other);
        assert_eq!(places.iter().collect::<Vec<_>>(), [63]);
        places.join(&other);
        places.remove(63);
        assert_eq!(places.iter().collect::<Vec<_>>(), [7]);
        places.remove(7);
        assert!(places.is_empty());
        for wrong in ["", "0", "zz", &"g".repeat(256), &"0".repeat(257), &"0".repeat(240)] {
            assert_eq!(Places::decode(wrong), None);
        }
    }

    #[test]
    fn numbers_and_places_agree() {
        for no in [1, 2, 1024, 1025, 2048, 99_999] {
            let (block, place) = place_of(no);
            assert_eq!(number_at(block, place), no);
        }
        assert_eq!(place_of(1024), (0, 1023));
        assert_eq!(place_of(1025), (1, 0));
    }
}
