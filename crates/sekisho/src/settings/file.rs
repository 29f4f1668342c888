//! The configuration file: sections of keys, each known; relative paths start at the file's folder.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{self, Kind, SETTINGS, Setting};
use super::{Fault, From, Value};

/// Reads a file's text into the values; what is not accepted goes to the faults.
pub(super) fn read(
    file: &Path,
    text: &str,
    values: &mut BTreeMap<&'static str, Value>,
    faults: &mut Vec<Fault>,
) {
    let line = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
    let mut say = |at: usize, key: &str, what: String, remedy: String| {
        let place = format!("{}:{}", file.display(), line(at));
        faults.push(Fault { place, key: key.to_owned(), text: what, remedy });
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(e) => {
            let remedy = "引用符とかっこの閉じ忘れ、= の抜け、同じ項目の重複、全角の記号が混じっていないかを確かめてください";
            let what = format!("TOMLとして読めません（{}）", e.message());
            return say(e.span().map_or(0, |s| s.start), "", what, remedy.to_owned());
        }
    };
    for (section, content) in table.get_ref() {
        let name = section.get_ref().as_ref();
        let DeValue::Table(keys) = content.get_ref() else {
            let (what, remedy) = unknown(name);
            say(section.span().start, name, what, remedy);
            continue;
        };
        if !SETTINGS.iter().any(|s| s.key.split('.').next() == Some(name)) {
            let (what, remedy) = unknown(name);
            say(section.span().start, name, what, remedy);
            continue;
        }
        for (key, value) in keys {
            let full = format!("{name}.{}", key.get_ref());
            let Some(setting) = table::setting(&full) else {
                let (what, remedy) = unknown(&full);
                say(key.span().start, &full, what, remedy);
                continue;
            };
            let given = match as_text(value) {
                Some(text) => table::fault(setting.kind, &text).map_or(Ok(text), Err),
                None => Err((
                    "この項目に書けない種類の値です".to_owned(),
                    format!("{} = {} のように書いてください", key.get_ref(), written(setting)),
                )),
            };
            match given {
                Ok(text) => {
                    let text = from_folder(file, setting, text);
                    values.insert(setting.key, Value { text, from: From::File(line(key.span().start)) });
                }
                Err((what, remedy)) => say(value.span().start, &full, what, remedy),
            }
        }
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
