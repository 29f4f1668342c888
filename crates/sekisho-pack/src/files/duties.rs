//! `duties/*.toml`.

use std::collections::BTreeMap;

use crate::duty::{Cycle, Duty, Event, Occasion};
use crate::expr::Env;
use crate::files::doc::{At, Table};
use crate::files::fields::fields;
use crate::files::{Known, bound, ident, need, parse_period, period, reference, word};
use crate::model::{Clause, FieldType, MechanismKind, Period, Scope};

const SCOPES: [(&str, Scope); 3] =
    [("section", Scope::Section), ("department", Scope::Department), ("body", Scope::Body)];
const EVENTS: [(&str, Event); 4] = [
    ("joined", Event::Joined),
    ("transferred", Event::Transferred),
    ("appointed", Event::Appointed),
    ("left", Event::Left),
];

pub(crate) fn duties(t: &Table<'_>, known: &Known, clauses: &[Clause], all: &mut BTreeMap<String, Duty>) {
    for d in t.tables("duty") {
        let id = ident(&d, "id");
        let duty = duty(&d, id.as_ref(), known, clauses);
        d.finish();
        let (Some(id), Some(duty)) = (id, duty) else { continue };
        if all.insert(id.value.clone(), duty).is_some() {
            let text = format!("定期の仕事「{}」が二度あります", id.value);
            d.src.error(id.line, &id.key, text, "どちらか一つにしてください");
        }
    }
    t.finish();
}

fn duty(d: &Table<'_>, id: Option<&At<String>>, known: &Known, clauses: &[Clause]) -> Option<Duty> {
    let (title, says) = (need(d, "title"), need(d, "says"));
    let role = reference(d, d.need("role"), "役割", known.roles.keys().map(String::as_str));
    let given = word(d, d.text("scope"), &SCOPES);
    let scope = given.or_else(|| {
        let own = known.roles.get(role.as_ref()?)?.scope;
        if own == Scope::System && !d.has("scope") {
            d.error(
                "scope",
                "scope がありません",
                "この役割はシステムごとなので、scope = \"body\" などと書いて、どこで一件とするかを決めてください",
            );
        }
        Some(own).filter(|s| *s != Scope::System)
    });
    let occasion = occasion(d);
    let within = period(d, "within");
    if matches!(occasion, Some(Occasion::On(_))) && !d.has("within") {
        d.error(
            "within",
            "いつまでに行うかがありません",
            "within = \"10 business days\" のように書いてください",
        );
    }
    let mut env = Env::new();
    let evidence = fields(d, "evidence", known, &mut env);
    if evidence.is_empty() && !d.has("evidence") {
        d.error(
            "evidence",
            "記録する項目が一つもありません",
            "[[duty.evidence]] を加え、行ったことが後から分かる項目を書いてください",
        );
    }
    for f in evidence.iter().filter(|f| !plain(&f.kind)) {
        d.error(
            "evidence",
            format!("記録の項目「{}」では台帳の行を選べません", f.id),
            "text、date、choice などにしてください",
        );
    }
    let remind = d.texts("remind").iter().filter_map(|at| read_period(d, at)).collect();
    let escalate = period(d, "escalate");
    bound(d, id, MechanismKind::Duty, clauses);
    Some(Duty {
        id: id?.value.clone(),
        title,
        says,
        role: role?,
        scope: scope?,
        occasion: occasion?,
        within,
        evidence,
        remind,
        escalate,
    })
}

/// Whether a field is typed in rather than picked from a register.
fn plain(k: &FieldType) -> bool {
    matches!(
        k,
        FieldType::Text
            | FieldType::LongText
            | FieldType::Date
            | FieldType::Integer
            | FieldType::Bool
            | FieldType::Choice
    )
}

fn read_period(d: &Table<'_>, at: &At<String>) -> Option<Period> {
    let parsed = parse_period(&at.value);
    if parsed.is_none() {
        let text = format!("「{}」は期間として読めません", at.value);
        d.src.error(
            at.line,
            &at.key,
            text,
            "remind = [\"20 business days\", \"5 business days\"] のように書いてください",
        );
    }
    parsed
}

fn occasion(d: &Table<'_>) -> Option<Occasion> {
    match (d.has("every"), d.has("on")) {
        (true, true) => {
            d.error(
                "on",
                "every と on が両方あります",
                "繰り返す仕事なら every だけ、出来事のときの仕事なら on だけにしてください",
            );
            None
        }
        (false, false) => {
            d.error(
                "every",
                "いつ行うかがありません",
                "every = \"12 months\" か on = \"joined\" のように書いてください",
            );
            None
        }
        (false, true) => word(d, d.text("on"), &EVENTS).map(Occasion::On),
        (true, false) => {
            let at = d.text("every")?;
            let cycle = cycle(&at.value);
            if cycle.is_none() {
                let text = format!("「{}」は繰返しとして読めません", at.value);
                d.src.error(
                    at.line,
                    &at.key,
                    text,
                    "\"12 months\"（1・2・3・4・6か月か、12か月の倍数）、\"1 week\"、\"each 04-01\"、\"each 04-01, 10-01\" のように書いてください",
                );
            }
            cycle.map(Occasion::Every)
        }
    }
}

/// `12 months`, `1 week`, `14 days`, `each 04-01, 10-01`.
pub(super) fn cycle(s: &str) -> Option<Cycle> {
    if let Some(list) = s.trim().strip_prefix("each ") {
        let mut days: Vec<(i8, i8)> = list.split(',').map(|d| month_day(d.trim())).collect::<Option<_>>()?;
        days.sort_unstable();
        days.dedup();
        return (1..=24).contains(&days.len()).then_some(Cycle::Each(days));
    }
    let (n, unit) = s.trim().split_once(' ')?;
    let n: u32 = n.parse().ok().filter(|n| (1..=600).contains(n))?;
    match unit.trim() {
        "month" | "months" => (12 % n == 0 || n.is_multiple_of(12)).then_some(Cycle::Months(n)),
        "week" | "weeks" => Some(Cycle::Days(n * 7)),
        "day" | "days" => Some(Cycle::Days(n)),
        _ => None,
    }
}

/// `04-01`; 29 February is no day of every year.
pub(super) fn month_day(s: &str) -> Option<(i8, i8)> {
    let (m, d) = s.split_once('-')?;
    if m.len() != 2 || d.len() != 2 {
        return None;
    }
    let (m, d): (i8, i8) = (m.parse().ok()?, d.parse().ok()?);
    sekisho_base::Date::new(2001, m, d).map(|_| (m, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cycles() {
        assert_eq!(cycle("12 months"), Some(Cycle::Months(12)));
        assert_eq!(cycle("1 week"), Some(Cycle::Days(7)));
        assert_eq!(cycle("each 10-01, 04-01"), Some(Cycle::Each(vec![(4, 1), (10, 1)])));
        for bad in ["", "5 months", "0 months", "each", "each 02-29", "each 4-1", "12 years", "999 days"] {
            assert_eq!(cycle(bad), None, "{bad}");
        }
    }
}
