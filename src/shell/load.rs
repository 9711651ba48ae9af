//! `metronome load`: the load generator with the command line's wishes.

use super::args::Load;
use crate::clock::Clock;
use crate::load::{Bodies, LoadError, Options, Report, mix::Mix, run as send};
use std::sync::Arc;
use std::time::Duration;

const DAY_MS: u64 = 86_400_000;

/// Sends and gives back what came of it.
pub async fn run(asked: &Load, clock: &Clock) -> Result<Report, LoadError> {
    let span_ms = asked.days.max(1) * DAY_MS;
    let from = clock.now() - i64::try_from(span_ms).unwrap_or_default();
    let options = Options {
        target: asked.to,
        path: "/tick".to_owned(),
        key: asked.key.clone(),
        connections: asked.connections.max(1),
        batch: asked.batch.max(1),
        rate: asked.rate,
        time_max: Duration::from_secs(asked.seconds),
        events: asked.events,
        bodies: Bodies::Made(Mix::new(asked.seed, &asked.site, from, span_ms, asked.events)),
    };
    send(options, Arc::new(|_| ())).await
}
