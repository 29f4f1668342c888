//! Settings are consistent, and secrets in them are not shown.

use super::*;

#[test]
fn every_setting_has_names_of_its_own_and_an_example_and_a_default_that_are_accepted() {
    for (n, a) in SETTINGS.iter().enumerate() {
        assert_eq!(a.key.split('.').count(), 2, "{}", a.key);
        assert_eq!(fault(a.kind, a.example), None, "{}", a.key);
        assert_eq!(a.default.and_then(|d| fault(a.kind, d)), None, "{}", a.key);
        for b in SETTINGS.iter().skip(n + 1) {
            assert!(a.key != b.key && a.flag != b.flag && a.variable() != b.variable(), "{}", a.key);
        }
    }
}

#[test]
fn bad_values_are_told_with_a_remedy() {
    for (kind, bad) in [
        (Kind::Text, "  "),
        (Kind::Listen, "localhost"),
        (Kind::Switch, "はい"),
        (Kind::OneOf(&["a"]), "b"),
        (Kind::Number(1, 9), "10"),
        (Kind::Number(1, 9), "-1"),
        (Kind::HostPort, "mail"),
        (Kind::HostPort, ":25"),
        (Kind::Site, "sekisho.example"),
        (Kind::Provider, "http://id.city.example"),
        (Kind::Networks, "proxy.example"),
        (Kind::Header, "証明書"),
        (Kind::Database, "mysql://x"),
    ] {
        assert!(fault(kind, bad).is_some_and(|(_, remedy)| !remedy.is_empty()), "{kind:?} {bad}");
    }
}

#[test]
fn who_somebody_is_each_body_says_for_itself() {
    assert!(is_of_people("oidc.issuer") && is_of_people("ldap.url") && is_of_people("card.ca"));
    assert!(!is_of_people(MAIL_SERVER) && !is_of_people(DATA));
}

#[test]
fn passwords_are_not_shown() {
    for (given, seen) in [
        ("postgres://u:s3:cret@h/d", "postgres://u:（伏せています）@h/d"),
        ("postgres://u@h/d?sslmode=require", "postgres://u@h/d?sslmode=require"),
        ("postgres://h/d?user=u&password=s3cret", "postgres://h/d?user=u&password=（伏せています）"),
    ] {
        assert_eq!(shown(Kind::Database, given), seen);
    }
}
