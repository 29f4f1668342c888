//! The dry run of an import: what every row would do, and what is wrong in which cell.

use std::collections::{BTreeMap, HashMap};

use sekisho_base::table::Value;
use sekisho_base::text::shorten;

use super::cell::{Cell, Grid, cell_name};
use super::column::{Column, Kind, Record, Schema};
use super::header::{self, Header};

/// Errors that a plan lists; the count goes on.
const LISTED: usize = 1_000;

/// The rows that are there now.
pub trait Existing {
    /// Current values of the row with this key, one text a key column in the order of [`Schema::key`]; nothing is an
    /// empty text.
    fn find(&self, key: &[String]) -> Option<&Record>;
}

impl Existing for BTreeMap<Vec<String>, Record> {
    fn find(&self, key: &[String]) -> Option<&Record> {
        self.get(key)
    }
}

impl Existing for HashMap<Vec<String>, Record> {
    fn find(&self, key: &[String]) -> Option<&Record> {
        self.get(key)
    }
}

/// The codes that references may name.
pub trait References {
    /// Whether the table (`unit`, `post`, `person`, a register) has this code.
    fn exists(&self, table: &str, code: &str) -> bool;
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// One entry a row of the file that is not blank.
    pub rows: Vec<RowPlan>,
    /// What is wrong, at most 1,000 entries; [`Counts::errors`] has the number.
    pub errors: Vec<CellError>,
    /// Headers that are not known; their columns are not imported.
    pub unknown_columns: Vec<String>,
    /// Labels of columns that the file does not have; their values stay.
    pub missing_columns: Vec<String>,
    /// How many rows do what.
    pub counts: Counts,
    sheet: Option<String>,
    labels: HashMap<String, String>,
    places: HashMap<String, usize>,
}

/// How many rows do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// New rows.
    pub add: usize,
    /// Rows with other values than now.
    pub change: usize,
    /// Rows as they are now.
    pub same: usize,
    /// Rows with errors.
    pub error: usize,
    /// Errors, also those that are not listed.
    pub errors: usize,
}

/// What one row would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlan {
    /// Row of the sheet, from 1.
    pub row: usize,
    /// Key, one text a key column; empty when it could not be read.
    pub key: Vec<String>,
    /// What it would do.
    pub action: RowAction,
}

/// What a row would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowAction {
    /// A new row with these values.
    Add(Record),
    /// These values become others.
    Change(Vec<Diff>),
    /// Nothing.
    Same,
    /// It cannot be imported, see [`Plan::errors`].
    Error,
}

/// One value that becomes another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Column id.
    pub column: String,
    /// Column label.
    pub label: String,
    /// Value now.
    pub before: Value,
    /// Value after the import.
    pub after: Value,
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// Name of the sheet; none for CSV.
    pub sheet: Option<String>,
    /// Name of the cell, `C12`.
    pub cell: String,
    /// Row of the sheet, from 1.
    pub row: usize,
    /// Column label.
    pub label: String,
    /// What stands in the cell, shortened.
    pub value: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// What becomes of a row of the file whose key is there already with other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// It is an error: the file may only add.
    Stop,
    /// It stays as it is; only what is new is taken.
    Skip,
    /// It becomes what the file says.
    #[default]
    Update,
}

impl Plan {
    /// Values of a new row with their labels, in the order of the file's columns, without what is empty or names the row.
    #[must_use]
    pub fn told<'a>(&'a self, row: &'a RowPlan) -> Vec<(&'a str, &'a Value)> {
        let RowAction::Add(record) = &row.action else { return vec![] };
        let mut places: Vec<(usize, &String)> = self.places.iter().map(|(id, place)| (*place, id)).collect();
        places.sort_unstable();
        let value = |id: &String| record.get(id).filter(|v| **v != Value::Null);
        let of_key = |v: &Value| v.as_text().is_some_and(|text| row.key.iter().any(|k| k == text));
        let told = places.into_iter().filter_map(|(_, id)| Some((self.labels.get(id)?.as_str(), value(id)?)));
        told.filter(|(_, v)| !of_key(v)).collect()
    }

    /// Decides rows that differ from what is there; `key` is the column whose cell an error names.
    pub fn resolve(&mut self, conflict: Conflict, key: &str) {
        let differing: Vec<(usize, String)> = self
            .rows
            .iter_mut()
            .filter(|r| conflict != Conflict::Update && matches!(r.action, RowAction::Change(_)))
            .map(|r| {
                r.action = if conflict == Conflict::Stop { RowAction::Error } else { RowAction::Same };
                (r.row, r.key.join(" "))
            })
            .collect();
        if conflict == Conflict::Stop {
            let label = self.labels.get(key).cloned().unwrap_or_default();
            let place = self.places.get(key).copied().unwrap_or(0);
            for (row, value) in differing {
                let message = "この番号は既に登録されていて、内容が違います。".to_owned();
                let remedy = "行を除くか、番号が同じときの扱いを「ファイルの内容に直す」か「今の内容を残す」にしてください。";
                self.push(row.saturating_sub(1), place, &label, &value, message, remedy.to_owned());
            }
        }
        self.count();
    }

    /// Whether the import may be carried out: nothing is wrong and at least one row was read.
    #[must_use]
    pub fn can_apply(&self) -> bool {
        self.counts.errors == 0 && !self.rows.is_empty()
    }

    /// Adds an error in a column of a row found by a check over several rows or sheets, and makes the row an error.
    pub fn reject(
        &mut self,
        row: usize,
        column: &str,
        value: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let label = self.labels.get(column).cloned().unwrap_or_default();
        let place = self.places.get(column).copied().unwrap_or(0);
        self.push(row.saturating_sub(1), place, &label, value, message.into(), remedy.into());
        // Rows stand in ascending order.
        if let Ok(at) = self.rows.binary_search_by_key(&row, |r| r.row)
            && let Some(found) = self.rows.get_mut(at)
        {
            found.action = RowAction::Error;
        }
        self.count();
    }

    /// `row` and `place` count from zero.
    fn push(&mut self, row: usize, place: usize, label: &str, value: &str, message: String, remedy: String) {
        self.counts.errors += 1;
        if self.errors.len() < LISTED {
            self.errors.push(CellError {
                sheet: self.sheet.clone(),
                cell: cell_name(place, row),
                row: row + 1,
                label: label.to_owned(),
                value: shorten(value, 60),
                message,
                remedy,
            });
        }
    }

    fn count(&mut self) {
        let errors = self.counts.errors;
        let of = |test: fn(&RowAction) -> bool| self.rows.iter().filter(|r| test(&r.action)).count();
        self.counts = Counts {
            add: of(|a| matches!(a, RowAction::Add(_))),
            change: of(|a| matches!(a, RowAction::Change(_))),
            same: of(|a| matches!(a, RowAction::Same)),
            error: of(|a| matches!(a, RowAction::Error)),
            errors,
        };
    }
}

impl RowPlan {
    /// Values of the row after the import; none for a row with errors.
    #[must_use]
    pub fn result(&self, existing: &dyn Existing) -> Option<Record> {
        match &self.action {
            RowAction::Add(record) => Some(record.clone()),
            RowAction::Same => existing.find(&self.key).cloned(),
            RowAction::Change(diffs) => {
                let mut record = existing.find(&self.key)?.clone();
                record.extend(diffs.iter().map(|d| (d.column.clone(), d.after.clone())));
                Some(record)
            }
            RowAction::Error => None,
        }
    }
}

/// Plans the import of a sheet. A column that the file lacks stays as it is; an empty cell empties the value. A cell
/// that stands as an export would write the present value is no change, whatever the rules for new values say.
#[must_use]
pub fn plan(schema: &Schema, grid: &Grid, existing: &dyn Existing, references: &dyn References) -> Plan {
    let mut plan = Plan { sheet: grid.name.clone(), ..Plan::default() };
    let Some(header) = header::find(schema, grid) else {
        let labels: Vec<&str> = schema.columns.iter().map(Column::label).collect();
        plan.missing_columns = labels.iter().map(|l| (*l).to_owned()).collect();
        let remedy = format!("データの上の行に、見出し（{}）を入れてください。", labels.join("、"));
        plan.push(0, 0, "", "", "見出しの行が見つかりません。".into(), remedy);
        return plan;
    };
    plan.unknown_columns = header.unknown.iter().map(|(_, label)| label.clone()).collect();
    for (column, place) in schema.columns.iter().zip(&header.places) {
        plan.labels.insert(column.id.clone(), column.label().to_owned());
        match place {
            Some(place) => _ = plan.places.insert(column.id.clone(), *place),
            None => plan.missing_columns.push(column.label().to_owned()),
        }
    }
    for (index, place) in &header.twice {
        let label = schema.columns.get(*index).map_or("", |c| c.label());
        let remedy = "取り込む列だけを残し、もう一方の見出しを変えるか列を削除してください。".into();
        plan.push(header.row, *place, label, label, format!("見出し「{label}」の列が2つあります。"), remedy);
    }
    let is_key = |c: &Column| schema.key.contains(&c.id);
    let lost =
        schema.columns.iter().zip(&header.places).filter(|(c, p)| is_key(c) && c.required && p.is_none());
    let lost: Vec<&Column> = lost.map(|(c, _)| c).collect();
    for column in &lost {
        let remedy = format!("見出し「{}」の列を加えてください。", column.label());
        let message = format!("行を見分けるための列「{}」がありません。", column.label());
        plan.push(header.row, 0, column.label(), "", message, remedy);
    }
    if lost.is_empty() {
        Planner { schema, grid, existing, references, header: &header, plan: &mut plan }.run();
    }
    plan.count();
    plan
}

struct Planner<'a> {
    schema: &'a Schema,
    grid: &'a Grid,
    existing: &'a dyn Existing,
    references: &'a dyn References,
    header: &'a Header,
    plan: &'a mut Plan,
}

impl Planner<'_> {
    fn run(&mut self) {
        let mut seen: HashMap<Vec<String>, usize> = HashMap::new();
        for row in self.header.row + 1..self.grid.rows.len() {
            if self.header.places.iter().flatten().all(|place| self.grid.cell(row, *place).is_blank()) {
                continue;
            }
            let Some(key) = self.key(row) else {
                self.plan.rows.push(RowPlan { row: row + 1, key: Vec::new(), action: RowAction::Error });
                continue;
            };
            let mut action = self.action(row, &key);
            if let Some(first) = seen.get(&key).copied() {
                self.duplicate(row, &key, first);
                action = RowAction::Error;
            } else if key.iter().any(|part| !part.is_empty()) {
                // Rows that may come without a key, and do, are each their own.
                seen.insert(key.clone(), self.plan.rows.len());
            }
            self.plan.rows.push(RowPlan { row: row + 1, key, action });
        }
    }

    /// Both rows of a key that stands twice are wrong.
    fn duplicate(&mut self, row: usize, key: &[String], first: usize) {
        let Some(earlier) = self.plan.rows.get_mut(first) else { return };
        earlier.action = RowAction::Error;
        let earlier = earlier.row - 1;
        let place = |id: &String| self.schema.columns.iter().position(|c| c.id == *id);
        let column = self.schema.key.first().and_then(place);
        let at = column.and_then(|c| self.header.places.get(c).copied().flatten()).unwrap_or(0);
        let label = column.and_then(|c| self.schema.columns.get(c)).map_or("", |c| c.label());
        let value = key.iter().filter(|k| !k.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        for (here, there) in [(earlier, row), (row, earlier)] {
            let message = format!("{}行目と同じ行です（{}）。", there + 1, shorten(&value, 60));
            self.plan.push(here, at, label, &value, message, "どちらか一方の行を削除してください。".into());
        }
    }

    /// The key of a row, as it stands when such a row exists, else normalized. None after an error was added.
    fn key(&mut self, row: usize) -> Option<Vec<String>> {
        let (mut raw, mut normal, mut good) = (Vec::new(), Vec::new(), true);
        for id in &self.schema.key {
            let found = self.schema.columns.iter().zip(&self.header.places).find(|(c, _)| c.id == *id);
            let Some((column, Some(place))) = found else {
                raw.push(String::new());
                normal.push(String::new());
                continue;
            };
            let cell = self.grid.cell(row, *place);
            raw.push(cell.text().into_owned());
            match column.read(cell) {
                Ok(Value::Null) if column.required => good = false,
                Ok(value) => normal.push(plain(&value)),
                Err(_) => good = false,
            }
        }
        if self.existing.find(&raw).is_some() {
            return Some(raw);
        }
        if !good {
            let (schema, header) = (self.schema, self.header);
            for (column, place) in
                schema.columns.iter().zip(&header.places).filter(|(c, _)| schema.key.contains(&c.id))
            {
                if let Some(place) = place {
                    self.value(row, column, *place, None);
                }
            }
            return None;
        }
        Some(normal)
    }

    fn action(&mut self, row: usize, key: &[String]) -> RowAction {
        let (schema, header) = (self.schema, self.header);
        let before = self.existing.find(key);
        let (mut record, mut diffs, mut good) = (Record::new(), Vec::new(), true);
        for (column, place) in schema.columns.iter().zip(&header.places) {
            let Some(place) = place else {
                if before.is_none() && column.required {
                    good = false;
                    let message =
                        format!("新しい行には「{}」が必要ですが、その列がありません。", column.label());
                    let remedy = format!("見出し「{}」の列を加えて、値を入力してください。", column.label());
                    self.plan.push(row, 0, column.label(), "", message, remedy);
                }
                continue;
            };
            let now = before.map(|b| b.get(&column.id).unwrap_or(&Value::Null));
            match self.value(row, column, *place, now) {
                None => good = false,
                Some(after) => match now {
                    Some(now) if column.same(now, &after) => {}
                    Some(now) => diffs.push(Diff {
                        column: column.id.clone(),
                        label: column.label().to_owned(),
                        before: now.clone(),
                        after,
                    }),
                    None => _ = record.insert(column.id.clone(), after),
                },
            }
        }
        match before {
            _ if !good => RowAction::Error,
            None => RowAction::Add(record),
            Some(_) if diffs.is_empty() => RowAction::Same,
            Some(_) => RowAction::Change(diffs),
        }
    }

    /// The value of a cell, `now` itself when the cell shows it. None after an error was added.
    fn value(&mut self, row: usize, column: &Column, place: usize, now: Option<&Value>) -> Option<Value> {
        let cell = self.grid.cell(row, place);
        if let Some(now) = now
            && shows(column, cell, now)
        {
            return Some(now.clone());
        }
        let (message, remedy) = match column.read(cell) {
            Ok(Value::Null) if column.required => {
                (format!("「{}」は必須です。", column.label()), "値を入力してください。".to_owned())
            }
            Ok(value) => match self.dangling(column, &value) {
                None => return Some(value),
                Some(code) => (
                    format!("「{}」は登録されていません。", shorten(&code, 40)),
                    "コードを確かめるか、先にその行を登録してください。".to_owned(),
                ),
            },
            Err(fault) => (fault.message, fault.remedy),
        };
        let shown = cell.text().into_owned();
        self.plan.push(row, place, column.label(), &shown, message, remedy);
        None
    }

    /// The first code of a reference that does not exist.
    fn dangling(&self, column: &Column, value: &Value) -> Option<String> {
        let Kind::Reference(table) = &column.kind else { return None };
        let codes = match value {
            Value::Text(code) => std::slice::from_ref(code),
            Value::List(codes) => codes.as_slice(),
            _ => &[],
        };
        codes.iter().find(|code| !self.references.exists(table, code)).cloned()
    }
}

/// Whether the cell stands as an export writes this value.
fn shows(column: &Column, cell: &Cell, value: &Value) -> bool {
    !matches!(cell, Cell::Fault(_)) && cell.text() == column.show(value)
}

/// A value as part of a key.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(s) => s.clone(),
        Value::List(list) => list.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_grid;
    use super::*;

    struct Units;

    impl References for Units {
        fn exists(&self, table: &str, code: &str) -> bool {
            table == "unit" && code == "100"
        }
    }

    fn schema() -> Schema {
        Schema {
            title: "資産".into(),
            key: vec!["code".into()],
            columns: vec![
                Column::new("code", &["資産番号", "番号"], Kind::Code).required(),
                Column::new("name", &["名称"], Kind::Text).required(),
                Column::new("unit", &["所管"], Kind::Reference("unit".into())),
                Column::new("from", &["開始日"], Kind::Date),
            ],
        }
    }

    fn record(values: &[(&str, &str)]) -> Record {
        values.iter().map(|(k, v)| ((*k).to_owned(), Value::Text((*v).to_owned()))).collect()
    }

    fn existing() -> BTreeMap<Vec<String>, Record> {
        let one = record(&[("code", "A-1"), ("name", "庁内 台帳"), ("unit", "999"), ("from", "2026-04-01")]);
        BTreeMap::from([
            (vec!["A-1".to_owned()], one),
            (vec!["Ａ２".to_owned()], record(&[("code", "Ａ２"), ("name", "x")])),
        ])
    }

    fn run(csv: &str) -> Plan {
        plan(&schema(), &read_grid(csv.as_bytes()).unwrap(), &existing(), &Units)
    }

    fn cells(plan: &Plan) -> Vec<(&str, &str)> {
        plan.errors.iter().map(|e| (e.cell.as_str(), e.message.as_str())).collect()
    }

    #[test]
    fn rows_are_added_changed_or_left() {
        let plan = run(
            "資産一覧\n\n番号,名　称,所管,開始日,備考\nＡ－１,庁内 台帳,999,R8.4.1,\n\n,,,,メモ\nA-3,新規,１００,,x\nＡ２,y,,,\n",
        );
        assert!(plan.can_apply(), "{:?}", plan.errors);
        assert_eq!((plan.counts.add, plan.counts.change, plan.counts.same), (1, 1, 1));
        assert_eq!(plan.unknown_columns, ["備考"]);
        let rows: Vec<_> = plan.rows.iter().map(|r| r.row).collect();
        assert_eq!(rows, [4, 7, 8]);
        let RowAction::Add(added) = &plan.rows[1].action else { panic!() };
        assert_eq!(
            (added["name"].as_text(), added["unit"].as_text(), &added["from"]),
            (Some("新規"), Some("100"), &Value::Null)
        );
        let (name, unit) = (Value::Text("新規".into()), Value::Text("100".into()));
        assert_eq!(
            plan.told(&plan.rows[1]),
            [("名称", &name), ("所管", &unit)],
            "neither number nor what is empty"
        );
        assert!(plan.told(&plan.rows[2]).is_empty());
        let RowAction::Change(diffs) = &plan.rows[2].action else { panic!() };
        assert_eq!(
            (diffs[0].before.as_text(), diffs[0].after.as_text(), diffs.len()),
            (Some("x"), Some("y"), 1)
        );
        assert_eq!(plan.rows[2].result(&existing()).unwrap()["name"].as_text(), Some("y"));
    }

    #[test]
    fn errors_name_the_cell_and_a_remedy() {
        let plan = run("番号,名称,所管,開始日\nA-5,,123,2026/2/30\n,x,,\nA-1,庁内 台帳,998,2026/4/1\n");
        assert_eq!(
            cells(&plan),
            [
                ("B2", "「名称」は必須です。"),
                ("C2", "「123」は登録されていません。"),
                ("D2", "「2026/2/30」は日付として読めません。"),
                ("A3", "「資産番号」は必須です。"),
                ("C4", "「998」は登録されていません。")
            ]
        );
        assert!(plan.errors.iter().all(|e| !e.remedy.is_empty()));
        assert_eq!((plan.counts.error, plan.counts.errors, plan.can_apply()), (3, 5, false));
    }

    #[test]
    fn rows_with_the_same_key_are_both_wrong() {
        let plan = run("番号,名称\nA-7,x\nA-8,y\nＡ－７,z\n");
        assert_eq!(
            cells(&plan),
            [("A2", "4行目と同じ行です（A-7）。"), ("A4", "2行目と同じ行です（A-7）。")]
        );
        assert_eq!((plan.counts.error, plan.counts.add), (2, 1));
    }

    #[test]
    fn rows_that_may_come_without_a_key_are_each_their_own() {
        let mut schema = schema();
        schema.columns[0].required = false;
        let csv = "番号,名称\n,x\n,x\nA-1,庁内 台帳\n";
        let plan = plan(&schema, &read_grid(csv.as_bytes()).unwrap(), &existing(), &Units);
        assert_eq!((plan.counts.add, plan.counts.same, plan.counts.errors), (2, 1, 0), "{:?}", plan.errors);
    }

    #[test]
    fn missing_and_double_columns_are_named() {
        let plan = run("名称,所管\nx,100\n");
        assert_eq!(
            (plan.missing_columns.as_slice(), plan.rows.len()),
            (["資産番号".to_owned(), "開始日".to_owned()].as_slice(), 0)
        );
        assert!(!plan.can_apply());
        assert!(!run("課,係\nx,y\n").can_apply());
        assert_eq!(cells(&run("番号,名称,名称\nA-9,x,y\n")), [("C1", "見出し「名称」の列が2つあります。")]);
        let plan = run("番号,開始日\nA-1,2026/4/2\nA-9,2026/4/1\n");
        assert_eq!(cells(&plan), [("A3", "新しい行には「名称」が必要ですが、その列がありません。")]);
        assert_eq!(plan.counts.change, 1);
    }

    #[test]
    fn checks_over_several_sheets_reject_rows() {
        let mut plan = run("番号,名称\nA-7,x\nA-8,y\n");
        plan.reject(3, "name", "y", "重複", "直す");
        assert_eq!(cells(&plan), [("B3", "重複")]);
        assert_eq!((plan.counts.add, plan.counts.error), (1, 1));
    }
}
