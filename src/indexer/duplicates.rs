//! Duplicates out: of events with one id the first counts.
//! - Remembered ids answer first; for the rest the store is asked, once a batch for each site and range of days.
//! - An id is remembered when its event goes on to the store: what the store is found to know already is not, since the
//!   original may lie on another day.

use super::follow::Arrival;
use crate::event::{Day, IdHash, Known, RecentIds};
use crate::store::{Entry, Store, StoreError};
use std::collections::HashMap;

/// The ids of events that went on.
#[derive(Debug)]
pub(super) struct Duplicates {
    recent: RecentIds,
}

/// The ids of one site and range of days, and whose they are.
#[derive(Debug, Default)]
struct Question<'a> {
    places: Vec<usize>,
    ids: Vec<&'a str>,
}

impl Duplicates {
    /// None yet, and never more than `ids_max`, or twice as many as a batch has: half of it holds a whole batch, so nothing
    /// of one's own batch is ever forgotten.
    pub(super) fn bounded(ids_max: usize, batch_events_max: usize) -> Self {
        Self { recent: RecentIds::bounded(ids_max.max(2 * batch_events_max)) }
    }

    /// The events that are not duplicates, in order, and how many were.
    pub(super) async fn sift(
        &mut self,
        store: &dyn Store,
        arrivals: Vec<Arrival>,
    ) -> Result<(Vec<Entry>, u64), StoreError> {
        let hashes: Vec<Option<IdHash>> = arrivals.iter().map(|arrival| self.recent.hash(&arrival.event)).collect();
        let known = self.known(store, &arrivals, &hashes).await?;
        let before = arrivals.len();
        let mut entries = Vec::with_capacity(before);
        for ((Arrival { event, position, scope }, known), id) in arrivals.into_iter().zip(known).zip(hashes) {
            if let Some(id) = id {
                let day = event.day();
                if known || self.recent.contains(id, day, scope) {
                    continue;
                }
                self.recent.insert(id, day);
            }
            entries.push(Entry { position, event });
        }
        let duplicates = (before - entries.len()) as u64;
        Ok((entries, duplicates))
    }

    /// For each arrival, whether its id was known before this batch. Settled for all before any of them is remembered:
    /// remembering one may forget another.
    async fn known(
        &self,
        store: &dyn Store,
        arrivals: &[Arrival],
        hashes: &[Option<IdHash>],
    ) -> Result<Vec<bool>, StoreError> {
        let mut known = vec![false; arrivals.len()];
        let mut questions: HashMap<(&str, (Day, Day)), Question<'_>> = HashMap::new();
        for (place, (arrival, hash)) in arrivals.iter().zip(hashes).enumerate() {
            let (Some(hash), Some(id)) = (hash, arrival.event.text(Known::EventId)) else { continue };
            let day = arrival.event.day();
            known[place] = self.recent.contains(*hash, day, arrival.scope);
            if !known[place] {
                let question = questions.entry((arrival.event.site(), arrival.scope.days(day))).or_default();
                question.places.push(place);
                question.ids.push(id);
            }
        }
        for ((site, days), Question { places, ids }) in questions {
            let stored = store.known(site, days, &ids).await?;
            places.into_iter().zip(stored).for_each(|(place, stored)| known[place] = stored);
        }
        Ok(known)
    }
}
