//! The organization by date.

use sekisho_case::org::{Appointment, Org, OrgLists, Person, UnitKind};
use sekisho_pack::model::Scope;

use crate::world::*;

#[test]
fn scopes_are_found_upward() {
    let mut w = World::new();
    w.lists.units.push(unit("branch", "北支所", UnitKind::Branch, Some("soumu")));
    let org = Org::new(w.lists.clone());
    let at = |unit: &str, scope| org.scope_unit(unit, scope).map(|u| u.code.as_str());
    assert_eq!(at("zeimu1", Scope::Section), Some("zeimu"));
    assert_eq!(at("zeimu", Scope::Section), Some("zeimu"));
    assert_eq!(at("branch", Scope::Section), Some("branch"));
    assert_eq!(at("zeimu1", Scope::Department), Some("soumu"));
    assert_eq!(at("zeimu1", Scope::Body), Some("city"));
    assert_eq!(at("soumu", Scope::Section), Some("soumu"), "the department itself has no section");
    assert_eq!(at("city", Scope::Section), Some("city"));
    assert_eq!(at("nowhere", Scope::Section), None);
}

#[test]
fn a_cycle_of_units_ends() {
    let mut w = World::new();
    w.lists.units = vec![
        unit("a", "甲", UnitKind::Subsection, Some("b")),
        unit("b", "乙", UnitKind::Subsection, Some("a")),
    ];
    let org = Org::new(w.lists);
    assert!(org.ancestors("a").count() <= 16);
    assert_eq!(org.scope_unit("a", Scope::Section), None);
}

#[test]
fn validity_is_inclusive_on_both_ends() {
    let mut w = World::new();
    for a in &mut w.lists.appointments {
        if a.person == "manager" {
            (a.from, a.until) = (d("2026-04-01"), Some(d("2027-03-31")));
        }
    }
    let org = Org::new(w.lists);
    for (day, held) in
        [("2026-03-31", false), ("2026-04-01", true), ("2027-03-31", true), ("2027-04-01", false)]
    {
        assert_eq!(org.holds("manager", "zeimu.head", d(day)), held, "{day}");
        assert_eq!(!org.holders("zeimu.head", d(day)).is_empty(), held, "{day}");
        assert_eq!(org.in_office("manager", d(day)), held, "{day}");
    }
}

#[test]
fn an_appointment_to_a_role_gives_the_role_and_not_the_post() {
    let mut w = World::new();
    w.lists.appointments.push(Appointment {
        role: Some("auditor".into()),
        scope_unit: Some("city".into()),
        ..holds("clerk2", "zeimu.head")
    });
    let org = Org::new(w.lists.clone());
    assert_eq!(org.holders("zeimu.head", d(DAY)), ["manager"]);
    assert_eq!(org.role_holders("auditor", "zeimu.head", d(DAY)), ["clerk2"]);
    let roles = org.roles_of("clerk2", &w.pack.roles, d(DAY));
    assert_eq!(roles, [("auditor".to_owned(), "city".to_owned()), ("staff".to_owned(), "zeimu".to_owned())]);
    let mut c = w.clerk_applies();
    assert_eq!(code(c.permit(&w, "clerk2")), sekisho_case::Code::NotAuthorized);
}

#[test]
fn roles_come_from_posts() {
    let w = World::new();
    let org = Org::new(w.lists.clone());
    let roles = |p: &str| {
        org.roles_of(p, &w.pack.roles, d(DAY))
            .into_iter()
            .map(|(r, u)| format!("{r}@{u}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(roles("manager"), ["section_security_manager@zeimu", "staff@zeimu"]);
    assert_eq!(roles("chief"), ["staff@zeimu1"], "the head of a 係 heads no section");
    assert_eq!(
        roles("sysman"),
        ["information_system_manager@city", "section_security_manager@joho", "staff@joho"]
    );
    // For those who belong to the department itself, no section in between, its head is the manager as well.
    let officer = [
        "department_security_officer@kikaku",
        "head_security_officer@city",
        "section_security_manager@kikaku",
        "staff@kikaku",
    ];
    assert_eq!(roles("officer"), officer);
    assert!(roles("nobody").is_empty());
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let w = World::new();
    let mut reversed = w.lists.clone();
    reversed.units.reverse();
    reversed.posts.reverse();
    reversed.appointments.reverse();
    let (a, b) = (Org::new(w.lists), Org::new(reversed));
    let titles = |o: &Org| o.posts_within("zeimu").into_iter().map(|p| p.code.clone()).collect::<Vec<_>>();
    assert_eq!(titles(&a), titles(&b));
    assert_eq!(a.holders("zeimu.staff", d(DAY)), b.holders("zeimu.staff", d(DAY)));
}

#[test]
fn names_are_kept_character_for_character() {
    let name = "渡邉󠄁 髙﨑";
    let lists = OrgLists {
        persons: vec![Person { number: "1".into(), name: name.into(), kana: "わたなべ".into() }],
        ..OrgLists::default()
    };
    assert_eq!(Org::new(lists).person_name("1"), name);
}
