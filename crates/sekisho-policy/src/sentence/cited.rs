//! The wording of references: what they are made of, what they are joined with, whose clauses they are.

use crate::numeral::{after, aiueo, any, arabic, circled, wide_kana};

/// A unit of a reference with its number: 第3条の2 is (条, "3-2").
pub(super) type Part = (char, String);

/// Names of laws and texts: what stands right behind them is a clause of theirs.
const TEXTS: &[&str] = &[
    "法",
    "法律",
    "令",
    "政令",
    "省令",
    "条例",
    "規則",
    "規程",
    "規定",
    "要綱",
    "要領",
    "憲法",
    "方針",
    "基準",
    "ポリシー",
    "ガイドライン",
    "計画",
    "訓令",
    "告示",
    "指針",
    "手順",
    "約款",
    "契約書",
    "細則",
];
/// 「この規程第5条」 is a clause of this text.
const OWN: &[&str] = &["この", "本"];

/// A label is followed by a particle where it is a reference.
pub(super) fn starts_reference(rest: &str) -> bool {
    let particle = |tail: &str| {
        ["の", "に", "及び", "又は", "から", "まで", "、", "を", "で"].iter().any(|p| tail.starts_with(p))
    };
    bracket_label(rest)
        .is_some_and(|(_, tail)| particle(tail) || kana_label(tail).is_some_and(|(_, tail)| particle(tail)))
}

/// (2), ③, (ア) as citations write them, and what follows.
pub(super) fn bracket_label(s: &str) -> Option<(String, &str)> {
    let c = s.chars().next()?;
    let rest = after(s, c);
    if circled(c).is_some() {
        return Some((c.to_string(), rest));
    }
    if !matches!(c, '(' | '（') {
        return None;
    }
    let close = |r: &'_ str| -> Option<usize> {
        r.chars().next().filter(|c| matches!(c, ')' | '）')).map(char::len_utf8)
    };
    if let Some((n, tail)) = arabic(rest) {
        let used = close(tail)?;
        return Some((format!("({n})"), tail.get(used..)?));
    }
    let kana = wide_kana(rest.chars().next()?);
    aiueo(kana)?;
    let tail = rest.chars().next().map(|k| after(rest, k))?;
    let used = close(tail)?;
    Some((format!("({kana})"), tail.get(used..)?))
}

/// ア behind another label, as in 2(1)ア and 第1号ア, and what follows; the first letter of a word is none.
pub(super) fn kana_label(s: &str) -> Option<(String, &str)> {
    let c = s.chars().next()?;
    let rest = after(s, c);
    let word = rest.chars().next().is_some_and(|n| matches!(n, 'ァ'..='ヺ' | 'ー' | 'ｦ'..='ﾟ'));
    let kana = wide_kana(c);
    (aiueo(kana).is_some() && !word).then(|| (kana.to_string(), rest))
}

/// 第6章第4節(3)⑦ from its start: the units, and the bytes they take.
pub(super) fn parts(s: &str) -> Option<(Vec<Part>, usize)> {
    let mut found: Vec<Part> = Vec::new();
    let mut rest = s;
    while let Some(inner) = rest.strip_prefix('第') {
        let Some((n, tail)) = any(inner.trim_start_matches([' ', '\u{3000}'])) else { break };
        let Some(unit) = tail
            .chars()
            .next()
            .filter(|c| matches!(c, '編' | '章' | '節' | '款' | '目' | '条' | '項' | '号'))
        else {
            break;
        };
        let mut number = n.to_string();
        let mut tail = after(tail, unit);
        while let Some((b, t)) = tail
            .strip_prefix('の')
            .and_then(any)
            .filter(|(_, t)| !t.starts_with(['人', '件', '回', '年', '者']))
        {
            number.push('-');
            number.push_str(&b.to_string());
            tail = t;
        }
        found.push((unit, number));
        rest = tail;
    }
    let last = found.last().map(|(u, _)| *u)?;
    // 第3条第1号ア, 第6章第4節(3)⑦(ア).
    if last == '号' {
        if let Some((kana, tail)) = kana_label(rest) {
            found.push(('細', kana));
            rest = tail;
        }
    } else if matches!(last, '編' | '章' | '節' | '款') {
        while let Some((label, tail)) = bracket_label(rest) {
            found.push(('細', label));
            rest = tail;
        }
    }
    Some((found, s.len() - rest.len()))
}

/// 「第2項」 behind 「第3条第1項」 stands for 第3条第2項.
pub(super) fn completed(base: &[Part], found: &[Part]) -> Vec<Part> {
    let rank = |u: char| "編章節款目条項号細".chars().position(|c| c == u).unwrap_or(9);
    let first = found.first().map_or(9, |(u, _)| rank(*u));
    base.iter().filter(|(u, _)| rank(*u) < first).chain(found).cloned().collect()
}

/// Bytes of the joint between two references (及び, 、, から …); more than the text has when there is none.
pub(super) fn between(gap: &str) -> usize {
    [
        "及び",
        "又は",
        "並びに",
        "若しくは",
        "から",
        "ないし",
        "、",
        "・",
        "，",
        "まで及び",
        "まで、",
        "まで並びに",
    ]
    .iter()
    .filter(|j| {
        gap.strip_prefix(**j).is_some_and(|r| {
            r.starts_with('第') || r.chars().next().is_some_and(|c| arabic(&c.to_string()).is_some())
        })
    })
    .map(|j| j.len())
    .max()
    .unwrap_or(usize::MAX / 2)
}

/// The reference stands right behind the name of another law or text.
pub(super) fn is_external(before: &str) -> bool {
    let mut head = before.trim_end();
    // 法律（平成25年法律第27号）第2条: the bracket belongs to the name.
    if head.ends_with(['）', ')']) {
        let open = opening(head);
        let inner = head.get(open..).unwrap_or("");
        head = head.get(..open).unwrap_or("");
        if inner.contains("以下「") {
            return !is_own(head);
        }
    }
    let head = head.trim_end_matches(['」', '』']);
    TEXTS.iter().any(|t| head.ends_with(t)) && !is_own(head)
}

/// Ends with この規程, 本対策基準 …
fn is_own(head: &str) -> bool {
    OWN.iter().any(|own| {
        head.rfind(own).is_some_and(|i| {
            let name = head.get(i + own.len()..).unwrap_or("");
            // 「基本方針」 is not 「本方針」.
            let word = head
                .get(..i)
                .and_then(|h| h.chars().next_back())
                .is_some_and(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
            if word {
                return false;
            }
            name.chars().count() <= 12
                && !name.contains(['、', '。', 'の', 'に', 'は', 'を', 'が', '及', '又', '」'])
                && TEXTS.iter().any(|t| name.ends_with(t))
        })
    })
}

/// Where the bracket that ends `text` opens.
fn opening(text: &str) -> usize {
    let mut depth = 0;
    for (i, c) in text.char_indices().rev() {
        match c {
            '）' | ')' => depth += 1,
            '（' | '(' => {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
            _ => {}
        }
    }
    0
}

/// 法律第27号, 訓令第3号, 令和4年第41号, 様式第1号: a serial number, no clause.
pub(super) fn is_serial(before: &str, found: &[Part]) -> bool {
    let alone = found.len() == 1 && found.first().is_some_and(|(u, _)| *u == '号');
    alone
        && (TEXTS.iter().any(|t| before.ends_with(t))
            || before.ends_with(['年', '式', '記', '達', '日', '発'])
            || before.ends_with("号外"))
}

/// 前条, 前項, 前2項, 前各号, 次条 …: the unit, and the bytes taken.
pub(super) fn neighbour(s: &str) -> Option<(char, usize)> {
    let c = s.chars().next()?;
    let rest = after(s, c);
    let rest = rest
        .strip_prefix('各')
        .unwrap_or_else(|| any(rest).filter(|(n, _)| *n < 30).map_or(rest, |(_, t)| t));
    let unit = rest.chars().next().filter(|u| matches!(u, '条' | '項' | '号' | '節' | '章' | '編'))?;
    let tail = after(rest, unit);
    let word = tail.starts_with(['件', '目', '線', '数', '車']);
    (!word).then(|| (unit, s.len() - tail.len()))
}

/// 同条, 同項, 同号: the unit, and the bytes taken.
pub(super) fn same(s: &str) -> Option<(char, usize)> {
    let unit = s.strip_prefix('同')?.chars().next().filter(|u| matches!(u, '条' | '項' | '号'))?;
    Some((unit, '同'.len_utf8() + unit.len_utf8()))
}

/// 別表第1, 別表, 別記様式第2号: the bytes taken.
pub(super) fn annex(s: &str) -> Option<usize> {
    let rest = s.strip_prefix("別表").or_else(|| s.strip_prefix("別記様式"))?;
    let Some((_, tail)) = rest.strip_prefix('第').and_then(any) else { return Some(s.len() - rest.len()) };
    let tail = tail.strip_prefix('号').unwrap_or(tail);
    Some(s.len() - tail.len())
}

/// Without white space, 第 and 号, digits half width: 別表第１ and 別表1 are one.
pub(super) fn fold(s: &str) -> String {
    s.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '第' | '号'))
        .map(|c| crate::numeral::digit(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c))
        .collect()
}
