//! A disk that fails now and then: EIO, no room, writes cut short, syncs that lose what they were to sync.
//! - Nothing acknowledged is lost, by a power loss afterwards neither; senders hear 503 and when to come again; readers go
//!   on; what was poisoned heals by itself.
//! - FAULT_ROUNDS=100 cargo test --test service faults; FAULT_SEED is the first run's seed, and runs count up from it.

use super::dice::Dice;
use super::layer::{Faults, Layer};
use super::ledger::{Ledger, Way, compare};
use super::users::{Reader, Sender, is_sound, takes_a_fresh_event};
use super::{SITE, mix, number};
use crate::support::Server;
use std::time::Duration;

const EVENTS: u64 = 4000;
const AREAS: [&[&str]; 4] = [&["journal"], &["store"], &["catalog"], &["journal", "store", "catalog"]];

#[test]
fn nothing_acknowledged_is_lost_on_a_disk_that_fails_now_and_then() {
    let (rounds, first) = (number("FAULT_ROUNDS", AREAS.len() as u64), number("FAULT_SEED", 1));
    for seed in first..first + rounds {
        if failing(seed).is_none() {
            return;
        }
    }
}

fn failing(seed: u64) -> Option<()> {
    let mut dice = Dice::of(seed);
    let mut layer = Layer::mount()?;
    let settings = [("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"), ("METRONOME_STORE_COMMIT_MS", "30")];
    let server = Server::start(layer.path(), &settings);
    // Many days: each needs a salt of its own.
    let ledger = Ledger::new(mix(seed, 0, 20, EVENTS));
    let (reader, mut sender) = (Reader::start(server.address), Sender::new());
    let (areas, one_in) = (AREAS[(seed % AREAS.len() as u64) as usize], *dice.pick(&[8, 30, 200]));
    // The catalog is written once a day and site.
    let one_in = if areas == ["catalog"] { 3 } else { one_in };
    layer.fail(Some(Faults { dice: dice.clone(), one_in, areas, hit: 0 }));
    let batch = *dice.pick(&[1, 20]);
    let way = Way { connections: 4, batch, rate: Some(1000), time_max: Duration::from_secs(5) };
    let load = ledger.send(server.address, way);
    while !load.is_finished() {
        sender.send(&server);
        server.post("/jobs", r#"{"do":"seal"}"#);
        std::thread::sleep(Duration::from_millis(20));
    }
    let hit = layer.fail(None);
    let report = load.join().expect("the load").expect("a report");
    let healed = sender.wait_healed(&server);
    let answers = reader.finish();
    println!(
        "run {seed}, {areas:?} one in {one_in}: {hit} faults, {} acknowledged, {:?} refused, healed after {healed:?}, \
         {answers} answers to readers",
        report.acknowledged, report.refused
    );
    assert!(hit > 0, "no operation failed");
    assert_eq!(report.unknown, 0, "a request without an answer");
    assert!(report.refused.keys().all(|status| *status == 503), "{:?}", report.refused);
    let ledgers = [ledger];
    compare(&server, SITE, &ledgers, "");
    sender.compare(&server);
    takes_a_fresh_event(&server, "well again");
    is_sound(&layer);
    drop(server);
    println!("run {seed}: {}", layer.lose_power(&mut dice));
    let server = Server::start(layer.path(), &settings);
    compare(&server, SITE, &ledgers, "");
    sender.compare(&server);
    is_sound(&layer);
    Some(())
}
