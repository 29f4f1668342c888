//! The standard and its state in formats of other tools: OSCAL 1.2.1 (catalog, component definition, assessment results, plan of
//! action and milestones) and the library format of CISO Assistant. Ids are made from names (UUID version 5), so that the same
//! thing keeps its id from one export to the next.

mod documents;
mod library;
mod uuid5;

use std::sync::Arc;

use sekisho_base::canonical::canonical_json;
use sekisho_boxed::boxed;

use crate::clauses::ToldClause;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::ExportedFile;

/// Version of OSCAL that is written.
pub const VERSION: &str = "1.2.1";

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OscalKind {
    /// The clauses.
    Catalog,
    /// What realizes them.
    Components,
    /// Their state.
    Results,
    /// What is to be put right.
    Poam,
}

impl OscalKind {
    /// By the name in addresses and commands.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "catalog" => Some(Self::Catalog),
            "component-definition" => Some(Self::Components),
            "assessment-results" => Some(Self::Results),
            "poam" => Some(Self::Poam),
            _ => None,
        }
    }

    /// Whether it tells the state of the whole body and not only what the standard says.
    #[must_use]
    pub fn tells_state(self) -> bool {
        matches!(self, Self::Results | Self::Poam)
    }
}

/// The ASCII id of a clause as a control: `5.1.1.3.イ` → `c-5-1-1-3-u30a4`.
fn control_id(clause: &str) -> String {
    let part = |c: char| match c {
        '.' => "-".to_owned(),
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase().to_string(),
        c => format!("u{:04x}", u32::from(c)),
    };
    clause.chars().fold("c-".to_owned(), |out, c| out + &part(c))
}

#[boxed]
impl Office {
    /// An OSCAL document.
    ///
    /// # Errors
    /// State is told to those only who see the whole body; a plan of action is refused while nothing is to be put right.
    pub async fn oscal(self: &Arc<Self>, who: &Identity, kind: OscalKind) -> Result<ExportedFile, AppError> {
        if kind.tells_state() && !self.me(who).await?.sees_whole_body() {
            return Err(AppError::refused(
                "O008",
                "団体全体の状態を書き出せるのは、全体を見る役割の人（CISO、情報政策担当、監査など）だけです。",
            ));
        }
        let (name, text) = self.oscal_text(kind).await?;
        Ok(ExportedFile { name, mime: "application/json", bytes: text.into_bytes() })
    }

    /// File name and text of an OSCAL document, for the terminal.
    ///
    /// # Errors
    /// Refused while nothing is to be put right; or the database failed.
    pub async fn oscal_text(&self, kind: OscalKind) -> Result<(String, String), AppError> {
        let told = documents::Told::of(self).await?;
        let (name, value) = match kind {
            OscalKind::Catalog => ("catalog", told.catalog()),
            OscalKind::Components => ("component-definition", told.components()),
            OscalKind::Results => ("assessment-results", told.results()),
            OscalKind::Poam => {
                let says = "是正することがありません。不適合の条項があるときに書き出せます。";
                ("poam", told.poam().ok_or_else(|| AppError::refused("O009", says))?)
            }
        };
        Ok((format!("oscal-{name}-{}.json", self.clock.today()), canonical_json(&value)))
    }

    /// The standard as a library of CISO Assistant: file name and YAML.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ciso_assistant(&self) -> Result<(String, String), AppError> {
        let clauses: Vec<ToldClause> = self.told_clauses(self.clock.now()).await?;
        let pack = self.pack();
        Ok((format!("ciso-assistant-{}.yaml", pack.meta.name), library::write(&pack.meta, &clauses)))
    }
}

#[cfg(test)]
mod tests {
    use super::control_id;

    #[test]
    fn control_ids_are_ascii_and_differ() {
        assert_eq!(control_id("5.1.1.3.イ"), "c-5-1-1-3-u30a4");
        assert_ne!(control_id("5.1.1.3.ア"), control_id("5.1.1.3.イ"));
        assert_eq!(control_id("B.6.3.1"), "c-b-6-3-1");
    }
}
