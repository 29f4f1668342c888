//! `roles.toml`.

use std::collections::BTreeMap;

use crate::absence::AbsenceRule;
use crate::files::absence::absence;
use crate::files::doc::{At, Source, Table};
use crate::files::{dangling, ident, need, word};
use crate::model::{HeldBy, Role, Scope};

const SCOPES: [(&str, Scope); 4] = [
    ("system", Scope::System),
    ("section", Scope::Section),
    ("department", Scope::Department),
    ("body", Scope::Body),
];

/// References of one role, checked when all roles are known.
pub(crate) struct RoleRefs {
    id: String,
    escalates_to: Option<At<String>>,
    not_with: Vec<At<String>>,
}

pub(crate) fn roles(t: &Table<'_>) -> (BTreeMap<String, Role>, Vec<RoleRefs>, AbsenceRule) {
    let mut roles: BTreeMap<String, Role> = BTreeMap::new();
    let mut refs = Vec::new();
    for r in t.tables("role") {
        let id = ident(&r, "id");
        let title = need(&r, "title");
        let scope = word(&r, r.need("scope"), &SCOPES).unwrap_or(Scope::Body);
        let held_by = r.need("held_by").and_then(|at| held_by(&r, &at)).unwrap_or(HeldBy::Appointment);
        let escalates_to = r.text("escalates_to");
        let not_with = r.texts("not_with");
        let deputies = r.texts("deputies").into_iter().map(|a| a.value).collect();
        let must_be_filled = r.flag("must_be_filled");
        let sees_all = word(&r, r.text("sees"), &[("all", true), ("own", false)]).unwrap_or(false);
        let sees_personal = r.flag("sees_personal");
        r.finish();
        let Some(id) = id else { continue };
        if roles.contains_key(&id.value) {
            r.src.error(
                id.line,
                &id.key,
                format!("役割「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        let role = Role {
            id: id.value.clone(),
            title,
            scope,
            held_by,
            escalates_to: escalates_to.as_ref().map(|a| a.value.clone()),
            deputies,
            not_with: not_with.iter().map(|a| a.value.clone()).collect(),
            must_be_filled,
            sees_all,
            sees_personal,
        };
        roles.insert(id.value.clone(), role);
        refs.push(RoleRefs { id: id.value, escalates_to, not_with });
    }
    if roles.values().all(|r| !r.sees_all) {
        overseers_of_old(&mut roles);
    }
    if roles.is_empty() {
        t.error("role", "役割が一つもありません", "[[role]] を加えてください");
    }
    let absence = absence(t);
    t.finish();
    (roles, refs, absence)
}

/// Packs from before `sees` was written: the roles that saw the whole body then see it still, and those who run the system, audit
/// or answer incidents see personal data.
fn overseers_of_old(roles: &mut BTreeMap<String, Role>) {
    const ALL: [(&str, bool); 10] = [
        ("ciso", false),
        ("deputy_ciso", false),
        ("head_security_officer", false),
        ("information_system_manager", true),
        ("system_operator", true),
        ("security_committee", false),
        ("csirt_leader", true),
        ("csirt_member", true),
        ("point_of_contact", false),
        ("auditor", true),
    ];
    for (id, personal) in ALL {
        if let Some(r) = roles.get_mut(id) {
            (r.sees_all, r.sees_personal) = (true, personal);
        }
    }
}

fn held_by(t: &Table<'_>, at: &At<String>) -> Option<HeldBy> {
    let parsed = match at.value.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["everyone"] => Some(HeldBy::Everyone),
        ["appointment"] => Some(HeldBy::Appointment),
        ["post", code] => Some(HeldBy::Post((*code).to_owned())),
        ["title", title] => Some(HeldBy::Titled((*title).to_owned())),
        ["head", "of", scope] => {
            SCOPES.iter().find(|(w, s)| w == scope && *s != Scope::System).map(|(_, s)| HeldBy::HeadOf(*s))
        }
        _ => None,
    };
    if parsed.is_none() {
        let text = format!("「{}」は役割の持ち方として読めません", at.value);
        t.src.error(at.line, &at.key, text, "\"head of section\"、\"head of department\"、\"post 職のコード\"、\"title 職名\"、\"appointment\"、\"everyone\" のどれかにしてください");
    }
    parsed
}

/// References between roles, and escalation that ends.
pub(crate) fn check_roles(
    src: &Source<'_>,
    t: &Table<'_>,
    roles: &BTreeMap<String, Role>,
    refs: &[RoleRefs],
) {
    let known = || roles.keys().map(String::as_str);
    for r in refs {
        for at in r.escalates_to.iter().chain(&r.not_with) {
            if !roles.contains_key(&at.value) {
                dangling(t, at, "役割", known());
            }
        }
        for at in r.not_with.iter().filter(|at| at.value == r.id) {
            src.error(
                at.line,
                &at.key,
                format!("「{}」が自分自身と一緒に担えないことになっています", r.id),
                "not_with には、ほかの役割の id を書いてください",
            );
        }
        let Some(first) = &r.escalates_to else { continue };
        let mut seen = vec![r.id.as_str()];
        let mut next = Some(first.value.as_str());
        while let Some(id) = next {
            if id == r.id {
                let text = format!("上申先が一回りしています: {} → {id}", seen.join(" → "));
                src.error(
                    first.line,
                    &first.key,
                    text,
                    "どこかの escalates_to を消し、上申先を上へ上へと向けてください",
                );
                break;
            }
            if seen.contains(&id) {
                break;
            }
            seen.push(id);
            next = roles.get(id).and_then(|x| x.escalates_to.as_deref());
        }
    }
}
