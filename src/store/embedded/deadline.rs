//! Deadline: when a question is given up; whoever works on it looks from time to time.

use crate::store::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// When a question has to be given up: once its time is over, or nobody waits for the answer.
#[derive(Debug, Clone)]
pub struct Deadline {
    started: Instant,
    time_max: std::time::Duration,
    left: Arc<AtomicBool>,
}

/// Somebody waits for the answer, until this is dropped.
pub struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Deadline {
    /// So long from now.
    pub fn after(time_max: std::time::Duration) -> Self {
        Self { started: Instant::now(), time_max, left: Arc::default() }
    }

    /// The question is given up when what this answers is dropped.
    pub fn waiting(&self) -> Waiting {
        Waiting(self.left.clone())
    }

    /// An error once the time is over; [`StoreError::Stopped`], which nobody sees, once nobody waits.
    pub fn check(&self, operation: &'static str) -> Result<(), StoreError> {
        if self.left.load(Ordering::Relaxed) {
            return Err(StoreError::Stopped);
        }
        if self.started.elapsed() <= self.time_max {
            return Ok(());
        }
        Err(StoreError::Limit { operation, limit: self.time_max.as_millis() as u64, of: "ms" }) // far below 2^64 ms
    }
}
