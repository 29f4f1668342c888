//! Cells as people read them, and columns as fields of a form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::model::{Choice, Column, ColumnType, Level, Pack};
use serde::Serialize;

use crate::directory::Directory;

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pair {
    /// Label.
    pub label: String,
    /// Value as people read it.
    pub value: String,
}

/// A choice of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefChoice {
    /// What is sent.
    pub code: String,
    /// What is shown.
    pub label: String,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldView {
    /// Name in the form, and id on the page: no two fields of a page have the same.
    pub name: String,
    /// Label.
    pub label: String,
    /// Help.
    pub help: String,
    /// text, long_text, date, integer, bool, choice; choices (several, a line each); code (typed, with `choices` to pick from).
    pub kind: &'static str,
    /// Must be filled.
    pub required: bool,
    /// What was typed or is stored.
    pub value: String,
    /// Choices.
    pub choices: Vec<RefChoice>,
}

impl FieldView {
    /// Whether a choice is among the chosen ones.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.value.lines().any(|line| line == code)
    }
}

/// Choices of the pack as choices of a form.
pub(crate) fn choices(list: &[Choice]) -> Vec<RefChoice> {
    list.iter().map(|c| RefChoice { code: c.code.clone(), label: c.label.clone() }).collect()
}

/// A cell for people.
pub(crate) fn show(pack: &Pack, directory: &Directory, column: &Column, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(b)) => if *b { "○" } else { "×" }.to_owned(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Text(s)) => show_text(pack, directory, column, s),
        Some(Value::List(list)) => {
            list.iter().map(|s| show_text(pack, directory, column, s)).collect::<Vec<_>>().join("、")
        }
    }
}

/// The same in a table of many rows, where a day is to take little room.
pub(crate) fn show_cell(
    pack: &Pack,
    directory: &Directory,
    column: &Column,
    value: Option<&Value>,
) -> String {
    match (&column.kind, value) {
        (ColumnType::Date, Some(Value::Text(s))) => s.parse::<Date>().map_or_else(|_| s.clone(), Date::short),
        _ => show(pack, directory, column, value),
    }
}

fn show_text(pack: &Pack, directory: &Directory, column: &Column, s: &str) -> String {
    match &column.kind {
        ColumnType::Date => s.parse::<Date>().map_or_else(|_| s.to_owned(), Date::japanese),
        ColumnType::Choice => {
            column.choices.iter().find(|c| c.code == s).map_or_else(|| s.to_owned(), |c| c.label.clone())
        }
        ColumnType::Class(axis) => level_title(pack, axis, s),
        ColumnType::Unit => directory.unit_name(s).to_owned(),
        ColumnType::Post => directory.post_name(s),
        ColumnType::Person => directory.person_name(s).to_owned(),
        _ => s.to_owned(),
    }
}

/// A level's name (機密性3), or its code.
pub(crate) fn level_title(pack: &Pack, axis: &str, code: &str) -> String {
    let level = pack.classification.axes.get(axis).and_then(|a| a.levels.iter().find(|l| l.code == code));
    level.map_or_else(|| code.to_owned(), |l| l.title.clone())
}

/// Axes of a class in the order in which people name them, the standard's three first.
pub(crate) fn axes_in_order(class: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    axis_order(class.keys().map(String::as_str))
        .into_iter()
        .filter_map(|axis| Some((axis, class.get(axis)?.as_str())))
        .collect()
}

/// Axes in that order.
pub(crate) fn axis_order<'a>(axes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const FIRST: [&str; 3] = ["confidentiality", "integrity", "availability"];
    let mut axes: Vec<&str> = axes.collect();
    axes.sort_by_key(|axis| FIRST.iter().position(|f| f == axis).unwrap_or(FIRST.len()));
    axes
}

/// Every axis of a class: 「機密性2 完全性1 可用性1」.
pub(crate) fn class_text(pack: &Pack, class: &BTreeMap<String, String>) -> String {
    axes_in_order(class)
        .into_iter()
        .map(|(axis, code)| level_title(pack, axis, code))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A column as a field, with what is stored or was typed.
pub(super) fn field(
    pack: &Pack,
    directory: &Directory,
    column: &Column,
    value: String,
    today: Date,
) -> FieldView {
    let (kind, list, hint) = match &column.kind {
        ColumnType::LongText => ("long_text", vec![], ""),
        ColumnType::Date => ("date", vec![], "例：R8.7.1、令和8年7月1日、2026/7/1"),
        ColumnType::Integer => ("integer", vec![], ""),
        ColumnType::Bool => ("bool", vec![], ""),
        ColumnType::Choice if column.many => {
            ("choices", choices(&column.choices), "当てはまるものをすべて選びます。")
        }
        ColumnType::Choice => ("choice", choices(&column.choices), ""),
        ColumnType::Class(axis) => {
            // A level that is no longer chosen stays where it is stored.
            let a = pack.classification.axes.get(axis);
            let offered: Vec<&str> =
                a.into_iter().flat_map(|a| pack.classification.offered(a)).map(|l| l.code.as_str()).collect();
            let shown = |l: &&Level| offered.contains(&l.code.as_str()) || l.code == value;
            let levels = a.into_iter().flat_map(|a| &a.levels).filter(shown);
            (
                "choice",
                levels.map(|l| RefChoice { code: l.code.clone(), label: l.title.clone() }).collect(),
                "",
            )
        }
        _ if column.many => ("long_text", vec![], "1行に1つずつ入力します。"),
        ColumnType::Unit => (
            "code",
            units(directory, today),
            "名称の一部を入れると候補が出ます。組織コードでも入力できます。",
        ),
        ColumnType::Post => (
            "code",
            head_posts(directory),
            "所属や職の名の一部を入れると候補が出ます。職コードでも入力できます。",
        ),
        ColumnType::Person => (
            "code",
            directory.offered(&value, None),
            "職員番号か、氏名・ふりがなで入力します。一部でもかまいません。",
        ),
        _ => ("text", vec![], ""),
    };
    let help = column.help.clone().unwrap_or_else(|| hint.to_owned());
    FieldView {
        name: column.id.clone(),
        label: column.label.clone(),
        help,
        kind,
        required: column.required,
        value,
        choices: list,
    }
}

/// Units that are there today.
fn units(directory: &Directory, today: Date) -> Vec<RefChoice> {
    let there = directory.rows().units.iter().filter(|u| u.exists_on(today));
    there.map(|u| RefChoice { code: u.code.clone(), label: directory.place_name(&u.code) }).collect()
}

/// Posts that head a unit: registers are kept by heads; another post's code can be typed.
fn head_posts(directory: &Directory) -> Vec<RefChoice> {
    let heads = directory.rows().posts.iter().filter(|p| p.head);
    heads.map(|p| RefChoice { code: p.code.clone(), label: directory.post_name(&p.code) }).collect()
}

/// A stored value as a form shows it for changing.
pub(super) fn editable(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(b)) => if *b { "1" } else { "" }.to_owned(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Text(s)) => s.clone(),
        Some(Value::List(list)) => list.join("\n"),
    }
}
