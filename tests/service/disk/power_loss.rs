//! Power loss under load: what was acknowledged is there, once, as it was sent; nothing else is; the server starts at once.
//! - A run is lives: load with days sealed beside it, the power gone at any operation (starting included), and a start on
//!   what remains. From the second life on the oldest days expire.
//! - DISK_ROUNDS=200 cargo test --test service power_loss; DISK_SEED is the first run's seed, and runs count up from it.

use super::dice::Dice;
use super::layer::{Fuse, Layer};
use super::ledger::{Ledger, Way, compare};
use super::users::{is_sound, takes_a_fresh_event};
use super::{SITE, mix, number};
use crate::support::{START_MAX, Server, agent, run};
use metronome::event::Day;
use std::time::{Duration, Instant};

const LIVES: u64 = 3;
const EVENTS: u64 = 10_000;
/// Days of the first life's events; the first of them expires in the second life.
const DAYS: u64 = 5;
const RETENTION_DAYS: &str = "2";
const SEAL_EVERY: Duration = Duration::from_millis(100);
/// Operations in a life at the most; many end before.
const OPERATIONS_MAX: usize = 4000;
/// Of those, in the store, what changes names.
const NAMES_MAX: usize = 1500;

#[test]
fn what_was_acknowledged_survives_every_power_loss_exactly_once() {
    let (rounds, first) = (number("DISK_ROUNDS", 4), number("DISK_SEED", 1));
    let mut slowest = Duration::ZERO;
    for seed in first..first + rounds {
        let Some(took) = lives(seed) else { return };
        slowest = slowest.max(took);
    }
    println!("{rounds} runs of {LIVES} power losses from seed {first}, slowest start {slowest:?}");
    assert!(slowest < START_MAX, "a start took {slowest:?}");
}

/// One run; answers its slowest start.
fn lives(seed: u64) -> Option<Duration> {
    let mut dice = Dice::of(seed);
    let mut layer = Layer::mount()?;
    let mut ledgers = Vec::new();
    let mut slowest = Duration::ZERO;
    let mut kept_from = String::new();
    for life in 0..LIVES {
        // Small segments and commits, so that the end meets rotation and flush as well.
        let mut settings =
            vec![("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"), ("METRONOME_STORE_COMMIT_MS", "30")];
        if life > 0 {
            settings.push(("METRONOME_RETENTION_DAYS", RETENTION_DAYS));
            kept_from = first_kept();
        }
        // Later lives send nothing that would be refused as too old.
        let ledger = Ledger::new(mix(seed, life, if life == 0 { DAYS } else { 2 }, EVENTS));
        let fuse = fuse(&mut dice);
        layer.light(fuse.clone());
        live(&layer, &settings, &ledger, &mut dice);
        let told = layer.lose_power(&mut dice);
        println!("run {seed}, life {life}: {} acknowledged; {fuse:?}; {told}", ledger.count());
        ledgers.push(ledger);
        let started = Instant::now();
        let server = Server::start(layer.path(), &settings);
        slowest = slowest.max(started.elapsed());
        compare(&server, SITE, &ledgers, &kept_from);
        is_sound(&layer);
        takes_a_fresh_event(&server, &format!("{seed}-{life}"));
        // The next life begins after a clean stop or a kill.
        if dice.one_in(2) {
            assert!(server.stop().success());
        }
    }
    sealed_days_hold_the_same(&layer, &ledgers, &kept_from);
    Some(slowest)
}

/// The power goes anywhere, or where the names of the journal's or the store's files change; early as often as late.
fn fuse(dice: &mut Dice) -> Fuse {
    let (area, names_only, most) = *dice.pick(&[
        ("", false, OPERATIONS_MAX),
        ("", false, OPERATIONS_MAX),
        ("journal", true, 6),
        ("store", true, NAMES_MAX),
        ("store", true, NAMES_MAX),
    ]);
    let most = dice.below(most) + 1;
    Fuse { area, names_only, after: dice.below(most), then: dice.below(8) }
}

/// A life up to the end of the power.
fn live(layer: &Layer, settings: &[(&str, &str)], ledger: &Ledger, dice: &mut Dice) {
    let server = match Server::try_start(layer.path(), settings) {
        Ok(server) => server,
        Err(why) => return assert!(layer.is_dead(), "it did not start, on a disk that works: {why}"),
    };
    // Large ones make several records of the journal under one acknowledgement.
    let batch = *dice.pick(&[1, 1, 20, 1000]);
    let load =
        ledger.send(server.address, Way { connections: 8, batch, rate: None, time_max: Duration::from_secs(20) });
    while !load.is_finished() && !layer.wait_dead(SEAL_EVERY) {
        // Refused while one runs. A process may end by itself when the files it has mapped are gone with the power.
        let asked = agent().post(format!("http://{}/jobs", server.address)).send(r#"{"do":"seal"}"#);
        assert!(asked.is_ok() || layer.is_dead(), "{asked:?}");
    }
    layer.wait_dead(Duration::from_millis(dice.below(300) as u64));
    layer.cut();
    drop(server); // killed
    load.join().expect("the load");
}

fn sealed_days_hold_the_same(layer: &Layer, ledgers: &[Ledger], kept_from: &str) {
    for command in [&["seal"][..], &["verify", "--recount"]] {
        let output = run(layer.path(), command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let server = Server::start(layer.path(), &[("METRONOME_RETENTION_DAYS", RETENTION_DAYS)]);
    server.wait_until("the expiry", |server| {
        let days = server.events(&format!("&site={SITE}"));
        days.iter().all(|event| event["day"].as_str().expect("a day") >= kept_from)
    });
    compare(&server, SITE, ledgers, kept_from);
}

/// The first day that is kept: one more than said, for the sake of zones.
fn first_kept() -> String {
    let today = metronome::clock::Clock::System.now().div_euclid(super::DAY_MS as i64);
    let days: i64 = RETENTION_DAYS.parse().expect("a number");
    Day(i32::try_from(today - days - 1).expect("a day")).to_string()
}
