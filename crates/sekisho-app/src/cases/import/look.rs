//! The dry run: what each row of a file would do. Each is checked as the form checks it, by the same code; nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::canonical::content_hash;
use sekisho_base::limits::LINE_CHARS;
use sekisho_base::table::Value;
use sekisho_base::text::shorten;
use sekisho_case::case::{Act, Attachment, CaseState, Content, What};
use sekisho_case::decide::{self, Command, Ctx, Draft};
use sekisho_pack::model::{FieldType, Procedure};
use sekisho_store::Conn;
use sekisho_store::case::{CaseRow, DraftRow};
use serde_json::json;

use super::sheet::{self, Begun, NUMBER, Target, begun, schema, typed_row};
use crate::cases::act::items_in;
use crate::cases::apply::{draft_body, refused, typed_values};
use crate::cases::applying::Applying;
use crate::cases::attach;
use crate::cases::rows::row_facts;
use crate::cases::view::Typed;
use crate::error::{AppError, FieldError};
use crate::exchange::{
    Column, Conflict, Grid, Kind, Plan, Record, References, RowAction, RowPlan, Schema, plan,
};

/// Rows of one file. Each is checked and recorded by itself while nobody else writes.
pub const MOST_ROWS: usize = 200;
/// Values shown of a new row.
const TOLD: usize = 4;

/// What a file asks for, beside its rows.
pub(super) struct Asked {
    pub applying: Applying,
    /// Post applied from.
    pub post: String,
    pub conflict: Conflict,
    pub grid: Grid,
}

/// What is to be done with a row.
pub(super) enum Todo {
    /// A new application.
    New(Typed),
    /// A draft that becomes another; sent, it is the application.
    Rewrite(DraftRow, Typed),
    /// A case that was sent back, to be applied for again.
    Again(Box<(CaseRow, Draft)>),
}

/// A row that does something.
pub(super) struct Row {
    /// Row of the sheet, from 1.
    pub row: usize,
    /// Its number; empty for a new one.
    pub number: String,
    pub todo: Todo,
}

/// What becomes of a row, for the page.
pub(super) struct Line {
    pub row: usize,
    pub number: String,
    pub action: &'static str,
    pub diffs: Vec<String>,
}

/// What a file would do.
pub(super) struct Looked {
    pub plan: Plan,
    pub rows: Vec<Row>,
    pub lines: Vec<Line>,
    /// Safeguards of everything that would be applied for: what it says, clause.
    pub safeguards: BTreeSet<(String, String)>,
    /// Digest of all this; the second step carries out nothing else.
    pub shown: String,
}

impl Looked {
    /// How many rows begin with this action.
    pub fn count(&self, action: &str) -> usize {
        self.lines.iter().filter(|l| l.action == action).count()
    }
}

pub(super) const NEW: &str = "新しい申請";
pub(super) const REWRITE: &str = "下書きを直す";
pub(super) const AGAIN: &str = "差し戻された申請を直す";
pub(super) const SKIPPED: &str = "とばす";
pub(super) const SAME: &str = "変更なし";
pub(super) const WRONG: &str = "誤り";

/// Codes are looked up by the form's own check.
struct Unchecked;

impl References for Unchecked {
    fn exists(&self, _: &str, _: &str) -> bool {
        true
    }
}

/// Looks at a file with the organization, the registers and the drafts as they are in this transaction.
///
/// # Errors
/// Too many rows, or the person may not apply for this from that post.
pub(super) async fn look(c: &mut Conn<'_>, asked: &Asked) -> Result<Looked, AppError> {
    let a = &asked.applying;
    let p = a.pack.procedures.get(&a.procedure).ok_or(AppError::NotFound)?;
    let org = a.office.org_now(c).await?;
    let ctx = a.ctx(&org);
    decide::may_apply_from(&a.procedure, &ctx, &asked.post).map_err(|r| refused(r, ""))?;
    let schema = schema(p);
    let mut begun = begun(c, &a.pack, &a.me, p).await?;
    let mut plan = plan(&schema, &asked.grid, &begun.records, &Unchecked);
    if plan.rows.len() > MOST_ROWS {
        let message = format!(
            "一度に読み込めるのは{MOST_ROWS}件までです（このファイルは{}件）。1件ずつ、申請と同じように確かめて記録するためです。ファイルを分けてください。",
            plan.rows.len()
        );
        return Err(AppError::refused("X010", message));
    }
    settle(&mut plan);
    let mut differing: BTreeSet<usize> = BTreeSet::new();
    differing.extend(plan.rows.iter().filter(|r| matches!(r.action, RowAction::Change(_))).map(|r| r.row));
    plan.resolve(asked.conflict, NUMBER);
    let mut looked =
        Looked { plan, rows: vec![], lines: vec![], safeguards: BTreeSet::new(), shown: String::new() };
    for row in looked.plan.rows.clone() {
        let number = row.key.first().cloned().unwrap_or_default();
        let look = Look { asked, p, schema: &schema, ctx: &ctx, row: &row, number: &number };
        let action = match look.todo(c, &mut begun).await? {
            Ok(Some((todo, content))) => {
                let found = content.handling.iter().flat_map(|h| &h.safeguards);
                looked.safeguards.extend(found.map(|n| (n.says.clone(), n.clause.clone())));
                let action = match &todo {
                    Todo::New(_) => NEW,
                    Todo::Rewrite(..) => REWRITE,
                    Todo::Again(_) => AGAIN,
                };
                looked.rows.push(Row { row: row.row, number: number.clone(), todo });
                action
            }
            Ok(None) if differing.contains(&row.row) => SKIPPED,
            Ok(None) => SAME,
            Err(faults) => {
                for fault in faults {
                    let value = look.shown_of(&fault.field);
                    looked.plan.reject(row.row, &fault.field, &value, fault.message, "");
                }
                WRONG
            }
        };
        // A row that `plan` or the choice made an error has no action of its own.
        let action = if matches!(row.action, RowAction::Error) { WRONG } else { action };
        let diffs = look.diffs(&looked.plan);
        looked.lines.push(Line { row: row.row, number, action, diffs });
    }
    looked.shown = digest(asked, &looked);
    Ok(looked)
}

/// A change that the form would not see, like an empty cell for what was not ticked, is none.
fn settle(plan: &mut Plan) {
    for row in &mut plan.rows {
        if let RowAction::Change(diffs) = &mut row.action {
            diffs.retain(|d| sheet::typed(&d.before).trim() != sheet::typed(&d.after).trim());
            if diffs.is_empty() {
                row.action = RowAction::Same;
            }
        }
    }
}

/// Digest of what would be done: by whom, from which post, and every value of every row.
fn digest(asked: &Asked, looked: &Looked) -> String {
    let row = |r: &Row| match &r.todo {
        Todo::New(typed) => json!([r.row, "new", draft_body(typed)]),
        Todo::Rewrite(before, typed) => json!([r.row, before.id, before.body, draft_body(typed)]),
        Todo::Again(again) => {
            let (case, draft) = &**again;
            let items: Vec<String> = draft.items.iter().map(|i| i.key()).collect();
            json!([r.row, case.id, case.version, draft.fields, items])
        }
    };
    let lines: Vec<_> = looked.lines.iter().map(|l| json!([l.row, l.action])).collect();
    let rows: Vec<_> = looked.rows.iter().map(row).collect();
    let safeguards: Vec<_> = looked.safeguards.iter().collect();
    let whole =
        json!([asked.applying.me.person, asked.post, rows, lines, safeguards, looked.plan.counts.errors]);
    content_hash(&whole)
}

/// One row that is looked at.
struct Look<'a> {
    asked: &'a Asked,
    p: &'a Procedure,
    schema: &'a Schema,
    ctx: &'a Ctx<'a>,
    row: &'a RowPlan,
    number: &'a str,
}

/// What to do with a row and what would be decided on, nothing where nothing changes, or what is wrong.
type Answer = Result<Option<(Todo, Content)>, Vec<FieldError>>;

fn fault(field: &str, message: &str) -> Answer {
    Err(vec![FieldError { field: field.to_owned(), message: message.to_owned() }])
}

impl Look<'_> {
    async fn todo(&self, c: &mut Conn<'_>, begun: &mut Begun) -> Result<Answer, AppError> {
        let values: BTreeMap<&str, &Value> = match &self.row.action {
            RowAction::Add(record) => record.iter().map(|(id, v)| (id.as_str(), v)).collect(),
            RowAction::Change(diffs) => diffs.iter().map(|d| (d.column.as_str(), &d.after)).collect(),
            RowAction::Same | RowAction::Error => return Ok(Ok(None)),
        };
        let target = begun.targets.remove(self.number);
        let a = &self.asked.applying;
        let scope = (&*a.pack, a.me.viewer(), self.p);
        match target {
            // Whoever's it is, and wherever it stands: what cannot be changed is answered like what is not there.
            None if !self.number.is_empty() => Ok(fault(
                NUMBER,
                "この番号の、あなたの下書きや差し戻された申請はありません。新しい申請にするときは、案件番号を空にしてください。",
            )),
            None => {
                let before = Typed { post: self.asked.post.clone(), ..Typed::default() };
                match typed_row(c, scope, before, &values).await? {
                    Ok(typed) => self.application(c, typed, Todo::New).await,
                    Err((field, message)) => Ok(fault(&field, &message)),
                }
            }
            Some(Target::Draft(row, before)) => {
                let mut before = before;
                if before.post.is_empty() {
                    before.post.clone_from(&self.asked.post);
                }
                match typed_row(c, scope, before, &values).await? {
                    Ok(typed) => self.application(c, typed, |t| Todo::Rewrite(row, t)).await,
                    Err((field, message)) => Ok(fault(&field, &message)),
                }
            }
            Some(Target::Returned(found)) => self.again(c, *found, begun, &values).await,
        }
    }

    /// What the engine says to an application.
    async fn application(
        &self,
        c: &mut Conn<'_>,
        typed: Typed,
        todo: impl FnOnce(Typed) -> Todo,
    ) -> Result<Answer, AppError> {
        let a = &self.asked.applying;
        let files = typed.values.get(attach::FIELD).cloned().unwrap_or_default();
        let waiting = attach::waiting(c, &a.me.person, &files).await?;
        let attachments =
            waiting.into_iter().map(|f| Attachment { name: f.name, sha256: f.sha256 }).collect();
        let acts = a.acts(c, &typed, (String::new(), NEW.to_owned()), attachments).await;
        answer(acts.map(|(acts, _)| acts), |content| (todo(typed), content))
    }

    /// What the engine says to a case that is applied for again: its things stay, as on its page.
    async fn again(
        &self,
        c: &mut Conn<'_>,
        (row, state): (CaseRow, CaseState),
        begun: &Begun,
        values: &BTreeMap<&str, &Value>,
    ) -> Result<Answer, AppError> {
        let a = &self.asked.applying;
        if state.pack.hash != a.pack.hash {
            return Ok(fault(
                NUMBER,
                "この案件は、前の版の基準で申請されています。案件の画面で直してください。",
            ));
        }
        let items = |f: &&sekisho_pack::model::Field| matches!(f.kind, FieldType::Items(_));
        if let Some(f) = self.p.fields.iter().filter(items).find(|f| values.contains_key(f.id.as_str())) {
            return Ok(fault(
                &f.id,
                "差し戻された申請の対象は変えられません。変えるときは、引き戻して新しく申請してください。",
            ));
        }
        let key = vec![self.number.to_owned()];
        let now = begun.records.get(&key).cloned().unwrap_or_default();
        let mut whole: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for f in self.p.fields.iter().filter(|f| !items(f)) {
            let value = values.get(f.id.as_str()).copied().or_else(|| now.get(&f.id));
            whole.insert(f.id.clone(), value.map(sheet::typed).into_iter().collect());
        }
        let draft = async {
            let mut fields = typed_values(&self.p.fields, &whole, "")?;
            fields.extend(row_facts(c, &a.pack, a.me.viewer(), &self.p.fields, &fields, "").await?);
            let items = items_in(c, &a.pack, &state.content.items).await?;
            Ok::<_, AppError>(Draft { fields, attachments: state.content.attachments.clone(), items })
        };
        let draft = match draft.await {
            Ok(draft) => draft,
            Err(e) => return answer(Err(e), |_| (Todo::New(Typed::default()), Content::default())),
        };
        let command = Command::Resubmit { shown: state.content_hash(None), draft: draft.clone() };
        let acts = decide::decide(&state, self.ctx, command).map_err(|r| refused(r, ""));
        answer(acts, |content| (Todo::Again(Box::new((row, draft))), content))
    }

    /// What stands in the row for a field, as a cell shows it.
    fn shown_of(&self, field: &str) -> String {
        let column = self.schema.columns.iter().find(|c| c.id == field);
        let value = match &self.row.action {
            _ if field == NUMBER => return self.number.to_owned(),
            RowAction::Add(record) => record.get(field),
            RowAction::Change(diffs) => diffs.iter().find(|d| d.column == field).map(|d| &d.after),
            RowAction::Same | RowAction::Error => None,
        };
        column.zip(value).map(|(column, value)| plain(column, value)).unwrap_or_default()
    }

    /// What tells this row from another, or what changes in it.
    fn diffs(&self, plan: &Plan) -> Vec<String> {
        let column = |label: &str| self.schema.columns.iter().find(|c| c.label() == label);
        let shown = |label: &str, value: &Value| match column(label).map(|c| told(c, value)) {
            Some(text) if !text.is_empty() => shorten(&text, LINE_CHARS),
            _ => "（空）".to_owned(),
        };
        match &self.row.action {
            RowAction::Change(diffs) => diffs
                .iter()
                .map(|d| {
                    format!("{}：{} → {}", d.label, shown(&d.label, &d.before), shown(&d.label, &d.after))
                })
                .collect(),
            RowAction::Add(_) => {
                let first = plan.told(self.row).into_iter().take(TOLD);
                first.map(|(label, value)| format!("{label}：{}", shown(label, value))).collect()
            }
            RowAction::Same | RowAction::Error => vec![],
        }
    }
}

/// A value on one line.
fn plain(column: &Column, value: &Value) -> String {
    column.show(value).replace('\n', "、")
}

/// The same as pages write it.
fn told(column: &Column, value: &Value) -> String {
    let day = value.as_text().filter(|_| column.kind == Kind::Date).and_then(|s| s.parse::<Date>().ok());
    day.map_or_else(|| plain(column, value), |day| day.japanese())
}

/// The content that acts would bind, or the faults of a form.
fn answer(
    acts: Result<Vec<Act>, AppError>,
    todo: impl FnOnce(Content) -> (Todo, Content),
) -> Result<Answer, AppError> {
    let acts = match acts {
        Ok(acts) => acts,
        Err(AppError::Invalid(faults)) => return Ok(Err(faults)),
        Err(AppError::Refused { message, .. }) => return Ok(fault(NUMBER, &message)),
        Err(AppError::NotFound) => {
            return Ok(fault(NUMBER, "申請の元になった案件が見つかりません。画面から申請してください。"));
        }
        Err(e) => return Err(e),
    };
    let content = acts.into_iter().find_map(|act| match act.what {
        What::Applied { content, .. } | What::Resubmitted { content, .. } => Some(content),
        _ => None,
    });
    let content = content.ok_or_else(|| AppError::internal("an application without its first act"))?;
    Ok(Ok(Some(todo(content))))
}

/// The table of what the person has begun, and its columns.
pub(super) async fn own_table(c: &mut Conn<'_>, a: &Applying) -> Result<(Schema, Vec<Record>), AppError> {
    let p = a.pack.procedures.get(&a.procedure).ok_or(AppError::NotFound)?;
    let mut begun = begun(c, &a.pack, &a.me, p).await?;
    let rows = begun.order.iter().filter_map(|number| begun.records.remove(&vec![number.clone()])).collect();
    Ok((schema(p), rows))
}
