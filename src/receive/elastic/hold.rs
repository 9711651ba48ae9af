//! Hold: how long a sender waits for room before it is told that there is none.
//! - From when its request came, over all that it waits for, [`Parts::hold_max`] at the most; a server that stops ends it.

use super::Parts;
use crate::net::Stopping;
use axum::http::HeaderMap;
use std::future::pending;
use std::time::Duration;
use tokio::time::Instant;

/// The first wait for room, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How long a sender is held.
pub(super) struct Hold {
    until: Instant,
    next: Duration,
    stopping: Option<Stopping>,
}

impl Hold {
    /// From when its request was there.
    pub(super) fn new(parts: &Parts, since: Instant, stopping: Option<Stopping>) -> Self {
        Self { until: since + parts.hold_max, next: WAITS.0, stopping }
    }

    /// Waits until there is room for a body as long as it says it is: it takes its room as it comes.
    pub(super) async fn until_room(&mut self, parts: &Parts, headers: &HeaderMap) {
        while !parts.http.bodies.has_room(headers) && self.wait().await {}
    }

    /// Waits a little; whether there is time for another attempt.
    pub(super) async fn wait(&mut self) -> bool {
        let wake = Instant::now() + self.next;
        if wake > self.until {
            return false;
        }
        self.next = (self.next * 2).min(WAITS.1);
        let stopped = async {
            match &mut self.stopping {
                Some(stopping) => stopping.wait().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(wake) => true,
            () = stopped => false,
        }
    }
}
