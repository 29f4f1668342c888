//! Text normalization. Names of people are never normalized; codes, numbers and search keys are.

use unicode_normalization::UnicodeNormalization as _;

/// Variant characters that NFKC leaves alone, with the form people search by; in their own order.
const VARIANTS: &[(char, char)] = &[
    ('冨', '富'),
    ('國', '国'),
    ('嵜', '崎'),
    ('嶋', '島'),
    ('嶌', '島'),
    ('廣', '広'),
    ('德', '徳'),
    ('惠', '恵'),
    ('曻', '昇'),
    ('栁', '柳'),
    ('桒', '桑'),
    ('槇', '槙'),
    ('淵', '渕'),
    ('澤', '沢'),
    ('濱', '浜'),
    ('濵', '浜'),
    ('瀨', '瀬'),
    ('眞', '真'),
    ('邉', '辺'),
    ('邊', '辺'),
    ('髙', '高'),
    ('齊', '斉'),
    ('齋', '斎'),
    ('龍', '竜'),
    ('﨑', '崎'),
    ('𠮷', '吉'),
    ('𣘺', '橋'),
];

/// The words that are looked for, folded like the texts they are looked for in.
pub fn search_words(typed: &str) -> impl Iterator<Item = String> {
    typed.split_whitespace().map(fold_key).filter(|w| !w.is_empty())
}

/// A code as stored: NFKC, no white space at the ends, dashes unified to `-`.
#[must_use]
pub fn normalize_code(s: &str) -> String {
    let t: String = s.nfkc().collect();
    t.trim()
        .chars()
        .map(|c| if matches!(c, '‐' | '‑' | '‒' | '–' | '—' | '−' | '－') { '-' } else { c })
        .collect()
}

/// The key under which text is searched: NFKC, lower case, katakana to hiragana, old and variant characters to the
/// common one, variation selectors (IVS) and white space dropped.
#[must_use]
pub fn fold_key(s: &str) -> String {
    s.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace() && !is_variation_selector(*c))
        .map(|c| match c {
            'ァ'..='ヶ' => u32::from(c).checked_sub(0x60).and_then(char::from_u32).unwrap_or(c),
            c => variant(c),
        })
        .collect()
}

fn variant(c: char) -> char {
    let found = VARIANTS.binary_search_by_key(&c, |(from, _)| *from).ok().and_then(|at| VARIANTS.get(at));
    found.map_or(c, |(_, to)| *to)
}

/// Overlapping pairs of characters of a folded key; a single character stands for itself.
#[must_use]
pub fn bigrams(folded: &str) -> Vec<String> {
    let chars: Vec<char> = folded.chars().collect();
    if chars.len() < 2 {
        return chars.iter().map(char::to_string).collect();
    }
    chars.windows(2).map(|pair| pair.iter().collect()).collect()
}

/// Mongolian, standard and ideographic variation selectors.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Cuts to a number of characters, adding 「…」 when something was cut.
#[must_use]
pub fn shorten(s: &str, chars: usize) -> String {
    if s.chars().count() <= chars {
        s.to_owned()
    } else {
        s.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_variants_width_kana_and_selectors() {
        assert_eq!(fold_key("髙﨑 ﾀﾛｳ"), "高崎たろう");
        assert_eq!(fold_key("邉\u{e0101}ＡＢＣ"), "辺abc");
        assert_eq!(fold_key("齋藤　ヴ"), "斎藤ゔ");
    }

    #[test]
    fn every_variant_is_found() {
        assert!(VARIANTS.is_sorted());
        assert!(VARIANTS.iter().all(|(from, to)| variant(*from) == *to));
        assert_eq!(variant('市'), '市');
    }

    #[test]
    fn codes_are_half_width_with_plain_dashes() {
        assert_eq!(normalize_code("　ＰＣ－００１ "), "PC-001");
        assert_eq!(normalize_code("03−1234"), "03-1234");
    }

    #[test]
    fn pairs_and_cuts() {
        assert_eq!(bigrams("市役所"), ["市役", "役所"]);
        assert_eq!(bigrams("市"), ["市"]);
        assert_eq!(shorten("情報資産", 3), "情報…");
    }
}
