//! Invariant 5: the permit, its period, and what moves under it.

use sekisho_case::Code;
use sekisho_case::case::{Direction, Status};
use sekisho_case::decide::{Command, Draft};
use serde_json::json;

use crate::world::*;

fn movement(c: &Case, items: &[&str], direction: Direction) -> Command {
    Command::Move {
        shown: c.whole(),
        items: items.iter().map(|s| (*s).into()).collect(),
        direction,
        note: String::new(),
    }
}

fn moved(
    c: &mut Case,
    w: &World,
    who: &str,
    items: &[&str],
    direction: Direction,
) -> Result<(), sekisho_case::Refusal> {
    let command = movement(c, items, direction);
    c.run(w, who, command)
}

fn blanket() -> Draft {
    let mut b = draft_of(&[item("asset", "1"), item("asset", "2")]);
    b.fields.insert("blanket".into(), json!(true));
    b.fields.insert("return_by".into(), json!("2026-09-30"));
    b
}

fn permitted(w: &World, d: Draft) -> Case {
    let mut c = w.apply("clerk", "zeimu.staff", d);
    c.permit(w, "manager").unwrap();
    c
}

#[test]
fn the_permit_says_what_for_whom_and_how_long() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let mut command = act("permit", &c.hash("permit"));
    if let Command::Act { conditions, .. } = &mut command {
        conditions.extend(["常に携行する".to_owned(), "  ".to_owned()]);
    }
    c.run(&w, "manager", command).unwrap();
    let p = c.state().permit.unwrap();
    assert_eq!(
        (p.number.as_str(), p.holder.as_str(), p.title.as_str()),
        ("持出-R8-0001", "clerk", "持出許可証")
    );
    assert_eq!((p.from, p.until, p.blanket), (d("2026-07-02"), d("2026-07-10"), false));
    assert_eq!((p.items, p.conditions), (vec!["asset/1".to_owned()], vec!["常に携行する".to_owned()]));
}

#[test]
fn the_period_ends_with_the_fiscal_year_and_is_not_over() {
    let w = World::new();
    let period = |from: &str, until: &str| {
        let mut x = draft();
        x.fields.insert("from".into(), json!(from));
        x.fields.insert("return_by".into(), json!(until));
        w.try_apply("clerk", "zeimu.staff", x)
    };
    assert!(period("2026-07-02", "2026-07-02").is_ok());
    assert!(period("2026-12-01", "2027-03-31").is_ok());
    for (from, until) in
        [("2026-12-01", "2027-04-01"), ("2026-07-10", "2026-07-09"), ("2026-06-01", "2026-06-30")]
    {
        let r = period(from, until).unwrap_err();
        assert_eq!((r.code, r.fields[0].field.as_str()), (Code::InvalidForm, "return_by"), "{from} {until}");
    }
    // The pack's own limit is checked as well, with its own words.
    let r = period("2026-07-02", "2027-03-31").unwrap_err();
    assert_eq!(r.fields[0].message, "200日を超えて持ち出すことはできません。");
}

#[test]
fn nothing_goes_out_before_the_permit_or_outside_its_period() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(code(moved(&mut c, &w, "clerk", &[], Direction::Out)), Code::WrongState);
    c.permit(&w, "manager").unwrap();
    assert_eq!(code(moved(&mut c, &w, "clerk", &[], Direction::Out)), Code::NotCovered, "it begins tomorrow");
    w.go_to("2026-07-02");
    assert_eq!(code(moved(&mut c, &w, "clerk2", &[], Direction::Out)), Code::NotAuthorized);
    assert_eq!(code(moved(&mut c, &w, "clerk", &["asset/7"], Direction::Out)), Code::NotCovered);
    moved(&mut c, &w, "clerk", &["asset/1"], Direction::Out).unwrap();
    assert_eq!(
        code(moved(&mut c, &w, "clerk", &["asset/1"], Direction::Out)),
        Code::NotCovered,
        "it is outside already"
    );
    let mut late = permitted(&World::new(), draft());
    w.go_to("2026-07-11");
    assert_eq!(code(moved(&mut late, &w, "clerk", &[], Direction::Out)), Code::NotCovered, "it is over");
}

#[test]
fn an_ordinary_permit_covers_one_way_out_and_back() {
    let w = World::new();
    let mut c = permitted(&w, draft());
    let w = w.on("2026-07-02");
    moved(&mut c, &w, "clerk", &[], Direction::Out).unwrap();
    moved(&mut c, &w, "clerk", &[], Direction::In).unwrap();
    assert_eq!(code(moved(&mut c, &w, "clerk", &[], Direction::Out)), Code::NotCovered);
    assert_eq!(code(moved(&mut c, &w, "clerk", &[], Direction::In)), Code::NotCovered);
}

#[test]
fn a_blanket_permit_covers_daily_use_by_item() {
    let mut w = World::new();
    let mut c = permitted(&w, blanket());
    for day in ["2026-07-02", "2026-07-03", "2026-09-30"] {
        w.go_to(day);
        moved(&mut c, &w, "clerk", &["asset/1"], Direction::Out).unwrap();
        let state = c.state();
        assert_eq!(state.permit.as_ref().unwrap().outside().into_iter().collect::<Vec<_>>(), ["asset/1"]);
        // Whoever answers for the permit may record that it came back.
        moved(&mut c, &w, "manager", &["asset/1"], Direction::In).unwrap();
    }
    assert_eq!(c.state().permit.unwrap().movements.len(), 6);
    w.go_to("2026-10-01");
    assert_eq!(code(moved(&mut c, &w, "clerk", &["asset/1"], Direction::Out)), Code::NotCovered);
}

#[test]
fn recording_the_return_brings_everything_in() {
    let mut w = World::new();
    let mut c = permitted(&w, draft());
    w.go_to("2026-07-02");
    moved(&mut c, &w, "clerk", &[], Direction::Out).unwrap();
    w.go_to("2026-07-10");
    c.give_back(&w, "clerk").unwrap();
    let p = c.state().permit.unwrap();
    assert!(p.outside().is_empty());
    let last = p.movements.last().unwrap();
    assert_eq!((last.direction, last.person.as_str()), (Direction::In, "clerk"));
    assert_eq!(c.last_of("moved").held[0].role, "applicant");
}

#[test]
fn a_revoked_permit_lets_nothing_out_but_wants_everything_back() {
    let mut w = World::new();
    let mut c = permitted(&w, blanket());
    w.go_to("2026-07-02");
    moved(&mut c, &w, "clerk", &["asset/1"], Direction::Out).unwrap();
    let revoke = |c: &Case, says: &str| Command::Revoke { shown: c.whole(), says: says.into() };
    let own = revoke(&c, "もういらない");
    assert_eq!(c.refused(&w, "clerk", own), Code::SelfDecision);
    let wrong = revoke(&c, "理由");
    assert_eq!(c.refused(&w, "other", wrong), Code::NotAuthorized);
    let silent = revoke(&c, "");
    assert_eq!(c.refused(&w, "manager", silent), Code::ReasonRequired);
    let right = revoke(&c, "紛失のおそれがある");
    c.run(&w, "manager", right).unwrap();
    assert_eq!(c.state().status, Status::Revoked);
    assert_eq!(code(moved(&mut c, &w, "clerk", &["asset/2"], Direction::Out)), Code::NotCovered);
    moved(&mut c, &w, "clerk", &["asset/1"], Direction::In).unwrap();
    let again = revoke(&c, "もう一度");
    assert_eq!(c.refused(&w, "manager", again), Code::WrongState);
    c.give_back(&w, "clerk").unwrap();
    c.confirm(&w, "manager").unwrap();
    assert_eq!(c.state().status, Status::Closed);
}

#[test]
fn an_extension_is_asked_for_and_given_by_whoever_permitted() {
    let w = World::new();
    let mut c = permitted(&w, draft());
    let ask = |c: &Case, until: &str| Command::AskExtension {
        shown: c.whole(),
        until: d(until),
        says: "調査が延びた".into(),
    };
    let wrong = ask(&c, "2026-07-20");
    assert_eq!(c.refused(&w, "clerk2", wrong), Code::NotAuthorized);
    let earlier = ask(&c, "2026-07-10");
    assert_eq!(c.refused(&w, "clerk", earlier), Code::InvalidForm);
    let too_long = ask(&c, "2027-04-01");
    assert_eq!(c.refused(&w, "clerk", too_long), Code::PeriodTooLong);
    let right = ask(&c, "2026-07-20");
    c.run(&w, "clerk", right).unwrap();
    assert!(c.tasks().iter().any(|t| t.kind.code() == "extension" && t.post == "zeimu.head"));
    let give =
        |c: &Case, until: &str| Command::Extend {
            shown: c.whole(), until: d(until), says: "認める".into()
        };
    let own = give(&c, "2026-07-20");
    assert_eq!(c.refused(&w, "clerk", own), Code::SelfDecision);
    let too_long = give(&c, "2027-04-01");
    assert_eq!(c.refused(&w, "manager", too_long), Code::PeriodTooLong);
    let right = give(&c, "2026-07-20");
    c.run(&w, "manager", right).unwrap();
    let state = c.state();
    assert_eq!(state.permit.as_ref().unwrap().until, d("2026-07-20"));
    assert_eq!(
        state.step("return").unwrap().due.unwrap().date(),
        d("2026-07-20"),
        "the return is due later, too"
    );
    assert!(!c.tasks().iter().any(|t| t.kind.code() == "extension"));
}

#[test]
fn an_extension_can_be_declined() {
    let w = World::new();
    let mut c = permitted(&w, draft());
    let decline = |c: &Case| Command::DeclineExtension {
        shown: c.whole(),
        says: "返却してから改めて申請".into(),
    };
    let nothing = decline(&c);
    assert_eq!(c.refused(&w, "manager", nothing), Code::NothingToDo);
    let ask = Command::AskExtension { shown: c.whole(), until: d("2026-07-20"), says: "延びた".into() };
    c.run(&w, "clerk", ask).unwrap();
    let own = decline(&c);
    assert_eq!(c.refused(&w, "clerk2", own), Code::NotAuthorized);
    let right = decline(&c);
    c.run(&w, "manager", right).unwrap();
    let p = c.state().permit.unwrap();
    assert_eq!((p.until, p.extension), (d("2026-07-10"), None));
}

#[test]
fn nobody_is_asked_for_more_time_after_the_end() {
    let w = World::new();
    let mut c = permitted(&w, draft());
    let ask = Command::AskExtension { shown: c.whole(), until: d("2026-07-20"), says: "延びた".into() };
    c.run(&w, "clerk", ask).unwrap();
    let close = Command::Close { shown: c.whole(), says: "使わなかった".into() };
    c.run(&w, "manager", close).unwrap();
    assert!(c.tasks().is_empty(), "{:?}", c.tasks());
}

#[test]
fn a_case_is_not_closed_over_things_outside() {
    let mut w = World::new();
    let mut c = permitted(&w, draft());
    let close = |c: &Case| Command::Close { shown: c.whole(), says: "使わなかった".into() };
    let mut unused = c.clone();
    let own = close(&unused);
    assert_eq!(unused.refused(&w, "clerk", own), Code::SelfDecision);
    let right = close(&unused);
    unused.run(&w, "manager", right).unwrap();
    assert_eq!(unused.state().status, Status::Closed);
    assert!(unused.tasks().is_empty());
    w.go_to("2026-07-02");
    moved(&mut c, &w, "clerk", &[], Direction::Out).unwrap();
    let out = close(&c);
    assert_eq!(c.refused(&w, "manager", out), Code::StillOut);
    moved(&mut c, &w, "clerk", &[], Direction::In).unwrap();
    let used = close(&c);
    assert_eq!(c.refused(&w, "manager", used), Code::WrongState);
}
