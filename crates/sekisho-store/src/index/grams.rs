//! Pairs of characters and where they stand. A word is where its pairs stand at the right distances, so nothing has to be
//! compared with the rows' text.

use std::collections::HashMap;

use super::places::Places;

/// Characters of one row's text by which it is found; more are not looked at.
pub(crate) const TEXT_CHARS: usize = 200_000;
/// Bits of a position in a row's text; the place in the block is above them.
const POSITION_BITS: u32 = 18;
/// Each carries 6 bits: the place has 12, the position 18.
const DIGITS: usize = 5;
const FIRST_DIGIT: u8 = b'0';

/// What is written for one block: for each pair, where it stands, in order.
#[derive(Debug, Default)]
pub(super) struct Postings(HashMap<(char, char), String>);

impl Postings {
    /// Adds a row's text. Places must come in order.
    pub fn add(&mut self, place: usize, text: &str) {
        let Ok(place) = u32::try_from(place) else { return };
        let mut before = None;
        for (position, character) in (0u32..).zip(text.chars().take(TEXT_CHARS)) {
            if let Some(first) = before {
                let at = place << POSITION_BITS | (position - 1);
                push(self.0.entry((first, character)).or_default(), at);
            }
            before = Some(character);
        }
    }

    /// Pairs in order, each with its places as kept.
    pub fn into_sorted(self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> =
            self.0.into_iter().map(|((a, b), places)| ([a, b].into_iter().collect(), places)).collect();
        all.sort_unstable();
        all
    }
}

fn push(out: &mut String, at: u32) {
    for digit in (0..DIGITS).rev() {
        let six = (at >> (6 * digit)) & 63;
        out.push(char::from(FIRST_DIGIT + u8::try_from(six).unwrap_or(0)));
    }
}

/// Where a pair stands: place and position in one number, rising. Nothing when the text is not such a list.
pub(super) fn decode(text: &str) -> Option<Vec<u32>> {
    let (codes, rest) = text.as_bytes().as_chunks::<DIGITS>();
    let mut bad = u8::from(!rest.is_empty());
    let all = codes
        .iter()
        .map(|code| {
            code.iter().fold(0u32, |at, digit| {
                let six = digit.wrapping_sub(FIRST_DIGIT);
                bad |= six & !63;
                at << 6 | u32::from(six & 63)
            })
        })
        .collect();
    (bad == 0).then_some(all)
}

/// Places of what [`decode`] gave.
pub(super) fn places(at: &[u32]) -> Places {
    let mut places = Places::NONE;
    for at in at {
        places.add(usize::try_from(at >> POSITION_BITS).unwrap_or(usize::MAX));
    }
    places
}

/// A word of two characters or more as pairs that cover it, each with its distance from the beginning.
pub(super) fn cover(word: &str) -> Vec<(u32, String)> {
    let characters: Vec<char> = word.chars().collect();
    let last = characters.len().saturating_sub(2);
    characters
        .windows(2)
        .enumerate()
        .filter(|(i, _)| i % 2 == 0 || *i == last)
        .map(|(i, pair)| (u32::try_from(i).unwrap_or(u32::MAX), pair.iter().collect()))
        .collect()
}

/// Places of a block that hold a word, given as [`cover`] has it.
pub(super) fn holding(cover: &[(u32, String)], block: &HashMap<String, Vec<u32>>) -> Places {
    let mut lists = Vec::with_capacity(cover.len());
    for (distance, pair) in cover {
        match block.get(pair) {
            Some(at) => lists.push((*distance, at.as_slice())),
            None => return Places::NONE,
        }
    }
    // The rarest pair leaves the least to compare.
    lists.sort_by_key(|(_, at)| at.len());
    let mut lists = lists.into_iter();
    let Some((distance, first)) = lists.next() else { return Places::NONE };
    let mut starts: Vec<u32> = first.iter().filter_map(|at| at.checked_sub(distance)).collect();
    for (distance, at) in lists {
        let mut rest = at;
        starts.retain(|start| {
            let wanted = start + distance;
            // Both lists rise; the other one may be much longer.
            let skipped = gallop(rest, wanted);
            rest = rest.get(skipped..).unwrap_or_default();
            rest.first() == Some(&wanted)
        });
    }
    places(&starts)
}

/// How many at the beginning of a rising list are less than a number, looking near the beginning first.
fn gallop(list: &[u32], wanted: u32) -> usize {
    let mut end = 1;
    while list.get(end - 1).is_some_and(|at| *at < wanted) {
        end *= 2;
    }
    let from = end / 2;
    let near = list.get(from..end.min(list.len())).unwrap_or_default();
    from.min(list.len()) + near.partition_point(|at| *at < wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str], word: &str) -> Vec<usize> {
        let mut postings = Postings::default();
        for (place, text) in texts.iter().enumerate() {
            postings.add(place, text);
        }
        let block: HashMap<String, Vec<u32>> =
            postings.into_sorted().into_iter().map(|(pair, at)| (pair, decode(&at).unwrap())).collect();
        holding(&cover(word), &block).iter().collect()
    }

    #[test]
    fn a_word_is_found_where_it_stands_whole() {
        let texts = ["abcabd|", "abd|", "bcab|", "ab|cd|", "aaab|", "xabcabcabd|"];
        for word in ["ab", "abc", "abd", "cab", "abcabd", "aab", "aaab", "ba", "zz", "d|", "bcabca"] {
            let wanted: Vec<usize> =
                texts.iter().enumerate().filter(|(_, t)| t.contains(word)).map(|(i, _)| i).collect();
            assert_eq!(found(&texts, word), wanted, "{word}");
        }
    }

    #[test]
    fn pairs_cover_a_word() {
        let distances =
            |word| cover(word).into_iter().map(|(d, pair)| format!("{d}{pair}")).collect::<Vec<_>>();
        assert_eq!(distances("ab"), ["0ab"]);
        assert_eq!(distances("abc"), ["0ab", "1bc"]);
        assert_eq!(distances("abcd"), ["0ab", "2cd"]);
        assert_eq!(distances("abcde"), ["0ab", "2cd", "3de"]);
    }

    #[test]
    fn places_round_trip() {
        let all = [0, 5, 63, 64, 1 << 18, (1023 << 18) | 199_999];
        let mut text = String::new();
        all.iter().for_each(|at| push(&mut text, *at));
        assert_eq!(decode(&text).unwrap(), all);
        assert_eq!(places(&all).iter().collect::<Vec<_>>(), [0, 1, 1023]);
        for wrong in ["0", "0000/", "0000p", "００"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn gallop_counts_what_is_less() {
        let list: Vec<u32> = (0..40).map(|n| n * 3).collect();
        for wanted in 0..125 {
            assert_eq!(gallop(&list, wanted), list.iter().filter(|n| **n < wanted).count(), "{wanted}");
        }
        assert_eq!(gallop(&[], 1), 0);
    }
}
