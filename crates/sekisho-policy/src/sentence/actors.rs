//! Who acts: the roles that a sentence has as its topic.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::buckets::Buckets;
use super::places::{Kind, Places};

/// Terms and role ids. A term is looked for backwards from 「は」, the longest first.
const ROLES: &[(&str, &str)] = &[
    ("最高情報セキュリティアドバイザー", "ciso_advisor"),
    ("最高情報統括責任者", "ciso"),
    ("最高情報セキュリティ副責任者", "deputy_ciso"),
    ("副最高情報セキュリティ責任者", "deputy_ciso"),
    ("最高情報セキュリティ責任者", "ciso"),
    ("副CISO", "deputy_ciso"),
    ("CISO補佐", "deputy_ciso"),
    ("CISO", "ciso"),
    ("統括情報セキュリティ責任者", "head_security_officer"),
    ("統括情報セキュリティ管理者", "head_security_officer"),
    ("情報セキュリティ監査統括責任者", "auditor"),
    ("情報セキュリティ責任者", "department_security_officer"),
    ("情報セキュリティ管理者", "section_security_manager"),
    ("情報システム管理者", "information_system_manager"),
    ("情報システム担当者", "system_operator"),
    ("セキュリティ委員会", "security_committee"),
    ("セキュリティ会議", "security_committee"),
    ("CSIRT責任者", "csirt_leader"),
    ("CSIRT", "csirt_member"),
    ("統一的な窓口", "point_of_contact"),
    ("統一的窓口", "point_of_contact"),
    ("総務担当課長", "general_affairs_manager"),
    ("人事管理部門", "personnel"),
    ("施設管理部門", "facilities"),
    ("監査を行う者", "auditor"),
    ("監査を実施する者", "auditor"),
    ("監査責任者", "auditor"),
    ("監査担当者", "auditor"),
    ("監査人", "auditor"),
    ("被監査部門", "auditee"),
    ("監査を受ける者", "auditee"),
    ("許可権限者", "permission_authority"),
    ("監督責任者", "supervisor"),
    ("市長", "mayor"),
    ("町長", "mayor"),
    ("村長", "mayor"),
    ("区長", "mayor"),
    ("知事", "mayor"),
    ("会計年度任用職員", "fixed_term_employee"),
    ("非常勤職員", "fixed_term_employee"),
    ("臨時職員", "fixed_term_employee"),
    ("職員等", "staff"),
    ("職員", "staff"),
    ("委託事業者", "contractor"),
    ("委託業者", "contractor"),
    ("受託事業者", "contractor"),
    ("受託者", "contractor"),
    ("委託先", "contractor"),
    ("市民等外部", "citizen"),
    ("市民", "citizen"),
    ("住民", "citizen"),
];

/// Words that join two actors.
const JOINTS: &[&str] = &[
    "及び",
    "および",
    "又は",
    "または",
    "並びに",
    "ならびに",
    "若しくは",
    "もしくは",
    "、",
    "，",
    "・",
    "と",
];

/// What may stand between a role and 「は」: those whom he names.
const NAMED_BY: &[&str] = &[
    "が指名した者",
    "が指名する者",
    "が指定した者",
    "が指定する者",
    "の指名する者",
    "の指定する者",
    "から指名された者",
];

/// Role ids of those who act in a sentence (without brackets), in order, each once.
pub(super) fn actors(plain: &str, places: &Places) -> Vec<&'static str> {
    let narrow = narrow_latin(plain, places);
    let of_narrow;
    let places = if matches!(narrow, Cow::Owned(_)) {
        of_narrow = Places::of(&narrow);
        &of_narrow
    } else {
        places
    };
    let mut found: Vec<&'static str> = Vec::new();
    for (at, _) in places.each(Kind::Actor).filter(|(_, c)| *c == 'は') {
        topic(narrow.get(..at).unwrap_or(""), &mut found);
    }
    if found.is_empty() {
        subject(&narrow, &mut found);
    }
    let mut seen = 0;
    while let Some(id) = found.get(seen).copied() {
        if found.iter().take(seen).any(|f| *f == id) {
            found.remove(seen);
        } else {
            seen += 1;
        }
    }
    found
}

/// The roles that end right before 「は」.
fn topic(before: &str, found: &mut Vec<&'static str>) {
    let mut rest = NAMED_BY.iter().find_map(|n| before.strip_suffix(n)).unwrap_or(before);
    let mut roles = Vec::new();
    while let Some((id, head)) = role_at_end(rest) {
        roles.push(id);
        let Some(next) = JOINTS.iter().find_map(|j| head.strip_suffix(j)) else { break };
        rest = NAMED_BY.iter().find_map(|n| next.strip_suffix(n)).unwrap_or(next);
    }
    if roles.is_empty() && before.ends_with('者') && !before.ends_with("第三者") {
        // 「情報資産を利用する者は」: whoever does it, first of all the staff.
        let verb = before.strip_suffix('者').and_then(|b| b.chars().next_back());
        if verb.is_some_and(|c| matches!(c, 'る' | 'う' | 'す' | 'た' | 'く' | 'つ' | 'ぶ' | 'む')) {
            roles.push("staff");
        }
    }
    found.extend(roles.into_iter().rev());
}

/// 「…、情報システム管理者が管理する。」: the subject of a short last clause.
fn subject(text: &str, found: &mut Vec<&'static str>) {
    let Some((before, after)) = text.rsplit_once('が') else { return };
    let last_clause = after.chars().count() <= 24
        && !["場合", "とき", "こと", "もの", "者", "ため"].iter().any(|w| after.contains(w));
    if !last_clause {
        return;
    }
    if let Some((id, head)) = role_at_end(before)
        && (head.is_empty() || head.ends_with(['、', '，']))
    {
        found.push(id);
    }
}

fn role_at_end(text: &str) -> Option<(&'static str, &str)> {
    static BY_END: LazyLock<Buckets<&str>> = LazyLock::new(|| Buckets::by_end(ROLES.iter().copied()));
    let best = |t: &str| BY_END.at_end(t).max_by_key(|(term, _)| term.len());
    let cut = |t: &'_ str, term: &str| t.len() - term.len();
    if let Some((term, id)) = best(text) {
        return Some((id, text.get(..cut(text, term))?));
    }
    let short = text.strip_suffix('等')?;
    let (term, id) = best(short)?;
    Some((id, short.get(..cut(short, term))?))
}

/// Full-width Latin letters as half width, so that ＣＩＳＯ is CISO.
fn narrow_latin<'t>(text: &'t str, places: &Places) -> Cow<'t, str> {
    if !places.each(Kind::Actor).any(|(_, c)| matches!(c, 'Ａ'..='Ｚ' | 'ａ'..='ｚ')) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| match c {
            'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
                u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c)
            }
            c => c,
        })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_lists_and_subjects() {
        for (text, want) in [
            ("統括情報セキュリティ責任者は、ＣＩＳＯを補佐する", &["head_security_officer"][..]),
            ("ＣＩＳＯ及び統括情報セキュリティ責任者は、止める", &["ciso", "head_security_officer"]),
            (
                "報告を受けた情報セキュリティ管理者は、情報システム管理者に報告する",
                &["section_security_manager"],
            ),
            ("部屋は小さくし、情報システム管理者が管理する", &["information_system_manager"]),
            ("情報システム管理者が認めた者に渡す", &[]),
            ("職員等又は受託者が接続する場合は、許可を得る", &[]),
            ("情報を作成する者は、分類を表示する", &["staff"]),
            (
                "統括情報セキュリティ責任者及び統括情報セキュリティ責任者が指名した者は、調べる",
                &["head_security_officer"],
            ),
            ("会計年度任用職員、職員等は、守る", &["fixed_term_employee", "staff"]),
            ("職員等には、研修がある", &[]),
        ] {
            assert_eq!(actors(text, &Places::of(text)), want, "{text}");
        }
    }
}
