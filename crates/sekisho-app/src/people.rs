//! Who somebody is today: posts, roles with their scope, and what follows for seeing and keeping records.

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::org::Org;
use sekisho_pack::model::{HeldBy, Pack, Register, Scope};
use sekisho_store::Viewer;

use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::sight::{Sight, sight_of};

/// A role somebody holds, over these units; no units is the whole body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRole {
    /// Role id.
    pub role: String,
    /// Units it covers, or the whole body.
    pub units: Option<Vec<String>>,
}

/// A logged-in person as pages and use cases need them.
#[derive(Debug, Clone)]
pub struct Me {
    /// Person number.
    pub person: String,
    /// Name.
    pub name: String,
    /// Name of the unit of the main appointment.
    pub section: String,
    /// Title of the main post.
    pub post: String,
    unit: String,
    posts: Vec<String>,
    roles: Vec<HeldRole>,
    sight: Sight,
    directory: Arc<Directory>,
    org: Arc<Org>,
}

impl Me {
    /// Unit of the main appointment.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Codes of the posts held today.
    #[must_use]
    pub fn posts(&self) -> &[String] {
        &self.posts
    }

    /// The organization as it was when this person was looked up: one request works with one.
    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The same as the case engine sees it.
    pub(crate) fn org(&self) -> &Arc<Org> {
        &self.org
    }

    /// Roles held today.
    pub(crate) fn roles(&self) -> &[HeldRole] {
        &self.roles
    }

    /// What this person may see.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.sight.viewer
    }

    pub(crate) fn sight(&self) -> &Sight {
        &self.sight
    }

    /// Whether this person sees records of the whole body.
    #[must_use]
    pub fn sees_whole_body(&self) -> bool {
        self.viewer().units.is_none()
    }

    /// Whether this person runs the system: imports, packs, accounts.
    #[must_use]
    pub fn administers(&self) -> bool {
        self.roles.iter().any(|r| RUNNERS.contains(&r.role.as_str()))
    }

    /// Whether this person hands out the file with which guards check permits: whoever runs the system, and heads of units.
    #[must_use]
    pub fn hands_out_checkers(&self) -> bool {
        self.administers() || self.sight.heads_units()
    }

    /// Whether this person keeps the rows of a register that belong to a unit.
    #[must_use]
    pub fn keeps(&self, r: &Register, unit: &str) -> bool {
        self.administers()
            || self.roles.iter().any(|h| {
                h.role == r.kept_by && h.units.as_ref().is_none_or(|units| units.iter().any(|u| u == unit))
            })
    }

    /// Whether this person keeps rows of a register somewhere.
    #[must_use]
    pub fn keeps_anything(&self, r: &Register) -> bool {
        self.administers() || self.roles.iter().any(|h| h.role == r.kept_by)
    }
}

/// Roles whose holders run the system: imports, packs, accounts.
pub(crate) const RUNNERS: [&str; 2] = ["information_system_manager", "system_operator"];

/// Roles of a person on a day.
pub(crate) fn roles(pack: &Pack, d: &Directory, person: &str, day: Date) -> Vec<HeldRole> {
    let mut out = Vec::new();
    let appointments = d.appointments(person, day);
    for role in pack.roles.values() {
        match &role.held_by {
            HeldBy::Everyone => {
                if !appointments.is_empty() {
                    out.push(HeldRole { role: role.id.clone(), units: None });
                }
            }
            HeldBy::Post(code) => {
                if appointments.iter().any(|a| a.post == *code) {
                    out.push(HeldRole { role: role.id.clone(), units: None });
                }
            }
            HeldBy::Titled(title) => {
                for post in appointments.iter().filter_map(|a| d.post(&a.post)).filter(|p| p.title == *title)
                {
                    out.push(HeldRole { role: role.id.clone(), units: Some(d.below(&post.unit)) });
                }
            }
            HeldBy::HeadOf(scope) => {
                let kinds: &[&str] = if *scope == Scope::Department {
                    &["department", "organ"]
                } else {
                    &["section", "branch"]
                };
                let heads = appointments.iter().filter_map(|a| d.post(&a.post)).filter(|p| p.head);
                for unit in heads.filter_map(|p| d.unit(&p.unit)).filter(|u| kinds.contains(&u.kind.as_str()))
                {
                    out.push(HeldRole { role: role.id.clone(), units: Some(d.below(&unit.code)) });
                }
            }
            HeldBy::Appointment => {
                for a in appointments.iter().filter(|a| a.role == role.id) {
                    let units = (role.scope != Scope::Body && !a.scope_unit.is_empty())
                        .then(|| d.below(&a.scope_unit));
                    out.push(HeldRole { role: role.id.clone(), units });
                }
            }
        }
    }
    out
}

#[boxed]
impl Office {
    /// Who somebody is today.
    ///
    /// # Errors
    /// [`AppError::NoSession`] when the person is no longer known.
    pub async fn me(&self, who: &Identity) -> Result<Me, AppError> {
        let (d, org) = self.load_organization().await?;
        let person = d.person(&who.person).ok_or(AppError::NoSession)?;
        let today = self.clock.today();
        let appointments = d.appointments(&person.number, today);
        let main = appointments.iter().find(|a| a.role.is_empty()).and_then(|a| d.post(&a.post));
        let roles = roles(&self.pack(), &d, &person.number, today);
        let posts: BTreeSet<String> = appointments.iter().map(|a| a.post.clone()).collect();
        let sight = sight_of(&self.pack(), &d, &person.number, &roles, &appointments);
        Ok(Me {
            person: person.number.clone(),
            name: person.name.clone(),
            section: main.map(|p| d.place_name(&p.unit)).unwrap_or_default(),
            post: main.map(|p| p.title.clone()).unwrap_or_default(),
            unit: main.map(|p| p.unit.clone()).unwrap_or_default(),
            posts: posts.into_iter().collect(),
            roles,
            sight,
            directory: Arc::clone(&d),
            org,
        })
    }
}
