use std::collections::BTreeSet;

use super::super::organization::organization;
use super::*;

fn d(s: &str) -> Date {
    s.parse().unwrap()
}

fn made(seed: u64) -> (Organization, Registers) {
    let org = organization(seed, d("2026-11-25"));
    let registers = registers(seed, d("2026-11-25"), &org);
    (org, registers)
}

#[test]
fn as_many_as_promised_over_all_sections_and_the_same_each_time() {
    let (org, r) = made(1);
    assert_eq!((r.assets.len(), r.media.len(), r.devices.len()), (4000, 600, 1400));
    for s in &org.sections {
        for rows in [&r.assets, &r.media, &r.devices] {
            assert!(rows.iter().any(|row| text(row, "section") == s.code), "{}", s.name);
        }
    }
    for (section, _) in OF_SECTION {
        assert!(org.sections.iter().any(|s| s.name == *section), "{section}");
    }
    assert_eq!(made(1), (org, r));
    assert_eq!(OF_SECTION.len(), 62);
}

#[test]
fn keys_are_unique_and_what_rows_refer_to_exists() {
    let (org, r) = made(2);
    let posts: BTreeSet<&str> = org.posts.iter().map(|p| p.code.as_str()).collect();
    let units: BTreeSet<&str> = org.units.iter().map(|u| u.code.as_str()).collect();
    let persons: BTreeSet<&str> = org.persons.iter().map(|p| p.number.as_str()).collect();
    for rows in [&r.assets, &r.media, &r.devices] {
        let keys: BTreeSet<&str> = rows.iter().map(|row| text(row, "number")).collect();
        assert_eq!(keys.len(), rows.len());
        for row in rows {
            assert!(units.contains(text(row, "section")) && !text(row, "name").is_empty());
            assert!(!row.contains_key("manager") || posts.contains(text(row, "manager")), "{row:?}");
            assert!(!row.contains_key("user") || persons.contains(text(row, "user")));
            for (column, value) in row {
                let date = column.ends_with("_on") || column.ends_with("_until");
                assert!(!date || value.as_text().unwrap().parse::<Date>().is_ok(), "{column} {value:?}");
            }
        }
    }
    let names: BTreeSet<_> = r.assets.iter().map(|row| (text(row, "section"), text(row, "name"))).collect();
    assert_eq!(names.len(), r.assets.len(), "no name twice in a section");
}

#[test]
fn classes_and_gaps_are_in_proportion() {
    let (_, r) = made(3);
    let of = |c: &str| r.assets.iter().filter(|row| text(row, "confidentiality") == c).count();
    assert!(of("2") > 2000, "{}", of("2"));
    assert!(of("3") > 400 && of("1") > 100, "{} {}", of("3"), of("1"));
    let limit = d("2025-11-25").to_string();
    let bad = r
        .assets
        .iter()
        .filter(|row| {
            ["confidentiality", "manager", "retention_until"].iter().any(|c| !row.contains_key(*c))
                || text(row, "checked_on") < limit.as_str()
        })
        .count();
    assert!((100..=240).contains(&bad), "{bad}");
    for row in &r.assets {
        assert_eq!(text(row, "personal") != "none", row.contains_key("persons"));
    }
}
