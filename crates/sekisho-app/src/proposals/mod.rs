//! Imports of the organization on a running body: one person proposes, a second who may import confirms, and never somebody who gains an
//! appointment or a power by it. What would change is kept; the file must still change exactly that when it is confirmed.

mod appoint;
mod gain;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_base::canonical::{hex, sha256, unhex};
use sekisho_boxed::boxed;
use sekisho_case::authority::in_role;
use sekisho_pack::model::HeldBy;
use sekisho_store::ledger;
use sekisho_store::org_proposal::{self, ProposalRow};
use sekisho_store::proposal::ProposalState;
use sekisho_store::upload;
use serde_json::json;

pub use appoint::{AppointPage, AppointmentForm};
use gain::Change;
pub use view::{ProposalLine, ProposalPage};

use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::organization::UPLOAD;
use crate::people::{RUNNERS, roles};
use crate::record::{record, stream_of};
use crate::registers::{ImportPlan, changed_meanwhile};

/// Most steps of escalation that are followed upward.
const MAX_LEVELS: usize = 8;
/// Longest reason of a refusal, in characters.
const MAX_SAYS: usize = 300;

/// Who may confirm a proposal, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Confirmers {
    /// Person numbers.
    people: BTreeSet<String>,
    /// Title of the role above, when nobody who may import is left; empty otherwise.
    above: String,
}

/// A proposal with what it would change today.
struct Examined {
    row: ProposalRow,
    bytes: Vec<u8>,
    /// It still would change exactly what was shown.
    fits: bool,
    confirmers: Confirmers,
}

#[boxed]
impl Office {
    /// People who may import the organization today.
    pub(crate) fn importers(&self, d: &Directory) -> BTreeSet<String> {
        let (pack, today) = (self.pack(), self.clock.today());
        let runs = |p: &str| roles(&pack, d, p, today).iter().any(|r| RUNNERS.contains(&r.role.as_str()));
        let people = d.rows().persons.iter().map(|p| p.number.as_str());
        people.filter(|p| runs(p)).map(str::to_owned).collect()
    }

    /// Proposes what was looked at in the dry run. Nothing changes yet.
    ///
    /// # Errors
    /// Refused for others than importers, when the file is gone, has errors or no longer fits.
    pub async fn propose_organization_import(
        self: &Arc<Self>,
        who: &Identity,
        upload_id: &str,
        shown: &str,
    ) -> Result<String, AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        let (kept, bytes) = self.kept_upload(who, UPLOAD, upload_id).await?;
        let plan = self.plan_file(bytes.clone()).await?;
        if !plan.errors.is_empty() || plan.shown != shown {
            return Err(changed_meanwhile());
        }
        self.keep_proposal(&who.person, &kept.name, bytes, &plan, Some(kept.id)).await
    }

    /// Proposes a file from the terminal: nobody is its proposer until somebody who may import takes it over.
    pub(crate) async fn propose_from_terminal(
        self: &Arc<Self>,
        name: &str,
        bytes: Vec<u8>,
        plan: &ImportPlan,
    ) -> Result<String, AppError> {
        self.keep_proposal("", name, bytes, plan, None).await
    }

    async fn keep_proposal(
        self: &Arc<Self>,
        by: &str,
        name: &str,
        bytes: Vec<u8>,
        plan: &ImportPlan,
        used: Option<String>,
    ) -> Result<String, AppError> {
        if plan.added + plan.changed == 0 {
            return Err(AppError::refused("O006", "このファイルで変わるところはありません。"));
        }
        let (id, at, seal) = (self.new_id()?, self.clock.now(), self.seal()?);
        let row = ProposalRow {
            id: id.to_string(),
            name: sekisho_base::text::shorten(name, 200),
            sha256: hex(&sha256(&bytes)),
            shown: plan.shown.clone(),
            summary: view::summary(plan).to_string(),
            state: ProposalState::Waiting,
            proposed_by: by.to_owned(),
            proposed_at: at,
            decided: None,
            says: String::new(),
        };
        let key = row.id.clone();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    org_proposal::put(c, &row, &hex(&bytes)).await?;
                    let by = if row.proposed_by.is_empty() { "terminal" } else { row.proposed_by.as_str() };
                    let payload = json!({"proposal": row.id, "by": by, "at": at, "file": row.sha256, "change": row.shown});
                    record(c, seal, &ledger::stream_id(id), "org.propose", &payload, at).await?;
                    if let Some(used) = &used {
                        upload::drop_used(c, used, at).await?;
                    }
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        Ok(key)
    }

    async fn proposal(&self, id: &str) -> Result<ProposalRow, AppError> {
        let id = id.to_owned();
        self.store
            .read(move |c| Box::pin(async move { org_proposal::get(c, &id).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)
    }

    /// What a proposal that waits would change today, and who may confirm it.
    async fn examine(&self, row: ProposalRow) -> Result<Examined, AppError> {
        let id = row.id.clone();
        let kept = self
            .store
            .read(move |c| Box::pin(async move { org_proposal::bytes(c, &id).await.map_err(AppError::from) }))
            .await?
            .ok_or_else(decided)?;
        let bytes = unhex(&kept).ok_or_else(|| AppError::internal("a proposal is no hexadecimal"))?;
        let plan = self.plan_file(bytes.clone()).await?;
        let fits = plan.errors.is_empty() && plan.shown == row.shown;
        let confirmers =
            if fits { self.confirmers(&row, bytes.clone()).await? } else { Confirmers::default() };
        Ok(Examined { row, bytes, fits, confirmers })
    }

    /// Those who may import, without the proposer and those who gain; where nobody is left, the holders of the roles above.
    async fn confirmers(&self, row: &ProposalRow, bytes: Vec<u8>) -> Result<Confirmers, AppError> {
        let (d, org, pack, today) =
            (self.directory().await?, self.org().await?, self.pack(), self.clock.today());
        let rows = self.rows_of_file(bytes).await?;
        let change = Change::new(&rows, &pack, &org, &d, today);
        let fit = |p: &String| *p != row.proposed_by && !change.gives(p);
        let importers = self.importers(&d);
        let people: BTreeSet<String> = importers.iter().filter(|p| fit(p)).cloned().collect();
        if !people.is_empty() {
            return Ok(Confirmers { people, above: String::new() });
        }
        let anchor = importers
            .iter()
            .chain([&row.proposed_by])
            .find_map(|p| d.post(&d.appointments(p, today).first()?.post))
            .map(|p| p.unit.clone())
            .unwrap_or_default();
        for role in self.roles_above_importers().iter().filter_map(|r| pack.roles.get(r)) {
            let people: BTreeSet<String> =
                in_role(role, &anchor, &org, today).into_iter().filter(|p| fit(p)).collect();
            if !people.is_empty() {
                return Ok(Confirmers { people, above: role.title.clone() });
            }
        }
        Ok(Confirmers::default())
    }

    /// The roles to which those that may import escalate, the nearest first.
    fn roles_above_importers(&self) -> Vec<String> {
        let pack = self.pack();
        let mut found: Vec<String> = Vec::new();
        let mut level: Vec<String> = RUNNERS.map(str::to_owned).to_vec();
        for _ in 0..MAX_LEVELS {
            let above = level.iter().filter_map(|r| pack.roles.get(r)?.escalates_to.clone());
            level = above.filter(|r| !RUNNERS.contains(&r.as_str()) && !found.contains(r)).collect();
            level.dedup();
            found.extend(level.iter().cloned());
        }
        found.retain(|r| pack.roles.get(r).is_some_and(|r| r.held_by != HeldBy::Everyone));
        found
    }

    /// Takes over a proposal from the terminal: from then on this person is its proposer.
    ///
    /// # Errors
    /// Refused for others than importers, and when it has a proposer.
    pub async fn adopt_proposal(self: &Arc<Self>, who: &Identity, id: &str) -> Result<(), AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        let row = self.proposal(id).await?;
        let (by, at, seal, stream) =
            (who.person.clone(), self.clock.now(), self.seal()?, stream_of(&row.id)?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    org_proposal::adopt(c, &row.id, &by).await?;
                    let payload = json!({"proposal": row.id, "by": by, "at": at});
                    record(c, seal, &stream, "org.adopt", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }

    /// Confirms a proposal: it takes effect.
    ///
    /// # Errors
    /// Refused for the proposer, for whoever gains by it and for others than importers; when it no longer fits.
    pub async fn confirm_proposal(self: &Arc<Self>, who: &Identity, id: &str) -> Result<usize, AppError> {
        let row = self.proposal(id).await?;
        if row.state != ProposalState::Waiting {
            return Err(decided());
        }
        if row.proposed_by.is_empty() {
            return Err(AppError::refused(
                "O007",
                "この提案は端末から出されたものです。まず、取り込める人が内容を確かめて引き取り、それから別の人が確認します。",
            ));
        }
        if row.proposed_by == who.person {
            return Err(AppError::refused(
                "O002",
                "自分が提案した取込みは、自分では確認できません。取り込めるほかの人に確認してもらってください。",
            ));
        }
        let x = self.examine(row).await?;
        if !x.fits {
            return Err(AppError::refused(
                "O005",
                "提案した後に組織が変わったため、この提案のとおりには取り込めません。提案を取り下げて、もう一度「内容を確かめる」から始めてください。",
            ));
        }
        if !x.confirmers.people.contains(&who.person) {
            if self.me(who).await?.administers() {
                return Err(AppError::refused(
                    "O003",
                    "この取込みであなた自身の任命や権限が増えるため、あなたは確認できません。ほかの人に確認してもらってください。",
                ));
            }
            self.may_import_organization(who).await?;
        }
        self.proved(who)?;
        Self::may_decide_now(who)?;
        self.apply_org_file(&who.person, Some(x.row), x.bytes).await
    }

    /// Refuses a proposal, or takes back the own one.
    ///
    /// # Errors
    /// Refused for others than importers and confirmers, and when it no longer waits; a reason is asked of others than the proposer.
    pub async fn refuse_proposal(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        says: &str,
    ) -> Result<(), AppError> {
        let row = self.proposal(id).await?;
        if row.state != ProposalState::Waiting {
            return Err(decided());
        }
        if !self.me(who).await?.administers() {
            let x = self.examine(row.clone()).await?;
            if !x.confirmers.people.contains(&who.person) {
                self.may_import_organization(who).await?;
            }
        }
        self.proved(who)?;
        if says.is_empty() && row.proposed_by != who.person {
            return Err(AppError::field("says", "取り込まない理由を記入してください。"));
        }
        let (by, at, seal, stream) =
            (who.person.clone(), self.clock.now(), self.seal()?, stream_of(&row.id)?);
        let says = sekisho_base::text::shorten(says, MAX_SAYS);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    org_proposal::decide(c, &row.id, false, &by, at, &says).await?;
                    let payload = json!({"proposal": row.id, "by": by, "at": at});
                    record(c, seal, &stream, "org.refuse", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}

fn decided() -> AppError {
    AppError::refused("O004", "この提案は、もう取り込まれたか、取り下げられています。")
}
