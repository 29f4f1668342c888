//! Bars of states as SVG, drawn on the server: a title and a description for those who do not see them, a pattern and a number beside
//! every colour, and nothing inline that the content security policy would refuse. The page shows the same numbers as a table.

use std::fmt::Write as _;

use sekisho_app::clauses::StateCount;
use sekisho_app::dashboard::StateBar;

use crate::page::escape;

/// Widths in units of the drawing.
const WIDTH: usize = 960;
const LABEL: usize = 260;
const BAR: usize = 480;
const ROW: usize = 34;
const TOP: usize = 40;

/// Colour, and the pattern drawn over it.
fn look(class: &str) -> (&'static str, &'static str) {
    match class {
        "broken" => ("#ce0000", "cross"),
        "unknown" => ("#767676", "dots"),
        "due" => ("#927200", "slant"),
        "excepted" => ("#5c10be", "lines"),
        _ => ("#197a4b", ""),
    }
}

/// White lines and dots; the names carry the chart's, for several charts stand on one page.
fn patterns(id: &str) -> String {
    let line = |name: &str, size: u8, path: &str| {
        format!(
            "<pattern id=\"{id}-{name}\" width=\"{size}\" height=\"{size}\" patternUnits=\"userSpaceOnUse\"><path d=\"{path}\" stroke=\"#fff\" stroke-width=\"1.5\" fill=\"none\"/></pattern>"
        )
    };
    let dots = format!(
        "<pattern id=\"{id}-dots\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><circle cx=\"4\" cy=\"4\" r=\"1.5\" fill=\"#fff\"/></pattern>"
    );
    [line("cross", 8, "M0 0L8 8M8 0L0 8"), line("slant", 8, "M0 8L8 0"), line("lines", 6, "M0 3H6"), dots]
        .concat()
}

fn area(id: &str, class: &str, x: usize, y: usize, width: usize, height: usize) -> String {
    let (fill, pattern) = look(class);
    let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
    let over = if pattern.is_empty() {
        String::new()
    } else {
        format!("<rect {place} fill=\"url(#{id}-{pattern})\"/>")
    };
    format!("<rect {place} fill=\"{fill}\"/>{over}")
}

fn total(counts: &[StateCount]) -> usize {
    counts.iter().map(|c| c.count).sum()
}

/// 「不適合 3・適合 12」: only states that occur.
pub(crate) fn words(counts: &[StateCount]) -> String {
    let some: Vec<String> =
        counts.iter().filter(|c| c.count > 0).map(|c| format!("{} {}", c.label, c.count)).collect();
    if some.is_empty() { "条項なし".to_owned() } else { some.join("・") }
}

/// One bar a line, each as long as the others: shares of the states, with their numbers beside it.
pub(crate) fn bars(id: &str, title: &str, rows: &[StateBar]) -> String {
    let height = TOP + rows.len() * ROW + 8;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc><defs>{}</defs>",
        escape(title),
        escape(
            &rows.iter().map(|r| format!("{}：{}", r.label, words(&r.counts))).collect::<Vec<_>>().join("。")
        ),
        patterns(id)
    );
    let mut x = LABEL;
    for c in rows.first().map(|r| r.counts.as_slice()).unwrap_or_default() {
        out.push_str(&area(id, c.class, x, 6, 22, 16));
        let _ = write!(out, "<text x=\"{}\" y=\"20\">{}</text>", x + 28, escape(c.label));
        x += 100;
    }
    for (n, row) in rows.iter().enumerate() {
        let y = TOP + n * ROW;
        let label = sekisho_base::text::shorten(&row.label, 16);
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LABEL - 10,
            y + 18,
            escape(&label)
        );
        let all = total(&row.counts).max(1);
        let (mut done, mut from) = (0, LABEL);
        for c in row.counts.iter().filter(|c| c.count > 0) {
            done += c.count;
            // From sums, so that roundings do not add up; what is there is seen, however little it is.
            let to = (LABEL + done * BAR / all).max(from + 2);
            out.push_str(&area(id, c.class, from, y, to - from, 24));
            from = to;
        }
        let worst = row.counts.iter().find(|c| c.count > 0);
        let met = row.counts.iter().find(|c| c.class == "met").map_or(0, |c| c.count);
        let note = worst.map_or_else(String::new, |w| {
            if w.class == "met" {
                format!("適合 {met}")
            } else {
                format!("{} {}／適合 {met}", w.label, w.count)
            }
        });
        let _ = write!(out, "<text x=\"{}\" y=\"{}\">{}</text>", LABEL + BAR + 12, y + 18, escape(&note));
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, counts: [usize; 3]) -> StateBar {
        let states = [("broken", "不適合"), ("due", "注意"), ("met", "適合")];
        let count = |((class, label), count)| StateCount { class, label, count };
        StateBar {
            label: label.to_owned(),
            link: String::new(),
            counts: states.into_iter().zip(counts).map(count).collect(),
        }
    }

    #[test]
    fn a_bar_has_a_title_a_description_patterns_and_numbers() {
        let svg = bars("c", "章<ごと>", &[row("第1章 総則", [1, 0, 999]), row("空", [0, 0, 0])]);
        assert!(svg.contains("<title id=\"c-t\">章&lt;ごと&gt;</title>"));
        assert!(svg.contains("第1章 総則：不適合 1・適合 999。空：条項なし"));
        assert!(svg.contains("url(#c-cross)") && svg.contains("不適合 1／適合 999"));
        assert!(!svg.contains("style=") && !svg.contains("script"));
        // The small one is seen, and nothing runs over the end.
        assert!(svg.contains("x=\"260\" y=\"40\" width=\"2\""));
        assert!(svg.contains(&format!("width=\"{}\" height=\"24\"", BAR - 2)));
    }
}
