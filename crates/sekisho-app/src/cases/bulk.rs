//! Changing the class of many things by one case (一括分類変更): naming them, the dry run, applying, and what the case's page shows of it.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::limits::BULK_ITEMS;
use sekisho_base::text::{normalize_code, shorten};
use sekisho_boxed::boxed;
use sekisho_case::case::{CaseState, Item};
use sekisho_pack::model::{FieldType, Pack, Procedure, Register};
use sekisho_store::case::ActRow;
use sekisho_store::{once, register};
use serde::Serialize;

use crate::cases::apply::{ONCE, field_view, form_key, typed_values};
use crate::cases::items::items_named;
use crate::cases::view::{PostChoice, Typed};
use crate::cases::writes::moved_meanwhile;
use crate::error::{AppError, FieldError};
use crate::exchange::{Grid, read_grid};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::{FieldView, ListQuery, list_filter, table_spec};

use plan::{Asked, affected, class_after, copies_of, outcome_changes, plan};
pub(super) use plan::{class_after_text, class_change};

type Class = BTreeMap<String, String>;
type Fields = BTreeMap<String, serde_json::Value>;

/// Name of the form field with the numbers, one a line.
pub const NUMBERS: &str = "numbers";
/// Cases named on a page.
const SHOWN_CASES: usize = 50;

/// The form.
#[derive(Debug, Clone)]
pub struct BulkForm {
    /// Procedure id.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// Posts to apply from.
    pub posts: Vec<PostChoice>,
    /// The one chosen.
    pub post: String,
    /// New class and reason.
    pub fields: Vec<FieldView>,
    /// Label of the things.
    pub label: String,
    /// Numbers typed, pasted or taken over from a list, one a line.
    pub numbers: String,
    /// Marks this showing of the form, so that a second sending of the same is no second application.
    pub once: String,
}

/// What would become of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRow {
    /// `register/row`; empty when there is no such row.
    pub key: String,
    /// 管理番号, or what was typed.
    pub number: String,
    /// Name.
    pub name: String,
    /// Owner.
    pub section: String,
    /// Class now.
    pub before: String,
    /// Class afterwards.
    pub after: String,
    /// Why it cannot change, or that it does not; empty when it changes.
    pub why: String,
    /// Whether it cannot change.
    pub refused: bool,
}

/// A case that holds a thing whose class changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AffectedCase {
    /// Case.
    pub id: String,
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// Status.
    pub status: &'static str,
    /// Style class of the status.
    pub status_class: &'static str,
    /// Numbers of the things it holds.
    pub items: String,
}

/// An act whose handling would be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeChange {
    /// Act.
    pub act: String,
    /// Answer before.
    pub before: &'static str,
    /// Answer afterwards.
    pub after: &'static str,
    /// For how many rows.
    pub rows: usize,
}

/// What a change touches besides the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct BulkNotes {
    /// Things that stay as they are because they changed after the application.
    pub skipped: Vec<String>,
    /// Cases under way that hold one of the things.
    pub affected: Vec<AffectedCase>,
    /// How many more there are that this person does not see, or that are not named.
    pub hidden: usize,
    /// Acts whose handling would be another.
    pub outcomes: Vec<OutcomeChange>,
    /// Copies that would follow.
    pub copies: usize,
}

/// The dry run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkPlan {
    /// Row by row, those that cannot change first.
    pub rows: Vec<BulkRow>,
    /// How many change.
    pub changed: usize,
    /// How many stay.
    pub same: usize,
    /// How many cannot.
    pub refused: usize,
    /// What it touches.
    pub notes: BulkNotes,
    /// What was shown: number and class now of every row that changes. The application carries out nothing else.
    pub shown: String,
}

/// One name a line, comma or tab; each once.
fn names(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    text.split(['\n', '\r', ',', '、', '\t', '，'])
        .map(normalize_code)
        .filter(|n| !n.is_empty() && seen.insert(n.clone()))
        .take(BULK_ITEMS + 1)
        .collect()
}

/// The numbers of a sheet: of the column with a register's key label, else of the first column.
fn numbers_of(grid: &Grid, labels: &[&str]) -> Vec<String> {
    let head = grid.rows.iter().enumerate().find_map(|(at, row)| {
        let column = row.iter().position(|cell| labels.contains(&cell.text().trim()))?;
        Some((at + 1, column))
    });
    let (from, column) = head.unwrap_or((0, 0));
    let cells = (from..grid.rows.len()).map(|row| normalize_code(&grid.cell(row, column).text()));
    cells.filter(|n| !n.is_empty()).take(BULK_ITEMS + 1).collect()
}

/// The field with the things, and the registers they come from.
fn items_field(procedure: &Procedure) -> Result<(&str, &str, &[String]), AppError> {
    let found = procedure.fields.iter().find_map(|f| match &f.kind {
        FieldType::Items(registers) => Some((f.id.as_str(), f.label.as_str(), registers.as_slice())),
        _ => None,
    });
    found.filter(|_| procedure.changes_classes()).ok_or(AppError::NotFound)
}

/// Rows whose class is not what was shown, or that were not shown.
fn differences(shown: &str, now: &str) -> Vec<String> {
    let read = |text: &str| -> BTreeMap<String, String> {
        let pairs = text.lines().filter_map(|l| l.rsplit_once(':'));
        pairs.map(|(number, class)| (number.trim().to_owned(), class.trim().to_owned())).collect()
    };
    let (old, new) = (read(shown), read(now));
    let numbers: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |n: &&&String| old.get(**n) != new.get(**n);
    let word = |class: Option<&String>| class.map_or("対象外", String::as_str).to_owned();
    numbers
        .iter()
        .filter(differs)
        .map(|n| format!("{n}（{} → {}）", word(old.get(*n)), word(new.get(*n))))
        .collect()
}

#[boxed]
impl Office {
    /// Whether a procedure changes classes and so has a form with a dry run.
    #[must_use]
    pub fn is_bulk(&self, procedure: &str) -> bool {
        self.pack().procedures.get(procedure).is_some_and(Procedure::changes_classes)
    }

    /// The form, empty or with what was typed. `from` is a list of a register whose numbers are taken over.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a procedure that changes no classes.
    pub async fn bulk_form(
        &self,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
        from: Option<(&str, &ListQuery)>,
    ) -> Result<BulkForm, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let (_, label, registers) = items_field(p)?;
        let posts = self.posts_of(&me).await?;
        let known = posts.iter().any(|c| c.code == typed.post);
        let first = posts.first().map(|c| c.code.clone()).unwrap_or_default();
        let mut numbers = typed.first(NUMBERS).to_owned();
        if let Some((r, query)) = from
            .filter(|(id, _)| registers.iter().any(|r| r == id))
            .and_then(|(id, query)| Some((pack.registers.get(id)?, query)))
        {
            let (spec, filter, viewer) = (table_spec(r), list_filter(r, query), me.viewer().clone());
            let (key, limit) = (r.key.clone(), i64::try_from(BULK_ITEMS).unwrap_or(i64::MAX));
            let rows = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        register::list(c, &spec, &viewer, &filter, 0, limit).await.map_err(AppError::from)
                    })
                })
                .await?
                .0;
            numbers = rows.iter().map(|row| row.text(&key)).collect::<Vec<_>>().join("\n");
        }
        let fields = p.fields.iter().filter(|f| !matches!(f.kind, FieldType::Items(_)));
        Ok(BulkForm {
            procedure: p.id.clone(),
            title: p.title.clone(),
            post: if known { typed.post.clone() } else { first },
            posts,
            fields: fields.map(|f| field_view(f, typed.first(&f.id).to_owned(), "")).collect(),
            label: label.to_owned(),
            numbers,
            once: match typed.first(ONCE) {
                "" => self.new_id()?.to_string(),
                kept => kept.to_owned(),
            },
        })
    }

    /// The numbers of things chosen elsewhere by `register/row`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bulk_numbers_of(
        &self,
        who: &Identity,
        procedure: &str,
        keys: &[String],
    ) -> Result<String, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let registers = items_field(p)?.2.to_vec();
        let (inner, viewer, keys) = (Arc::clone(&pack), me.viewer().clone(), keys.to_vec());
        let (items, _) = self
            .store
            .read(move |c| {
                Box::pin(async move { items_named(c, &inner, &viewer, "", &registers, &keys).await })
            })
            .await?;
        Ok(items.iter().map(|i| i.number.as_str()).collect::<Vec<_>>().join("\n"))
    }

    /// The numbers in a file, below those typed.
    ///
    /// # Errors
    /// Refused when the file is no table.
    pub async fn bulk_numbers(
        &self,
        procedure: &str,
        file: Vec<u8>,
        typed: &str,
    ) -> Result<String, AppError> {
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let (_, _, registers) = items_field(p)?;
        let label = |r: &Register| r.columns.iter().find(|c| c.id == r.key).map(|c| c.label.clone());
        let labels: Vec<String> =
            registers.iter().filter_map(|id| pack.registers.get(id).and_then(label)).collect();
        let read = move || {
            let grid = read_grid(&file).map_err(|e| AppError::field(NUMBERS, e.to_string()))?;
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            Ok::<_, AppError>(numbers_of(&grid, &labels))
        };
        let numbers = tokio::task::spawn_blocking(read).await.map_err(AppError::internal)??;
        let mut all = names(typed);
        all.extend(numbers);
        Ok(all.join("\n"))
    }

    /// The dry run: nothing is written.
    ///
    /// # Errors
    /// Fields that cannot be read, no number, or too many.
    pub async fn bulk_plan(
        &self,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
    ) -> Result<BulkPlan, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        items_field(p)?;
        let names = names(typed.first(NUMBERS));
        let mut wrong = Vec::new();
        if names.is_empty() || names.len() > BULK_ITEMS {
            let message = if names.is_empty() {
                "管理番号を1行に1つずつ入れてください。".to_owned()
            } else {
                format!("一度に変えられるのは{BULK_ITEMS}件までです。分けて申請してください。")
            };
            wrong.push(FieldError { field: NUMBERS.to_owned(), message });
        }
        let fields = typed_values(&p.fields, &typed.values, "").unwrap_or_else(|e| {
            if let AppError::Invalid(more) = e {
                wrong.extend(more);
            }
            BTreeMap::new()
        });
        if wrong.is_empty() && p.class_fields().all(|(_, f)| !fields.contains_key(f)) {
            let field = p.class_fields().next().map_or("", |(_, f)| f).to_owned();
            wrong.push(FieldError {
                field, message: "新しい分類を一つは選んでください。".to_owned()
            });
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let asked = Asked {
            procedure: p.clone(),
            directory: self.directory().await?,
            viewer: me.viewer().clone(),
            fields,
            names,
            today: self.clock.today(),
            pack,
        };
        self.store.read(move |c| Box::pin(async move { plan(c, &asked).await })).await
    }

    /// Applies for the rows that can change, as they were shown. Returns the case's id.
    ///
    /// # Errors
    /// Rows whose class changed since they were shown are named; otherwise as for any application.
    pub async fn bulk_apply(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
        shown: &str,
    ) -> Result<String, AppError> {
        let (person, form, of) = (who.person.clone(), typed.clone(), procedure.to_owned());
        let (key, before) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let key = form_key(c, &person, &of, &form).await?;
                    let before = match &key {
                        Some(key) => once::done(c, key).await?,
                        None => None,
                    };
                    Ok::<_, AppError>((key, before))
                })
            })
            .await?;
        // The form came before: what it asked for is under way, and would be refused by now.
        if let Some(before) = before {
            return Ok(before);
        }
        let plan = self.bulk_plan(who, procedure, typed).await?;
        let other = differences(shown, &plan.shown);
        if !other.is_empty() {
            let named = shorten(&other.join("、"), 1_000);
            let message = format!(
                "確かめた後に、次のものの今の分類が変わりました：{named}。下の内容を確かめて、もう一度申請してください。"
            );
            return Err(AppError::field(NUMBERS, message));
        }
        if plan.changed == 0 {
            return Err(AppError::field(NUMBERS, "分類が変わるものが一つもありません。"));
        }
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let (field, _, _) = items_field(p)?;
        let mut typed = typed.clone();
        let changing = plan.rows.into_iter().filter(|r| !r.refused && r.why.is_empty());
        typed.values.insert(field.to_owned(), changing.map(|r| r.key).collect());
        self.apply_once(who, procedure, &typed, key).await
    }

    /// What a bulk change leaves alone and touches, for its case's page; nothing for other cases.
    pub(super) async fn bulk_notes(
        &self,
        me: &Me,
        pack: &Arc<Pack>,
        p: &Procedure,
        state: &CaseState,
        acts: &[ActRow],
    ) -> Result<Option<BulkNotes>, AppError> {
        if !p.changes_classes() {
            return Ok(None);
        }
        let moved = moved_meanwhile(acts)?;
        let of = |i: &Item| format!("{} {}", i.number, i.name);
        let skipped: Vec<String> =
            state.content.items.iter().filter(|i| moved.contains(&i.key())).map(of).collect();
        if state.status.ended() {
            return Ok(Some(BulkNotes { skipped, ..BulkNotes::default() }));
        }
        let (pack, p, items) = (Arc::clone(pack), p.clone(), state.content.items.clone());
        let (fields, own, viewer) = (state.content.fields.clone(), state.id.clone(), me.viewer().clone());
        let today = self.clock.today();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let staying = items.iter().filter(|i| !moved.contains(&i.key()));
                    let changes: Vec<(&Item, Class)> = staying
                        .filter_map(|i| {
                            let r = pack.registers.get(&i.register)?;
                            Some((i, class_after(&pack, &p, &fields, r, &i.snapshot.class)))
                        })
                        .collect();
                    let (affected, hidden) = affected(c, &viewer, &changes, &own).await?;
                    let outcomes = outcome_changes(&pack, &changes, today);
                    let copies = copies_of(c, &pack, &changes).await?;
                    Ok::<_, AppError>(Some(BulkNotes { skipped, affected, hidden, outcomes, copies }))
                })
            })
            .await
    }
}
