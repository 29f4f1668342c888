//! Import of the organization: units, posts, persons and appointments, as one workbook of four sheets or as CSV files.

use std::collections::{BTreeMap, HashSet};

use sekisho_base::table::Value;
use sekisho_base::text::fold_key;

use super::cell::Grid;
use super::column::{Column, Kind, Record, Schema};
use super::header;
use super::org_check::{self, Line, State};
use super::plan::{CellError, Existing, Plan, References, plan};

/// Kinds of units (code, label), as the organization tree knows them.
pub const UNIT_KINDS: [(&str, &str); 6] = [
    ("body", "団体"),
    ("organ", "機関"),
    ("department", "部"),
    ("section", "課室"),
    ("subsection", "係"),
    ("branch", "出先機関"),
];

/// The four sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrgSheet {
    /// 組織: `code`, `name`, `kind`, `parent`, `from`, `until`.
    Units,
    /// 職: `code`, `unit`, `title`, `head`, `rank`.
    Posts,
    /// 職員: `number`, `name`, `kana`, `email`.
    Persons,
    /// 任命: `person`, `post`, `main` (`main` or `concurrent`), `from`, `until`, `role`, `role_scope`.
    Appointments,
}

impl OrgSheet {
    /// All, in the order in which they are carried out.
    pub const ALL: [Self; 4] = [Self::Units, Self::Posts, Self::Persons, Self::Appointments];

    /// Name of the sheet.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Units => "組織",
            Self::Posts => "職",
            Self::Persons => "職員",
            Self::Appointments => "任命",
        }
    }

    /// What the sheet exchanges. `roles` are the (id, label) pairs that an appointment may name.
    #[must_use]
    pub fn schema(self, roles: &[(String, String)]) -> Schema {
        let pairs = |list: &[(&str, &str)]| {
            Kind::Choice(list.iter().map(|(c, l)| ((*c).into(), (*l).into())).collect())
        };
        let reference = |table: &str| Kind::Reference(table.into());
        let from = || Column::new("from", &["開始日", "施行日", "発令日"], Kind::Date);
        let until = || Column::new("until", &["終了日", "廃止日", "解任日"], Kind::Date);
        let (key, columns): (&[&str], _) = match self {
            Self::Units => (
                &["code"],
                vec![
                    Column::new("code", &["組織コード", "コード"], Kind::Code).required(),
                    Column::new("name", &["名称", "組織名", "組織名称"], Kind::Text).required(),
                    Column::new("kind", &["種別", "組織種別"], pairs(&UNIT_KINDS)).required(),
                    Column::new("parent", &["上位コード", "上位組織コード", "親コード"], reference("unit")),
                    from(),
                    until(),
                ],
            ),
            Self::Posts => (
                &["code"],
                vec![
                    Column::new("code", &["職コード", "コード"], Kind::Code).required(),
                    Column::new("unit", &["組織コード", "所属コード"], reference("unit")).required(),
                    Column::new("title", &["職名", "職"], Kind::Text).required(),
                    Column::new("head", &["長", "所属長"], Kind::Bool),
                    Column::new("rank", &["並び順", "順"], Kind::Integer),
                ],
            ),
            Self::Persons => (
                &["number"],
                vec![
                    Column::new("number", &["職員番号", "番号"], Kind::Code).required(),
                    Column::new("name", &["氏名", "職員氏名"], Kind::Text).required(),
                    Column::new("kana", &["ふりがな", "フリガナ", "氏名カナ"], Kind::Text),
                    Column::new("email", &["メール", "メールアドレス"], Kind::Code),
                ],
            ),
            Self::Appointments => (
                &["person", "post", "from", "role", "role_scope"],
                vec![
                    Column::new("person", &["職員番号"], reference("person")).required(),
                    Column::new("post", &["職コード"], reference("post")).required(),
                    Column::new(
                        "main",
                        &["本務/兼務", "本務兼務", "本兼"],
                        pairs(&[("main", "本務"), ("concurrent", "兼務")]),
                    )
                    .required(),
                    from().required(),
                    until(),
                    Column::new("role", &["役割"], Kind::Choice(roles.to_vec())),
                    Column::new("role_scope", &["役割の範囲", "役割の範囲(組織コード)"], reference("unit")),
                ],
            ),
        };
        Schema { title: self.title().into(), key: key.iter().map(|k| (*k).into()).collect(), columns }
    }
}

/// The organization as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrgRecords(BTreeMap<OrgSheet, BTreeMap<Vec<String>, Record>>);

impl OrgRecords {
    /// Adds a row, with the columns of [`OrgSheet`].
    pub fn insert(&mut self, sheet: OrgSheet, record: Record) {
        let schema = sheet.schema(&[]);
        let text = |id: &String| record.get(id).and_then(Value::as_text).unwrap_or("").to_owned();
        let key = schema.key.iter().map(text).collect();
        self.0.entry(sheet).or_default().insert(key, record);
    }

    /// The rows of a sheet in the order of their keys, for an export.
    pub fn records(&self, sheet: OrgSheet) -> impl Iterator<Item = &Record> {
        self.0.get(&sheet).into_iter().flat_map(BTreeMap::values)
    }

    /// One sheet, to look up the rows that a plan refers to.
    pub fn sheet(&self, sheet: OrgSheet) -> impl Existing {
        Current(self, sheet)
    }

    fn rows(&self, sheet: OrgSheet) -> impl Iterator<Item = (&Vec<String>, &Record)> {
        self.0.get(&sheet).into_iter().flatten()
    }
}

/// One sheet of [`OrgRecords`].
struct Current<'a>(&'a OrgRecords, OrgSheet);

impl Existing for Current<'_> {
    fn find(&self, key: &[String]) -> Option<&Record> {
        self.0.0.get(&self.1)?.get(key)
    }
}

/// Codes there are now or in the files.
struct Codes(BTreeMap<&'static str, HashSet<String>>);

impl References for Codes {
    fn exists(&self, table: &str, code: &str) -> bool {
        self.0.get(table).is_some_and(|codes| codes.contains(code))
    }
}

/// What the import of an organization would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrgPlan {
    /// Plans of the sheets that were found, to be carried out in this order.
    pub sheets: BTreeMap<OrgSheet, Plan>,
    /// What is wrong with the files as a whole.
    pub errors: Vec<CellError>,
    /// Names of sheets that are none of the four; they are not imported.
    pub ignored: Vec<String>,
}

impl OrgPlan {
    /// Whether the import may be carried out: nothing is wrong and at least one sheet has rows.
    #[must_use]
    pub fn can_apply(&self) -> bool {
        self.errors.is_empty()
            && self.sheets.values().all(|p| p.counts.errors == 0)
            && self.sheets.values().any(Plan::can_apply)
    }

    /// Everything that is wrong, sheet by sheet.
    pub fn all_errors(&self) -> impl Iterator<Item = &CellError> {
        self.errors.iter().chain(self.sheets.values().flat_map(|p| &p.errors))
    }

    fn wrong(&mut self, sheet: Option<&str>, message: &str, remedy: &str) {
        self.errors.push(CellError {
            sheet: sheet.map(str::to_owned),
            cell: "A1".into(),
            row: 1,
            label: String::new(),
            value: String::new(),
            message: message.into(),
            remedy: remedy.into(),
        });
    }
}

/// Plans the import of the sheets of a workbook or of several CSV files. A sheet is known by its name, else by its
/// headers; sheets that are not given stay as they are. `roles` are the (id, label) pairs an appointment may name.
#[must_use]
pub fn plan_org(grids: &[Grid], current: &OrgRecords, roles: &[(String, String)]) -> OrgPlan {
    let mut result = OrgPlan::default();
    let schemas: Vec<(OrgSheet, Schema)> = OrgSheet::ALL.iter().map(|s| (*s, s.schema(roles))).collect();
    let mut chosen: BTreeMap<OrgSheet, &Grid> = BTreeMap::new();
    for grid in grids {
        let name = grid.name.as_deref();
        match recognize(grid, &schemas) {
            None => result.ignored.push(name.unwrap_or("名前のない表").to_owned()),
            Some(sheet) if chosen.contains_key(&sheet) => {
                let message = format!("「{}」の表が2つあります。", sheet.title());
                result.wrong(name, &message, "どちらか一方だけを取り込んでください。");
            }
            Some(sheet) => _ = chosen.insert(sheet, grid),
        }
    }
    if chosen.is_empty() {
        let remedy = "シートの名前を「組織」「職」「職員」「任命」とするか、各表の見出しを様式のとおりにしてください。";
        result.wrong(None, "組織・職・職員・任命のどの表も見つかりません。", remedy);
        return result;
    }
    let codes = codes(&chosen, &schemas, current);
    for (sheet, schema) in &schemas {
        let Some(grid) = chosen.get(sheet) else { continue };
        let named =
            Grid { name: Some(grid.name.clone().unwrap_or_else(|| sheet.title().into())), ..(*grid).clone() };
        result.sheets.insert(*sheet, plan(schema, &named, &Current(current, *sheet), &codes));
    }
    let state = state(&result, current);
    for wrong in org_check::check(&state) {
        if let Some(plan) = result.sheets.get_mut(&wrong.sheet) {
            plan.reject(wrong.row, wrong.column, &wrong.value, wrong.message, wrong.remedy);
        }
    }
    result
}

/// Which of the four a grid is: by name, else by headers that hold every column that must not be empty.
fn recognize(grid: &Grid, schemas: &[(OrgSheet, Schema)]) -> Option<OrgSheet> {
    if let Some(name) = &grid.name {
        let folded = fold_key(name);
        if let Some((sheet, _)) = schemas.iter().find(|(s, _)| fold_key(s.title()) == folded) {
            return Some(*sheet);
        }
    }
    let scored = schemas.iter().filter_map(|(sheet, schema)| {
        let header = header::find(schema, grid)?;
        let whole =
            schema.columns.iter().zip(&header.places).all(|(c, place)| !c.required || place.is_some());
        whole.then_some((header.found(), *sheet))
    });
    scored.max().map(|(_, sheet)| sheet)
}

/// Codes there are now, and those that the files bring, also in rows with other errors: one mistake, one message.
fn codes(chosen: &BTreeMap<OrgSheet, &Grid>, schemas: &[(OrgSheet, Schema)], current: &OrgRecords) -> Codes {
    let tables = [(OrgSheet::Units, "unit"), (OrgSheet::Posts, "post"), (OrgSheet::Persons, "person")];
    let mut all = BTreeMap::new();
    let none = Codes(BTreeMap::new());
    for (sheet, table) in tables {
        let mut codes: HashSet<String> =
            current.rows(sheet).filter_map(|(key, _)| key.first().cloned()).collect();
        let schema = schemas.iter().find(|(s, _)| *s == sheet).map(|(_, schema)| schema);
        if let (Some(grid), Some(schema)) = (chosen.get(&sheet), schema) {
            let columns = schema.columns.iter().filter(|c| schema.key.contains(&c.id)).cloned().collect();
            let keys = Schema { columns, ..schema.clone() };
            let rows = plan(&keys, grid, &Current(current, sheet), &none).rows;
            codes.extend(rows.into_iter().filter_map(|r| r.key.into_iter().next()));
        }
        all.insert(table, codes);
    }
    Codes(all)
}

/// The organization as it would be, with the rows of the files that bring something new.
fn state(result: &OrgPlan, current: &OrgRecords) -> State {
    let lines = |sheet: OrgSheet| {
        let mut lines: BTreeMap<Vec<String>, Line> = current
            .rows(sheet)
            .map(|(key, record)| (key.clone(), Line { record: record.clone(), row: None }))
            .collect();
        for row in result.sheets.get(&sheet).into_iter().flat_map(|p| &p.rows) {
            let Some(record) = row.result(&Current(current, sheet)) else { continue };
            let unchanged = lines.get(&row.key).is_some_and(|l| l.record == record);
            lines.insert(row.key.clone(), Line { record, row: (!unchanged).then_some(row.row) });
        }
        lines
    };
    let by_code =
        |sheet| lines(sheet).into_iter().filter_map(|(key, l)| Some((key.into_iter().next()?, l))).collect();
    State {
        units: by_code(OrgSheet::Units),
        posts: by_code(OrgSheet::Posts),
        appointments: lines(OrgSheet::Appointments).into_values().collect(),
    }
}
