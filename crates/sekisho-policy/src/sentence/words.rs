//! Words of time, conditions, levels and amounts.

use std::sync::LazyLock;

use super::buckets::{Buckets, plain};
use super::places::{Kind, Places};
use crate::numeral::{after, any, digit};

/// Words of one kind taken from one sentence, at most.
const MAX_WORDS: usize = 20;
/// Words that say when.
pub(super) const WHEN: &[&str] = &[
    "事後速やかに",
    "可及的速やかに",
    "直ちに",
    "ただちに",
    "速やかに",
    "すみやかに",
    "遅滞なく",
    "早急に",
    "至急",
    "即時に",
    "即座に",
    "事前に",
    "あらかじめ",
    "予め",
    "定期的に",
    "定期的",
    "常時",
    "常に",
    "随時",
    "適時",
    "毎年度",
    "毎年",
    "毎月",
    "毎週",
    "毎日",
    "採用時に",
    "異動時に",
    "退職時に",
    "退庁時",
    "離席時",
    "年度末までに",
    "年度当初に",
];
/// Units of a term.
const TERMS: &[&str] =
    &["営業日", "時間", "週間", "か月", "カ月", "ヶ月", "ケ月", "箇月", "か年", "日", "年", "分", "秒", "月"];
/// Behind the number of a month: what follows 月30日 or 月末.
fn after_date(rest: &str) -> Option<&str> {
    let day = rest.strip_prefix('月')?;
    let end = ["末日", "末"].iter().find_map(|e| day.strip_prefix(e));
    end.or_else(|| any(day).and_then(|(_, tail)| tail.strip_prefix('日')))
}

/// What makes a number of units a term.
const TERM_ENDS: &[&str] = &[
    "以内に",
    "以内",
    "前までに",
    "前まで",
    "までに",
    "ごとに",
    "毎に",
    "に1回以上",
    "に１回以上",
    "に1回",
    "に１回",
    "に一回",
];

/// What levels are counted on.
pub(super) const AXES: &[&str] = &["機密性", "完全性", "可用性", "重要性", "重要度"];

/// Words of time in a sentence, in order, joined by 、.
pub(super) fn deadline(text: &str, places: &Places) -> Option<String> {
    static BY_START: LazyLock<Buckets<()>> = LazyLock::new(|| Buckets::by_start(plain(WHEN)));
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (i, c) in places.each(Kind::When) {
        found.extend(BY_START.at_start(c, text.get(i..).unwrap_or("")).map(|(word, ())| (i, word)));
    }
    found.extend(numbers(text, places).filter_map(|(i, rest, end)| {
        let after_unit = after_date(rest)
            .or_else(|| TERMS.iter().find_map(|u| rest.strip_prefix(u)))
            .filter(|r| !r.starts_with("法律"))?;
        let tail = TERM_ENDS.iter().find_map(|e| after_unit.strip_prefix(e))?;
        Some((i, text.get(i..end + rest.len() - tail.len())?))
    }));
    // 年1回, 年に2回以上.
    found.extend(places.each(Kind::When).filter(|(_, c)| *c == '年').filter_map(|(i, _)| {
        let rest = after(text.get(i..)?, '年');
        let inner = rest.strip_prefix('に').unwrap_or(rest);
        let (_, tail) = any(inner)?;
        let tail = tail.strip_prefix('回')?;
        let tail = tail.strip_prefix("以上").unwrap_or(tail);
        let before_digit =
            text.get(..i).and_then(|h| h.chars().next_back()).is_some_and(|c| digit(c).is_some());
        (!before_digit).then(|| text.get(i..text.len() - tail.len())).flatten().map(|hit| (i, hit))
    }));
    joined(found)
}

/// Levels (機密性2以上) and amounts (100人を超える), in order, joined by 、.
pub(super) fn threshold(text: &str, places: &Places) -> Option<String> {
    const UNITS: &[&str] =
        &["人", "名", "件", "回", "円", "文字", "桁", "台", "MB", "GB", "KB", "バイト", "％", "%"];
    const BOUNDS: &[&str] = &["以上", "以下", "未満", "を超える", "を超え", "超"];
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (i, _) in places.each(Kind::Axis) {
        let at = text.get(i..).unwrap_or("");
        for axis in AXES.iter().filter(|axis| at.starts_with(**axis)) {
            let Some(rest) = text.get(i + axis.len()..) else { continue };
            let inner = rest.trim_start_matches([' ', '\u{3000}']);
            let inner =
                inner.strip_prefix("レベル").or_else(|| inner.strip_prefix("ランク")).unwrap_or(inner);
            let Some((_, tail)) = any(inner) else { continue };
            let tail = tail.strip_prefix(['A', 'B', 'C', 'Ａ', 'Ｂ', 'Ｃ']).unwrap_or(tail);
            let tail = BOUNDS.iter().find_map(|b| tail.strip_prefix(b)).unwrap_or(tail);
            found.extend(text.get(i..text.len() - tail.len()).map(|hit| (i, hit)));
        }
    }
    found.extend(numbers(text, places).filter_map(|(i, rest, end)| {
        let tail = UNITS.iter().find_map(|u| rest.strip_prefix(u))?;
        let tail = BOUNDS.iter().find_map(|b| tail.strip_prefix(b))?;
        Some((i, text.get(i..end + rest.len() - tail.len())?))
    }));
    joined(found)
}

/// What ends a condition.
pub(super) const CONDITIONS: &[&str] = &[
    "場合において",
    "場合にあっては",
    "場合には",
    "場合は",
    "場合に",
    "場合を除き",
    "場合、",
    "場合で",
    "ときには",
    "ときは",
    "とき、",
    "際には",
    "際は",
    "に際しては",
    "に際し",
    "にあたっては",
    "に当たっては",
    "にあたり",
    "に当たり",
    "に限り",
    "ない限り",
    "を除き",
];

/// The first condition of a sentence: from behind its topic to …場合は, …ときは.
pub(super) fn condition(text: &str, places: &Places) -> Option<String> {
    static BY_START: LazyLock<Buckets<()>> = LazyLock::new(|| Buckets::by_start(plain(CONDITIONS)));
    let (start, mark) = places.each(Kind::Condition).find_map(|(i, c)| {
        let longest = BY_START.at_start(c, text.get(i..)?).max_by_key(|(mark, ())| mark.len())?;
        Some((i, longest.0))
    })?;
    let head = text.get(..start)?;
    // The topic (…は、) and words like ただし、 stand before the condition.
    let from = head
        .rmatch_indices('、')
        .map(|(i, comma)| i + comma.len())
        .find(|end| {
            let before = head.get(..*end).unwrap_or("");
            ["は、", "ただし、", "なお、", "また、", "ものとし、"].iter().any(|p| before.ends_with(p))
        })
        .unwrap_or(0);
    let end = start + mark.trim_end_matches('、').len();
    text.get(from..end).map(|c| c.trim().to_owned()).filter(|c| !c.is_empty())
}

/// Numbers of a text: where they begin, what follows, where they end.
fn numbers<'t>(text: &'t str, places: &Places) -> impl Iterator<Item = (usize, &'t str, usize)> {
    let mut skip = 0;
    places.each(Kind::Number).filter_map(move |(i, c)| {
        if i < skip
            || !(digit(c).is_some()
                || matches!(c, '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '百'))
        {
            return None;
        }
        let (_, rest) = any(text.get(i..)?)?;
        skip = text.len() - rest.len();
        Some((i, rest, skip))
    })
}

/// Hits in order of place; one inside another is dropped.
fn joined(mut found: Vec<(usize, &str)>) -> Option<String> {
    found.sort_by_key(|(i, hit)| (*i, usize::MAX - hit.len()));
    let mut end = 0;
    let mut words: Vec<&str> = Vec::new();
    for (i, hit) in found {
        if i >= end && words.len() < MAX_WORDS {
            end = i + hit.len();
            if !words.contains(&hit) {
                words.push(hit);
            }
        }
    }
    (!words.is_empty()).then(|| words.join("、"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(text: &str) -> Option<String> {
        super::deadline(text, &Places::of(text))
    }

    fn threshold(text: &str) -> Option<String> {
        super::threshold(text, &Places::of(text))
    }

    fn condition(text: &str) -> Option<String> {
        super::condition(text, &Places::of(text))
    }

    #[test]
    fn times() {
        assert_eq!(
            deadline("事後速やかに報告し、３０日以内に確報を出す").as_deref(),
            Some("事後速やかに、３０日以内に")
        );
        assert_eq!(
            deadline("年1回以上、定期的に点検し、3か月ごとに見直す").as_deref(),
            Some("年1回以上、定期的に、3か月ごとに")
        );
        assert_eq!(deadline("平成20年6月30日の決裁による"), None);
        assert_eq!(
            deadline("毎年度４月30日までに提出し、3月末までに見直す").as_deref(),
            Some("毎年度、４月30日までに、3月末までに")
        );
    }

    #[test]
    fn levels_and_amounts() {
        assert_eq!(
            threshold("機密性３Ａ又は可用性2の情報で100人を超えるもの").as_deref(),
            Some("機密性３Ａ、可用性2、100人を超える")
        );
        assert_eq!(threshold("機密性の高い情報"), None);
    }

    #[test]
    fn conditions() {
        assert_eq!(condition("職員等は、紛失したときは、報告する").as_deref(), Some("紛失したときは"));
        assert_eq!(
            condition("ただし、許可を得た場合には、この限りでない").as_deref(),
            Some("許可を得た場合には")
        );
        assert_eq!(condition("管理する"), None);
    }
}
