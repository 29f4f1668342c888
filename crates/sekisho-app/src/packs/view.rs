//! What the pages show of versions and proposals.

use sekisho_boxed::boxed;
use sekisho_case::publish::{Group, Severity};
use sekisho_pack::diff::Area;
use sekisho_store::pack::{self as versions, VersionHead};
use sekisho_store::pack_proposal::{self, PackProposalRow};
use sekisho_store::proposal::ProposalState;
use serde_json::Value;

use super::history::{OnDay, TermLine};
use super::{Assessed, publishes};
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::news::News;
use crate::office::Office;
use crate::people::Me;

/// Proposals and versions shown.
pub(super) const SHOWN: i64 = 50;
/// Findings of one kind written out.
const REASONS: usize = 5;

/// A stored version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionLine {
    /// Key of the version.
    pub hash: String,
    /// First characters of it, for telling versions apart.
    pub short: String,
    /// Name and version.
    pub name: String,
    /// When it was stored, and by whom.
    pub stored: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether the viewer may read it.
    pub readable: bool,
}

/// A proposal in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedLine {
    /// Id.
    pub id: String,
    /// First characters of the version's key.
    pub short: String,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: String,
    /// 確認待ち, 使い始めました, 取り下げました.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
}

/// The page 「基準の版」.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacksPage {
    /// Title and version of the running pack.
    pub running: String,
    /// Key of the running version.
    pub hash: String,
    /// What was in force on the day that was asked for.
    pub on: OnDay,
    /// Every time in which a version was in force, the latest first.
    pub terms: Vec<TermLine>,
    /// Stored versions, the newest first.
    pub versions: Vec<VersionLine>,
    /// Proposals, the newest first; none for those who neither propose nor decide.
    pub proposals: Vec<ProposedLine>,
    /// Whether the viewer may propose.
    pub may_propose: bool,
}

/// Changes of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaView {
    /// 権限, 役割 …
    pub title: &'static str,
    /// One sentence each.
    pub lines: Vec<String>,
}

/// Findings of one kind at one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingView {
    /// 不可, 警告.
    pub severity: &'static str,
    /// Whether it blocks.
    pub blocks: bool,
    /// 「情報資産等の持出」の「許可」.
    pub place: String,
    /// Reasons, the first few.
    pub reasons: Vec<String>,
    /// How many more there are, and where; empty when none.
    pub more: String,
    /// What to do.
    pub remedy: String,
}

/// The page of one proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackProposalPage {
    /// The line.
    pub line: ProposedLine,
    /// Key of the version proposed.
    pub hash: String,
    /// Key of the version that ran when it was proposed.
    pub base: String,
    /// Title and version of the pack.
    pub name: String,
    /// Who decided it, when and why; empty while it waits.
    pub decided: String,
    /// What changes.
    pub areas: Vec<AreaView>,
    /// What the check finds.
    pub findings: Vec<FindingView>,
    /// Whether there are warnings to acknowledge.
    pub warnings: bool,
    /// Digest of what is shown.
    pub shown: String,
    /// Whether the viewer may confirm it.
    pub may_confirm: bool,
    /// Why the viewer may not; empty when there is nothing to say.
    pub bar: String,
    /// Whether the viewer may take it over.
    pub may_adopt: bool,
    /// Whether the viewer may refuse it or take it back.
    pub may_refuse: bool,
    /// Whether it is the viewer's own.
    pub own: bool,
}

pub(super) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn line(d: &Directory, row: &PackProposalRow) -> ProposedLine {
    let (state, class) = match row.state {
        ProposalState::Waiting => ("確認待ち", "wait"),
        ProposalState::Applied => ("使い始めました", "done"),
        ProposalState::Refused => ("取り下げました", "refused"),
    };
    let by = if row.proposed_by.is_empty() {
        format!("端末（{}さんの引取り待ち）", d.person_name(&row.named))
    } else {
        d.person_name(&row.proposed_by).to_owned()
    };
    ProposedLine {
        id: row.id.clone(),
        short: short(&row.hash),
        by,
        at: row.proposed_at.japanese(),
        state,
        class,
    }
}

fn areas(kept: &Value) -> Result<Vec<AreaView>, AppError> {
    let changes = kept.get("changes").cloned().unwrap_or_default();
    let changes: Vec<sekisho_pack::diff::Change> =
        serde_json::from_value(changes).map_err(AppError::internal)?;
    Ok(area_views(&changes))
}

/// Changes by kind, one sentence each.
pub(super) fn area_views(changes: &[sekisho_pack::diff::Change]) -> Vec<AreaView> {
    let mut out: Vec<(Area, AreaView)> = Vec::new();
    for c in changes {
        if out.last().is_none_or(|(area, _)| *area != c.area) {
            out.push((c.area, AreaView { title: c.area.japanese(), lines: vec![] }));
        }
        if let Some((_, view)) = out.last_mut() {
            view.lines.push(c.to_string());
        }
    }
    out.into_iter().map(|(_, v)| v).collect()
}

fn finding(g: &Group<'_>, x: &Assessed) -> FindingView {
    let mut reasons: Vec<String> = Vec::new();
    for f in &g.findings {
        let at = if f.section.is_empty() {
            String::new()
        } else {
            format!("［{}］", x.org.unit_name(&f.section))
        };
        let reason = format!("{at}{}", f.reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let rest = reasons.len().saturating_sub(REASONS);
    reasons.truncate(REASONS);
    let more =
        if rest > 0 { format!("ほかに{rest}件（{}）", g.section_names(&x.org)) } else { String::new() };
    FindingView {
        severity: g.severity.japanese(),
        blocks: g.severity == Severity::Block,
        place: g.place(&x.pack),
        reasons,
        more,
        remedy: g.findings.first().map(|f| f.remedy.clone()).unwrap_or_default(),
    }
}

#[boxed]
impl Office {
    /// The page 「基準の版」; `on` is the day, as typed, for which somebody asks what was in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn packs_page(&self, who: &Identity, on: &str) -> Result<PacksPage, AppError> {
        let (me, d, pack) = (self.me(who).await?, self.directory().await?, self.pack());
        let may_propose = me.administers() || publishes(&me);
        let (heads, rows) = self
            .store
            .read(|c| {
                Box::pin(async move {
                    Ok::<_, AppError>((versions::list(c, SHOWN).await?, pack_proposal::list(c, SHOWN).await?))
                })
            })
            .await?;
        let (on, terms) = self.packs_in_time(&d, on, may_propose).await?;
        let version = |v: VersionHead| VersionLine {
            short: short(&v.hash),
            name: format!("{} {}", v.name, v.version),
            stored: format!("{} {}", v.loaded_at.short(), d.person_name(&v.loaded_by)),
            running: v.hash == pack.hash,
            readable: may_propose || terms.iter().any(|t| t.hash == v.hash),
            hash: v.hash,
        };
        Ok(PacksPage {
            running: format!("{} {}", pack.meta.title, pack.meta.version),
            hash: pack.hash.clone(),
            versions: heads.into_iter().map(version).collect(),
            on,
            terms,
            proposals: if may_propose { rows.iter().map(|r| line(&d, r)).collect() } else { vec![] },
            may_propose,
        })
    }

    /// The page of one proposal.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for those who neither propose nor decide.
    pub async fn pack_proposal_page(&self, who: &Identity, id: &str) -> Result<PackProposalPage, AppError> {
        let me = self.me(who).await?;
        if !me.administers() && !publishes(&me) {
            return Err(AppError::NotFound);
        }
        let row = self.pack_proposal(id).await?;
        let d = me.directory();
        let kept: Value = serde_json::from_str(&row.summary).map_err(AppError::internal)?;
        let decided = row.decided.as_ref().map(|(p, at)| {
            let why = if row.says.is_empty() { String::new() } else { format!("　理由：{}", row.says) };
            format!("{} {}{why}", at.japanese(), d.person_name(p))
        });
        let own = row.proposed_by == me.person || row.named == me.person;
        let mut page = PackProposalPage {
            line: line(d, &row),
            hash: row.hash.clone(),
            base: row.base.clone(),
            name: String::new(),
            decided: decided.unwrap_or_default(),
            areas: areas(&kept)?,
            findings: vec![],
            warnings: false,
            shown: String::new(),
            may_confirm: false,
            bar: String::new(),
            may_adopt: false,
            may_refuse: false,
            own,
        };
        if row.state != ProposalState::Waiting {
            let pack = self.pack_of(&row.hash).await?;
            page.name = format!("{} {}", pack.meta.title, pack.meta.version);
            return Ok(page);
        }
        let x = self.reassess(&row).await?;
        page.name = format!("{} {}", x.pack.meta.title, x.pack.meta.version);
        page.findings = x.report.grouped().iter().map(|g| finding(g, &x)).collect();
        page.warnings = !page.findings.is_empty();
        page.shown = x.digest()?;
        page.may_adopt = row.proposed_by.is_empty() && row.named == me.person;
        page.may_refuse = own || publishes(&me);
        match self.bar_to_confirm(who, &row, &x).await? {
            None => page.may_confirm = true,
            Some(AppError::Refused { message, .. }) => page.bar = message,
            Some(e) => return Err(e),
        }
        Ok(page)
    }

    /// What the home page tells: proposals that this person can confirm or take over.
    pub(crate) async fn pack_news(&self, me: &Me) -> Result<Vec<News>, AppError> {
        if !me.administers() && !publishes(me) {
            return Ok(vec![]);
        }
        let rows = self
            .store
            .read(|c| Box::pin(async move { pack_proposal::list(c, SHOWN).await.map_err(AppError::from) }))
            .await?;
        let told = |row: PackProposalRow| {
            let text = if row.proposed_by.is_empty() {
                (row.named == me.person).then_some("端末から、あなたの名前で基準の版が提案されています。")
            } else {
                (publishes(me) && row.proposed_by != me.person)
                    .then_some("基準の新しい版が、あなたの確認を待っています。")
            };
            let href = format!("/packs/proposals/{}", row.id);
            text.map(|t| News { text: t.to_owned(), href, label: "違いを見る".to_owned() })
        };
        Ok(rows.into_iter().filter(|r| r.state == ProposalState::Waiting).filter_map(told).collect())
    }
}
