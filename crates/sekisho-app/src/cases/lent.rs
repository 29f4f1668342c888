//! Posts for which somebody acts today by an approved delegation (職務代理), because nobody who holds them is present.

use sekisho_case::authority::Seat;
use sekisho_case::case::{CaseState, StepStatus};

use crate::office::Office;
use crate::people::Me;

/// A post lent to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lent {
    /// Post code.
    pub post: String,
    /// Only this role; empty for every role of the post.
    pub role: String,
}

impl Office {
    /// What is lent to a person today. A post whose holder is present is not.
    pub(super) fn lent_to(&self, me: &Me) -> Vec<Lent> {
        let (d, org, today) = (me.directory(), me.org(), self.clock.today());
        let mut found: Vec<Lent> = Vec::new();
        for x in d.rows().delegations.iter().filter(|x| x.person == me.person) {
            let in_force = org.delegations(&x.post, today).any(|running| running.id == x.id);
            let present = org.holders(&x.post, today).iter().any(|p| !org.absent(p, today));
            if in_force && !present {
                found.push(Lent { post: x.post.clone(), role: x.role.clone() });
            }
        }
        found
    }
}

/// Whether an open step of a case (`step`; any when empty) waits at a lent post in a role that the delegation covers.
pub(super) fn covers(lent: &[Lent], state: &CaseState, step: &str) -> bool {
    let open = state.steps.iter().filter(|s| s.status == StepStatus::Open);
    let levels =
        open.filter(|s| step.is_empty() || s.id == step).flat_map(|s| &s.parts).flat_map(|p| &p.levels);
    levels.into_iter().any(|l| {
        lent.iter().any(|x| {
            (x.role.is_empty() || x.role == l.role)
                && l.seats.iter().filter_map(Seat::post).any(|post| post == x.post)
        })
    })
}
