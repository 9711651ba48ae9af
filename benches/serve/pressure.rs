//! Pressure: batches sent to a server for as long as something else is measured beside it.

use crate::server::{Sending, Server};
use metronome::load::mix::Mix;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_secs(1);
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

pub struct Pressure(Sending);

/// Counts what was acknowledged so far.
pub struct Taken(Arc<AtomicU64>);

impl Pressure {
    /// As many events as are taken.
    pub fn new(mix: Mix) -> Self {
        Self(Sending::for_a_while(mix, TIME_MAX))
    }

    /// So many events a second.
    pub fn at_rate(mix: Mix, rate: f64) -> Self {
        Self(Sending { rate: Some(rate as u64), ..Sending::for_a_while(mix, TIME_MAX) })
    }

    /// Measures while events are sent; sends no more once it has.
    pub async fn beside<T>(&self, server: &Server, measure: impl AsyncFnOnce(Taken) -> T) -> T {
        let counter = Arc::new(AtomicU64::new(0));
        let (taken, tell) = (Taken(Arc::clone(&counter)), counter);
        let acknowledged = move |numbers: std::ops::Range<u64>| {
            tell.fetch_add(numbers.end - numbers.start, Ordering::Relaxed);
        };
        let measuring = async {
            tokio::time::sleep(WARM_UP).await;
            measure(taken).await
        };
        tokio::select! {
            report = server.send_and_tell(&self.0, Arc::new(acknowledged)) => panic!("the load ended: {report}"),
            measured = measuring => measured,
        }
    }
}

impl Taken {
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Events taken a second while something goes on, and how long that was.
    pub async fn rate(&self, meanwhile: impl Future<Output = ()>) -> (f64, Duration) {
        let (first, started) = (self.so_far(), Instant::now());
        meanwhile.await;
        let took = started.elapsed();
        ((self.so_far() - first) as f64 / took.as_secs_f64(), took)
    }
}
