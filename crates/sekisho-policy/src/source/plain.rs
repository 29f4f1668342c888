//! Plain text.

use super::{Line, LineSink};

/// The lines of a plain text; rows of a table are those with tabs between cells.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut sink = LineSink::default();
    for raw in text.lines() {
        sink.push(raw, |_| {});
    }
    let mut lines = sink.finish();
    mark_tables(&mut lines);
    lines
}

/// A line with a tab that is not right behind its numbering token is a row when a neighbour is one too, or when it has
/// three cells or more.
pub(super) fn mark_tables(lines: &mut [Line]) {
    let cells: Vec<usize> = lines.iter().map(|line| cells(&line.text)).collect();
    for (i, line) in lines.iter_mut().enumerate() {
        let near = |j: Option<usize>| j.and_then(|j| cells.get(j)).is_some_and(|n| *n > 0);
        let own = cells.get(i).copied().unwrap_or(0);
        line.table = own > 1 || (own == 1 && (near(i.checked_sub(1)) || near(i.checked_add(1))));
    }
}

/// Tabs behind the numbering token of a line.
fn cells(text: &str) -> usize {
    if !text.contains('\t') {
        return 0;
    }
    let start = crate::token::recognize(text, 0, 0).map_or(0, |t| t.len);
    text.get(start..).unwrap_or("").matches('\t').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_after_the_number_is_no_table() {
        let lines = read("第1条\tこの規程は\n\n区分\t例\nサーバ\t機器\n一つだけ\tの行\n文。");
        assert_eq!(lines.iter().map(|l| l.table).collect::<Vec<_>>(), [false, true, true, true, false]);
        assert_eq!(lines[1].no, 3);
        assert!(lines[1].blank_before && !lines[2].blank_before);
    }

    #[test]
    fn form_feed_is_a_page_break() {
        let lines = read("文\n\u{c}\n続き");
        assert!(lines[1].page_break && lines[1].blank_before);
        assert_eq!(lines[1].text, "続き");
    }
}
