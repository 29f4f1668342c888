//! Numbers as Japanese documents write them: half width, full width, kanji, circled, katakana in two orders.

/// Katakana in dictionary order (アイウ).
const AIUEO: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン";
/// Katakana in the order of the old poem (イロハ), as laws count below 号.
const IROHA: &str =
    "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン";

/// Value of a half- or full-width decimal digit.
pub(crate) fn digit(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        '０'..='９' => u32::from(c).checked_sub(u32::from('０')),
        _ => None,
    }
}

/// Value of one kanji digit or unit (十 is 10, 百 is 100).
fn kanji_digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' | '零' => 0,
        '一' | '壱' => 1,
        '二' | '弐' => 2,
        '三' | '参' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        '十' => 10,
        '百' => 100,
        _ => return None,
    })
}

/// Reads at most four decimal digits at the start; gives the value and the rest.
pub(crate) fn arabic(s: &str) -> Option<(u32, &str)> {
    let mut value = 0u32;
    let mut count = 0usize;
    let mut rest = s;
    while let Some(c) = rest.chars().next() {
        let Some(d) = digit(c) else { break };
        count += 1;
        if count > 4 {
            return None;
        }
        value = value * 10 + d;
        rest = after(rest, c);
    }
    (count > 0).then_some((value, rest))
}

/// Reads a kanji number below 1,000 at the start (十二, 百二十三, 二〇); gives the value and the rest.
pub(crate) fn kanji(s: &str) -> Option<(u32, &str)> {
    let mut total = 0u32;
    let mut current: Option<u32> = None;
    let mut count = 0usize;
    let mut rest = s;
    while let Some(c) = rest.chars().next() {
        let Some(d) = kanji_digit(c) else { break };
        count += 1;
        if count > 7 {
            return None;
        }
        if d >= 10 {
            total += current.take().unwrap_or(1) * d;
        } else {
            current = Some(current.map_or(d, |v| v * 10 + d));
        }
        rest = after(rest, c);
    }
    let value = total + current.unwrap_or(0);
    (count > 0 && (1..1000).contains(&value)).then_some((value, rest))
}

/// Reads an arabic or a kanji number at the start.
pub(crate) fn any(s: &str) -> Option<(u32, &str)> {
    arabic(s).or_else(|| kanji(s))
}

/// What follows the first character `c` of `s`.
pub(crate) fn after(s: &str, c: char) -> &str {
    s.get(c.len_utf8()..).unwrap_or("")
}

/// Value of ①…㊿ and of the filled ❶…❿.
pub(crate) fn circled(c: char) -> Option<u32> {
    range(c, '①', '⑳', 1)
        .or_else(|| range(c, '㉑', '㉟', 21))
        .or_else(|| range(c, '㊱', '㊿', 36))
        .or_else(|| range(c, '❶', '❿', 1))
}

/// Value of ⑴…⒇.
pub(crate) fn parenthesized(c: char) -> Option<u32> {
    range(c, '⑴', '⒇', 1)
}

/// Value of ⒈…⒛.
pub(crate) fn dotted(c: char) -> Option<u32> {
    range(c, '⒈', '⒛', 1)
}

/// Value of ㈠…㈩.
pub(crate) fn kanji_parenthesized(c: char) -> Option<u32> {
    range(c, '㈠', '㈩', 1)
}

/// Value of the single-character Roman numerals Ⅰ…Ⅻ and ⅰ…ⅻ, with whether it is upper case.
pub(crate) fn roman(c: char) -> Option<(u32, bool)> {
    range(c, 'Ⅰ', 'Ⅻ', 1).map(|v| (v, true)).or_else(|| range(c, 'ⅰ', 'ⅻ', 1).map(|v| (v, false)))
}

/// Value and letter of a single Latin letter, half or full width.
pub(crate) fn latin(c: char) -> Option<(u32, char)> {
    let (value, base) = range(c, 'a', 'z', 1)
        .map(|v| (v, 'a'))
        .or_else(|| range(c, 'A', 'Z', 1).map(|v| (v, 'A')))
        .or_else(|| range(c, 'ａ', 'ｚ', 1).map(|v| (v, 'a')))
        .or_else(|| range(c, 'Ａ', 'Ｚ', 1).map(|v| (v, 'A')))?;
    char::from_u32(u32::from(base) + value - 1).map(|letter| (value, letter))
}

/// Circled katakana ㋐… as the katakana itself.
pub(crate) fn circled_kana(c: char) -> Option<char> {
    let n = range(c, '㋐', '㋾', 0)?;
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヰヱヲ"
        .chars()
        .nth(n as usize)
}

/// Half-width katakana as full-width, other characters unchanged.
pub(crate) fn wide_kana(c: char) -> char {
    range(c, 'ｱ', 'ﾝ', 0)
        .and_then(|n| {
            "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
                .chars()
                .nth(n as usize)
        })
        .or_else(|| (c == 'ｦ').then_some('ヲ'))
        .unwrap_or(c)
}

/// Place of a katakana letter in アイウ order, from 1.
pub(crate) fn aiueo(c: char) -> Option<u32> {
    place(AIUEO, c)
}

/// Place of a katakana letter in イロハ order, from 1.
pub(crate) fn iroha(c: char) -> Option<u32> {
    place(IROHA, c)
}

fn place(order: &str, c: char) -> Option<u32> {
    order.chars().position(|x| x == c).and_then(|i| u32::try_from(i + 1).ok())
}

fn range(c: char, from: char, to: char, first: u32) -> Option<u32> {
    (from..=to).contains(&c).then(|| u32::from(c) - u32::from(from) + first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_number() {
        assert_eq!(any("12条"), Some((12, "条")));
        assert_eq!(any("１２条"), Some((12, "条")));
        assert_eq!(any("十二条"), Some((12, "条")));
        assert_eq!(any("百二十三条"), Some((123, "条")));
        assert_eq!(any("二〇条"), Some((20, "条")));
        assert_eq!(any("条"), None);
        assert_eq!(arabic("12345"), None);
        assert_eq!(
            (circled('⑳'), circled('㉑'), circled('㊱'), circled('㊿')),
            (Some(20), Some(21), Some(36), Some(50))
        );
        assert_eq!((parenthesized('⑵'), dotted('⒊'), kanji_parenthesized('㈣')), (Some(2), Some(3), Some(4)));
        assert_eq!((roman('Ⅳ'), roman('ⅱ')), (Some((4, true)), Some((2, false))));
        assert_eq!((latin('ｂ'), latin('C')), (Some((2, 'b')), Some((3, 'C'))));
        assert_eq!((circled_kana('㋑'), wide_kana('ｱ'), wide_kana('ﾝ')), (Some('イ'), 'ア', 'ン'));
        assert_eq!((aiueo('カ'), iroha('ハ'), aiueo('x')), (Some(6), Some(3), None));
    }
}
