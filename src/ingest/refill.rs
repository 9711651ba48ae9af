//! Refill: the newest ids of the journal, remembered again at the start.
//! - What cannot be read is passed over: the indexer reads it too, and tells.

use super::IngestError;
use crate::event::{Event, RecentIds};
use crate::journal::{Journal, JournalError};

/// Payloads read at once.
const READ_EVENTS: usize = 8_192;

pub(super) fn refill(recent: &mut RecentIds, journal: &Journal, events_max: u64) -> Result<(), IngestError> {
    let facts = journal.facts();
    let mut reader = journal.reader(facts.first.max(facts.synced.saturating_sub(events_max)))?;
    loop {
        match reader.read(READ_EVENTS) {
            Ok(Some(block)) => {
                for (event, _) in block.iter().filter_map(|payload| Event::from_payload(payload).ok()) {
                    if let Some(id) = recent.hash(&event) {
                        recent.insert(id, event.day());
                    }
                }
            }
            Ok(None) => return Ok(()),
            Err(JournalError::Damaged(_) | JournalError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
