//! Numbers of cases, after the procedure's pattern.

use sekisho_base::Date;

/// The number of the `seq`-th case of a fiscal year: `持出-{年度}-{seq:04}` gives `持出-R8-0001`. `{年度}` is the fiscal
/// year in short (`R8`), `{seq}` the number, `{seq:04}` the number with at least four digits.
#[must_use]
pub fn case_number(pattern: &str, day: Date, seq: u32) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match name {
            "年度" => out.push_str(&day.fiscal_year_short()),
            "seq" => out.push_str(&seq.to_string()),
            _ => {
                match name.strip_prefix("seq:0").and_then(|w| w.parse::<usize>().ok()).filter(|w| *w <= 12) {
                    Some(width) => out.push_str(&format!("{seq:0width$}")),
                    None => out.push_str(&format!("{{{name}}}")),
                }
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_pattern() {
        let day: Date = "2027-03-31".parse().unwrap();
        assert_eq!(case_number("持出-{年度}-{seq:04}", day, 7), "持出-R8-0007");
        assert_eq!(case_number("{seq}号", day.plus_days(1), 12_345), "12345号");
        assert_eq!(case_number("{年度}{seq:03}", day.plus_days(1), 1), "R9001");
        assert_eq!(case_number("{other}-{seq", day, 1), "{other}-{seq");
    }
}
