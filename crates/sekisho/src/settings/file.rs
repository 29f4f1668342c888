//! The configuration file: sections of keys, each known; relative paths start at the file's folder.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::bodies::{BODIES, HOSTS, NAME, Section, host_fault, name_fault};
use super::table::{self, Kind, SETTINGS, Setting};
use super::{Fault, From, Value};

type Values = BTreeMap<&'static str, Value>;

/// Reads a file's text into the values, and its bodies; what is not accepted goes to the faults.
pub(super) fn read(file: &Path, text: &str, values: &mut Values, faults: &mut Vec<Fault>) -> Vec<Section> {
    let mut reader = Reader { file, text, faults };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(e) => {
            let start = e.span().map_or(0, |s| s.start);
            let (what, remedy) =
                sekisho_base::syntax::toml(e.message(), text.get(start..).unwrap_or_default());
            reader.say(start, "", what, remedy);
            return vec![];
        }
    };
    let mut bodies = Vec::new();
    for (section, content) in table.get_ref() {
        let name = section.get_ref().as_ref();
        if name == BODIES {
            bodies = reader.bodies(section.span().start, content.get_ref());
        } else {
            reader.section(section.span().start, name, content.get_ref(), false, values);
        }
    }
    bodies
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
    }

    fn say(&mut self, at: usize, key: &str, what: String, remedy: String) {
        let place = format!("{}:{}", self.file.display(), self.line(at));
        self.faults.push(Fault { place, key: key.to_owned(), text: what, remedy });
    }

    fn unknown(&mut self, at: usize, key: &str) {
        let (what, remedy) = unknown(key);
        self.say(at, key, what, remedy);
    }

    /// One section of settings; `own`: of one body among several.
    fn section(&mut self, at: usize, name: &str, content: &DeValue<'_>, own: bool, values: &mut Values) {
        let known = SETTINGS.iter().any(|s| s.key.split('.').next() == Some(name));
        let (DeValue::Table(keys), true) = (content, known) else { return self.unknown(at, name) };
        for (key, value) in keys {
            let full = format!("{name}.{}", key.get_ref());
            let Some(setting) = table::setting(&full) else {
                self.unknown(key.span().start, &full);
                continue;
            };
            if own && (setting.of_process() || setting.key == table::BODY) {
                let what = "この項目は、団体ごとには書けません".to_owned();
                let remedy = if setting.key == table::BODY {
                    format!("{NAME} に書いてください")
                } else {
                    format!("[[{BODIES}]] の外の [{name}] に書いてください")
                };
                self.say(key.span().start, &full, what, remedy);
                continue;
            }
            let given = match as_text(value) {
                Some(text) => table::fault(setting.kind, &text).map_or(Ok(text), Err),
                None => Err((
                    "この項目に書けない種類の値です".to_owned(),
                    format!("{} = {} のように書いてください", key.get_ref(), written(setting)),
                )),
            };
            match given {
                Ok(text) => {
                    let text = from_folder(self.file, setting, text);
                    let from = From::File(self.line(key.span().start));
                    values.insert(setting.key, Value { text, from });
                }
                Err((what, remedy)) => self.say(value.span().start, &full, what, remedy),
            }
        }
    }

    fn bodies(&mut self, at: usize, content: &DeValue<'_>) -> Vec<Section> {
        let wrong = "団体は、[[bodies]] の行に続けて書いてください".to_owned();
        let DeValue::Array(all) = content else {
            self.say(at, BODIES, "団体の書き方ではありません".to_owned(), wrong);
            return vec![];
        };
        let mut found = Vec::new();
        for one in all {
            match one.get_ref() {
                DeValue::Table(keys) => found.extend(self.body(one.span().start, keys)),
                _ => {
                    self.say(one.span().start, BODIES, "団体の書き方ではありません".to_owned(), wrong.clone())
                }
            }
        }
        found
    }

    /// One body: its name, its hosts, and the settings that are its own.
    fn body(&mut self, at: usize, keys: &DeTable<'_>) -> Option<Section> {
        let (mut name, mut hosts, mut values) = (None, None, Values::new());
        for (key, content) in keys {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                NAME => name = as_text(content).map(|text| (content.span().start, text)),
                HOSTS => hosts = as_text(content).map(|text| (content.span().start, text)),
                section => self.section(at, section, content.get_ref(), true, &mut values),
            }
        }
        for (has, lacks) in [(table::CERTIFICATE, table::TLS_KEY), (table::TLS_KEY, table::CERTIFICATE)] {
            // The other half of what holds for all would not fit.
            if values.contains_key(has) && !values.contains_key(lacks) {
                let remedy = format!("{lacks} も、この団体のものを書いてください");
                self.say(at, has, "証明書と鍵は、団体ごとにそろえて書きます".to_owned(), remedy);
            }
        }
        let line = self.line(at);
        let name = match name {
            Some((at, name)) => match name_fault(&name) {
                Some((what, remedy)) => {
                    self.say(at, "bodies.name", what, remedy);
                    None
                }
                None => Some(name),
            },
            None => {
                let remedy = "name = \"minato\" のように、半角の名前を書いてください".to_owned();
                self.say(at, "bodies.name", "団体の名前がありません".to_owned(), remedy);
                None
            }
        };
        let (at, text) = hosts.unwrap_or((at, String::new()));
        let hosts: Vec<String> = text.split(',').map(|h| h.trim().to_ascii_lowercase()).collect();
        let mut sound = true;
        for host in &hosts {
            if let Some((what, remedy)) = host_fault(host) {
                self.say(at, "bodies.hosts", what, remedy);
                sound = false;
            }
        }
        let name = name.filter(|_| sound)?;
        values.insert(table::BODY, Value { text: name.clone(), from: From::File(line) });
        Some(Section { name, hosts, values, line })
    }
}

fn as_text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(on) => Some(on.to_string()),
        DeValue::Integer(number) => number.as_str().parse::<i64>().ok().map(|n| n.to_string()),
        DeValue::Array(all) => {
            let texts: Vec<String> = all.iter().map(as_text).collect::<Option<_>>()?;
            Some(texts.join(","))
        }
        _ => None,
    }
}

fn from_folder(file: &Path, setting: &Setting, text: String) -> String {
    match (setting.kind, file.parent()) {
        (Kind::Path, Some(folder)) => folder.join(text).to_string_lossy().into_owned(),
        _ => text,
    }
}

/// How a setting's example is written in the file.
pub(super) fn written(setting: &Setting) -> String {
    match setting.kind {
        Kind::Switch | Kind::Number(..) => setting.example.to_owned(),
        _ => format!("{:?}", setting.example),
    }
}

fn unknown(key: &str) -> (String, String) {
    let section = |s: &'static Setting| s.key.split('.').next().unwrap_or(s.key);
    let all: Vec<&str> = if key.contains('.') {
        SETTINGS.iter().map(|s| s.key).collect()
    } else {
        SETTINGS.iter().map(section).collect()
    };
    let near = all.into_iter().min_by_key(|k| distance(k, key)).filter(|k| distance(k, key) <= 3);
    let remedy = match near {
        Some(near) => format!("{near} の書き誤りではありませんか"),
        None => "使える項目は sekisho config sample で見られます".to_owned(),
    };
    ("この項目はありません".to_owned(), remedy)
}

/// How many letters must change to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (left + 1).min(above + 1).min(before + usize::from(x != *y));
            before = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
