//! One column of many rows changed at once (まとめて直す). It is an import that nobody had to write: the same dry run, the same right of each
//! row, the same record, and it is undone like one.

use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_pack::model::{Column, ColumnType, Register};
use sekisho_store::register::RegisterRow;

use super::labels::{LabelRow, label_row};
use super::list::ListQuery;
use super::row::cell;
use super::show::{FieldView, RefChoice, field};
use super::spec::schema;
use super::transfer::ImportPlan;
use crate::Office;
use crate::error::AppError;
use crate::exchange::{Conflict, CsvEncoding, Record, Table, write_csv};
use crate::login::Identity;
use crate::people::Me;
use crate::sight::hide_cells;

/// Rows that one change takes at most.
pub const MOST_CHANGED: usize = 500;
/// Name of the field with the new value.
pub const VALUE: &str = "value";

/// The page on which a column is chosen, rows are ticked and the new value is typed.
#[derive(Debug, Clone)]
pub struct ChangeForm {
    /// Register id.
    pub register: String,
    /// Its name.
    pub title: String,
    /// Columns that can be changed so.
    pub columns: Vec<RefChoice>,
    /// The chosen one.
    pub column: String,
    /// Its field; nothing before one is chosen.
    pub field: Option<FieldView>,
    /// Rows of the list that this person keeps, as many as one change takes.
    pub rows: Vec<LabelRow>,
    /// Whether the list has more.
    pub more: bool,
}

/// Whether a column is changed in this way. The key names the row; classes are changed by a case that is decided.
fn is_changeable(r: &Register, c: &Column) -> bool {
    c.id != r.key && !matches!(c.kind, ColumnType::Class(_)) && r.copy_of.as_ref() != Some(&c.id)
}

#[boxed]
impl Office {
    /// The rows of a list that somebody keeps, and one more than are taken if there are more.
    async fn kept_rows(
        &self,
        me: &Me,
        r: &Register,
        query: &ListQuery,
    ) -> Result<Vec<RegisterRow>, AppError> {
        let mut rows = self.rows_seen(me, r, query, MOST_CHANGED + 1).await?;
        rows.retain(|row| me.keeps(r, row.text(&r.owner)));
        Ok(rows)
    }

    /// The form that changes one column of many rows; `column` may be empty, `typed` is what was refused.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown register; refused for somebody who keeps no row of it.
    pub async fn change_form(
        &self,
        who: &Identity,
        id: &str,
        query: &ListQuery,
        column: &str,
        typed: &str,
    ) -> Result<ChangeForm, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        if !me.keeps_anything(r) {
            return Err(not_keeper(r));
        }
        let mut rows = self.kept_rows(&me, r, query).await?;
        rows.iter_mut().for_each(|row| hide_cells(&me, r, row));
        let columns: Vec<&Column> = r.columns.iter().filter(|c| is_changeable(r, c)).collect();
        let chosen = columns.iter().find(|c| c.id == column);
        let (directory, today) = (Arc::clone(me.directory()), self.clock.today());
        let field = chosen.map(|c| FieldView {
            name: VALUE.to_owned(),
            label: format!("「{}」の新しい値", c.label),
            ..field(&pack, &directory, c, typed.to_owned(), today)
        });
        Ok(ChangeForm {
            register: r.id.clone(),
            title: r.title.clone(),
            column: chosen.map(|c| c.id.clone()).unwrap_or_default(),
            columns: columns
                .iter()
                .map(|c| RefChoice { code: c.id.clone(), label: c.label.clone() })
                .collect(),
            field,
            more: rows.len() > MOST_CHANGED,
            rows: rows.iter().take(MOST_CHANGED).map(|row| label_row(r, row)).collect(),
        })
    }

    /// Tells what giving the column of these rows a new value would change. Nothing changes; what was told is carried out like an import.
    /// Rows that are not among those of the list that this person keeps are left out.
    ///
    /// # Errors
    /// Field errors for a value that the column does not take, an unknown column, or no row; refused for somebody who keeps none.
    pub async fn plan_register_change(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        query: &ListQuery,
        (column, typed): (&str, &str),
        ticked: &[String],
    ) -> Result<ImportPlan, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        if !me.keeps_anything(r) {
            return Err(not_keeper(r));
        }
        let Some(c) = r.columns.iter().find(|c| c.id == column && is_changeable(r, c)) else {
            return Err(AppError::field("column", "直す列を選んでください。"));
        };
        let directory = self.directory().await?;
        let value = cell(&pack, &directory, c, typed)
            .map_err(|message| AppError::field(VALUE, format!("「{}」：{message}", c.label)))?;
        if c.required && value == Value::Null {
            return Err(AppError::field(
                VALUE,
                format!("「{}」は必ず入れる列です。新しい値を入れてください。", c.label),
            ));
        }
        let rows = self.kept_rows(&me, r, query).await?;
        let chosen: Vec<Record> = rows
            .iter()
            .take(MOST_CHANGED)
            .filter(|row| ticked.contains(&row.id))
            .map(|row| {
                let key = (r.key.clone(), Value::Text(row.text(&r.key).to_owned()));
                [key, (c.id.clone(), value.clone())].into_iter().collect()
            })
            .collect();
        if chosen.is_empty() {
            return Err(AppError::field("row", "直すものを1件以上選んでください。"));
        }
        let mut schema = schema(&pack, r);
        schema.columns.retain(|x| x.id == r.key || x.id == c.id);
        let table = Table::new(&schema, chosen.iter());
        let bytes = write_csv(&table, CsvEncoding::Utf8Bom).map_err(AppError::internal)?;
        let name = format!("まとめて直す（{}）", c.label);
        let mut plan = self.plan_register_import(who, id, (&name, bytes), Conflict::Update).await?;
        // It was no file: what a file lacks says nothing here.
        plan.notes.clear();
        Ok(plan)
    }
}

fn not_keeper(r: &Register) -> AppError {
    AppError::refused(
        "R001",
        format!("{}をまとめて直せるのは、台帳を管理する職の人だけです。その人に知らせてください。", r.title),
    )
}
