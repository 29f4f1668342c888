//! Labels of a register's rows: a sheet with QR codes, and the short address to which a code leads.

use std::sync::Arc;

use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_forms::RenderRequest;
use sekisho_pack::model::Register;
use sekisho_store::Viewer;
use sekisho_store::register::{self, RegisterRow};
use serde_json::json;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::qr::Symbol;
use crate::registers::{ListQuery, table_spec};
use crate::sight::hide_cells;

/// Rows on one print.
pub const MOST_LABELS: usize = 500;
/// Labels on a sheet.
pub const SHEET: usize = 24;
/// The pack's form.
const FORM: &str = "labels";

/// A row that may get a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Row id.
    pub id: String,
    /// 管理番号.
    pub code: String,
    /// Name.
    pub name: String,
}

/// The page on which rows are ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelsForm {
    /// Register id.
    pub register: String,
    /// Its name.
    pub title: String,
    /// Rows of the list, as many as one print takes.
    pub rows: Vec<LabelRow>,
    /// Whether the list has more.
    pub more: bool,
}

/// A row found by what a code says.
pub(crate) async fn find_row(
    office: &Office,
    r: &Register,
    viewer: &Viewer,
    code: &str,
) -> Result<Option<RegisterRow>, AppError> {
    let (spec, viewer, code) = (table_spec(r), viewer.clone(), code.to_owned());
    office
        .store
        .read(move |c| {
            Box::pin(async move {
                match register::get(c, &spec, &viewer, &code).await? {
                    None => register::by_key(c, &spec, &viewer, &code).await.map_err(AppError::from),
                    found => Ok(found),
                }
            })
        })
        .await
}

pub(super) fn label_row(r: &Register, row: &RegisterRow) -> LabelRow {
    LabelRow { id: row.id.clone(), code: row.text(&r.key).to_owned(), name: shorten(row.text(&r.name), 60) }
}

#[boxed]
impl Office {
    /// The rows of a list, to be ticked for labels.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown register.
    pub async fn labels_form(
        &self,
        who: &Identity,
        id: &str,
        query: &ListQuery,
    ) -> Result<LabelsForm, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        let mut rows = self.rows_seen(&me, r, query, MOST_LABELS + 1).await?;
        rows.iter_mut().for_each(|row| hide_cells(&me, r, row));
        Ok(LabelsForm {
            register: r.id.clone(),
            title: r.title.clone(),
            more: rows.len() > MOST_LABELS,
            rows: rows.iter().take(MOST_LABELS).map(|row| label_row(r, row)).collect(),
        })
    }

    /// Labels of rows that this person sees, as a PDF with its file name. `site` is the address that the codes begin with; `skip` leaves
    /// the first labels of the sheet blank.
    ///
    /// # Errors
    /// A field error when no row was chosen that this person sees, or too many.
    pub async fn labels_pdf(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        rows: &[String],
        skip: usize,
        site: &str,
    ) -> Result<(String, Vec<u8>), AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        if rows.len() > MOST_LABELS {
            return Err(AppError::field(
                "row",
                format!("一度に作れるのは{MOST_LABELS}枚までです。分けてください。"),
            ));
        }
        if !pack.forms.contains_key(FORM) {
            return Err(AppError::refused(
                "P006",
                "今使っている基準の版には、ラベルの様式（forms/labels.typ）がありません。パックに足してください。",
            ));
        }
        let (spec, viewer, wanted) = (table_spec(r), me.viewer().clone(), rows.to_vec());
        let mut found = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for id in &wanted {
                        found.extend(register::get(c, &spec, &viewer, id).await?);
                    }
                    Ok::<_, AppError>(found)
                })
            })
            .await?;
        if found.is_empty() {
            return Err(AppError::field("row", "ラベルを作るものにチェックを付けてください。"));
        }
        found.iter_mut().for_each(|row| hide_cells(&me, r, row));
        let mut labels = Vec::new();
        for row in &found {
            let l = label_row(r, row);
            let code = Symbol::of(&format!("{site}/r/{}/{}", r.id, row.id))?;
            labels.push(json!({"code": l.code, "name": l.name, "qr": code.svg()}));
        }
        let data = json!({
            "document_date": self.clock.today(), "body": self.body_title(), "register": r.title, "skip": skip.min(SHEET - 1), "labels": labels,
        });
        let request = RenderRequest { templates: pack.forms.clone(), main: FORM.to_owned(), data };
        Ok((format!("{}_ラベル.pdf", r.title), self.render(request).await?))
    }
}
