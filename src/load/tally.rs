//! Tally: what became of the events sent, and how long answers took.

use sketches_ddsketch::{Config, DDSketch};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counts of one worker, or of all.
pub(super) struct Tally {
    acknowledged: u64,
    refused: BTreeMap<u16, u64>,
    unknown: u64,
    latencies: DDSketch,
}

impl Default for Tally {
    fn default() -> Self {
        Self { acknowledged: 0, refused: BTreeMap::new(), unknown: 0, latencies: DDSketch::new(Config::defaults()) }
    }
}

impl Tally {
    pub(super) fn acknowledged(&mut self, events: u64, after: Duration) {
        self.acknowledged += events;
        self.latencies.add(after.as_secs_f64() * 1000.0);
    }

    pub(super) fn refused(&mut self, events: u64, status: u16) {
        *self.refused.entry(status).or_default() += events;
    }

    pub(super) fn unknown(&mut self, events: u64) {
        self.unknown += events;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.unknown += other.unknown;
        for (status, events) in other.refused {
            self.refused(events, status);
        }
        // Both sketches are of one configuration, so they always merge.
        drop(self.latencies.merge(&other.latencies));
    }

    pub(super) fn report(self, took: Duration) -> Report {
        let quantile = |q: f64| self.latencies.quantile(q).ok().flatten().unwrap_or_default();
        Report {
            acknowledged: self.acknowledged,
            unknown: self.unknown,
            took,
            latency_ms: [quantile(0.5), quantile(0.95), quantile(0.99), self.latencies.max().unwrap_or_default()],
            refused: self.refused,
        }
    }
}

/// What a load came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Events whose request was answered with success.
    pub acknowledged: u64,
    /// Events whose request was answered with another status, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Events whose request got no answer.
    pub unknown: u64,
    /// From the first request to the last answer.
    pub took: Duration,
    /// p50, p95, p99 and maximum of a request's time, in milliseconds.
    pub latency_ms: [f64; 4],
}

impl Report {
    /// Acknowledged events per second.
    pub fn rate(&self) -> f64 {
        self.acknowledged as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99, max] = self.latency_ms;
        writeln!(
            out,
            "acknowledged  {} in {:.1} s: {:.0} events/s",
            self.acknowledged,
            self.took.as_secs_f64(),
            self.rate()
        )?;
        for (status, events) in &self.refused {
            writeln!(out, "refused       {events} with {status}")?;
        }
        writeln!(out, "unanswered    {}", self.unknown)?;
        write!(out, "answer after  p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, most {max:.1} ms")
    }
}
