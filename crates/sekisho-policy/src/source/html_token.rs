//! A lenient HTML tokenizer. 例規 pages are rarely well formed, so nothing here can fail: what is no tag is text.

/// Characters of one tag, at most.
const MAX_TAG: usize = 20_000;

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text, entities not yet decoded.
    Text(&'a str),
    /// A start tag: lower-case name and the text of its attributes.
    Open(String, &'a str),
    /// An end tag.
    Close(String),
}

/// Cuts a page into pieces; comments and declarations are dropped, `script` and `style` with their content.
pub(super) fn pieces(page: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = page;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            if let Some(tail) = rest.strip_prefix("<!--") {
                rest = tail.split_once("-->").map_or("", |(_, t)| t);
                continue;
            }
            if rest.starts_with("<!") || rest.starts_with("<?") {
                rest = rest.split_once('>').map_or("", |(_, t)| t);
                continue;
            }
            if let Some((piece, tail)) = tag(rest) {
                rest = tail;
                if let Piece::Open(name, _) = &piece
                    && matches!(name.as_str(), "script" | "style" | "noscript" | "template" | "svg")
                {
                    rest = skip_to_end_of(name, rest);
                    continue;
                }
                return Some(piece);
            }
            let skip = rest.chars().next().map_or(0, char::len_utf8);
            let end = rest.get(skip..).and_then(|r| r.find('<')).map_or(rest.len(), |i| i + skip);
            let (text, tail) = rest.split_at_checked(end)?;
            rest = tail;
            return Some(Piece::Text(text));
        }
    })
}

/// A tag at the start; quotes protect `>` in attributes.
fn tag(s: &str) -> Option<(Piece<'_>, &str)> {
    let body = s.strip_prefix('<')?;
    let (closing, body) = body.strip_prefix('/').map_or((false, body), |b| (true, b));
    if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name_len =
        body.find(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '-')).unwrap_or(body.len());
    let (name, tail) = body.split_at_checked(name_len)?;
    let mut quote = None;
    let mut lost = false;
    let end = tail.char_indices().take(MAX_TAG).find(|(_, c)| match (quote, c) {
        (None, '>') => true,
        // A tag inside a tag: the first was none.
        (None, '<') => {
            lost = true;
            true
        }
        (None, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        (Some(q), c) if q == *c => {
            quote = None;
            false
        }
        _ => false,
    });
    if lost {
        return None;
    }
    // An unclosed quote must not swallow the page: fall back to the next `>`.
    let near = || tail.char_indices().take(MAX_TAG).find(|(_, c)| *c == '>');
    let (end, _) = end.or_else(near)?;
    let (attributes, tail) = tail.split_at_checked(end)?;
    let name = name.to_ascii_lowercase();
    let piece = if closing { Piece::Close(name) } else { Piece::Open(name, attributes) };
    Some((piece, tail.strip_prefix('>').unwrap_or(tail)))
}

fn skip_to_end_of<'a>(name: &str, s: &'a str) -> &'a str {
    let mut rest = s;
    while let Some((_, tail)) = rest.split_once("</") {
        if tail.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return tail.split_once('>').map_or("", |(_, t)| t);
        }
        rest = tail;
    }
    ""
}

/// The value of an attribute.
pub(super) fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some((before, tail)) = rest.split_once('=') {
        let key = before
            .trim_end()
            .rsplit(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .next()
            .unwrap_or("");
        let tail = tail.trim_start();
        let (value, next) = match tail.chars().next() {
            Some(q @ ('"' | '\'')) => tail.get(1..).and_then(|t| t.split_once(q)).unwrap_or((tail, "")),
            _ => tail.split_once(char::is_whitespace).unwrap_or((tail, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// Decodes character references; unknown ones stay as they are.
pub(super) fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('&') {
        out.push_str(head);
        match tail
            .char_indices()
            .take(10)
            .find(|(_, c)| *c == ';')
            .and_then(|(i, _)| tail.split_at_checked(i))
        {
            Some((name, after)) if let Some(c) = reference(name) => {
                out.push(c);
                rest = after.strip_prefix(';').unwrap_or(after);
            }
            _ => {
                out.push('&');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "middot" => '・',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "times" => '×',
        "yen" => '¥',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerates_what_browsers_tolerate() {
        let page = "<!DOCTYPE html><P class=a>1 < 2<br/><!-- x --><script>if(a<b){}</script><a title='>'>第1条</A><unclosed";
        let got: Vec<Piece<'_>> = pieces(page).collect();
        assert_eq!(
            got,
            [
                Piece::Open("p".into(), " class=a"),
                Piece::Text("1 "),
                Piece::Text("< 2"),
                Piece::Open("br".into(), "/"),
                Piece::Open("a".into(), " title='>'"),
                Piece::Text("第1条"),
                Piece::Close("a".into()),
                Piece::Text("<unclosed"),
            ]
        );
        assert_eq!(attribute(" class=\"num wide\" id=x", "id"), Some("x"));
        assert_eq!(attribute(" class=\"num wide\" id=x", "class"), Some("num wide"));
        assert_eq!(entities("&#65;&#x3042;&amp;&unknown; & ;&nbsp;"), "Aあ&&unknown; & ; ");
    }
}
