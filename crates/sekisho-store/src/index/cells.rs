//! One column of a block: its values once each, and for every place which of them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::places::Places;

/// Places of a block.
const PLACES: usize = 1024;
/// Of a place that no row has.
const NONE: u16 = 64 * 64 - 1;
const FIRST_DIGIT: u8 = b'0';

/// Two digits for each place, then each value with its length in bytes before it.
pub(super) fn encode(cells: &[(usize, String)]) -> String {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut values = Vec::new();
    let mut codes = [usize::from(NONE); PLACES];
    for (place, value) in cells {
        let code = *known.entry(value).or_insert_with(|| {
            values.push(value.as_str());
            values.len() - 1
        });
        if let Some(slot) = codes.get_mut(*place) {
            *slot = code;
        }
    }
    let digit = |n: usize| char::from(FIRST_DIGIT + u8::try_from(n & 63).unwrap_or(0));
    let mut out: String = codes.iter().flat_map(|code| [digit(code >> 6), digit(*code)]).collect();
    for value in values {
        out.push_str(&value.len().to_string());
        out.push(':');
        out.push_str(value);
    }
    out
}

/// A column of a block as read.
#[derive(Debug)]
pub(super) struct Cells {
    text: String,
    values: Vec<Range<usize>>,
    codes: Vec<u16>,
}

impl Cells {
    /// Nothing when the text is not such a column.
    pub fn decode(text: String) -> Option<Self> {
        let (codes, mut rest) = text.split_at_checked(2 * PLACES)?;
        let (codes, _) = codes.as_bytes().as_chunks::<2>();
        let codes: Vec<u16> = codes
            .iter()
            .map(|[high, low]| {
                u16::from(high.wrapping_sub(FIRST_DIGIT)) << 6 | u16::from(low.wrapping_sub(FIRST_DIGIT))
            })
            .collect();
        let mut values = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_once(':')?;
            let length: usize = length.parse().ok()?;
            let begin = text.len() - after.len();
            rest = after.get(length..)?;
            values.push(begin..begin + length);
        }
        let known = |code: &u16| *code == NONE || usize::from(*code) < values.len();
        codes.iter().all(known).then_some(Self { text, values, codes })
    }

    /// The value at a place; empty where there is none.
    pub fn get(&self, place: usize) -> &str {
        let value = self.codes.get(place).and_then(|code| self.values.get(usize::from(*code)));
        value.and_then(|range| self.text.get(range.clone())).unwrap_or("")
    }

    /// Places whose value is wanted.
    pub fn places(&self, wanted: impl Fn(&str) -> bool) -> Places {
        let wanted: Vec<bool> =
            self.values.iter().map(|range| self.text.get(range.clone()).is_some_and(&wanted)).collect();
        let mut places = Places::NONE;
        for (place, code) in self.codes.iter().enumerate() {
            if wanted.get(usize::from(*code)).copied().unwrap_or(false) {
                places.add(place);
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_round_trip_whatever_they_hold() {
        let cells: Vec<(usize, String)> = [(0, "課"), (1, ""), (3, "12:課"), (4, "課"), (1023, "\u{1f}0")]
            .map(|(place, value)| (place, value.to_owned()))
            .into();
        let read = Cells::decode(encode(&cells)).unwrap();
        for (place, value) in &cells {
            assert_eq!(read.get(*place), value);
        }
        assert_eq!(read.get(2), "");
        assert_eq!(read.places(|v| v == "課").iter().collect::<Vec<_>>(), [0, 4]);
        assert_eq!(read.places(|v| v.is_empty()).iter().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_block_of_different_values_round_trips() {
        let cells: Vec<(usize, String)> = (0..PLACES).map(|n| (n, format!("IA-{n}"))).collect();
        let read = Cells::decode(encode(&cells)).unwrap();
        assert!(cells.iter().all(|(place, value)| read.get(*place) == value));
    }

    #[test]
    fn other_texts_are_refused() {
        let codes = encode(&[]);
        for wrong in [
            "",
            "0",
            &codes[1..],
            &format!("{codes}x"),
            &format!("{codes}9:a"),
            &format!("{}1:a", "1".repeat(2048)),
            &format!("{codes}2:課"),
        ] {
            assert!(Cells::decode(wrong.to_owned()).is_none());
        }
    }
}
