//! Kill −9 under load, again and again: what was acknowledged is there, once, as it was sent; nothing else is.
//! - A life is a folder and 50 kills; then everything is compared, sealed, verified, and compared again.
//! - Some kills fall at any moment; others are held back until the folder shows that a phase is under way. Which phases
//!   kills fell into is read from what they left, and printed.
//! - Rounds: CRASH_ROUNDS (50; `CRASH_ROUNDS=1000 cargo test --test service crash -- --nocapture`). Seed: CRASH_SEED.

mod dice;
mod ledger;
mod load;
mod sent;
mod traces;
mod victim;

use crate::support::{START_MAX, Server, run};
use dice::Dice;
use ledger::Ledger;
use load::{Load, Manner};
use metronome::clock::{Clock, Millis};
use sent::{Events, Number, RETENTION_DAYS};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use traces::{PHASES, Phase};
use victim::Victim;

const LIFE_ROUNDS: u32 = 50;
/// Phases that the kills of a life fall into at the least, however slow the machine is.
const FELL_INTO_MIN: usize = 5;
/// From so many kills on, some fall into each phase.
const ROUNDS_FOR_ALL: u32 = 1000;
/// How long a stop may take.
const STOP_MAX: Duration = Duration::from_secs(10);
/// How long a kill is held back for its phase.
const HELD_BACK_MAX: Duration = Duration::from_secs(3);
/// How often it is seen whether the time has come.
const LOOK_EVERY: Duration = Duration::from_micros(200);
/// Events of the round before that are sent once more.
const AGAIN: usize = 20;

/// When a round's server is killed.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// After so many acknowledgements.
    Acknowledged(usize),
    /// So long after its process began, ready or not.
    Started(Duration),
    /// When the folder shows this.
    Seen(Phase),
}

/// How many kills fell into what.
#[derive(Default)]
struct Tally {
    phases: BTreeMap<Phase, u32>,
    /// Before it said where it listens.
    unready: u32,
    slowest: Duration,
    acknowledged: usize,
}

#[test]
fn what_was_acknowledged_survives_every_kill_exactly_once() {
    let rounds = number("CRASH_ROUNDS", LIFE_ROUNDS);
    let seed = number("CRASH_SEED", 1);
    println!("{rounds} kills of seed {seed}");
    let mut tally = Tally::default();
    for (life, first) in (0..rounds).step_by(LIFE_ROUNDS as usize).enumerate() {
        live(u64::from(seed) + life as u64, LIFE_ROUNDS.min(rounds - first), &mut tally);
    }
    let Tally { phases, unready, slowest, acknowledged } = tally;
    println!("{acknowledged} acknowledged events over {rounds} kills, slowest start {slowest:?}");
    println!("kills by what they fell into: {phases:?}, before it listened: {unready}");
    assert!(slowest < START_MAX, "a start took {slowest:?}");
    let missed: Vec<Phase> = PHASES.into_iter().filter(|phase| !phases.contains_key(phase)).collect();
    let missed_max = match rounds {
        ROUNDS_FOR_ALL.. => 0,
        LIFE_ROUNDS.. => PHASES.len() - FELL_INTO_MIN,
        _ => PHASES.len(),
    };
    assert!(missed.len() <= missed_max, "no kill fell into {missed:?}");
}

#[test]
fn a_stop_under_load_takes_ten_seconds_at_most_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let events = Events::begun_now(1);
    let mut ledger = Ledger::new(events);
    found(folder.path(), events, &mut ledger);
    for (number, batch) in [(1, 1), (2, 50)] {
        let server = Server::start(folder.path(), &[]);
        let manner = Manner { batch, padded: false, rest: Duration::ZERO, seals: true, expires: false };
        let load = Load::begin(events, number, manner, server.address, Vec::new());
        server.wait_until("the load", |_| load.acknowledged() >= 500);
        let asked = Instant::now();
        let status = server.stop();
        let took = asked.elapsed();
        note(&mut ledger, load, events, number, manner);
        println!("stopped within {took:?}");
        assert!(status.success() && took < STOP_MAX, "{status} after {took:?}");
    }
    ledger.compare(&Server::start(folder.path(), &[]));
}

fn live(seed: u64, rounds: u32, tally: &mut Tally) {
    let folder = tempfile::tempdir().expect("folder");
    let events = Events::begun_now(seed);
    let mut ledger = Ledger::new(events);
    found(folder.path(), events, &mut ledger);
    for round in 1..=rounds {
        one_round(folder.path(), events, round, &mut ledger, tally);
    }
    tally.acknowledged += ledger.acknowledged();
    let server = Server::start(folder.path(), &[]);
    ledger.compare(&server);
    drop(server);
    for command in [&["seal"][..], &["verify", "--recount"]] {
        let output = run(folder.path(), command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    ledger.compare(&Server::start(folder.path(), &[]));
}

/// Round 0: every day is there and sealed, so that all that comes later is late, and months have tables.
fn found(data_dir: &Path, events: Events, ledger: &mut Ledger) {
    let server = Server::start(data_dir, &[]);
    for (within, day) in events.days().enumerate() {
        let number = Number { round: 0, within: within as u32 };
        assert_eq!(server.post("/tick", &events.json(number, day, false).to_string()).0, 202);
        ledger.note_sent(number, day, false);
        ledger.note_acknowledged(number);
    }
    assert!(run(data_dir, &["seal"]).status.success());
    assert!(server.stop().success());
}

/// Starts a server, loads it, kills it, and notes what it must have kept.
fn one_round(data_dir: &Path, events: Events, number: u32, ledger: &mut Ledger, tally: &mut Tally) {
    let (aim, manner) = plan(events.seed, number);
    let is_removal = matches!(aim, Aim::Seen(Phase::Remove));
    if manner.expires {
        ledger.note_expiry(number, is_removal);
    }
    let again = ledger.again(number - 1, AGAIN);
    let began = Clock::System.now();
    let mut victim = Victim::start(data_dir, &settings(manner.expires, is_removal));
    let mut load: Option<Load> = None;
    loop {
        if let (None, Some(address)) = (&load, victim.address()) {
            tally.slowest = tally.slowest.max(victim.age());
            load = Some(Load::begin(events, number, manner, address, again.clone()));
        }
        if is_time(aim, data_dir, began, &victim, load.as_ref()) {
            break;
        }
    }
    let age = victim.age();
    victim.kill();
    let seen = traces::seen(data_dir, began);
    let acknowledged = load.as_ref().map(Load::acknowledged);
    println!("kill {number}: {aim:?} after {age:?}, {acknowledged:?} acknowledged, fell into {seen:?}");
    for phase in seen {
        *tally.phases.entry(phase).or_default() += 1;
    }
    let Some(load) = load else {
        tally.unready += 1;
        return;
    };
    note(ledger, load, events, number, manner);
}

/// Notes what a round sent, and what of it was acknowledged.
fn note(ledger: &mut Ledger, load: Load, events: Events, round: u32, manner: Manner) {
    let (acknowledged, used) = load.end();
    for within in 0..used {
        let number = Number { round, within };
        ledger.note_sent(number, events.day(number, manner.expires), manner.is_padded(within));
    }
    acknowledged.into_iter().for_each(|number| ledger.note_acknowledged(number));
}

fn is_time(aim: Aim, data_dir: &Path, began: Millis, victim: &Victim, load: Option<&Load>) -> bool {
    let is_late = victim.ready_for().is_some_and(|ready| ready > HELD_BACK_MAX);
    std::thread::sleep(LOOK_EVERY);
    match aim {
        Aim::Seen(phase) => is_late || phase.shows(data_dir, began),
        Aim::Acknowledged(enough) => is_late || load.is_some_and(|load| load.acknowledged() >= enough),
        Aim::Started(after) => victim.age() >= after,
    }
}

/// What a round does: ten kinds in turn, their numbers by the seed.
fn plan(seed: u64, round: u32) -> (Aim, Manner) {
    let mut dice = Dice::new(seed ^ 0x706c_616e, u64::from(round));
    let acknowledged = Aim::Acknowledged(20 + dice.below(300) as usize);
    let fast = Manner { batch: 1, padded: false, rest: Duration::ZERO, seals: false, expires: false };
    let slow = Manner { batch: 2, rest: Duration::from_millis(50), ..fast };
    match round % 10 {
        0 if round.is_multiple_of(20) => (Aim::Seen(Phase::Promise), slow),
        0 => (Aim::Seen(Phase::Flush), fast),
        1 => (Aim::Seen(Phase::Rotation), Manner { padded: true, ..fast }),
        2 => (acknowledged, Manner { batch: 50, seals: true, ..fast }),
        3 => (Aim::Seen(Phase::Swap), Manner { seals: true, ..slow }),
        4 => (Aim::Seen(Phase::Strip), Manner { expires: true, ..slow }),
        5 => (Aim::Seen(Phase::Month), Manner { seals: true, ..slow }),
        6 if round.is_multiple_of(4) => (Aim::Seen(Phase::Seal), Manner { seals: true, ..slow }),
        6 => (acknowledged, Manner { seals: true, ..fast }),
        7 => (Aim::Seen(Phase::Retire), Manner { seals: true, ..slow }),
        8 => (Aim::Started(Duration::from_millis(dice.below(200))), slow),
        _ if round < 30 && round != 19 => (Aim::Seen(Phase::Remove), Manner { expires: true, ..slow }),
        // Strips every old day, so that the end of a life sees what that kept.
        _ => (acknowledged, Manner { expires: true, ..slow }),
    }
}

/// Small segments and commits, so that kills meet rotation and flush.
fn settings(expires: bool, tables: bool) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", (1 << 20).to_string()),
        ("METRONOME_STORE_COMMIT_MS", 50.to_string()),
        ("METRONOME_LOG_LEVEL", "warn".to_owned()),
    ];
    if expires {
        settings.push(("METRONOME_RETENTION_DAYS", RETENTION_DAYS.to_string()));
    }
    if tables {
        settings.push(("METRONOME_RETENTION_ITEMS_DAYS", RETENTION_DAYS.to_string()));
    }
    settings
}

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
