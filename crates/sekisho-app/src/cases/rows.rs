//! Rows of registers that a form names (the meeting of a resolution): they must be there, and what conditions read of them
//! becomes part of what is decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_case::decide::Command;
use sekisho_pack::model::{Field, FieldType, Pack, Procedure};
use sekisho_store::{Conn, Viewer, register};
use serde_json::json;

use crate::cases::act::{AGAIN, EVIDENCE};
use crate::error::{AppError, FieldError};
use crate::office::Office;
use crate::people::Me;
use crate::registers::table_spec;

/// Fields that name rows, and what was read of those rows.
pub(super) struct Named {
    fields: Vec<Field>,
    read: BTreeMap<String, serde_json::Value>,
}

#[boxed]
impl Named {
    /// In the transaction of the decision: nothing that was read has changed since.
    pub async fn still_so(&self, c: &mut Conn<'_>, pack: &Pack, viewer: &Viewer) -> Result<(), AppError> {
        let now = row_facts(c, pack, viewer, &self.fields, &self.read, EVIDENCE).await?;
        if now.iter().all(|(id, v)| self.read.get(id) == Some(v)) {
            return Ok(());
        }
        Err(AppError::refused(
            "C012",
            "選んだ台帳の行が、いま書き換えられました。画面を開き直して、もう一度行ってください。",
        ))
    }
}

/// What conditions read of the rows that fields name, as `<field>.<column>`. The rows must be there and be seen by the
/// person; each fault under its field's name.
pub(super) async fn row_facts(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    fields: &[Field],
    values: &BTreeMap<String, serde_json::Value>,
    prefix: &str,
) -> Result<BTreeMap<String, serde_json::Value>, AppError> {
    let (mut facts, mut faults) = (BTreeMap::new(), Vec::new());
    for f in fields {
        let (FieldType::Row(id), Some(key)) = (&f.kind, values.get(&f.id).and_then(|v| v.as_str())) else {
            continue;
        };
        let Some(r) = pack.registers.get(id) else { continue };
        let Some(row) = register::by_key(c, &table_spec(r), viewer, key).await? else {
            let message =
                format!("「{}」：「{key}」は{}にありません。番号を確かめてください。", f.label, r.title);
            faults.push(FieldError { field: format!("{prefix}{}", f.id), message });
            continue;
        };
        for fact in f.row_facts(&pack.registers) {
            let column = fact.id.split_once('.').map_or("", |(_, column)| column);
            if let Some(v) = row.values.get(column).filter(|v| **v != Value::Null) {
                facts.insert(fact.id.clone(), json!(v));
            }
        }
    }
    if faults.is_empty() { Ok(facts) } else { Err(AppError::Invalid(faults)) }
}

impl Office {
    /// Puts what conditions read of the rows that a form names beside what was typed.
    pub(super) async fn name_rows(
        &self,
        me: &Me,
        pack: &Arc<Pack>,
        p: &Procedure,
        command: &mut Command,
    ) -> Result<Option<Named>, AppError> {
        let (fields, values, prefix) = match command {
            Command::Act { step, evidence, .. } => {
                let spec = p.steps.iter().find(|s| s.id == *step);
                (spec.map_or(&[][..], |s| s.evidence.as_slice()), evidence, EVIDENCE)
            }
            Command::Resubmit { draft, .. } => (p.fields.as_slice(), &mut draft.fields, AGAIN),
            _ => return Ok(None),
        };
        let fields: Vec<Field> =
            fields.iter().filter(|f| matches!(f.kind, FieldType::Row(_))).cloned().collect();
        if fields.is_empty() {
            return Ok(None);
        }
        let (viewer, pack, asked, typed) =
            (me.viewer().clone(), Arc::clone(pack), fields.clone(), values.clone());
        let facts = self
            .store
            .read(move |c| {
                Box::pin(async move { row_facts(c, &pack, &viewer, &asked, &typed, prefix).await })
            })
            .await?;
        values.extend(facts);
        Ok(Some(Named { fields, read: values.clone() }))
    }
}
