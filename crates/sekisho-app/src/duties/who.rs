//! Where a duty is done, and who may do it on a day: the holders of its role there, deputies while all of them are away, and the roles
//! above once the holder's place is empty or the duty is late. Resolved on the server; nothing a client sends names anybody.

use sekisho_base::Date;
use sekisho_case::org::Org;
use sekisho_pack::model::{HeldBy, Pack, Role, Scope};
use sekisho_store::org::UnitRow;

use crate::directory::Directory;

/// In which way somebody does a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Role.
    pub role: String,
    /// `own`, `deputy` or `escalated`.
    pub capacity: &'static str,
}

/// What a capacity is called on pages; empty for the ordinary one.
pub(crate) fn capacity_words(capacity: &str) -> &'static str {
    match capacity {
        "deputy" => "不在のため代わって",
        "escalated" => "上位の責任者として",
        _ => "",
    }
}

fn kinds(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::System | Scope::Section => &["section", "branch"],
        Scope::Department => &["department", "organ"],
        Scope::Body => &["body"],
    }
}

/// Units in which a duty of a scope is done, once each, that exist on a day.
pub(crate) fn units_of(scope: Scope, d: &Directory, day: Date) -> Vec<&UnitRow> {
    let kinds = kinds(scope);
    d.rows().units.iter().filter(|u| kinds.contains(&u.kind.as_str()) && u.exists_on(day)).collect()
}

/// The unit in which a duty is done for somebody of another unit.
pub(crate) fn unit_above(scope: Scope, d: &Directory, unit: &str) -> Option<String> {
    let found = d.nearest(unit, kinds(scope)).or_else(|| d.nearest(unit, kinds(Scope::Department)));
    found.or_else(|| d.nearest(unit, kinds(Scope::Body))).map(|u| u.code.clone())
}

/// A role and the roles it escalates to, each once.
pub(crate) fn chain<'p>(pack: &'p Pack, role: &str) -> Vec<&'p Role> {
    let mut found: Vec<&Role> = Vec::new();
    let mut next = pack.roles.get(role);
    while let Some(r) = next.filter(|r| found.iter().all(|f| f.id != r.id)) {
        found.push(r);
        next = r.escalates_to.as_ref().and_then(|id| pack.roles.get(id));
    }
    found
}

/// Persons who hold a role for a unit on a day, each once.
pub(crate) fn holders(role: &Role, unit: &str, d: &Directory, org: &Org, day: Date) -> Vec<String> {
    let mut found: Vec<String> = match &role.held_by {
        HeldBy::HeadOf(_) | HeldBy::Titled(_) | HeldBy::Post(_) => {
            seats(role, unit, org).iter().flat_map(|p| org.holders(p, day)).map(str::to_owned).collect()
        }
        HeldBy::Appointment => {
            let whole = role.scope == Scope::Body || d.unit(unit).is_some_and(|u| u.kind == "body");
            let here = |u: &str| whole || org.ancestors(unit).any(|a| a.code == u);
            let named = org.role_appointments(&role.id, day).filter(|a| org.role_unit(a).is_some_and(here));
            named.map(|a| a.person.clone()).collect()
        }
        HeldBy::Everyone => {
            let below = d.below(unit);
            let in_force = |a: &&sekisho_store::org::AppointmentRow| a.is_main_on(day);
            let here = |a: &&sekisho_store::org::AppointmentRow| {
                d.post(&a.post).is_some_and(|p| below.contains(&p.unit))
            };
            d.rows().appointments.iter().filter(in_force).filter(here).map(|a| a.person.clone()).collect()
        }
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// Posts by which a role is held for a unit; none where it is held by appointment or by everybody.
fn seats(role: &Role, unit: &str, org: &Org) -> Vec<String> {
    match &role.held_by {
        HeldBy::HeadOf(scope) => {
            let at = org.scope_unit(unit, *scope).map(|u| u.code.as_str()).unwrap_or_default();
            org.head_posts(at).map(|p| p.code.clone()).collect()
        }
        HeldBy::Titled(title) => {
            let top = org.scope_unit(unit, role.scope).map(|u| u.code.as_str()).unwrap_or_default();
            org.titled_posts(unit, top, title).into_iter().map(|p| p.code.clone()).collect()
        }
        HeldBy::Post(code) => org.post(code).map(|p| p.code.clone()).into_iter().collect(),
        HeldBy::Appointment | HeldBy::Everyone => vec![],
    }
}

/// Who stands in for the holders while none of them is present: by an approved delegation of their post (職務代理), or else the first
/// deputy of the pack who is present: a post's code anywhere, or a title in the unit of the role.
fn deputies(role: &Role, unit: &str, holders: &[String], org: &Org, day: Date) -> Vec<String> {
    if holders.iter().any(|p| !org.absent(p, day)) {
        return vec![];
    }
    let seats = seats(role, unit, org);
    let of_role = |r: &Option<String>| r.as_ref().is_none_or(|r| *r == role.id);
    let delegated = seats.iter().flat_map(|p| org.delegations(p, day)).filter(|d| of_role(&d.role));
    let mut found: Vec<String> = delegated.map(|d| d.person.clone()).collect();
    if found.is_empty() && !holders.is_empty() {
        let mut units: Vec<&str> =
            seats.iter().filter_map(|p| org.post(p)).map(|p| p.unit.as_str()).collect();
        units.extend(org.scope_unit(unit, role.scope).map(|u| u.code.as_str()));
        found =
            role.deputies.iter().find_map(|entry| first_present(entry, &units, org, day)).unwrap_or_default();
    }
    found.retain(|p| !holders.contains(p));
    found
}

/// Holders of a deputy's post who are present, if any.
fn first_present(entry: &str, units: &[&str], org: &Org, day: Date) -> Option<Vec<String>> {
    let titled = units.iter().flat_map(|u| org.posts_within(u)).filter(|p| p.title == entry);
    let posts = org.post(entry).into_iter().chain(titled);
    let present: Vec<String> = posts
        .flat_map(|p| org.holders(&p.code, day))
        .filter(|p| !org.absent(p, day))
        .map(str::to_owned)
        .collect();
    (!present.is_empty()).then_some(present)
}

/// How somebody may do a duty of a role in a unit; nothing when this person may not. `escalated` is how many roles above were told.
pub(crate) fn standing(
    person: &str,
    role: &str,
    unit: &str,
    escalated: i64,
    (pack, d, org): (&Pack, &Directory, &Org),
    day: Date,
) -> Option<Standing> {
    let mut empty_below = true;
    for (level, r) in chain(pack, role).into_iter().enumerate() {
        let told = usize::try_from(escalated).unwrap_or(0) >= level;
        if level > 0 && !told && !empty_below {
            return None;
        }
        let here = holders(r, unit, d, org, day);
        let role = r.id.clone();
        if here.iter().any(|p| p == person) {
            return Some(Standing { role, capacity: if level == 0 { "own" } else { "escalated" } });
        }
        if deputies(r, unit, &here, org, day).iter().any(|p| p == person) {
            return Some(Standing { role, capacity: "deputy" });
        }
        empty_below &= here.is_empty();
    }
    None
}

/// Who is to be told about a duty: the holders of the lowest role from `level` on that anybody holds, and which level that is.
pub(crate) fn told(
    role: &str,
    unit: &str,
    level: usize,
    (pack, d, org): (&Pack, &Directory, &Org),
    day: Date,
) -> Option<(usize, Vec<String>)> {
    chain(pack, role).into_iter().enumerate().skip(level).find_map(|(n, r)| {
        let here = holders(r, unit, d, org, day);
        (!here.is_empty()).then_some((n, here))
    })
}
