//! Is this a standard at all?

use crate::PolicyError;
use crate::model::{Modality, Node, PolicyText};
use crate::source::Line;

/// Words of standards, rules and policies.
const VOCABULARY: &[&str] = &[
    "情報セキュリティ",
    "情報資産",
    "個人情報",
    "セキュリティ",
    "規程",
    "基準",
    "要綱",
    "要領",
    "方針",
    "遵守",
    "管理者",
    "責任者",
    "職員",
    "施行",
    "規定",
    "本市",
    "許可",
    "承認",
    "措置",
    "必要な事項",
    "実施手順",
    "台帳",
    "委員会",
    "目的",
    "定義",
    "適用",
];

/// So many of these words show a standard, whatever else it says.
const ENOUGH: usize = 6;

/// Refuses what is no standard.
pub(crate) fn judge(lines: &[Line], text: &PolicyText) -> Result<(), PolicyError> {
    let refuse = |reason: &str| Err(PolicyError::NotAStandard { reason: reason.to_owned() });
    let sample: String = lines.iter().take(4_000).map(|l| l.text.as_str()).collect();
    let (mut japanese, mut undecoded, mut other) = (0usize, 0usize, 0usize);
    for c in sample.chars() {
        match c {
            c if is_japanese(c) => japanese += 1,
            '\u{fffd}' => undecoded += 1,
            c => other += usize::from(!c.is_whitespace()),
        }
    }
    let total = japanese + undecoded + other;
    if total == 0 {
        return refuse("文字がありません");
    }
    if undecoded * 20 > total {
        return refuse("文字が化けています");
    }
    if japanese * 10 < total * 4 {
        return refuse("日本語の文書ではありません");
    }
    if is_csv(lines) {
        return refuse("表計算の表（CSVなど）です");
    }
    let nodes: Vec<&Node> = text.nodes.iter().collect();
    if nodes.len() < 2 {
        return refuse("番号の付いた条項が見つかりません");
    }
    let sentences = nodes.iter().flat_map(|n| &n.sentences);
    let (count, normative) =
        sentences.fold((0usize, 0usize), |(c, n), s| (c + 1, n + usize::from(s.modality != Modality::None)));
    let words = VOCABULARY.iter().filter(|w| sample.contains(*w)).take(ENOUGH).count();
    // Rules oblige in a good part of their sentences, and speak of offices, duties and records.
    let obliging = normative * 6 >= count && normative >= 1;
    if words >= ENOUGH || (words >= 3 && obliging) {
        Ok(())
    } else {
        refuse("規程に当たる文（「しなければならない」など）や用語がほとんどありません")
    }
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '、' | '。')
}

/// Nearly every line has the same number of commas or tabs.
fn is_csv(lines: &[Line]) -> bool {
    let texts: Vec<&str> = lines.iter().take(400).map(|l| l.text.as_str()).collect();
    [',', '\t'].iter().any(|sep| {
        let counts: Vec<usize> = texts.iter().map(|t| t.matches(*sep).count()).collect();
        let first = counts.first().copied().unwrap_or(0);
        first > 0
            && texts.len() >= 2
            && counts.iter().filter(|c| **c == first).count() * 10 >= counts.len() * 9
    })
}
