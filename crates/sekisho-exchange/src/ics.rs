//! Calendars of due dates (RFC 5545): whole days, lines of at most 75 octets, CRLF.

use sekisho_base::{Date, Instant};

/// One day on which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Stays the same for the same thing, ASCII.
    pub uid: String,
    /// Day in Japan.
    pub on: Date,
    /// What is due.
    pub summary: String,
    /// Where one goes, a whole address.
    pub url: String,
}

/// Octets of a line without its end (RFC 5545, 3.1).
const LINE: usize = 75;

/// Writes a calendar. `stamp` is the moment at which it was made.
#[must_use]
pub fn calendar(name: &str, stamp: Instant, all: &[Due]) -> String {
    let mut out = String::new();
    let stamp = utc(stamp);
    for (key, value) in [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//Sekisho//Sekisho//JA"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-CALNAME", &escape(name)),
        ("X-WR-TIMEZONE", "Asia/Tokyo"),
    ] {
        line(&mut out, key, value);
    }
    for due in all {
        for (key, value) in [
            ("BEGIN", "VEVENT"),
            ("UID", &due.uid),
            ("DTSTAMP", &stamp),
            ("DTSTART;VALUE=DATE", &day(due.on)),
            ("DTEND;VALUE=DATE", &day(due.on.plus_days(1))),
            ("SUMMARY", &escape(&due.summary)),
            ("URL", &due.url),
            ("TRANSP", "TRANSPARENT"),
            ("END", "VEVENT"),
        ] {
            line(&mut out, key, value);
        }
    }
    line(&mut out, "END", "VCALENDAR");
    out
}

/// `20260701`.
fn day(d: Date) -> String {
    d.to_string().replace('-', "")
}

/// `20260701T031500Z`.
fn utc(at: Instant) -> String {
    let text: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}Z", text.split(['.', 'Z']).next().unwrap_or_default())
}

/// A TEXT value (RFC 5545, 3.3.11).
fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// One content line, folded between characters.
fn line(out: &mut String, key: &str, value: &str) {
    let mut used = 0;
    for c in key.chars().chain([':']).chain(value.chars()) {
        if used + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters_and_text_is_escaped() {
        let due = Due {
            uid: "a@sekisho".to_owned(),
            on: "2026-12-31".parse().unwrap(),
            summary: format!("返却、{}; a\\b, 二行\n目", "確認".repeat(40)),
            url: "https://city.test/cases/1".to_owned(),
        };
        let stamp = Instant::start_of("2026-07-01".parse().unwrap());
        let text = calendar("関所, みなと野市", stamp, std::slice::from_ref(&due));
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        for one in text.split("\r\n") {
            assert!(one.len() <= LINE && !one.contains('\n') && !one.contains('\r'), "{one:?}");
        }
        let whole = text.replace("\r\n ", "");
        assert!(
            whole.contains(&format!("SUMMARY:返却、{}\\; a\\\\b\\, 二行\\n目\r\n", "確認".repeat(40))),
            "{whole}"
        );
        assert!(whole.contains("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101\r\n"));
        assert!(whole.contains("DTSTAMP:20260630T150000Z\r\n"), "{whole}");
        assert!(whole.contains("X-WR-CALNAME:関所\\, みなと野市\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn unfolding_gives_the_line_back(value in "\\PC{0,300}") {
            let mut out = String::new();
            line(&mut out, "SUMMARY", &value);
            proptest::prop_assert!(out.split("\r\n").all(|l| l.len() <= LINE));
            proptest::prop_assert_eq!(out.replace("\r\n ", ""), format!("SUMMARY:{value}\r\n"));
        }
    }
}
