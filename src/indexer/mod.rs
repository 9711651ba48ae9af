//! Indexer: journal → duplicates out → provisional increments → store; and the sealing of days. One owner task.
//! - It begins where the store's position is. Whatever fails, it begins again there, with nothing remembered: the store
//!   passes over what it has, so an event is stored once, however often it is read.
//! - Of events with one id the first in the journal counts (`IdScope` says among which days); the store is asked for what
//!   is not remembered, before visits are stepped.
//! - Increments of open days are provisional, in order of arrival, over a bounded map that may forget at any time.
//!   Sealing derives them anew ([`derive()`]), so after it they are a function of the set of events.
//! - A day is sealed 26 h after its end in the last of its sites' zones, again ten idle minutes after a late event, and
//!   when asked to. One seal runs at a time, beside the writing.
//! - The journal is released up to the store's position.
//! - Damaged days of the store are repaired from the journal here, while nothing is indexed.
//! - Absent: the rules of a visit (`visits`), where events lie (`store`), when days
//!   expire (whoever knows the configuration asks).

mod days;
mod derive;
mod duplicates;
mod error;
mod follow;
mod handle;
mod live;
mod owner;
mod refill;
mod repair;
mod requests;
mod running;

pub use derive::derive;
pub use error::IndexerError;
pub use handle::{Expiry, Facts, Handle, Sealing};
pub use repair::{Loss, Repaired, Source};

use crate::clock::Clock;
use crate::journal::Journal;
use crate::store::Store;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;

/// The zone of a site's calendar days.
pub type ZoneOf = Arc<dyn Fn(&str) -> TimeZone + Send + Sync>;

/// The indexer's bounds; the defaults are right for a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events handed to the store at once.
    pub batch_events_max: usize,
    /// Visitors and clicks remembered of open days (some 400 B each).
    pub live_max: usize,
    /// Ids remembered (some 40 B each).
    pub ids_max: usize,
    /// Events of open days read at the start, to know their visitors again; days beyond it begin anew.
    pub refill_events_max: u64,
    /// How often the journal is released, and due days are looked for.
    pub tend_every: Duration,
    /// How long after a failure of the store the indexer begins again; doubled up to `retry_max`.
    pub retry: Duration,
    /// The longest wait between two tries.
    pub retry_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_events_max: 8_192,
            live_max: 200_000,
            ids_max: 1_000_000,
            refill_events_max: 500_000,
            tend_every: Duration::from_secs(1),
            retry: Duration::from_millis(500),
            retry_max: Duration::from_secs(30),
        }
    }
}

/// What the indexer works with.
#[derive(Clone)]
pub struct Parts {
    /// Where events come from.
    pub journal: Journal,
    /// Where they go.
    pub store: Arc<dyn Store>,
    /// When the days of their sites end.
    pub zone_of: ZoneOf,
    /// The time.
    pub clock: Clock,
    /// Bounds.
    pub options: Options,
}

/// The owner of the way from the journal into the store; [`Indexer::run`] is its task.
pub struct Indexer {
    owner: owner::Owner,
}

impl Indexer {
    /// An indexer and the handle to it; nothing happens before it runs.
    pub fn new(parts: Parts) -> (Self, Handle) {
        let (owner, handle) = owner::Owner::new(parts);
        (Self { owner }, handle)
    }

    /// Indexes until `shutdown`, then flushes the store. A seal that runs then is left to the store, which begins it again
    /// when it is due. Needs a runtime with time.
    ///
    /// # Errors
    /// Only what trying again cannot mend: the journal is of a newer version.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), IndexerError> {
        self.owner.run(std::pin::pin!(shutdown)).await
    }
}

#[cfg(test)]
mod tests;
