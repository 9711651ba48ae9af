//! The clock: the one place that reads the machine's time; everything else is handed a [`Clock`].
//! - Times are milliseconds since 1970-01-01 UTC, as everywhere in the house.
//! - A test holds a clock still and moves it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// Milliseconds since 1970-01-01T00:00:00Z; negative before.
pub type Millis = i64;

/// Tells the time; cheap to clone.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's own.
    System,
    /// One that stands still until [`Clock::set`] moves it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now`.
    pub fn manual(now: Millis) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now)))
    }

    /// The time now.
    #[allow(clippy::disallowed_methods)] // the one place
    pub fn now(&self) -> Millis {
        match self {
            Self::System => match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
                Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
            },
            Self::Manual(at) => at.load(Ordering::Relaxed),
        }
    }

    /// Moves a manual clock to `now`; the system's clock stays as it is.
    pub fn set(&self, now: Millis) {
        if let Self::Manual(at) = self {
            at.store(now, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_until_it_is_set() {
        let clock = Clock::manual(5);
        assert_eq!(clock.now(), 5);
        clock.clone().set(9);
        assert_eq!(clock.now(), 9);
    }
}
