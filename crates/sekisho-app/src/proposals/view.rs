//! What the pages show of proposals, and what the home page tells about them.

use schemars::JsonSchema;
use sekisho_boxed::boxed;
use sekisho_store::org_proposal::{self, ProposalRow};
use sekisho_store::proposal::ProposalState;
use serde::Serialize;
use serde_json::{Value, json};

use super::Confirmers;
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::news::News;
use crate::office::Office;
use crate::people::{Me, RUNNERS};
use crate::registers::{ImportPlan, PlanLine};

/// Proposals shown as waiting.
const SHOWN: i64 = 50;

/// A proposal in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProposalLine {
    /// Id.
    pub id: String,
    /// File.
    pub file: String,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: String,
    /// 「追加 3件、変更 1件」.
    pub counts: String,
}

/// The page of one proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalPage {
    /// The line.
    pub line: ProposalLine,
    /// 確認待ち, 取り込みました, 取り下げました.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Who decided it, when, and why; empty while it waits.
    pub decided: String,
    /// Rows that change something, the first of each sheet.
    pub rows: Vec<PlanLine>,
    /// What the person should know.
    pub notes: Vec<String>,
    /// Who can confirm it, or who must be appointed so that somebody can.
    pub confirmers: String,
    /// The organization changed meanwhile: it can only be taken back.
    pub stale: bool,
    /// Whether the viewer may confirm it.
    pub may_confirm: bool,
    /// Whether the viewer may take over one from the terminal.
    pub may_adopt: bool,
    /// Whether the viewer may refuse it or take it back.
    pub may_refuse: bool,
    /// Whether the viewer is its proposer.
    pub own: bool,
}

/// What is kept of a plan.
pub(super) fn summary(plan: &ImportPlan) -> Value {
    let rows: Vec<Value> = plan
        .rows
        .iter()
        .map(|r| json!({"place": r.place, "key": r.key, "action": r.action, "diffs": r.diffs}))
        .collect();
    json!({"added": plan.added, "changed": plan.changed, "notes": plan.notes, "rows": rows})
}

fn texts(v: &Value) -> Vec<String> {
    v.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(v: &Value, key: &str) -> String {
    v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn rows(kept: &Value) -> Vec<PlanLine> {
    let rows = kept.get("rows").and_then(Value::as_array).into_iter().flatten();
    rows.map(|r| PlanLine {
        place: text(r, "place"),
        key: text(r, "key"),
        action: text(r, "action"),
        diffs: r.get("diffs").map(texts).unwrap_or_default(),
    })
    .collect()
}

fn line(d: &Directory, row: &ProposalRow, kept: &Value) -> ProposalLine {
    let count = |key: &str| kept.get(key).and_then(Value::as_u64).unwrap_or_default();
    ProposalLine {
        id: row.id.clone(),
        file: row.name.clone(),
        by: if row.proposed_by.is_empty() {
            "端末（まだ提案者がいません）".to_owned()
        } else {
            d.person_name(&row.proposed_by).to_owned()
        },
        at: row.proposed_at.japanese(),
        counts: format!("追加 {}件、変更 {}件", count("added"), count("changed")),
    }
}

fn parse(row: &ProposalRow) -> Result<Value, AppError> {
    serde_json::from_str(&row.summary).map_err(AppError::internal)
}

#[boxed]
impl Office {
    /// Titles of the roles that may import.
    fn runner_titles(&self) -> String {
        let pack = self.pack();
        let titles = RUNNERS.iter().filter_map(|r| pack.roles.get(*r)).map(|r| format!("「{}」", r.title));
        titles.collect::<Vec<_>>().join("か")
    }

    /// What is said to somebody who imports while nobody else may: which role must be filled; nothing where there are several.
    ///
    /// # Errors
    /// The database failed.
    pub async fn second_importer_missing(&self) -> Result<Option<String>, AppError> {
        let d = self.directory().await?;
        Ok((self.importers(&d).len() < 2).then(|| {
            format!(
                "組織を取り込める人が1人しかいません。取込みはもう1人が確認して初めて効力を持ちます。{}に、もう1人を任命してください。それまでは、上位の役割の人が確認します。",
                self.runner_titles()
            )
        }))
    }

    fn who_confirms(&self, d: &Directory, found: &Confirmers) -> String {
        let names: Vec<String> = found.people.iter().take(5).map(|p| d.person_name(p).to_owned()).collect();
        match (names.is_empty(), found.above.is_empty()) {
            (true, _) => format!(
                "確認できる人がいません。提案した人と、この取込みで任命や権限が増える人は確認できません。{}に、ほかの人を任命する必要があります。",
                self.runner_titles()
            ),
            (false, true) => format!("確認できる人：{}", names.join("、")),
            (false, false) => format!(
                "取り込めるほかの人がいないため、上位の役割（{}）の{}が確認します。{}に、もう1人を任命してください。",
                found.above,
                names.join("、"),
                self.runner_titles()
            ),
        }
    }

    /// Proposals that wait, for those who may import.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn waiting_proposals(&self, d: &Directory) -> Result<Vec<ProposalLine>, AppError> {
        let rows = self.waiting_rows().await?;
        rows.iter().map(|r| Ok(line(d, r, &parse(r)?))).collect()
    }

    async fn waiting_rows(&self) -> Result<Vec<ProposalRow>, AppError> {
        self.store
            .read(|c| Box::pin(async move { org_proposal::waiting(c, SHOWN).await.map_err(AppError::from) }))
            .await
    }

    /// The page of one proposal.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for those who neither may import nor can confirm it.
    pub async fn proposal_page(&self, who: &Identity, id: &str) -> Result<ProposalPage, AppError> {
        let row = self.proposal(id).await?;
        let (d, administers) = (self.directory().await?, self.me(who).await?.administers());
        let kept = parse(&row)?;
        let mut page = ProposalPage {
            line: line(&d, &row, &kept),
            state: "確認待ち",
            class: "wait",
            decided: row
                .decided
                .as_ref()
                .map(|(p, at)| format!("{} {}", at.japanese(), d.person_name(p)))
                .unwrap_or_default(),
            rows: rows(&kept),
            notes: kept.get("notes").map(texts).unwrap_or_default(),
            confirmers: String::new(),
            stale: false,
            may_confirm: false,
            may_adopt: false,
            may_refuse: false,
            own: row.proposed_by == who.person,
        };
        if !row.says.is_empty() {
            page.decided = format!("{}　理由：{}", page.decided, row.says);
        }
        match row.state {
            ProposalState::Applied => (page.state, page.class) = ("取り込みました", "done"),
            ProposalState::Refused => (page.state, page.class) = ("取り下げました", "refused"),
            ProposalState::Waiting => {
                let x = self.examine(row).await?;
                let confirms = x.confirmers.people.contains(&who.person);
                if !administers && !confirms {
                    return Err(AppError::NotFound);
                }
                page.stale = !x.fits;
                page.may_adopt = administers && x.row.proposed_by.is_empty() && x.fits;
                page.may_confirm = confirms && !x.row.proposed_by.is_empty();
                page.may_refuse = true;
                if x.fits && !x.row.proposed_by.is_empty() {
                    page.confirmers = self.who_confirms(&d, &x.confirmers);
                }
                return Ok(page);
            }
        }
        let decider = row.decided.as_ref().is_some_and(|(p, _)| *p == who.person);
        if administers || decider { Ok(page) } else { Err(AppError::NotFound) }
    }

    /// What the home page tells: proposals that this person can confirm or take over.
    pub(crate) async fn proposal_news(&self, me: &Me) -> Result<Vec<News>, AppError> {
        let rows = self.waiting_rows().await?;
        let mut told = Vec::new();
        if rows.is_empty() {
            return Ok(told);
        }
        let administers = me.administers();
        let above = self.roles_above_importers();
        if !administers && !me.roles().iter().any(|r| above.contains(&r.role)) {
            return Ok(told);
        }
        for row in rows {
            let href = format!("/organization/proposals/{}", row.id);
            let text = if row.proposed_by.is_empty() {
                if !administers {
                    continue;
                }
                format!("端末から出された組織の取込み（{}）が、提案者を待っています。", row.name)
            } else if administers {
                if row.proposed_by == me.person {
                    continue;
                }
                format!("組織の取込み（{}）が、2人目の確認を待っています。", row.name)
            } else {
                let name = row.name.clone();
                let x = self.examine(row).await?;
                if !x.confirmers.people.contains(&me.person) {
                    continue;
                }
                format!("組織の取込み（{name}）が、あなたの確認を待っています。")
            };
            told.push(News { text, href, label: "内容を確かめる".to_owned() });
        }
        Ok(told)
    }
}
