//! A probe: an event of its own, how long until it is acknowledged, and how long from there until a reader sees it.

use crate::peers::{Metronome, Peer};
use metronome::clock::Clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a reader looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Between one probe and the next.
const PAUSE: Duration = Duration::from_millis(100);
const SEEN_WITHIN: Duration = Duration::from_secs(300);

/// Every probe has an item of its own.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Sends one event of the item; how long until it was acknowledged.
pub fn post(server: &Metronome, item: &str) -> Duration {
    let event = serde_json::json!({
        "@timestamp": Clock::System.now(),
        "site": "default",
        "action": "view",
        "id": item,
        "visitor": item,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    });
    let asked = Instant::now();
    server.server().post("/tick", &event.to_string());
    asked.elapsed()
}

/// How long one event takes from its acknowledgement until a reader sees it; [`SEEN_WITHIN`] at the most. Blocks.
pub fn lag(server: &Metronome) -> Duration {
    let item = format!("probe-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    post(server, &item);
    let waiting = Instant::now();
    let path = format!("/tock/{item}.json?range=7d");
    while waiting.elapsed() < SEEN_WITHIN && !server.server().get(&path).contains("\"views\":{\"") {
        std::thread::sleep(LOOK_EVERY);
    }
    waiting.elapsed()
}

/// The longest lag of as many probes as the time allows, in seconds. Blocks.
pub fn longest_lag(server: &Metronome, time: Duration) -> f64 {
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    while started.elapsed() < time {
        longest = longest.max(tokio::task::block_in_place(|| lag(server)));
        std::thread::sleep(PAUSE);
    }
    longest.as_secs_f64()
}
