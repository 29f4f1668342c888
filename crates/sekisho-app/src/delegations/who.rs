//! Who proposes, approves and ends a delegation, and who can be a delegate.

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_case::authority::{in_role, roles_of_post};
use sekisho_case::org::Org;
use sekisho_pack::model::Pack;
use sekisho_store::delegation::DelegationRow;

use crate::directory::Directory;
use crate::error::AppError;
use crate::office::Office;

/// Most steps of escalation that are followed upward.
const MAX_LEVELS: usize = 8;

/// What these questions are asked of: the organization, the pack and the day.
pub(super) struct Circle {
    pub d: Arc<Directory>,
    pub org: Arc<Org>,
    pub pack: Arc<Pack>,
    pub today: Date,
}

impl Office {
    pub(super) async fn circle(&self) -> Result<Circle, AppError> {
        let (d, org) = self.load_organization().await?;
        Ok(Circle { d, org, pack: self.pack(), today: self.clock.today() })
    }
}

impl Circle {
    /// Heads above a post: of the unit above for a head post, of its own unit for another.
    pub fn heads_above(&self, post: &str, but: &[&str]) -> BTreeSet<String> {
        let Some(post) = self.d.post(post) else { return BTreeSet::new() };
        let from = if post.head {
            self.d.workplace(&post.unit).and_then(|u| u.parent.as_deref())
        } else {
            Some(post.unit.as_str())
        };
        let mut but = but.to_vec();
        let holders = self.org.holders(&post.code, self.today);
        but.extend(holders);
        from.map(|unit| self.d.heads_from(unit, self.today, &but)).unwrap_or_default()
    }

    fn holds(&self, post: &str, person: &str) -> bool {
        self.org.holds(person, post, self.today)
    }

    /// The holder of the post, or the head above it.
    pub fn may_propose(&self, post: &str, person: &str) -> bool {
        self.holds(post, person) || self.heads_above(post, &[]).contains(person)
    }

    /// Who may approve: those in the role that the post's role escalates to and the head above, without proposer and delegate; where
    /// nobody is left, those of the next role upward.
    pub fn approvers(&self, row: &DelegationRow) -> BTreeSet<String> {
        let but = [row.proposed_by.as_str(), row.person.as_str()];
        let held = roles_of_post(&row.post, &self.pack, &self.org, self.today);
        let mut level: Vec<(String, String)> =
            held.into_iter().filter(|(r, _)| row.role.is_empty() || *r == row.role).collect();
        let mut found = self.heads_above(&row.post, &but);
        for _ in 0..MAX_LEVELS {
            let next = level.iter().filter_map(|(role, unit)| {
                Some((self.pack.roles.get(role)?.escalates_to.clone()?, unit.clone()))
            });
            level = next.collect();
            let roles = level.iter().filter_map(|(role, unit)| Some((self.pack.roles.get(role)?, unit)));
            let people = roles.flat_map(|(role, unit)| in_role(role, unit, &self.org, self.today));
            found.extend(people.filter(|p| !but.contains(&p.as_str())));
            found.retain(|p| !self.holds(&row.post, p));
            if !found.is_empty() || level.is_empty() {
                break;
            }
        }
        found
    }

    /// Whether a person may approve or refuse.
    pub fn may_decide(&self, row: &DelegationRow, person: &str) -> Result<(), AppError> {
        if row.proposed_by == person {
            return Err(AppError::refused(
                "T003",
                "自分が願い出た職務代理は、自分では承認できません。上位の役割の人が承認します。",
            ));
        }
        if row.person == person {
            return Err(AppError::refused(
                "T003",
                "自分が代理する人になる職務代理は、自分では承認できません。上位の役割の人が承認します。",
            ));
        }
        let approvers = self.approvers(row);
        if approvers.contains(person) {
            return Ok(());
        }
        let names: Vec<String> =
            approvers.iter().take(5).map(|p| format!("{}さん", self.d.person_name(p))).collect();
        Err(AppError::refused("T004", format!("この職務代理を承認するのは{}です。", names.join("、"))))
    }

    /// Whether a person may end it or take it back: that only takes power away.
    pub fn may_end(&self, row: &DelegationRow, person: &str) -> bool {
        row.person == person
            || row.proposed_by == person
            || self.holds(&row.post, person)
            || self.heads_above(&row.post, &[]).contains(person)
            || self.approvers(row).contains(person)
    }

    /// Whether a person can act for a post: in office, not its holder, and in no role that may not be held together with it.
    pub fn fit_to_act(&self, post: &str, role: &str, person: &str) -> Result<(), AppError> {
        if self.d.person(person).is_none() {
            return Err(AppError::field(
                "person",
                "この職員番号の人はいません。「組織」で職員番号を確かめてください。",
            ));
        }
        if !self.org.in_office(person, self.today) {
            return Err(AppError::field(
                "person",
                "この人は今、どの職にも就いていないため、代理になれません。",
            ));
        }
        if self.holds(post, person) {
            return Err(AppError::field("person", "その職にある本人は、代理になれません。"));
        }
        let own = self.org.roles_of(person, &self.pack.roles, self.today);
        for (wanted, _) in roles_of_post(post, &self.pack, &self.org, self.today) {
            if !(role.is_empty() || wanted == role) {
                continue;
            }
            let Some(wanted) = self.pack.roles.get(&wanted) else { continue };
            let held = own.iter().filter_map(|(id, _)| self.pack.roles.get(id));
            if let Some(clash) =
                held.into_iter().find(|h| h.not_with.contains(&wanted.id) || wanted.not_with.contains(&h.id))
            {
                return Err(AppError::field(
                    "person",
                    format!(
                        "{}さんは「{}」なので、「{}」の代理にはなれません（一緒に担えない役割です）。",
                        self.d.person_name(person),
                        clash.title,
                        wanted.title
                    ),
                ));
            }
        }
        Ok(())
    }
}
