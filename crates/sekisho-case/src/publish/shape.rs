//! Circles: roles that escalate to each other, procedures that open each other.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_pack::model::Pack;

use super::{Fault, Finding, Severity};

/// The loader refuses circles of roles; a pack that came another way is checked all the same.
pub(super) fn circles(pack: &Pack) -> Vec<Finding> {
    let up: BTreeMap<&str, Vec<&str>> = pack
        .roles
        .values()
        .map(|r| (r.id.as_str(), r.escalates_to.iter().map(String::as_str).collect()))
        .collect();
    let opens: BTreeMap<&str, Vec<&str>> = pack
        .procedures
        .values()
        .map(|p| (p.id.as_str(), p.steps.iter().filter_map(|s| s.opens.as_deref()).collect()))
        .collect();
    let role = |id: &str| pack.roles.get(id).map_or_else(|| id.to_owned(), |r| r.title.clone());
    let procedure = |id: &str| pack.procedures.get(id).map_or_else(|| id.to_owned(), |p| p.title.clone());
    let mut found = Vec::new();
    for circle in circles_of(&up) {
        let names: Vec<String> = circle.iter().map(|id| format!("「{}」", role(id))).collect();
        found.push(finding(
            "",
            format!("上位の役割をたどると一回りします: {}", names.join("→")),
            "roles.toml の escalates_to を、上へ上へと向けてください。",
        ));
    }
    for circle in circles_of(&opens) {
        let names: Vec<String> = circle.iter().map(|id| format!("「{}」", procedure(id))).collect();
        let first = circle.first().copied().unwrap_or_default();
        found.push(finding(
            first,
            format!("手続が互いの案件を開き合い、終わりません: {}", names.join("→")),
            "どれかの手順の opens を消してください。",
        ));
    }
    found
}

fn finding(procedure: &str, reason: String, remedy: &str) -> Finding {
    Finding {
        severity: Severity::Block,
        fault: Fault::Circle,
        procedure: procedure.to_owned(),
        step: String::new(),
        section: String::new(),
        applicant: None,
        absent: None,
        reason,
        remedy: remedy.to_owned(),
    }
}

/// Circles of a graph, each once, starting at its first member in order.
fn circles_of<'g>(next: &BTreeMap<&'g str, Vec<&'g str>>) -> Vec<Vec<&'g str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    for start in next.keys() {
        let mut path = vec![*start];
        let mut seen = BTreeSet::new();
        back_to(start, next, &mut path, &mut seen, &mut found);
    }
    found
}

/// Looks for a way back to the start that visits nothing before it in order.
fn back_to<'g>(
    start: &'g str,
    next: &BTreeMap<&'g str, Vec<&'g str>>,
    path: &mut Vec<&'g str>,
    seen: &mut BTreeSet<&'g str>,
    found: &mut Vec<Vec<&'g str>>,
) {
    let Some(here) = path.last().copied() else { return };
    for to in next.get(here).into_iter().flatten() {
        if *to == start {
            let mut circle = path.clone();
            circle.push(start);
            found.push(circle);
        } else if *to > start && seen.insert(to) {
            path.push(to);
            back_to(start, next, path, seen, found);
            path.pop();
        }
    }
}
