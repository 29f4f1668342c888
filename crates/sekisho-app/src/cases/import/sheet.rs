//! A form as a table: its fields as columns, what was typed as cells, and back.

use std::collections::{BTreeMap, HashMap};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_base::text::normalize_code;
use sekisho_case::case::{CaseState, Status};
use sekisho_pack::model::{Field, FieldType, Pack, Procedure, Register};
use sekisho_store::case::{self, CaseFilter, CaseRow, DraftRow};
use sekisho_store::{Conn, Viewer, register};

use crate::cases::anew::typed_text;
use crate::cases::apply::typed_of;
use crate::cases::items::items_by_key;
use crate::cases::store::state_of;
use crate::cases::view::Typed;
use crate::error::AppError;
use crate::exchange::{Column, Kind, Record, Schema};
use crate::people::Me;
use crate::registers::table_spec;

/// Header of the column that names a draft or a case that was sent back. As a column's id it is no field's, for those are ASCII.
pub(super) const NUMBER: &str = "案件番号";
/// What the number of a draft begins with.
const DRAFT: &str = "下書き-";
/// Characters at the end of a draft's id that name it: 40 random bits.
const NAMED_BY: usize = 8;
/// Drafts and cases of a person that a file may name.
const MOST: i64 = 1_000;

/// What a row of a file may name: the person's own.
pub(super) enum Target {
    /// An application being written.
    Draft(DraftRow, Typed),
    /// A case that was sent back to its applicant.
    Returned(Box<(CaseRow, CaseState)>),
}

/// What the person has begun of a procedure, by number.
#[derive(Default)]
pub(super) struct Begun {
    /// Numbers, the latest draft first, then cases.
    pub order: Vec<String>,
    /// What each number names.
    pub targets: HashMap<String, Target>,
    /// What an export writes of each, by the key of its row.
    pub records: HashMap<Vec<String>, Record>,
}

/// The number of a draft.
pub(super) fn draft_number(id: &str) -> String {
    let from = id.len().saturating_sub(NAMED_BY);
    format!("{DRAFT}{}", id.get(from..).unwrap_or(id))
}

/// The columns of a form, in its order, behind the one with the number.
pub(super) fn schema(p: &Procedure) -> Schema {
    let mut columns = vec![Column::new(NUMBER, &[NUMBER], Kind::Code)];
    for f in &p.fields {
        let kind = match &f.kind {
            FieldType::Text => Kind::Text,
            FieldType::LongText | FieldType::Clauses | FieldType::File => Kind::LongText,
            FieldType::Date => Kind::Date,
            FieldType::Integer => Kind::Integer,
            FieldType::Bool => Kind::Bool,
            FieldType::Choice => {
                Kind::Choice(f.choices.iter().map(|c| (c.code.clone(), c.label.clone())).collect())
            }
            FieldType::Items(_) | FieldType::Row(_) => Kind::Code,
        };
        // Two fields may have one label; a header names one column.
        let taken = columns.iter().any(|c: &Column| c.label() == f.label);
        let label = if taken { format!("{}（{}）", f.label, f.id) } else { f.label.clone() };
        let column = Column::new(&f.id, &[&label], kind);
        columns.push(if matches!(f.kind, FieldType::Items(_)) { column.many() } else { column });
    }
    Schema { title: p.title.clone(), key: vec![NUMBER.to_owned()], columns }
}

/// What stands in a cell, as the form sends it; empty for nothing.
pub(super) fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "1" } else { "" }.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(list) => list.join("、"),
    }
}

/// What was typed into a field, as a cell holds it. What cannot be read stays as it was typed.
fn cell(f: &Field, text: &str) -> Value {
    let whole = || if text.trim().is_empty() { Value::Null } else { Value::Text(text.to_owned()) };
    match f.kind {
        FieldType::Bool => Value::Bool(text.trim() == "1"),
        FieldType::Date => {
            Date::parse_japanese(text).map_or_else(|_| whole(), |d| Value::Text(d.to_string()))
        }
        FieldType::Integer => text.trim().parse().map_or_else(|_| whole(), Value::Int),
        _ => whole(),
    }
}

/// What was typed as a row of the table.
async fn record(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    p: &Procedure,
    (number, typed): (&str, &Typed),
) -> Result<Record, AppError> {
    let mut record = Record::from([(NUMBER.to_owned(), Value::Text(number.to_owned()))]);
    for f in &p.fields {
        let value = match &f.kind {
            FieldType::Items(registers) => {
                let keys = typed.values.get(&f.id).cloned().unwrap_or_default();
                let items = items_by_key(c, pack, viewer, &f.id, registers, &keys, p.most_items()).await?;
                let numbers: Vec<String> = items.into_iter().map(|i| i.number).collect();
                if numbers.is_empty() { Value::Null } else { Value::List(numbers) }
            }
            _ => cell(f, typed.first(&f.id)),
        };
        record.insert(f.id.clone(), value);
    }
    Ok(record)
}

/// What was applied for, as the form would send it.
fn typed_of_case(p: &Procedure, state: &CaseState) -> Typed {
    let mut typed = Typed { post: state.applicant.post.clone(), ..Typed::default() };
    for f in &p.fields {
        if let Some(text) = state.content.fields.get(&f.id).and_then(|v| typed_text(&f.kind, v)) {
            typed.values.insert(f.id.clone(), vec![text]);
        }
    }
    for item in &state.content.items {
        typed.values.entry(item.field.clone()).or_default().push(item.key());
    }
    typed
}

/// Everything of a procedure that the person may still change: drafts, and cases that were sent back.
pub(super) async fn begun(c: &mut Conn<'_>, pack: &Pack, me: &Me, p: &Procedure) -> Result<Begun, AppError> {
    let mut begun = Begun::default();
    let mut found: Vec<(String, Typed, Target)> = Vec::new();
    for row in case::drafts_of(c, &me.person, &p.id, MOST).await? {
        let typed = typed_of(&row)?;
        found.push((draft_number(&row.id), typed.clone(), Target::Draft(row, typed)));
    }
    let filter = CaseFilter {
        procedure: Some(p.id.clone()),
        status: Some(Status::SentBack.code().to_owned()),
        applicant: Some(me.person.clone()),
        ..CaseFilter::default()
    };
    for row in case::list(c, me.viewer(), &filter, 0, MOST).await?.0 {
        let state = state_of(&row)?;
        let typed = typed_of_case(p, &state);
        found.push((row.number.clone(), typed, Target::Returned(Box::new((row, state)))));
    }
    for (number, typed, target) in found {
        // Of two with one number, which happens once in a million million, the later one is meant.
        if begun.targets.contains_key(&number) {
            continue;
        }
        let record = record(c, pack, me.viewer(), p, (&number, &typed)).await?;
        begun.records.insert(vec![number.clone()], record);
        begun.order.push(number.clone());
        begun.targets.insert(number, target);
    }
    Ok(begun)
}

/// Rows named by their number, as the form names them (`register/row`), or what is wrong with a number.
pub(super) async fn keys_of(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    registers: &[String],
    numbers: &[String],
) -> Result<Result<Vec<String>, String>, AppError> {
    let mut keys = Vec::new();
    for number in numbers {
        let mut found: Vec<(&Register, String)> = Vec::new();
        for r in registers.iter().filter_map(|id| pack.registers.get(id)) {
            let row = register::by_key(c, &table_spec(r), viewer, &normalize_code(number)).await?;
            found.extend(row.map(|row| (r, row.id)));
        }
        match found.as_slice() {
            [(r, row)] => keys.push(format!("{}/{row}", r.id)),
            [] => {
                return Ok(Err(format!(
                    "管理番号「{number}」のものは、あなたが選べる台帳にありません。番号を確かめてください。"
                )));
            }
            several => {
                let titles: Vec<&str> = several.iter().map(|(r, _)| r.title.as_str()).collect();
                return Ok(Err(format!(
                    "管理番号「{number}」は、{}の両方にあります。この申請は画面から行ってください。",
                    titles.join("と")
                )));
            }
        }
    }
    Ok(Ok(keys))
}

/// What a row of the file would send, over what stood there before.
pub(super) async fn typed_row(
    c: &mut Conn<'_>,
    (pack, viewer, p): (&Pack, &Viewer, &Procedure),
    before: Typed,
    values: &BTreeMap<&str, &Value>,
) -> Result<Result<Typed, (String, String)>, AppError> {
    let mut row = before;
    for f in &p.fields {
        let Some(value) = values.get(f.id.as_str()) else { continue };
        let typed = match (&f.kind, value) {
            (FieldType::Items(registers), Value::List(numbers)) => {
                match keys_of(c, pack, viewer, registers, numbers).await? {
                    Ok(keys) => keys,
                    Err(message) => return Ok(Err((f.id.clone(), message))),
                }
            }
            (FieldType::Items(_), _) => vec![],
            (_, value) => Some(typed(value)).filter(|t| !t.is_empty()).into_iter().collect(),
        };
        if typed.is_empty() {
            row.values.remove(&f.id);
        } else {
            row.values.insert(f.id.clone(), typed);
        }
    }
    Ok(Ok(row))
}
