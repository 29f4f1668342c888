//! Columns of an exchange: how a value is shown in a cell and how a cell is read as a value, by the kind of column.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::limits::{LINE_CHARS, TEXT_CHARS};
use sekisho_base::table::Value;
use sekisho_base::text::{fold_key, normalize_code, shorten};

use super::cell::Cell;

/// Values of one row by column id.
pub type Record = BTreeMap<String, Value>;

/// Kind of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One line, every character kept.
    Text,
    /// Several lines; line ends become LF, everything else is kept.
    LongText,
    /// A code: half width, no white space at the ends, one kind of dash.
    Code,
    /// Civil date, stored ISO 8601.
    Date,
    /// Whole number.
    Integer,
    /// Yes or no, written ○ and ×.
    Bool,
    /// One of these (code, label); written as the label, read as either.
    Choice(Vec<(String, String)>),
    /// Code of a row of the named table (`unit`, `post`, `person`, a register).
    Reference(String),
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Identifier.
    pub id: String,
    /// Accepted headers; the first is written.
    pub labels: Vec<String>,
    /// Kind.
    pub kind: Kind,
    /// Holds several values: one a line in the cell; codes, choices and references also separated by 、 or a comma.
    pub many: bool,
    /// Must not be empty.
    pub required: bool,
}

/// What one sheet exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Name of the sheet.
    pub title: String,
    /// Ids of the columns that together identify a row.
    pub key: Vec<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
}

/// Why a cell has no value of the column's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub message: String,
    pub remedy: String,
}

fn fault(message: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { message: message.into(), remedy: remedy.into() }
}

impl Column {
    /// A column that may be empty and holds one value.
    #[must_use]
    pub fn new(id: &str, labels: &[&str], kind: Kind) -> Self {
        Self {
            id: id.into(),
            labels: labels.iter().map(|l| (*l).into()).collect(),
            kind,
            many: false,
            required: false,
        }
    }

    /// The same column, which must not be empty.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same column, holding several values.
    #[must_use]
    pub fn many(self) -> Self {
        Self { many: true, ..self }
    }

    /// The header that is written.
    #[must_use]
    pub fn label(&self) -> &str {
        self.labels.first().map_or(self.id.as_str(), String::as_str)
    }

    /// The value as the text of a cell: what an export writes and an import compares with.
    #[must_use]
    pub fn show(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Bool(b) => if *b { "○" } else { "×" }.into(),
            Value::Int(n) => n.to_string(),
            Value::Text(s) if self.many => quote(s, &self.kind),
            Value::Text(s) => self.show_one(s),
            Value::List(list) => {
                let shown: Vec<String> = list
                    .iter()
                    .filter(|s| !s.is_empty())
                    .map(|s| quote(&self.show_one(s), &self.kind))
                    .collect();
                shown.join("\n")
            }
        }
    }

    fn show_one(&self, s: &str) -> String {
        let Kind::Choice(choices) = &self.kind else { return s.to_owned() };
        let label = choices.iter().find(|(code, _)| code == s).map(|(_, label)| label);
        // A label that reads back as another code is not written.
        label.filter(|l| choice(choices, l).as_deref() == Some(s)).unwrap_or(&s.to_owned()).clone()
    }

    /// The value of a cell; a blank cell is [`Value::Null`].
    pub(super) fn read(&self, cell: &Cell) -> Result<Value, Fault> {
        if cell.is_blank() {
            return Ok(Value::Null);
        }
        if let Cell::Fault(shown) = cell {
            return Err(fault(
                format!("数式の結果が「{shown}」です。"),
                "数式を直すか、値を直接入力してください。",
            ));
        }
        if !self.many {
            return self.read_one(cell);
        }
        let mut list = Vec::new();
        for item in unquote(&cell.text(), &self.kind) {
            match self.read_one(&Cell::Text(item))? {
                Value::Null => {}
                Value::Text(s) => list.push(s),
                Value::Int(n) => list.push(n.to_string()),
                Value::Bool(b) => list.push(b.to_string()),
                Value::List(more) => list.extend(more),
            }
        }
        Ok(if list.is_empty() { Value::Null } else { Value::List(list) })
    }

    fn read_one(&self, cell: &Cell) -> Result<Value, Fault> {
        let text = cell.text();
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        match &self.kind {
            Kind::Text => line(&text).map(Value::Text),
            Kind::LongText => {
                let text = line_ends(&text);
                let count = text.chars().count();
                if count > TEXT_CHARS { Err(too_long(count, TEXT_CHARS)) } else { Ok(Value::Text(text)) }
            }
            Kind::Code | Kind::Reference(_) => line(&normalize_code(&text)).map(Value::Text),
            Kind::Date => date(cell, &text).map(|d| Value::Text(d.to_string())),
            Kind::Integer => integer(&text).map(Value::Int),
            Kind::Bool => yes_or_no(cell, &text).map(Value::Bool),
            Kind::Choice(choices) => choice(choices, &text).map(Value::Text).ok_or_else(|| {
                let labels: Vec<&str> = choices.iter().map(|(_, l)| l.as_str()).take(30).collect();
                fault(
                    format!("「{}」は選択肢にありません。", shorten(&text, 40)),
                    format!("{} のどれかを入力してください。", labels.join("、")),
                )
            }),
        }
    }

    /// Whether two values are the same for this column: nothing, white space and an empty text or list are equal, and
    /// so are texts of several lines that differ in line ends only.
    pub(super) fn same(&self, a: &Value, b: &Value) -> bool {
        let blank = |v: &Value| v.is_empty() || v.as_text().is_some_and(|t| t.trim().is_empty());
        a == b
            || (blank(a) && blank(b))
            || (self.kind == Kind::LongText
                && matches!((a, b), (Value::Text(a), Value::Text(b)) if line_ends(a) == line_ends(b)))
    }
}

fn too_long(count: usize, limit: usize) -> Fault {
    fault(format!("{count}文字あります（上限 {limit}文字）。"), format!("{limit}文字以内にしてください。"))
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// One line of text, as it is.
fn line(text: &str) -> Result<String, Fault> {
    let count = text.chars().count();
    if count > LINE_CHARS {
        return Err(too_long(count, LINE_CHARS));
    }
    if text.chars().any(char::is_control) {
        return Err(fault(
            "改行または制御文字が入っています。",
            "セルの中の改行などを消して、1行で入力してください。",
        ));
    }
    Ok(text.to_owned())
}

fn date(cell: &Cell, text: &str) -> Result<Date, Fault> {
    const REMEDY: &str = "2026/7/1、令和8年7月1日、R8.7.1 のように入力してください。";
    match cell {
        Cell::Date { date, time: None } => Ok(*date),
        Cell::Date { time: Some(time), .. } => Err(fault(
            format!("日付に時刻「{time}」が付いています。"),
            "時刻を消して、日付だけにしてください。",
        )),
        Cell::Int(n) if !(10_000_101..=99_991_231).contains(n) => Err(fault(
            format!("「{n}」は数値で、日付ではありません。"),
            "セルの表示形式を「日付」にするか、2026/7/1 のように入力してください。",
        )),
        _ => {
            // Other systems write midnight after the day.
            let day = text
                .trim()
                .trim_end_matches(":00")
                .strip_suffix(" 0")
                .or(text.trim().strip_suffix(" 00:00:00"));
            let day = day.or(text.trim().strip_suffix(" 00:00")).unwrap_or(text);
            Date::parse_japanese(day)
                .map_err(|_| fault(format!("「{}」は日付として読めません。", shorten(text, 40)), REMEDY))
        }
    }
}

/// `1,234`, `▲5`, full width or not.
fn integer(text: &str) -> Result<i64, Fault> {
    let normal = normalize_code(text);
    let signed = normal.replacen(['▲', '△'], "-", usize::from(normal.starts_with(['▲', '△'])));
    let digits = signed.strip_prefix('-').unwrap_or(&signed);
    let grouped = digits.contains(',')
        && digits
            .split(',')
            .enumerate()
            .all(|(i, g)| if i == 0 { (1..=3).contains(&g.len()) } else { g.len() == 3 });
    let plain = if grouped { signed.replace(',', "") } else { signed };
    plain.parse().map_err(|_| {
        fault(
            format!("「{}」は整数として読めません。", shorten(text, 40)),
            "数字だけを入力してください。単位は付けないでください。",
        )
    })
}

fn yes_or_no(cell: &Cell, text: &str) -> Result<bool, Fault> {
    if let Cell::Bool(b) = cell {
        return Ok(*b);
    }
    match fold_key(text).as_str() {
        "○" | "〇" | "◯" | "◎" | "●" | "✓" | "✔" | "☑" | "はい" | "有" | "あり" | "該当" | "1" | "true"
        | "yes" | "y" => Ok(true),
        "×" | "✕" | "✗" | "✖" | "x" | "☐" | "いいえ" | "無" | "なし" | "非該当" | "0" | "false" | "no"
        | "n" | "-" | "ー" => Ok(false),
        _ => Err(fault(
            format!("「{}」は○か×として読めません。", shorten(text, 40)),
            "○ または × を入力してください。",
        )),
    }
}

/// Code of the choice that a text names: the code, the label, or a label that differs in width and the like only. A
/// label that several choices share names none.
fn choice(choices: &[(String, String)], text: &str) -> Option<String> {
    let only = |test: &dyn Fn(&(String, String)) -> bool| {
        let mut found = choices.iter().filter(|c| test(c));
        found.next().filter(|_| found.next().is_none()).map(|(code, _)| code.clone())
    };
    let code = normalize_code(text);
    only(&|(c, _)| *c == code || c == text).or_else(|| only(&|(_, label)| label == text)).or_else(|| {
        let folded = fold_key(text);
        only(&|(_, label)| fold_key(label) == folded)
    })
}

/// Characters that separate values of one cell.
fn separates(c: char, kind: &Kind) -> bool {
    let text = matches!(kind, Kind::Text | Kind::LongText);
    matches!(c, '\n' | '\r') || (!text && matches!(c, '、' | ',' | '，' | ';' | '；'))
}

/// One of several values: in quotation marks when it would otherwise be read as more than one, or begins with one.
fn quote(item: &str, kind: &Kind) -> String {
    if item.starts_with('"') || item.contains(|c| separates(c, kind)) {
        format!("\"{}\"", item.replace('"', "\"\""))
    } else {
        item.to_owned()
    }
}

/// The values of one cell.
fn unquote(text: &str, kind: &Kind) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => item.push('"'),
            '"' if quoted => quoted = false,
            '"' if item.is_empty() => quoted = true,
            c if !quoted && separates(c, kind) => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items.retain(|i| !i.trim().is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, text: &str) -> Result<Value, String> {
        Column::new("c", &["列"], kind).read(&Cell::Text(text.into())).map_err(|f| f.message)
    }

    fn text(s: &str) -> Result<Value, String> {
        Ok(Value::Text(s.into()))
    }

    #[test]
    fn names_keep_every_character_and_codes_do_not() {
        for name in ["髙﨑　邉\u{e0101}", " 𠮷田 ", "ﾀﾛｳ", "①", "\u{e000}"] {
            assert_eq!(read(Kind::Text, name), text(name));
        }
        assert_eq!(read(Kind::Code, " ＰＣ－００１　"), text("PC-001"));
        assert_eq!(read(Kind::Text, "　"), Ok(Value::Null));
        assert!(read(Kind::Text, "a\nb").is_err());
        assert!(read(Kind::Text, &"あ".repeat(201)).is_err());
        assert_eq!(read(Kind::LongText, "a\r\nb"), text("a\nb"));
    }

    #[test]
    fn dates_and_numbers() {
        for s in [
            "2026/7/1",
            "令和８年７月１日",
            "R8.7.1",
            "20260701",
            "2026/07/01 0:00:00",
            "2026-07-01 00:00:00",
            "2026/7/1 0:00",
        ] {
            assert_eq!(read(Kind::Date, s), text("2026-07-01"), "{s}");
        }
        let column = Column::new("d", &["日"], Kind::Date);
        let day = Date::new(2026, 7, 1).unwrap();
        assert_eq!(
            column.read(&Cell::Date { date: day, time: None }).unwrap(),
            Value::Text("2026-07-01".into())
        );
        assert!(column.read(&Cell::Date { date: day, time: Some("09:00:00".into()) }).is_err());
        assert!(column.read(&Cell::Int(46_204)).is_err());
        assert_eq!(column.read(&Cell::Int(20_260_701)).unwrap(), Value::Text("2026-07-01".into()));
        assert!(read(Kind::Date, "2026/7/1 13:00").is_err());
        for (s, n) in [
            ("１２", 12),
            ("1,234,567", 1_234_567),
            ("▲5", -5),
            ("−3", -3),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(read(Kind::Integer, s), Ok(Value::Int(n)), "{s}");
        }
        for s in ["1.5", "12件", "1,23", "9223372036854775808", "1,,234"] {
            assert!(read(Kind::Integer, s).is_err(), "{s}");
        }
    }

    #[test]
    fn yes_no_and_choices() {
        for s in ["○", "〇", "◯", "はい", "１", "TRUE", "有"] {
            assert_eq!(read(Kind::Bool, s), Ok(Value::Bool(true)), "{s}");
        }
        for s in ["×", "Ｘ", "いいえ", "0", "false", "－"] {
            assert_eq!(read(Kind::Bool, s), Ok(Value::Bool(false)), "{s}");
        }
        assert!(read(Kind::Bool, "たぶん").is_err());
        let kind = Kind::Choice(vec![("main".into(), "本務".into()), ("concurrent".into(), "兼務".into())]);
        assert_eq!(read(kind.clone(), "兼 務"), text("concurrent"));
        assert_eq!(read(kind.clone(), "ｍａｉｎ"), text("main"));
        assert!(read(kind, "専任").is_err());
    }

    #[test]
    fn a_label_that_means_another_code_is_not_written() {
        let twisted = Column::new(
            "c",
            &["列"],
            Kind::Choice(vec![
                ("1".into(), "2".into()),
                ("2".into(), "3".into()),
                ("4".into(), "同".into()),
                ("5".into(), "同".into()),
            ]),
        );
        for code in ["1", "2", "4", "5", "9"] {
            let shown = twisted.show(&Value::Text(code.into()));
            assert!(
                twisted.read(&Cell::Text(shown.clone())) == Ok(Value::Text(code.into())) || shown == code
            );
        }
        assert_eq!(twisted.show(&Value::Text("4".into())), "4");
    }

    #[test]
    fn several_values_come_back() {
        let column = Column::new("c", &["列"], Kind::Text).many();
        let list = Value::List(vec!["a、b".into(), "\"q".into(), "x\ny".into(), "C:\\new".into()]);
        assert_eq!(column.show(&list), "a、b\n\"\"\"q\"\n\"x\ny\"\nC:\\new");
        assert_eq!(unquote(&column.show(&list), &Kind::Text), ["a、b", "\"q", "x\ny", "C:\\new"]);
        let codes = Column::new("c", &["列"], Kind::Code).many();
        assert_eq!(
            codes.read(&Cell::Text("１、2, 3\n".into())).unwrap(),
            Value::List(vec!["1".into(), "2".into(), "3".into()])
        );
    }
}
