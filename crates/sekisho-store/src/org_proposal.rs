//! Imports of the organization that wait for a second person. The file is kept while one waits; what it would change is kept for good.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::Row;
use crate::proposal::ProposalState;
use crate::{Conn, StoreError, args};

/// A proposal without its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// Id.
    pub id: String,
    /// File name as sent.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Digest of what it would change, as it was shown.
    pub shown: String,
    /// What it would change, as JSON.
    pub summary: String,
    /// Where it stands.
    pub state: ProposalState,
    /// Who proposed it; empty while one from the terminal has not been taken over.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Instant,
    /// Who carried it out or refused it, and when.
    pub decided: Option<(String, Instant)>,
    /// What was said with a refusal.
    pub says: String,
}

const COLUMNS: &str =
    "id, name, sha256, shown, summary, state, proposed_by, proposed_at, decided_by, decided_at, says";

fn read(r: &Row) -> Result<ProposalRow, StoreError> {
    Ok(ProposalRow {
        id: r.text(0)?,
        name: r.text(1)?,
        sha256: r.text(2)?,
        shown: r.text(3)?,
        summary: r.text(4)?,
        state: ProposalState::from_code("org_proposal", &r.text(5)?)?,
        proposed_by: r.text(6)?,
        proposed_at: r.instant(7)?,
        decided: r.opt_text(8)?.zip(r.opt_instant(9)?),
        says: r.text(10)?,
    })
}

/// Keeps a proposal with its file, in hexadecimal.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, p: &ProposalRow, bytes: &str) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO org_proposal (id, name, sha256, bytes, shown, summary, state, proposed_by, proposed_at, says)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![&p.id, &p.name, &p.sha256, bytes, &p.shown, &p.summary, p.state.code(), &p.proposed_by, p.proposed_at, &p.says],
    )
    .await?;
    Ok(())
}

/// One proposal.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<ProposalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM org_proposal WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// The file of a proposal that waits, in hexadecimal.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn bytes(c: &mut Conn<'_>, id: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT bytes FROM org_proposal WHERE id = $1 AND state = $2";
    c.one(sql, args![id, ProposalState::Waiting.code()]).await?.map(|r| r.text(0)).transpose()
}

/// Proposals that wait, the oldest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn waiting(c: &mut Conn<'_>, limit: i64) -> Result<Vec<ProposalRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM org_proposal WHERE state = $1 ORDER BY proposed_at, id LIMIT $2");
    c.all(&sql, args![ProposalState::Waiting.code(), limit]).await?.iter().map(read).collect()
}

/// Makes a person the proposer of one from the terminal.
///
/// # Errors
/// [`StoreError::Conflict`] when it no longer waits or has a proposer.
#[boxed]
pub async fn adopt(c: &mut Conn<'_>, id: &str, by: &str) -> Result<(), StoreError> {
    let sql = "UPDATE org_proposal SET proposed_by = $1 WHERE id = $2 AND state = $3 AND proposed_by = ''";
    if c.exec(sql, args![by, id, ProposalState::Waiting.code()]).await? == 0 {
        return Err(StoreError::Conflict(format!("proposal {id}")));
    }
    Ok(())
}

/// Marks a proposal as carried out or refused, and lets go of its file.
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
    let sql = "UPDATE org_proposal SET state = $1, decided_by = $2, decided_at = $3, says = $4, bytes = '' WHERE id = $5 AND state = $6";
    if c.exec(sql, args![state.code(), by, at, says, id, ProposalState::Waiting.code()]).await? == 0 {
        return Err(StoreError::Conflict(format!("proposal {id}")));
    }
    Ok(())
}
