//! Fills the seats of the demo city: first everybody, then the transfers, retirements and new people of two Aprils.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_store::org::{AppointmentRow, PersonRow};

use super::super::names::{Names, Sex};
use super::super::rng::Rng;
use super::{Seat, chart, rank};

/// Role of employees whose appointment ends with the fiscal year.
const FIXED_TERM_ROLE: &str = "fixed_term_employee";

/// Who sits in a seat, and since when.
#[derive(Debug, Clone, Copy)]
struct Holding {
    person: usize,
    since: Date,
}

struct Staffing<'a> {
    rng: Rng,
    names: Names,
    seats: &'a [Seat],
    /// Places of the seats of each pool that are not kept.
    pools: BTreeMap<&'a str, Vec<usize>>,
    held: Vec<Option<Holding>>,
    persons: Vec<PersonRow>,
    appointments: Vec<AppointmentRow>,
}

/// Everybody who works or worked in the city within the history, and their appointments to main posts.
pub(super) fn staff(seed: u64, today: Date, seats: &[Seat]) -> (Vec<PersonRow>, Vec<AppointmentRow>) {
    let this_year = today.fiscal_year_start();
    let first = this_year.plus_months(-24);
    let mut pools: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, seat) in seats.iter().enumerate().filter(|(_, seat)| !seat.kept) {
        pools.entry(&seat.pool).or_default().push(at);
    }
    let mut s = Staffing {
        rng: Rng::part(seed, "staffing"),
        names: Names::new(seed),
        seats,
        pools,
        held: vec![],
        persons: vec![],
        appointments: vec![],
    };
    for seat in seats {
        let years = i32::try_from(s.rng.range(0, 3)).unwrap_or(0);
        let holding = (seat.rank != rank::FIXED_TERM).then(|| {
            let since = first.plus_months(-12 * years);
            Holding { person: s.somebody(seat.rank, since), since }
        });
        s.held.push(holding);
    }
    s.april(this_year.plus_months(-12));
    s.april(this_year);
    s.vacancy(today, this_year);
    s.close_books();
    s.fixed_term(this_year);
    (s.persons, s.appointments)
}

impl Staffing<'_> {
    /// A new person, of an age that suits the rank on that day.
    fn somebody(&mut self, rank: i64, on: Date) -> usize {
        let (young, old) = match rank {
            rank::SPECIAL => (58, 66),
            rank::DEPARTMENT_HEAD => (55, 57),
            rank::DEPARTMENT_SECOND => (53, 57),
            rank::SECTION_HEAD => (49, 57),
            rank::ASSISTANT => (45, 56),
            rank::TEAM_HEAD => (40, 55),
            rank::SENIOR => (34, 52),
            rank::MIDDLE => (28, 39),
            rank::MEMBER => (19, 29),
            _ => (24, 62),
        };
        let year = i64::from(on.fiscal_year());
        let age = self.rng.range(young, old);
        let hired = year - (age - self.rng.range(18, 23)).max(0);
        let fixed = rank == rank::FIXED_TERM;
        let women = if fixed {
            75
        } else if rank <= rank::SECTION_HEAD {
            25
        } else {
            48
        };
        let sex = if self.rng.chance(women) { Sex::Female } else { Sex::Male };
        let name = self.names.next(year - age, sex);
        let at = self.persons.len();
        let number =
            if fixed { format!("9{:05}", at + 1) } else { format!("{:02}{:04}", hired % 100, at + 1) };
        let mail = format!("{number}@city.shiomino.example");
        self.persons.push(PersonRow { number, name: name.written, kana: name.kana, mail });
        at
    }

    fn write(&mut self, seat: &Seat, holding: Holding, until: Option<Date>, role: &str) {
        let Some(person) = self.persons.get(holding.person) else { return };
        self.appointments.push(AppointmentRow {
            id: String::new(),
            person: person.number.clone(),
            post: seat.post.clone(),
            main: true,
            from: holding.since,
            until,
            role: role.to_owned(),
            scope_unit: String::new(),
        });
    }

    /// Ends what is held in a seat with the day before, and returns who leaves it.
    fn leave(&mut self, at: usize, day: Date) -> Option<usize> {
        let holding = self.held.get_mut(at)?.take()?;
        let seat = self.seats.get(at)?.clone();
        self.write(&seat, holding, Some(day.plus_days(-1)), "");
        Some(holding.person)
    }

    fn sit(&mut self, at: usize, person: usize, since: Date) {
        if let Some(place) = self.held.get_mut(at) {
            *place = Some(Holding { person, since });
        }
    }

    /// Seats of a pool whose holder may move on that day.
    fn movable(&self, pool: &str, day: Date) -> Vec<usize> {
        let free = |at: &usize| self.held.get(*at).copied().flatten().is_some_and(|h| h.since < day);
        self.pools.get(pool).into_iter().flatten().copied().filter(free).collect()
    }

    /// 1 April: some leave, their places are filled from below, and about a fifth of the others change places.
    fn april(&mut self, day: Date) {
        let leaving = [
            ("10", 2),
            ("12", 1),
            ("20", 4),
            ("30", 3),
            ("40", 5),
            ("50", 6),
            ("60", 2),
            ("70", 3),
            ("72", 1),
            ("73", 1),
        ];
        for (pool, count) in leaving {
            for _ in 0..count {
                let at = self.rng.pick(&self.movable(pool, day));
                if self.seats.get(at).is_some_and(|s| s.pool == pool && !s.kept) {
                    self.leave(at, day);
                    self.fill(at, day);
                }
            }
        }
        for pool in ["10", "12", "20", "30", "40", "50", "60", "70", "71", "72", "73", "74", "園長"] {
            let mut moving = self.movable(pool, day);
            self.rng.shuffle(&mut moving);
            let count = (moving.len() / 5).max(2);
            moving.truncate(count);
            self.rotate(&moving, day);
        }
    }

    /// Fills an empty seat with somebody of the next lower rank, whose seat is filled in turn; a new person at the bottom.
    fn fill(&mut self, at: usize, day: Date) {
        let mut empty = at;
        // Bounded: there are eight ranks.
        for _ in 0..10 {
            let Some(seat) = self.seats.get(empty).cloned() else { return };
            let below = match seat.pool.as_str() {
                "10" => "12",
                "12" => "20",
                "20" => "30",
                "30" => "40",
                "40" => "50",
                "50" => "60",
                "60" => "70",
                _ => "",
            };
            let from = self.movable(below, day);
            if from.is_empty() {
                let person = self.somebody(seat.rank, day);
                self.sit(empty, person, day);
                return;
            }
            let promoted = self.rng.pick(&from);
            if let Some(person) = self.leave(promoted, day) {
                self.sit(empty, person, day);
            }
            empty = promoted;
        }
    }

    /// Everybody takes the next one's seat; who would only change the chair in the same post stays.
    fn rotate(&mut self, seats: &[usize], day: Date) {
        let post = |at: usize| self.seats.get(at).map(|s| s.post.as_str()).unwrap_or_default();
        let mut ring: Vec<usize> = vec![];
        for at in seats {
            if ring.iter().all(|r| post(*r) != post(*at)) {
                ring.push(*at);
            }
        }
        if ring.len() < 2 {
            return;
        }
        let people: Vec<Option<usize>> = ring.iter().map(|at| self.leave(*at, day)).collect();
        for (at, person) in ring.iter().cycle().skip(1).zip(people) {
            if let Some(person) = person {
                self.sit(*at, person, day);
            }
        }
    }

    /// The head of one section left within the year, and the post is still vacant.
    fn vacancy(&mut self, today: Date, this_year: Date) {
        let (y, m, _) = today.plus_months(-1).ymd();
        let month = Date::new(y, m, 1).unwrap_or(this_year).max(this_year);
        let at = self
            .seats
            .iter()
            .position(|s| s.section == chart::VACANT_SECTION && s.rank == rank::SECTION_HEAD);
        if let Some(at) = at {
            self.leave(at, month);
        }
    }

    /// Writes what is still held, without end.
    fn close_books(&mut self) {
        let seats = self.seats;
        for (seat, holding) in seats.iter().zip(self.held.clone()) {
            if let Some(holding) = holding {
                self.write(seat, holding, None, "");
            }
        }
    }

    /// Fixed-term employees: an appointment for each fiscal year, renewed for most.
    fn fixed_term(&mut self, this_year: Date) {
        let seats = self.seats;
        for seat in seats.iter().filter(|s| s.rank == rank::FIXED_TERM) {
            let years = if seat.kept { 2 } else { self.rng.weighted([15, 20, 65].into_iter()) };
            let person = self.somebody(seat.rank, this_year);
            for back in (0..=i32::try_from(years).unwrap_or(0)).rev() {
                let since = this_year.plus_months(-12 * back);
                self.write(seat, Holding { person, since }, Some(since.fiscal_year_end()), FIXED_TERM_ROLE);
            }
        }
    }
}
