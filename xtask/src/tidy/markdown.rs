//! As much Markdown as the rules need: headings, code, links.

/// One line of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A `#` heading, without its marks.
    Heading(&'a str),
    /// A line inside a fenced block.
    Fenced(&'a str),
    /// Any other line.
    Text(&'a str),
}

/// The lines of a document with their numbers, counted from 1.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    let mut fence: Option<&str> = None;
    (1..).zip(text.lines()).map(move |(number, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        let kind = match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                Line::Fenced(line)
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                Line::Fenced(line)
            }
            (Some(_), _) => Line::Fenced(line),
            (None, None) => match line.trim_start_matches('#').strip_prefix(' ') {
                Some(heading) if line.starts_with('#') => Line::Heading(heading.trim()),
                _ => Line::Text(line),
            },
        };
        (number, kind)
    })
}

/// The code spans of a line: what stands between single backticks.
pub fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of the line's links `[text](target)`, outside code spans.
pub fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').step_by(2).flat_map(|part| {
        part.split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .filter_map(|(target, _)| target.split_whitespace().next())
    })
}

/// The anchors that a reader of the document can jump to (the way GitHub and GitLab make them from headings).
pub fn anchors(text: &str) -> Vec<String> {
    lines(text)
        .filter_map(|(_, line)| match line {
            Line::Heading(heading) => Some(heading),
            _ => None,
        })
        .map(|heading| {
            let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Line, anchors, code_spans, lines, links};

    #[test]
    fn lines_know_their_kind() {
        let text = "# One\ntext #no\n```sh\n# not a heading\n```\n## Two\n";
        let kinds: Vec<_> = lines(text).map(|(_, line)| line).collect();
        assert_eq!(
            kinds,
            [
                Line::Heading("One"),
                Line::Text("text #no"),
                Line::Fenced("```sh"),
                Line::Fenced("# not a heading"),
                Line::Fenced("```"),
                Line::Heading("Two"),
            ]
        );
    }

    #[test]
    fn spans_and_links_do_not_mix() {
        let line = "see `a/b.rs` and [c](c.md#d \"title\"), not `[x](y)`";
        assert_eq!(code_spans(line).collect::<Vec<_>>(), ["a/b.rs", "[x](y)"]);
        assert_eq!(links(line).collect::<Vec<_>>(), ["c.md#d"]);
    }

    #[test]
    fn anchors_keep_japanese() {
        assert_eq!(anchors("# 1. 鍵の保管 (`vkey`)\n"), ["1-鍵の保管-vkey"]);
    }
}
