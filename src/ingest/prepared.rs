//! A batch on its way: what of it goes to the journal, and what became of the rest.

use super::counts::Tally;
use super::{IngestError, Rejected, scope_of};
use crate::event::{Day, Event, IdHash, Known, RecentIds};
use crate::journal::Batch;
use std::collections::BTreeSet;

/// A batch on its way.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub batch: Batch,
    /// The payload at hand.
    pub payload: Vec<u8>,
    /// The ids in the batch.
    pub ids: Vec<(IdHash, Day)>,
    pub tally: Tally,
    pub days: BTreeSet<Day>,
    /// Places of those of a known id.
    pub duplicates: Vec<usize>,
    pub rejected: Vec<Rejected>,
    pub bots: u64,
}

impl Prepared {
    /// Takes an event, unless one of its id was taken before.
    pub fn add(
        &mut self,
        at: usize,
        event: Event,
        sent_at: bool,
        recent: &RecentIds,
        own: &mut RecentIds,
    ) -> Result<(), IngestError> {
        let (scope, day) = (scope_of(&event, sent_at), event.day());
        if let Some(id) = recent.hash(&event) {
            if own.contains(id, day, scope) || recent.contains(id, day, scope) {
                self.duplicates.push(at);
                self.tally.duplicate(event.site());
                return Ok(());
            }
            own.insert(id, day);
            self.ids.push((id, day));
        }
        self.payload.clear();
        event.write_payload(scope, &mut self.payload)?;
        self.batch.push(&self.payload);
        self.tally.accepted(event.site());
        self.bots += u64::from(event.known(Known::Bot).is_some());
        self.days.insert(day);
        Ok(())
    }
}
