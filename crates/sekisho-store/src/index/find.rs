//! What a list asks of the index: which numbers, how many, and which of them make a page.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::cells::{Cells, encode};
use super::places::{BLOCK, Places, Set, keep, number_at, place_of};
use super::{Source, bits, corrupt, grams};
use crate::conn::{Arg, marks};
use crate::{Conn, StoreError, args};

/// Numbers that one sum of powers of two holds; a BIGINT has 63 bits.
const SUMMED: i64 = 62;

/// What a list is about: all of it must hold for a row.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Folded words.
    pub words: Vec<String>,
    /// Columns with the text they must equal.
    pub equals: Vec<(String, String)>,
    /// Whose rows are seen; nothing is everybody's.
    pub seen: Option<Seen>,
    /// Numbers of the rows for which other conditions hold, taken by [`numbers`].
    pub sets: Vec<Set>,
    /// Column to sort by.
    pub sort: String,
    /// Column that orders rows alike in the one before; empty when the first is enough.
    pub tie: String,
    /// The other way round.
    pub descending: bool,
}

/// Rows that somebody sees.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Column of the unit.
    pub column: String,
    /// Units whose rows are seen.
    pub units: Vec<String>,
    /// Numbers that are seen besides.
    pub also: Set,
}

/// A row of the unfilled block for which everything holds.
#[derive(Debug)]
pub(crate) struct TailRow {
    pub no: i64,
    pub sort: String,
    pub tie: String,
}

/// The rows of a page and, where several are alike in what they are sorted by, those among which the page lies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Picked {
    /// Numbers, in no order.
    pub numbers: Vec<i64>,
    /// How many of them, once in order, come before the page.
    pub skip: usize,
    /// How many rows there are on all pages.
    pub total: i64,
}

/// How far the index of a source reaches, and which numbers in it a row carries.
#[derive(Debug, Default, Clone)]
pub(crate) struct Standing {
    /// The last number of a full block: what is higher is not in the index.
    pub from: i64,
    live: Set,
}

/// The same for several sources: one query.
pub(crate) async fn standing(c: &mut Conn<'_>, sources: &[Source]) -> Result<Vec<Standing>, StoreError> {
    let mut a = vec![];
    let sql = format!(
        "SELECT name, value, CAST(NULL AS TEXT) FROM counter WHERE name IN ({})
         UNION ALL SELECT src, block, places FROM list_live WHERE src IN ({})",
        marks(sources.iter().map(|s| &s.counter), &mut a),
        marks(sources.iter().map(|s| &s.table), &mut a)
    );
    let mut found = vec![Standing::default(); sources.len()];
    for row in c.all(&sql, a).await? {
        let (name, number) = (row.text(0)?, row.int(1)?);
        let counter = row.opt_text(2)?.is_none();
        let its = |s: &Source| name == if counter { s.counter.as_str() } else { s.table.as_str() };
        let Some(at) = sources.iter().position(its) else { continue };
        let Some(standing) = found.get_mut(at) else { continue };
        if counter {
            standing.from = number / BLOCK * BLOCK;
        } else {
            standing.live.insert(number, bits(&row, 2)?);
        }
    }
    Ok(found)
}

/// The same for one.
pub(crate) async fn standing_of(c: &mut Conn<'_>, source: &Source) -> Result<Standing, StoreError> {
    Ok(standing(c, std::slice::from_ref(source)).await?.pop().unwrap_or_default())
}

/// Numbers as SQL. They come from the index, never from a person; as arguments, many of them would be slow.
pub(crate) fn rows_of(numbers: &[i64]) -> String {
    if numbers.is_empty() {
        return "NULL".to_owned();
    }
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(", ")
}

/// The numbers of rows for which a condition holds. `from` goes on after FROM, `no` is the number's column in it. The numbers come
/// summed as powers of two: some hundreds of rows where there are tens of thousands of numbers.
pub(crate) async fn numbers(c: &mut Conn<'_>, no: &str, from: &str, a: Vec<Arg>) -> Result<Set, StoreError> {
    let sql = format!(
        "SELECT ({no} - 1) / {SUMMED}, CAST(SUM(CAST(1 AS BIGINT) << CAST(({no} - 1) % {SUMMED} AS INTEGER)) AS BIGINT) FROM {from} GROUP BY ({no} - 1) / {SUMMED}"
    );
    let mut set = Set::new();
    for row in c.all(&sql, a).await? {
        let (group, sum) = (row.int(0)?, row.int(1)?);
        for bit in (0..SUMMED).filter(|bit| sum >> bit & 1 == 1) {
            let (block, place) = place_of(group * SUMMED + bit + 1);
            set.entry(block).or_insert(Places::NONE).add(place);
        }
    }
    Ok(set)
}

struct Entry<'a> {
    sort: &'a str,
    tie: &'a str,
    no: i64,
}

/// Rows `offset` to `offset + limit` of a list in its order: two queries at most. `tail` are the rows of the unfilled block.
pub(crate) async fn pick(
    c: &mut Conn<'_>,
    source: &Source,
    standing: Standing,
    wanted: &Wanted,
    tail: &[TailRow],
    offset: i64,
    limit: i64,
) -> Result<Picked, StoreError> {
    let mut set = standing.live;
    wanted.sets.iter().for_each(|other| keep(&mut set, other));
    with_words(c, source, &wanted.words, &mut set).await?;
    let cells = columns(c, source, wanted, &set).await?;
    let of = |column: &str, block: i64| cells.get(column).and_then(|blocks| blocks.get(&block));
    let mut entries = Vec::new();
    for (block, places) in &mut set {
        for (column, value) in &wanted.equals {
            let cells = of(column, *block).ok_or_else(|| missing(source, column, *block))?;
            places.keep(&cells.places(|v| v == value));
        }
        if let Some(seen) = &wanted.seen {
            let cells = of(&seen.column, *block).ok_or_else(|| missing(source, &seen.column, *block))?;
            let mut mine = cells.places(|v| seen.units.iter().any(|unit| unit == v));
            mine.join(seen.also.get(block).unwrap_or(&Places::NONE));
            places.keep(&mine);
        }
        let sort = of(&wanted.sort, *block).ok_or_else(|| missing(source, &wanted.sort, *block))?;
        let tie = of(&wanted.tie, *block);
        entries.extend(places.iter().map(|place| Entry {
            sort: sort.get(place),
            tie: tie.map_or("", |cells| cells.get(place)),
            no: number_at(*block, place),
        }));
    }
    entries.extend(tail.iter().map(|row| Entry { sort: &row.sort, tie: &row.tie, no: row.no }));
    Ok(page(&mut entries, wanted.descending, offset, limit))
}

fn missing(source: &Source, column: &str, block: i64) -> StoreError {
    corrupt(&format!("{} {column} {block}", source.table))
}

/// Keeps the numbers whose rows hold every word: one query.
async fn with_words(
    c: &mut Conn<'_>,
    source: &Source,
    words: &[String],
    set: &mut Set,
) -> Result<(), StoreError> {
    if words.is_empty() || set.is_empty() {
        return Ok(());
    }
    let (singles, longer): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.chars().nth(1).is_none());
    let covers: Vec<_> = longer.iter().map(|word| grams::cover(word)).collect();
    let pairs: HashSet<&String> = covers.iter().flatten().map(|(_, pair)| pair).collect();
    let blocks: Vec<i64> = set.keys().copied().collect();
    let mut a = args![&source.table];
    let of_blocks = format!(
        "SELECT block, gram, places FROM list_gram WHERE src = $1 AND block IN ({})",
        rows_of(&blocks)
    );
    let mut parts = Vec::new();
    if !pairs.is_empty() {
        parts.push(format!("{of_blocks} AND gram IN ({})", marks(pairs.iter().copied(), &mut a)));
    }
    for word in &singles {
        // A character begins a pair wherever it stands.
        a.push(Arg::from(*word));
        a.push(format!("{word}{}", char::MAX).into());
        parts.push(format!("{of_blocks} AND gram >= ${} AND gram < ${}", a.len() - 1, a.len()));
    }
    let mut by_block: HashMap<i64, HashMap<String, Vec<u32>>> = HashMap::new();
    let mut single: Vec<Set> = vec![Set::new(); singles.len()];
    for row in c.all(&parts.join(" UNION ALL "), a).await? {
        let (block, gram, text) = (row.int(0)?, row.text(1)?, row.text(2)?);
        let at = grams::decode(&text).ok_or_else(|| corrupt(&text))?;
        for (word, places) in singles.iter().zip(&mut single) {
            if gram.starts_with(word.as_str()) {
                places.entry(block).or_insert(Places::NONE).join(&grams::places(&at));
            }
        }
        if pairs.contains(&gram) {
            by_block.entry(block).or_default().insert(gram, at);
        }
    }
    single.iter().for_each(|places| keep(set, places));
    let nothing = HashMap::new();
    set.retain(|block, places| {
        let block = by_block.get(block).unwrap_or(&nothing);
        covers.iter().for_each(|cover| places.keep(&grams::holding(cover, block)));
        !places.is_empty()
    });
    Ok(())
}

/// The columns that matter, of the blocks in question: one query.
async fn columns<'w>(
    c: &mut Conn<'_>,
    source: &Source,
    wanted: &'w Wanted,
    set: &Set,
) -> Result<HashMap<&'w str, HashMap<i64, Cells>>, StoreError> {
    let mut found: HashMap<&str, HashMap<i64, Cells>> = HashMap::new();
    if set.is_empty() {
        return Ok(found);
    }
    let names: HashSet<&str> = [&wanted.sort, &wanted.tie]
        .into_iter()
        .chain(wanted.equals.iter().map(|(column, _)| column))
        .chain(wanted.seen.iter().map(|seen| &seen.column))
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    let mut a = args![&source.table];
    let sql = format!(
        "SELECT col, block, cells FROM list_cell WHERE src = $1 AND col IN ({}) AND block IN ({})",
        marks(names.iter().copied(), &mut a),
        rows_of(&set.keys().copied().collect::<Vec<_>>())
    );
    for row in c.all(&sql, a).await? {
        let column = row.text(0)?;
        let cells = Cells::decode(row.text(2)?).ok_or_else(|| corrupt(&column))?;
        if let Some(name) = names.get(column.as_str()) {
            found.entry(name).or_default().insert(row.int(1)?, cells);
        }
    }
    // A node that did not know a column yet may have filled a block without it: then the rows tell.
    for name in names {
        let blocks = found.entry(name).or_default();
        for block in set.keys() {
            if !blocks.contains_key(block) {
                blocks.insert(*block, from_rows(c, source, name, *block).await?);
            }
        }
    }
    Ok(found)
}

async fn from_rows(c: &mut Conn<'_>, source: &Source, column: &str, block: i64) -> Result<Cells, StoreError> {
    let sql = format!("SELECT no, {column} FROM {} WHERE no > $1 AND no <= $2", source.table);
    let rows = c.all(&sql, args![block * BLOCK, (block + 1) * BLOCK]).await?;
    let cells: Vec<(usize, String)> =
        rows.iter().map(|r| Ok((place_of(r.int(0)?).1, r.text(1)?))).collect::<Result<_, StoreError>>()?;
    Cells::decode(encode(&cells)).ok_or_else(|| corrupt(column))
}

/// Finds a page without sorting what is before and after it.
fn page(entries: &mut [Entry<'_>], descending: bool, offset: i64, limit: i64) -> Picked {
    let order = |a: &Entry<'_>, b: &Entry<'_>| {
        let by = a.sort.cmp(b.sort).then_with(|| a.tie.cmp(b.tie));
        if descending { by.reverse() } else { by }
    };
    let count = entries.len();
    let from = usize::try_from(offset).unwrap_or(0).min(count);
    let length = usize::try_from(limit).unwrap_or(0).min(count - from);
    let total = i64::try_from(count).unwrap_or(i64::MAX);
    if length == 0 {
        return Picked { total, ..Picked::default() };
    }
    if from > 0 {
        entries.select_nth_unstable_by(from, order);
    }
    let (before, rest) = entries.split_at_mut(from);
    if length < rest.len() {
        rest.select_nth_unstable_by(length, order);
    }
    let (page, after) = rest.split_at(length);
    let (Some(first), Some(last)) =
        (page.iter().min_by(|a, b| order(a, b)), page.iter().max_by(|a, b| order(a, b)))
    else {
        return Picked { total, ..Picked::default() };
    };
    let alike = before.iter().filter(|e| order(e, first) == Ordering::Equal);
    let mut numbers: Vec<i64> = alike.map(|e| e.no).collect();
    let skip = numbers.len();
    numbers.extend(page.iter().map(|e| e.no));
    numbers.extend(after.iter().filter(|e| order(e, last) == Ordering::Equal).map(|e| e.no));
    Picked { numbers, skip, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_sorting_would_give() {
        let keys: Vec<String> = (0..200).map(|n| format!("{:03}", n * 73 % 50)).collect();
        for descending in [false, true] {
            for (offset, limit) in
                [(0, 10), (0, 500), (7, 1), (95, 20), (190, 20), (199, 5), (200, 5), (900, 5), (3, 0)]
            {
                let mut entries: Vec<Entry<'_>> =
                    keys.iter().zip(0..).map(|(key, no)| Entry { sort: key, tie: "", no }).collect();
                let picked = page(&mut entries, descending, offset, limit);
                assert_eq!(picked.total, 200);
                let key = |no: &i64| keys[usize::try_from(*no).unwrap()].as_str();
                let order = |a: &&str, b: &&str| if descending { b.cmp(a) } else { a.cmp(b) };
                let mut found: Vec<&str> = picked.numbers.iter().map(key).collect();
                found.sort_by(order);
                let mut all: Vec<&str> = keys.iter().map(String::as_str).collect();
                all.sort_by(order);
                let (offset, limit) = (usize::try_from(offset).unwrap(), usize::try_from(limit).unwrap());
                let wanted: Vec<&str> = all.into_iter().skip(offset).take(limit).collect();
                let shown: Vec<&str> = found.iter().copied().skip(picked.skip).take(limit).collect();
                assert_eq!(shown, wanted, "{offset} {limit}");
                // All that are alike are there, so that their own order can be told apart.
                for key in [wanted.first(), wanted.last()].into_iter().flatten() {
                    assert_eq!(found.iter().filter(|k| *k == key).count(), 4);
                }
            }
        }
    }
}
