//! Clauses as people cite and name them.

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
    use super::citation;

    #[test]
    fn cites_as_japanese_readers_do() {
        assert_eq!(citation("5.1.1.3.イ"), "第5章第1節(1)③(イ)");
        assert_eq!(citation("2.0.2.8.ア"), "第2章(2)⑧(ア)");
        assert_eq!(citation("P.0.1"), "序章(1)");
        assert_eq!(citation("B.6.3.1"), "基本方針 6(3)①");
        assert_eq!(citation("1"), "第1章");
    }
}
