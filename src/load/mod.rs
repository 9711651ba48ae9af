//! Load: the seeded load generator, for benches, crash tests and anyone who wants to see what a machine takes.
//! - Sends a realistic mix to a server's `/tick`, over many connections, and counts what was acknowledged and how long it took.
//! - A request that got no answer is neither acknowledged nor refused: it is unknown.
//! - Absent: any claim about what the server stored; who asks afterwards compares with what was acknowledged.

mod bodies;
mod client;
pub mod mix;
mod tally;

pub use bodies::{Bodies, Written};
pub use tally::Report;

use crate::error::Kind;
use client::Client;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tally::Tally;
use tokio::task::JoinSet;

/// What to send, where, how fast.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub target: SocketAddr,
    /// What is posted to; `/tick`, or a peer's address in a race.
    pub path: String,
    /// A write key, where one is needed.
    pub key: Option<String>,
    /// Connections at once; each has one request under way.
    pub connections: usize,
    /// Events in a request; 1 sends single events, more send JSON lines.
    pub batch: u64,
    /// Events per second over all connections; `None` for as many as are taken.
    pub rate: Option<u64>,
    /// When to stop.
    pub time_max: Duration,
    /// Events to send at the most.
    pub events: u64,
    /// What they are like.
    pub bodies: Bodies,
}

/// Why a load could not run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No connection could be made at all.
    #[error("connect to {target}")]
    Connect {
        /// Where.
        target: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The path or the key cannot stand in a request.
    #[error("the {what} cannot stand in a request")]
    Unfit {
        /// Which of them.
        what: &'static str,
    },
    /// Events that were written before could not be read.
    #[error("read events that were written")]
    Read(#[source] std::io::Error),
}

impl LoadError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. } => Kind::Unavailable,
            Self::Unfit { .. } => Kind::Invalid,
            Self::Read(_) => Kind::Internal,
        }
    }
}

/// Called with the numbers of events whose request was answered with success.
pub type OnAcknowledged = Arc<dyn Fn(Range<u64>) + Send + Sync>;

/// Sends until the time or the events are over, or the server is gone; tells each acknowledgement as it comes.
/// Dropped before, it sends no more.
pub async fn run(options: Options, acknowledged: OnAcknowledged) -> Result<Report, LoadError> {
    let probe = tokio::net::TcpStream::connect(options.target).await;
    drop(probe.map_err(|source| LoadError::Connect { target: options.target, source })?);
    let options = Arc::new(options);
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..options.connections {
        let (options, next, acknowledged) = (Arc::clone(&options), Arc::clone(&next), Arc::clone(&acknowledged));
        workers.spawn(async move { work(&options, &next, &acknowledged, started).await });
    }
    let mut total = Tally::default();
    while let Some(worker) = workers.join_next().await {
        // A worker that panicked has nothing to add.
        if let Ok(tally) = worker {
            total.merge(tally?);
        }
    }
    Ok(total.report(started.elapsed()))
}

async fn work(
    options: &Options,
    next: &AtomicU64,
    acknowledged: &OnAcknowledged,
    started: Instant,
) -> Result<Tally, LoadError> {
    let mut tally = Tally::default();
    let mut client = Client::new(options)?;
    while started.elapsed() < options.time_max {
        let first = next.fetch_add(options.batch, Ordering::Relaxed);
        if first >= options.events {
            break;
        }
        let numbers = first..(first + options.batch).min(options.events);
        pace(options.rate, first, started).await;
        let body = options.bodies.lines(numbers.clone()).map_err(LoadError::Read)?;
        let asked = Instant::now();
        let count = numbers.end - numbers.start;
        match client.post(body).await {
            Ok(status) if status.is_success() => {
                tally.acknowledged(count, asked.elapsed());
                acknowledged(numbers);
            }
            Ok(status) => tally.refused(count, status.as_u16()),
            Err(_) => {
                tally.unknown(count);
                if tokio::net::TcpStream::connect(options.target).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(tally)
}

/// Waits until event `first` is due.
async fn pace(rate: Option<u64>, first: u64, started: Instant) {
    if let Some(rate) = rate {
        let due = started + Duration::from_secs_f64(first as f64 / rate.max(1) as f64);
        tokio::time::sleep_until(due.into()).await;
    }
}

#[cfg(test)]
mod tests;
