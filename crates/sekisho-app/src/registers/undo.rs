//! Undoing an import, as one act: rows go back to what they were before it, and rows it added go away, wherever nothing came
//! after the import. What has a later edit, a case or a copy stays as it is and is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_pack::model::{Pack, Register};
use sekisho_store::case::{self, CaseFilter};
use sekisho_store::import::{self, ImportRow, Undone};
use sekisho_store::register::{self, ChangeRow, Filter, RegisterRow};
use sekisho_store::{Conn, Viewer};
use serde_json::json;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::record::{record, stream_of};
use crate::registers::row::{batch_payload, keep_rows, put_removal};
use crate::registers::{copies, table_spec};

/// Imports that the page shows.
const SHOWN: i64 = 50;

/// An import as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Id.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// File.
    pub file: String,
    /// 「追加 3件、変更 1件」.
    pub counts: String,
    /// Ledger entry.
    pub entry: String,
    /// When and by whom it was undone, and what stayed; empty while it was not.
    pub undone: String,
    /// Whether the viewer may undo it.
    pub may_undo: bool,
}

/// The page of a register's imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportsView {
    /// Register.
    pub register: String,
    /// Its name.
    pub title: String,
    /// Imports, the latest first.
    pub rows: Vec<ImportLine>,
}

/// What an undoing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoOutcome {
    /// Rows that are as before the import.
    pub restored: usize,
    /// Rows that the import had added.
    pub removed: usize,
    /// Rows that stayed: number and why.
    pub kept: Vec<(String, String)>,
}

fn may_undo(me: &Me, i: &ImportRow) -> bool {
    i.undone.is_none() && (i.person == me.person || me.administers())
}

#[boxed]
impl Office {
    /// A register's imports.
    ///
    /// # Errors
    /// Refused for whoever keeps no rows of it.
    pub async fn imports(&self, who: &Identity, register: &str) -> Result<ImportsView, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?;
        if !me.keeps_anything(r) {
            return Err(AppError::refused(
                "R001",
                format!("{}の取込みを見られるのは、台帳を管理する職の人だけです。", r.title),
            ));
        }
        let id = r.id.clone();
        let rows = self
            .store
            .read(move |c| Box::pin(async move { import::list(c, &id, SHOWN).await.map_err(AppError::from) }))
            .await?;
        let d = Arc::clone(me.directory());
        let line = |i: &ImportRow| ImportLine {
            id: i.id.clone(),
            at: i.at.short(),
            by: d.person_name(&i.person).to_owned(),
            file: i.file.clone(),
            counts: format!("追加 {}件、変更 {}件", i.added, i.changed),
            entry: i.entry.clone(),
            undone: i.undone.as_ref().map(|u| undone_words(u, d.person_name(&u.by))).unwrap_or_default(),
            may_undo: may_undo(&me, i),
        };
        Ok(ImportsView {
            register: r.id.clone(),
            title: r.title.clone(),
            rows: rows.iter().map(line).collect(),
        })
    }

    /// Undoes an import.
    ///
    /// # Errors
    /// Refused for others than who imported and who runs the system, and when it was undone before.
    pub async fn undo_import(
        self: &Arc<Self>,
        who: &Identity,
        register: &str,
        id: &str,
    ) -> Result<UndoOutcome, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?.clone();
        let (office, id) = (Arc::clone(self), id.to_owned());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let found = import::get(c, &r.id, &id).await?.ok_or(AppError::NotFound)?;
                    if found.undone.is_some() {
                        return Err(AppError::refused("X006", "この取込みは、もう取り消されています。"));
                    }
                    if !may_undo(&me, &found) {
                        return Err(AppError::refused(
                            "X005",
                            "取込みを取り消せるのは、取り込んだ人と、情報システム管理者とその担当者だけです。",
                        ));
                    }
                    Undo { office: &office, pack: &pack, r: &r, me: &me }.run(c, &found).await
                })
            })
            .await
    }
}

fn undone_words(u: &Undone, by: &str) -> String {
    let kept = if u.kept > 0 { format!("（{}件はそのまま）", u.kept) } else { String::new() };
    format!("{} {by}が取消し{kept}", u.at.short())
}

struct Undo<'a> {
    office: &'a Office,
    pack: &'a Arc<Pack>,
    r: &'a Register,
    me: &'a Me,
}

/// What becomes of one row.
enum Fate {
    Restore(Box<(Option<RegisterRow>, RegisterRow)>),
    Remove(RegisterRow),
    Keep(String, &'static str),
}

impl Undo<'_> {
    async fn run(&self, c: &mut Conn<'_>, found: &ImportRow) -> Result<UndoOutcome, AppError> {
        let (office, r) = (self.office, self.r);
        let now = office.clock.now();
        let mut outcome = UndoOutcome::default();
        let (mut restored, mut removed) = (Vec::new(), Vec::new());
        for change in register::changes_of(c, &r.id, &format!("import {}", found.id)).await? {
            match self.fate(c, &change).await? {
                Fate::Restore(pair) => restored.push(*pair),
                Fate::Remove(row) => removed.push(row),
                Fate::Keep(key, why) => outcome.kept.push((key, why.to_owned())),
            }
        }
        (outcome.restored, outcome.removed) = (restored.len(), removed.len());
        if restored.is_empty() && removed.is_empty() {
            return Err(AppError::refused(
                "X007",
                "取り消せる行がありません。取り込んだ後に、すべての行が直されたか、使われています。",
            ));
        }
        let mut payload = batch_payload(r, &restored, &self.me.person, now);
        let gone: BTreeMap<&str, i64> = removed.iter().map(|row| (row.id.as_str(), row.version)).collect();
        payload.insert("import".to_owned(), json!(found.id));
        payload.insert("removed".to_owned(), json!(gone));
        let stream = stream_of(&found.id)?;
        let entry =
            record(c, office.seal()?, &stream, "register.import_undone", &json!(payload), now).await?;
        let cause = format!("undo {}", found.id);
        for row in &removed {
            put_removal(c, office, r, row, (&self.me.person, &cause, &entry), now).await?;
        }
        keep_rows(c, office, r, &restored, &self.me.person, &cause, &entry).await?;
        let kept = i64::try_from(outcome.kept.len()).unwrap_or(i64::MAX);
        let undone = Undone { at: now, by: self.me.person.clone(), kept, entry };
        import::undo(c, &found.id, &undone).await?;
        Ok(outcome)
    }

    async fn fate(&self, c: &mut Conn<'_>, change: &ChangeRow) -> Result<Fate, AppError> {
        let r = self.r;
        let everyone = Viewer::whole_body(&self.me.person);
        let read = |text: &Option<String>| -> Option<BTreeMap<String, Value>> {
            text.as_deref().and_then(|t| serde_json::from_str(t).ok())
        };
        let after = read(&change.after).unwrap_or_default();
        let key = |values: &BTreeMap<String, Value>| {
            values.get(&r.key).and_then(Value::as_text).unwrap_or_default().to_owned()
        };
        let Some(now) = register::get(c, &table_spec(r), &everyone, &change.row_id).await? else {
            return Ok(Fate::Keep(key(&after), "もう台帳にありません"));
        };
        let number = key(&now.values);
        if now.version != change.seq {
            return Ok(Fate::Keep(number, "取り込んだ後に直されています"));
        }
        if !self.me.keeps(r, now.text(&r.owner)) {
            return Ok(Fate::Keep(number, "あなたは所管課の管理者ではありません"));
        }
        if change.before.is_none() {
            let used = self.used(c, &everyone, &now.id, &number).await?;
            return Ok(used.map_or(Fate::Remove(now), |why| Fate::Keep(number, why)));
        }
        let Some(mut values) = read(&change.before) else {
            return Ok(Fate::Keep(number, "前の内容が消去されています"));
        };
        let owner = values.get(&r.owner).and_then(Value::as_text).unwrap_or_default();
        if !self.me.keeps(r, owner) {
            return Ok(Fate::Keep(number, "前の所管課の管理者ではありません"));
        }
        // The original may have risen since: a copy never goes below it.
        if !copies::complete(c, self.pack, &everyone, r, Some(&now), &mut values).await?.is_empty() {
            return Ok(Fate::Keep(number, "写しの元の分類が上がっています"));
        }
        let back = RegisterRow {
            id: now.id.clone(),
            version: now.version + 1,
            updated_at: self.office.clock.now(),
            values,
        };
        Ok(Fate::Restore(Box::new((Some(now), back))))
    }

    /// Why an added row cannot go away: a case or a copy names it.
    async fn used(
        &self,
        c: &mut Conn<'_>,
        everyone: &Viewer,
        id: &str,
        number: &str,
    ) -> Result<Option<&'static str>, AppError> {
        let filter = CaseFilter { item: Some((self.r.id.clone(), id.to_owned())), ..CaseFilter::default() };
        if !case::list(c, everyone, &filter, 0, 1).await?.0.is_empty() {
            return Ok(Some("申請で使われています"));
        }
        for other in self.pack.registers.values() {
            let Some((column, _)) = other.original().filter(|(_, of)| *of == self.r.id) else { continue };
            let equals = vec![(column.to_owned(), number.to_owned())];
            let filter = Filter { equals, ..Filter::default() };
            if !register::list(c, &table_spec(other), everyone, &filter, 0, 1).await?.0.is_empty() {
                return Ok(Some("写しの元になっています"));
            }
        }
        Ok(None)
    }
}
