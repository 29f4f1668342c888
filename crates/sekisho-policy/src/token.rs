//! The numbering token at the start of a line: 第3条, (1), ①, (ア), 1.2.3, ・ …

use crate::numeral::{
    after, any, arabic, circled, circled_kana, digit, dotted, iroha, kanji, kanji_parenthesized,
};
use crate::numeral::{aiueo, latin, parenthesized, roman, wide_kana};

/// A way of numbering. Two tokens are members of one list only when their styles are equal. The order is that in which
/// official documents nest them, coarse to fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Style {
    /// 第n編.
    Part,
    /// 第n章, 序章.
    Chapter,
    /// 第n節.
    Section,
    /// 第n款.
    Subsection,
    /// 第n目.
    Division,
    /// 第n条.
    Article,
    /// 第n followed by space (公用文 style).
    Dai,
    /// Ⅰ.
    Roman,
    /// `1 ` at heading level (0 outside headings).
    Num(u8),
    /// `1.` or `1、` at heading level (0 outside headings).
    NumDot(u8),
    /// `1.2.3` with its depth.
    Decimal(u8),
    /// `1-2` with its depth.
    Hyphen(u8),
    /// 一, 二.
    Kanji,
    /// (1), ⑴.
    Paren,
    /// （一）.
    KanjiParen,
    /// `1)`.
    HalfParen,
    /// ①.
    Circled,
    /// ア or イロハ, bare.
    Kana,
    /// `ア)`.
    KanaHalfParen,
    /// (ア).
    KanaParen,
    /// ㋐.
    KanaCircled,
    /// ⅰ.
    RomanSmall,
    /// (ⅰ), (i).
    RomanParen,
    /// `a.`, `a `.
    Latin,
    /// (a).
    LatinParen,
    /// `a)`.
    LatinHalfParen,
    /// A heading of a marked-up text without number, by heading level.
    Heading(u8),
    /// A bullet, by its glyph and depth of indentation.
    Bullet(char, u8),
}

/// What a token counts: the number, then its の-branches (第5条の2の3 is 5, 2, 3).
pub(crate) type Value = [u32; 3];

/// A numbering token found at the start of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The way it numbers.
    pub style: Style,
    /// Its number.
    pub value: Value,
    /// Its part of a clause id (5-2, ア).
    pub label: String,
    /// As a citation writes it.
    pub shown: String,
    /// Numbers of the levels above, when the token spells them out (1.2.3 → 1, 2).
    pub above: Vec<u32>,
    /// Bytes of the line it takes, white space around it included.
    pub len: usize,
    /// White space, a bracket or the end of the line follows.
    pub apart: bool,
    /// A particle follows: rather a reference in running text.
    pub particle: bool,
    /// 第3条から第5条まで: the last number of the range.
    pub until: Option<u32>,
}

/// How the number of a token relates to the one before it in the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next number.
    Next,
    /// The first number of a list.
    First,
    /// Later than the next: something is skipped.
    Gap,
    /// The same number again.
    Same,
    /// An earlier number.
    Back,
}

impl Style {
    /// Kana lists count in either of two orders.
    pub(crate) fn is_kana(self) -> bool {
        matches!(self, Self::Kana | Self::KanaParen | Self::KanaHalfParen | Self::KanaCircled)
    }

    /// 編, 章, 節, 款, 目: divisions whose line is always a heading.
    pub(crate) fn is_division(self) -> bool {
        matches!(self, Self::Part | Self::Chapter | Self::Section | Self::Subsection | Self::Division)
    }

    /// A token that hardly occurs by chance at the start of a line.
    pub(crate) fn is_strong(self) -> bool {
        !matches!(
            self,
            Self::Num(_)
                | Self::NumDot(_)
                | Self::Decimal(_)
                | Self::Hyphen(_)
                | Self::Kanji
                | Self::Kana
                | Self::Latin
        )
    }

    /// True for bullets.
    pub(crate) fn is_bullet(self) -> bool {
        matches!(self, Self::Bullet(..))
    }
}

impl Token {
    /// True when it can be the first of a list.
    pub(crate) fn is_first(&self) -> bool {
        if self.style.is_kana() {
            matches!(self.label.as_str(), "ア" | "イ")
        } else {
            self.value == [1, 0, 0] || self.value == [0; 3]
        }
    }

    /// How this token follows `before`, a member of the same list.
    pub(crate) fn step_from(&self, before: &Value) -> Step {
        if self.style.is_bullet() || matches!(self.style, Style::Heading(_)) {
            return Step::Next;
        }
        let ([m, b, c], [pm, pb, pc]) = (self.value, *before);
        if self.style.is_kana() {
            // value = [place in アイウ, place in イロハ, 0]
            return match () {
                () if m == pm => Step::Same,
                () if m == pm + 1 || (pb > 0 && b == pb + 1) => Step::Next,
                () if self.is_first() => Step::First,
                () if m > pm || (pb > 0 && b > pb) => Step::Gap,
                () => Step::Back,
            };
        }
        let branch_next = (m == pm && b == pb + 1 + u32::from(pb == 0) && c == 0)
            || (m == pm && b == pb && b > 0 && c == pc + 1 + u32::from(pc == 0));
        match () {
            () if self.value == *before => Step::Same,
            () if branch_next || (m == pm + 1 && b == 0) => Step::Next,
            () if self.value == [1, 0, 0] => Step::First,
            () if self.value > *before => Step::Gap,
            () => Step::Back,
        }
    }
}

/// White space that may stand around a token.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{3000}' || c == '\u{feff}'
}

/// A short text without white space; none when it is longer than `max` characters, which most lines are.
pub(crate) fn squashed(text: &str, max: usize) -> Option<String> {
    // Every character has at most four bytes, and white space rarely makes up half of a line.
    if text.len() > max * 8 {
        return None;
    }
    let mut squashed = String::with_capacity(text.len().min(max * 4));
    for (n, c) in text.chars().filter(|c| !is_space(*c)).enumerate() {
        if n >= max {
            return None;
        }
        squashed.push(c);
    }
    Some(squashed)
}

/// What of a text stands outside round brackets.
pub(crate) fn outside_brackets(text: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '（' | '(' => depth += 1,
            '）' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Characters that, right after a number, show running text rather than a token.
const PARTICLES: &str = "のにはをがでとかもや及又並若、，。・以中各等内外から～〜－-→";
/// Counters and units after a bare number.
const COUNTERS: &str =
    "年月日時分秒人件回名つ個歳条項号章節段台部週版箇ヶカ度割倍階円％%以か桁文市町村区ー～〜：:/／";

/// Recognises the token at the start of `line`; `heading` is the level of a marked-up heading (0: none) and `indent`
/// the width of white space already taken off the line.
pub(crate) fn recognize(line: &str, heading: u8, indent: u16) -> Option<Token> {
    let body = line.trim_start_matches(is_space);
    let lead = line.len() - body.len();
    let (bullet, inner) = match strip_bullet(body) {
        // 「- ・」: a list of the markup around a list of the text.
        (Some(outer), inner) => match strip_bullet(inner) {
            (None, inner) => (Some(outer), inner),
            inside => inside,
        },
        none => none,
    };
    let mut token = numbered(inner, heading);
    if let (Some(t), Some(_)) = (&token, bullet) {
        // 「・1人につき」 is a bullet; only tokens that stand apart keep their number behind a bullet.
        if !t.apart && !t.style.is_strong() {
            token = None;
        }
    }
    let (mut token, rest) = match (token, bullet) {
        (Some(t), _) => {
            let rest = inner.get(t.len..).unwrap_or("");
            (t, rest)
        }
        (None, Some(glyph)) => {
            let depth = u8::try_from(indent / 2).unwrap_or(8).min(8);
            (make(Style::Bullet(glyph, depth), 1, String::new(), String::new(), ""), inner)
        }
        (None, None) => return None,
    };
    let rest_body = rest.trim_start_matches(is_space);
    token.len = line.len() - rest_body.len();
    debug_assert!(token.len >= lead);
    Some(token)
}

/// Takes one bullet glyph off; gives it and what follows.
fn strip_bullet(body: &str) -> (Option<char>, &str) {
    let Some(c) = body.chars().next() else { return (None, body) };
    let rest = after(body, c);
    let next = rest.chars().next();
    let spaced = next.is_some_and(is_space);
    let is_bullet = match c {
        '-' | '*' | '+' | '–' | '—' | '－' | '‐' => spaced,
        '・' | '･' | '•' | '●' | '○' | '◯' | '◎' | '■' | '□' | '◆' | '◇' | '▪' | '‣' | '➢' | '▶' | '►'
        | '✓' => next.is_some_and(|n| n != c),
        _ => false,
    };
    if is_bullet {
        (Some(if c == '･' { '・' } else { c }), rest.trim_start_matches(is_space))
    } else {
        (None, body)
    }
}

fn make(style: Style, main: u32, label: String, shown: String, rest: &str) -> Token {
    let next = rest.chars().next();
    Token {
        style,
        value: [main, 0, 0],
        label,
        shown,
        above: Vec::new(),
        len: 0,
        apart: next.is_none_or(|c| is_space(c) || matches!(c, '（' | '(' | '「' | '【')),
        particle: next.is_some_and(|c| PARTICLES.contains(c)),
        until: None,
    }
}

/// A numbered token at the very start; `len` counts the token only.
fn numbered(s: &str, heading: u8) -> Option<Token> {
    let c = s.chars().next()?;
    let rest = after(s, c);
    let (mut token, rest) = match c {
        '第' => dai(rest)?,
        '序' => {
            let rest = rest.trim_start_matches(is_space).strip_prefix('章')?;
            let mut token = make(Style::Chapter, 0, "P".into(), "序章".into(), rest);
            token.value = [0; 3];
            (!token.particle).then_some((token, rest))?
        }
        '(' | '（' => bracketed(rest)?,
        _ => digit(c).and_then(|_| decimal(s, heading)).or_else(|| symbol(c, rest)).or_else(|| bare(s))?,
    };
    token.len = s.len() - rest.len();
    Some(token)
}

/// 第n編, 章, 節, 款, 目, 条 and 第n with space. A particle right after means a reference.
fn dai(s: &str) -> Option<(Token, &str)> {
    let (n, rest) = any(s.trim_start_matches(is_space))?;
    let spaced = rest.trim_start_matches(is_space);
    let unit = spaced.chars().next();
    let style = match unit {
        Some('編') => Style::Part,
        Some('章') => Style::Chapter,
        Some('節') => Style::Section,
        Some('款') => Style::Subsection,
        // 「第1 目的」 is no 目.
        Some('目') if rest.starts_with('目') && after(rest, '目').starts_with(is_space) => Style::Division,
        Some('条') => return article(n, after(spaced, '条')),
        _ => {
            let apart = rest.chars().next().is_some_and(is_space) && !spaced.is_empty();
            return apart.then(|| (make(Style::Dai, n, n.to_string(), format!("第{n}"), rest), rest));
        }
    };
    let unit = unit?;
    let rest = after(spaced, unit);
    let (value, rest) = branches(n, rest);
    let mut token = make(style, n, dashed(&value), format!("第{n}{unit}{}", no_suffix(&value)), rest);
    token.value = value;
    (!token.particle).then_some((token, rest))
}

/// The rest of 第n条: の-branches, and the range of 第3条から第5条まで 削除.
fn article(n: u32, rest: &str) -> Option<(Token, &str)> {
    let (value, rest) = branches(n, rest);
    let mut token = make(Style::Article, n, dashed(&value), format!("第{n}条{}", no_suffix(&value)), rest);
    token.value = value;
    let range =
        ["から第", "及び第", "・第"].iter().find_map(|p| rest.strip_prefix(p)).and_then(|r| any(r)).and_then(
            |(m, r)| {
                let tail = r.strip_prefix('条')?;
                let tail = tail.strip_prefix("まで").unwrap_or(tail);
                tail.trim_start_matches(is_space).strip_prefix('削').map(|_| (m, tail))
            },
        );
    if let Some((last, tail)) = range {
        token.until = Some(last);
        token.apart = true;
        token.particle = false;
        return Some((token, tail));
    }
    (!token.particle).then_some((token, rest))
}

/// の2, の2の3 after a number. 「の」 before anything else is left alone.
fn branches(n: u32, rest: &str) -> (Value, &str) {
    let take = |r: &'_ str| -> Option<(u32, usize)> {
        let inner = r.strip_prefix('の')?;
        let (b, tail) = any(inner)?;
        // 第5条の2以上 does not occur; 第2の1人 does: a counter means running text.
        tail.chars()
            .next()
            .is_none_or(|c| is_space(c) || matches!(c, '（' | '(' | 'の' | '第'))
            .then_some((b, r.len() - tail.len()))
    };
    let Some((b, used)) = take(rest) else { return ([n, 0, 0], rest) };
    let rest = rest.get(used..).unwrap_or("");
    let Some((c, used)) = take(rest) else { return ([n, b, 0], rest) };
    ([n, b, c], rest.get(used..).unwrap_or(""))
}

fn dashed(value: &Value) -> String {
    let mut parts = value.iter().take_while(|v| **v > 0).map(u32::to_string);
    let first = parts.next().unwrap_or_else(|| "0".into());
    parts.fold(first, |acc, p| acc + "-" + &p)
}

fn no_suffix(value: &Value) -> String {
    value.iter().skip(1).take_while(|v| **v > 0).map(|v| format!("の{v}")).collect()
}

/// (1), (ア), （一）, (a), (ⅰ) after the opening bracket.
fn bracketed(s: &str) -> Option<(Token, &str)> {
    let close = s.char_indices().take(6).find(|(_, c)| matches!(c, ')' | '）'))?;
    let inner = s.get(..close.0)?.trim_matches(is_space);
    let rest = s.get(close.0 + close.1.len_utf8()..)?;
    let c = inner.chars().next()?;
    let single = inner.chars().nth(1).is_none();
    if let Some((n, "")) = arabic(inner) {
        let (value, rest) = branches(n, rest);
        let mut token = make(Style::Paren, n, dashed(&value), format!("({n}){}", no_suffix(&value)), rest);
        token.value = value;
        return Some((token, rest));
    }
    if let Some((n, "")) = kanji(inner) {
        return Some((make(Style::KanjiParen, n, n.to_string(), format!("({inner})"), rest), rest));
    }
    if single {
        let kana = wide_kana(c);
        if aiueo(kana).is_some() {
            return Some((kana_token(Style::KanaParen, kana, format!("({kana})"), rest)?, rest));
        }
        if let Some(n) = small_roman(inner) {
            return Some((make(Style::RomanParen, n, inner.to_string(), format!("({inner})"), rest), rest));
        }
        if let Some((n, _)) = roman(c) {
            return Some((make(Style::RomanParen, n, c.to_string(), format!("({c})"), rest), rest));
        }
        if let Some((n, letter)) = latin(c) {
            return Some((make(Style::LatinParen, n, letter.to_string(), format!("({letter})"), rest), rest));
        }
    }
    let n = small_roman(inner)?;
    Some((make(Style::RomanParen, n, inner.to_string(), format!("({inner})"), rest), rest))
}

/// i, ii, iii …, xii. A letter alone is taken for a number only where no list of letters is likely to reach it.
fn small_roman(s: &str) -> Option<u32> {
    const ROMAN: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];
    let n = ROMAN.iter().position(|r| *r == s)?;
    u32::try_from(n + 1).ok()
}

/// `1`, `1.`, `1)`, `1.2.3`, `1-2`.
fn decimal(s: &str, heading: u8) -> Option<(Token, &str)> {
    let (first, mut rest) = arabic(s)?;
    let mut path = vec![first];
    let mut mark = None;
    while let Some(c) = rest.chars().next() {
        let kind = match c {
            '.' | '．' => '.',
            '-' | '－' | '‐' | '−' | '–' => '-',
            _ => break,
        };
        let Some((n, tail)) = arabic(after(rest, c)) else { break };
        if mark.is_some_and(|m| m != kind) || path.len() >= 6 {
            break;
        }
        mark = Some(kind);
        path.push(n);
        rest = tail;
    }
    if path.iter().any(|n| *n > 300) {
        return None;
    }
    let last = path.last().copied()?;
    let depth = u8::try_from(path.len()).ok()?;
    let next = rest.chars().next();
    if let Some(kind) = mark {
        let rest = rest.strip_prefix(['.', '．']).unwrap_or(rest);
        let (style, sep) =
            if kind == '.' { (Style::Decimal(depth), ".") } else { (Style::Hyphen(depth), "-") };
        let shown = path.iter().map(u32::to_string).collect::<Vec<_>>().join(sep);
        let mut token = make(style, last, last.to_string(), shown, rest);
        path.pop();
        token.above = path;
        let unit =
            next.is_some_and(|c| COUNTERS.contains(c) || PARTICLES.contains(c) || c.is_ascii_alphabetic());
        return (!unit).then_some((token, rest));
    }
    let build = |style, rest| Some((make(style, first, first.to_string(), first.to_string(), rest), rest));
    match next? {
        c @ ('.' | '．' | '、') => build(Style::NumDot(heading), after(rest, c)),
        c @ (')' | '）') => {
            let rest = after(rest, c);
            Some((make(Style::HalfParen, first, first.to_string(), format!("{first})"), rest), rest))
        }
        c if is_space(c) => {
            let following = rest.trim_start_matches(is_space).chars().next();
            let unit = following.is_none_or(|f| {
                matches!(f, '年' | '月' | '日' | '/' | '／' | '-' | '－') || digit(f).is_some()
            });
            if unit { None } else { build(Style::Num(heading), rest) }
        }
        c if COUNTERS.contains(c) || PARTICLES.contains(c) || c.is_ascii() => None,
        _ => build(Style::Num(heading), rest),
    }
}

/// Single characters that are a number in themselves.
fn symbol(c: char, rest: &str) -> Option<(Token, &str)> {
    let plain = |style, n: u32| Some((make(style, n, n.to_string(), c.to_string(), rest), rest));
    if let Some(n) = circled(c) {
        let (value, rest) = branches(n, rest);
        let mut token = make(Style::Circled, n, dashed(&value), format!("{c}{}", no_suffix(&value)), rest);
        token.value = value;
        return Some((token, rest));
    }
    if let Some(n) = parenthesized(c) {
        return Some((make(Style::Paren, n, n.to_string(), format!("({n})"), rest), rest));
    }
    if let Some(n) = dotted(c) {
        return Some((make(Style::NumDot(0), n, n.to_string(), n.to_string(), rest), rest));
    }
    if let Some(n) = kanji_parenthesized(c) {
        return plain(Style::KanjiParen, n);
    }
    if let Some(kana) = circled_kana(c) {
        return Some((kana_token(Style::KanaCircled, kana, c.to_string(), rest)?, rest));
    }
    // 「Ⅰの1に定める」 refers.
    let refers = rest.starts_with(['の', 'に', 'を', 'が', 'は', 'と', '及', '又']);
    if let Some((n, upper)) = roman(c).filter(|(_, upper)| !(*upper && refers)) {
        let rest = rest.strip_prefix(['.', '．', '、']).unwrap_or(rest);
        let style = if upper { Style::Roman } else { Style::RomanSmall };
        let label = if upper { n.to_string() } else { c.to_string() };
        return Some((make(style, n, label, c.to_string(), rest), rest));
    }
    None
}

/// ア, 一, a standing apart from what follows.
fn bare(s: &str) -> Option<(Token, &str)> {
    let c = s.chars().next()?;
    if let Some((n, rest)) = kanji(s) {
        let (value, rest) = branches(n, rest);
        let written = s.get(..s.len() - rest.len())?;
        let apart = rest.chars().next().is_some_and(is_space) && !rest.trim_matches(is_space).is_empty();
        let mut token = make(Style::Kanji, n, dashed(&value), written.to_owned(), rest);
        token.value = value;
        return apart.then_some((token, rest));
    }
    let letters = s.find(|c: char| !c.is_ascii_lowercase()).and_then(|end| s.get(..end));
    if let Some((written, n)) = letters.and_then(|w| small_roman(w).map(|n| (w, n))) {
        let rest = s.get(written.len()..)?;
        let rest = rest.strip_prefix(['.', '．', ')', '）'])?;
        return Some((make(Style::RomanSmall, n, written.to_owned(), written.to_owned(), rest), rest));
    }
    let rest = after(s, c);
    let next = rest.chars().next()?;
    let (half_paren, rest) = match next {
        ')' | '）' => (true, after(rest, next)),
        '.' | '．' | '、' => (false, after(rest, next)),
        n if is_space(n) && !rest.trim_matches(is_space).is_empty() => (false, rest),
        _ => return None,
    };
    let kana = wide_kana(c);
    if aiueo(kana).is_some() {
        let style = if half_paren { Style::KanaHalfParen } else { Style::Kana };
        let shown = if half_paren { format!("{kana})") } else { kana.to_string() };
        return Some((kana_token(style, kana, shown, rest)?, rest));
    }
    let (n, letter) = latin(c)?;
    // 「A 社」: a capital needs a mark after it, and so does a letter that begins a word.
    if is_space(next) && letter.is_ascii_uppercase() {
        return None;
    }
    let style = if half_paren { Style::LatinHalfParen } else { Style::Latin };
    let shown = if half_paren { format!("{letter})") } else { letter.to_string() };
    Some((make(style, n, letter.to_string(), shown, rest), rest))
}

fn kana_token(style: Style, kana: char, shown: String, rest: &str) -> Option<Token> {
    let mut token = make(style, aiueo(kana)?, kana.to_string(), shown, rest);
    token.value = [aiueo(kana)?, iroha(kana).unwrap_or(0), 0];
    Some(token)
}

#[cfg(test)]
mod tests;
