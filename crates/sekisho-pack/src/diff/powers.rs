//! Who may do what under a pack, role by role, and who gains or loses it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Area, Found};
use crate::by::{By, Term};
use crate::model::{OnAbsent, Pack, Procedure, Role, Step, StepKind};
use crate::words::{Words, item_registers, verb};

/// Powers by holder (a role's id, or a post of deputies); each power by a key that does not depend on wording.
type Powers = BTreeMap<Holder, BTreeMap<String, String>>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Role(String),
    Post(String),
}

pub(super) fn compare(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    let (before, after) = (powers(old), powers(new));
    let holders: BTreeSet<&Holder> = before.keys().chain(after.keys()).collect();
    let none = BTreeMap::new();
    for holder in holders {
        let (had, has) = (before.get(holder).unwrap_or(&none), after.get(holder).unwrap_or(&none));
        let place = match holder {
            Holder::Role(id) if new.roles.contains_key(id) => found.new.role(id).to_owned(),
            Holder::Role(id) => found.old.role(id).to_owned(),
            Holder::Post(title) => format!("職「{title}」"),
        };
        for (_, text) in had.iter().filter(|(k, _)| !has.contains_key(*k)) {
            found.removed(Area::Power, &place, "失う権限", text.clone());
        }
        for (_, text) in has.iter().filter(|(k, _)| !had.contains_key(*k)) {
            found.added(Area::Power, &place, "得る権限", text.clone());
        }
    }
}

fn powers(pack: &Pack) -> Powers {
    let mut all = Powers::new();
    for p in pack.procedures.values() {
        for s in &p.steps {
            step(pack, p, s, &mut all);
        }
    }
    for r in pack.registers.values() {
        let text = format!("{}への記入", r.title);
        give(&mut all, Holder::Role(r.kept_by.clone()), format!("register/{}", r.id), text);
    }
    for r in pack.roles.values() {
        let sights = [
            (r.sees_all, "sees_all", "全庁の記録を見ること"),
            (r.sees_personal, "sees_personal", "見られる記録の個人情報の欄を読むこと"),
        ];
        for (_, key, text) in sights.into_iter().filter(|(has, ..)| *has) {
            give(&mut all, Holder::Role(r.id.clone()), key.to_owned(), text.to_owned());
        }
    }
    for d in pack.documents.values() {
        let text = format!("文書「{}」の決定", d.title);
        give(&mut all, Holder::Role(d.decided_by.clone()), format!("document/{}", d.id), text);
    }
    all
}

fn give(all: &mut Powers, holder: Holder, key: String, text: String) {
    all.entry(holder).or_default().insert(key, text);
}

fn step(pack: &Pack, p: &Procedure, s: &Step, all: &mut Powers) {
    let words = Words::of(pack);
    let place = format!("{}/{}", p.id, s.id);
    let act = verb(s.kind);
    let joined = match &s.by {
        By::All(_) => "（ほかの役割とともに）",
        By::Any(_) => "（どれかの役割として）",
        By::Term(_) => "",
    };
    for (role, anchor) in roles_of(pack, p, s) {
        let whose = words.by(&By::Term(Term::Role { role: role.clone(), of: anchor }), p);
        let text = format!("「{}」の「{}」で{act}{joined}。範囲: {whose}", p.title, s.title);
        let at = anchor.map(|a| a.to_string()).unwrap_or_default();
        give(all, Holder::Role(role.clone()), format!("act/{place}/{at}"), text);
        let Some(first) = pack.roles.get(&role) else { continue };
        let decides = matches!(s.kind, StepKind::Permit | StepKind::Resolve);
        if s.on_absent == OnAbsent::Daiketsu && decides {
            for post in &first.deputies {
                let text = format!("「{}」の「{}」の代決（{}が不在のとき）", p.title, s.title, first.title);
                give(all, Holder::Post(post.clone()), format!("deputy/{place}/{role}"), text);
            }
        }
        for higher in above(pack, first) {
            let text = format!(
                "「{}」の「{}」を{}に代わって行うこと（本人の案件、空席、期限切れなどのとき）",
                p.title, s.title, first.title
            );
            give(all, Holder::Role(higher.to_owned()), format!("higher/{place}/{role}"), text);
        }
    }
}

/// Roles that a step names, those of `item.managed_by` resolved, each with its anchor.
fn roles_of(pack: &Pack, p: &Procedure, s: &Step) -> Vec<(String, Option<crate::by::Anchor>)> {
    let mut found = Vec::new();
    for term in s.by.terms() {
        match term {
            Term::Applicant => {}
            Term::Role { role, of } => found.push((role.clone(), *of)),
            Term::ItemManager { of } => {
                let registers = item_registers(p).into_iter().filter_map(|id| pack.registers.get(id));
                found.extend(registers.filter_map(|r| r.managed_by.clone()).map(|role| (role, *of)));
            }
        }
    }
    found
}

/// Roles that a role escalates to, from near to far.
fn above<'p>(pack: &'p Pack, role: &'p Role) -> Vec<&'p str> {
    let mut found: Vec<&str> = Vec::new();
    let mut next = role.escalates_to.as_deref();
    while let Some(id) = next.filter(|id| *id != role.id && !found.contains(id)) {
        found.push(id);
        next = pack.roles.get(id).and_then(|r| r.escalates_to.as_deref());
    }
    found
}
