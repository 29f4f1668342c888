//! Delegations (職務代理): proposed, decided by somebody else, dated, ended early or by themselves. Nothing is ever deleted.

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::{Conn, StoreError, args, org};

/// Where a delegation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelegationState {
    /// Waits for a decision.
    Proposed,
    /// In force within its dates.
    Approved,
    /// Not approved.
    Refused,
    /// Ended before its last day, or taken back before it was decided.
    Ended,
}

impl DelegationState {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Proposed, "proposed"),
        (Self::Approved, "approved"),
        (Self::Refused, "refused"),
        (Self::Ended, "ended"),
    ];

    fn code(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, code)| code)
    }

    fn from_code(code: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, c)| *c == code).map(|(s, _)| *s);
        found.ok_or_else(|| StoreError::Corrupt("delegation", code.to_owned()))
    }
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationRow {
    /// Id.
    pub id: String,
    /// Post acted for.
    pub post: String,
    /// Person who acts.
    pub person: String,
    /// Only for this role; empty for every role of the post.
    pub role: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
    /// Why it is needed.
    pub note: String,
    /// Where it stands.
    pub state: DelegationState,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Instant,
    /// Who approved or refused it, and when.
    pub decided: Option<(String, Instant)>,
    /// What was said with the decision; may be empty.
    pub says: String,
    /// Who ended it, and when.
    pub ended: Option<(String, Instant)>,
}

const COLUMNS: &str = "id, post, person, role, valid_from, valid_until, note, state, proposed_by, proposed_at, decided_by, decided_at, says, ended_by, ended_at";

fn read(r: &Row) -> Result<DelegationRow, StoreError> {
    Ok(DelegationRow {
        id: r.text(0)?,
        post: r.text(1)?,
        person: r.text(2)?,
        role: r.text(3)?,
        from: r.date(4)?,
        until: r.date(5)?,
        note: r.text(6)?,
        state: DelegationState::from_code(&r.text(7)?)?,
        proposed_by: r.text(8)?,
        proposed_at: r.instant(9)?,
        decided: r.opt_text(10)?.zip(r.opt_instant(11)?),
        says: r.text(12)?,
        ended: r.opt_text(13)?.zip(r.opt_instant(14)?),
    })
}

/// Keeps a proposal.
///
/// # Errors
/// The database failed, or post or person are unknown.
#[boxed]
pub async fn propose(c: &mut Conn<'_>, d: &DelegationRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO delegation (id, post, person, role, valid_from, valid_until, note, state, proposed_by, proposed_at, says)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '')",
        args![
            &d.id, &d.post, &d.person, &d.role, d.from, d.until, &d.note,
            DelegationState::Proposed.code(), &d.proposed_by, d.proposed_at
        ],
    )
    .await?;
    Ok(())
}

/// Approves or refuses a proposal.
///
/// # Errors
/// [`StoreError::Conflict`] when it no longer waits.
#[boxed]
pub async fn decide(
    c: &mut Conn<'_>,
    id: &str,
    approved: bool,
    by: &str,
    at: Instant,
    says: &str,
) -> Result<(), StoreError> {
    let state = if approved { DelegationState::Approved } else { DelegationState::Refused };
    let sql = "UPDATE delegation SET state = $1, decided_by = $2, decided_at = $3, says = $4 WHERE id = $5 AND state = $6";
    let waiting = DelegationState::Proposed.code();
    if c.exec(sql, args![state.code(), by, at, says, id, waiting]).await? == 0 {
        return Err(StoreError::Conflict(format!("delegation {id}")));
    }
    org::changed(c).await
}

/// Ends one that was approved, or takes back one that waits.
///
/// # Errors
/// [`StoreError::Conflict`] when it was refused or ended before.
#[boxed]
pub async fn end(c: &mut Conn<'_>, id: &str, by: &str, at: Instant) -> Result<(), StoreError> {
    let (waiting, approved) = (DelegationState::Proposed.code(), DelegationState::Approved.code());
    let sql =
        "UPDATE delegation SET state = $1, ended_by = $2, ended_at = $3 WHERE id = $4 AND state IN ($5, $6)";
    if c.exec(sql, args![DelegationState::Ended.code(), by, at, id, waiting, approved]).await? == 0 {
        return Err(StoreError::Conflict(format!("delegation {id}")));
    }
    org::changed(c).await
}

/// One delegation.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<DelegationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM delegation WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Approved delegations that are not over before a day: what the in-memory organization needs.
///
/// # Errors
/// The database failed.
pub(crate) async fn current(c: &mut Conn<'_>, since: Date) -> Result<Vec<DelegationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM delegation WHERE valid_until >= $1 AND state = $2 ORDER BY id");
    c.all(&sql, args![since, DelegationState::Approved.code()]).await?.iter().map(read).collect()
}

/// Delegations that are not over before a day, in every state, the latest last day first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn since(c: &mut Conn<'_>, day: Date, limit: i64) -> Result<Vec<DelegationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delegation WHERE valid_until >= $1 ORDER BY valid_until DESC, id DESC LIMIT $2"
    );
    c.all(&sql, args![day, limit]).await?.iter().map(read).collect()
}

/// Proposals that still can be approved on a day.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn waiting(c: &mut Conn<'_>, day: Date) -> Result<Vec<DelegationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM delegation WHERE valid_until >= $1 AND state = $2 ORDER BY id");
    c.all(&sql, args![day, DelegationState::Proposed.code()]).await?.iter().map(read).collect()
}
