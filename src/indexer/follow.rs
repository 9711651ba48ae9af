//! Follow: the journal from a position on, read and decoded beside the owner, a few batches ahead.
//! - Payloads that are damaged or no event are noted as lost in the journal, and passed over: they hold nothing up.
//! - Bounded: [`AHEAD`] batches. After a small one a moment is waited, so that events that come one by one are not handled so.

use super::IndexerError;
use super::handle::Shared;
use crate::error::Kind;
use crate::event::{Event, IdScope, PayloadError};
use crate::journal::{Block, Journal, JournalError, Reader};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Batches decoded ahead of the owner.
const AHEAD: usize = 2;
/// A batch below this is small.
const SMALL: usize = 1_000;
/// How long after a small batch the next is read: a hundredth of the time within which an event is seen.
const GATHER: Duration = Duration::from_millis(20);
/// How long after a failed read it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// An event as it came out of the journal.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) position: u64,
    pub(super) event: Event,
    pub(super) scope: IdScope,
}

/// Events that follow each other, and the position past them.
#[derive(Debug)]
pub(super) struct Arrivals {
    pub(super) events: Vec<Arrival>,
    pub(super) end: u64,
}

/// The batches to come, up to an error: [`JournalError::Closed`] where the journal ends. Dropping it ends the reading.
pub(super) struct Following {
    batches: mpsc::Receiver<Result<Arrivals, JournalError>>,
    _task: JoinSet<()>,
}

impl Following {
    /// Begins to read at `from`.
    pub(super) fn start(journal: &Journal, from: u64, max: usize, shared: Arc<Shared>) -> Result<Self, IndexerError> {
        let (sender, batches) = mpsc::channel(AHEAD);
        let reader = journal.reader(from)?;
        let mut task = JoinSet::new();
        task.spawn(follow(journal.clone(), reader, max, sender, shared));
        Ok(Self { batches, _task: task })
    }

    /// The next batch.
    pub(super) async fn next(&mut self) -> Option<Result<Arrivals, JournalError>> {
        self.batches.recv().await
    }
}

async fn follow(
    journal: Journal,
    mut reader: Reader,
    max: usize,
    sender: mpsc::Sender<Result<Arrivals, JournalError>>,
    shared: Arc<Shared>,
) {
    let mut synced = journal.synced();
    loop {
        // Seen before the reading: what is synced while it reads wakes it again.
        synced.borrow_and_update();
        let (journal, counts) = (journal.clone(), Arc::clone(&shared));
        let read = tokio::task::spawn_blocking(move || {
            let arrivals = read(&mut reader, max, &journal, &counts);
            (reader, arrivals)
        });
        // The runtime stops, or the reading panicked: the owner begins again.
        let Ok((back, arrivals)) = read.await else { return };
        reader = back;
        match arrivals {
            Ok(Some(arrivals)) => {
                let is_small = arrivals.events.len() < SMALL;
                if sender.send(Ok(arrivals)).await.is_err() {
                    return;
                }
                if is_small {
                    tokio::time::sleep(GATHER).await;
                }
            }
            Ok(None) => {
                if synced.changed().await.is_err() {
                    drop(sender.send(Err(JournalError::Closed)).await);
                    return;
                }
            }
            Err(error) if error.kind() == Kind::Internal => {
                tracing::error!(position = reader.position(), %error, "reading the journal failed");
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => {
                // The owner may have left already.
                drop(sender.send(Err(error)).await);
                return;
            }
        }
    }
}

/// Reads up to `max` events, or what there is; `None` when there is nothing to read.
fn read(reader: &mut Reader, max: usize, journal: &Journal, shared: &Shared) -> Result<Option<Arrivals>, JournalError> {
    let start = reader.position();
    let mut events = Vec::new();
    while events.len() < max {
        let from = reader.position();
        match reader.read(max - events.len()) {
            Ok(Some(block)) => decode(&block, &mut events, journal, shared),
            Ok(None) => break,
            Err(error @ (JournalError::Damaged(_) | JournalError::Missing { .. })) => {
                shared.lost.fetch_add(1, Ordering::Relaxed);
                journal.lose(from..reader.position(), &error);
            }
            Err(error) if events.is_empty() => return Err(error),
            // Told again by the next reading.
            Err(_) => break,
        }
    }
    let end = reader.position();
    Ok((end > start).then_some(Arrivals { events, end }))
}

fn decode(block: &Block, events: &mut Vec<Arrival>, journal: &Journal, shared: &Shared) {
    // Told once for all that follow each other: a newer program's payloads may be many.
    let mut lost: Option<(Range<u64>, PayloadError)> = None;
    let tell = |lost: Option<(Range<u64>, PayloadError)>| {
        lost.into_iter().for_each(|(positions, error)| journal.lose(positions, &error));
    };
    for (position, payload) in (block.first..).zip(block.iter()) {
        match Event::from_payload(payload) {
            Ok((event, scope)) => events.push(Arrival { position, event, scope }),
            Err(error) => {
                shared.lost.fetch_add(1, Ordering::Relaxed);
                match &mut lost {
                    Some((positions, _)) if positions.end == position => positions.end += 1,
                    _ => tell(lost.replace((position..position + 1, error))),
                }
            }
        }
    }
    tell(lost);
}
