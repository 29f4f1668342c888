use std::collections::BTreeSet;

use super::super::names::is_hiragana;
use super::*;

fn d(s: &str) -> Date {
    s.parse().unwrap()
}

fn city() -> Organization {
    organization(1, d("2026-11-25"))
}

#[test]
fn the_same_seed_gives_the_same_city_and_another_seed_another() {
    assert_eq!(organization(5, d("2026-11-25")), organization(5, d("2026-11-25")));
    assert_ne!(organization(5, d("2026-11-25")).persons, organization(6, d("2026-11-25")).persons);
}

#[test]
fn it_has_the_size_of_a_city() {
    for (seed, today) in [(1, "2026-11-25"), (2, "2026-04-01"), (99, "2027-03-31")] {
        let (org, today) = (organization(seed, d(today)), d(today));
        let kinds = |k: &str| org.units.iter().filter(|u| u.kind == k).count();
        assert_eq!((kinds("body"), kinds("department"), kinds("section")), (1, 9, 62));
        assert!(kinds("branch") >= 5 && kinds("organ") == 5 && kinds("subsection") >= 120);
        let working: BTreeSet<&str> = org
            .appointments
            .iter()
            .filter(|a| a.main && a.in_force(today))
            .map(|a| a.person.as_str())
            .collect();
        assert!((1150..=1250).contains(&working.len()), "{}", working.len());
        assert!(org.persons.len() > working.len(), "some have left");
    }
}

#[test]
fn codes_are_unique_and_references_hold() {
    let org = city();
    let units: BTreeSet<&str> = org.units.iter().map(|u| u.code.as_str()).collect();
    let posts: BTreeSet<&str> = org.posts.iter().map(|p| p.code.as_str()).collect();
    let persons: BTreeSet<&str> = org.persons.iter().map(|p| p.number.as_str()).collect();
    let ids: BTreeSet<&str> = org.appointments.iter().map(|a| a.id.as_str()).collect();
    let keys: BTreeSet<_> = org.appointments.iter().map(|a| (&a.person, &a.post, a.from, &a.role)).collect();
    assert_eq!((units.len(), posts.len()), (org.units.len(), org.posts.len()));
    assert_eq!(
        (persons.len(), ids.len(), keys.len()),
        (org.persons.len(), org.appointments.len(), org.appointments.len())
    );
    let mut above: BTreeSet<&str> = BTreeSet::new();
    for u in &org.units {
        assert!(u.parent.as_deref().is_none_or(|p| above.contains(p)), "parents come first: {u:?}");
        above.insert(&u.code);
    }
    assert!(org.posts.iter().all(|p| units.contains(p.unit.as_str())));
    for a in &org.appointments {
        assert!(posts.contains(a.post.as_str()) && persons.contains(a.person.as_str()), "{a:?}");
        assert!(a.scope_unit.is_empty() || units.contains(a.scope_unit.as_str()));
        assert!(a.until.is_none_or(|u| a.from <= u), "{a:?}");
        assert!(a.id.parse::<sekisho_base::id::Id>().is_ok(), "{}", a.id);
    }
    assert!(org.absences.iter().all(|a| persons.contains(a.person.as_str()) && a.from <= a.until));
}

#[test]
fn every_section_and_department_has_one_head_post_and_one_is_vacant() {
    let org = city();
    let today = d("2026-11-25");
    let mut vacant = vec![];
    for u in org
        .units
        .iter()
        .filter(|u| ["section", "department", "subsection", "branch"].contains(&u.kind.as_str()))
    {
        let heads: Vec<&PostRow> = org.posts.iter().filter(|p| p.unit == u.code && p.head).collect();
        assert_eq!(heads.len(), 1, "{u:?}");
        let holders: Vec<_> = org
            .appointments
            .iter()
            .filter(|a| a.post == heads[0].code && a.role.is_empty() && a.in_force(today))
            .collect();
        assert!(holders.len() <= 1, "{holders:?}");
        if holders.is_empty() {
            vacant.push(u.name.as_str());
        }
    }
    assert_eq!(vacant, [chart::VACANT_SECTION]);
    for code in ["mayor", "deputy_mayor", "info_policy_director", "info_policy_manager"] {
        assert!(org.posts.iter().any(|p| p.code == code), "{code}");
    }
}

#[test]
fn nobody_holds_two_main_posts_and_ends_meet_beginnings() {
    let org = city();
    let mut by_person: BTreeMap<&str, Vec<&AppointmentRow>> = BTreeMap::new();
    for a in org.appointments.iter().filter(|a| a.main) {
        by_person.entry(&a.person).or_default().push(a);
    }
    for list in by_person.values_mut() {
        list.sort_by_key(|a| a.from);
        for pair in list.windows(2) {
            assert!(pair[0].until.is_some_and(|u| u < pair[1].from), "{pair:?}");
        }
    }
}

#[test]
fn the_first_of_april_moved_people() {
    let org = city();
    let day = d("2026-04-01");
    let ended: BTreeSet<&str> = org
        .appointments
        .iter()
        .filter(|a| a.main && a.until == Some(d("2026-03-31")) && a.role.is_empty())
        .map(|a| a.person.as_str())
        .collect();
    let began: BTreeSet<&str> = org
        .appointments
        .iter()
        .filter(|a| a.main && a.from == day && a.role.is_empty())
        .map(|a| a.person.as_str())
        .collect();
    assert!(ended.intersection(&began).count() >= 100, "transfers");
    assert!(ended.difference(&began).count() >= 20, "people who left");
    assert!(began.difference(&ended).count() >= 15, "new people");
    let fixed: Vec<_> = org.appointments.iter().filter(|a| a.role == "fixed_term_employee").collect();
    assert!(fixed.iter().all(|a| a.until == Some(a.from.fiscal_year_end())));
    assert!(fixed.iter().any(|a| a.until == Some(d("2027-03-31"))));
}

#[test]
fn concurrent_posts_and_roles() {
    let org = city();
    let concurrent: Vec<_> = org.appointments.iter().filter(|a| !a.main && a.role.is_empty()).collect();
    assert_eq!(concurrent.len(), 25);
    let head = |name: &str| org.sections.iter().find(|s| s.name == name).unwrap().head.clone();
    let holder = |post: &str| {
        org.appointments
            .iter()
            .find(|a| a.post == post && a.role.is_empty() && a.until.is_none())
            .unwrap()
            .person
            .clone()
    };
    assert_eq!(holder(&head(chart::HEADS_TWO)), holder(&head(chart::SECOND_SECTION)));
    let count = |role: &str| org.appointments.iter().filter(|a| a.role == role).count();
    for (role, n) in [
        ("system_operator", 3),
        ("csirt_leader", 1),
        ("csirt_member", 4),
        ("auditor", 2),
        ("ciso_advisor", 1),
        ("permission_authority", 0),
        ("security_committee", 10),
    ] {
        assert_eq!(count(role), n, "{role}");
    }
}

#[test]
fn names_have_kana_and_the_difficult_ones_are_there() {
    let org = city();
    assert!(org.persons.iter().all(|p| is_hiragana(&p.kana)), "kana");
    for family in ["髙橋", "髙木", "﨑山", "渡邉", "渡邊", "齋藤", "邉見", "𠮷田", "渡邉\u{e0101}"]
    {
        assert!(org.persons.iter().any(|p| p.name.starts_with(&format!("{family}　"))), "{family}");
    }
}

#[test]
fn nine_people_log_in_each_with_the_post_of_the_role() {
    for (seed, today) in [(1, "2026-11-25"), (3, "2026-04-01"), (7, "2027-03-31")] {
        let (org, today) = (organization(seed, d(today)), d(today));
        let logins: Vec<&str> = org.logins.iter().map(|l| l.login).collect();
        assert_eq!(
            logins,
            [
                "staff",
                "manager",
                "other-manager",
                "department",
                "system",
                "officer",
                "ciso",
                "auditor",
                "fixed-term"
            ]
        );
        let people: BTreeSet<&str> = org.logins.iter().map(|l| l.person.as_str()).collect();
        assert_eq!(people.len(), 9);
        for l in &org.logins {
            assert!(
                org.appointments.iter().any(|a| a.main && a.person == l.person && a.in_force(today)),
                "{l:?}"
            );
            assert!(org.absences.iter().all(|a| a.person != l.person || a.until < today || a.from > today));
        }
    }
}
