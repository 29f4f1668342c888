//! Who may act: a step's `by` becomes pinned seats when the step opens; on the day of the act the organization says who
//! sits in them; Cedar decides, under rules generated from the pack and the core's own.

mod ask;
mod power;
mod resolve;
mod rules;
mod standing;

use serde::{Deserialize, Serialize};

pub use ask::{Answer, Lent, Question};
pub use power::{StandIn, in_role, roles_of_post, stand_ins};
pub(crate) use resolve::{APPLICANT, Anchors, Route, resolve};
pub use rules::{CORE, Rules, RulesError, SCHEMA};
pub use standing::{Candidate, Explain, Standing};
pub(crate) use standing::{Situation, holders, sits, standing};

/// A seat that is pinned when a step opens. Whoever sits in it on the day of the act acts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// A post.
    Post(String),
    /// A role to which persons are appointed, acting from a post.
    Named {
        /// Role id.
        role: String,
        /// Post code.
        post: String,
    },
    /// One natural person: the applicant.
    Person(String),
    /// Everybody in office.
    Everyone,
}

impl Seat {
    /// The post, where the seat is bound to one.
    #[must_use]
    pub fn post(&self) -> Option<&str> {
        match self {
            Self::Post(post) | Self::Named { post, .. } => Some(post),
            Self::Person(_) | Self::Everyone => None,
        }
    }

    /// Text key, unique among seats.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Post(post) => format!("post/{post}"),
            Self::Named { role, post } => format!("named/{role}/{post}"),
            Self::Person(person) => format!("person/{person}"),
            Self::Everyone => "everyone".to_owned(),
        }
    }
}

/// One level of the chain that may act: the role itself first, then the roles it escalates to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Role id, or `applicant`.
    pub role: String,
    /// Role's Japanese name.
    pub title: String,
    /// Unit in which the role is held; empty when it has none.
    pub unit: String,
    /// Seats; none when the role had no seat when the step opened.
    pub seats: Vec<Seat>,
    /// Posts that may act in absence (代決), in order.
    pub deputies: Vec<String>,
}

/// One part of a `by`: "A and B" has two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Role id of the pack, or `applicant`.
    pub role: String,
    /// The chain, from the role itself upward.
    pub levels: Vec<Level>,
    /// Level whose turn it was when the seats were pinned: 1 where the holder is the applicant, say.
    pub turn: usize,
    /// How many of the role's own holders must act; a role it escalated to decides alone.
    #[serde(default = "one")]
    pub need: u32,
}

fn one() -> u32 {
    1
}

impl Part {
    /// Japanese name of the role.
    #[must_use]
    pub fn title(&self) -> &str {
        self.levels.first().map_or("", |l| l.title.as_str())
    }
}

/// How parts (by index) are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// One part.
    Part(usize),
    /// All of them (及び).
    All(Vec<Who>),
    /// Any of them (又は).
    Any(Vec<Who>),
}

impl Who {
    /// Whether it is satisfied when `done` says which parts have acted.
    #[must_use]
    pub fn satisfied(&self, done: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Part(i) => done(*i),
            Self::All(all) => all.iter().all(|w| w.satisfied(done)),
            Self::Any(any) => any.iter().any(|w| w.satisfied(done)),
        }
    }

    /// The parts named.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        match self {
            Self::Part(i) => vec![*i],
            Self::All(w) | Self::Any(w) => w.iter().flat_map(Self::parts).collect(),
        }
    }
}

/// In which capacity a person acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// 本人.
    Holder,
    /// 専決.
    DelegatedDecision,
    /// 代決.
    Acting,
    /// 職務代理.
    Delegate,
    /// 後閲.
    PostReview,
}

impl Capacity {
    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Holder => "本人",
            Self::DelegatedDecision => "専決",
            Self::Acting => "代決",
            Self::Delegate => "職務代理",
            Self::PostReview => "後閲",
        }
    }
}

/// By which path a person came to act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// Holds the seat.
    Holder,
    /// Holds a seat of the role it escalated to.
    Escalated,
    /// Stands in for an absent holder of this post.
    Deputy {
        /// Post acted for; empty where it was held by appointment to the role.
        for_post: String,
    },
    /// Acts under an approved delegation.
    Delegate {
        /// Id of the delegation.
        delegation: String,
        /// Post acted for.
        for_post: String,
    },
    /// The engine found nobody else: self-decision, to be post-reviewed.
    Override,
}

impl Path {
    /// The word rules use.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::Escalated => "escalated",
            Self::Deputy { .. } => "deputy",
            Self::Delegate { .. } => "delegate",
            Self::Override => "override",
        }
    }

    /// Capacity recorded for it.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Holder | Self::Escalated | Self::Override => Capacity::Holder,
            Self::Deputy { .. } => Capacity::Acting,
            Self::Delegate { .. } => Capacity::Delegate,
        }
    }
}

/// One capacity in which an act was done, with the authority behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Capacity.
    pub capacity: Capacity,
    /// Role of the step that the act fills.
    pub role: String,
    /// Role by which the person acts: the same, or the one it escalated to.
    pub by_role: String,
    /// Unit in which the role is held.
    pub unit: String,
    /// Post from which the person acts; empty for the applicant as a person.
    pub post: String,
    /// Path.
    pub path: Path,
    /// Role whose decision it is by the body's rules, when it is taken as 専決.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}
