//! A probe: one event of its own, and how long until a reader sees it.

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

/// What one probe met.
#[derive(Debug, Clone, Copy)]
pub struct Met {
    /// From its request to the acknowledgement.
    pub acknowledged: Duration,
    /// From there until it was read.
    pub seen: Duration,
}

/// Sends one event and waits until it is seen.
pub fn once(server: &Metronome) -> Met {
    let item = format!("probe-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let now = Clock::System.now();
    let event = format!(
        r#"{{"@timestamp":{now},"site":"default","action":"view","id":"{item}","visitor":"{item}","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"}}"#
    );
    let asked = Instant::now();
    server.server().post("/tick", &event);
    let acknowledged = asked.elapsed();
    let waiting = Instant::now();
    while !server.server().get(&format!("/tock/{item}.json?range=7d")).contains("\"views\":{\"") {
        assert!(waiting.elapsed() < SEEN_WITHIN, "{item} is not seen");
        std::thread::sleep(LOOK_EVERY);
    }
    Met { acknowledged, seen: waiting.elapsed() }
}

/// The longest lag of as many probes as the time allows, in seconds. Blocks.
pub fn longest_lag(server: &Metronome, time: Duration) -> f64 {
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    while started.elapsed() < time {
        longest = longest.max(tokio::task::block_in_place(|| once(server).seen));
        std::thread::sleep(PAUSE);
    }
    longest.as_secs_f64()
}
