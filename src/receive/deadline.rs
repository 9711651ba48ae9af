//! Deadline: by when what a sender began has to be whole.
//! - Time runs from the first byte of what is unfinished. Who has begun nothing may be quiet for as long as it likes.
//! - What ends renews it: the time that taking it needs is this end's, not the sender's.
//! - Absent: what is unfinished, and what ends it (each protocol's).

use super::Broken;
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Time for the first [`GRACE_BYTES`].
const GRACE: Duration = Duration::from_secs(30);
/// Bytes that may take all of the grace.
const GRACE_BYTES: usize = 1 << 20;
/// Pace of what comes beyond those, in bytes per second.
const PACE_MIN: u64 = 32 << 10;

/// The deadline of one connection.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    /// Since when something is unfinished.
    begun: Option<Instant>,
    /// How much of it came.
    bytes: usize,
}

impl Deadline {
    /// Bytes came, and nothing ended yet.
    pub(super) fn came(&mut self, bytes: usize) {
        self.begun.get_or_insert_with(Instant::now);
        self.bytes += bytes;
    }

    /// Something ended; whether the beginning of the next is there.
    pub(super) fn ended(&mut self, is_next_begun: bool) {
        *self = Self { begun: is_next_begun.then(Instant::now), bytes: 0 };
    }

    /// Time begins anew for what is unfinished: until now it was not read on.
    pub(super) fn put_off(&mut self) {
        self.begun = self.begun.map(|_| Instant::now());
    }

    /// Waits until it has passed, and why the connection is closed then.
    pub(super) async fn passed(&self) -> Broken {
        let Some(begun) = self.begun else { return pending().await };
        sleep_until(due(begun, self.bytes)).await;
        let (bytes, seconds) = (self.bytes, begun.elapsed().as_secs());
        Broken::new("slow", format!("what was begun has not ended in {seconds} s: {bytes} bytes of it came"))
    }
}

/// When what was begun then, and of which so many bytes are there, must have gone on.
pub(super) fn due(begun: Instant, bytes: usize) -> Instant {
    let beyond = bytes.saturating_sub(GRACE_BYTES) as u64;
    begun + GRACE + Duration::from_millis(beyond * 1000 / PACE_MIN)
}

#[cfg(test)]
#[path = "deadline_tests.rs"]
mod tests;
