//! Where in a sentence something may begin that the readers of this folder look for. One pass over the characters serves all
//! of them; each then looks closer only where it may find something.

use std::sync::LazyLock;

/// What may begin at a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of time.
    When,
    /// The end of a condition.
    Condition,
    /// The announcement of a list.
    List,
    /// A level (機密性…).
    Axis,
    /// A number.
    Number,
    /// A reference to a clause.
    Reference,
    /// は, or a full-width Latin letter: what is of interest to who acts.
    Actor,
    /// A round bracket opens or closes.
    Bracket,
}

impl Kind {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Few characters that occur in a sentence share a slot with one that tells.
const SLOTS: usize = 4096;

/// The kinds by the low bits of a character: others share them, so that a place is a hint and no find.
static TELLING: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut table = vec![0; SLOTS];
    let mut tell = |kind: Kind, c: char| {
        if let Some(slot) = table.get_mut(c as usize % SLOTS) {
            *slot |= kind.bit();
        }
    };
    let first = |words: &[&'static str]| words.iter().filter_map(|w| w.chars().next()).collect::<Vec<char>>();
    first(super::words::WHEN).into_iter().chain(['年']).for_each(|c| tell(Kind::When, c));
    first(super::words::CONDITIONS).into_iter().for_each(|c| tell(Kind::Condition, c));
    first(super::words::AXES).into_iter().for_each(|c| tell(Kind::Axis, c));
    first(super::LISTS).into_iter().for_each(|c| tell(Kind::List, c));
    "一二三四五六七八九十百".chars().chain('0'..='9').chain('０'..='９').for_each(|c| tell(Kind::Number, c));
    let digits = ('0'..='9').chain('０'..='９');
    "第前次同上別(（".chars().chain('①'..='⑳').chain(digits).for_each(|c| tell(Kind::Reference, c));
    ('Ａ'..='Ｚ').chain('ａ'..='ｚ').chain(['は']).for_each(|c| tell(Kind::Actor, c));
    "(（)）".chars().for_each(|c| tell(Kind::Bracket, c));
    table
});

/// The places of one text.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    found: Vec<(usize, char, u8)>,
}

impl Places {
    /// Reads a text once.
    pub(super) fn of(text: &str) -> Self {
        let table = TELLING.as_slice();
        let mut found = Vec::with_capacity(text.len() / 8);
        for (i, c) in text.char_indices() {
            let kinds = table.get(c as usize % SLOTS).copied().unwrap_or(0);
            if kinds != 0 {
                found.push((i, c, kinds));
            }
        }
        Self { found }
    }

    /// Where something of a kind may begin, in order.
    pub(super) fn each(&self, kind: Kind) -> impl Iterator<Item = (usize, char)> {
        let bit = kind.bit();
        self.found.iter().filter(move |(.., kinds)| kinds & bit != 0).map(|(i, c, _)| (*i, *c))
    }
}
