//! Markdown: headings, pipe tables, emphasis; numbering and bullets are read like those of plain text.

use super::{Line, LineSink};

/// True for a text with at least two `#` headings.
pub(super) fn looks_like(text: &str) -> bool {
    text.lines().take(2_000).filter(|line| atx(line).is_some()).take(2).count() == 2
}

/// The level and text of a `# heading`.
fn atx(line: &str) -> Option<(u8, &str)> {
    let body = line.trim_start_matches('#');
    let level = u8::try_from(line.len() - body.len()).ok().filter(|l| (1..=6).contains(l))?;
    let body = body.strip_prefix([' ', '\t', '\u{3000}'])?;
    Some((level, body.trim().trim_end_matches('#').trim_end()))
}

/// The lines of a Markdown text.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut sink = LineSink::default();
    let mut comment = false;
    let mut lines = text.lines().peekable();
    while let Some(raw) = lines.next() {
        let visible = uncomment(raw, &mut comment);
        let line = visible.trim_start_matches('>').trim_start_matches(' ');
        let line = if visible.starts_with('>') { line } else { visible.as_str() };
        if is_rule(line) || is_table_rule(line) {
            sink.push("", |_| {});
            continue;
        }
        if let Some((level, body)) = atx(line) {
            sink.push(&inline(body), |l| {
                l.heading = level;
                l.blank_before = true;
            });
            continue;
        }
        let underlined = lines
            .peek()
            .and_then(|next| setext(next))
            .filter(|_| !line.trim().is_empty() && !line.contains('|'));
        if let Some(level) = underlined {
            sink.push(&inline(line), |l| l.heading = level);
            continue;
        }
        if let Some(row) = line.trim().strip_prefix('|') {
            let cells: Vec<String> =
                row.trim_end().trim_end_matches('|').split('|').map(|c| inline(c.trim())).collect();
            sink.push(&cells.join("\t"), |l| l.table = true);
            continue;
        }
        sink.push(&inline(line), |_| {});
    }
    sink.finish()
}

/// `===` or `---` below a heading.
fn setext(line: &str) -> Option<u8> {
    let t = line.trim();
    let all = |c: char| t.len() >= 3 && t.chars().all(|x| x == c);
    if all('=') {
        Some(1)
    } else if all('-') {
        Some(2)
    } else {
        None
    }
}

fn is_rule(line: &str) -> bool {
    let t: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    t.len() >= 3 && ['-', '*', '_', '='].iter().any(|m| t.chars().all(|c| c == *m))
}

fn is_table_rule(line: &str) -> bool {
    let t = line.trim();
    t.contains('-') && t.contains('|') && t.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// Drops `<!-- … -->`, also over several lines.
fn uncomment(raw: &str, open: &mut bool) -> String {
    let mut out = String::new();
    let mut rest = raw;
    loop {
        if *open {
            let Some((_, tail)) = rest.split_once("-->") else { return out };
            *open = false;
            rest = tail;
        } else {
            let Some((head, tail)) = rest.split_once("<!--") else {
                out.push_str(rest);
                return out;
            };
            out.push_str(head);
            *open = true;
            rest = tail;
        }
    }
}

/// Takes off emphasis, code marks, `<br>` and the backslashes before punctuation.
fn inline(text: &str) -> String {
    let text = text.replace("**", "").replace("<br>", " ").replace("<br/>", " ").replace("<br />", " ");
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '`' => {}
            '\\' if chars.peek().is_none_or(char::is_ascii_punctuation) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_tables_and_marks() {
        let text = "# 基準\n\n## 1\\. **目的**\n<!-- 註\n続く -->\n| 区分 | 例 |\n|---|:--|\n| `サーバ` | 機器 |\n\n定義\n---\n本文\\\n";
        assert!(looks_like(text));
        let lines = read(text);
        let seen: Vec<(u8, bool, &str)> =
            lines.iter().map(|l| (l.heading, l.table, l.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                (1, false, "基準"),
                (2, false, "1. 目的"),
                (0, true, "区分\t例"),
                (0, true, "サーバ\t機器"),
                (2, false, "定義"),
                (0, false, "本文")
            ]
        );
        assert_eq!(lines[3].no, 8);
    }
}
