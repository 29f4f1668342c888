//! Findings in Japanese, with the names of posts and persons.

use sekisho_base::Date;
use sekisho_pack::model::{OnAbsent, OnEmpty, Step};

use super::Fault;
use super::seats::{Case, Cause, Outcome, Room, Stuck};
use crate::authority::{Level, Seat};
use crate::case::is_final_decision;
use crate::org::Org;

/// A finding before it has a severity and a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub section: String,
    pub applicant: Option<String>,
    pub absent: Option<String>,
    pub reason: String,
    pub remedy: String,
}

/// Reason and remedy of a judging step that only the applicant holds.
pub(super) fn own_case() -> (String, String) {
    (
        "申請した人が自分の案件を判断する手順になっています。自分の申請は、だれも自分では決められません。"
            .to_owned(),
        "by を、申請者のほかの役割（例: section_security_manager of applicant.section）にしてください。"
            .to_owned(),
    )
}

/// A reason that holds in every place.
pub(super) fn everywhere(reason: &str) -> String {
    format!("{reason}ほかのどの所属でも、この手順は進みません。")
}

/// Vacant posts of the roles that the step names, where a higher role helps and nobody is delegated to act for them.
pub(super) fn vacancies(room: &Room<'_>, step: &Step, section: &str, org: &Org, day: Date) -> Vec<Told> {
    let mut found = Vec::new();
    for part in room.parts() {
        let Some(level) = part.levels.first() else { continue };
        let delegated =
            |post: &str| org.delegations(post, day).any(|d| d.role.as_ref().is_none_or(|r| *r == level.role));
        let held = level.seats.iter().any(|s| s.post().is_some_and(delegated))
            || level.seats.iter().any(|s| match s {
                Seat::Post(post) => !org.holders(post, day).is_empty(),
                Seat::Named { role, post } => !org.role_holders(role, post, day).is_empty(),
                Seat::Person(_) | Seat::Everyone => true,
            });
        let late = if step.on_empty == OnEmpty::Block { "期限を過ぎると、" } else { "" };
        if !held {
            found.push(Told {
                section: section.to_owned(),
                applicant: None,
                absent: None,
                reason: format!(
                    "「{}」が空席です。{late}上位の役割が代わって行います。",
                    seat_name(level, org)
                ),
                remedy: "後任を任命するか、空席のまま進めることを確かめてください。".to_owned(),
            });
        }
    }
    found
}

/// An outcome in words; nothing for one that needs none.
pub(super) fn tell(
    room: &Room<'_>,
    step: &Step,
    case: Case,
    outcome: Outcome,
    section: &str,
    org: &Org,
) -> Option<(Fault, Told)> {
    let number = |i: Option<usize>| i.and_then(|i| room.persons.get(i)).cloned();
    let (applicant, absent) = (number(case.applicant), number(case.away));
    let mut when = String::new();
    if let Some(a) = &applicant {
        when.push_str(&format!("{}さんが申請したとき、", org.person_name(a)));
    }
    if let Some(b) = &absent {
        when.push_str(&format!("{}さんが不在の間、", org.person_name(b)));
    }
    let (fault, why, remedy) = match outcome {
        Outcome::Now | Outcome::Late => return None,
        Outcome::Own => (
            Fault::SelfDecision,
            "ほかに決められる人がおらず、理由を記録して自ら決めることになります（上位の役割が後で確かめます）。"
                .to_owned(),
            "上位の役割（escalates_to）を決めるか、この扱いでよいことを確かめてください。",
        ),
        Outcome::Stuck(stuck) => stuck_words(room, step, stuck, org),
    };
    let reason = format!("{when}{why}");
    Some((fault, Told { section: section.to_owned(), applicant, absent, reason, remedy: remedy.to_owned() }))
}

fn stuck_words(room: &Room<'_>, step: &Step, stuck: Stuck, org: &Org) -> (Fault, String, &'static str) {
    let part = room.parts().get(stuck.part);
    let level = part.and_then(|p| p.levels.first());
    let name = level.map(|l| seat_name(l, org)).unwrap_or_default();
    match stuck.cause {
        Cause::Nobody if level.is_none() => (
            Fault::NoHolder,
            "担う役割が決まらない場合があります（持ち物を選ばない申請など）。".to_owned(),
            "持ち物の項目を required = true にするか、by に役割の id を書いてください。",
        ),
        Cause::Nobody => (
            Fault::NoHolder,
            format!("「{name}」を担う人も、代わる上位の人もいません。"),
            "役割に人を任命するか、roles.toml の held_by・escalates_to を確かめてください。",
        ),
        Cause::Vacant => (
            Fault::Vacant,
            format!("「{name}」が空席で、上位へ回さない定め（on_empty = \"block\"）のため止まります。"),
            "後任を任命するか、手順を on_empty = \"escalate\" にしてください。",
        ),
        Cause::Away if step.on_absent == OnAbsent::Daiketsu && !is_final_decision(step.kind) => (
            Fault::Away,
            format!(
                "「{name}」として行える人がほかにいないため、戻るまで待ちます。代決できるのは許可と議決だけです。"
            ),
            "期限（within）を付けて上位へ回るようにするか、on_absent = \"post_review\"（後閲）を考えてください。",
        ),
        Cause::Away => (
            Fault::Away,
            format!("「{name}」として行える人がほかにいないため、戻るまで待ちます。"),
            "on_absent = \"daiketsu\" と代決する職（deputies）を決めるか、期限（within）を付けて上位へ回るようにしてください。",
        ),
        Cause::TooFew { need, have } => (
            Fault::TooFew,
            format!("「{name}」として{need}人が要るところ、行える人は{have}人です。"),
            "役割を担う人を増やすか、手順の quorum を減らしてください。",
        ),
        Cause::OwnWork => (
            Fault::OwnWork,
            format!(
                "前の手順を実施した人のほかに、「{name}」として確かめる人がいません。自分が行ったことは自分で確かめられません。"
            ),
            "実施する役割と確かめる役割を別にするか、escalates_to を決めてください。",
        ),
    }
}

/// A level's seat as people read it: 「税務課 課長」, or the role where there is no post.
fn seat_name(level: &Level, org: &Org) -> String {
    let post = level.seats.iter().find_map(Seat::post).map(|p| org.post_name(p));
    match post {
        Some(post) => format!("{}（{post}）", level.title),
        None if level.unit.is_empty() => level.title.clone(),
        None => format!("{}の{}", org.unit_name(&level.unit), level.title),
    }
}
