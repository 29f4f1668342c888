//! How alike two texts are: the cosine of their pairs of characters, weighted by how rare they are (TF-IDF).
//!
//! Japanese needs no dictionary for this. Pairs of kanji or katakana carry the matter, pairs of hiragana mostly grammar, so
//! these count little. Single kanji count too: 「持ち出す」 and 「持出し」 share no pair but both characters.

use std::collections::{BTreeMap, HashMap};

use super::entry::Entry;
use crate::numeral::wide_kana;

/// Characters of one clause that are compared, at most.
const MAX_CHARS: usize = 4_000;

/// Values by row and column.
#[derive(Debug)]
pub(super) struct Matrix {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

impl Matrix {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// A row; empty where there is none.
    pub(super) fn row(&self, i: usize) -> &[f32] {
        self.values.get(i * self.columns..(i + 1) * self.columns).unwrap_or(&[])
    }

    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f32] {
        self.values.get_mut(i * self.columns..(i + 1) * self.columns).unwrap_or(&mut [])
    }
}

/// Kinds of characters that carry different amounts of meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hiragana,
    Kanji,
    Other,
}

fn kind(c: char) -> Option<Kind> {
    match c {
        '\u{3041}'..='\u{309f}' => Some(Kind::Hiragana),
        '\u{3400}'..='\u{9fff}' | '々' => Some(Kind::Kanji),
        c if c.is_alphanumeric() || c == 'ー' => Some(Kind::Other),
        _ => None,
    }
}

/// Full width and half width, upper and lower case are one.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().take(MAX_CHARS).map(|c| {
        let narrow = match c {
            '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
            c => wide_kana(c),
        };
        narrow.to_ascii_lowercase()
    })
}

/// A pair of characters, or a single one (the first is then NUL).
type Gram = (char, char);

/// The grams of a text with their weights; ordered, so that sums come out the same in every run.
type Bag = BTreeMap<Gram, f32>;

fn grams(text: &str) -> Bag {
    const SINGLE: f32 = 0.5;
    let mut out = Bag::new();
    let mut before = None;
    for c in folded(text) {
        let now = kind(c).map(|k| (c, k));
        if let Some((_, Kind::Kanji)) = now {
            *out.entry(('\0', c)).or_default() += SINGLE;
        }
        if let (Some((a, ka)), Some((_, kb))) = (before, now) {
            let weight = match (ka, kb) {
                (Kind::Hiragana, Kind::Hiragana) => 0.15,
                (Kind::Hiragana, _) | (_, Kind::Hiragana) => 0.5,
                _ => 1.0,
            };
            *out.entry((a, c)).or_default() += weight;
        }
        before = now;
    }
    out
}

/// A text as a vector of length 1: gram numbers with their shares.
type Vector = Vec<(usize, f32)>;

/// Cosines of all pairs, of the text that `words` gives of each entry.
pub(super) fn compare(own: &[Entry], model: &[Entry], words: impl Fn(&Entry) -> &str) -> Matrix {
    let bags: Vec<Bag> = own.iter().chain(model).map(|e| grams(words(e))).collect();
    let mut numbers: HashMap<Gram, (usize, f32)> = HashMap::new();
    for gram in bags.iter().flat_map(BTreeMap::keys) {
        let next = numbers.len();
        numbers.entry(*gram).or_insert((next, 0.0)).1 += 1.0;
    }
    let all = f32::from(u16::try_from(bags.len()).unwrap_or(u16::MAX));
    let vector = |bag: &Bag| -> Vector {
        let mut v: Vector = bag
            .iter()
            .filter_map(|(gram, n)| {
                let (number, texts) = numbers.get(gram)?;
                Some((*number, n.sqrt() * (1.0 + all / texts).ln()))
            })
            .collect();
        let length = v.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
        v.iter_mut().for_each(|(_, x)| *x /= length);
        v
    };
    let mut holders: Vec<Vec<(usize, f32)>> = vec![Vec::new(); numbers.len()];
    let (first, second) = bags.split_at_checked(own.len()).unwrap_or((&bags, &[]));
    for (j, bag) in second.iter().enumerate() {
        for (number, x) in vector(bag) {
            if let Some(list) = holders.get_mut(number) {
                list.push((j, x));
            }
        }
    }
    let mut out = Matrix::new(own.len(), model.len());
    for (i, bag) in first.iter().enumerate() {
        let row = out.row_mut(i);
        for (number, x) in vector(bag) {
            for (j, y) in holders.get(number).into_iter().flatten() {
                if let Some(slot) = row.get_mut(*j) {
                    *slot += x * y;
                }
            }
        }
    }
    out
}
