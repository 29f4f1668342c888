//! Lists of words that are looked for at every place of a text: by the character they begin or end with, so that most
//! places need no comparison at all.

/// Words with what they stand for.
pub(super) struct Buckets<T> {
    /// By the low byte of the character that tells: two characters may share a slot, the comparison decides.
    slots: Vec<Vec<(&'static str, T)>>,
}

const SLOTS: usize = 256;

fn slot(c: char) -> usize {
    c as usize % SLOTS
}

impl<T: Copy> Buckets<T> {
    /// For words that are looked for with [`Buckets::at_start`].
    pub(super) fn by_start(words: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        Self::new(words, |word| word.chars().next())
    }

    /// For words that are looked for with [`Buckets::at_end`].
    pub(super) fn by_end(words: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        Self::new(words, |word| word.chars().next_back())
    }

    fn new(
        words: impl IntoIterator<Item = (&'static str, T)>,
        telling: impl Fn(&str) -> Option<char>,
    ) -> Self {
        let mut slots: Vec<Vec<(&'static str, T)>> = (0..SLOTS).map(|_| Vec::new()).collect();
        for (word, meaning) in words {
            if let Some(list) = telling(word).and_then(|c| slots.get_mut(slot(c))) {
                list.push((word, meaning));
            }
        }
        Self { slots }
    }

    fn of(&self, c: char) -> &[(&'static str, T)] {
        self.slots.get(slot(c)).map_or(&[], Vec::as_slice)
    }

    /// The words that `text`, whose first character is `first`, begins with, in the order of the list.
    pub(super) fn at_start(&self, first: char, text: &str) -> impl Iterator<Item = (&'static str, T)> {
        self.of(first).iter().copied().filter(move |(word, _)| text.starts_with(word))
    }

    /// The words that `text` ends with, in the order of the list.
    pub(super) fn at_end(&self, text: &str) -> impl Iterator<Item = (&'static str, T)> {
        let list = text.chars().next_back().map_or(&[][..], |c| self.of(c));
        list.iter().copied().filter(move |(word, _)| text.ends_with(word))
    }
}

/// Words that stand for nothing but themselves.
pub(super) fn plain(words: &[&'static str]) -> impl Iterator<Item = (&'static str, ())> {
    words.iter().map(|word| (*word, ()))
}
