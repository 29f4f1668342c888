//! Decided content: what a decision binds to, in canonical JSON (RFC 8785), and its hash.

use std::collections::BTreeMap;

use sekisho_base::canonical;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CaseState, StepStatus};
use crate::handling::Handling;

/// A file that belongs to the application, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// What an item was when the content was fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Class code by axis.
    pub class: BTreeMap<String, String>,
    /// Unit that owns it.
    pub owner: String,
    /// Further facts the handling decision reads: `zone`, `device`, `personal` …
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
}

impl Snapshot {
    /// The facts as conditions and handling rules read them.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, sekisho_base::table::Value> {
        self.facts.iter().map(|(k, v)| (k.clone(), crate::facts::value(v))).collect()
    }
}

/// A register row that the case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Items field it was named in.
    pub field: String,
    /// Register id.
    pub register: String,
    /// Row id.
    pub id: String,
    /// 管理番号.
    pub number: String,
    /// Name.
    pub name: String,
    /// Class, owner and facts when the content was fixed.
    pub snapshot: Snapshot,
}

impl Item {
    /// Key within the case: `register/row`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.register, self.id)
    }
}

/// Fields, attachments, items and the handling result.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Values by field id: text, whole number, truth value; a date is ISO text. Items are in `items`.
    pub fields: BTreeMap<String, Value>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// Items in the order given.
    pub items: Vec<Item>,
    /// Result of the handling decision; none when the procedure asks for none.
    pub handling: Option<Handling>,
}

impl CaseState {
    /// The content a decision at this step binds to: the application, the items, the handling result, the pack version
    /// and the evidence of the steps before it. With `None`, or an unknown step, the evidence of all steps and the
    /// permit: what acts on the whole case bind to.
    #[must_use]
    pub fn decided_content(&self, step: Option<&str>) -> Value {
        let position = step.and_then(|id| self.steps.iter().position(|s| s.id == id));
        let before = position.unwrap_or(self.steps.len());
        let evidence: BTreeMap<&str, Value> = self
            .steps
            .iter()
            .take(before)
            .filter(|s| s.status == StepStatus::Done && !s.evidence.is_empty())
            .map(|s| (s.id.as_str(), json!(s.evidence)))
            .collect();
        // Where several persons recorded for different items, what each recorded is there too.
        let by_item: BTreeMap<&str, BTreeMap<&str, Value>> = self
            .steps
            .iter()
            .take(before)
            .filter(|s| s.status == StepStatus::Done)
            .map(|s| (s.id.as_str(), s.evidence_by_item()))
            .filter(|(_, items)| items.values().collect::<Vec<_>>().windows(2).any(|w| w.first() != w.last()))
            .collect();
        let refused = if position.is_some() { self.refused_before(before) } else { self.refused_items() };
        let items: Vec<&Item> = self.content.items.iter().filter(|i| !refused.contains(&i.key())).collect();
        let mut content = json!({
            "procedure": self.procedure,
            "pack": self.pack.hash,
            "applicant": self.applicant,
            "fields": self.content.fields,
            "attachments": self.content.attachments,
            "items": items,
            "handling": self.content.handling,
            "evidence": evidence,
        });
        if !by_item.is_empty()
            && let Some(map) = content.as_object_mut()
        {
            map.insert("evidence_by_item".to_owned(), json!(by_item));
        }
        if position.is_none()
            && let Some(map) = content.as_object_mut()
        {
            map.insert("permit".to_owned(), json!(self.permit));
        }
        content
    }

    /// SHA-256 of [`Self::decided_content`], lower-case hexadecimal: shown with the page, sent back with the act.
    #[must_use]
    pub fn content_hash(&self, step: Option<&str>) -> String {
        canonical::content_hash(&self.decided_content(step))
    }

    fn refused_before(&self, before: usize) -> std::collections::BTreeSet<String> {
        self.steps.iter().take(before).flat_map(super::StepRun::refused_items).collect()
    }
}
