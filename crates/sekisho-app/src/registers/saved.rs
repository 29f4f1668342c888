//! Saved views of a register's list. They hold what was asked, never what was seen: whoever opens one sees what they may see.

use sekisho_boxed::boxed;
use sekisho_store::ledger;
use sekisho_store::register_view::{self, ViewRow};
use serde_json::json;

use super::ListQuery;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::record::record;

/// Longest name, in characters.
const NAME: usize = 40;
/// Views of one register that somebody may have.
const VIEWS: i64 = 30;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it asks.
    pub query: ListQuery,
    /// It is for the viewer's whole section.
    pub shared: bool,
    /// The viewer may take it away.
    pub may_forget: bool,
}

#[boxed]
impl Office {
    /// The section whose views somebody sees.
    async fn view_section(&self, me: &Me) -> Result<String, AppError> {
        let d = self.directory().await?;
        let section = d.nearest(me.unit(), &["section", "branch"]).map(|u| u.code.clone());
        Ok(section.unwrap_or_else(|| me.unit().to_owned()))
    }

    async fn view_rows(&self, me: &Me, register: &str) -> Result<(String, Vec<ViewRow>), AppError> {
        if !self.pack().registers.contains_key(register) {
            return Err(AppError::NotFound);
        }
        let unit = self.view_section(me).await?;
        let (register, person, section) = (register.to_owned(), me.person.clone(), unit.clone());
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    register_view::list(c, &register, &person, &section, 2 * VIEWS)
                        .await
                        .map_err(AppError::from)
                })
            })
            .await?;
        Ok((unit, rows))
    }

    fn may_forget_view(&self, me: &Me, v: &ViewRow) -> bool {
        let keeps = self.pack().registers.get(&v.register).is_some_and(|r| me.keeps(r, &v.unit));
        v.person == me.person || (!v.unit.is_empty() && keeps)
    }

    /// Views of a register: one's own, and those of one's section.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown register.
    pub async fn register_views(&self, who: &Identity, register: &str) -> Result<Vec<SavedView>, AppError> {
        let me = self.me(who).await?;
        let (_, rows) = self.view_rows(&me, register).await?;
        rows.into_iter()
            .map(|v| {
                Ok(SavedView {
                    query: serde_json::from_str(&v.query).map_err(AppError::internal)?,
                    shared: !v.unit.is_empty(),
                    may_forget: self.may_forget_view(&me, &v),
                    id: v.id,
                    name: v.name,
                })
            })
            .collect()
    }

    /// Saves what a list was asked for under a name, for oneself or for one's section.
    ///
    /// # Errors
    /// The field `view` when the name cannot be taken; [`AppError::NotFound`] for an unknown register.
    pub async fn save_register_view(
        &self,
        who: &Identity,
        register: &str,
        name: &str,
        query: &ListQuery,
        shared: bool,
    ) -> Result<(), AppError> {
        let me = self.me(who).await?;
        let (unit, rows) = self.view_rows(&me, register).await?;
        let unit = if shared { unit } else { String::new() };
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(AppError::field("view", "見方の名前を40文字以内で入力してください。"));
        }
        if rows.iter().any(|v| v.name == name && v.unit == unit) {
            return Err(AppError::field(
                "view",
                "同じ名前の見方があります。別の名前にするか、先に消してください。",
            ));
        }
        let mine = rows.iter().filter(|v| v.person == me.person).count();
        if i64::try_from(mine).unwrap_or(i64::MAX) >= VIEWS {
            return Err(AppError::field(
                "view",
                "保存できる見方は30までです。使わないものを消してください。",
            ));
        }
        let id = self.new_id()?;
        let row = ViewRow {
            id: id.to_string(),
            register: register.to_owned(),
            person: me.person,
            unit,
            name: name.to_owned(),
            query: serde_json::to_string(&ListQuery { page: 1, ..query.clone() })
                .map_err(AppError::internal)?,
            created_at: self.clock.now(),
        };
        self.keep_view(row, "register.view_saved", true).await
    }

    /// Takes a view away: the own one, or one of the section whose rows one keeps.
    ///
    /// # Errors
    /// Refused for others; [`AppError::NotFound`] for a view that one does not see.
    pub async fn forget_register_view(
        &self,
        who: &Identity,
        register: &str,
        id: &str,
    ) -> Result<(), AppError> {
        let me = self.me(who).await?;
        let (_, rows) = self.view_rows(&me, register).await?;
        let row = rows.into_iter().find(|v| v.id == id).ok_or(AppError::NotFound)?;
        if !self.may_forget_view(&me, &row) {
            return Err(AppError::refused(
                "R020",
                "課の見方を消せるのは、保存した人と、台帳を管理する職の人だけです。",
            ));
        }
        self.keep_view(ViewRow { person: me.person, ..row }, "register.view_forgotten", false).await
    }

    /// Writes or takes away; what others see too is recorded.
    async fn keep_view(&self, row: ViewRow, kind: &'static str, put: bool) -> Result<(), AppError> {
        let (now, seal) = (self.clock.now(), self.seal()?);
        let stream = ledger::stream_id(row.id.parse().map_err(AppError::internal)?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    if put {
                        register_view::put(c, &row).await?;
                    } else {
                        register_view::forget(c, &row.id).await?;
                    }
                    if !row.unit.is_empty() {
                        let payload = json!({"register": row.register, "unit": row.unit, "view": row.id, "name": row.name, "by": row.person, "at": now});
                        record(c, seal, &stream, kind, &payload, now).await?;
                    }
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}
