//! What is printed around the text and is no part of it: page numbers, running heads, the table of contents. Also joins
//! Latin letters that were spaced out.

use std::collections::{HashMap, HashSet};

use crate::numeral::{arabic, digit};
use crate::source::Line;
use crate::token::{is_space, recognize, squashed};

/// Why a line was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An entry of the table of contents, or its title.
    Contents,
    /// A page number.
    PageNumber,
    /// A line printed at the head or foot of every page.
    RunningHead,
}

/// A line that was left out of the tree.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Dropped {
    /// Line of the source, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// Why.
    pub reason: Reason,
}

/// Separates the lines of the text from what is printed around it.
pub(crate) fn clean(lines: Vec<Line>) -> (Vec<Line>, Vec<Dropped>) {
    let mut reasons: Vec<Option<Reason>> =
        lines.iter().map(|l| l.contents.then_some(Reason::Contents)).collect();
    mark_contents(&lines, &mut reasons);
    mark_page_numbers(&lines, &mut reasons);
    mark_running_heads(&lines, &mut reasons);
    let mut kept = Vec::with_capacity(lines.len());
    let mut dropped = Vec::new();
    let (mut blank, mut page) = (false, false);
    for (mut line, reason) in lines.into_iter().zip(reasons) {
        if let Some(reason) = reason {
            blank |= line.blank_before;
            page |= line.page_break || reason != Reason::Contents;
            dropped.push(Dropped { line: line.no, text: line.text, reason });
            continue;
        }
        line.blank_before |= blank || page;
        line.page_break |= page;
        (blank, page) = (false, false);
        kept.push(line);
    }
    join_latin(&mut kept);
    (kept, dropped)
}

/// A line that is only a page number: its value, and whether the form alone proves it.
fn page_number(text: &str) -> Option<(u32, bool)> {
    let t = squashed(text, 14)?;
    let is_dash = |c: char| matches!(c, '-' | '－' | '‐' | '―' | '—' | '–' | '−' | 'ー' | '~' | '〜');
    let inner = t.trim_matches(is_dash);
    let dashed = t.starts_with(is_dash) && t.ends_with(is_dash) && inner.len() < t.len();
    let lower = inner.to_ascii_lowercase();
    let body = lower
        .strip_prefix("page")
        .or_else(|| lower.strip_prefix("p."))
        .or_else(|| lower.strip_prefix('p'))
        .unwrap_or(&lower);
    let named = body.len() < lower.len();
    let (n, rest) = arabic(body)?;
    match rest {
        "" => Some((n, dashed || named)),
        "ページ" | "頁" => Some((n, true)),
        rest => {
            let total = rest.strip_prefix(['/', '／']).or_else(|| rest.strip_prefix("of"))?;
            arabic(total).filter(|(m, r)| r.is_empty() && *m >= n).map(|_| (n, true))
        }
    }
}

fn mark_page_numbers(lines: &[Line], reasons: &mut [Option<Reason>]) {
    let found: Vec<(usize, u32, bool)> = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| !l.table)
        .filter_map(|(i, l)| page_number(&l.text).map(|(n, sure)| (i, n, sure)))
        .collect();
    for (k, &(i, n, sure)) in found.iter().enumerate() {
        let isolated =
            lines.get(i).is_some_and(|l| l.blank_before) && lines.get(i + 1).is_none_or(|l| l.blank_before);
        let at = |j: Option<usize>| j.and_then(|j| found.get(j)).map(|f| f.1);
        let in_sequence = at(k.checked_sub(1)) == n.checked_sub(1).filter(|_| k > 0) && k > 0
            || at(Some(k + 1)) == Some(n + 1);
        // One among the contents is gone already; it only tells that the next one is a page number.
        if let Some(slot @ None) = reasons.get_mut(i)
            && (sure || isolated || in_sequence)
        {
            *slot = Some(Reason::PageNumber);
        }
    }
}

/// The same short line beside page numbers or page breaks, three times or more; twice when it begins with the title.
fn mark_running_heads(lines: &[Line], reasons: &mut [Option<Reason>]) {
    let at_edge = |i: usize| {
        let number =
            |j: Option<usize>| j.and_then(|j| reasons.get(j)).is_some_and(|r| *r == Some(Reason::PageNumber));
        let here = lines.get(i).is_some_and(|l| l.page_break);
        here || lines.get(i + 1).is_some_and(|l| l.page_break)
            || number(i.checked_sub(1))
            || number(Some(i + 1))
    };
    // Text → all its places, how many of them are at the edge of a page, and how often it stands among the contents.
    let mut places: HashMap<&str, (Vec<usize>, usize, usize)> = HashMap::new();
    for (i, line) in lines.iter().enumerate() {
        if line.table || line.text.ends_with('。') || line.text.chars().count() > 60 {
            continue;
        }
        let entry = places.entry(&line.text).or_default();
        match reasons.get(i) {
            Some(None) => {
                entry.0.push(i);
                entry.1 += usize::from(at_edge(i));
            }
            Some(Some(Reason::Contents)) => entry.2 += 1,
            _ => {}
        }
    }
    let mut heads = Vec::new();
    let title = lines.first().map(|l| l.text.as_str()).unwrap_or_default();
    for (text, (at, edges, among)) in places {
        let titled = (2..=3).contains(&(at.len() + among))
            && edges == at.len()
            && !title.is_empty()
            && text.starts_with(title);
        if titled || at.len() >= 3 && edges >= 2 && edges * 3 >= at.len() * 2 {
            // The first may be the heading itself, which later pages repeat.
            let numbered = recognize(text, 0, 0).is_some();
            heads.extend(
                at.into_iter()
                    .enumerate()
                    .filter(|(k, i)| *i > 0 && at_edge(*i) && !(numbered && *k == 0))
                    .map(|(_, i)| i),
            );
        }
    }
    for i in heads {
        if let Some(slot) = reasons.get_mut(i) {
            *slot = Some(Reason::RunningHead);
        }
    }
}

/// 「目次」 and what belongs to it.
fn mark_contents(lines: &[Line], reasons: &mut [Option<Reason>]) {
    let mut i = 0;
    let mut titles = 0;
    while let Some(line) = lines.get(i) {
        let title = squashed(&line.text, 16).unwrap_or_default();
        let title = title.trim_matches([
            '【', '】', '〔', '〕', '<', '>', '＜', '＞', '《', '》', '－', '-', '―', '■', '○', '●',
        ]);
        if !matches!(title, "目次" | "もくじ" | "目　次" | "CONTENTS" | "Contents") {
            // Dot leaders to a page number give an entry away anywhere.
            if page_at_end(&line.text).is_some() && has_leader(&line.text) {
                mark(reasons, i);
            }
            i += 1;
            continue;
        }
        titles += 1;
        mark(reasons, i);
        if titles > MAX_CONTENTS_TITLES {
            i += 1;
            continue;
        }
        let end = contents_end(lines, i + 1);
        for j in i + 1..end {
            mark(reasons, j);
        }
        i = end.max(i + 1);
    }
}

fn mark(reasons: &mut [Option<Reason>], i: usize) {
    if let Some(slot) = reasons.get_mut(i) {
        *slot = Some(Reason::Contents);
    }
}

/// Tables of contents of one file, at most.
const MAX_CONTENTS_TITLES: usize = 20;
/// Entries of a table of contents, at most.
const MAX_CONTENTS: usize = 1_500;

/// The first line behind a table of contents that begins at `from`.
fn contents_end(lines: &[Line], from: usize) -> usize {
    let Some(first) = lines.get(from) else { return from };
    // The text begins where the first entry comes again as a heading.
    let key = entry_key(&first.text);
    let window = lines.iter().enumerate().skip(from + 1).take(MAX_CONTENTS);
    let entry_like = |l: &Line| !l.text.ends_with('。') && l.text.chars().count() <= 90;
    let again = window
        .clone()
        .find(|(_, l)| {
            !key.is_empty()
                && entry_key(&l.text) == key
                && page_at_end(&l.text).is_none()
                && range_at_end(&l.text).is_none()
        })
        .map(|(j, _)| j)
        .and_then(|j| {
            let between = lines.get(from..j)?;
            match between.iter().position(|l| !entry_like(l)) {
                None => Some(j),
                Some(prose) => entries_again(lines, from, from + prose, j),
            }
        });
    // Otherwise entries show themselves: by page numbers, by ranges of articles, or as 附則.
    let mut end = from;
    let mut wrapped = false;
    for (j, line) in lines.iter().enumerate().skip(from).take(MAX_CONTENTS) {
        let marked = page_at_end(&line.text).is_some() || range_at_end(&line.text).is_some();
        let supplement = line.text.chars().filter(|c| !is_space(*c)).collect::<String>() == "附則"
            && j > from
            && !line.blank_before;
        if marked || supplement {
            end = j + 1;
            wrapped = false;
        } else if !wrapped && entry_like(line) && page_number(&line.text).is_none() {
            // One entry may be broken over two lines.
            wrapped = true;
        } else if page_number(&line.text).is_none() {
            break;
        }
    }
    match again {
        Some(j) if j >= end => j,
        Some(j) if end > from => end.min(j).max(end),
        Some(j) => j,
        None => end,
    }
}

/// Where the entries end that begin at `from` and come again from `again` on, with a foreword (from `prose` on) between: behind the last line
/// that comes again. None when fewer than two do, or less than two thirds.
fn entries_again(lines: &[Line], from: usize, prose: usize, again: usize) -> Option<usize> {
    let headings: HashSet<String> =
        lines.get(again..)?.iter().take(MAX_CONTENTS * 10).map(|l| entry_key(&l.text)).collect();
    let comes = |l: &Line| headings.contains(&entry_key(&l.text));
    let last = lines.get(from..prose)?.iter().rposition(comes)?;
    let entries = lines.get(from..=from + last)?;
    let found = entries.iter().filter(|l| comes(l)).count();
    (found >= 2 && found * 3 >= entries.len() * 2).then_some(from + last + 1)
}

/// What an entry and its heading have in common: everything but white space, leaders, page numbers and article ranges.
fn entry_key(text: &str) -> String {
    let text = range_at_end(text).or_else(|| page_at_end(text)).unwrap_or(text);
    text.chars()
        .filter(|c| !is_space(*c) && !is_leader(*c))
        .map(|c| digit(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c))
        .collect()
}

fn is_leader(c: char) -> bool {
    matches!(c, '.' | '．' | '…' | '‥' | '・' | '·' | '─' | '━' | '－' | '-' | '_' | '⋯' | '･')
}

fn has_leader(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|c| {
        run = if c == '…' || c == '‥' || c == '⋯' {
            run + 3
        } else if is_leader(c) {
            run + 1
        } else if is_space(c) {
            run
        } else {
            0
        };
        run >= 4
    })
}

/// The text before a page number that ends the line behind a tab, a leader or a wide space.
fn page_at_end(text: &str) -> Option<&str> {
    let head = text.trim_end_matches(|c| digit(c).is_some());
    let digits = text.chars().count() - head.chars().count();
    if !(1..=4).contains(&digits) || head.is_empty() {
        return None;
    }
    let body = head.trim_end_matches(|c| is_space(c) || is_leader(c));
    let gap = head.get(body.len()..)?;
    let apart = gap.contains('\t')
        || gap.contains('\u{3000}')
        || gap.chars().any(is_leader)
        || gap.chars().count() >= 1;
    (apart && !body.is_empty()).then_some(body)
}

/// The text before （第1条―第3条）, （第4条）, （第5条・第6条） at the end of the line.
fn range_at_end(text: &str) -> Option<&str> {
    let body = text.trim_end_matches(is_space).strip_suffix(['）', ')'])?;
    let open = body.rfind(['（', '('])?;
    let inner = body.get(open..)?.trim_start_matches(['（', '(']);
    let ok = inner.starts_with('第')
        && inner.contains('条')
        && inner.chars().count() <= 24
        && !inner.contains("関係");
    ok.then(|| text.get(..open).unwrap_or("").trim_end_matches(is_space))
}

/// Joins `C I S O` to `CISO`, and `L GWAN` to `LGWAN` where the text writes the word whole elsewhere.
fn join_latin(lines: &mut [Line]) {
    let mut words: HashSet<String> = HashSet::new();
    for line in lines.iter_mut() {
        let has_run = line.text.is_ascii() || line.text.contains(' ') || line.text.contains('\u{3000}');
        let collect = |word: &str| {
            if word.len() >= 2 && !words.contains(word) {
                words.insert(word.to_owned());
            }
        };
        if has_run && let Some(joined) = rewrite(&line.text, Runs::Spelled, &HashSet::new(), collect) {
            line.text = joined;
        }
    }
    for line in lines.iter_mut() {
        if line.text.contains(' ')
            && let Some(joined) = rewrite(&line.text, Runs::Known, &words, |_| {})
        {
            line.text = joined;
        }
    }
}

/// Which runs of Latin words are joined.
#[derive(Clone, Copy, PartialEq)]
enum Runs {
    /// Two or more single letters.
    Spelled,
    /// Pieces that together are a known word.
    Known,
}

/// One pass over a line; reports every Latin word it leaves. None when nothing changes.
fn rewrite(text: &str, runs: Runs, known: &HashSet<String>, mut word: impl FnMut(&str)) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    // What of the text is in `out` already, or is the same as in the text.
    let mut copied = 0;
    while let Some(gap) = rest.find(is_latin) {
        let at = text.len() - rest.len() + gap;
        rest = rest.get(gap..).unwrap_or("");
        let (pieces, len) = latin_run(rest);
        let tail = rest.get(len..).unwrap_or("");
        let joined = if pieces.len() > 1 { pieces.concat() } else { String::new() };
        let join = pieces.len() > 1
            && match runs {
                Runs::Spelled => pieces.iter().all(|p| p.chars().count() == 1),
                Runs::Known => known.contains(&joined),
            };
        if join {
            word(&joined);
            out.push_str(text.get(copied..at).unwrap_or(""));
            out.push_str(&joined);
            copied = at + len;
        } else {
            pieces.iter().for_each(|p| word(p));
        }
        rest = tail;
    }
    out.push_str(text.get(copied..).filter(|_| copied > 0)?);
    Some(out)
}

/// Latin letters, without digits: 「A 4」 is no word.
fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

/// Latin words separated by one space, from the start; and the bytes they take.
fn latin_run(s: &str) -> (Vec<&str>, usize) {
    let mut pieces = Vec::new();
    let mut used = 0;
    while let Some(tail) = s.get(used..) {
        let gap = if pieces.is_empty() {
            0
        } else {
            tail.chars().next().filter(|c| matches!(c, ' ' | '\u{3000}' | '\u{a0}')).map_or(0, char::len_utf8)
        };
        if gap == 0 && !pieces.is_empty() {
            break;
        }
        let Some(body) = tail.get(gap..) else { break };
        let len = body.find(|c| !is_latin(c)).unwrap_or(body.len());
        if len == 0 {
            break;
        }
        pieces.extend(body.get(..len));
        used += gap + len;
    }
    (pieces, used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn kept(text: &str) -> Vec<String> {
        clean(source::read(text.as_bytes(), None).unwrap().lines).0.into_iter().map(|l| l.text).collect()
    }

    #[test]
    fn page_numbers_of_many_forms() {
        assert_eq!(page_number("- 12 -"), Some((12, true)));
        assert_eq!(page_number("― １２ ―"), Some((12, true)));
        assert_eq!(page_number("3 / 15"), Some((3, true)));
        assert_eq!(page_number("P.4"), Some((4, true)));
        assert_eq!(page_number("4ページ"), Some((4, true)));
        assert_eq!(page_number("4"), Some((4, false)));
        assert_eq!(page_number("4 用語"), None);
        assert_eq!(page_number("平成4"), None);
    }

    #[test]
    fn contents_with_pages_end_where_the_text_begins() {
        let text = "何々市基準\n目　次\n第1章　総則......1\n(1) 目的\t1\n\n2\n\n第2章　体制　　3\n\n第1章　総則\n(1) 目的\nこの基準は、定める。";
        assert_eq!(kept(text), ["何々市基準", "第1章　総則", "(1) 目的", "この基準は、定める。"]);
    }

    #[test]
    fn contents_without_pages_and_with_ranges() {
        assert_eq!(
            kept("目次\n1 目的\n2 範囲\n1 目的\n定める。\n2 範囲\n全部とする。"),
            ["1 目的", "定める。", "2 範囲", "全部とする。"]
        );
        let ranged = "目次\n　第1章　総則（第1条―第3条）\n　第2章　体制（第4条・第5条）\n　附則\n　　第1章　総則\n（目的）\n第1条　定める。";
        assert_eq!(kept(ranged), ["第1章　総則", "（目的）", "第1条　定める。"]);
    }

    #[test]
    fn running_heads_and_numbers_between_pages() {
        let text = "何々市基準\n1 目的\n文の\n\u{c}何々市基準\n途中\n- 1 -\n\u{c}何々市基準\n続く。\n- 2 -";
        assert_eq!(kept(text), ["何々市基準", "1 目的", "文の", "途中", "続く。"]);
    }

    #[test]
    fn spaced_latin() {
        let text = "1 体制\nC I S Oは、L G W A Nを使う。\nL GWANとChief Information Officerと I o T機器とA 社とＣ Ｉ Ｓ Ｏ。";
        assert_eq!(
            kept(text)[1..],
            ["CISOは、LGWANを使う。", "LGWANとChief Information Officerと IoT機器とA 社とＣＩＳＯ。"]
        );
    }
}
