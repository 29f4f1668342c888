//! Random organizations and packs, drawn by a number: the same number draws the same.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_case::case::Item;
use sekisho_case::org::{Absence, Appointment, Delegation, OrgLists, UnitKind};
use sekisho_pack::by::By;
use sekisho_pack::model::{HeldBy, OnAbsent, OnEmpty, Pack, Period, Quorum, Scope, Step, StepKind};

use crate::world::*;

/// SplitMix64.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// Days of a run: from [`DAY`] on.
const DAYS: usize = 40;

/// The organization as drawn, beside the lists that the engine takes.
pub struct City {
    pub lists: OrgLists,
    /// Persons who can apply, with the post they apply from.
    pub applicants: Vec<(String, String)>,
    /// Everybody.
    pub people: Vec<String>,
    pub sections: Vec<String>,
}

fn day(draw: &mut Draw) -> Date {
    d(DAY).plus_days(i64::try_from(draw.below(DAYS)).unwrap())
}

/// A stretch of days within the run.
fn stretch(draw: &mut Draw) -> (Date, Date) {
    let from = day(draw);
    (from, from.plus_days(i64::try_from(draw.below(DAYS)).unwrap()))
}

/// The name of the role by which persons are appointed directly.
const NAMED: &str = "auditor";

pub fn city(draw: &mut Draw) -> City {
    use UnitKind::{Body, Department, Section, Subsection};
    let mut units = vec![unit("b", "市", Body, None)];
    let mut posts = vec![post("b.ciso", "b", "副市長", true)];
    let mut sections = Vec::new();
    for i in 0..1 + draw.below(2) {
        let department = format!("d{i}");
        units.push(unit(&department, "部", Department, Some("b")));
        posts.push(post(&format!("{department}.h"), &department, "部長", true));
        if !draw.one_in(3) {
            posts.push(post(&format!("{department}.v"), &department, "次長", false));
        }
        for j in 0..1 + draw.below(2) {
            let section = format!("s{i}{j}");
            units.push(unit(&section, "課", Section, Some(&department)));
            posts.push(post(&format!("{section}.h"), &section, "課長", true));
            posts.push(post(&format!("{section}.p"), &section, "主事", false));
            if !draw.one_in(4) {
                posts.push(post(&format!("{section}.v"), &section, "課長補佐", false));
            }
            let below = format!("k{i}{j}");
            if !draw.one_in(3) {
                units.push(unit(&below, "係", Subsection, Some(&section)));
                posts.push(post(&format!("{below}.h"), &below, "係長", true));
            }
            sections.push(section);
        }
    }
    let people: Vec<String> = (0..5 + draw.below(5)).map(|n| format!("p{n}")).collect();
    let mut appointments = Vec::new();
    let mut applicants = Vec::new();
    for (n, person) in people.iter().enumerate() {
        // The last one holds no ordinary post, so that whoever leaves a post may leave office.
        if n + 1 < people.len() {
            let from = if draw.one_in(6) { "d0.h".to_owned() } else { format!("{}.p", draw.pick(&sections)) };
            appointments.push(holds(person, &from));
            applicants.push((person.clone(), from));
        }
    }
    for p in posts.iter().filter(|p| !p.code.ends_with(".p")) {
        for _ in 0..draw.pick(&[0, 1, 1, 1, 2]) {
            let (from, until) =
                if draw.one_in(3) { stretch(draw) } else { (d("2025-04-01"), d("2027-03-31")) };
            let person = draw.pick(&people);
            appointments.push(Appointment {
                main: false,
                from,
                until: Some(until),
                ..holds(&person, &p.code)
            });
        }
    }
    for _ in 0..draw.below(4) {
        let (person, post) = (draw.pick(&people), draw.pick(&posts).code);
        appointments.push(Appointment { role: Some(NAMED.to_owned()), main: false, ..holds(&person, &post) });
    }
    let absences = (0..draw.below(7))
        .map(|_| {
            let (from, until) = stretch(draw);
            Absence { person: draw.pick(&people), from, until }
        })
        .collect();
    let delegations = (0..draw.below(7))
        .map(|n| {
            let (from, until) = stretch(draw);
            let role = draw.one_in(2).then(|| "section_security_manager".to_owned());
            let (post, person) = (draw.pick(&posts).code, draw.pick(&people));
            Delegation { id: format!("D{n}"), post, person, role, from, until }
        })
        .collect();
    let persons = vec![];
    let lists = OrgLists { units, posts, persons, appointments, absences, delegations };
    City { lists, applicants, people, sections }
}

/// A pack with random roles and one random procedure.
pub fn pack_of(draw: &mut Draw) -> Pack {
    let mut procedure = take_out();
    procedure.steps = steps(draw);
    if let Some(spec) = &mut procedure.permit {
        spec.returned_by = None;
    }
    let mut made = pack(procedure);
    let some = |draw: &mut Draw, of: &[&str]| -> Vec<String> {
        let mut left: Vec<&str> = of.iter().copied().filter(|_| !draw.one_in(3)).collect();
        if draw.one_in(2) {
            left.reverse();
        }
        left.into_iter().map(str::to_owned).collect()
    };
    let up = |draw: &mut Draw, of: &[&str]| (!draw.one_in(6)).then(|| draw.pick(of).to_owned());
    for (id, deputies, above) in [
        (
            "section_security_manager",
            &["課長補佐", "係長"][..],
            &["department_security_officer", "department_security_officer", "ciso"][..],
        ),
        ("department_security_officer", &["次長", "s00.h"], &["head_security_officer", "ciso"]),
        ("head_security_officer", &["s00.h"], &["ciso"]),
        ("ciso", &["d0.h", "d0.v"], &["head_security_officer"]),
        ("information_system_manager", &["s00.v", "s00.p"], &["head_security_officer"]),
    ] {
        let role = made.roles.get_mut(id).unwrap();
        role.deputies = some(draw, deputies);
        role.escalates_to = up(draw, above);
    }
    for (id, post) in
        [("head_security_officer", "d0.h"), ("ciso", "b.ciso"), ("information_system_manager", "s00.h")]
    {
        made.roles.get_mut(id).unwrap().held_by = HeldBy::Post(post.into());
    }
    made.roles.get_mut(NAMED).unwrap().escalates_to = up(draw, &["ciso"]);
    if draw.one_in(4) {
        // Heads of departments stand for sections too.
        made.roles.get_mut("section_security_manager").unwrap().held_by = HeldBy::HeadOf(Scope::Department);
    }
    made
}

fn steps(draw: &mut Draw) -> Vec<Step> {
    use StepKind::{Confirm, Consult, Inform, Instruct, Perform, Permit, Report, Review};
    let before: Vec<StepKind> =
        (0..draw.below(3)).map(|_| draw.pick(&[Consult, Review, Confirm, Instruct, Report])).collect();
    let permits = std::iter::repeat_n(Permit, 1 + draw.below(2));
    let after: Vec<StepKind> = (0..draw.below(4))
        .map(|_| draw.pick(&[Perform, Perform, Confirm, Confirm, Inform, Review]))
        .collect();
    let kinds: Vec<StepKind> = before.into_iter().chain(permits).chain(after).collect();
    kinds.into_iter().enumerate().map(|(n, kind)| one_step(draw, n, kind)).collect()
}

fn one_step(draw: &mut Draw, n: usize, kind: StepKind) -> Step {
    const ROLES: [&str; 6] = [
        "section_security_manager of applicant.section",
        "section_security_manager of applicant.section",
        "department_security_officer of applicant.department",
        "head_security_officer of applicant.body",
        "information_system_manager of applicant.body",
        "auditor of applicant.body",
    ];
    let each = kind == StepKind::Permit && draw.one_in(3);
    let by = if each {
        "item.managed_by of item.owner.section".to_owned()
    } else if kind == StepKind::Perform && !draw.one_in(3) {
        "applicant".to_owned()
    } else {
        let joined = draw.pick(&["", "", "", " and ", " and ", " or "]);
        let first = draw.pick(&ROLES);
        if joined.is_empty() { first.to_owned() } else { format!("{first}{joined}{}", draw.pick(&ROLES)) }
    };
    let mut s = step(&format!("t{n}"), "手順", kind, &by);
    s.by = By::parse(&by).unwrap();
    s.each = each.then(|| "items".to_owned());
    s.within = (!draw.one_in(3)).then(|| Period::BusinessDays(1 + u32::try_from(draw.below(3)).unwrap()));
    s.on_absent = draw.pick(&[OnAbsent::Wait, OnAbsent::Daiketsu, OnAbsent::Daiketsu, OnAbsent::PostReview]);
    s.on_empty = draw.pick(&[OnEmpty::Block, OnEmpty::Escalate, OnEmpty::Escalate]);
    s.quorum = draw.pick(&[Quorum::One, Quorum::One, Quorum::All, Quorum::AtLeast(2)]);
    s
}

/// What is applied for: one or two things of random sections.
pub fn items_of(draw: &mut Draw, city: &City) -> Vec<Item> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for n in 0..1 + draw.below(2) {
        let mut one = item(draw.pick(&["asset", "device"]), &n.to_string());
        one.snapshot.owner = draw.pick(&city.sections);
        items.insert(one.key(), one);
    }
    items.into_values().collect()
}
