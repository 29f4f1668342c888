//! Checks over the rows and sheets of an organization. Only rows that bring something new are blamed: what is wrong
//! already does not stop an import that leaves it as it is.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;

use super::column::Record;
use super::org::OrgSheet;

/// A row as it would be.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub record: Record,
    /// Row of the file from 1, when it is new or changed.
    pub row: Option<usize>,
}

/// The organization as it would be.
#[derive(Debug, Default)]
pub(super) struct State {
    pub units: BTreeMap<String, Line>,
    pub posts: BTreeMap<String, Line>,
    pub appointments: Vec<Line>,
}

/// What is wrong in which cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub sheet: OrgSheet,
    pub row: usize,
    pub column: &'static str,
    pub value: String,
    pub message: String,
    pub remedy: String,
}

impl Line {
    fn text(&self, column: &str) -> &str {
        self.record.get(column).and_then(Value::as_text).unwrap_or("")
    }

    fn date(&self, column: &str) -> Option<Date> {
        self.text(column).parse().ok()
    }

    /// Whether two validities, both ends included, have a day in common; no end is for ever.
    fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time = |a: &Self, b: &Self| {
            a.date("from").is_none_or(|from| b.date("until").is_none_or(|until| from <= until))
        };
        begins_in_time(self, other) && begins_in_time(other, self)
    }

    fn wrong(&self, sheet: OrgSheet, column: &'static str, message: String, remedy: &str) -> Option<Wrong> {
        let value = self.text(column).to_owned();
        Some(Wrong { sheet, row: self.row?, column, value, message, remedy: remedy.into() })
    }
}

/// Everything that is wrong.
pub(super) fn check(state: &State) -> Vec<Wrong> {
    let mut found = Vec::new();
    for (sheet, lines) in [
        (OrgSheet::Units, state.units.values().collect::<Vec<_>>()),
        (OrgSheet::Appointments, state.appointments.iter().collect()),
    ] {
        found.extend(lines.into_iter().filter_map(|line| end_before_start(sheet, line)));
    }
    found.extend(cycles(&state.units));
    found.extend(heads(state));
    found.extend(state.appointments.iter().filter_map(|a| outside_unit(state, a)));
    found.extend(concurrent(&state.appointments));
    found
}

fn end_before_start(sheet: OrgSheet, line: &Line) -> Option<Wrong> {
    let (from, until) = (line.date("from")?, line.date("until")?);
    if until >= from {
        return None;
    }
    let message = format!("終了日が開始日（{}）より前です。", from.wareki());
    line.wrong(sheet, "until", message, "開始日と終了日を確かめてください。")
}

/// Units that are above themselves.
fn cycles(units: &BTreeMap<String, Line>) -> Vec<Wrong> {
    let mut good: BTreeSet<&str> = BTreeSet::new();
    let mut bad: BTreeSet<&str> = BTreeSet::new();
    for start in units.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut at = start.as_str();
        loop {
            if let Some(first) = path.iter().position(|p| *p == at) {
                bad.extend(path.iter().skip(first));
                break;
            }
            if good.contains(at) || bad.contains(at) {
                break;
            }
            path.push(at);
            match units.get(at).map(|l| l.text("parent")) {
                Some(parent) if !parent.is_empty() => at = parent,
                _ => break,
            }
        }
        good.extend(path.into_iter().filter(|p| !bad.contains(p)));
    }
    let remedy = "上位コードを、最上位の組織まで順にたどれるように直してください。";
    bad.iter()
        .filter_map(|code| units.get(*code))
        .filter_map(|line| {
            line.wrong(OrgSheet::Units, "parent", "上位の組織をたどると自分に戻ります。".into(), remedy)
        })
        .collect()
}

/// Units with two posts marked as head.
fn heads(state: &State) -> Vec<Wrong> {
    let mut by_unit: BTreeMap<&str, Vec<(&String, &Line)>> = BTreeMap::new();
    for (code, post) in &state.posts {
        if post.record.get("head") == Some(&Value::Bool(true)) {
            by_unit.entry(post.text("unit")).or_default().push((code, post));
        }
    }
    let mut found = Vec::new();
    for (unit, posts) in by_unit.iter().filter(|(_, posts)| posts.len() > 1) {
        for (code, post) in posts {
            let others: Vec<&str> =
                posts.iter().filter(|(c, _)| c != code).map(|(c, _)| c.as_str()).collect();
            let message = format!("組織「{unit}」の長が2つ以上あります（ほかに {}）。", others.join("、"));
            found.extend(post.wrong(
                OrgSheet::Posts,
                "head",
                message,
                "長の印（○）は1つの組織に1つだけ付けてください。",
            ));
        }
    }
    found
}

/// An appointment on days on which its post's unit is not there. When only the unit is new, the unit is blamed.
fn outside_unit(state: &State, appointment: &Line) -> Option<Wrong> {
    let post = state.posts.get(appointment.text("post"))?;
    let unit = state.units.get(post.text("unit"))?;
    let (from, until) = (appointment.date("from")?, appointment.date("until"));
    let name = unit.text("name");
    let (column, message) = match (unit.date("from"), unit.date("until")) {
        (Some(start), _) if from < start => {
            ("from", format!("組織「{name}」の開始日（{}）より前からの任命です。", start.wareki()))
        }
        (_, Some(end)) if until.is_none_or(|until| until > end) => {
            ("until", format!("組織「{name}」の終了日（{}）より後まで続く任命です。", end.wareki()))
        }
        _ => return None,
    };
    let who = appointment.text("person");
    appointment
        .wrong(
            OrgSheet::Appointments,
            column,
            message.clone(),
            "任命の期間を、その組織がある期間の中にしてください。",
        )
        .or_else(|| {
            let message = format!("{message}（職員番号 {who}）");
            unit.wrong(
                OrgSheet::Units,
                column,
                message,
                "その任命も同じ取込で終了させるか、組織の期間を直してください。",
            )
        })
        .or_else(|| {
            let message = format!("{message}（職員番号 {who}）");
            post.wrong(OrgSheet::Posts, "unit", message, "その任命も同じ取込で直してください。")
        })
}

/// Two main posts at once, and the same appointment twice at once.
fn concurrent(appointments: &[Line]) -> Vec<Wrong> {
    let mut by_person: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in appointments {
        by_person.entry(line.text("person")).or_default().push(line);
    }
    let mut found = Vec::new();
    for mut lines in by_person.into_values() {
        lines.sort_by_key(|l| l.date("from"));
        for (at, later) in lines.iter().enumerate() {
            for earlier in lines.iter().take(at).filter(|earlier| earlier.overlaps(later)) {
                found.extend(pair(earlier, later));
            }
        }
    }
    found
}

fn pair(earlier: &Line, later: &Line) -> Option<Wrong> {
    let same = |column: &str| earlier.text(column) == later.text(column);
    let since = earlier.date("from").map_or_else(String::new, Date::wareki);
    let (column, message, remedy) = if same("post") && same("role") && same("role_scope") {
        (
            "from",
            format!("同じ任命（{since}から）と期間が重なっています。"),
            "前の任命に終了日を入れるか、行を1つにまとめてください。",
        )
    } else if !same("post") && [earlier, later].iter().all(|l| l.text("main") == "main") {
        let message = format!("本務が重なっています（職コード {}、{since}から）。", earlier.text("post"));
        ("main", message, "前の本務に終了日を入れるか、どちらかを兼務にしてください。")
    } else {
        return None;
    };
    later
        .wrong(OrgSheet::Appointments, column, message.clone(), remedy)
        .or_else(|| earlier.wrong(OrgSheet::Appointments, "until", message, remedy))
}
