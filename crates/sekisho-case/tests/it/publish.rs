//! The check before a pack takes effect: each kind of finding provoked, and a sound pack with none.

use std::collections::BTreeSet;

use sekisho_case::org::{Delegation, Org, OrgLists, Person, UnitKind};
use sekisho_case::publish::{Fault, Finding, Report, Severity, check};
use sekisho_pack::by::By;
use sekisho_pack::expr::{Env, Expr, Type};
use sekisho_pack::model::{
    Choice, ColumnType, FieldType, HandlingEffect, HandlingRule, HeldBy, OnAbsent, OnEmpty, Quorum, Scope,
    Step, StepKind,
};

use crate::world::*;

/// A city where everybody has somebody above: a mayor over the CISO, deputies of the two officers; what confirms may be
/// read afterwards.
fn sound() -> World {
    let mut w = World::new();
    w.lists.posts.push(post("mayor", "city", "市長", true));
    w.lists.posts.push(post("joho.vice", "joho", "課長補佐", false));
    w.lists.posts.push(post("shimin.vice", "shimin", "課長補佐", false));
    for (number, seat) in [("mayor1", "mayor"), ("joho2", "joho.vice"), ("shimin2", "shimin.vice")] {
        let person = Person { number: number.into(), name: format!("{number} 氏"), kana: String::new() };
        w.lists.persons.push(person);
        w.lists.appointments.push(holds(number, seat));
    }
    let mayor = role("mayor", "市長", Scope::Body, HeldBy::Post("mayor".into()), None, &[]);
    w.pack.roles.insert("mayor".into(), mayor);
    w.pack.roles.get_mut("ciso").unwrap().escalates_to = Some("mayor".into());
    step_mut(&mut w, "confirm_return").on_absent = OnAbsent::PostReview;
    classify(&mut w);
    w
}

/// Gives the registers a column for the class, which the handling rules ask about.
pub fn classify(w: &mut World) {
    for r in w.pack.registers.values_mut() {
        let mut class = column("class", vec![]);
        class.kind = ColumnType::Class("confidentiality".into());
        r.columns.push(class);
        r.class.insert("confidentiality".into(), "class".into());
    }
}

fn step_mut<'w>(w: &'w mut World, id: &str) -> &'w mut Step {
    let procedure = w.pack.procedures.get_mut("take_out").unwrap();
    procedure.steps.iter_mut().find(|s| s.id == id).unwrap()
}

fn report(w: &World) -> Report {
    check(&w.pack, &Org::new(w.lists.clone()), w.now.date())
}

#[track_caller]
fn found(r: &Report, fault: Fault) -> Vec<&Finding> {
    let list: Vec<&Finding> = r.findings.iter().filter(|f| f.fault == fault).collect();
    assert!(!list.is_empty(), "no {fault:?} in {r:#?}");
    list
}

#[test]
fn a_sound_pack_in_a_staffed_city_has_no_finding() {
    let w = sound();
    let r = report(&w);
    assert_eq!(r.findings, [], "{:#?}", r.lines(&w.pack, &Org::new(w.lists.clone())));
    assert!(r.sound() && r.looked.places >= 6 && r.looked.situations > 100, "{:?}", r.looked);
    assert!(r.looked.asked < r.looked.situations, "places whose posts are held alike are asked once");
}

#[test]
fn who_is_on_leave_today_says_nothing_about_a_pack() {
    let mut w = sound();
    for person in ["manager", "deputy", "chief", "director", "officer"] {
        w.absent(person);
    }
    assert_eq!(report(&w).findings, []);
}

#[test]
fn a_vacancy_that_a_higher_role_fills_is_a_warning_in_its_section() {
    let mut w = sound();
    w.vacate("shimin.head");
    let r = report(&w);
    assert!(r.sound());
    let vacant = found(&r, Fault::Vacant);
    assert!(vacant.iter().all(|f| f.section == "shimin" && f.severity == Severity::Warning), "{vacant:#?}");
    let steps: BTreeSet<&str> = vacant.iter().map(|f| f.step.as_str()).collect();
    assert_eq!(steps, BTreeSet::from(["permit", "confirm_return"]));
    assert!(
        vacant[0].reason.contains("市民課 課長") && vacant[0].reason.contains("上位"),
        "{}",
        vacant[0].reason
    );
}

#[test]
fn a_vacancy_that_blocks_names_the_section() {
    let mut w = sound();
    w.vacate("shimin.head");
    let confirm = step_mut(&mut w, "confirm_return");
    confirm.on_empty = OnEmpty::Block;
    confirm.within = None;
    let r = report(&w);
    let stuck: Vec<_> = found(&r, Fault::Vacant).into_iter().filter(|f| f.step == "confirm_return").collect();
    assert_eq!(stuck.len(), 1, "{stuck:#?}");
    assert!(stuck[0].section == "shimin" && stuck[0].reason.contains("止まります"), "{stuck:#?}");
    assert!(r.sound(), "a vacancy is acknowledged, not forbidden");
}

#[test]
fn a_delegation_fills_a_vacancy_that_would_block() {
    let mut w = sound();
    w.vacate("shimin.head");
    let confirm = step_mut(&mut w, "confirm_return");
    confirm.on_empty = OnEmpty::Block;
    confirm.within = None;
    w.lists.delegations.push(Delegation {
        id: "D1".into(),
        post: "shimin.head".into(),
        person: "director".into(),
        role: None,
        from: d("2026-01-01"),
        until: d("2027-03-31"),
    });
    let r = report(&w);
    // While the delegate is away as well, the post is as empty as without: that alone is told.
    let filled = |f: &Finding| f.fault != Fault::Vacant || f.absent.as_deref() == Some("director");
    assert!(r.findings.iter().all(filled), "{:#?}", r.findings);
}

#[test]
fn a_role_without_holder_anywhere_blocks() {
    let mut w = sound();
    step_mut(&mut w, "confirm_return").by = By::parse("auditor").unwrap();
    let r = report(&w);
    let none = found(&r, Fault::NoHolder);
    assert_eq!(none.len(), 1, "told once, not for every section: {none:#?}");
    assert!(none[0].severity == Severity::Block && none[0].section.is_empty(), "{none:#?}");
    assert!(none[0].reason.contains("監査人") && !r.sound(), "{none:#?}");
}

#[test]
fn items_that_may_be_left_out_leave_their_manager_open() {
    let mut w = sound();
    let procedure = w.pack.procedures.get_mut("take_out").unwrap();
    procedure.fields.iter_mut().find(|f| f.id == "items").unwrap().required = false;
    let r = report(&w);
    let none = found(&r, Fault::NoHolder);
    assert!(none[0].step == "permit" && none[0].reason.contains("持ち物を選ばない"), "{none:#?}");
}

#[test]
fn a_judging_step_of_the_applicant_blocks() {
    for by in ["applicant", "applicant and ciso"] {
        let mut w = sound();
        step_mut(&mut w, "confirm_return").by = By::parse(by).unwrap();
        let r = report(&w);
        let own = found(&r, Fault::OwnCase);
        assert!(own[0].step == "confirm_return" && own[0].severity == Severity::Block, "{own:#?}");
    }
    let mut w = sound();
    step_mut(&mut w, "confirm_return").by = By::parse("applicant or ciso").unwrap();
    assert!(report(&w).sound());
}

#[test]
fn nobody_confirms_the_own_work() {
    let mut w = sound();
    let lonely = role("archivist", "保管責任者", Scope::Body, HeldBy::Post("joho.vice".into()), None, &[]);
    w.pack.roles.insert("archivist".into(), lonely);
    step_mut(&mut w, "return").by = By::parse("archivist").unwrap();
    step_mut(&mut w, "confirm_return").by = By::parse("archivist").unwrap();
    let r = report(&w);
    let own = found(&r, Fault::OwnWork);
    assert!(own[0].severity == Severity::Block && own[0].step == "confirm_return", "{own:#?}");
    // Somebody above confirms in its stead.
    w.pack.roles.get_mut("archivist").unwrap().escalates_to = Some("ciso".into());
    assert!(report(&w).findings.iter().all(|f| f.fault != Fault::OwnWork));
}

#[test]
fn a_quorum_that_nobody_can_reach_blocks() {
    let mut w = sound();
    let member = role("member", "委員", Scope::Body, HeldBy::Appointment, None, &[]);
    w.pack.roles.insert("member".into(), member);
    for (person, seat) in [("director", "soumu.head"), ("officer", "kikaku.head"), ("sysman", "joho.head")] {
        let mut a = holds(person, seat);
        a.role = Some("member".into());
        w.lists.appointments.push(a);
    }
    let permit = step_mut(&mut w, "permit");
    *permit = step("permit", "許可", StepKind::Permit, "member");
    permit.quorum = Quorum::AtLeast(4);
    let r = report(&w);
    let few = found(&r, Fault::TooFew);
    assert!(
        few[0].severity == Severity::Block && few[0].reason.contains("4人が要るところ、行える人は3人"),
        "{few:#?}"
    );
    // Three suffice until one of them is away or applies.
    step_mut(&mut w, "permit").quorum = Quorum::AtLeast(3);
    let r = report(&w);
    assert!(r.sound());
    let away: BTreeSet<_> = found(&r, Fault::TooFew).iter().filter_map(|f| f.absent.clone()).collect();
    assert_eq!(away, BTreeSet::from(["director".into(), "officer".into(), "sysman".into()]));
    let applies: BTreeSet<_> = found(&r, Fault::TooFew).iter().filter_map(|f| f.applicant.clone()).collect();
    assert_eq!(applies, away, "a member who applies does not count either");
}

#[test]
fn the_absence_that_stops_a_step_is_named() {
    let mut w = sound();
    let confirm = step_mut(&mut w, "confirm_return");
    confirm.on_absent = OnAbsent::Wait;
    confirm.within = None;
    let r = report(&w);
    assert!(r.sound());
    let away = found(&r, Fault::Away);
    let zeimu: Vec<_> = away.iter().filter(|f| f.section == "zeimu" && f.applicant.is_none()).collect();
    assert_eq!(zeimu.len(), 1, "{away:#?}");
    assert_eq!(zeimu[0].absent.as_deref(), Some("manager"));
    assert!(zeimu[0].reason.contains("課野 長子さんが不在の間"), "{}", zeimu[0].reason);
    // With a deadline the next role may act once it has passed.
    step_mut(&mut w, "confirm_return").within = Some(sekisho_pack::model::Period::BusinessDays(3));
    let left = report(&w);
    assert!(left.findings.iter().all(|f| f.section != "zeimu"), "{left:#?}");
}

#[test]
fn who_would_decide_the_own_case_is_named() {
    let mut w = sound();
    w.pack.roles.get_mut("ciso").unwrap().escalates_to = None;
    let permit = step_mut(&mut w, "permit");
    permit.by = By::parse("ciso").unwrap();
    permit.each = None;
    let r = report(&w);
    let own = found(&r, Fault::SelfDecision);
    assert_eq!(own.len(), 1, "{own:#?}");
    assert_eq!((own[0].applicant.as_deref(), own[0].severity), (Some("mayor2"), Severity::Warning));
}

#[test]
fn circles_are_found() {
    let mut w = sound();
    w.pack.roles.get_mut("mayor").unwrap().escalates_to = Some("ciso".into());
    let r = report(&w);
    let circles = found(&r, Fault::Circle);
    assert_eq!(circles.len(), 1, "each once: {circles:#?}");
    assert!(circles[0].reason.contains("「CISO」→「市長」→「CISO」"), "{}", circles[0].reason);

    let mut w = sound();
    step_mut(&mut w, "return").opens = Some("take_out".into());
    assert!(!report(&w).sound());
}

fn env() -> Env {
    let choice = Type::Choice(vec!["car".into(), "bag".into()]);
    Env::new()
        .with("how", choice)
        .with("from", Type::Date)
        .with("blanket", Type::Bool)
        .with("returned_at", Type::Date)
        .with("class.confidentiality", Type::class_of(&axis()))
}

fn expr(source: &str) -> Option<Expr> {
    Some(Expr::parse(source, &env()).unwrap())
}

fn with_choice(w: &mut World) {
    let mut how = field("how", FieldType::Choice, true);
    how.choices = ["car", "bag"].map(|c| Choice { code: c.into(), label: c.into() }).to_vec();
    w.pack.procedures.get_mut("take_out").unwrap().fields.push(how);
}

#[test]
fn steps_that_are_never_reached() {
    for (when, severity, words) in [
        ("how == \"car\" && how == \"bag\"", Severity::Block, "決して行われません"),
        ("blanket && !blanket", Severity::Warning, "分からないときにだけ"),
        ("from < today", Severity::Warning, "見つかりません"),
    ] {
        let mut w = sound();
        with_choice(&mut w);
        let procedure = w.pack.procedures.get_mut("take_out").unwrap();
        procedure.fields.iter_mut().find(|f| f.id == "from").unwrap().limit = expr("from >= today");
        step_mut(&mut w, "confirm_return").when = expr(when);
        let r = report(&w);
        let f = found(&r, Fault::Unreachable);
        assert!(f[0].severity == severity && f[0].reason.contains(words), "{when}: {f:#?}");
    }
}

#[test]
fn forms_that_never_can_be_filled() {
    for (limit, severity, words) in [
        ("how == \"car\" && how == \"bag\"", Severity::Block, "記入できない"),
        ("from < today && from >= today", Severity::Warning, "見つかりません"),
    ] {
        let mut w = sound();
        with_choice(&mut w);
        let procedure = w.pack.procedures.get_mut("take_out").unwrap();
        procedure.fields.iter_mut().find(|f| f.id == "how").unwrap().limit = expr(limit);
        let r = report(&w);
        let f = found(&r, Fault::Form);
        assert!(f[0].severity == severity && f[0].reason.contains(words), "{limit}: {f:#?}");
        assert!(f[0].step.is_empty());
    }
    let mut w = sound();
    step_mut(&mut w, "return").evidence[0].limit =
        expr("returned_at < today - days(3) && returned_at > today");
    let r = report(&w);
    let f = found(&r, Fault::Form);
    assert_eq!((f[0].step.as_str(), f[0].severity), ("return", Severity::Warning));
}

#[test]
fn what_is_always_prohibited() {
    let mut w = sound();
    w.pack.classification.handling.push(HandlingRule {
        id: "closed".into(),
        acts: vec!["carry_out".into()],
        when: None,
        effect: HandlingEffect::Prohibited,
        says: "持ち出さない".into(),
        clause: "2.0.1".into(),
    });
    let r = report(&w);
    assert_eq!(found(&r, Fault::Prohibited)[0].severity, Severity::Block);
}

/// A city of 62 sections in 12 departments with about 1,200 staff, half of the sections without a deputy.
fn large() -> World {
    let mut w = sound();
    let mut lists = OrgLists::default();
    lists.units.push(unit("city", "市", UnitKind::Body, None));
    let seat = |lists: &mut OrgLists, unit: &str, code: &str, title: &str, head: bool, n: usize| {
        lists.posts.push(post(code, unit, title, head));
        for i in 0..n {
            let number = format!("{code}-{i}");
            lists.persons.push(Person { number: number.clone(), name: number.clone(), kana: String::new() });
            lists.appointments.push(holds(&number, code));
        }
    };
    seat(&mut lists, "city", "mayor", "市長", true, 1);
    seat(&mut lists, "city", "deputy_mayor", "副市長", true, 1);
    for dep in 0..12 {
        let code = if dep == 0 { "kikaku".to_owned() } else { format!("d{dep}") };
        lists.units.push(unit(&code, &code, UnitKind::Department, Some("city")));
        seat(&mut lists, &code, &format!("{code}.head"), "部長", true, 1);
        seat(&mut lists, &code, &format!("{code}.vice"), "次長", false, 1);
    }
    for s in 0..62 {
        let dep = if s % 12 == 0 { "kikaku".to_owned() } else { format!("d{}", s % 12) };
        let code = if s == 0 { "joho".to_owned() } else { format!("s{s}") };
        lists.units.push(unit(&code, &code, UnitKind::Section, Some(&dep)));
        seat(&mut lists, &code, &format!("{code}.head"), "課長", true, 1);
        seat(&mut lists, &code, &format!("{code}.vice"), "課長補佐", false, s % 2);
        seat(&mut lists, &code, &format!("{code}.staff"), "主事", false, 18);
    }
    w.lists = lists;
    w
}

#[test]
fn a_large_city_is_asked_by_what_differs() {
    let mut w = large();
    assert!(w.lists.persons.len() >= 1_150);
    let one = w.pack.procedures["take_out"].clone();
    for i in 0..7 {
        let mut p = one.clone();
        p.id = format!("p{i}");
        w.pack.procedures.insert(p.id.clone(), p);
    }
    let r = report(&w);
    assert_eq!(r.looked.procedures, 8);
    assert!(r.looked.places >= 62);
    // Eight procedures and 62 sections are asked as often as one procedure in the few kinds of section there are.
    assert!(r.looked.asked * 20 < r.looked.situations, "{:?}", r.looked);
    assert!(r.sound(), "{:#?}", r.findings.first());
}

#[test]
fn lines_bring_sections_together() {
    let mut w = large();
    for s in 1..40 {
        w.vacate(&format!("s{s}.head"));
    }
    let org = Org::new(w.lists.clone());
    let r = report(&w);
    let lines = r.lines(&w.pack, &org);
    assert!(lines.len() < 20, "{lines:#?}");
    assert!(lines.iter().any(|l| l.contains("同じことがほかに") && l.contains("ほか31か所")), "{lines:#?}");
    assert!(lines.last().unwrap().contains("承知すれば"), "{lines:#?}");
}
