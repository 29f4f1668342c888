//! Clauses as people cite and name them.

use sekisho_base::text::normalize_code;

/// 「第5章第1節(1)③(イ)」 of `5.1.1.3.イ`.
#[must_use]
pub fn citation(id: &str) -> String {
    let circled = |n: &str| {
        n.parse::<u32>()
            .ok()
            .filter(|n| (1..=20).contains(n))
            .and_then(|n| char::from_u32(0x245f + n))
            .map_or_else(|| format!("[{n}]"), String::from)
    };
    let (basic, rest) = id.strip_prefix("B.").map_or((false, id), |r| (true, r));
    if id == "B" || rest.is_empty() {
        return "基本方針".to_owned();
    }
    if basic && rest == "0" {
        return "基本方針 改正の経過".to_owned();
    }
    let mut out = String::new();
    for (level, part) in rest.split('.').enumerate() {
        if part == "0" {
            continue;
        }
        out += &match (basic, level) {
            (false, 0) if part == "P" => "序章".to_owned(),
            (false, 0) => format!("第{part}章"),
            (false, 1) => format!("第{part}節"),
            (true, 0) => format!("基本方針 {part}"),
            (true, 1) => format!("({part})"),
            (false, 2) => format!("({part})"),
            (false, 3) | (true, 2) => circled(part),
            (false, 4) | (true, 3) => format!("({part})"),
            _ => format!("・{part}"),
        };
    }
    out
}

/// `5.1.1.3.イ` of what people write for a clause: its number, or the citation as [`citation`] gives it and every page shows it, in any
/// width and with or without spaces. What is neither comes back as a code, for a message to name.
#[must_use]
pub fn clause_number(typed: &str) -> String {
    // A circled number is another level than a plain one, and normalizing takes the circle away.
    let marked: String = typed
        .chars()
        .map(|c| match u32::from(c) {
            n @ 0x2460..=0x2473 => format!("<{}>", n - 0x245f),
            _ => c.to_string(),
        })
        .collect();
    let text: String = normalize_code(&marked).chars().filter(|c| !c.is_whitespace()).collect();
    cited(&text).unwrap_or(text)
}

/// The number of a citation without white space and with `<n>` for circled numbers.
fn cited(text: &str) -> Option<String> {
    match text {
        "基本方針" => return Some("B".to_owned()),
        "基本方針改正の経過" => return Some("B.0".to_owned()),
        _ => {}
    }
    let (mut parts, mut rest) = if let Some(rest) = text.strip_prefix("基本方針") {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let chapter = rest.strip_suffix(digits).filter(|c| !c.is_empty())?;
        (vec!["B".to_owned(), chapter.to_owned()], digits)
    } else if let Some(rest) = text.strip_prefix("序章") {
        (vec!["P".to_owned(), "0".to_owned()], rest)
    } else {
        let (chapter, rest) = text.strip_prefix('第')?.split_once('章')?;
        let (section, rest) = match rest.strip_prefix('第').and_then(|r| r.split_once('節')) {
            Some((section, rest)) => (section, rest),
            None => ("0", rest),
        };
        (vec![chapter.to_owned(), section.to_owned()], rest)
    };
    // Parts stand at fixed places: (1) third, ① fourth, (ア) fifth, ・1 sixth; what a citation leaves out is 0 in the number.
    while !rest.is_empty() {
        let (level, part, after) = if let Some(r) = rest.strip_prefix('<') {
            let (n, r) = r.split_once('>')?;
            (3, n, r)
        } else if let Some(r) = rest.strip_prefix('[') {
            let (n, r) = r.split_once(']')?;
            (3, n, r)
        } else if let Some(r) = rest.strip_prefix('(') {
            let (n, r) = r.split_once(')')?;
            (if parts.len() < 3 && n.bytes().all(|b| b.is_ascii_digit()) { 2 } else { 4 }, n, r)
        } else {
            let r = rest.strip_prefix('・')?;
            let end = r.find('・').unwrap_or(r.len());
            let (n, r) = r.split_at(end);
            (parts.len().max(5), n, r)
        };
        if level < parts.len() || part.is_empty() {
            return None;
        }
        parts.resize(level, "0".to_owned());
        parts.push(part.to_owned());
        rest = after;
    }
    // A chapter alone is no clause with a section.
    while parts.len() > 1 && parts.last().is_some_and(|p| p == "0") {
        parts.pop();
    }
    Some(parts.join("."))
}

pub(super) fn modality(m: &str) -> &'static str {
    match m {
        "must" => "しなければならない",
        "must_not" => "してはならない",
        "may" => "できる",
        "should" => "努める",
        _ => "定義・説明",
    }
}

pub(super) fn area(n: u8) -> String {
    let names = [
        "組織体制",
        "情報資産の分類と管理",
        "物理的な対策",
        "人的な対策",
        "技術的な対策",
        "運用",
        "業務委託と外部サービス",
        "評価と見直し",
    ];
    names.get(usize::from(n).wrapping_sub(1)).map_or_else(String::new, |name| format!("{n} {name}"))
}

#[cfg(test)]
mod tests {
    use super::{citation, clause_number};

    #[test]
    fn reads_what_the_pages_show_and_what_is_a_number_already() {
        for id in [
            "5.1.1.3.イ",
            "2.0.2.8.ア",
            "P.0.1",
            "B.6.3.1",
            "1",
            "4.1.3.1",
            "5.1.1.5",
            "4.1",
            "6.1.10.2",
            "5.1.1.3.イ.2",
            "B",
            "B.0",
            "8.1.2.0.0.10",
        ] {
            assert_eq!(clause_number(&citation(id)), id, "{}", citation(id));
            assert_eq!(clause_number(id), id);
        }
        assert_eq!(clause_number(" 第５章 第１節（１）③（イ） "), "5.1.1.3.イ");
        assert_eq!(clause_number("５．１．１．３．イ"), "5.1.1.3.イ");
        for odd in ["", "第", "第5章)(", "第5章<1", "基本方針", "第5章①(1)①", "・"] {
            assert_eq!(clause_number(odd), clause_number(&clause_number(odd)), "{odd}");
        }
    }

    #[test]
    fn cites_as_japanese_readers_do() {
        assert_eq!(citation("5.1.1.3.イ"), "第5章第1節(1)③(イ)");
        assert_eq!(citation("2.0.2.8.ア"), "第2章(2)⑧(ア)");
        assert_eq!(citation("P.0.1"), "序章(1)");
        assert_eq!(citation("B.6.3.1"), "基本方針 6(3)①");
        assert_eq!(citation("1"), "第1章");
    }
}
