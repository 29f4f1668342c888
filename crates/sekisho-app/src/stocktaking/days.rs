//! The days of a stocktaking in the register: where the pack names a column for them (`confirmed_on`), what was found gets its day there. A row is
//! changed by nobody but those who keep it (`docs/decisions/0033-days-of-a-stocktaking-and-keys.md`): their own confirmations at once, those of the others
//! when one of them enters the days.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_pack::model::Register;
use sekisho_store::register::{self, RegisterRow};
use sekisho_store::stocktaking::{self as rows, SeenRow};
use sekisho_store::{Conn, Viewer};
use serde_json::json;

use super::things;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::record::{record, stream_of};
use crate::registers::{batch_payload, keep_row, keep_rows, table_spec};

/// Rows that get their day by one press.
const AT_ONCE: usize = 500;
/// By which way the rows changed.
const CAUSE: &str = "stocktaking";

/// How the days of confirmation come into the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaysNote {
    /// The column that takes them.
    pub label: String,
    /// Whether this person's own confirmations are entered at once.
    pub at_once: bool,
    /// Things that were found and whose row does not say so yet, as far as this person keeps them.
    pub waiting: usize,
}

/// The column that takes the day, with its name.
fn column(r: &Register) -> Option<(&str, &str)> {
    let id = r.confirmed_on.as_deref()?;
    r.columns.iter().find(|c| c.id == id).map(|c| (id, c.label.as_str()))
}

/// A row with its day, when it does not have this one or a later one already. A thing may have been looked at since by another way.
fn dated(row: &RegisterRow, column: &str, seen: &SeenRow) -> Option<RegisterRow> {
    let day = seen.at.date().to_string();
    // Dates are stored as ISO text, whose order is that of the days.
    if row.text(column) >= day.as_str() {
        return None;
    }
    let mut values = row.values.clone();
    values.insert(column.to_owned(), Value::Text(day));
    Some(RegisterRow { id: row.id.clone(), version: row.version + 1, updated_at: row.updated_at, values })
}

/// Rows of things that were found and whose row does not say so, as far as this person keeps them: as they are and as they become.
fn waiting(
    me: &Me,
    r: &Register,
    there: &[RegisterRow],
    found: &[SeenRow],
) -> Vec<(Option<RegisterRow>, RegisterRow)> {
    let Some((column, _)) = column(r) else { return vec![] };
    let by_id: BTreeMap<&str, &RegisterRow> = there.iter().map(|row| (row.id.as_str(), row)).collect();
    let kept = |x: &SeenRow| {
        let row = by_id.get(x.row_id.as_str()).filter(|row| me.keeps(r, row.text(&r.owner)))?;
        Some((Some((*row).clone()), dated(row, column, x)?))
    };
    found.iter().filter_map(kept).collect()
}

/// What the page says of the days; nothing where the pack names no column for them.
pub(super) fn note(
    me: &Me,
    r: &Register,
    unit: &str,
    there: &[RegisterRow],
    found: &[SeenRow],
) -> Option<DaysNote> {
    let (_, label) = column(r)?;
    let waiting = waiting(me, r, there, found).len();
    Some(DaysNote { label: label.to_owned(), at_once: me.keeps(r, unit), waiting })
}

/// Writes the day of a thing that was just found, as the row stands now, when whoever found it keeps it.
pub(super) async fn enter(
    c: &mut Conn<'_>,
    office: &Office,
    (me, r): (&Me, &Register),
    units: &Viewer,
    seen: &SeenRow,
) -> Result<(), AppError> {
    let Some((column, _)) = column(r) else { return Ok(()) };
    let Some(row) = register::get(c, &table_spec(r), units, &seen.row_id).await? else {
        let says = "この所属の行でなくなりました。画面を開き直して確かめてください。";
        return Err(AppError::field("code", says));
    };
    if !me.keeps(r, row.text(&r.owner)) {
        return Ok(());
    }
    match dated(&row, column, seen) {
        None => Ok(()),
        Some(after) => {
            let after = RegisterRow { updated_at: seen.at, ..after };
            keep_row(c, office, r, Some(&row), &after, &me.person, CAUSE).await
        }
    }
}

#[boxed]
impl Office {
    /// Enters the days of what others have found into the rows that this person keeps, [`AT_ONCE`] of them. Returns how many.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see the stocktaking or the pack names no column; refused to whoever does not keep the
    /// register; a field error when there is nothing to enter.
    pub async fn enter_days(self: &Arc<Self>, who: &Identity, id: &str) -> Result<usize, AppError> {
        let s = self.stocktaking_row(who, id).await?;
        let r = s.register()?.clone();
        if column(&r).is_none() {
            return Err(AppError::NotFound);
        }
        if !s.me.keeps_anything(&r) {
            return Err(AppError::refused(
                "S004",
                "確認した日を台帳に入れられるのは、台帳を記入する役割の人です。",
            ));
        }
        let (now, seal, stream) = (self.clock.now(), self.seal()?, stream_of(&s.row.id)?);
        let (me, units, office, id) = (s.me, s.units, Arc::clone(self), s.row.id);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let (there, found) = (things(c, &r, &units).await?, rows::seen(c, &id).await?);
                    let mut rows = waiting(&me, &r, &there, &found);
                    rows.truncate(AT_ONCE);
                    rows.iter_mut().for_each(|(_, after)| after.updated_at = now);
                    if rows.is_empty() {
                        return Err(AppError::field("days", "台帳に入れる日はありません。"));
                    }
                    let mut payload = batch_payload(&r, &rows, &me.person, now);
                    payload.insert("stocktaking".to_owned(), json!(id));
                    let entry =
                        record(c, seal, &stream, "register.stocktaking", &json!(payload), now).await?;
                    keep_rows(c, &office, &r, &rows, &me.person, CAUSE, &entry).await?;
                    Ok(rows.len())
                })
            })
            .await
    }
}
