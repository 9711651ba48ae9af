//! Generated events and plans: any store against the oracle, through writes, starts, seals and expiry in any order.
//! - Answers are equal, distinct counts and percentiles within the store's stated tolerance.
//! - A failure names its seed and the fewest steps that break: `CONTRACT_SEED=n CONTRACT_STEPS=m cargo test --test contract
//!   generated` lives that life alone.
//! - A million cases: `CONTRACT_SEEDS=1100 cargo test --release --test contract embedded::generated -- --nocapture`.

mod compare;
mod dice;
mod events;
mod plans;
mod questions;

use crate::events::{DAY, visits};
use crate::memory::InMemory;
use crate::subject::{Backend, Subject};
use compare::{CASES, compare};
use dice::Dice;
use events::Maker;
use metronome::event::Day;
use metronome::store::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Lives that each store lives in a test run.
const SEEDS: u64 = 3;
/// Things that happen to a store in one life.
const STEPS: u64 = 14;

/// Lives many lives with a fresh store and a fresh oracle each; tells how far it is where more than usual were asked for.
pub fn run(make: impl Fn() -> Box<dyn Backend>) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("CONTRACT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CONTRACT_SEEDS").unwrap_or(SEEDS),
    };
    let (all, steps) = (seeds.end - seeds.start, number("CONTRACT_STEPS").unwrap_or(STEPS));
    let mut cases = 0;
    for (lived, seed) in (1..).zip(seeds) {
        let mut life = Life::new(seed, steps, make());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| life.live())) {
            let breaks =
                |steps: &u64| catch_unwind(AssertUnwindSafe(|| Life::new(seed, *steps, make()).live())).is_err();
            let fewest = (0..steps).find(breaks).unwrap_or(steps);
            eprintln!("broken in the life of CONTRACT_SEED={seed} after {:#?}", life.story);
            eprintln!("broken by the fewest steps: CONTRACT_SEED={seed} CONTRACT_STEPS={fewest}");
            resume_unwind(panic);
        }
        cases += life.cases;
        if all > SEEDS && (lived % 10 == 0 || lived == all) {
            eprintln!("{lived} of {all} lives, {cases} cases; the last is CONTRACT_SEED={seed}");
        }
    }
}

/// A store and its oracle, to which the same things happen.
struct Life {
    dice: Dice,
    maker: Maker,
    subject: Subject,
    oracle: Subject,
    story: Vec<String>,
    steps: u64,
    /// Questions that both were asked.
    cases: u64,
}

impl Life {
    fn new(seed: u64, steps: u64, backend: Box<dyn Backend>) -> Self {
        let mut dice = Dice::of(seed);
        let maker = Maker::new(Dice::of(dice.number()));
        let (subject, oracle) = (Subject::open(backend), Subject::open(Box::new(InMemory::default())));
        Self { dice, maker, subject, oracle, story: Vec::new(), steps, cases: 0 }
    }

    fn live(&mut self) {
        self.write((0, 3), 200);
        self.compare();
        for _ in 0..self.steps {
            self.step();
        }
        self.compare();
        for day in -1..5 {
            self.seal(day);
        }
        self.compare();
        self.reopen();
        self.compare();
        let first = self.dice.between(0, 3) as i32;
        self.story(format!("expire before day {first}"));
        self.subject.expire(Day(DAY.0 + first), Day(DAY.0 + first - 1));
        self.oracle.expire(Day(DAY.0 + first), Day(DAY.0 + first - 1));
        self.compare();
        self.write((i64::from(first) + 1, 4), 50);
        self.reopen();
        self.compare();
    }

    fn step(&mut self) {
        match self.dice.below(8) {
            0 | 1 => {
                let from = self.dice.between(0, 3);
                let events = self.dice.below(150) + 1;
                self.write((from, from + 1), events);
            }
            2 => self.write_again(),
            3 => self.reopen(),
            4 => {
                self.story("flush".to_owned());
                self.subject.flush();
            }
            5 | 6 => {
                let day = self.dice.between(0, 4) as i32;
                self.seal(day);
            }
            _ => self.compare(),
        }
    }

    fn write(&mut self, days: (i64, i64), events: usize) {
        self.story(format!("write {events} events of days {days:?}"));
        let batch = self.maker.batch(events, days);
        let duplicates = self.dice.below(3) as u64;
        for store in [&mut self.subject, &mut self.oracle] {
            store.pass_over(duplicates);
            store.write(batch.iter().cloned());
        }
    }

    /// Writes a part of what was written once more.
    fn write_again(&mut self) {
        let (journal, end) = self.subject.journal();
        let from = self.dice.below(journal.len());
        self.story(format!("write again from entry {from} of {}", journal.len()));
        let part: Vec<Entry> = journal[from..].to_vec();
        self.subject.write_entries(part.clone(), end);
        self.oracle.write_entries(part, end);
    }

    fn reopen(&mut self) {
        self.story("reopen".to_owned());
        self.subject.reopen();
        self.subject.resume();
    }

    fn seal(&mut self, day: i32) {
        self.story(format!("seal day {day}"));
        self.subject.seal(Day(DAY.0 + day), visits());
        self.oracle.seal(Day(DAY.0 + day), visits());
    }

    fn compare(&mut self) {
        self.story("compare".to_owned());
        self.subject.flush();
        let seed = self.dice.number();
        compare(&self.subject, &self.oracle, Dice::of(seed));
        self.cases += CASES;
    }

    fn story(&mut self, what: String) {
        self.story.push(what);
    }
}
