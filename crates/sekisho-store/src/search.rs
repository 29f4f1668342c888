//! Finding rows by words without reading them all: an index of character pairs that serves both databases.
//!
//! A write that changes a row's text gives the row a new number (`no`). When a block of [`BLOCK`] numbers is full, the write
//! that filled it indexes the block: for each pair of characters in the rows that still carry a number of the block, which
//! numbers. Rows of the last, unfilled block are not indexed; they are few and always candidates. A row that gets a new
//! number leaves the old one behind, where nothing is found any more. So postings are only ever added, a block at a time, and what
//! they yield are candidates: the query itself still compares the text.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sekisho_base::text::{bigrams, fold_key};

use crate::conn::Arg;
use crate::{Conn, StoreError, args, setting};

/// Numbers of one block.
pub(crate) const BLOCK: i64 = 1024;
const WORDS: usize = 16;
/// Pairs looked up for one query at most; candidates are compared in full anyway.
const LOOKUPS: usize = 32;
/// Two of these digits are a place in a block.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// Ends each text, so that the last character begins a pair too and no word reaches from one cell into the next.
const END: char = '\u{1f}';

/// The tables of one index. `rows` has the columns `no` and `search`, `grams` has `gram`, `block` and `places`.
pub(crate) struct Index {
    rows: String,
    grams: String,
    counter: String,
}

impl Index {
    /// A register's.
    pub(crate) fn of_register(id: &str) -> Self {
        Self { rows: format!("r_{id}"), grams: format!("g_{id}"), counter: format!("rows:{id}") }
    }

    /// That of the cases.
    pub(crate) fn of_cases() -> Self {
        Self {
            rows: "case_file".to_owned(),
            grams: "case_gram".to_owned(),
            counter: "case_file.no".to_owned(),
        }
    }
}

/// Places of a block as bits.
type Places = [u64; WORDS];

/// Adds a text to those by which a row is found.
pub(crate) fn push(out: &mut String, text: &str) {
    let folded = fold_key(text);
    if !folded.is_empty() {
        out.push_str(&folded);
        out.push(END);
    }
}

/// What one [`push`] made of a text, without its end.
pub(crate) fn shown(stored: String) -> String {
    stored.strip_suffix(END).map(str::to_owned).unwrap_or(stored)
}

/// Words as typed, folded; empty ones are none.
pub(crate) fn fold(words: &[String]) -> Vec<String> {
    words.iter().map(|w| fold_key(w)).filter(|w| !w.is_empty()).collect()
}

/// `column LIKE` a folded word, with what LIKE treats specially escaped by `!`; adds its argument.
pub(crate) fn like(column: &str, word: &str, args: &mut Vec<Arg>) -> String {
    let escaped = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    args.push(format!("%{escaped}%").into());
    format!("{column} LIKE ${} ESCAPE '!'", args.len())
}

/// The next number. Its counter is locked until commit, so numbers are committed in their order.
pub(crate) async fn next_no(c: &mut Conn<'_>, index: &Index) -> Result<i64, StoreError> {
    setting::next(c, &index.counter).await
}

/// Indexes the block that a number filled, if it filled one.
pub(crate) async fn index_after(c: &mut Conn<'_>, index: &Index, no: i64) -> Result<(), StoreError> {
    if no % BLOCK != 0 {
        return Ok(());
    }
    let first = no - BLOCK + 1;
    let sql = format!("SELECT no, search FROM {} WHERE no >= $1 AND no <= $2 ORDER BY no", index.rows);
    let mut postings: BTreeMap<String, String> = BTreeMap::new();
    for row in c.all(&sql, args![first, no]).await? {
        let code = encode(row.int(0)? - first)?;
        for gram in bigrams(&row.text(1)?).into_iter().collect::<BTreeSet<_>>() {
            postings.entry(gram).or_default().push_str(&code);
        }
    }
    let block = no / BLOCK - 1;
    let postings: Vec<(String, String)> = postings.into_iter().collect();
    for chunk in postings.chunks(250) {
        let mut a = args![block];
        let mut marks = Vec::with_capacity(chunk.len());
        for (gram, places) in chunk {
            a.push(gram.into());
            a.push(places.into());
            marks.push(format!("(${}, $1, ${})", a.len() - 1, a.len()));
        }
        c.exec(&format!("INSERT INTO {} (gram, block, places) VALUES {}", index.grams, marks.join(", ")), a)
            .await?;
    }
    Ok(())
}

/// Numbers of the rows that may hold every word, and the highest number given.
pub(crate) struct Candidates {
    pub numbers: Vec<i64>,
    pub highest: i64,
}

/// Numbers as SQL. They come from the index, never from a person; as arguments, thousands of them would be slow.
pub(crate) fn literals(numbers: &[i64]) -> String {
    if numbers.is_empty() {
        return "NULL".to_owned();
    }
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(", ")
}

/// Candidates for folded words: a fixed number of queries. `None` when there are no words.
pub(crate) async fn candidates(
    c: &mut Conn<'_>,
    index: &Index,
    words: &[String],
) -> Result<Option<Candidates>, StoreError> {
    let mut pairs = BTreeSet::new();
    let mut single: Option<&String> = None;
    for word in words {
        if word.chars().nth(1).is_some() {
            pairs.extend(bigrams(word));
        } else {
            single = Some(word);
        }
    }
    let pairs: Vec<String> = pairs.into_iter().take(LOOKUPS).collect();
    if pairs.is_empty() && single.is_none() {
        return Ok(None);
    }
    let highest = setting::current(c, &index.counter).await?;
    let found = if pairs.is_empty() {
        with_character(c, index, single).await?
    } else {
        with_all(c, index, &pairs).await?
    };
    let mut numbers = Vec::new();
    for (block, places) in found {
        for (word, bits) in (0i64..).zip(places) {
            numbers.extend(
                (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| block * BLOCK + word * 64 + bit + 1),
            );
        }
    }
    numbers.sort_unstable();
    numbers.extend(highest / BLOCK * BLOCK + 1..=highest);
    Ok(Some(Candidates { numbers, highest }))
}

/// Places that hold every one of the pairs.
async fn with_all(
    c: &mut Conn<'_>,
    index: &Index,
    pairs: &[String],
) -> Result<HashMap<i64, Places>, StoreError> {
    let marks: Vec<String> = (1..=pairs.len()).map(|i| format!("${i}")).collect();
    let sql = format!("SELECT block, places FROM {} WHERE gram IN ({})", index.grams, marks.join(", "));
    let mut found: HashMap<i64, (usize, Places)> = HashMap::new();
    for row in c.all(&sql, pairs.iter().map(Arg::from).collect()).await? {
        let places = decode(&row.text(1)?)?;
        let (seen, all) = found.entry(row.int(0)?).or_insert((0, [u64::MAX; WORDS]));
        *seen += 1;
        for (a, b) in all.iter_mut().zip(places) {
            *a &= b;
        }
    }
    Ok(found
        .into_iter()
        .filter(|(_, (seen, _))| *seen == pairs.len())
        .map(|(block, (_, places))| (block, places))
        .collect())
}

/// Places that hold a character: it begins a pair wherever it stands.
async fn with_character(
    c: &mut Conn<'_>,
    index: &Index,
    character: Option<&String>,
) -> Result<HashMap<i64, Places>, StoreError> {
    let Some(first) = character else { return Ok(HashMap::new()) };
    let sql = format!("SELECT block, places FROM {} WHERE gram >= $1 AND gram < $2", index.grams);
    let mut found: HashMap<i64, Places> = HashMap::new();
    for row in c.all(&sql, args![first, format!("{first}{}", char::MAX)]).await? {
        let places = decode(&row.text(1)?)?;
        for (a, b) in found.entry(row.int(0)?).or_insert([0; WORDS]).iter_mut().zip(places) {
            *a |= b;
        }
    }
    Ok(found)
}

fn encode(place: i64) -> Result<String, StoreError> {
    let digit = |n: i64| usize::try_from(n).ok().and_then(|n| DIGITS.get(n)).map(|b| char::from(*b));
    match (digit(place / 32), digit(place % 32)) {
        (Some(high), Some(low)) => Ok([high, low].into_iter().collect()),
        _ => Err(StoreError::Corrupt("row number", place.to_string())),
    }
}

fn decode(text: &str) -> Result<Places, StoreError> {
    let value = |b: u8| match b {
        b'0'..=b'9' => Some(usize::from(b - b'0')),
        b'a'..=b'v' => Some(usize::from(b - b'a') + 10),
        _ => None,
    };
    let (codes, rest) = text.as_bytes().as_chunks::<2>();
    let mut places = [0; WORDS];
    for [high, low] in codes {
        let place = value(*high).zip(value(*low)).map(|(h, l)| h * 32 + l);
        match place.and_then(|p| places.get_mut(p / 64).map(|word| (word, p % 64))) {
            Some((word, bit)) => *word |= 1 << bit,
            None => return Err(StoreError::Corrupt("search index", text.chars().take(40).collect())),
        }
    }
    if rest.is_empty() {
        Ok(places)
    } else {
        Err(StoreError::Corrupt("search index", text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_round_trip() {
        for place in [0, 1, 31, 32, 63, 64, 500, 1023] {
            let bits = decode(&encode(place).unwrap()).unwrap();
            let p = usize::try_from(place).unwrap();
            assert_eq!(bits[p / 64], 1 << (p % 64), "{place}");
            assert_eq!(bits.iter().map(|w| w.count_ones()).sum::<u32>(), 1);
        }
        assert!(encode(1024).is_err());
        assert!(encode(-1).is_err());
        assert!(decode("0").is_err());
        assert!(decode("zz").is_err());
    }
}
