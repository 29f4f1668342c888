//! Packs that wait for a second person before they take effect.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::proposal::ProposalState;
use crate::{Conn, StoreError, args};

/// A proposal. Its files are those of the version with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackProposalRow {
    /// Id.
    pub id: String,
    /// Version proposed.
    pub hash: String,
    /// Version that ran when it was proposed.
    pub base: String,
    /// Digest of what was shown.
    pub shown: String,
    /// What changes and what the check found, as JSON.
    pub summary: String,
    /// Where it stands.
    pub state: ProposalState,
    /// Person whom the terminal named as the proposer; empty for one from a page.
    pub named: String,
    /// Who proposed it; empty while one from the terminal has not been taken over.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Instant,
    /// Who let it take effect or refused it, and when.
    pub decided: Option<(String, Instant)>,
    /// What was said with it.
    pub says: String,
}

const COLUMNS: &str =
    "id, hash, base, shown, summary, state, named, proposed_by, proposed_at, decided_by, decided_at, says";

fn read(r: &Row) -> Result<PackProposalRow, StoreError> {
    Ok(PackProposalRow {
        id: r.text(0)?,
        hash: r.text(1)?,
        base: r.text(2)?,
        shown: r.text(3)?,
        summary: r.text(4)?,
        state: ProposalState::from_code("pack_proposal", &r.text(5)?)?,
        named: r.text(6)?,
        proposed_by: r.text(7)?,
        proposed_at: r.instant(8)?,
        decided: r.opt_text(9)?.zip(r.opt_instant(10)?),
        says: r.text(11)?,
    })
}

/// Keeps a proposal.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, p: &PackProposalRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO pack_proposal (id, hash, base, shown, summary, state, named, proposed_by, proposed_at, says)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![&p.id, &p.hash, &p.base, &p.shown, &p.summary, p.state.code(), &p.named, &p.proposed_by, p.proposed_at, &p.says],
    )
    .await?;
    Ok(())
}

/// One proposal.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<PackProposalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM pack_proposal WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Proposals, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(c: &mut Conn<'_>, limit: i64) -> Result<Vec<PackProposalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM pack_proposal ORDER BY proposed_at DESC, id DESC LIMIT $1");
    c.all(&sql, args![limit]).await?.iter().map(read).collect()
}

/// A proposal that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedRow {
    /// Id of the proposal.
    pub id: String,
    /// Version that it put in force.
    pub hash: String,
    /// Name and own version of that pack.
    pub name: String,
    /// Version that was in force until then.
    pub base: String,
    /// Who proposed it, and when.
    pub proposed: (String, Instant),
    /// Who let it take effect, and when.
    pub decided: (String, Instant),
}

/// Proposals that took effect, in the order in which they did: the history of the running version. A body has some in a year.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn applied(c: &mut Conn<'_>) -> Result<Vec<AppliedRow>, StoreError> {
    let sql = "SELECT p.id, p.hash, v.name, v.version, p.base, p.proposed_by, p.proposed_at, p.decided_by, p.decided_at
         FROM pack_proposal p JOIN pack_version v ON v.hash = p.hash
         WHERE p.state = $1 AND p.decided_by IS NOT NULL AND p.decided_at IS NOT NULL ORDER BY p.decided_at, p.id";
    let read = |r: &Row| {
        Ok(AppliedRow {
            id: r.text(0)?,
            hash: r.text(1)?,
            name: format!("{} {}", r.text(2)?, r.text(3)?),
            base: r.text(4)?,
            proposed: (r.text(5)?, r.instant(6)?),
            decided: (r.text(7)?, r.instant(8)?),
        })
    };
    c.all(sql, args![ProposalState::Applied.code()]).await?.iter().map(read).collect()
}

/// Makes a person the proposer of one from the terminal.
///
/// # Errors
/// [`StoreError::Conflict`] when it no longer waits or has a proposer.
#[boxed]
pub async fn adopt(c: &mut Conn<'_>, id: &str, by: &str) -> Result<(), StoreError> {
    let sql = "UPDATE pack_proposal SET proposed_by = $1 WHERE id = $2 AND state = $3 AND proposed_by = ''";
    if c.exec(sql, args![by, id, ProposalState::Waiting.code()]).await? == 0 {
        return Err(StoreError::Conflict(format!("proposal {id}")));
    }
    Ok(())
}

/// Marks a proposal as in effect or refused.
///
/// # Errors
/// [`StoreError::Conflict`] when it no longer waits.
#[boxed]
pub async fn decide(
    c: &mut Conn<'_>,
    id: &str,
    applied: bool,
    by: &str,
    at: Instant,
    says: &str,
) -> Result<(), StoreError> {
    let state = if applied { ProposalState::Applied } else { ProposalState::Refused };
    let sql = "UPDATE pack_proposal SET state = $1, decided_by = $2, decided_at = $3, says = $4 WHERE id = $5 AND state = $6";
    if c.exec(sql, args![state.code(), by, at, says, id, ProposalState::Waiting.code()]).await? == 0 {
        return Err(StoreError::Conflict(format!("proposal {id}")));
    }
    Ok(())
}
