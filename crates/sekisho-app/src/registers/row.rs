//! One row of a register: its page, its history, changing it.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::canonical::content_hash;
use sekisho_base::limits::{LINE_CHARS, TEXT_CHARS};
use sekisho_base::table::Value;
use sekisho_base::text::normalize_code;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_pack::model::{Column, ColumnType, Pack, Register};
use sekisho_store::case::{self as cases, CaseFilter};
use sekisho_store::register::{self, ChangeRow, RegisterRow};
use sekisho_store::{Conn, Viewer, violation};
use serde::Serialize;
use serde_json::json;

use crate::cases::CaseLine;
use crate::checks;
use crate::directory::Directory;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::record::{record, stream_of};
use crate::registers::show::{FieldView, Pair, editable, field, show};
use crate::registers::{copies, table_spec};
use crate::sight::{HIDDEN, Looks, hide_cells, is_sensitive_row};

/// A change as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HistoryLine {
    /// When.
    pub at: String,
    /// The same moment, UTC, for programs.
    #[schemars(with = "String")]
    pub at_utc: Instant,
    /// Which version of the row it made.
    pub version: i64,
    /// Who.
    pub by: String,
    /// 「名称：A → B」.
    pub diffs: Vec<String>,
    /// Ledger entry.
    pub entry: String,
}

/// Something that is wrong with the row now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RowViolation {
    /// What.
    pub says: String,
    /// Check that found it.
    pub check: String,
}

/// A procedure that can be started for the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RowProcedure {
    /// Procedure id.
    pub procedure: String,
    /// Its title.
    pub title: String,
}

/// A row's page.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RowPage {
    /// Register id.
    pub register: String,
    /// Register's name.
    pub register_title: String,
    /// Row id.
    pub id: String,
    /// Key.
    pub key: String,
    /// Name.
    pub title: String,
    /// Version: what a change must name, so that nobody overwrites what they have not seen.
    pub version: i64,
    /// Stored values by column id, for programs: codes and ISO dates.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub values: BTreeMap<String, Value>,
    /// Every column.
    pub pairs: Vec<Pair>,
    /// What is wrong with it.
    pub violations: Vec<RowViolation>,
    /// Cases about it.
    pub cases: Vec<CaseLine>,
    /// Changes, latest first.
    pub history: Vec<HistoryLine>,
    /// Procedures for it.
    pub procedures: Vec<RowProcedure>,
    /// Whether this person may change it.
    pub may_edit: bool,
    /// Who looked at it, for those who are told.
    pub looks: Option<Looks>,
}

/// The form that changes or adds a row.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EditForm {
    /// Register id.
    pub register: String,
    /// Register's name.
    pub register_title: String,
    /// Where it is sent.
    pub action: String,
    /// Where one goes back to.
    pub back: String,
    /// Version it was read at; 0 for a new row.
    pub version: i64,
    /// Fields.
    pub fields: Vec<FieldView>,
}

#[boxed]
impl Office {
    async fn row(
        &self,
        who: &Identity,
        register: &str,
        id: &str,
    ) -> Result<(Arc<Pack>, RegisterRow), AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?;
        let (spec, viewer, id) = (table_spec(r), me.viewer().clone(), id.to_owned());
        let row = self
            .store
            .read(move |c| {
                Box::pin(async move { register::get(c, &spec, &viewer, &id).await.map_err(AppError::from) })
            })
            .await?;
        Ok((Arc::clone(&pack), row.ok_or(AppError::NotFound)?))
    }

    /// A row's page.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see it.
    pub async fn register_row(&self, who: &Identity, register: &str, id: &str) -> Result<RowPage, AppError> {
        let me = self.me(who).await?;
        let (pack, mut row) = self.row(who, register, id).await?;
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?;
        let subject = format!("{}/{}", r.id, row.id);
        if is_sensitive_row(&pack, r, &row, self.clock.today()) {
            self.note_look(who, subject.clone(), "page").await?;
        }
        let reads = me.reads_personal(r, row.text(&r.owner));
        hide_cells(&me, r, &mut row);
        let directory = Arc::clone(me.directory());
        let (viewer, item, key) =
            (me.viewer().clone(), (r.id.clone(), row.id.clone()), format!("{}/{}", r.id, row.id));
        let check_ids: Vec<String> = pack.checks.keys().cloned().collect();
        let (changes, about, wrong) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let changes = register::changes(c, &item.0, &item.1).await?;
                    let filter = CaseFilter { item: Some(item), ..CaseFilter::default() };
                    let (about, _) = cases::list(c, &viewer, &filter, 0, 20).await?;
                    Ok::<_, AppError>((changes, about, violation::open_of_row(c, &key).await?))
                })
            })
            .await?;
        let violations = wrong
            .into_iter()
            .filter(|v| check_ids.contains(&v.check))
            .map(|v| RowViolation { says: v.says, check: v.check })
            .collect();
        let history = changes.iter().map(|h| history_line(&pack, &directory, r, h, reads)).collect();
        let looks = if me.sees_looks(row.text(&r.owner)) {
            Some(self.looks_at(&directory, subject).await?)
        } else {
            None
        };
        let procedures = pack
            .procedures
            .values()
            .filter(|p| p.applied_for())
            .filter(|p| p.fields.iter().any(|f| matches!(&f.kind, sekisho_pack::model::FieldType::Items(list) if list.contains(&r.id))))
            .map(|p| RowProcedure { procedure: p.id.clone(), title: p.title.clone() })
            .collect();
        Ok(RowPage {
            register: r.id.clone(),
            register_title: r.title.clone(),
            id: row.id.clone(),
            key: row.text(&r.key).to_owned(),
            title: row.text(&r.name).to_owned(),
            version: row.version,
            values: row.values.clone(),
            pairs: r
                .columns
                .iter()
                .map(|c| Pair {
                    label: c.label.clone(),
                    value: show(&pack, &directory, c, row.values.get(&c.id)),
                })
                .collect(),
            violations,
            cases: about.iter().map(|c| self.case_line(&directory, c)).collect(),
            history,
            procedures,
            may_edit: me.keeps(r, row.text(&r.owner)),
            looks,
        })
    }

    /// The form for a row, or for a new one when `id` is nothing; `typed` is what was refused.
    ///
    /// # Errors
    /// Refused when this person does not keep the register.
    pub async fn register_form(
        &self,
        who: &Identity,
        register: &str,
        id: Option<&str>,
        typed: Option<&BTreeMap<String, String>>,
    ) -> Result<EditForm, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?;
        let row = match id {
            Some(id) => Some(self.row(who, register, id).await?.1),
            None => None,
        };
        let may = row.as_ref().map_or_else(|| me.keeps_anything(r), |row| me.keeps(r, row.text(&r.owner)));
        if !may {
            return Err(not_keeper(&pack, r));
        }
        if let Some(row) = row.as_ref().filter(|row| is_sensitive_row(&pack, r, row, self.clock.today())) {
            self.note_look(who, format!("{}/{}", r.id, row.id), "edit").await?;
        }
        let value = |c: &Column| match (typed, &row) {
            (Some(typed), _) => typed.get(&c.id).cloned().unwrap_or_default(),
            (None, Some(row)) => editable(row.values.get(&c.id)),
            (None, None) if c.id == r.owner => me.unit().to_owned(),
            (None, None) => String::new(),
        };
        let (directory, today) = (Arc::clone(me.directory()), self.clock.today());
        let (action, back) = match id {
            Some(id) => (format!("/registers/{register}/{id}/edit"), format!("/registers/{register}/{id}")),
            None => (format!("/registers/{register}/new"), format!("/registers/{register}")),
        };
        Ok(EditForm {
            register: r.id.clone(),
            register_title: r.title.clone(),
            action,
            back,
            version: row.as_ref().map_or(0, |row| row.version),
            fields: r.columns.iter().map(|c| field(&pack, &directory, c, value(c), today)).collect(),
        })
    }

    /// Saves a row. Returns its id.
    ///
    /// # Errors
    /// Fields that were not accepted; refused when the person does not keep the register for the unit it belonged or would belong to.
    pub async fn save_row(
        self: &Arc<Self>,
        who: &Identity,
        register: &str,
        id: Option<&str>,
        version: i64,
        typed: &BTreeMap<String, String>,
    ) -> Result<String, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?.clone();
        let directory = self.directory().await?;
        let before = match id {
            Some(id) => Some(self.row(who, register, id).await?.1),
            None => None,
        };
        let (mut values, mut faults) = parse(&pack, &directory, &r, typed);
        let (copied, inner, viewer) = (r.clone(), Arc::clone(&pack), me.viewer().clone());
        let (seen, kept) = (before.clone(), std::mem::take(&mut values));
        let (found, values) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let mut values = kept;
                    let found =
                        copies::complete(c, &inner, &viewer, &copied, seen.as_ref(), &mut values).await?;
                    Ok::<_, AppError>((found, values))
                })
            })
            .await?;
        faults.extend(found);
        faults.extend(missing(&r, &values, &faults));
        if !faults.is_empty() {
            return Err(AppError::Invalid(faults));
        }
        let owner = values.get(&r.owner).and_then(Value::as_text).unwrap_or_default();
        if !me.keeps(&r, owner) || before.as_ref().is_some_and(|row| !me.keeps(&r, row.text(&r.owner))) {
            return Err(not_keeper(&pack, &r));
        }
        if before.as_ref().is_some_and(|row| row.values == values) {
            return Ok(id.unwrap_or_default().to_owned());
        }
        let row = RegisterRow {
            id: id.map_or_else(|| self.new_id().map(|i| i.to_string()), |id| Ok(id.to_owned()))?,
            version: version + 1,
            updated_at: self.clock.now(),
            values,
        };
        let saved = row.id.clone();
        let (office, person) = (Arc::clone(self), who.person.clone());
        let everyone = Viewer::whole_body(&person);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    // The original may have risen since the form was read.
                    let mut values = row.values.clone();
                    let faults =
                        copies::complete(c, &pack, &everyone, &r, before.as_ref(), &mut values).await?;
                    if !faults.is_empty() {
                        return Err(AppError::Invalid(faults));
                    }
                    keep_row(c, &office, &r, before.as_ref(), &row, &person, "form").await
                })
            })
            .await?;
        Ok(saved)
    }
}

/// Stores a changed row with its change, its ledger entry and whatever follows from it, in the caller's transaction. `cause`
/// says by which way it changed: `form`, or the number of the case that wrote it.
pub(crate) async fn keep_row(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    before: Option<&RegisterRow>,
    row: &RegisterRow,
    by: &str,
    cause: &str,
) -> Result<(), AppError> {
    let after = json!(row.values);
    let payload = json!({"register": r.id, "row": row.id, "version": row.version, "by": by, "at": row.updated_at, "cause": cause, "values": after, "hash": content_hash(&after)});
    let stream = stream_of(&row.id)?;
    let entry = record(c, office.seal()?, &stream, "register.change", &payload, row.updated_at).await?;
    let changed = Changed { before, row, by, cause };
    put_changed(c, office, r, changed, &entry).await?;
    follow(c, office, r, changed).await?;
    checks::after_row(c, office, r, &row.id, &entry).await
}

/// A row as it was and as it becomes, by whom and by which way.
#[derive(Clone, Copy)]
struct Changed<'a> {
    before: Option<&'a RegisterRow>,
    row: &'a RegisterRow,
    by: &'a str,
    cause: &'a str,
}

/// Stores a row and its change under an entry.
async fn put_changed(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    x: Changed<'_>,
    entry: &str,
) -> Result<(), AppError> {
    register::put(c, &table_spec(r), x.row).await?;
    let change = ChangeRow {
        id: office.new_id()?.to_string(),
        register: r.id.clone(),
        row_id: x.row.id.clone(),
        seq: x.row.version,
        at: x.row.updated_at,
        person: x.by.to_owned(),
        cause: x.cause.to_owned(),
        before: x.before.map(|b| json!(b.values).to_string()),
        after: Some(json!(x.row.values).to_string()),
        entry: entry.to_owned(),
    };
    register::put_change(c, &change).await.map_err(AppError::from)
}

/// Takes a row away under an entry, by whom and by which way, and keeps what it was.
pub(super) async fn put_removal(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    row: &RegisterRow,
    (by, cause, entry): (&str, &str, &str),
    at: Instant,
) -> Result<(), AppError> {
    register::remove(c, &table_spec(r), row).await?;
    let change = ChangeRow {
        id: office.new_id()?.to_string(),
        register: r.id.clone(),
        row_id: row.id.clone(),
        seq: row.version + 1,
        at,
        person: by.to_owned(),
        cause: cause.to_owned(),
        before: Some(json!(row.values).to_string()),
        after: None,
        entry: entry.to_owned(),
    };
    register::put_change(c, &change).await.map_err(AppError::from)
}

/// What a changed row brings about in cases and copies.
async fn follow(c: &mut Conn<'_>, office: &Office, r: &Register, x: Changed<'_>) -> Result<(), AppError> {
    if differs_for_cases(r, x.before, x.row) {
        crate::cases::row_changed(c, office, r, x.row, x.cause).await?;
    }
    copies::follow(c, office, r, x.before, x.row, x.by, x.cause).await
}

/// Whether a change is one that cases about the row take note of: of its class, its owner or its marks.
fn differs_for_cases(r: &Register, before: Option<&RegisterRow>, row: &RegisterRow) -> bool {
    before.is_some_and(|b| {
        crate::cases::item_of("", r, b).snapshot != crate::cases::item_of("", r, row).snapshot
    })
}

/// The same for many rows under one entry that the caller recorded: first all rows, then what follows from them, so that an
/// original and its copy may stand side by side.
pub(crate) async fn keep_rows(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    rows: &[(Option<RegisterRow>, RegisterRow)],
    by: &str,
    cause: &str,
    entry: &str,
) -> Result<(), AppError> {
    let changes = || rows.iter().map(|(before, row)| Changed { before: before.as_ref(), row, by, cause });
    for x in changes() {
        put_changed(c, office, r, x, entry).await?;
    }
    for x in changes() {
        follow(c, office, r, x).await?;
    }
    checks::after_register(c, office, r, entry).await
}

/// A batch as its ledger entry tells it: which rows came to which version, and a hash of everything that was written.
pub(crate) fn batch_payload(
    r: &Register,
    rows: &[(Option<RegisterRow>, RegisterRow)],
    by: &str,
    at: Instant,
) -> serde_json::Map<String, serde_json::Value> {
    let versions: BTreeMap<&str, i64> = rows.iter().map(|(_, row)| (row.id.as_str(), row.version)).collect();
    let values: Vec<_> = rows.iter().map(|(_, row)| &row.values).collect();
    let mut payload = serde_json::Map::new();
    for (name, value) in [
        ("register", json!(r.id)),
        ("by", json!(by)),
        ("at", json!(at)),
        ("rows", json!(versions)),
        ("hash", json!(content_hash(&json!(values)))),
    ] {
        payload.insert(name.to_owned(), value);
    }
    payload
}

fn not_keeper(pack: &Pack, r: &Register) -> AppError {
    let role = pack.roles.get(&r.kept_by).map_or(r.kept_by.as_str(), |x| x.title.as_str());
    AppError::refused(
        "R001",
        format!("{}を変更できるのは、所管課の{role}です。所管課を確かめてください。", r.title),
    )
}

/// `reads` tells whether cells with personal data are shown; that they changed is shown in any case.
fn history_line(pack: &Pack, directory: &Directory, r: &Register, h: &ChangeRow, reads: bool) -> HistoryLine {
    let read = |text: &Option<String>| -> BTreeMap<String, Value> {
        text.as_deref().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
    };
    let (before, after) = (read(&h.before), read(&h.after));
    let diffs = if h.before.is_none() {
        vec![if h.cause.starts_with("import") {
            "取り込んで登録".to_owned()
        } else {
            "登録".to_owned()
        }]
    } else {
        let differs = |c: &&Column| before.get(&c.id) != after.get(&c.id);
        let shown = |v: Option<&Value>, c: &Column| {
            if c.personal && !reads && v.is_some() {
                return HIDDEN.to_owned();
            }
            Some(show(pack, directory, c, v)).filter(|s| !s.is_empty()).unwrap_or_else(|| "（空）".to_owned())
        };
        r.columns
            .iter()
            .filter(differs)
            .map(|c| format!("{}：{} → {}", c.label, shown(before.get(&c.id), c), shown(after.get(&c.id), c)))
            .collect()
    };
    HistoryLine {
        at: h.at.short(),
        at_utc: h.at,
        version: h.seq,
        by: directory.person_name(&h.person).to_owned(),
        diffs,
        entry: h.entry.clone(),
    }
}

/// Reads a form into values, and what cannot be read.
fn parse(
    pack: &Pack,
    directory: &Directory,
    r: &Register,
    typed: &BTreeMap<String, String>,
) -> (BTreeMap<String, Value>, Vec<FieldError>) {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for c in &r.columns {
        let text = typed.get(&c.id).map(String::as_str).unwrap_or_default();
        match cell(pack, directory, c, text) {
            Ok(Value::Null) => {}
            Ok(value) => {
                values.insert(c.id.clone(), value);
            }
            Err(message) => errors
                .push(FieldError { field: c.id.clone(), message: format!("「{}」：{message}", c.label) }),
        }
    }
    (values, errors)
}

/// Required columns that have no value and about which nothing was said yet.
fn missing(r: &Register, values: &BTreeMap<String, Value>, said: &[FieldError]) -> Vec<FieldError> {
    let empty =
        |c: &&Column| c.required && !values.contains_key(&c.id) && said.iter().all(|e| e.field != c.id);
    let fault = |c: &Column| {
        let verb = if matches!(c.kind, ColumnType::Choice | ColumnType::Class(_)) {
            "選んで"
        } else {
            "入力して"
        };
        FieldError { field: c.id.clone(), message: format!("「{}」を{verb}ください。", c.label) }
    };
    r.columns.iter().filter(empty).map(fault).collect()
}

pub(super) fn cell(pack: &Pack, directory: &Directory, c: &Column, typed: &str) -> Result<Value, String> {
    let most = if matches!(c.kind, ColumnType::LongText) || c.many { TEXT_CHARS } else { LINE_CHARS };
    if typed.chars().count() > most {
        return Err(format!("{most}文字までにしてください。"));
    }
    if c.many {
        let list: Vec<String> =
            typed.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
        return list
            .iter()
            .try_for_each(|one| one_cell(pack, directory, c, one).map(|_| ()))
            .map(|()| if list.is_empty() { Value::Null } else { Value::List(list) });
    }
    one_cell(pack, directory, c, typed)
}

fn one_cell(pack: &Pack, directory: &Directory, c: &Column, typed: &str) -> Result<Value, String> {
    let text = typed.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let code = || normalize_code(text);
    let known = |yes: bool, what: &str| {
        if yes {
            Ok(Value::Text(code()))
        } else {
            Err(format!("「{text}」という{what}はありません。"))
        }
    };
    match &c.kind {
        ColumnType::Text | ColumnType::LongText => Ok(Value::Text(text.to_owned())),
        ColumnType::Code | ColumnType::Ref(_) => Ok(Value::Text(code())),
        ColumnType::Date => {
            Date::parse_japanese(text).map(|d| Value::Text(d.to_string())).map_err(|e| e.to_string())
        }
        ColumnType::Integer => {
            code().replace(',', "").parse().map(Value::Int).map_err(|_| "整数で入力してください。".to_owned())
        }
        ColumnType::Bool => Ok(Value::Bool(text == "1")),
        ColumnType::Choice => known(c.choices.iter().any(|x| x.code == text), "選択肢"),
        ColumnType::Class(axis) => known(
            pack.classification.axes.get(axis).is_some_and(|a| a.levels.iter().any(|l| l.code == text)),
            "分類",
        ),
        ColumnType::Unit => known(directory.unit(&code()).is_some(), "組織コード"),
        ColumnType::Post => known(directory.post(&code()).is_some(), "職コード"),
        ColumnType::Person => directory.one_in_cell(text).map(Value::Text),
    }
}
