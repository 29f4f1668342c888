//! The organization in memory: units, posts, persons, dated appointments, absences and delegations, asked by date.
//!
//! An `Org` is built from plain lists and never changes; whoever changes the organization builds a new one. Codes are
//! the ids. Validity is inclusive on both ends: `[from, until]`, without `until` for ever.

mod index;
mod lists;
mod query;

use sekisho_base::Date;
use sekisho_pack::model::Scope;
use serde::{Deserialize, Serialize};

pub use index::Org;

/// Kinds of unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// The legal entity (市).
    Body,
    /// An executive organ or the assembly, adopting the standard on its own (教育委員会, 議会).
    Organ,
    /// 部, 局.
    Department,
    /// 課, 室.
    Section,
    /// 係.
    Subsection,
    /// 支所, 出張所: stands where a section stands.
    Branch,
}

impl UnitKind {
    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "body" => Self::Body,
            "organ" => Self::Organ,
            "department" => Self::Department,
            "section" => Self::Section,
            "subsection" => Self::Subsection,
            "branch" => Self::Branch,
            _ => return None,
        })
    }

    /// The scope a unit of this kind stands for; a 係 stands for none of its own.
    #[must_use]
    pub fn scope(self) -> Option<Scope> {
        match self {
            Self::Body => Some(Scope::Body),
            Self::Organ | Self::Department => Some(Scope::Department),
            Self::Section | Self::Branch => Some(Scope::Section),
            Self::Subsection => None,
        }
    }
}

/// A unit of the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Code, the key.
    pub code: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: UnitKind,
    /// Code of the unit above.
    pub parent: Option<String>,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Option<Date>,
}

/// A post (職) of a unit. A head post normally has one holder, an ordinary post many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Code, the key.
    pub code: String,
    /// Unit's code.
    pub unit: String,
    /// 職名.
    pub title: String,
    /// Whether its holder heads the unit.
    pub head: bool,
    /// Order in the unit, 0 first.
    pub rank: i64,
}

/// A natural person. However many posts one holds, it is one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// 職員番号, the key.
    pub number: String,
    /// Name, character for character.
    pub name: String,
    /// ふりがな.
    pub kana: String,
}

/// A dated appointment of a person.
///
/// Without `role` it is an appointment to the post. With `role` it names the person to a role of the standard, acting
/// from that post; it gives the role alone and never the powers of the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Person number.
    pub person: String,
    /// Post code.
    pub post: String,
    /// 本務 (true) or 兼務.
    pub main: bool,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Option<Date>,
    /// Role id, when appointed to a role.
    pub role: Option<String>,
    /// Unit in which the role holds; none: the post's own.
    pub scope_unit: Option<String>,
}

/// A stretch of absence (不在).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Person number.
    pub person: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
}

/// A dated, scoped delegation (職務代理): while a post is vacant or its holder absent, this person acts for it. Whoever
/// acts by delegation has no deputies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// Id of the case or record by which it was approved.
    pub id: String,
    /// Post acted for.
    pub post: String,
    /// Person who acts.
    pub person: String,
    /// Only for this role; none: every role held by the post.
    pub role: Option<String>,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
}

/// The lists an [`Org`] is built from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrgLists {
    /// Units.
    pub units: Vec<Unit>,
    /// Posts.
    pub posts: Vec<Post>,
    /// Persons.
    pub persons: Vec<Person>,
    /// Appointments.
    pub appointments: Vec<Appointment>,
    /// Absences.
    pub absences: Vec<Absence>,
    /// Delegations.
    pub delegations: Vec<Delegation>,
}

/// Whether `day` lies in `[from, until]`.
#[must_use]
pub fn in_force(from: Date, until: Option<Date>, day: Date) -> bool {
    from <= day && until.is_none_or(|u| day <= u)
}
