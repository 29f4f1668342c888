use std::collections::BTreeSet;

use super::super::assets::{registers, text};
use super::super::organization::organization;
use super::*;

fn d(s: &str) -> Date {
    s.parse().unwrap()
}

struct City {
    today: Date,
    calendar: Calendar,
    org: Organization,
    registers: Registers,
    stories: Vec<Story>,
}

fn city(seed: u64, today: &str) -> City {
    let today = d(today);
    let calendar =
        Calendar { closed: [d("2026-11-23"), d("2026-11-03"), d("2025-05-05")].into(), known_until: None };
    let org = organization(seed, today);
    let registers = registers(seed, today, &org);
    let stories = stories(seed, today, &calendar, &org, &registers);
    City { today, calendar, org, registers, stories }
}

#[test]
fn the_same_seed_tells_the_same_stories() {
    assert_eq!(city(1, "2026-11-25").stories, city(1, "2026-11-25").stories);
    assert_ne!(city(1, "2026-11-25").stories, city(2, "2026-11-25").stories);
}

#[test]
fn as_many_of_each_kind_as_the_demo_needs() {
    for (seed, today) in [(1, "2026-11-25"), (2, "2026-08-07"), (3, "2027-02-01")] {
        let c = city(seed, today);
        assert!((590..=640).contains(&c.stories.len()), "{}", c.stories.len());
        let open = |s: &&Story| matches!(s.outcome, Outcome::Permitted { .. }) && s.returned.is_none();
        let overdue = c.stories.iter().filter(open).filter(|s| s.return_by < c.today).count();
        assert!((5..=8).contains(&overdue), "{overdue}");
        assert!(c.stories.iter().filter(open).filter(|s| s.return_by >= c.today).count() >= 10);
        let demo = &c.org.sections.iter().find(|s| s.name == DEMO_SECTION).unwrap().code;
        let waiting = |s: &&Story| s.outcome == Outcome::Pending;
        assert_eq!(c.stories.iter().filter(waiting).filter(|s| s.section == *demo).count(), 3);
        assert_eq!(c.stories.iter().filter(waiting).count(), 8);
        let late = c.stories.iter().filter(|s| s.returned.is_some_and(|r| r > s.return_by)).count();
        assert!((10..=80).contains(&late), "{late}");
        for kind in [Outcome::Withdrawn, Outcome::Refused(""), Outcome::SentBack("")] {
            let same = |s: &&Story| std::mem::discriminant(&s.outcome) == std::mem::discriminant(&kind);
            assert!(c.stories.iter().filter(same).count() >= 5, "{kind:?}");
        }
        assert!(c.stories.iter().filter(|s| s.blanket).count() >= 40);
        let sections: BTreeSet<&str> = c.stories.iter().map(|s| s.section.as_str()).collect();
        assert!(sections.len() >= 45, "{}", sections.len());
        let clerk = &c.org.logins[0].person;
        let own: Vec<_> = c.stories.iter().filter(|s| s.applicant == *clerk).collect();
        assert!(
            own.iter().any(|s| s.outcome == Outcome::Pending)
                && own.iter().filter(|s| s.returned.is_some()).count() >= 3
        );
    }
}

#[test]
fn no_story_leaves_its_fiscal_year_and_days_are_in_order() {
    for (seed, today) in [(1, "2026-11-25"), (4, "2026-04-20"), (5, "2027-03-25"), (6, "2026-05-11")] {
        let c = city(seed, today);
        assert!(c.stories.len() >= 550, "{today}: {}", c.stories.len());
        for s in &c.stories {
            assert!(
                s.return_by <= s.from.fiscal_year_end() && s.return_by <= s.applied_on.fiscal_year_end(),
                "{s:?}"
            );
            assert!(s.applied_on < s.from && s.from <= s.return_by && s.applied_on < c.today, "{s:?}");
            assert!(!c.calendar.is_closed(s.applied_on) && (510..720).contains(&s.applied_minute));
            if let Outcome::Permitted { after } = s.outcome {
                let on = c.calendar.plus_business_days(s.applied_on, after);
                assert!(on <= s.from && on <= c.today, "{s:?}");
            } else {
                assert_eq!((s.returned, s.confirmed), (None, None));
            }
            assert!(
                s.returned.is_none_or(|r| s.from <= r && r < c.today && !c.calendar.is_closed(r)),
                "{s:?}"
            );
            assert!(s.confirmed.is_none_or(|k| s.returned.is_some_and(|r| r <= k) && k < c.today), "{s:?}");
        }
    }
}

#[test]
fn applicants_and_items_belong_to_the_section() {
    let c = city(1, "2026-11-25");
    let find = |register: &str, key: &str| {
        let rows = match register {
            "asset" => &c.registers.assets,
            "media" => &c.registers.media,
            _ => &c.registers.devices,
        };
        rows.iter().find(|r| text(r, "number") == key).unwrap()
    };
    for s in &c.stories {
        let held = c
            .org
            .appointments
            .iter()
            .any(|a| a.person == s.applicant && a.post == s.post && a.main && a.in_force(s.applied_on));
        assert!(held, "{s:?}");
        let unit = &c.org.posts.iter().find(|p| p.code == s.post).unwrap().unit;
        assert_eq!(unit[..4], s.section[..4]);
        assert!((1..=3).contains(&s.items.len()));
        for (register, key) in &s.items {
            let row = find(register, key);
            assert_eq!(text(row, "section"), s.section);
            assert!(!text(row, "confidentiality").is_empty() && text(row, "personal") != "my_number");
        }
    }
}

#[test]
fn nothing_is_out_twice_at_once() {
    let c = city(2, "2026-11-25");
    let mut spans: BTreeMap<&str, Vec<(Date, Date)>> = BTreeMap::new();
    for s in c.stories.iter().filter(|s| matches!(s.outcome, Outcome::Permitted { .. })) {
        for (_, key) in &s.items {
            let list = spans.entry(key).or_default();
            let until = s.returned.unwrap_or(c.today.max(s.return_by));
            assert!(list.iter().all(|(a, b)| *b < s.from || until < *a), "{key}: {s:?}");
            list.push((s.from, until));
        }
    }
}
