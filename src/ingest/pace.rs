//! Pace: whoever sends more than the store takes is slowed, in proportion to what is sent; nobody is refused for it.

use super::Parts;
use std::time::Duration;

/// How long an event may be held up where the store is behind. A hundred senders of batches are slowed enough by it; those of
/// single events, who never outrun the store, do not feel it.
pub(super) const EVENT_WAIT_MAX: Duration = Duration::from_micros(250);

/// Waits for the store where it is behind. However the wait ends, the batch may be taken: the journal holds what the store has
/// not.
pub(super) async fn keep(Parts { journal, stored, options, .. }: &Parts, events: usize) {
    let near = journal.synced().borrow().saturating_sub(options.behind_events_max);
    if *stored.borrow() < near {
        let longest = EVENT_WAIT_MAX.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX));
        drop(tokio::time::timeout(longest, stored.clone().wait_for(|stored| *stored >= near)).await);
    }
}
