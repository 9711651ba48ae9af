//! Repair: damaged days of the store made whole: from what was set aside where its events are sound, else from the journal
//! where it still holds all events of the day.
//! - Nothing is indexed meanwhile: what a day holds, and what the journal says of it, stand still.
//! - An event is one of the day if it was when it came: of events with one id the first counts.

use super::IndexerError;
use super::derive::derive;
use super::error::Chain;
use crate::event::{Day, Event, IdScope, Known};
use crate::journal::{Block, Journal};
use crate::store::{Damaged, Entry, Remedy, Store, StoreError};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Events of the journal read at once.
const READ_EVENTS: usize = 8_192;
/// Batches of a day's events that wait for the store.
const BATCHES_MAX: usize = 2;

/// What is done with days that nothing holds any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// They stay marked as damaged.
    Kept,
    /// They count as they are from now on.
    Accepted,
}

/// What a day was made whole from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The parts that were set aside.
    Aside,
    /// The journal.
    Journal,
    /// Nothing: it was to count as it is.
    Accepted,
    /// Nothing: it is still damaged.
    None,
}

/// What became of a damaged day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Which day.
    pub day: Day,
    /// What it was made whole from.
    pub source: Source,
    /// Why not from what is better, in words.
    pub why: Vec<String>,
}

/// Repairs these damaged days, or every one where none is named.
pub(super) async fn repair(
    journal: &Journal,
    store: &Arc<dyn Store>,
    days: &[Day],
    loss: Loss,
) -> Result<Vec<Repaired>, IndexerError> {
    store.flush().await.map_err(IndexerError::store("flush the store"))?;
    let mut repaired = Vec::new();
    let mut damaged = store.damaged().await.map_err(IndexerError::store("ask the store for its damaged days"))?;
    damaged.retain(|damaged| days.is_empty() || days.contains(&damaged.day));
    for damaged in damaged {
        repaired.push(repair_day(journal, store, &damaged, loss).await?);
    }
    Ok(repaired)
}

async fn repair_day(
    journal: &Journal,
    store: &Arc<dyn Store>,
    damaged: &Damaged,
    loss: Loss,
) -> Result<Repaired, IndexerError> {
    let mut why = Vec::new();
    let aside = store.repair(damaged.day, Remedy::Aside, derive()).await;
    let source = match aside {
        Ok(()) => Source::Aside,
        Err(error) => {
            why.push(format!("not from what was set aside: {}", Chain(&error)));
            match from_journal(journal, store, damaged).await {
                Ok(()) => Source::Journal,
                Err(reason) => {
                    why.push(format!("not from the journal: {reason}"));
                    accept(store, damaged.day, loss).await?
                }
            }
        }
    };
    tracing::warn!(day = %damaged.day, ?source, why = why.join("; "), "looked after a damaged day");
    Ok(Repaired { day: damaged.day, source, why })
}

async fn accept(store: &Arc<dyn Store>, day: Day, loss: Loss) -> Result<Source, IndexerError> {
    if loss == Loss::Kept {
        return Ok(Source::None);
    }
    store.repair(day, Remedy::Loss, derive()).await.map_err(IndexerError::store("accept a loss"))?;
    Ok(Source::Accepted)
}

/// Makes a day whole from the journal; why not, where it cannot.
async fn from_journal(journal: &Journal, store: &Arc<dyn Store>, damaged: &Damaged) -> Result<(), String> {
    if !damaged.is_plain {
        return Err("events of this day have expired, and their item table is among what is damaged".to_owned());
    }
    let from = damaged.from.ok_or("it is not known where the day begins")?;
    let first = journal.facts().first;
    if first > from {
        return Err(format!("the day begins at position {from}, and the journal at {first}"));
    }
    let end = store.position().await.map_err(|error| error.to_string())?;
    let (sender, events) = mpsc::channel(BATCHES_MAX);
    let gather = Gather { journal: journal.clone(), store: Arc::clone(store), day: damaged.day, ids: HashSet::new() };
    let gathering = tokio::spawn(gather.run(from, end, sender));
    let repaired = store.repair(damaged.day, Remedy::Events(events, end), derive()).await;
    gathering.abort();
    repaired.map_err(|error| Chain(&error).to_string())
}

/// Gathers the events of a day from the journal.
struct Gather {
    journal: Journal,
    store: Arc<dyn Store>,
    day: Day,
    /// Sites and ids of the events gathered.
    ids: HashSet<(String, String)>,
}

type Gathered = mpsc::Sender<Result<Vec<Entry>, StoreError>>;

impl Gather {
    async fn run(mut self, from: u64, end: u64, sender: Gathered) {
        if let Err(error) = self.gather(from, end, &sender).await {
            // The store may have left already.
            drop(sender.send(Err(error)).await);
        }
    }

    async fn gather(&mut self, from: u64, end: u64, sender: &Gathered) -> Result<(), StoreError> {
        let failed = |error: crate::journal::JournalError| StoreError::Corrupt {
            object: "the journal".to_owned(),
            why: error.to_string(),
        };
        let mut reader = self.journal.reader(from).map_err(failed)?;
        while reader.position() < end {
            let read = tokio::task::spawn_blocking(move || {
                let block = reader.read(READ_EVENTS);
                (reader, block)
            });
            let (back, block) = read.await.map_err(|_| StoreError::Stopped)?;
            reader = back;
            let Some(block) = block.map_err(failed)? else { break };
            let entries = self.of_day(&block, end).await?;
            if !entries.is_empty() && sender.send(Ok(entries)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The events of a block that are the day's.
    async fn of_day(&mut self, block: &Block, end: u64) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for (position, payload) in (block.first..end).zip(block.iter()) {
            let decoded = Event::from_payload(payload).map_err(|error| StoreError::Corrupt {
                object: format!("event {position} of the journal"),
                why: error.to_string(),
            });
            let (event, scope) = decoded?;
            if event.day() == self.day && !self.is_duplicate(&event, scope).await? {
                entries.push(Entry { position, event });
            }
        }
        Ok(entries)
    }

    async fn is_duplicate(&mut self, event: &Event, scope: IdScope) -> Result<bool, StoreError> {
        let Some(id) = event.text(Known::EventId) else { return Ok(false) };
        let key = (event.site().to_owned(), id.to_owned());
        if self.ids.contains(&key) {
            return Ok(true);
        }
        // Of two days that may have the same event, that one has it to which it came first.
        let (first, last) = scope.days(self.day);
        let around = [(first, Day(self.day.0 - 1)), (self.day.next(), last)];
        for days in around.into_iter().filter(|(first, last)| first <= last) {
            if self.store.known(event.site(), days, &[id]).await?.contains(&true) {
                return Ok(true);
            }
        }
        self.ids.insert(key);
        Ok(false)
    }
}
