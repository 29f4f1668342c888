//! Packs on a running body: somebody proposes a version, a second person lets it take effect, never the proposer and never
//! somebody who gains a role by it (design §5). What changes and what the publication check found are kept as they were
//! shown. Running cases keep the version they started with; going back is proposing an earlier version again.

mod assess;
mod edit;
mod history;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_store::pack::{self as versions, PackRow};
use sekisho_store::pack_proposal::{self, PackProposalRow};
use sekisho_store::proposal::ProposalState;
use sekisho_store::{account, ledger, setting};
use serde_json::json;

use assess::{Assessed, decided, nothing_new};
pub use edit::{EditCheck, EditFile, EditFilePage, EditFolder, EditMessage, EditPage};
pub use history::{
    ChangedLine, Choice, CompareFilePage, ComparePage, FileChange, OnDay, Side, TermLine, VersionFilePage,
    VersionPage,
};
pub use view::{AreaView, FindingView, PackProposalPage, PacksPage, ProposedLine, VersionLine};

use crate::error::AppError;
use crate::login::{Identity, login_name};
use crate::office::{Office, RUNNING};
use crate::people::{Me, RUNNERS};
use crate::record::{record, stream_of};

/// Roles whose holders let a pack take effect: the standard is theirs to decide.
const PUBLISHERS: [&str; 3] = ["ciso", "deputy_ciso", "head_security_officer"];
/// Longest reason of a refusal, in characters.
const MAX_SAYS: usize = 300;

/// Whether this person decides which version runs.
pub(crate) fn publishes(me: &Me) -> bool {
    me.roles().iter().any(|r| PUBLISHERS.contains(&r.role.as_str()))
}

#[boxed]
impl Office {
    /// Who may propose: whoever runs the system, and whoever decides.
    async fn may_propose_pack(&self, who: &Identity) -> Result<Me, AppError> {
        let me = self.me(who).await?;
        if me.administers() || publishes(&me) {
            return Ok(me);
        }
        Err(AppError::refused(
            "B011",
            format!(
                "基準の版を提案できるのは、{}の人です。",
                self.role_titles(&[&RUNNERS[..], &PUBLISHERS].concat())
            ),
        ))
    }

    /// Titles of roles that the running pack has.
    fn role_titles(&self, roles: &[&str]) -> String {
        let pack = self.pack();
        let titles = roles.iter().filter_map(|r| pack.roles.get(*r)).map(|r| format!("「{}」", r.title));
        titles.collect::<Vec<_>>().join("、")
    }

    /// Proposes a pack from the terminal in the name of a person, who must take it over on the page before anybody can
    /// confirm it: the terminal knows nobody.
    ///
    /// # Errors
    /// Nobody has this login, the pack is not valid or fails its tests, or it is the running one.
    pub async fn propose_pack_from_terminal(
        self: &Arc<Self>,
        files: BTreeMap<String, String>,
        login: &str,
    ) -> Result<String, AppError> {
        let name = login_name(login);
        let found = self
            .store
            .read(move |c| Box::pin(async move { account::by_login(c, &name).await.map_err(AppError::from) }))
            .await?;
        let person = found.filter(|a| a.active).map(|a| a.person).ok_or_else(|| {
            AppError::refused(
                "B012",
                format!(
                    "ログイン名「{login}」の人はいません。--by に提案する人のログイン名を指定してください。"
                ),
            )
        })?;
        self.keep_pack_proposal(files, &person, "").await
    }

    /// Proposes an earlier version again.
    ///
    /// # Errors
    /// Refused for others than proposers; the version is not stored, can no longer be read, or runs.
    pub async fn propose_earlier_pack(
        self: &Arc<Self>,
        who: &Identity,
        hash: &str,
    ) -> Result<String, AppError> {
        self.may_propose_pack(who).await?;
        self.proved(who)?;
        let key = hash.to_owned();
        let row = self
            .store
            .read(move |c| Box::pin(async move { versions::get(c, &key).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)?;
        self.keep_pack_proposal(row.files, "", &who.person).await
    }

    async fn keep_pack_proposal(
        self: &Arc<Self>,
        files: BTreeMap<String, String>,
        named: &str,
        by: &str,
    ) -> Result<String, AppError> {
        let assessed = self.assess_pack(&files).await?;
        if assessed.pack.hash == assessed.base.hash {
            return Err(nothing_new());
        }
        let (id, at, seal) = (self.new_id()?, self.clock.now(), self.seal()?);
        let version = PackRow {
            hash: assessed.pack.hash.clone(),
            name: assessed.pack.meta.name.clone(),
            version: assessed.pack.meta.version.clone(),
            files,
            loaded_at: at,
            loaded_by: if by.is_empty() { named.to_owned() } else { by.to_owned() },
        };
        let row = PackProposalRow {
            id: id.to_string(),
            hash: version.hash.clone(),
            base: assessed.base.hash.clone(),
            shown: assessed.digest()?,
            summary: assessed.summary()?,
            state: ProposalState::Waiting,
            named: named.to_owned(),
            proposed_by: by.to_owned(),
            proposed_at: at,
            decided: None,
            says: String::new(),
        };
        let key = row.id.clone();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    versions::put(c, &version).await?;
                    pack_proposal::put(c, &row).await?;
                    let by = if row.proposed_by.is_empty() { "terminal" } else { row.proposed_by.as_str() };
                    let payload = json!({"proposal": row.id, "by": by, "named": row.named, "at": at, "hash": row.hash, "base": row.base, "shown": row.shown});
                    record(c, seal, &ledger::stream_id(id), "pack.propose", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        Ok(key)
    }

    async fn pack_proposal(&self, id: &str) -> Result<PackProposalRow, AppError> {
        let id = id.to_owned();
        self.store
            .read(move |c| Box::pin(async move { pack_proposal::get(c, &id).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)
    }

    /// What a waiting proposal would change today, and what the check finds today.
    async fn reassess(&self, row: &PackProposalRow) -> Result<Assessed, AppError> {
        let key = row.hash.clone();
        let version = self
            .store
            .read(move |c| Box::pin(async move { versions::get(c, &key).await.map_err(AppError::from) }))
            .await?
            .ok_or_else(|| AppError::internal(format!("pack {} is not stored", row.hash)))?;
        self.assess_pack(&version.files).await
    }

    /// Takes over a proposal that the terminal made in one's name.
    ///
    /// # Errors
    /// Refused for everybody but the person named, and when it has a proposer or is decided.
    pub async fn adopt_pack_proposal(self: &Arc<Self>, who: &Identity, id: &str) -> Result<(), AppError> {
        self.may_propose_pack(who).await?;
        let row = self.pack_proposal(id).await?;
        if row.named != who.person {
            return Err(AppError::refused(
                "B013",
                "この提案を引き取れるのは、端末で提案者として指定された本人だけです。",
            ));
        }
        if row.state != ProposalState::Waiting || !row.proposed_by.is_empty() {
            return Err(decided());
        }
        self.proved(who)?;
        let (by, at, seal, stream) =
            (who.person.clone(), self.clock.now(), self.seal()?, stream_of(&row.id)?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    pack_proposal::adopt(c, &row.id, &by).await?;
                    let payload = json!({"proposal": row.id, "by": by, "at": at});
                    record(c, seal, &stream, "pack.adopt", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }

    /// Why somebody may not confirm a proposal; nothing when the person may.
    async fn bar_to_confirm(
        &self,
        who: &Identity,
        row: &PackProposalRow,
        x: &Assessed,
    ) -> Result<Option<AppError>, AppError> {
        let me = self.me(who).await?;
        let refused = |code, text: String| Ok(Some(AppError::refused(code, text)));
        if !publishes(&me) {
            return refused(
                "B014",
                format!("基準の版を確認して使い始められるのは、{}の人です。", self.role_titles(&PUBLISHERS)),
            );
        }
        if row.proposed_by.is_empty() {
            return refused(
                "B015",
                "この提案は端末から出されたものです。まず提案者として指定された本人が引き取り、それから別の人が確認します。".to_owned(),
            );
        }
        if row.proposed_by == who.person || row.named == who.person {
            return refused(
                "B016",
                "自分が提案した版は、自分では確認できません。ほかの人に確認してもらってください。".to_owned(),
            );
        }
        if x.gains_role(&who.person, self.clock.today()) {
            return refused(
                "B017",
                "この版であなた自身の役割が増えるため、あなたは確認できません。ほかの人に確認してもらってください。".to_owned(),
            );
        }
        if x.base.hash != row.base {
            return refused(
                "B018",
                "提案した後に別の版が使われ始めました。この提案を取り下げて、今の版との違いを確かめてから、もう一度提案してください。".to_owned(),
            );
        }
        if !x.report.sound() {
            return refused("B019", "確かめた結果に「不可」があるため、この版は使い始められません。パックを直して、もう一度提案してください。".to_owned());
        }
        Ok(None)
    }

    /// Lets a proposal take effect, for new cases from now on. `shown` is the digest of what the page showed; the
    /// warnings must be acknowledged where there are any.
    ///
    /// # Errors
    /// Refused for the proposer, for whoever gains a role by it and for others than those who decide the standard; when
    /// something blocks, when another version runs meanwhile, or when today's findings are not those that were shown.
    pub async fn confirm_pack_proposal(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        shown: &str,
        acknowledged: bool,
    ) -> Result<(), AppError> {
        let row = self.pack_proposal(id).await?;
        let me = self.me(who).await?;
        if !publishes(&me) && !me.administers() {
            return Err(AppError::NotFound);
        }
        if row.state != ProposalState::Waiting {
            return Err(decided());
        }
        let x = self.reassess(&row).await?;
        if let Some(bar) = self.bar_to_confirm(who, &row, &x).await? {
            return Err(bar);
        }
        self.proved(who)?;
        Self::may_decide_now(who)?;
        if x.digest()? != shown {
            return Err(AppError::refused(
                "B020",
                "画面を開いた後に、確かめた結果が変わりました。画面を開き直して、もう一度確かめてください。",
            ));
        }
        if !x.report.findings.is_empty() && !acknowledged {
            return Err(AppError::field("acknowledged", "警告を読み、承知したことを示してください。"));
        }
        self.rules(&x.pack)?;
        let specs: Vec<_> = x.pack.registers.values().map(crate::registers::table_spec).collect();
        let (at, by, seal, stream) =
            (self.clock.now(), who.person.clone(), self.seal()?, stream_of(&row.id)?);
        let pack = Arc::clone(&x.pack);
        let meta = pack.meta.clone();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    // Another confirmation may have come first.
                    if setting::get(c, RUNNING).await?.as_deref() != Some(row.base.as_str()) {
                        return Err(decided());
                    }
                    pack_proposal::decide(c, &row.id, true, &by, at, "").await?;
                    for spec in &specs {
                        sekisho_store::register::ensure(c, spec).await?;
                    }
                    setting::set(c, RUNNING, &row.hash).await?;
                    let payload = json!({"pack": meta.name, "version": meta.version, "hash": row.hash, "before": row.base, "by": by, "proposed_by": row.proposed_by, "proposal": row.id, "shown": row.shown, "at": at});
                    record(c, seal, &stream, "pack.load", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        self.switch_pack(pack);
        // What follows from the new version's checks and duties; the daily job repeats it where it fails.
        let followed = async {
            crate::duties::run_day(self).await?;
            crate::checks::run_all(self).await
        };
        if let Err(e) = followed.await {
            tracing::error!(error = %e, "checks of the new pack failed; they run again with the daily job");
        }
        Ok(())
    }

    /// Refuses a proposal, or takes back the own one.
    ///
    /// # Errors
    /// Refused for others than proposers and those who decide, and when it no longer waits; a reason is asked of others
    /// than the proposer.
    pub async fn refuse_pack_proposal(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        says: &str,
    ) -> Result<(), AppError> {
        let me = self.may_propose_pack(who).await?;
        let row = self.pack_proposal(id).await?;
        if row.state != ProposalState::Waiting {
            return Err(decided());
        }
        let own = row.proposed_by == me.person || row.named == me.person;
        if !own && !publishes(&me) {
            return Err(AppError::refused(
                "B021",
                format!("ほかの人の提案を断れるのは、{}の人です。", self.role_titles(&PUBLISHERS)),
            ));
        }
        self.proved(who)?;
        if says.trim().is_empty() && !own {
            return Err(AppError::field("says", "使い始めない理由を記入してください。"));
        }
        let (by, at, seal, stream) =
            (who.person.clone(), self.clock.now(), self.seal()?, stream_of(&row.id)?);
        let says = sekisho_base::text::shorten(says.trim(), MAX_SAYS);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    pack_proposal::decide(c, &row.id, false, &by, at, &says).await?;
                    let payload = json!({"proposal": row.id, "by": by, "at": at});
                    record(c, seal, &stream, "pack.refuse", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}
