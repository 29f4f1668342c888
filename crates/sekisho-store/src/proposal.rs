//! What waits for a second person: imports of the organization, versions of the pack.

use crate::StoreError;

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// Waits for a second person.
    Waiting,
    /// Carried out: it took effect.
    Applied,
    /// Refused or taken back.
    Refused,
}

impl ProposalState {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Waiting, "waiting"), (Self::Applied, "applied"), (Self::Refused, "refused")];

    /// Stable code, as stored.
    pub(crate) fn code(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, code)| code)
    }

    /// Reads the code that a table holds.
    pub(crate) fn from_code(table: &'static str, code: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, c)| *c == code).map(|(s, _)| *s);
        found.ok_or_else(|| StoreError::Corrupt(table, code.to_owned()))
    }
}
