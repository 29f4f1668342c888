//! Registers in and out of spreadsheets: export of what the viewer may see, import in two steps with a dry run between.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::Date;
use sekisho_base::canonical::{hex, sha256, unhex};
use sekisho_base::limits::{IMPORT_ROWS, LINE_CHARS};
use sekisho_base::table::Value;
use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_pack::model::{Pack, Register};
use sekisho_store::import::{self, ImportRow};
use sekisho_store::register::{self, RegisterRow};
use sekisho_store::upload::{self, UploadRow};
use sekisho_store::{Conn, Viewer};
use serde::Serialize;
use serde_json::json;

use crate::directory::Directory;
use crate::error::AppError;
use crate::exchange::{
    Conflict, CsvEncoding, Plan, Record, References, RowAction, RowPlan, Schema, Table, WriteError, plan,
    read_grid, write_csv, write_xlsx,
};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::record::{Seal, record, stream_of};
use crate::registers::list::{ListQuery, filter};
use crate::registers::row::{batch_payload, keep_rows};
use crate::registers::show::show;
use crate::registers::spec::schema;
use crate::registers::{copies, table_spec};
use crate::sight::is_sensitive_row;

/// Rows of the plan shown on the page; all of them are carried out.
const SHOWN_ROWS: usize = 100;
/// Values shown of a new row.
const TOLD: usize = 4;

/// A file to download.
#[derive(Debug, Clone)]
pub struct ExportedFile {
    /// File name.
    pub name: String,
    /// MIME type.
    pub mime: &'static str,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// Formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Excel.
    Xlsx,
    /// CSV in UTF-8 with byte order mark.
    Csv,
    /// CSV in code page 932.
    Cp932,
}

/// One thing to correct in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorLine {
    /// 「台帳 C12」.
    pub place: String,
    /// Column label.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// One row of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanLine {
    /// 「12行目」.
    pub place: String,
    /// Key.
    pub key: String,
    /// 追加, 変更.
    pub action: String,
    /// What changes.
    pub diffs: Vec<String>,
}

/// The dry run of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct ImportPlan {
    /// Id under which the file waits.
    pub upload: String,
    /// Digest of what it would change; the second step carries out nothing else.
    pub shown: String,
    /// File name.
    pub file: String,
    /// Rows added.
    pub added: usize,
    /// Rows changed.
    pub changed: usize,
    /// Rows that stay.
    pub same: usize,
    /// What must be corrected.
    pub errors: Vec<ErrorLine>,
    /// What the person should know: columns that are missing or unknown.
    pub notes: Vec<String>,
    /// The first rows that change something.
    pub rows: Vec<PlanLine>,
}

/// Writes a table in a format; the message of a character that the code page lacks names the cells.
pub(crate) fn write(
    tables: &[Table],
    format: ExportFormat,
    name: &str,
    today: Date,
) -> Result<ExportedFile, AppError> {
    let explain = |e: WriteError| {
        let cells = match &e {
            WriteError::Unmappable { cells, .. } => cells
                .iter()
                .take(10)
                .map(|c| format!("{}行目「{}」の「{}」", c.row, c.label, c.character))
                .collect::<Vec<_>>()
                .join("、"),
            _ => String::new(),
        };
        AppError::Unfit { code: "X001", message: format!("{e} {cells}").trim().to_owned() }
    };
    let day = today.to_string().replace('-', "");
    let (mime, suffix, bytes) = match (format, tables.first()) {
        (ExportFormat::Csv, Some(t)) => {
            ("text/csv; charset=utf-8", "csv", write_csv(t, CsvEncoding::Utf8Bom).map_err(explain)?)
        }
        (ExportFormat::Cp932, Some(t)) => {
            ("text/csv; charset=Shift_JIS", "csv", write_csv(t, CsvEncoding::Cp932).map_err(explain)?)
        }
        _ => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
            write_xlsx(tables, today).map_err(explain)?,
        ),
    };
    Ok(ExportedFile { name: format!("{name}_{day}.{suffix}"), mime, bytes })
}

/// The errors of a plan as lines of a page.
pub(crate) fn error_lines<'a>(
    errors: impl Iterator<Item = &'a crate::exchange::CellError>,
) -> Vec<ErrorLine> {
    errors
        .map(|e| ErrorLine {
            place: e.sheet.as_ref().map_or_else(|| e.cell.clone(), |s| format!("{s} {}", e.cell)),
            column: e.label.clone(),
            value: e.value.clone(),
            message: format!("{} {}", e.message, e.remedy).trim_end().to_owned(),
        })
        .collect()
}

/// Rows of a plan that change something, as lines of a page.
pub(crate) fn plan_lines(plan: &Plan, limit: usize) -> Vec<PlanLine> {
    lines(plan, limit, |_, value| plain(value))
}

/// The same for a register: what stands as a code in the file is named as the list names it.
fn register_lines(pack: &Pack, d: &Directory, r: &Register, plan: &Plan, limit: usize) -> Vec<PlanLine> {
    lines(plan, limit, |label, value| {
        let column = r.columns.iter().find(|c| c.label == label);
        let named = column.map(|c| show(pack, d, c, Some(value))).unwrap_or_default();
        if named.is_empty() { plain(value) } else { named }
    })
}

/// A text of a file; days as cells have them.
fn plain_text(text: &str) -> String {
    text.parse::<Date>().map_or_else(|_| text.to_owned(), Date::short)
}

fn lines(plan: &Plan, limit: usize, shown: impl Fn(&str, &Value) -> String) -> Vec<PlanLine> {
    plan.rows
        .iter()
        .filter_map(|row| {
            let (action, diffs) = match &row.action {
                RowAction::Add(_) => ("追加", told(plan, row, &shown)),
                RowAction::Change(diffs) => (
                    "変更",
                    diffs
                        .iter()
                        .map(|d| {
                            let (before, after) = (shown(&d.label, &d.before), shown(&d.label, &d.after));
                            format!("{}：{before} → {after}", d.label)
                        })
                        .collect(),
                ),
                RowAction::Same | RowAction::Error => return None,
            };
            Some(PlanLine {
                place: format!("{}行目", row.row),
                key: row.key.iter().map(|k| plain_text(k)).collect::<Vec<_>>().join(" "),
                action: action.to_owned(),
                diffs,
            })
        })
        .take(limit)
        .collect()
}

/// What tells a new row from another: its first values.
fn told(plan: &Plan, row: &RowPlan, shown: &impl Fn(&str, &Value) -> String) -> Vec<String> {
    let values = plan.told(row).into_iter().take(TOLD);
    values.map(|(label, v)| format!("{label}：{}", shorten(&shown(label, v), LINE_CHARS))).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "（空）".to_owned(),
        Value::Bool(b) => if *b { "○" } else { "×" }.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(s) => plain_text(s),
        Value::List(l) => l.join("、"),
    }
}

/// Digest of what plans would do, row by row.
pub(crate) fn plan_digest<'a>(plans: impl Iterator<Item = &'a Plan>) -> String {
    let rows = plans.flat_map(|p| &p.rows);
    hex(&rows
        .fold([0; 32], |before, row| sha256(&[before.as_slice(), format!("{row:?}").as_bytes()].concat())))
}

/// What was shown is not what would be carried out.
pub(crate) fn changed_meanwhile() -> AppError {
    AppError::refused(
        "X003",
        "確かめた後に内容が変わったため、このファイルはそのままでは取り込めません。もう一度「内容を確かめる」から始めてください。",
    )
}

/// Notes about columns.
pub(crate) fn column_notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if !plan.unknown_columns.is_empty() {
        notes.push(format!("次の列は台帳にないため取り込みません：{}", plan.unknown_columns.join("、")));
    }
    if !plan.missing_columns.is_empty() && plan.counts.errors == 0 {
        notes.push(format!(
            "次の列はファイルにないため、今の値のままにします：{}",
            plan.missing_columns.join("、")
        ));
    }
    notes
}

/// Whether codes exist.
pub(crate) struct Known<'a>(pub &'a Directory);

impl References for Known<'_> {
    fn exists(&self, table: &str, code: &str) -> bool {
        match table {
            "unit" => self.0.unit(code).is_some(),
            "post" => self.0.post(code).is_some(),
            "person" => self.0.person(code).is_some(),
            _ => false,
        }
    }
}

struct Prepared {
    plan: Plan,
    existing: HashMap<Vec<String>, Record>,
    rows: HashMap<String, RegisterRow>,
}

#[boxed]
impl Office {
    /// Exports what a list shows, all pages.
    ///
    /// # Errors
    /// Refused when the code page lacks a character; the message names the cells.
    pub async fn export_register(
        &self,
        who: &Identity,
        id: &str,
        query: &ListQuery,
        format: ExportFormat,
    ) -> Result<ExportedFile, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        let rows = self.rows_seen(&me, r, query, IMPORT_ROWS).await?;
        // A column that is left out stays as it is when the file comes back; a hidden cell would overwrite.
        let mut schema = schema(&pack, r);
        if !rows.iter().all(|row| me.reads_personal(r, row.text(&r.owner))) {
            schema.columns.retain(|c| r.columns.iter().all(|x| x.id != c.id || !x.personal));
        }
        let table = Table::new(&schema, rows.iter().map(|row| &row.values));
        let (title, today) = (r.title.clone(), self.clock.today());
        let file = tokio::task::spawn_blocking(move || write(&[table], format, &title, today))
            .await
            .map_err(AppError::internal)??;
        self.note_rows_out(who, r, &rows, &file.bytes).await?;
        Ok(file)
    }

    /// The rows of a list that somebody sees, with every cell: for what leaves the program.
    pub(crate) async fn rows_seen(
        &self,
        me: &Me,
        r: &Register,
        query: &ListQuery,
        most: usize,
    ) -> Result<Vec<RegisterRow>, AppError> {
        let (spec, viewer, filter) = (table_spec(r), me.viewer().clone(), filter(r, query));
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let (rows, _) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    register::list(c, &spec, &viewer, &filter, 0, limit).await.map_err(AppError::from)
                })
            })
            .await?;
        Ok(rows)
    }

    /// Notes that rows left the program in a file, where looks at one of them are recorded.
    pub(crate) async fn note_rows_out(
        &self,
        who: &Identity,
        r: &Register,
        rows: &[RegisterRow],
        file: &[u8],
    ) -> Result<(), AppError> {
        let (pack, today) = (self.pack(), self.clock.today());
        let sensitive = rows.iter().filter(|row| is_sensitive_row(&pack, r, row, today)).count();
        if sensitive > 0 {
            self.note_export(who, &r.id, sensitive, &hex(&sha256(file))).await?;
        }
        Ok(())
    }

    /// First step of an import: reads the file, keeps it, and tells what it would change. Nothing changes.
    ///
    /// # Errors
    /// Refused when the file is no table, or the person keeps no rows of this register.
    pub async fn plan_register_import(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        (file, bytes): (&str, Vec<u8>),
        conflict: Conflict,
    ) -> Result<ImportPlan, AppError> {
        let me = self.me(who).await?;
        let prepared = self.prepare(&me, id, bytes.clone(), conflict).await?;
        let upload_id = self.keep_upload(who, id, file, bytes).await?;
        let counts = &prepared.plan.counts;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        Ok(ImportPlan {
            upload: upload_id,
            shown: plan_digest(std::iter::once(&prepared.plan)),
            file: file.to_owned(),
            added: counts.add,
            changed: counts.change,
            same: counts.same,
            errors: error_lines(prepared.plan.errors.iter()),
            notes: column_notes(&prepared.plan),
            rows: register_lines(&pack, me.directory(), r, &prepared.plan, SHOWN_ROWS),
        })
    }

    /// Keeps a file between the two steps.
    pub(crate) async fn keep_upload(
        &self,
        who: &Identity,
        kind: &str,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<String, AppError> {
        let row = UploadRow {
            id: self.new_id()?.to_string(),
            kind: kind.to_owned(),
            person: who.person.clone(),
            name: shorten(file, 200),
            sha256: hex(&sha256(&bytes)),
            bytes: hex(&bytes),
            created_at: self.clock.now(),
        };
        let id = row.id.clone();
        self.store
            .write(move |c| Box::pin(async move { upload::put(c, &row).await.map_err(AppError::from) }))
            .await?;
        Ok(id)
    }

    /// Fetches one's own kept file.
    pub(crate) async fn kept_upload(
        &self,
        who: &Identity,
        kind: &str,
        id: &str,
    ) -> Result<(UploadRow, Vec<u8>), AppError> {
        let (id, person) = (id.to_owned(), who.person.clone());
        let row = self
            .store
            .read(move |c| {
                Box::pin(async move { upload::get(c, &id, &person).await.map_err(AppError::from) })
            })
            .await?;
        let row = row.filter(|u| u.kind == kind).ok_or_else(|| {
            AppError::refused("X002", "確かめたファイルがもうありません。もう一度ファイルを選んでください。")
        })?;
        let bytes = unhex(&row.bytes).ok_or_else(|| AppError::internal("a kept upload is no hexadecimal"))?;
        Ok((row, bytes))
    }

    async fn prepare(
        self: &Arc<Self>,
        me: &Me,
        id: &str,
        bytes: Vec<u8>,
        conflict: Conflict,
    ) -> Result<Prepared, AppError> {
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?.clone();
        if !me.keeps_anything(&r) {
            return Err(AppError::refused(
                "R001",
                format!("{}を取り込めるのは、台帳を管理する職の人だけです。", r.title),
            ));
        }
        let (spec, limit) = (table_spec(&r), i64::try_from(IMPORT_ROWS).unwrap_or(i64::MAX));
        // Existing rows of other units must be known too: a key in use elsewhere is an error, not a new row.
        let everyone = Viewer::whole_body(&me.person);
        let (rows, _) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    register::list(c, &spec, &everyone, &register::Filter::default(), 0, limit)
                        .await
                        .map_err(AppError::from)
                })
            })
            .await?;
        let directory = self.directory().await?;
        let (viewer, copied) = (me.viewer().clone(), r.clone());
        let (me, schema) = (me.clone(), schema(&pack, &r));
        let job = move || prepare_blocking(&me, &r, &schema, &directory, rows, (&bytes, conflict));
        let mut prepared = tokio::task::spawn_blocking(job).await.map_err(AppError::internal)??;
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let Prepared { plan, existing, .. } = &mut prepared;
                    copies::complete_plan(c, &pack, &viewer, &copied, existing, plan).await?;
                    Ok::<_, AppError>(prepared)
                })
            })
            .await
    }

    /// Second step of an import: carries out what the first step told, all or nothing.
    ///
    /// # Errors
    /// Refused when the file is gone, is somebody else's, or no longer fits because the register changed meanwhile.
    pub async fn apply_register_import(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        upload_id: &str,
        shown: &str,
        conflict: Conflict,
    ) -> Result<usize, AppError> {
        let me = self.me(who).await?;
        let (kept, bytes) = self.kept_upload(who, id, upload_id).await?;
        let prepared = self.prepare(&me, id, bytes, conflict).await?;
        if prepared.plan.counts.errors > 0 || plan_digest(std::iter::once(&prepared.plan)) != shown {
            return Err(changed_meanwhile());
        }
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?.clone();
        let now = self.clock.now();
        let mut writes = Vec::new();
        for row in
            prepared.plan.rows.iter().filter(|p| matches!(p.action, RowAction::Add(_) | RowAction::Change(_)))
        {
            let Some(mut values) = row.result(&prepared.existing) else { continue };
            values.retain(|_, v| !v.is_empty());
            let before = row.key.first().and_then(|k| prepared.rows.get(k)).cloned();
            let (row_id, version) = match &before {
                Some(b) => (b.id.clone(), b.version + 1),
                None => (self.new_id()?.to_string(), 1),
            };
            writes.push((before, RegisterRow { id: row_id, version, updated_at: now, values }));
        }
        let count = writes.len();
        let job = Apply {
            office: Arc::clone(self),
            register: r,
            writes,
            seal: self.seal()?,
            person: who.person.clone(),
            upload: kept,
        };
        self.store.write(move |c| Box::pin(job.run(c))).await?;
        Ok(count)
    }
}

fn prepare_blocking(
    me: &Me,
    r: &Register,
    schema: &Schema,
    directory: &Directory,
    rows: Vec<RegisterRow>,
    (bytes, conflict): (&[u8], Conflict),
) -> Result<Prepared, AppError> {
    let grid = read_grid(bytes).map_err(|e| AppError::refused("X004", e.to_string()))?;
    let existing: HashMap<Vec<String>, Record> =
        rows.iter().map(|row| (vec![row.text(&r.key).to_owned()], row.values.clone())).collect();
    let rows: HashMap<String, RegisterRow> =
        rows.into_iter().map(|row| (row.text(&r.key).to_owned(), row)).collect();
    let mut plan = plan(schema, &grid, &existing, &Known(directory));
    plan.resolve(conflict, &r.key);
    // Only rows of units that this person keeps, both as they are and as they would be.
    let mut refused = Vec::new();
    for row in &plan.rows {
        let owner_after = row
            .result(&existing)
            .and_then(|v| v.get(&r.owner).and_then(Value::as_text).map(str::to_owned))
            .unwrap_or_default();
        let owner_before = row.key.first().and_then(|k| rows.get(k)).map(|b| b.text(&r.owner).to_owned());
        let changes = matches!(row.action, RowAction::Add(_) | RowAction::Change(_));
        if changes && (!me.keeps(r, &owner_after) || owner_before.is_some_and(|b| !me.keeps(r, &b))) {
            refused.push((row.row, owner_after));
        }
    }
    for (row, owner) in refused {
        plan.reject(
            row,
            &r.owner,
            &owner,
            "この所管課の行をあなたは変更できません。",
            "自分が管理する課の行だけにするか、所管課の管理者に依頼してください。",
        );
    }
    Ok(Prepared { plan, existing, rows })
}

/// Everything the second step writes, in one transaction.
struct Apply {
    office: Arc<Office>,
    register: Register,
    writes: Vec<(Option<RegisterRow>, RegisterRow)>,
    seal: Seal,
    person: String,
    upload: UploadRow,
}

impl Apply {
    async fn run(self, c: &mut Conn<'_>) -> Result<(), AppError> {
        let now = self.office.clock.now();
        let mut payload = batch_payload(&self.register, &self.writes, &self.person, now);
        payload.insert("file".to_owned(), json!(self.upload.sha256));
        let stream = stream_of(&self.upload.id)?;
        let entry = record(c, self.seal, &stream, "register.import", &json!(payload), now).await?;
        let cause = format!("import {}", self.upload.id);
        keep_rows(c, &self.office, &self.register, &self.writes, &self.person, &cause, &entry).await?;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let added = self.writes.iter().filter(|(before, _)| before.is_none()).count();
        let done = ImportRow {
            id: self.upload.id.clone(),
            register: self.register.id.clone(),
            person: self.person.clone(),
            at: now,
            file: self.upload.name.clone(),
            added: count(added),
            changed: count(self.writes.len() - added),
            entry,
            undone: None,
        };
        import::put(c, &done).await?;
        upload::drop_used(c, &self.upload.id, now).await?;
        Ok(())
    }
}
