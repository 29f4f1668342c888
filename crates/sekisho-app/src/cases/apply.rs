//! The application form: fields and items of a procedure, drafts, applying.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::canonical::content_hash;
use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_case::case::Item;
use sekisho_case::handling::{HandlingFacts, Note, decide_handling};
use sekisho_case::refusal::Refusal;
use sekisho_pack::model::{Field, FieldType, Pack, Procedure};
use sekisho_pack::words::Words;
use sekisho_store::case::{self, DraftRow};
use sekisho_store::{Conn, attachment, once};
use serde_json::json;

use crate::cases::items::{FIRST, FOUND, find_items, items_by_key};
use crate::cases::view::{AheadLine, ApplyForm, Explained, FormPart, ItemLine, ItemsPart, PostChoice, Typed};
use crate::cases::{attach, related};
use crate::clauses::clause_number;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::{FieldView, choices, class_text};

/// Form field that marks one showing of the form.
pub(super) const ONCE: &str = "once";
/// For how long a form that comes again is known, in milliseconds.
const ONCE_MS: i64 = 7 * 24 * 3_600_000;

/// A refusal of the engine as an answer of the application.
pub(super) fn refused(r: Refusal, prefix: &str) -> AppError {
    if r.fields.is_empty() {
        return AppError::Refused { code: r.code.code(), message: r.message };
    }
    AppError::Invalid(
        r.fields
            .into_iter()
            .map(|f| FieldError { field: format!("{prefix}{}", f.field), message: f.message })
            .collect(),
    )
}

/// A field with what was typed.
pub(crate) fn field_view(f: &Field, value: String, prefix: &str) -> FieldView {
    let (kind, hint) = match f.kind {
        FieldType::Text | FieldType::Items(_) => ("text", ""),
        FieldType::Row(_) => ("text", "台帳の管理番号を入れます。"),
        FieldType::Clauses => ("text", "条項を読点で区切って入れます。例：第5章第1節(1)③(イ)、6.1.10.2"),
        FieldType::File => ("file", ""),
        FieldType::LongText => ("long_text", ""),
        FieldType::Date => ("date", "例：R8.7.1、令和8年7月1日、2026/7/1"),
        FieldType::Integer => ("integer", ""),
        FieldType::Bool => ("bool", ""),
        FieldType::Choice => ("choice", ""),
    };
    let mut help = match (&f.help, hint) {
        (Some(help), "") => help.clone(),
        (Some(help), hint) => format!("{help}（{hint}）"),
        (None, hint) => hint.to_owned(),
    };
    if f.required_when.is_some() && !f.required {
        help.push_str("ほかの欄や選んだものによって、必須になります。");
    }
    FieldView {
        name: format!("{prefix}{}", f.id),
        label: f.label.clone(),
        help,
        kind,
        required: f.required,
        value,
        choices: choices(&f.choices),
    }
}

/// What was typed into a field, as a value; what cannot be read stays as text with its fault.
pub(super) fn typed_value(f: &Field, typed: &str) -> Result<serde_json::Value, String> {
    let text = typed.trim();
    Ok(match f.kind {
        FieldType::Bool => json!(text == "1"),
        _ if text.is_empty() => serde_json::Value::Null,
        FieldType::Row(_) => json!(normalize_code(text)),
        FieldType::Clauses => json!(
            text.replace("基本方針 ", "基本方針")
                .split(['、', ',', '，', ' ', '　', '\n'])
                .map(clause_number)
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>()
        ),
        FieldType::Date => json!(Date::parse_japanese(text).map_err(|e| e.to_string())?),
        FieldType::Integer => json!(
            normalize_code(text)
                .replace(',', "")
                .parse::<i64>()
                .map_err(|_| format!("「{text}」は整数ではありません。"))?
        ),
        _ => json!(text),
    })
}

/// Every field's value, or what cannot be read.
pub(crate) fn typed_values(
    fields: &[Field],
    typed: &BTreeMap<String, Vec<String>>,
    prefix: &str,
) -> Result<BTreeMap<String, serde_json::Value>, AppError> {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for f in fields.iter().filter(|f| !matches!(f.kind, FieldType::Items(_))) {
        let name = format!("{prefix}{}", f.id);
        let text = typed.get(&name).and_then(|v| v.first()).map(String::as_str).unwrap_or_default();
        match typed_value(f, text) {
            Ok(serde_json::Value::Null) => {}
            Ok(v) => {
                values.insert(f.id.clone(), v);
            }
            Err(message) => {
                errors.push(FieldError { field: name, message: format!("「{}」：{message}", f.label) })
            }
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(AppError::Invalid(errors)) }
}

/// Under what an application is carried out once: by whom, from which showing of the form, and everything in it. Nothing for an application
/// that came without a form, like a program's. A form that was changed meanwhile is another application.
pub(super) async fn form_key(
    c: &mut Conn<'_>,
    person: &str,
    procedure: &str,
    typed: &Typed,
) -> Result<Option<String>, AppError> {
    if typed.first(ONCE).is_empty() {
        return Ok(None);
    }
    let mut values = typed.values.clone();
    values.retain(|name, _| !matches!(name.as_str(), "csrf" | attach::FIELD));
    // A file that is sent twice has two ids and the same bytes.
    let mut files = Vec::new();
    for id in typed.values.get(attach::FIELD).into_iter().flatten() {
        files.push(attachment::hash_of_own(c, person, id).await?);
    }
    let whole = json!({"person": person, "procedure": procedure, "form": values, "files": files});
    Ok(Some(content_hash(&whole)))
}

/// What is kept of a form as a draft.
pub(super) fn draft_body(typed: &Typed) -> String {
    let mut values = typed.values.clone();
    values.retain(|name, _| !matches!(name.as_str(), "csrf" | "do" | "draft" | ONCE));
    values.insert("post".to_owned(), vec![typed.post.clone()]);
    json!(values).to_string()
}

/// What was typed, from a draft.
pub(super) fn typed_of(row: &DraftRow) -> Result<Typed, AppError> {
    let values = serde_json::from_str(&row.body).map_err(AppError::internal)?;
    let typed = Typed { values, draft: row.id.clone(), ..Typed::default() };
    Ok(Typed { post: typed.first("post").to_owned(), ..typed })
}

#[boxed]
impl Office {
    fn item_line(&self, pack: &Pack, procedure: &Procedure, i: &Item) -> ItemLine {
        let mut line = ItemLine {
            key: i.key(),
            register: pack.registers.get(&i.register).map(|r| r.title.clone()).unwrap_or_default(),
            number: i.number.clone(),
            title: i.name.clone(),
            class: class_text(pack, &i.snapshot.class),
            safeguards: vec![],
            prohibited: vec![],
        };
        if let Some(act) = &procedure.handling {
            let asked =
                HandlingFacts { classes: vec![i.snapshot.class.clone()], facts: vec![i.snapshot.values()] };
            if let Some(h) = decide_handling(pack, act, &asked, self.clock.today()) {
                let explained = |n: Note| Explained::of(n.says, &n.clause);
                line.safeguards = h.safeguards.into_iter().map(explained).collect();
                line.prohibited = h.prohibitions.into_iter().map(explained).collect();
            }
        }
        line
    }

    /// An empty form, one filled from a draft, one with items chosen elsewhere (`register/row`), or one opened by a step of
    /// another case (`case/step`).
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown procedure or another person's draft.
    pub async fn apply_form(
        &self,
        who: &Identity,
        procedure: &str,
        draft: &str,
        items: &[String],
        parent: &str,
    ) -> Result<ApplyForm, AppError> {
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let mut typed = Typed::default();
        if !draft.is_empty() {
            let (person, id) = (who.person.clone(), draft.to_owned());
            let row = self
                .store
                .ask(move |c| {
                    Box::pin(async move { case::get_draft(c, &person, &id).await.map_err(AppError::from) })
                })
                .await?;
            let row = row.filter(|d| d.procedure == procedure).ok_or(AppError::NotFound)?;
            typed = typed_of(&row)?;
        } else {
            let fields = p.fields.iter().filter_map(|f| match &f.kind {
                FieldType::Items(registers) => Some((f, registers)),
                _ => None,
            });
            // Each goes into the first field that takes things of its register.
            let fields: Vec<_> = fields.collect();
            for item in items {
                let of = |registers: &[String]| registers.iter().any(|r| item.starts_with(&format!("{r}/")));
                if let Some((f, _)) = fields.iter().find(|(_, registers)| of(registers)) {
                    typed.values.entry(f.id.clone()).or_default().push(item.clone());
                }
            }
        }
        if !parent.is_empty() {
            typed.values.insert(related::FIELD.to_owned(), vec![parent.to_owned()]);
        }
        self.typed_form(who, procedure, &typed, false).await
    }

    /// The form with what was typed; `search` also looks for items.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown procedure.
    pub async fn typed_form(
        &self,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
        search: bool,
    ) -> Result<ApplyForm, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let p = pack.procedures.get(procedure).filter(|p| p.applied_for()).ok_or(AppError::NotFound)?;
        let posts = self.posts_of(&me).await?;
        let mut parts = Vec::new();
        for f in &p.fields {
            match &f.kind {
                FieldType::Items(registers) => parts.push(FormPart::Items(
                    self.items_part(&me, &pack, p, f, registers, typed, search).await?,
                )),
                _ => parts.push(FormPart::Field(field_view(f, typed.first(&f.id).to_owned(), ""))),
            }
        }
        let post = if posts.iter().any(|c| c.code == typed.post) {
            typed.post.clone()
        } else {
            posts.first().map(|c| c.code.clone()).unwrap_or_default()
        };
        let words = Words::of(&pack);
        Ok(ApplyForm {
            ahead: p
                .steps
                .iter()
                .map(|s| AheadLine { title: s.title.clone(), who: words.by(&s.by, p) })
                .collect(),
            rules: Explained::rules(&pack, p),
            procedure: p.id.clone(),
            title: p.title.clone(),
            draft: typed.draft.clone(),
            posts,
            post,
            parts,
            attachments: self
                .attached(who, typed.values.get(attach::FIELD).map_or(&[], Vec::as_slice))
                .await?,
            parent_number: self.parent_number(&me, typed.first(related::FIELD)).await?,
            parent: typed.first(related::FIELD).to_owned(),
            permit: p.permit.is_some(),
            once: match typed.first(ONCE) {
                "" => self.new_id()?.to_string(),
                kept => kept.to_owned(),
            },
        })
    }

    /// Number of the case from which somebody applies, for the form's head; empty when there is none.
    async fn parent_number(&self, me: &Me, parent: &str) -> Result<String, AppError> {
        let Some((id, _)) = parent.split_once('/') else { return Ok(String::new()) };
        Ok(self.load_case(me, id).await?.1.number)
    }

    pub(super) async fn posts_of(&self, me: &Me) -> Result<Vec<PostChoice>, AppError> {
        let d = self.directory().await?;
        let held = d.appointments(&me.person, self.clock.today());
        let plain = held.iter().filter(|a| a.role.is_empty());
        Ok(plain
            .map(|a| PostChoice {
                code: a.post.clone(),
                label: d.post_name(&a.post) + if a.main { "（本務）" } else { "（兼務）" },
            })
            .collect())
    }

    #[expect(clippy::too_many_arguments, reason = "one private part of the form, split for reading")]
    async fn items_part(
        &self,
        me: &Me,
        pack: &Arc<Pack>,
        p: &Procedure,
        f: &Field,
        registers: &[String],
        typed: &Typed,
        search: bool,
    ) -> Result<ItemsPart, AppError> {
        let keys = typed.values.get(&f.id).cloned().unwrap_or_default();
        let words = typed.first(&format!("{}-words", f.id)).trim().to_owned();
        let searched = search && !words.is_empty();
        let (viewer, inner, field, list) =
            (me.viewer().clone(), Arc::clone(pack), f.id.clone(), registers.to_vec());
        let looked_for = if searched { words.clone() } else { String::new() };
        let most = p.most_items();
        let (chosen, found) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let chosen = items_by_key(c, &inner, &viewer, &field, &list, &keys, most).await?;
                    let mut found = Vec::new();
                    if searched || chosen.is_empty() {
                        let most = if searched { FOUND } else { FIRST };
                        found = find_items(c, &inner, &viewer, &field, &list, &looked_for, most).await?;
                        found.retain(|i| !chosen.contains(i));
                    }
                    Ok::<_, AppError>((chosen, found))
                })
            })
            .await?;
        Ok(ItemsPart {
            name: f.id.clone(),
            label: f.label.clone(),
            help: f.help.clone().unwrap_or_default(),
            required: f.required,
            chosen: chosen.iter().map(|i| self.item_line(pack, p, i)).collect(),
            searched,
            words,
            found: found.iter().map(|i| self.item_line(pack, p, i)).collect(),
        })
    }

    /// Saves what was typed; nothing is checked. Returns the draft's id.
    ///
    /// # Errors
    /// Refused when there is too much of it, or the draft is another person's.
    pub async fn save_draft(
        &self,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
    ) -> Result<String, AppError> {
        if !self.pack().procedures.contains_key(procedure) {
            return Err(AppError::NotFound);
        }
        let body = draft_body(typed);
        let id = if typed.draft.is_empty() { self.new_id()?.to_string() } else { typed.draft.clone() };
        let row = DraftRow {
            id: id.clone(),
            procedure: procedure.to_owned(),
            person: who.person.clone(),
            body,
            updated_at: self.clock.now(),
        };
        self.store
            .write(move |c| Box::pin(async move { case::put_draft(c, &row).await.map_err(AppError::from) }))
            .await?;
        Ok(id)
    }

    /// Drops one's own draft.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none, or it is another person's.
    pub async fn drop_draft(&self, who: &Identity, id: &str) -> Result<(), AppError> {
        let (person, id) = (who.person.clone(), id.to_owned());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    case::get_draft(c, &person, &id).await?.ok_or(AppError::NotFound)?;
                    case::drop_draft(c, &person, &id).await.map_err(AppError::from)
                })
            })
            .await
    }

    /// Applies. Returns the case's id.
    ///
    /// # Errors
    /// Fields that were not accepted, or a refusal.
    pub async fn apply(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
    ) -> Result<String, AppError> {
        self.apply_once(who, procedure, typed, None).await
    }

    /// The same, once under a key: that of a form from which this application was made; nothing for the application's own.
    pub(super) async fn apply_once(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        typed: &Typed,
        key: Option<String>,
    ) -> Result<String, AppError> {
        let applying = self.applying(who, procedure).await?;
        let (typed, id) = (typed.clone(), self.new_id()?.to_string());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let once = match key {
                        Some(key) => Some(key),
                        None => form_key(c, &applying.me.person, &applying.procedure, &typed).await?,
                    };
                    if let Some(key) = &once
                        && let Some(before) = once::done(c, key).await?
                    {
                        return Ok(before);
                    }
                    applying.apply(c, &typed, &id).await?;
                    if let Some(key) = once {
                        let now = applying.office.clock.now();
                        once::put(c, &key, &id, now, now.plus_millis(-ONCE_MS)).await?;
                    }
                    Ok(id)
                })
            })
            .await
    }

    /// The items that were chosen, as the registers have them in this transaction.
    pub(super) async fn chosen_items(
        &self,
        c: &mut Conn<'_>,
        pack: &Pack,
        p: &Procedure,
        me: &Me,
        typed: &Typed,
    ) -> Result<Vec<Item>, AppError> {
        let mut items = Vec::new();
        for f in &p.fields {
            if let FieldType::Items(registers) = &f.kind {
                let keys = typed.values.get(&f.id).cloned().unwrap_or_default();
                items.extend(
                    items_by_key(c, pack, me.viewer(), &f.id, registers, &keys, p.most_items()).await?,
                );
            }
        }
        Ok(items)
    }
}
