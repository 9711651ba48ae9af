//! Kill −9 under load, again and again: what was acknowledged is there, once, as it was sent; nothing else is.
//! Rounds: CRASH_ROUNDS (20). Seed: CRASH_SEED (printed).

use crate::support::{START_MAX, Server};
use metronome::load::{self, Options, mix::Mix};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SITE: &str = "crash";
/// Events numbered from here on belong to round r.
const ROUND_SHIFT: u32 = 24;

#[test]
fn what_was_acknowledged_survives_every_kill_exactly_once() {
    let rounds = number("CRASH_ROUNDS", 20);
    let seed = number("CRASH_SEED", 1);
    println!("{rounds} rounds of seed {seed}");
    let folder = tempfile::tempdir().expect("folder");
    // Small segments and commits, so that kills meet rotation and flush as well.
    let settings = [("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"), ("METRONOME_STORE_COMMIT_MS", "50")];
    let mut acknowledged: BTreeSet<u64> = BTreeSet::new();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let started = Instant::now();
        let server = Server::start(folder.path(), &settings);
        slowest = slowest.max(started.elapsed());
        let kill_after = 100 + (seed ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 2000;
        acknowledged.extend(load_until(server, seed, round, kill_after));
    }
    let server = Server::start(folder.path(), &settings);
    compare(&server, seed, &acknowledged);
    println!("{} acknowledged events over {rounds} kills, slowest start {slowest:?}", acknowledged.len());
    assert!(slowest < START_MAX, "a start took {slowest:?}");
    drop(server);
    sealed_days_hold_the_same(folder.path(), seed, &acknowledged);
}

/// Loads until so many events are acknowledged, kills, and gives back the numbers that were.
fn load_until(server: Server, seed: u64, round: u64, kill_after: u64) -> Vec<u64> {
    let told: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (enough, wait) = std::sync::mpsc::sync_channel(1);
    let tell = Arc::clone(&told);
    let first = round << ROUND_SHIFT;
    let target = server.address;
    let acknowledged = Arc::new(move |numbers: Range<u64>| {
        let mut told = tell.lock().expect("lock");
        told.extend(numbers.map(|number| first + number));
        if told.len() as u64 >= kill_after {
            let _ = enough.try_send(());
        }
    });
    let batch = if round.is_multiple_of(2) { 1 } else { 50 };
    let loading = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(load::run(options(target, seed, round, batch), acknowledged)).expect("a load");
    });
    wait.recv_timeout(Duration::from_secs(60)).expect("enough acknowledgements");
    server.kill();
    loading.join().expect("the load");
    let told = told.lock().expect("lock");
    told.clone()
}

fn options(target: std::net::SocketAddr, seed: u64, round: u64, batch: u64) -> Options {
    Options {
        target,
        path: "/tick".to_owned(),
        key: None,
        connections: 16,
        batch,
        rate: None,
        time_max: Duration::from_secs(60),
        events: 1 << ROUND_SHIFT,
        mix: mix(seed, round),
    }
}

/// Each round has ids of its own; their times lie within the last two days.
fn mix(seed: u64, round: u64) -> Mix {
    let from = metronome::clock::Clock::System.now() / 86_400_000 * 86_400_000 - 86_400_000;
    let mut mix = Mix::new(seed.wrapping_mul(1000) + round, SITE, from, 3_600_000, 1 << ROUND_SHIFT);
    mix.items = 100;
    mix
}

fn compare(server: &Server, seed: u64, acknowledged: &BTreeSet<u64>) {
    server.wait_until("the store", |server| server.get("/metrics").1.contains("metronome_store_lag_events 0\n"));
    let mut stored: BTreeMap<String, Value> = BTreeMap::new();
    for event in server.events(&format!("&site={SITE}")) {
        let id = event["event_id"].as_str().expect("an id").to_owned();
        assert!(stored.insert(id.clone(), event).is_none(), "{id} is there twice");
    }
    for number in acknowledged {
        let id = sent_id(seed, *number);
        let event = stored.remove(&id).unwrap_or_else(|| panic!("{id} was acknowledged and is not there"));
        same_payload(seed, *number, &event);
    }
    // What is left was sent and never answered: it may be there, if it is one of ours.
    for id in stored.keys() {
        let known = |round| id.starts_with(&format!("{:08x}-", seed.wrapping_mul(1000) + round));
        assert!((0..number("CRASH_ROUNDS", 20)).any(known), "{id} was never sent");
    }
}

fn sent_id(seed: u64, number: u64) -> String {
    mix(seed, number >> ROUND_SHIFT).id(number & ((1 << ROUND_SHIFT) - 1))
}

/// What does not change on the way is as it was sent.
fn same_payload(seed: u64, number: u64, event: &Value) {
    let mut sent = Vec::new();
    mix(seed, number >> ROUND_SHIFT).write(number & ((1 << ROUND_SHIFT) - 1), true, &mut sent);
    let sent: Value = serde_json::from_slice(&sent).expect("JSON");
    for (key, value) in sent.as_object().expect("an object") {
        match key.as_str() {
            "@timestamp" | "visitor" | "user_agent" | "referer" => {}
            // 0.00 comes back as 0: one number, one form.
            _ if value.is_number() => assert_eq!(event[key].as_f64(), value.as_f64(), "{key} of event {number}"),
            _ => assert_eq!(&event[key], value, "{key} of event {number}"),
        }
    }
}

fn sealed_days_hold_the_same(data_dir: &Path, seed: u64, acknowledged: &BTreeSet<u64>) {
    for command in ["seal", "verify"] {
        let output = crate::support::run(data_dir, &[command]);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    compare(&Server::start(data_dir, &[]), seed, acknowledged);
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
