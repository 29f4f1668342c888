//! Copies (写し): a row that names its original never has a lower class, takes the original's where it has none, and follows when the
//! original's changes.

use std::collections::{BTreeMap, HashMap};

use sekisho_base::limits::BULK_ITEMS;
use sekisho_base::table::Value;
use sekisho_pack::model::{Classification, Pack, Register};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::{Conn, Viewer};

use crate::error::{AppError, FieldError};
use crate::exchange::{Diff, Plan, Record, RowAction};
use crate::office::Office;
use crate::registers::row::keep_row;
use crate::registers::{class_of, level_title, table_spec};

type Values = BTreeMap<String, Value>;

/// An original's number, and its class by axis.
struct Original {
    number: String,
    class: BTreeMap<String, String>,
}

impl Original {
    fn of(r: &Register, number: &str, values: &Values) -> Self {
        Self { number: number.to_owned(), class: class_of(r, values) }
    }

    /// Gives a copy the original's class where it has none. Returns the columns that were filled.
    fn fill(&self, r: &Register, values: &mut Values) -> Vec<String> {
        let mut filled = Vec::new();
        for (axis, column) in &r.class {
            let empty = values.get(column).is_none_or(Value::is_empty);
            if let (true, Some(code)) = (empty, self.class.get(axis)) {
                values.insert(column.clone(), Value::Text(code.clone()));
                filled.push(column.clone());
            }
        }
        filled
    }

    /// Columns in which a copy would have a lower class, each with what to say.
    fn lower(&self, pack: &Pack, r: &Register, values: &Values) -> Vec<(String, String)> {
        let own = class_of(r, values);
        let classification = &pack.classification;
        let mut found = Vec::new();
        for (axis, column) in &r.class {
            let (Some(code), Some(of)) = (own.get(axis), self.class.get(axis)) else { continue };
            if classification.rank(axis, code) < classification.rank(axis, of) {
                let says = format!(
                    "写しの元「{}」は{}です。写しの分類は、元より低くできません。",
                    self.number,
                    level_title(pack, axis, of)
                );
                found.push((column.clone(), says));
            }
        }
        found
    }
}

/// The number that a row names as its original.
fn named<'v>(r: &Register, values: &'v Values) -> Option<&'v str> {
    let (column, _) = r.original()?;
    values.get(column).and_then(Value::as_text).filter(|s| !s.is_empty())
}

/// The original of a row, as this viewer sees it.
async fn original(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    r: &Register,
    values: &Values,
) -> Result<Option<Original>, AppError> {
    let (Some((_, target)), Some(number)) = (r.original(), named(r, values)) else { return Ok(None) };
    let Some(of) = pack.registers.get(target) else { return Ok(None) };
    let row = register::by_key(c, &table_spec(of), viewer, number).await?;
    Ok(row.map(|row| Original::of(of, number, &row.values)))
}

fn unknown(number: &str) -> String {
    format!("写しの元「{number}」は台帳にないか、あなたの所属からは見えません。管理番号を確かめてください。")
}

/// Gives a form's row the class of its original where it has none, and says what is wrong with it as a copy. An original that
/// the person cannot see may stay, not be named anew.
pub(super) async fn complete(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    r: &Register,
    before: Option<&RegisterRow>,
    values: &mut Values,
) -> Result<Vec<FieldError>, AppError> {
    let (Some((column, target)), Some(number)) = (r.original(), named(r, values).map(str::to_owned)) else {
        return Ok(vec![]);
    };
    let fault = |column: &str, message: String| FieldError { field: column.to_owned(), message };
    let itself = target == r.id && values.get(&r.key).and_then(Value::as_text) == Some(number.as_str());
    if itself {
        return Ok(vec![fault(column, "自分自身を写しの元にはできません。".to_owned())]);
    }
    let kept = before.is_some_and(|b| b.text(column) == number);
    let everyone = Viewer::whole_body(&viewer.person);
    let viewer = if kept { &everyone } else { viewer };
    let Some(original) = original(c, pack, viewer, r, values).await? else {
        return Ok(if kept { vec![] } else { vec![fault(column, unknown(&number))] });
    };
    original.fill(r, values);
    Ok(original.lower(pack, r, values).into_iter().map(|(column, says)| fault(&column, says)).collect())
}

/// The same for the plan of an import: originals in the file count as the file would make them.
pub(super) async fn complete_plan(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    r: &Register,
    existing: &HashMap<Vec<String>, Record>,
    plan: &mut Plan,
) -> Result<(), AppError> {
    let Some((column, target)) = r.original().map(|(c, t)| (c.to_owned(), t.to_owned())) else {
        return Ok(());
    };
    let label = |id: &str| r.columns.iter().find(|c| c.id == id).map_or(id, |c| c.label.as_str()).to_owned();
    let in_file: HashMap<String, Record> = if target == r.id {
        plan.rows.iter().filter_map(|row| Some((row.key.first()?.clone(), row.result(existing)?))).collect()
    } else {
        HashMap::new()
    };
    let everyone = Viewer::whole_body(&viewer.person);
    let mut refused: Vec<(usize, String, String, String)> = Vec::new();
    for row in &mut plan.rows {
        if !matches!(row.action, RowAction::Add(_) | RowAction::Change(_)) {
            continue;
        }
        let Some(mut values) = row.result(existing) else { continue };
        let before = existing.get(&row.key);
        if let Some(number) = named(r, &values).map(str::to_owned) {
            let itself = target == r.id && row.key.first() == Some(&number);
            let kept = before.is_some_and(|b| b.get(&column).and_then(Value::as_text) == Some(&number));
            let of = match in_file.get(&number) {
                Some(record) => Some(Original::of(r, &number, record)),
                None => original(c, pack, if kept { &everyone } else { viewer }, r, &values).await?,
            };
            match of {
                _ if itself => {
                    refused.push((
                        row.row,
                        column.clone(),
                        number,
                        "自分自身を写しの元にはできません。".to_owned(),
                    ));
                }
                None if kept => {}
                None => refused.push((row.row, column.clone(), number.clone(), unknown(&number))),
                Some(of) => {
                    for filled in of.fill(r, &mut values) {
                        let after = values.get(&filled).cloned().unwrap_or(Value::Null);
                        set(&mut row.action, before, &filled, &label(&filled), after);
                    }
                    for (lower, says) in of.lower(pack, r, &values) {
                        let shown =
                            values.get(&lower).and_then(Value::as_text).unwrap_or_default().to_owned();
                        refused.push((row.row, lower, shown, says));
                    }
                }
            }
        }
        // A class that the sheet may leave out for a copy is still required of everything else.
        let emptied = |id: &str| match &row.action {
            RowAction::Add(_) => true,
            RowAction::Change(diffs) => diffs.iter().any(|d| d.column == id),
            RowAction::Same | RowAction::Error => false,
        };
        for c in r.columns.iter().filter(|c| c.required && r.class.values().any(|k| *k == c.id)) {
            if values.get(&c.id).is_none_or(Value::is_empty) && emptied(&c.id) {
                let says = format!("「{}」は必須です。", c.label);
                refused.push((row.row, c.id.clone(), String::new(), says));
            }
        }
    }
    for (row, column, value, says) in refused {
        plan.reject(row, &column, &value, says, "値を直してください。");
    }
    Ok(())
}

/// Rows that would have a lower class than their original, with what to say. Originals among the rows count as they would be.
pub(crate) async fn lower_rows(
    c: &mut Conn<'_>,
    pack: &Pack,
    r: &Register,
    rows: &[&RegisterRow],
) -> Result<BTreeMap<String, String>, AppError> {
    let Some((_, target)) = r.original() else { return Ok(BTreeMap::new()) };
    let beside: HashMap<&str, &RegisterRow> =
        rows.iter().filter(|_| target == r.id).map(|row| (row.text(&r.key), *row)).collect();
    let everyone = Viewer::whole_body("");
    let mut found = BTreeMap::new();
    for row in rows {
        let Some(number) = named(r, &row.values) else { continue };
        let of = match beside.get(number) {
            Some(of) => Some(Original::of(r, number, &of.values)),
            None => original(c, pack, &everyone, r, &row.values).await?,
        };
        if let Some((_, says)) = of.and_then(|of| of.lower(pack, r, &row.values).into_iter().next()) {
            found.insert(row.id.clone(), format!("{}：{says}", row.text(&r.key)));
        }
    }
    Ok(found)
}

/// Puts a value into what a row of a plan would do.
fn set(action: &mut RowAction, before: Option<&Record>, column: &str, label: &str, after: Value) {
    match action {
        RowAction::Add(record) => drop(record.insert(column.to_owned(), after)),
        RowAction::Change(diffs) => match diffs.iter().position(|d| d.column == column) {
            Some(at) => {
                if let Some(d) = diffs.get_mut(at) {
                    d.after = after;
                }
            }
            None => diffs.push(Diff {
                column: column.to_owned(),
                label: label.to_owned(),
                before: before.and_then(|b| b.get(column)).cloned().unwrap_or(Value::Null),
                after,
            }),
        },
        RowAction::Same | RowAction::Error => {}
    }
}

/// The code a copy gets when its original goes from one code to another: it follows where it had the same, and never stays lower.
/// A copy that another section keeps is raised, but not lowered behind its back.
fn followed(
    classification: &Classification,
    axis: &str,
    copy: &str,
    from: &str,
    to: &str,
    same_owner: bool,
) -> bool {
    let rank = |code: &str| classification.rank(axis, code);
    rank(copy) < rank(to) || (copy == from && (same_owner || rank(to) >= rank(from)))
}

/// After an original's class or number changed: its copies in every register follow, each with its own change and entry.
pub(super) async fn follow(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    before: Option<&RegisterRow>,
    row: &RegisterRow,
    by: &str,
    cause: &str,
) -> Result<(), AppError> {
    let Some(before) = before else { return Ok(()) };
    let (old, new) = (class_of(r, &before.values), class_of(r, &row.values));
    let (was, number) = (before.text(&r.key), row.text(&r.key));
    if old == new && was == number {
        return Ok(());
    }
    let pack = office.pack();
    let everyone = Viewer::whole_body(by);
    for copies in pack.registers.values() {
        let Some((column, target)) = copies.original() else { continue };
        if target != r.id {
            continue;
        }
        let filter = Filter { equals: vec![(column.to_owned(), was.to_owned())], ..Filter::default() };
        let limit = i64::try_from(BULK_ITEMS).unwrap_or(i64::MAX);
        let (rows, _) = register::list(c, &table_spec(copies), &everyone, &filter, 0, limit).await?;
        for found in rows {
            let mut copy = found.clone();
            copy.values.insert(column.to_owned(), Value::Text(number.to_owned()));
            let same_owner = copy.text(&copies.owner) == row.text(&r.owner);
            for (axis, held) in &copies.class {
                let (from, to) = (old.get(axis).map_or("", String::as_str), new.get(axis));
                if let Some(to) = to
                    && followed(&pack.classification, axis, copy.text(held), from, to, same_owner)
                {
                    copy.values.insert(held.clone(), Value::Text(to.clone()));
                }
            }
            if copy.values != found.values {
                copy.version += 1;
                copy.updated_at = row.updated_at;
                let why = format!("copy of {number}, {cause}");
                Box::pin(keep_row(c, office, copies, Some(&found), &copy, by, &why)).await?;
            }
        }
    }
    Ok(())
}
