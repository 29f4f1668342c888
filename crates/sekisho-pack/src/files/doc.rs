//! Reading of one TOML file with lines: every read names what it wants, and what nobody read is an unknown key.

use std::cell::RefCell;
use std::collections::BTreeSet;

use sekisho_base::syntax;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::message::{Log, Message, Severity, nearest};

/// One file of the pack.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    text: &'a str,
    starts: Vec<usize>,
    pub(crate) log: &'a Log,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str, log: &'a Log) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { file, text, starts, log }
    }

    /// Line of a byte, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at).max(1)
    }

    pub(crate) fn error(&self, line: usize, key: &str, text: impl Into<String>, remedy: impl Into<String>) {
        self.log.say(Message {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            text: text.into(),
            remedy: remedy.into(),
            severity: Severity::Error,
        });
    }

    pub(crate) fn warn(&self, line: usize, key: &str, text: impl Into<String>, remedy: impl Into<String>) {
        self.log.say(Message {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            text: text.into(),
            remedy: remedy.into(),
            severity: Severity::Warning,
        });
    }

    /// The key that a line that could not be read seems to be about: what stands before its `=`, or nothing.
    fn key_near(&self, line: usize) -> String {
        let written = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let key = written.split_once('=').map(|(k, _)| k.trim()).unwrap_or_default();
        let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if key.len() <= 80 && key.chars().all(usual) { key.to_owned() } else { String::new() }
    }

    /// Parses the file; a syntax error is a message and nothing is read.
    pub(crate) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        match DeTable::parse(self.text) {
            Ok(t) => Some(t),
            Err(e) => {
                let start = e.span().map_or(0, |s| s.start);
                let line = self.line(start);
                let (text, remedy) = syntax::toml(e.message(), self.text.get(start..).unwrap_or_default());
                self.error(line, &self.key_near(line), text, remedy);
                None
            }
        }
    }

    pub(crate) fn root<'t>(&'t self, table: &'t Spanned<DeTable<'a>>) -> Table<'t> {
        Table { src: self, path: String::new(), map: table.get_ref(), line: 1, used: RefCell::default() }
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) line: usize,
    pub(crate) key: String,
}

/// One table of a file.
pub(crate) struct Table<'t> {
    pub(crate) src: &'t Source<'t>,
    path: String,
    map: &'t DeTable<'t>,
    pub(crate) line: usize,
    used: RefCell<BTreeSet<String>>,
}

impl<'t> Table<'t> {
    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(crate) fn error(&self, name: &str, text: impl Into<String>, remedy: impl Into<String>) {
        self.src.error(self.line_of(name), &self.key(name), text, remedy);
    }

    /// Line of a key, or of the table when the key is absent.
    pub(crate) fn line_of(&self, name: &str) -> usize {
        self.map
            .iter()
            .find(|(k, _)| k.get_ref() == name)
            .map_or(self.line, |(k, _)| self.src.line(k.span().start))
    }

    fn get(&self, name: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.used.borrow_mut().insert(name.to_owned());
        self.map.iter().find(|(k, _)| k.get_ref() == name).map(|(_, v)| v)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn at<T>(&self, name: &str, v: &Spanned<DeValue<'_>>, value: T) -> At<T> {
        At { value, line: self.src.line(v.span().start), key: self.key(name) }
    }

    fn wrong(&self, name: &str, v: &Spanned<DeValue<'_>>, want: &str, example: &str) {
        let got = match v.get_ref() {
            DeValue::String(_) => "文字",
            DeValue::Integer(_) => "整数",
            DeValue::Float(_) => "小数",
            DeValue::Boolean(_) => "true/false",
            DeValue::Datetime(_) => "引用符のない日付",
            DeValue::Array(_) => "[ ] の並び",
            DeValue::Table(_) => "表",
        };
        let text = format!("{want}を書くところに{got}があります");
        self.src.error(
            self.src.line(v.span().start),
            &self.key(name),
            text,
            format!("{example} のように書いてください"),
        );
    }

    pub(crate) fn text(&self, name: &str) -> Option<At<String>> {
        let v = self.get(name)?;
        match v.get_ref() {
            DeValue::String(s) if s.trim().is_empty() => {
                self.error(name, "空の文字です", "値を書くか、項目ごと消してください");
                None
            }
            DeValue::String(s) => Some(self.at(name, v, s.to_string())),
            _ => {
                self.wrong(name, v, "文字", &format!("{name} = \"…\""));
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn need(&self, name: &str) -> Option<At<String>> {
        if !self.has(name) {
            self.src.error(
                self.line,
                &self.key(name),
                format!("{name} がありません"),
                format!("{name} = \"…\" を加えてください"),
            );
            return None;
        }
        self.text(name)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.get(name).map(|v| (v, v.get_ref())) {
            None => false,
            Some((_, DeValue::Boolean(b))) => *b,
            Some((v, _)) => {
                self.wrong(name, v, "true か false", &format!("{name} = true"));
                false
            }
        }
    }

    pub(crate) fn int(&self, name: &str) -> Option<At<i64>> {
        let v = self.get(name)?;
        let n = match v.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok(),
            _ => None,
        };
        if n.is_none() {
            self.wrong(name, v, "整数", &format!("{name} = 3"));
        }
        Some(self.at(name, v, n?))
    }

    /// An array of texts; absent is empty.
    pub(crate) fn texts(&self, name: &str) -> Vec<At<String>> {
        let Some(v) = self.get(name) else { return vec![] };
        let DeValue::Array(items) = v.get_ref() else {
            self.wrong(name, v, "[ ] の並び", &format!("{name} = [\"…\", \"…\"]"));
            return vec![];
        };
        let mut out = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(s) => out.push(self.at(name, item, s.to_string())),
                _ => self.wrong(name, item, "文字", "\"…\""),
            }
        }
        out
    }

    fn sub(&self, path: String, v: &'t Spanned<DeValue<'t>>, map: &'t DeTable<'t>) -> Table<'t> {
        Table { src: self.src, path, map, line: self.src.line(v.span().start), used: RefCell::default() }
    }

    pub(crate) fn table(&self, name: &str) -> Option<Table<'t>> {
        let v = self.get(name)?;
        match v.get_ref() {
            DeValue::Table(map) => Some(self.sub(self.key(name), v, map)),
            _ => {
                self.wrong(name, v, "表", &format!("[{name}]"));
                None
            }
        }
    }

    /// An array of tables (`[[name]]`); absent is empty.
    pub(crate) fn tables(&self, name: &str) -> Vec<Table<'t>> {
        let Some(v) = self.get(name) else { return vec![] };
        let DeValue::Array(items) = v.get_ref() else {
            self.wrong(name, v, "表の並び", &format!("[[{name}]]"));
            return vec![];
        };
        let mut out = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match item.get_ref() {
                DeValue::Table(map) => {
                    out.push(self.sub(format!("{}[{}]", self.key(name), i + 1), item, map))
                }
                _ => self.wrong(name, item, "表", &format!("[[{name}]]")),
            }
        }
        out
    }

    /// Every key with its text value, for tables that are maps.
    pub(crate) fn entries(&self) -> Vec<(String, At<String>)> {
        let keys: Vec<String> = self.map.keys().map(|k| k.get_ref().to_string()).collect();
        keys.into_iter().filter_map(|k| self.text(&k).map(|v| (k, v))).collect()
    }

    /// Every key with its value as JSON, for facts of tests.
    pub(crate) fn json(&self) -> Vec<(String, At<serde_json::Value>)> {
        let keys: Vec<String> = self.map.keys().map(|k| k.get_ref().to_string()).collect();
        let mut out = Vec::new();
        for k in keys {
            let Some(v) = self.get(&k) else { continue };
            match json(v.get_ref()) {
                Some(value) => out.push((k.clone(), self.at(&k, v, value))),
                None => self.wrong(&k, v, "文字、整数、true/false、それらの並び", &format!("{k} = \"…\"")),
            }
        }
        out
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let used = self.used.borrow();
        for k in self.map.keys() {
            let name = k.get_ref();
            if used.contains(name.as_ref()) {
                continue;
            }
            let known: Vec<&str> = used.iter().map(String::as_str).collect();
            let remedy = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("「{meant}」の書き間違いではありませんか"),
                None => format!("ここに書ける項目: {}", known.join("、")),
            };
            self.src.error(
                self.src.line(k.span().start),
                &self.key(name),
                format!("「{name}」という項目はありません"),
                remedy,
            );
        }
    }
}

fn json(v: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match v {
        DeValue::String(s) => serde_json::Value::from(s.as_ref()),
        DeValue::Integer(i) => i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok()?.into(),
        DeValue::Boolean(b) => (*b).into(),
        DeValue::Array(items) => items.iter().map(|i| json(i.get_ref())).collect::<Option<Vec<_>>>()?.into(),
        _ => return None,
    })
}
