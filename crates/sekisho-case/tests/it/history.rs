//! Invariant 8, as far as the engine goes: the acts are the case, dense, complete and round-tripping.

use sekisho_case::case::{Act, CaseState, FoldError, SYSTEM, fold};

use crate::world::*;

fn whole_case() -> (World, Case) {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    w.absent("manager");
    c.permit(&w, "deputy").unwrap();
    w.lists.absences.clear();
    w.go_to("2026-07-09");
    c.give_back(&w, "clerk").unwrap();
    c.confirm(&w, "manager").unwrap();
    (w, c)
}

#[test]
fn acts_are_numbered_without_gaps_and_stamped() {
    let (w, c) = whole_case();
    for (i, act) in c.acts.iter().enumerate() {
        assert_eq!(act.seq as usize, i + 1);
        assert_eq!(act.pack, w.pack.hash);
        assert_eq!(act.content.len(), 64);
        if act.person != SYSTEM {
            assert!(!act.held.is_empty(), "{}: no capacity", act.what.code());
            assert!(!act.post.is_empty() || act.held[0].role == "applicant", "{}: no post", act.what.code());
        }
    }
    let by_people: Vec<&str> = c.acts.iter().filter(|a| a.person != SYSTEM).map(|a| a.what.code()).collect();
    assert_eq!(by_people, ["applied", "decided", "decided", "decided"]);
}

#[test]
fn acts_and_state_survive_json() {
    let (_, c) = whole_case();
    let text = serde_json::to_string(&c.acts).unwrap();
    let back: Vec<Act> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, c.acts);
    let state = c.state();
    let state_text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<CaseState>(&state_text).unwrap(), state);
    assert_eq!(serde_json::to_string(&fold(&back).unwrap()).unwrap(), state_text, "folding is deterministic");
}

#[test]
fn folding_one_by_one_is_folding_all() {
    let (_, c) = whole_case();
    let mut state = CaseState::begin(&c.acts[0]).unwrap();
    for act in &c.acts[1..] {
        state.apply(act).unwrap();
    }
    assert_eq!(state, c.state());
}

#[test]
fn a_gap_a_repetition_or_a_missing_beginning_is_noticed() {
    let (_, c) = whole_case();
    assert_eq!(fold(&[]), Err(FoldError::NoBeginning));
    assert_eq!(fold(&c.acts[1..]), Err(FoldError::NoBeginning));
    let mut gap = c.acts.clone();
    gap.remove(2);
    assert_eq!(fold(&gap), Err(FoldError::Gap { expected: 3, found: 4 }));
    let mut state = c.state();
    let before = state.clone();
    assert!(state.apply(c.acts.last().unwrap()).is_err());
    assert_eq!(state, before, "a refused act changes nothing");
}

#[test]
fn parties_are_the_persons_who_took_part() {
    let (_, c) = whole_case();
    assert_eq!(
        c.state().parties.iter().map(String::as_str).collect::<Vec<_>>(),
        ["clerk", "deputy", "manager"]
    );
}
