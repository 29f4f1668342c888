//! The guide in the pages: the same files as in `docs/guide`, embedded, and the part that fits the page one came from. Reads the little of Markdown
//! that the guide uses; whatever else it meets stays as text.

use std::fmt::Write as _;

use crate::page::escape;

/// Files of the guide: name, title in the list, text.
pub(crate) const FILES: [(&str, &str, &str); 14] = [
    ("staff", "職員の手引", include_str!("../../../docs/guide/staff.md")),
    ("manager", "課長の手引", include_str!("../../../docs/guide/manager.md")),
    ("screens", "画面ごとの手引", include_str!("../../../docs/guide/screens.md")),
    ("handling", "これはできますか、分類をまとめて変える", include_str!("../../../docs/guide/handling.md")),
    ("duties", "定期の仕事、文書、守ること、お知らせ", include_str!("../../../docs/guide/duties.md")),
    ("identity", "ログイン、多要素認証、利用者の管理", include_str!("../../../docs/guide/identity.md")),
    ("permit", "守衛・受付での許可証の確認、ラベル、棚卸し", include_str!("../../../docs/guide/permit.md")),
    (
        "exchange",
        "データの受渡し（取込みの取消し、予定表、帳票、ほかの形式、API）",
        include_str!("../../../docs/guide/exchange.md"),
    ),
    ("README", "関所を動かす人の手引", include_str!("../../../docs/guide/README.md")),
    ("first-start", "最初の設定", include_str!("../../../docs/guide/first-start.md")),
    ("pack", "パックを作る・直す・使い始める", include_str!("../../../docs/guide/pack.md")),
    ("matching", "自分の市の規程をパックと照らし合わせる", include_str!("../../../docs/guide/matching.md")),
    ("ledger", "証跡", include_str!("../../../docs/guide/ledger.md")),
    ("operator", "運用の手引", include_str!("../../../docs/guide/operator.md")),
];

/// The anchor of a heading: lower case, spaces as `-`, without punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | 'ー' | '々'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The address of a link: other files of the guide are pages here.
fn address(target: &str) -> String {
    match target.split_once(".md") {
        Some((name, rest)) if !name.contains('/') => format!("/help/{name}{rest}"),
        _ => target.to_owned(),
    }
}

/// Code, bold words and links.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[', '<']) {
        let (before, from) = rest.split_at(at);
        out.push_str(&escape(before));
        let pair = |open: &str, close: &str| from.strip_prefix(open)?.split_once(close);
        let (piece, after) = if let Some((code, after)) = pair("`", "`") {
            (format!("<code>{}</code>", escape(code)), after)
        } else if let Some((bold, after)) = pair("**", "**") {
            (format!("<strong>{}</strong>", inline(bold)), after)
        } else if let Some((url, after)) = pair("<", ">").filter(|(u, _)| u.starts_with("http")) {
            (format!("<code>{}</code>", escape(url)), after)
        } else if let Some((words, (target, after))) =
            pair("[", "](").and_then(|(w, rest)| Some((w, rest.split_once(')')?)))
        {
            (format!("<a href=\"{}\">{}</a>", escape(&address(target)), inline(words)), after)
        } else {
            let mut chars = from.chars();
            (chars.next().map(|c| escape(&c.to_string())).unwrap_or_default(), chars.as_str())
        };
        out.push_str(&piece);
        rest = after;
    }
    out + &escape(rest)
}

/// Whether Japanese lines that were broken in the file belong together without a space.
fn join(lines: &[&str]) -> String {
    lines.iter().map(|l| l.trim()).fold(String::new(), |all, l| {
        let wide = |c: Option<char>| c.is_none_or(|c| !c.is_ascii());
        let gap = if wide(all.chars().last()) || wide(l.chars().next()) { "" } else { " " };
        all + gap + l
    })
}

/// What a list's line begins with, and the rest.
fn bullet(line: &str) -> Option<(&'static str, &str)> {
    if let Some(rest) = line.strip_prefix("- ") {
        return Some(("ul", rest));
    }
    let (number, rest) = line.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(("ol", rest))
}

fn table(out: &mut String, lines: &[&str]) {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|c| inline(c.trim())).collect()
    };
    out.push_str("<div class=\"scroll\"><table class=\"stack\"><thead><tr>");
    for cell in lines.first().map(|l| cells(l)).unwrap_or_default() {
        let _ = write!(out, "<th scope=\"col\">{cell}</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for line in lines.iter().skip(2) {
        out.push_str("<tr>");
        for (n, cell) in cells(line).into_iter().enumerate() {
            let _ = if n == 0 {
                write!(out, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(out, "<td>{cell}</td>")
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

/// A text of the guide as HTML; its first heading becomes that of the page.
pub(crate) fn html(markdown: &str) -> String {
    let lines: Vec<&str> = markdown.lines().collect();
    let mut out = String::new();
    blocks(&mut out, &lines);
    out
}

fn blocks(out: &mut String, lines: &[&str]) {
    let mut at = 0;
    // Lines from here on while they are of a kind.
    let run = |from: usize, of: &dyn Fn(&str) -> bool| -> Vec<&str> {
        lines.iter().skip(from).copied().take_while(|l| of(l)).collect()
    };
    while let Some(line) = lines.get(at).copied() {
        if line.trim().is_empty() {
            at += 1;
        } else if let Some(level) =
            line.find(' ').filter(|n| (1..=3).contains(n) && line.starts_with(&"#".repeat(*n)))
        {
            let words = line.get(level + 1..).unwrap_or_default();
            let _ = writeln!(out, "<h{level} id=\"{}\">{}</h{level}>", escape(&anchor(words)), inline(words));
            at += 1;
        } else if line.starts_with("```") {
            let code = run(at + 1, &|l| !l.starts_with("```"));
            let _ = writeln!(out, "<pre class=\"note\">{}</pre>", escape(&code.join("\n")));
            at += code.len() + 2;
        } else if line.starts_with("    ") {
            let code = run(at, &|l| l.starts_with("    "));
            let text: Vec<&str> = code.iter().filter_map(|l| l.get(4..)).collect();
            let _ = writeln!(out, "<pre class=\"note\">{}</pre>", escape(&text.join("\n")));
            at += code.len();
        } else if line.starts_with('|') {
            let rows = run(at, &|l| l.starts_with('|'));
            table(out, &rows);
            at += rows.len();
        } else if let Some((kind, _)) = bullet(line) {
            let _ = write!(out, "<{kind}>");
            while let Some((_, first)) = lines.get(at).and_then(|l| bullet(l)).filter(|(k, _)| *k == kind) {
                let more = run(at + 1, &|l| l.is_empty() || l.starts_with("  "));
                let more: Vec<&str> = match more.iter().rposition(|l| !l.is_empty()) {
                    Some(last) => more.into_iter().take(last + 1).collect(),
                    None => vec![],
                };
                at += 1 + more.len();
                let words =
                    more.iter().take_while(|l| !l.is_empty() && bullet(l.trim_start()).is_none()).count();
                let mut said = vec![first];
                said.extend(more.iter().take(words));
                let _ = write!(out, "<li>{}", inline(&join(&said)));
                // What stands below is set in by as much as the words of its line.
                let indent = if kind == "ul" { 2 } else { 3 };
                let inner: Vec<&str> =
                    more.iter().skip(words).map(|l| l.get(indent..).unwrap_or_default()).collect();
                blocks(out, &inner);
                out.push_str("</li>");
                while lines.get(at).is_some_and(|l| l.is_empty())
                    && lines.get(at + 1).and_then(|l| bullet(l)).is_some_and(|(k, _)| k == kind)
                {
                    at += 1;
                }
            }
            let _ = writeln!(out, "</{kind}>");
        } else {
            let words = run(at, &|l| {
                !l.trim().is_empty()
                    && !l.starts_with(['#', '|'])
                    && !l.starts_with("```")
                    && bullet(l).is_none()
            });
            let _ = writeln!(out, "<p>{}</p>", inline(&join(&words)));
            at += words.len().max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_guide_uses() {
        let text = "# 手引 & 表\n\n一行目の\n二行目。`a<b` と **太い** [次](pack.md#使い始める) へ\n\n- 一つ\n  続き\n- 二つ\n\n1. はじめ\n\n       sekisho serve\n\n2. 次\n\n| 項 | 値 |\n|---|---|\n| `x` | 1 |\n\n```toml\na = \"1\"\n```\n";
        assert_eq!(
            html(text),
            "<h1 id=\"手引--表\">手引 &amp; 表</h1>\n<p>一行目の二行目。<code>a&lt;b</code> と <strong>太い</strong> <a href=\"/help/pack#使い始める\">次</a> へ</p>\n<ul><li>一つ続き</li><li>二つ</li></ul>\n<ol><li>はじめ<pre class=\"note\">sekisho serve</pre>\n</li><li>次</li></ol>\n<div class=\"scroll\"><table class=\"stack\"><thead><tr><th scope=\"col\">項</th><th scope=\"col\">値</th></tr></thead><tbody><tr><th scope=\"row\"><code>x</code></th><td>1</td></tr></tbody></table></div>\n<pre class=\"note\">a = &quot;1&quot;</pre>\n"
        );
        assert_eq!(inline("a * b [c] <d>"), "a * b [c] &lt;d&gt;");
    }

    /// Every address that the guide names is there, with its heading.
    #[test]
    fn links_of_the_guide_lead_somewhere() {
        let pages: Vec<(&str, String)> = FILES.iter().map(|(name, _, text)| (*name, html(text))).collect();
        let there = |target: &str, from: &str| {
            let (page, anchor) = target.split_once('#').unwrap_or((target, ""));
            let name = page.strip_prefix("/help/").unwrap_or(from);
            let Some((_, text)) = pages.iter().find(|(n, _)| *n == name) else { return false };
            anchor.is_empty() || text.contains(&format!(" id=\"{anchor}\""))
        };
        for (name, text) in &pages {
            for link in text.split("<a href=\"").skip(1).map(|l| l.split('"').next().unwrap()) {
                assert!(there(link, name), "{link} in {name}");
            }
        }
    }
}
