//! Beside the main posts: concurrent posts, roles by appointment, absences, and the logins of the demo.

use sekisho_base::Date;
use sekisho_store::absence::AbsenceRow;
use sekisho_store::org::AppointmentRow;

use super::super::rng::Rng;
use super::chart::{
    AUDIT_SECTION, BODY, CITY, DEMO_SECTION, HEADS_TWO, INFORMATION_SECTION, OTHER_SECTION, SECOND_SECTION,
};
use super::{DemoLogin, Now, Seat, rank, row_id};

/// Unit of the clerk of the demo.
pub(super) const DEMO_TEAM: &str = "認定調査係";
/// People with concurrent posts, the head of two sections included.
const CONCURRENT: usize = 25;

/// Concurrent posts (兼務) and roles given by appointment.
pub(super) fn concurrent_and_roles(seed: u64, now: &Now<'_>) -> Vec<AppointmentRow> {
    let mut out = concurrent(seed, now);
    out.extend(roles(now));
    out
}

fn appointment(person: &str, post: &str, from: Date) -> AppointmentRow {
    AppointmentRow {
        id: String::new(),
        person: person.to_owned(),
        post: post.to_owned(),
        main: false,
        from,
        until: None,
        role: String::new(),
        scope_unit: String::new(),
    }
}

fn concurrent(seed: u64, now: &Now<'_>) -> Vec<AppointmentRow> {
    let mut rng = Rng::part(seed, "concurrent posts");
    let since = now.today.fiscal_year_start();
    let mut out = vec![];
    // The head of one section heads another: two posts, one person. It has been so for the whole history.
    if let Some((person, seat)) = now.people(HEADS_TWO, rank::SECTION_HEAD).first() {
        let from = now
            .appointments
            .iter()
            .find(|a| a.post == seat.post && a.until.is_none())
            .map_or(since, |a| a.from);
        let second = format!("{}-20", now.section_code(SECOND_SECTION));
        out.push(appointment(person, &second, from));
    }
    let ordinary = [rank::SENIOR, rank::MIDDLE, rank::MEMBER];
    let mut candidates: People<'_> = now
        .seated
        .iter()
        .copied()
        .filter(|(_, s)| ordinary.contains(&s.rank) && !s.kept && s.pool.ends_with('0'))
        .collect();
    rng.shuffle(&mut candidates);
    // Elections are run by the general affairs section: its people come first.
    candidates.sort_by_key(|(_, s)| s.section != HEADS_TWO);
    for (n, (person, seat)) in candidates.into_iter().enumerate() {
        if out.len() >= CONCURRENT {
            break;
        }
        if seat.section == HEADS_TWO && n >= 4 {
            continue;
        }
        let fits = |s: &&Seat| {
            let elections = seat.section == HEADS_TWO;
            s.pool == seat.pool && s.section != seat.section && elections == (s.section == SECOND_SECTION)
        };
        let posts: Vec<&str> = now.plan.seats.iter().filter(fits).map(|s| s.post.as_str()).collect();
        let post = rng.pick(&posts);
        if !post.is_empty() {
            out.push(appointment(person, post, since));
        }
    }
    out
}

/// Role, whether it holds for the whole body, section, rank, how many.
const ROLES: &[(&str, bool, &str, i64, usize)] = &[
    ("system_operator", false, INFORMATION_SECTION, rank::SENIOR, 1),
    ("system_operator", false, INFORMATION_SECTION, rank::MIDDLE, 2),
    ("csirt_leader", true, INFORMATION_SECTION, rank::ASSISTANT, 1),
    ("csirt_member", true, INFORMATION_SECTION, rank::TEAM_HEAD, 2),
    ("csirt_member", true, "危機管理課", rank::TEAM_HEAD, 1),
    ("csirt_member", true, "広報広聴課", rank::TEAM_HEAD, 1),
    ("csirt_liaison", true, "総務課", rank::ASSISTANT, 1),
    ("point_of_contact", true, INFORMATION_SECTION, rank::SENIOR, 1),
    ("auditor", true, AUDIT_SECTION, rank::TEAM_HEAD, 1),
    ("auditor", true, AUDIT_SECTION, rank::SENIOR, 1),
    ("general_affairs_manager", true, "総務課", rank::SECTION_HEAD, 1),
    ("personnel", true, "人事課", rank::SECTION_HEAD, 1),
    ("facilities", true, "管財課", rank::SECTION_HEAD, 1),
    ("ciso_advisor", true, CITY, rank::SPECIAL, 1),
];

fn roles(now: &Now<'_>) -> Vec<AppointmentRow> {
    let since = now.today.fiscal_year_start();
    let mut out = vec![];
    for (role, whole_body, section, rank, count) in ROLES {
        let people = now.people(section, *rank);
        let named = people.iter().filter(|(_, s)| *rank != rank::SPECIAL || s.post == *role);
        for (person, seat) in named.take(*count) {
            let scope_unit = if *whole_body { BODY.to_owned() } else { now.section_code(section) };
            let given = appointment(person, &seat.post, since);
            out.push(AppointmentRow { role: (*role).to_owned(), scope_unit, ..given });
        }
    }
    // The committee: the deputy mayor and the heads of the departments.
    let members = now
        .seated
        .iter()
        .copied()
        .filter(|(_, s)| s.rank == rank::DEPARTMENT_HEAD || s.post == "deputy_mayor");
    for (person, seat) in members {
        let given = appointment(person, &seat.post, since);
        out.push(AppointmentRow {
            role: "security_committee".to_owned(),
            scope_unit: BODY.to_owned(),
            ..given
        });
    }
    out
}

/// Who holds a main post, with the seat.
type People<'a> = Vec<(&'a str, &'a Seat)>;

/// A few stretches of absence: some now, some past, some ahead. Nobody who logs in is absent.
pub(super) fn absences(seed: u64, now: &Now<'_>) -> Vec<AbsenceRow> {
    let mut rng = Rng::part(seed, "absences");
    let heads: People<'_> =
        now.seated.iter().copied().filter(|(_, s)| s.rank == rank::SECTION_HEAD && !s.kept).collect();
    let others: People<'_> =
        now.seated.iter().copied().filter(|(_, s)| s.rank > rank::SECTION_HEAD && !s.kept).collect();
    // (people, how many, first day from, to, length from, to)
    let plan: [(&People<'_>, usize, i64, i64, i64, i64); 5] = [
        (&heads, 2, -2, 0, 2, 4),
        (&others, 4, -3, 0, 3, 9),
        (&others, 2, -90, -40, 150, 320),
        (&heads, 6, -200, -20, 0, 4),
        (&others, 6, 3, 60, 0, 6),
    ];
    let mut out: Vec<AbsenceRow> = vec![];
    for (people, count, early, late, short, long) in plan {
        for _ in 0..count {
            let at = rng.below(people.len());
            let Some((person, _)) = people.get(at) else { continue };
            let from = now.today.plus_days(rng.range(early, late));
            let until = from.plus_days(rng.range(short, long));
            let (kind, note) = if long > 100 {
                ("leave", "育児休業")
            } else {
                rng.pick(&[
                    ("leave", "年次有給休暇"),
                    ("trip", "県庁での会議"),
                    ("sick", ""),
                    ("training", "県の研修"),
                    ("leave", "特別休暇"),
                ])
            };
            if out.iter().any(|a| a.person == *person) {
                continue;
            }
            let id = row_id(&mut rng, from);
            out.push(AbsenceRow {
                id,
                person: (*person).to_owned(),
                from,
                until,
                kind: kind.to_owned(),
                note: note.to_owned(),
                by: (*person).to_owned(),
                at: None,
                cancelled: None,
            });
        }
    }
    out
}

/// Who can log in, and as what.
pub(super) fn logins(now: &Now<'_>) -> Vec<DemoLogin> {
    let in_team = |rank: i64| now.people(DEMO_SECTION, rank).into_iter().find(|(_, s)| s.unit == DEMO_TEAM);
    let head = |section: &str| now.people(section, rank::SECTION_HEAD).into_iter().next();
    let held = |post: &str| {
        now.seated.iter().copied().find(|(_, s)| s.post == post).map(|(p, s)| (p.to_owned(), s.clone()))
    };
    let auditor = now.people(AUDIT_SECTION, rank::TEAM_HEAD).into_iter().next();
    let all = [
        ("staff", "staff", "職員", in_team(rank::MIDDLE)),
        ("manager", "section_security_manager", "情報セキュリティ管理者", head(DEMO_SECTION)),
        ("other-manager", "section_security_manager", "情報セキュリティ管理者", head(OTHER_SECTION)),
        ("department", "department_security_officer", "情報セキュリティ責任者", held("040000-10")),
        ("system", "information_system_manager", "情報システム管理者", head(INFORMATION_SECTION)),
        ("officer", "head_security_officer", "統括情報セキュリティ責任者", held("info_policy_director")),
        ("ciso", "ciso", "最高情報セキュリティ責任者・CISO", held("deputy_mayor")),
        ("auditor", "auditor", "監査を行う者", auditor),
        ("fixed-term", "fixed_term_employee", "会計年度任用職員", in_team(rank::FIXED_TERM)),
    ];
    let title = |seat: &Seat| {
        now.plan.posts.iter().find(|p| p.code == seat.post).map(|p| p.title.clone()).unwrap_or_default()
    };
    all.into_iter()
        .filter_map(|(login, role, what, found)| {
            let (person, seat) = found?;
            let unit = match (seat.section, seat.unit.as_str()) {
                (CITY, _) => String::new(),
                (section, unit) if section == unit => format!("{section} "),
                (section, unit) => format!("{section} {unit} "),
            };
            // 会計年度任用職員 is both the title and the role: said once.
            let title = title(&seat);
            let label =
                if title == what { format!("{unit}{title}") } else { format!("{unit}{title}（{what}）") };
            Some(DemoLogin { login, person, label, role })
        })
        .collect()
}
