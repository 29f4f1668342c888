//! What a proposed pack is: valid, how it differs from the running one, what the publication check finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::canonical::content_hash;
use sekisho_case::org::Org;
use sekisho_case::publish::{self, Report};
use sekisho_pack::diff::{Difference, diff};
use sekisho_pack::model::Pack;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::office::Office;
use crate::pack_tools;

/// Most messages that are repeated in a refusal.
const MESSAGES: usize = 10;

/// A pack looked at today.
pub(super) struct Assessed {
    pub pack: Arc<Pack>,
    /// The running pack.
    pub base: Arc<Pack>,
    pub org: Arc<Org>,
    pub difference: Difference,
    pub report: Report,
}

impl Office {
    /// Validates, tests, compares and checks a pack.
    pub(super) async fn assess_pack(&self, files: &BTreeMap<String, String>) -> Result<Assessed, AppError> {
        let (base, org, today) = (self.pack(), self.org().await?, self.clock.today());
        let files = files.clone();
        // Minutes of work for a hostile pack, a second or two for an ordinary one: not on the threads that answer.
        let work = move || -> Result<Assessed, AppError> {
            let pack = Pack::load_files(&files).map_err(|messages| {
                let lines: Vec<String> = messages.iter().take(MESSAGES).map(ToString::to_string).collect();
                AppError::refused("B010", format!("このパックには誤りがあります。\n{}", lines.join("\n")))
            })?;
            let told = pack_tools::test(&pack);
            if !told.sound {
                let lines: Vec<String> = told.text.into_iter().take(MESSAGES).collect();
                return Err(AppError::refused(
                    "B022",
                    format!("パックの例（tests）が期待どおりになりません。\n{}", lines.join("\n")),
                ));
            }
            let difference = diff(&base, &pack);
            let report = publish::check(&pack, &org, today);
            Ok(Assessed { pack: Arc::new(pack), base, org, difference, report })
        };
        tokio::task::spawn_blocking(work).await.map_err(AppError::internal)?
    }
}

impl Assessed {
    /// What is kept with the proposal.
    pub fn summary(&self) -> Result<String, AppError> {
        self.value().map(|v| v.to_string())
    }

    /// Digest of what is shown: another difference or other findings give another.
    pub fn digest(&self) -> Result<String, AppError> {
        self.value().map(|v| content_hash(&v))
    }

    fn value(&self) -> Result<Value, AppError> {
        let changes = serde_json::to_value(&self.difference.changes).map_err(AppError::internal)?;
        let findings = serde_json::to_value(&self.report.findings).map_err(AppError::internal)?;
        Ok(json!({"base": self.base.hash, "hash": self.pack.hash, "changes": changes, "findings": findings}))
    }

    /// Whether a person holds a role under the new pack that the person does not hold under the running one.
    pub fn gains_role(&self, person: &str, day: Date) -> bool {
        let roles = |pack: &Pack| -> BTreeSet<(String, String)> {
            self.org.roles_of(person, &pack.roles, day).into_iter().collect()
        };
        !roles(&self.pack).is_subset(&roles(&self.base))
    }
}

pub(super) fn decided() -> AppError {
    AppError::refused("B023", "この提案は、もう使い始められたか、取り下げられています。")
}

pub(super) fn nothing_new() -> AppError {
    AppError::refused("B024", "このパックは、今使っている版と同じです。変わるところはありません。")
}
