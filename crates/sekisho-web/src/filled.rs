//! Puts what was typed back into a form of a page of ours: the page as it is now, the fields as they were sent, and beside them what is wrong.
//! It reads what the templates of this program write, not the HTML of strangers.

use std::ops::Range;

use sekisho_app::FieldError;

use crate::page::escape;

/// A field as it was sent.
pub(crate) type Sent = (String, String);

/// A form that was refused.
pub(crate) struct Refused<'a> {
    /// Where it was sent, with its query.
    pub action: &'a str,
    pub fields: &'a [Sent],
    /// What is wrong with which field; the name is empty where it is about the whole.
    pub faults: &'a [FieldError],
    /// Goes in front of the fields, as HTML.
    pub hidden: String,
}

/// A page with a form filled in again.
pub(crate) struct Filled<'a> {
    pub html: String,
    /// What the form has no field for any more.
    pub rest: Vec<&'a Sent>,
    /// How many fields hold something that was typed or chosen.
    pub placed: usize,
    /// Where the form begins, as a fragment without `#`.
    pub form: String,
    /// For each fault the fragment of its field; none where it has no field of its own.
    pub anchors: Vec<Option<String>>,
}

struct Attribute<'h> {
    name: &'h str,
    value: &'h str,
}

struct Tag<'h> {
    at: Range<usize>,
    name: &'h str,
    closes: bool,
    attributes: Vec<Attribute<'h>>,
}

impl Tag<'_> {
    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|a| a.name == name)
    }

    /// The value of an attribute as text; empty without it.
    fn get(&self, name: &str) -> String {
        self.attributes.iter().find(|a| a.name == name).map_or_else(String::new, |a| unescaped(a.value))
    }

    /// The tag with some attributes of another value, none for those that go.
    fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let kept = self.attributes.iter().filter(|a| changes.iter().all(|(name, _)| *name != a.name));
        let kept = kept.map(|a| format!(" {}=\"{}\"", a.name, a.value.replace('"', "&quot;")));
        let set = changes.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let set = set.map(|(name, value)| format!(" {name}=\"{}\"", escape(value)));
        format!("<{}{}>", self.name, kept.chain(set).collect::<String>())
    }

    fn kind(&self) -> String {
        if self.name == "input" { self.get("type").to_ascii_lowercase() } else { self.name.to_owned() }
    }
}

/// The text that stands for an attribute's value or content.
fn unescaped(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, from)) = rest.split_once('&') {
        out.push_str(before);
        let entity = from.split_once(';').filter(|(name, _)| name.len() < 8);
        let read = entity.and_then(|(name, after)| Some((character(name)?, after)));
        match read {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from;
            }
        }
    }
    out + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)
        }
    }
}

fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(start) = html.get(at..).and_then(|rest| rest.find('<')).map(|n| at + n) {
        match tag(html, start) {
            Some(tag) => {
                at = tag.at.end;
                all.push(tag);
            }
            None => at = start + 1,
        }
    }
    all
}

fn tag(html: &str, start: usize) -> Option<Tag<'_>> {
    let inside = html.get(start + 1..)?;
    let (closes, mut rest) = match inside.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let name = rest.get(..rest.find(|c: char| !c.is_ascii_alphanumeric())?).filter(|n| !n.is_empty())?;
    rest = rest.get(name.len()..)?;
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some(Tag { at: start..html.len() - after.len(), name, closes, attributes });
        }
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
        let name = rest.get(..rest.find(ends)?).filter(|n| !n.is_empty())?;
        rest = rest.get(name.len()..)?;
        let value = match rest.strip_prefix('=') {
            None => "",
            Some(after) => {
                let quoted = after.strip_prefix('"').and_then(|v| v.split_once('"'));
                let bare = || after.split_at(after.find([' ', '>']).unwrap_or(after.len()));
                let (value, after) = quoted.unwrap_or_else(bare);
                rest = after;
                value
            }
        };
        attributes.push(Attribute { name, value });
    }
}

/// What of a form was not given back yet.
struct Left<'a>(Vec<Option<&'a Sent>>);

impl<'a> Left<'a> {
    fn knows(&self, name: &str) -> bool {
        self.0.iter().flatten().any(|(n, _)| n == name)
    }

    /// The first value of a field.
    fn take(&mut self, name: &str) -> Option<&'a str> {
        let found = self.0.iter_mut().find(|f| f.is_some_and(|(n, _)| n == name))?;
        found.take().map(|(_, value)| value.as_str())
    }

    /// Whether a field has this value among its own.
    fn take_value(&mut self, name: &str, value: &str) -> bool {
        let found = self.0.iter_mut().find(|f| f.is_some_and(|(n, v)| n == name && v == value));
        found.is_some_and(|f| f.take().is_some())
    }
}

/// How well a form fits what was sent: forms with one address are told apart by what they carry and by their buttons.
fn fits(inside: &[Tag<'_>], fields: &[Sent]) -> i32 {
    let mut left = Left(fields.iter().map(Some).collect());
    let marks = |t: &&Tag<'_>| !t.closes && t.has("name") && t.get("name") != "csrf";
    inside.iter().filter(marks).fold(0, |sum, t| {
        let (name, value) = (t.get("name"), t.get("value"));
        sum + match t.kind().as_str() {
            "hidden" | "submit" | "button" if left.take_value(&name, &value) => 3,
            "hidden" if left.knows(&name) => -2,
            "hidden" | "submit" | "button" => 0,
            _ => i32::from(left.knows(&name)),
        }
    })
}

/// What happens to a page, from its end to its beginning.
#[derive(Default)]
struct Changes(Vec<(Range<usize>, String)>);

impl Changes {
    fn put(&mut self, at: Range<usize>, text: String) {
        self.0.push((at, text));
    }

    fn before(&mut self, tag: &Tag<'_>, text: String) {
        self.put(tag.at.start..tag.at.start, text);
    }

    fn done(mut self, html: &str) -> String {
        // What is put in front of a tag stays in front of what the tag became.
        self.0.sort_by_key(|(at, _)| (at.start, at.end));
        let mut out = String::with_capacity(html.len() + 4096);
        let mut from = 0;
        for (at, text) in self.0 {
            out.push_str(html.get(from..at.start).unwrap_or_default());
            out.push_str(&text);
            from = at.end.max(from);
        }
        out + html.get(from..).unwrap_or_default()
    }
}

/// Fills the form of a page that was sent. None: the page has no such form for this person any more. `path` is the page's own address, to which forms without
/// one are sent.
pub(crate) fn filled<'a>(html: &str, path: &str, refused: &Refused<'a>) -> Option<Filled<'a>> {
    let all = tags(html);
    let forms = all.iter().enumerate().filter(|(_, t)| t.name == "form" && !t.closes);
    let forms = forms.filter(|(_, t)| t.get("method").eq_ignore_ascii_case("post"));
    let ours = forms.filter(|(_, t)| {
        let action = t.get("action");
        refused.action == if action.is_empty() { path } else { &action }
    });
    let spans = ours.filter_map(|(i, _)| {
        let inside = all.get(i + 1..)?;
        let end = inside.iter().position(|t| t.name == "form" && t.closes)?;
        Some((i, inside.get(..end)?))
    });
    // Of several that fit as well, the first.
    let (opens, inside) = spans.rev().max_by_key(|(_, inside)| fits(inside, refused.fields))?;
    let form = all.get(opens)?;
    let mut changes = Changes::default();
    let id = if form.has("id") { form.get("id") } else { "typed".to_owned() };
    changes.put(form.at.clone(), form.with(&[("id", Some(&id))]) + &refused.hidden);
    open_around(all.get(..opens)?, &mut changes);
    let mut left = Left(refused.fields.iter().map(Some).collect());
    let mut anchors: Vec<Option<String>> = vec![None; refused.faults.len()];
    let mut placed = 0;
    for (n, tag) in inside.iter().enumerate().filter(|(_, t)| !t.closes) {
        if tag.name == "details" && !tag.has("open") {
            changes.put(tag.at.clone(), tag.with(&[("open", Some(""))]));
        }
        let name = tag.get("name");
        let (fault, note) = noted(tag, &name, refused.faults, &mut anchors);
        let mut set: Vec<(&str, Option<&str>)> =
            if fault { vec![("aria-invalid", Some("true"))] } else { vec![] };
        let mut content = None;
        match tag.kind().as_str() {
            "hidden" if name != "csrf" => {
                // What the form was about stays what it was about, also where the page has moved on: a change of somebody else is not covered up.
                if !left.take_value(&name, &tag.get("value")) {
                    set.extend(left.take(&name).map(|value| ("value", Some(value))));
                }
            }
            "submit" | "button" => {
                left.take_value(&name, &tag.get("value"));
            }
            "checkbox" | "radio" => {
                let value = if tag.has("value") { tag.get("value") } else { "on".to_owned() };
                let on = left.take_value(&name, &value);
                placed += usize::from(on);
                set.push(("checked", on.then_some("")));
            }
            "textarea" => {
                let end = inside.get(n + 1..).and_then(|rest| rest.iter().find(|t| t.name == "textarea"));
                if let (Some(end), Some(value)) = (end, left.take(&name)) {
                    placed += usize::from(!value.is_empty());
                    content = Some((tag.at.end..end.at.start, format!("\n{}", escape(value))));
                }
            }
            "select" => placed += chosen(html, inside.get(n + 1..)?, &name, &mut left, &mut changes),
            // What is secret does not come back, in whatever place.
            "password" => {
                left.take(&name);
            }
            "hidden" | "file" => {}
            _ if tag.name == "input" => {
                if let Some(value) = left.take(&name) {
                    placed += usize::from(!value.is_empty());
                    set.push(("value", Some(value)));
                }
            }
            _ => continue,
        }
        if !note.is_empty() {
            changes.before(tag, note);
        }
        if !set.is_empty() {
            changes.put(tag.at.clone(), tag.with(&set));
        }
        if let Some((at, text)) = content {
            changes.put(at, text);
        }
    }
    let rest = left.0.into_iter().flatten().collect();
    Some(Filled { html: changes.done(html), rest, placed, form: id, anchors })
}

/// Unfolds what a form is folded into.
fn open_around(before: &[Tag<'_>], changes: &mut Changes) {
    let mut around: Vec<&Tag<'_>> = Vec::new();
    for tag in before.iter().filter(|t| t.name == "details") {
        if tag.closes {
            around.pop();
        } else {
            around.push(tag);
        }
    }
    for tag in around.into_iter().filter(|t| !t.has("open")) {
        changes.put(tag.at.clone(), tag.with(&[("open", Some(""))]));
    }
}

/// Whether a field is at fault, and what to say in front of it: once, where a text is typed or chosen.
fn noted(tag: &Tag<'_>, name: &str, faults: &[FieldError], anchors: &mut [Option<String>]) -> (bool, String) {
    let typed = match tag.kind().as_str() {
        "hidden" | "checkbox" | "radio" | "submit" => false,
        kind => matches!(kind, "select" | "textarea") || tag.name == "input",
    };
    let id = tag.get("id");
    if !typed || id.is_empty() {
        return (false, String::new());
    }
    let mut note = String::new();
    let mut at_fault = false;
    for (fault, anchor) in faults.iter().zip(anchors) {
        if anchor.is_none() && (fault.field == name || fault.field == id) {
            *anchor = Some(id.clone());
            at_fault = true;
            note += &format!("<p class=\"err\">{}</p>", escape(&fault.message));
        }
    }
    (at_fault, note)
}

/// Chooses again what was chosen among the options that follow. Returns how many were.
fn chosen(html: &str, inside: &[Tag<'_>], name: &str, left: &mut Left<'_>, changes: &mut Changes) -> usize {
    if !left.knows(name) {
        return 0;
    }
    let end = inside.iter().position(|t| t.name == "select").unwrap_or(inside.len());
    let mut placed = 0;
    for option in inside.iter().take(end).filter(|t| t.name == "option" && !t.closes) {
        let value = if option.has("value") {
            option.get("value")
        } else {
            let text = html.get(option.at.end..).and_then(|rest| rest.split('<').next());
            unescaped(text.unwrap_or_default()).trim().to_owned()
        };
        let on = left.take_value(name, &value);
        placed += usize::from(on && !value.is_empty());
        changes.put(option.at.clone(), option.with(&[("selected", on.then_some(""))]));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<main><details><summary>開く</summary><form method="post" action="/x" data-guard>
<input type="hidden" name="csrf" value="new"><input type="hidden" name="version" value="8">
<label for="name">名称</label><input id="name" name="name" value="A &amp; B" required>
<textarea id="why" name="why">前の理由</textarea>
<select id="kind" name="kind"><option value="">選ぶ</option><option value="a" selected>甲</option><option>乙&amp;丙</option></select>
<label><input type="checkbox" name="row" value="1" checked>1</label><label><input type="checkbox" name="row" value="2">2</label>
<label><input type="radio" name="how" value="x" checked>x</label><label><input type="radio" name="how" value="y">y</label>
<input id="proof" name="key" type="password"><input type="file" name="file">
<button name="do" value="save">保存</button></form></details>
<form method="post" action="/x"><input type="hidden" name="csrf" value="new"><input type="hidden" name="id" value="1"><input name="name"><button name="do" value="drop">消す</button></form>
<form method="get" action="/x"><input name="name"></form></main>"#;

    fn sent(fields: &[(&str, &str)]) -> Vec<Sent> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn told<'a>(fields: &'a [Sent], faults: &'a [FieldError]) -> Refused<'a> {
        Refused { action: "/x", fields, faults, hidden: "<i>".to_owned() }
    }

    #[test]
    fn every_kind_of_field_holds_what_was_sent() {
        let fields = sent(&[
            ("version", "7"),
            ("name", "<\"'&>"),
            ("why", "一行目\n</textarea>"),
            ("kind", "乙&丙"),
            ("row", "2"),
            ("how", "y"),
            ("key", "ひみつ"),
            ("gone", "欄のない言葉"),
            ("do", "save"),
        ]);
        let faults = [FieldError { field: "name".to_owned(), message: "名称が<長い>".to_owned() }];
        let f = filled(PAGE, "/page", &told(&fields, &faults)).unwrap();
        for piece in [
            "<details open=\"\">",
            "<form method=\"post\" action=\"/x\" data-guard=\"\" id=\"typed\"><i>",
            "name=\"csrf\" value=\"new\"",
            "name=\"version\" value=\"7\"",
            "<p class=\"err\">名称が&lt;長い&gt;</p><input id=\"name\" name=\"name\" required=\"\" aria-invalid=\"true\" value=\"&lt;&quot;&#39;&amp;&gt;\">",
            "name=\"why\">\n一行目\n&lt;/textarea&gt;</textarea>",
            "<option value=\"\">選ぶ</option><option value=\"a\">甲</option><option selected=\"\">乙&amp;丙</option>",
            "name=\"row\" value=\"1\">1",
            "name=\"row\" value=\"2\" checked=\"\">2",
            "name=\"how\" value=\"x\">x",
            "name=\"how\" value=\"y\" checked=\"\">y",
        ] {
            assert!(f.html.contains(piece), "{piece}\n{}", f.html);
        }
        assert!(!f.html.contains("ひみつ"));
        assert_eq!(f.rest, [&fields[7]], "neither a secret nor a button is left over");
        assert_eq!((f.placed, f.form.as_str()), (5, "typed"));
        assert_eq!(f.anchors, [Some("name".to_owned())]);
    }

    #[test]
    fn forms_with_one_address_are_told_apart_by_what_they_carry() {
        let fields = sent(&[("id", "1"), ("name", "書いた"), ("do", "drop")]);
        let f = filled(PAGE, "/page", &told(&fields, &[])).unwrap();
        assert!(f.html.contains("<details><summary>"), "the other form stays as it was");
        assert!(f.html.contains("<input name=\"name\" value=\"書いた\"><button name=\"do\" value=\"drop\">"));
        // Forms that are sent elsewhere, or only ask, are not it.
        assert!(filled(PAGE, "/x", &Refused { action: "/y", ..told(&fields, &[]) }).is_none());
        let own = "<form method=\"post\"><input name=\"name\"></form>";
        assert!(
            filled(own, "/x", &told(&fields, &[])).is_some(),
            "a form without an address is sent to its page"
        );
        assert!(filled(own, "/z", &told(&fields, &[])).is_none());
    }

    #[test]
    fn a_page_that_breaks_off_anywhere_is_read_without_a_panic() {
        let fields = sent(&[("name", "書いた"), ("do", "save")]);
        for (at, _) in PAGE.char_indices() {
            let f = filled(&PAGE[..at], "/page", &told(&fields, &[]));
            assert_eq!(f.is_some(), PAGE[..at].contains("</form>"), "{at}");
        }
    }

    #[test]
    fn entities_are_what_they_stand_for() {
        assert_eq!(unescaped("&lt;&#39;&#x3042;&quot;&amp;amp; &unknown; & &"), "<'あ\"&amp; &unknown; & &");
    }
}
