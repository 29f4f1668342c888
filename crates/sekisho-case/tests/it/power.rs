//! Power outside of a case: deputies and delegates who gain by an absence, the roles of a post, the people in a role.

use std::collections::BTreeSet;

use sekisho_case::authority::{in_role, roles_of_post, stand_ins};
use sekisho_case::org::{Appointment, Delegation, Org};

use crate::world::*;

fn who_stands_in(w: &World, person: &str, day: &str) -> Vec<(String, String)> {
    let org = Org::new(w.lists.clone());
    stand_ins(person, &w.pack, &org, d(day)).into_iter().map(|s| (s.person, s.post)).collect()
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn every_deputy_gains_by_an_absence_not_only_the_first() {
    let w = World::new();
    assert_eq!(
        who_stands_in(&w, "manager", DAY),
        [pair("chief", "zeimu1.head"), pair("deputy", "zeimu.vice")]
    );
    assert_eq!(who_stands_in(&w, "director", DAY), [pair("vicedir", "soumu.vice")]);
    for nobody in ["clerk", "deputy", "other", "sysman", "stranger"] {
        assert!(who_stands_in(&w, nobody, DAY).is_empty(), "{nobody}");
    }
}

#[test]
fn delegates_gain_while_the_delegation_runs_and_deputies_while_they_hold_the_post() {
    let mut w = World::new();
    w.lists.delegations.push(Delegation {
        id: "D1".into(),
        post: "shimin.head".into(),
        person: "clerk".into(),
        role: None,
        from: d("2026-07-01"),
        until: d("2026-07-10"),
    });
    w.lists.appointments.push(Appointment { from: d("2026-08-01"), ..holds("clerk2", "zeimu.vice") });
    assert_eq!(who_stands_in(&w, "other", "2026-07-10"), [pair("clerk", "")]);
    assert!(who_stands_in(&w, "other", "2026-07-11").is_empty());
    assert!(!who_stands_in(&w, "manager", "2026-07-31").contains(&pair("clerk2", "zeimu.vice")));
    assert!(who_stands_in(&w, "manager", "2026-08-01").contains(&pair("clerk2", "zeimu.vice")));
}

#[test]
fn a_post_holds_the_roles_of_its_unit_and_those_its_holders_are_named_to() {
    let mut w = World::new();
    let named = Appointment { role: Some("auditor".into()), ..holds("other", "shimin.head") };
    w.lists.appointments.push(Appointment { scope_unit: Some("city".into()), ..named });
    let org = Org::new(w.lists.clone());
    let roles = |post: &str| roles_of_post(post, &w.pack, &org, d(DAY));
    let set = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| pair(a, b)).collect::<BTreeSet<_>>();
    assert_eq!(roles("zeimu.head"), set(&[("section_security_manager", "zeimu")]));
    assert_eq!(
        roles("joho.head"),
        set(&[("information_system_manager", "joho"), ("section_security_manager", "joho")])
    );
    assert_eq!(roles("shimin.head"), set(&[("auditor", "city"), ("section_security_manager", "shimin")]));
    for none in ["zeimu.vice", "zeimu.staff", "zeimu1.head", "nowhere"] {
        assert!(roles(none).is_empty(), "{none}");
    }
}

#[test]
fn people_in_a_role_are_found_from_any_unit_below() {
    let w = World::new();
    let org = Org::new(w.lists.clone());
    let people = |role: &str, unit: &str| {
        in_role(w.pack.roles.get(role).unwrap(), unit, &org, d(DAY)).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(people("section_security_manager", "zeimu1"), ["manager"]);
    assert_eq!(people("department_security_officer", "zeimu"), ["director"]);
    assert_eq!(people("head_security_officer", "zeimu"), ["officer"]);
    assert!(people("auditor", "zeimu").is_empty() && people("staff", "zeimu").is_empty());
}
