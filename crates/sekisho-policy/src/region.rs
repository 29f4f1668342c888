//! Main text, 附則 and 別表: which lines belong to which.

use crate::source::Line;
use crate::token::{Style, Token, is_space, squashed};

/// A part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// The text itself, its front page included.
    Main,
    /// One 附則.
    Supplement,
    /// One 別表, 様式 …
    Annex,
}

/// A run of lines of one part; `head` is the line that names it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What it is.
    pub region: Region,
    /// Its lines, by index; for 附則 and 別表 without the line that names it.
    pub lines: Vec<usize>,
    /// The line that names it.
    pub head: Option<usize>,
}

/// Cuts a text into its parts; all lines of the main text are in the first. `tokens` holds the token of each line.
pub(crate) fn parts(lines: &[Line], tokens: &[Option<Token>]) -> Vec<Part> {
    let last = |wanted: fn(Style) -> bool| {
        tokens.iter().rposition(|t| t.as_ref().is_some_and(|t| wanted(t.style))).unwrap_or(0)
    };
    let last_structural = last(|s| s.is_division() || s == Style::Article);
    let last_numbered = last(|s| !s.is_bullet());
    let mut all = vec![Part { region: Region::Main, lines: Vec::new(), head: None }];
    let mut current = 0;
    let mut main_begun = false;
    for (i, line) in lines.iter().enumerate() {
        let style = tokens.get(i).and_then(Option::as_ref).map(|t| t.style);
        main_begun |= style.is_some_and(|s| !s.is_bullet());
        let in_supplement = all.get(current).is_some_and(|p| p.region != Region::Main);
        let begun = if !main_begun || line.table {
            None
        } else if is_supplement(&line.text) {
            Some(Region::Supplement)
        } else if is_annex(&line.text)
            && (in_supplement || i > last_structural && (last_structural > 0 || i >= last_numbered))
        {
            Some(Region::Annex)
        } else {
            None
        };
        if let Some(region) = begun {
            current = all.len();
            all.push(Part { region, lines: Vec::new(), head: Some(i) });
            continue;
        }
        // A chapter after 附則: another text follows in the same file.
        if in_supplement && style.is_some_and(|s| matches!(s, Style::Chapter | Style::Part)) {
            current = 0;
        }
        if let Some(part) = all.get_mut(current) {
            part.lines.push(i);
        }
    }
    all
}

/// 附則, 附　則（令和5年訓令第3号）, 附則　抄.
fn is_supplement(text: &str) -> bool {
    let Some(t) = text.starts_with(['附', '付']).then(|| squashed(text, 60)).flatten() else {
        return false;
    };
    let Some(rest) = t.strip_prefix("附則").or_else(|| t.strip_prefix("付則")) else { return false };
    let rest = rest.trim_end_matches('抄');
    rest.is_empty() || (rest.starts_with(['（', '(', '〔', '［']) && rest.ends_with(['）', ')', '〕', '］']))
}

/// 別表第1（第5条関係）, 別記様式第2号, 別紙 …, standing as a title.
fn is_annex(text: &str) -> bool {
    let named = text.starts_with(['（', '(', '【', '［', '〔', '別', '様', '参', '第']);
    let Some(t) = named.then(|| squashed(text, 45)).flatten() else { return false };
    let t = t.trim_start_matches(['（', '(', '【', '［', '〔']);
    let named = ["別表", "別記", "別紙", "別添", "別図", "様式第", "参考資料", "参考様式"]
        .iter()
        .find_map(|p| t.strip_prefix(p));
    let form = t.strip_prefix('第').and_then(crate::numeral::any).and_then(|(_, r)| r.strip_prefix("号様式"));
    let Some(rest) = named.or(form) else { return false };
    let particle = rest.starts_with(['の', 'に', 'は', 'を', 'で', 'と', 'が', 'か', '及', '又', '、']);
    !particle && !t.ends_with(['。', '、'])
}

/// はじめに, 前文, 「序　文書の構成」: a heading before the first number, read as 序章. How it is cited.
pub(crate) fn preface_name(text: &str) -> Option<String> {
    const NAMES: [&str; 6] = ["はじめに", "前文", "序文", "序", "まえがき", "序論"];
    if let Some(name) = squashed(text, 5).filter(|t| NAMES.contains(&t.as_str())) {
        return Some(name);
    }
    let rest = text.strip_prefix('序')?;
    let short =
        rest.starts_with(is_space) && rest.chars().count() <= 40 && !rest.contains(['。', '、', '，', ',']);
    short.then(|| "序".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts() {
        for yes in ["附則", "附　則", "附　則（令和5年3月1日訓令第3号）", "附則　抄"] {
            assert!(is_supplement(yes), "{yes}");
        }
        assert!(!is_supplement("附則第2項の規定"));
        for yes in ["別表第1（第5条関係）", "様式第１号（第３条関係）", "第2号様式", "別紙　緊急連絡網"]
        {
            assert!(is_annex(yes), "{yes}");
        }
        for no in ["別表のとおりとする。", "別に定める", "様式第1号により申請する。", "別紙、参考"]
        {
            assert!(!is_annex(no), "{no}");
        }
    }
}
