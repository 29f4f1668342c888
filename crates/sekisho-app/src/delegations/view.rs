//! What the page of delegations shows, and what the home page tells about them.

use schemars::JsonSchema;
use sekisho_boxed::boxed;
use sekisho_case::authority::roles_of_post;
use sekisho_store::delegation::{self, DelegationRow, DelegationState};
use serde::Serialize;

use super::who::Circle;
use crate::error::AppError;
use crate::login::Identity;
use crate::news::News;
use crate::office::Office;
use crate::registers::RefChoice;

/// Delegations read for the page.
const SHOWN: i64 = 500;
/// For how many days after its end a delegation stays in the list.
const LOOK_BACK: i64 = 366;

/// What was typed into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DelegationForm {
    /// Post code, or `post/role`.
    pub what: String,
    /// Delegate: number, name or kana, or a part of them.
    pub person: String,
    /// Number of whom was chosen from those that fit.
    pub pick: String,
    /// First day, as typed.
    pub from: String,
    /// Last day, as typed.
    pub until: String,
    /// Why.
    pub note: String,
}

/// A delegation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DelegationLine {
    /// Id.
    pub id: String,
    /// Post, as people read it.
    pub post: String,
    /// Role, or 「すべての役割」.
    pub role: String,
    /// Delegate with post.
    pub person: String,
    /// 「…から…まで」.
    pub period: String,
    /// Why.
    pub note: String,
    /// Who proposed it and when.
    pub proposed: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Who decided or ended it and when, what was said; or who can approve.
    pub detail: String,
    /// Id of the field for words with the decision: several forms are on the page.
    pub says_field: String,
    /// Whether the viewer may approve or refuse it now.
    pub may_decide: bool,
    /// Whether the viewer may end it or take it back.
    pub may_end: bool,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DelegationPage {
    /// What is in the form.
    pub form: DelegationForm,
    /// Posts and roles for which the viewer may propose; none: no form.
    pub whats: Vec<RefChoice>,
    /// People near at hand, to choose from; others by number or name.
    pub people: Vec<RefChoice>,
    /// Those whom what stands in the form fits, where it is not clear who is meant.
    pub offered: Vec<RefChoice>,
    /// Delegations that the viewer has to do with.
    pub lines: Vec<DelegationLine>,
}

impl Circle {
    fn title(&self, role: &str) -> String {
        self.pack.roles.get(role).map_or_else(|| role.to_owned(), |r| r.title.clone())
    }

    /// Posts, and each of their roles where there are several, for which a person may propose.
    fn whats(&self, person: &str) -> Vec<RefChoice> {
        let own = self.d.appointments(person, self.today).into_iter().filter(|a| a.role.is_empty());
        let mut posts: Vec<String> = own.map(|a| a.post.clone()).collect();
        for unit in self.d.workplaces(person, self.today) {
            let units = std::iter::once(unit.to_owned())
                .chain(self.d.children(unit, self.today).into_iter().map(|u| u.code.clone()));
            for unit in units {
                posts.extend(self.d.rows().posts.iter().filter(|p| p.unit == unit).map(|p| p.code.clone()));
            }
        }
        posts.retain(|p| self.may_propose(p, person));
        posts.sort();
        posts.dedup();
        let mut found = Vec::new();
        for post in posts {
            let roles = roles_of_post(&post, &self.pack, &self.org, self.today);
            let name = self.d.post_name(&post);
            if roles.is_empty() {
                continue;
            }
            found.push(RefChoice { code: post.clone(), label: format!("{name}（すべての役割）") });
            if roles.len() > 1 {
                found.extend(roles.iter().map(|(role, _)| RefChoice {
                    code: format!("{post}/{role}"),
                    label: format!("{name}（{}だけ）", self.title(role)),
                }));
            }
        }
        found
    }

    /// Whether somebody has to do with a delegation: a party to it, of the post's workplace, or in a position to decide.
    fn concerns(&self, row: &DelegationRow, person: &str) -> bool {
        let place = self.d.post(&row.post).and_then(|p| self.d.workplace(&p.unit));
        place.is_some_and(|u| self.d.workplaces(person, self.today).contains(u.code.as_str()))
            || self.may_end(row, person)
            || row.decided.as_ref().is_some_and(|(who, _)| who == person)
    }

    fn line(&self, row: &DelegationRow, viewer: &str) -> DelegationLine {
        let over = row.until < self.today;
        let (state, class) = match row.state {
            DelegationState::Refused => ("承認しない", "refused"),
            DelegationState::Ended if row.decided.is_none() => ("取下げ", "none"),
            DelegationState::Ended => ("終了", "none"),
            DelegationState::Proposed | DelegationState::Approved if over => ("期間満了", "none"),
            DelegationState::Proposed => ("承認待ち", "wait"),
            DelegationState::Approved if row.from > self.today => ("これから", "running"),
            DelegationState::Approved => ("有効", "done"),
        };
        let open = !over && matches!(row.state, DelegationState::Proposed | DelegationState::Approved);
        let waiting = open && row.state == DelegationState::Proposed;
        let mut detail: Vec<String> = Vec::new();
        if let Some((who, at)) = &row.decided {
            detail.push(format!("{} {}が決定", at.date().japanese(), self.d.person_name(who)));
        }
        if !row.says.is_empty() {
            detail.push(row.says.clone());
        }
        if let Some((who, at)) = &row.ended {
            detail.push(format!("{} {}が終了", at.date().japanese(), self.d.person_name(who)));
        }
        if waiting {
            let names: Vec<String> =
                self.approvers(row).iter().take(3).map(|p| self.d.person_name(p).to_owned()).collect();
            detail.push(if names.is_empty() {
                "承認できる人がいません。上位の役割に人を任命してください。".to_owned()
            } else {
                format!("承認する人：{}", names.join("、"))
            });
        }
        let main = self.d.main_appointment(&row.person, self.today);
        DelegationLine {
            id: row.id.clone(),
            post: self.d.post_name(&row.post),
            role: if row.role.is_empty() { "すべての役割".to_owned() } else { self.title(&row.role) },
            person: self.d.full_name(main.map_or("", |a| &a.post), &row.person),
            period: format!("{}から{}まで", row.from.japanese(), row.until.japanese()),
            note: row.note.clone(),
            proposed: format!(
                "{} {}",
                row.proposed_at.date().japanese(),
                self.d.person_name(&row.proposed_by)
            ),
            state,
            class,
            detail: detail.join("。"),
            says_field: format!("{}.says", row.id),
            may_decide: waiting && self.may_decide(row, viewer).is_ok(),
            may_end: open && self.may_end(row, viewer),
        }
    }
}

#[boxed]
impl Office {
    /// The page of delegations; `form` is what is shown in the form.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delegations(
        &self,
        who: &Identity,
        form: DelegationForm,
    ) -> Result<DelegationPage, AppError> {
        let circle = self.circle().await?;
        let since = circle.today.plus_days(-LOOK_BACK);
        let rows = self
            .store
            .ask(move |c| {
                Box::pin(async move { delegation::since(c, since, SHOWN).await.map_err(AppError::from) })
            })
            .await?;
        let me = who.person.as_str();
        let mut lines: Vec<DelegationLine> =
            rows.iter().filter(|r| circle.concerns(r, me)).map(|r| circle.line(r, me)).collect();
        // What waits for the viewer comes first.
        lines.sort_by_key(|l| !l.may_decide);
        let near = circle.d.colleagues(&circle.d.workplaces(me, circle.today), circle.today);
        let people = near
            .into_iter()
            .filter(|p| p != me)
            .map(|p| RefChoice { label: circle.d.person_name(&p).to_owned(), code: p });
        let offered = circle.d.offered(&form.person, Some(circle.today));
        Ok(DelegationPage { whats: circle.whats(me), people: people.collect(), offered, lines, form })
    }

    /// What the home page tells: proposals that wait for this person, and for whom the person acts today.
    pub(crate) async fn delegation_news(&self, person: &str) -> Result<Vec<News>, AppError> {
        let circle = self.circle().await?;
        let today = circle.today;
        let rows = self
            .store
            .ask(move |c| {
                Box::pin(async move { delegation::waiting(c, today).await.map_err(AppError::from) })
            })
            .await?;
        let news = |text: String, label: &str| News {
            text,
            href: "/delegations".to_owned(),
            label: label.to_owned(),
        };
        let waiting = rows.iter().filter(|r| circle.may_decide(r, person).is_ok()).count();
        let mut told = Vec::new();
        if waiting > 0 {
            told.push(news(
                format!("あなたの承認を待っている職務代理が{waiting}件あります。"),
                "職務代理を開く",
            ));
        }
        for row in circle.d.rows().delegations.iter().filter(|r| r.from <= today && today <= r.until) {
            let (post, until) = (circle.d.post_name(&row.post), row.until.japanese());
            if row.person == person {
                let text = format!(
                    "あなたは{until}まで、{post}の職務代理です。その職にある人が不在か欠員のときに、代わって決めます。"
                );
                told.push(news(text, "職務代理を確かめる"));
            } else if row.proposed_by != person && circle.org.holds(person, &row.post, today) {
                let name = circle.d.person_name(&row.person);
                told.push(news(
                    format!("{until}まで、{name}さんがあなたの職（{post}）の職務代理です。"),
                    "職務代理を確かめる",
                ));
            }
        }
        Ok(told)
    }
}
