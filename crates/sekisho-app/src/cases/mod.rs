//! Cases (案件): applying, deciding, performing, and what pages show of them. The case engine decides; here its facts are read, and what it
//! answers is stored together with the ledger entry.

mod act;
mod anew;
mod apply;
mod applying;
mod attach;
mod bulk;
mod causes;
mod choose;
mod explain;
mod follow;
mod import;
mod inbox;
mod items;
mod lent;
mod list;
mod page;
mod permit;
mod related;
mod rows;
mod store;
mod view;
mod writes;

use sekisho_case::org::{Absence, Appointment, Delegation, Org, OrgLists, Person, Post, Unit, UnitKind};
use sekisho_pack::absence::AbsenceRule;
use sekisho_store::delegation::DelegationState;
use sekisho_store::org::Everything;

pub(crate) use act::{EVIDENCE, shown_for};
pub(crate) use apply::{field_view, typed_values};
pub use attach::WAITING;
pub use bulk::{AffectedCase, BulkForm, BulkNotes, BulkPlan, BulkRow, NUMBERS, OutcomeChange};
pub use causes::open_from_causes;
pub use explain::Explanation;
pub(crate) use follow::{organization_changed, row_changed};
pub use import::{
    CONFIRMED, CaseImportChoice, CaseImportHead, CaseImportLine, CaseImportOrder, CaseImportPlan,
    CaseImportRowView, CaseImportView, CaseImportsView, CaseUndo, MOST_ROWS,
};
pub use inbox::MOST_AT_ONCE;
pub(crate) use items::{FOUND, find_items, item_of, items_named};
pub use store::sweep;
pub use view::{
    ActInput, ActLine, ActionView, AheadLine, ApplyForm, AttachmentLine, BulkChoice, BulkResult, Button,
    CaseItem, CaseLine, CasePage, CasesList, CasesQuery, DraftLine, ExplainLine, Explained, FormPart, Home,
    ItemLine, ItemsPart, MovementLine, PermitView, PostChoice, StepLine, TaskLine, Typed, Wish,
};

/// The organization as the case engine reads it: of the absences those that count by the pack's rule, of the delegations those that
/// were approved.
pub(crate) fn org_of(all: &Everything, rule: &AbsenceRule) -> Org {
    let some = |s: &str| Some(s.to_owned()).filter(|s| !s.is_empty());
    let unit = |u: &sekisho_store::org::UnitRow| {
        // An unknown kind stands for no scope, as a 係 does.
        let kind = UnitKind::from_code(&u.kind).unwrap_or(UnitKind::Subsection);
        Unit {
            code: u.code.clone(),
            name: u.name.clone(),
            kind,
            parent: u.parent.clone(),
            from: u.from,
            until: u.until,
        }
    };
    Org::new(OrgLists {
        units: all.units.iter().map(unit).collect(),
        posts: all
            .posts
            .iter()
            .map(|p| Post {
                code: p.code.clone(),
                unit: p.unit.clone(),
                title: p.title.clone(),
                head: p.head,
                rank: p.sort,
            })
            .collect(),
        persons: all
            .persons
            .iter()
            .map(|p| Person { number: p.number.clone(), name: p.name.clone(), kana: p.kana.clone() })
            .collect(),
        appointments: all
            .appointments
            .iter()
            .map(|a| Appointment {
                person: a.person.clone(),
                post: a.post.clone(),
                main: a.main,
                from: a.from,
                until: a.until,
                role: some(&a.role),
                scope_unit: some(&a.scope_unit),
            })
            .collect(),
        absences: all
            .absences
            .iter()
            .filter(|a| a.cancelled.is_none() && rule.counts(&a.kind, a.from, a.until))
            .map(|a| Absence { person: a.person.clone(), from: a.from, until: a.until })
            .collect(),
        delegations: all
            .delegations
            .iter()
            .filter(|d| d.state == DelegationState::Approved)
            .map(|d| Delegation {
                id: d.id.clone(),
                post: d.post.clone(),
                person: d.person.clone(),
                role: some(&d.role),
                from: d.from,
                until: d.until,
            })
            .collect(),
    })
}
