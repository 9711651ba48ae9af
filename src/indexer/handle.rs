//! Handle: what others ask of the indexer, and what it tells them.
//! - Bounded: [`COMMANDS_MAX`] commands wait; more callers wait for a place.

use super::IndexerError;
use super::repair::{Loss, Repaired};
use crate::event::Day;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot, watch};

/// Commands that may wait for the owner.
pub(super) const COMMANDS_MAX: usize = 16;

/// Which days are to be sealed; those that are sealed, with nothing late, are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// These, as far as they are held.
    Days(Vec<Day>),
    /// All that are held.
    All,
    /// Those that are due.
    Due,
}

/// What is dropped for its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Events of days before this one.
    pub events: Day,
    /// Item tables of days before this one; never before their events.
    pub items: Day,
}

/// A command on its way.
#[derive(Debug)]
pub(super) enum Command {
    Seal(Sealing, oneshot::Sender<Result<Vec<Day>, IndexerError>>),
    Flush(oneshot::Sender<Result<(), IndexerError>>),
    Expire(Expiry, oneshot::Sender<Result<(), IndexerError>>),
    Repair(Vec<Day>, Loss, oneshot::Sender<Result<Vec<Repaired>, IndexerError>>),
}

/// What the owner tells.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) position: watch::Sender<u64>,
    pub(super) indexed: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) live: AtomicUsize,
    pub(super) sealed: AtomicU64,
    pub(super) failing: AtomicBool,
}

/// The indexer at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Everything in the journal before it was handed to the store.
    pub position: u64,
    /// Events handed to the store since the start.
    pub indexed: u64,
    /// Duplicates left out since the start.
    pub duplicates: u64,
    /// Payloads and parts of the journal that could not be read since the start.
    pub lost: u64,
    /// Visitors remembered.
    pub live: usize,
    /// Days sealed since the start.
    pub sealed: u64,
    /// Whether the store fails and the indexer waits to begin again.
    pub failing: bool,
}

/// Asks the indexer; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shared: Arc<Shared>,
}

impl Handle {
    /// Seals days once everything is stored that was synced when this is called. Answers which it sealed.
    ///
    /// # Errors
    /// [`IndexerError::Seal`] for the first day that failed; the days before it are sealed. [`IndexerError::Stopped`].
    pub async fn seal(&self, which: Sealing) -> Result<Vec<Day>, IndexerError> {
        let (reply, answer) = oneshot::channel();
        self.order(Command::Seal(which, reply)).await?;
        answer.await.map_err(|_| IndexerError::Stopped)?
    }

    /// Returns once everything that was synced when this is called is stored, durable and visible to readers.
    ///
    /// # Errors
    /// [`IndexerError::Store`] when the flush failed, [`IndexerError::Stopped`].
    pub async fn flush(&self) -> Result<(), IndexerError> {
        let (reply, answer) = oneshot::channel();
        self.order(Command::Flush(reply)).await?;
        answer.await.map_err(|_| IndexerError::Stopped)?
    }

    /// Drops what is too old, between two seals.
    ///
    /// # Errors
    /// [`IndexerError::Store`] when the store failed, [`IndexerError::Stopped`].
    pub async fn expire(&self, before: Expiry) -> Result<(), IndexerError> {
        let (reply, answer) = oneshot::channel();
        self.order(Command::Expire(before, reply)).await?;
        answer.await.map_err(|_| IndexerError::Stopped)?
    }

    /// Makes these damaged days of the store whole, or all where none is named, as far as anything holds their events;
    /// nothing is indexed meanwhile. Answers what became of each.
    ///
    /// # Errors
    /// [`IndexerError::Store`] when the store failed, [`IndexerError::Stopped`].
    pub async fn repair(&self, days: Vec<Day>, loss: Loss) -> Result<Vec<Repaired>, IndexerError> {
        let (reply, answer) = oneshot::channel();
        self.order(Command::Repair(days, loss, reply)).await?;
        answer.await.map_err(|_| IndexerError::Stopped)?
    }

    /// The position before which the store has taken everything, as it grows; 0 until the first pass begins.
    pub fn position(&self) -> watch::Receiver<u64> {
        self.shared.position.subscribe()
    }

    /// How it does.
    pub fn facts(&self) -> Facts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Facts {
            position: *self.shared.position.borrow(),
            indexed: of(&self.shared.indexed),
            duplicates: of(&self.shared.duplicates),
            lost: of(&self.shared.lost),
            live: self.shared.live.load(Ordering::Relaxed),
            sealed: of(&self.shared.sealed),
            failing: self.shared.failing.load(Ordering::Relaxed),
        }
    }

    async fn order(&self, command: Command) -> Result<(), IndexerError> {
        self.commands.send(command).await.map_err(|_| IndexerError::Stopped)
    }
}
