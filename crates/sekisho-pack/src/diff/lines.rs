//! What differs between two texts, line by line: the shortest series of removed and added lines (Myers, "An O(ND) Difference Algorithm and
//! Its Variations", 1986), within a bound, so that two long texts without anything in common cost no more than two that are alike.

/// Removed and added lines up to which the shortest series is looked for. The work is at most this times the number of lines, the memory its
/// square; beyond it everything between the common head and the common tail counts as removed and added.
const EDITS: usize = 1_000;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It stands in both texts.
    Same,
    /// It stands in the old text only.
    Removed,
    /// It stands in the new text only.
    Added,
}

/// A line of either text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'t> {
    /// What became of it.
    pub mark: Mark,
    /// Its number in the old text, from 1; none for an added one.
    pub old: Option<usize>,
    /// Its number in the new text, from 1; none for a removed one.
    pub new: Option<usize>,
    /// The line without its end.
    pub text: &'t str,
}

/// All lines of both texts in order; where lines were replaced, the removed ones before the added ones.
#[must_use]
pub fn lines<'t>(old: &'t str, new: &'t str) -> Vec<Line<'t>> {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
    let middle = |all: &[&'t str]| all.iter().take(all.len() - tail).skip(head).copied().collect::<Vec<_>>();
    let mut marks = vec![Mark::Same; head];
    marks.extend(between(&middle(&a), &middle(&b)));
    marks.extend(std::iter::repeat_n(Mark::Same, tail));
    laid_out(&marks, &a, &b)
}

/// How many lines were added and how many removed.
#[must_use]
pub fn counts(lines: &[Line<'_>]) -> (usize, usize) {
    let of = |mark| lines.iter().filter(|l| l.mark == mark).count();
    (of(Mark::Added), of(Mark::Removed))
}

/// The marks with their lines; within a run of changes the removed ones first.
fn laid_out<'t>(marks: &[Mark], a: &[&'t str], b: &[&'t str]) -> Vec<Line<'t>> {
    let (mut olds, mut news) = (a.iter().zip(1..), b.iter().zip(1..));
    let mut out = Vec::with_capacity(marks.len());
    for run in marks.chunk_by(|x, y| (*x == Mark::Same) == (*y == Mark::Same)) {
        for wanted in [Mark::Same, Mark::Removed, Mark::Added] {
            for mark in run.iter().copied().filter(|m| *m == wanted) {
                let old = if mark == Mark::Added { None } else { olds.next() };
                let new = if mark == Mark::Removed { None } else { news.next() };
                let text = old.or(new).map_or("", |(text, _)| *text);
                out.push(Line { mark, old: old.map(|(_, n)| n), new: new.map(|(_, n)| n), text });
            }
        }
    }
    out
}

/// How far one gets in the old text with a number of edits, by diagonal: the one at `i` is that of `2 * i - edits` more removed than added.
type Layer = Vec<Option<usize>>;

/// The best place on a diagonal after one edit more than `before`, and which edit leads there; none where both lead out of a text.
fn step(before: &[Option<usize>], edits: usize, i: usize, (n, m): (usize, usize)) -> Option<(usize, Mark)> {
    let at = |j: usize| before.get(j).copied().flatten();
    let removed = i.checked_sub(1).and_then(at).filter(|x| *x < n).map(|x| x + 1);
    let added = at(i).filter(|x| (x + edits).checked_sub(2 * i).is_some_and(|y| y <= m));
    match (removed, added) {
        (Some(r), Some(a)) if a >= r => Some((a, Mark::Added)),
        (Some(r), _) => Some((r, Mark::Removed)),
        (None, a) => a.map(|a| (a, Mark::Added)),
    }
}

fn between(a: &[&str], b: &[&str]) -> Vec<Mark> {
    let ends = (a.len(), b.len());
    let slide = |mut x: usize, mut y: usize| {
        while a.get(x).zip(b.get(y)).is_some_and(|(p, q)| p == q) {
            (x, y) = (x + 1, y + 1);
        }
        x
    };
    let mut layers: Vec<Layer> = vec![vec![Some(slide(0, 0))]];
    if ends == (0, 0) {
        return vec![];
    }
    for edits in 1..=EDITS.min(ends.0 + ends.1) {
        let Some(before) = layers.last() else { break };
        let mut layer = Vec::with_capacity(edits + 1);
        let mut end = None;
        for i in 0..=edits {
            let x = step(before, edits, i, ends).map(|(x, _)| slide(x, x + edits - 2 * i));
            if x.is_some_and(|x| (x, x + edits - 2 * i) == ends) {
                end = Some(i);
            }
            layer.push(x);
        }
        layers.push(layer);
        if let Some(i) = end {
            return back(&layers, i, ends);
        }
    }
    let all = |mark, n| std::iter::repeat_n(mark, n);
    all(Mark::Removed, ends.0).chain(all(Mark::Added, ends.1)).collect()
}

/// The way by which the last layer's end was reached.
fn back(layers: &[Layer], mut i: usize, ends: (usize, usize)) -> Vec<Mark> {
    let (mut x, mut marks) = (ends.0, Vec::new());
    for (edits, before) in layers.iter().enumerate().rev().skip(1).map(|(e, before)| (e + 1, before)) {
        let Some((from, mark)) = step(before, edits, i, ends) else { break };
        marks.extend(std::iter::repeat_n(Mark::Same, x - from));
        marks.push(mark);
        if mark == Mark::Removed {
            (x, i) = (from - 1, i - 1);
        } else {
            x = from;
        }
    }
    marks.extend(std::iter::repeat_n(Mark::Same, x));
    marks.reverse();
    marks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(old: &str, new: &str) -> String {
        let sign = |m| match m {
            Mark::Same => ' ',
            Mark::Removed => '-',
            Mark::Added => '+',
        };
        lines(old, new).iter().map(|l| format!("{}{}", sign(l.mark), l.text)).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_changed_stands_between_what_did_not() {
        assert_eq!(told("", ""), "");
        assert_eq!(told("", "a\nb"), "+a|+b");
        assert_eq!(told("a\nb", ""), "-a|-b");
        assert_eq!(told("a\nb\nc", "a\nx\ny\nc"), " a|-b|+x|+y| c");
        assert_eq!(told("a\nb\nc\nd\ne", "b\nc\nX\ne\nf"), "-a| b| c|-d|+X| e|+f");
        assert_eq!(told("a\r\nb", "a\nb\n"), " a| b", "ends of lines are no change");
        let lines = lines("a\nb\nc", "a\nc\nd");
        let numbers: Vec<_> = lines.iter().map(|l| (l.old, l.new)).collect();
        assert_eq!(numbers, [(Some(1), Some(1)), (Some(2), None), (Some(3), Some(2)), (None, Some(3))]);
        assert_eq!(counts(&lines), (1, 1));
    }

    #[test]
    fn texts_without_anything_in_common_are_within_the_bound() {
        let text = |mark: &str| (0..3_000).map(|n| format!("{mark}{n}\n")).collect::<String>();
        let (old, new) = (format!("head\n{}tail\n", text("a")), format!("head\n{}tail\n", text("b")));
        let lines = lines(&old, &new);
        assert_eq!(counts(&lines), (3_000, 3_000));
        assert_eq!(lines.first().map(|l| l.mark), Some(Mark::Same));
        assert_eq!(lines.last().map(|l| (l.old, l.new)), Some((Some(3_002), Some(3_002))));
    }

    /// Length of the longest series of lines common to both, the slow way.
    fn common(a: &[&str], b: &[&str]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let before = row.clone();
            for (j, y) in b.iter().enumerate() {
                row[j + 1] = if x == y { before[j] + 1 } else { before[j + 1].max(row[j]) };
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn both_texts_stand_in_it_and_no_shorter_way_leads_from_one_to_the_other(old in "([abc]?\n){0,24}", new in "([abc]?\n){0,24}") {
            let all = lines(&old, &new);
            let side = |without| all.iter().filter(|l| l.mark != without).map(|l| l.text).collect::<Vec<_>>();
            let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
            prop_assert_eq!(&side(Mark::Added), &a);
            prop_assert_eq!(&side(Mark::Removed), &b);
            let kept = common(&a, &b);
            prop_assert_eq!(counts(&all), (b.len() - kept, a.len() - kept));
            let olds: Vec<usize> = all.iter().filter_map(|l| l.old).collect();
            prop_assert_eq!(olds, (1..=a.len()).collect::<Vec<_>>());
        }
    }
}
