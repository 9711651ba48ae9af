//! What the writing thread tells everybody else: which segments there are, how far they are synced, how it does.
//! - Written by the log alone. A reader that has seen a position synced finds its bytes within the spans.

use super::files::Files;
use super::losses::Loss;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The journal at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The first position held.
    pub first: u64,
    /// The position past the last synced payload.
    pub synced: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// How many segments.
    pub segments: usize,
    /// Syncs of appended records since the start.
    pub syncs: u64,
    /// The time they took together.
    pub sync_time: Duration,
    /// Whether a write or sync failed and the journal has not reopened itself yet: appends are refused.
    pub poisoned: bool,
}

/// A segment's first position and its synced bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) bytes: u64,
}

/// Where a position is to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In this segment, which ends where the next begins.
    Segment(Span, Option<u64>),
    /// Nowhere: the first position held is this one.
    Before(u64),
}

/// The shared part of a journal.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) files: Arc<dyn Files>,
    spans: Mutex<VecDeque<Span>>,
    synced: watch::Sender<u64>,
    poisoned: watch::Sender<bool>,
    losses: Mutex<Vec<Loss>>,
    syncs: AtomicU64,
    sync_nanos: AtomicU64,
}

impl Shared {
    pub(super) fn new(files: Arc<dyn Files>, spans: VecDeque<Span>, synced: u64) -> Self {
        Self {
            files,
            spans: Mutex::new(spans),
            synced: watch::Sender::new(synced),
            poisoned: watch::Sender::new(false),
            losses: Mutex::default(),
            syncs: AtomicU64::new(0),
            sync_nanos: AtomicU64::new(0),
        }
    }

    pub(super) fn spans(&self) -> MutexGuard<'_, VecDeque<Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn losses(&self) -> MutexGuard<'_, Vec<Loss>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn synced(&self) -> u64 {
        *self.synced.borrow()
    }

    pub(super) fn watch_synced(&self) -> watch::Receiver<u64> {
        self.synced.subscribe()
    }

    pub(super) fn watch_poisoned(&self) -> watch::Receiver<bool> {
        self.poisoned.subscribe()
    }

    pub(super) fn set_poisoned(&self, poisoned: bool) {
        self.poisoned.send_replace(poisoned);
    }

    /// Tells that the newest segment is synced up to `bytes`, where the position is `end`.
    pub(super) fn publish(&self, bytes: u64, end: u64, took: Duration) {
        if let Some(newest) = self.spans().back_mut() {
            newest.bytes = bytes;
        }
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.sync_nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.synced.send_replace(end);
    }

    pub(super) fn place_of(&self, position: u64) -> Place {
        let spans = self.spans();
        let after = spans.partition_point(|span| span.first <= position);
        let next = spans.get(after).map(|span| span.first);
        match after.checked_sub(1).and_then(|at| spans.get(at)) {
            Some(span) => Place::Segment(*span, next),
            None => Place::Before(next.unwrap_or(position)),
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let synced = self.synced();
        let spans = self.spans();
        Facts {
            first: spans.front().map_or(synced, |span| span.first),
            synced,
            bytes: spans.iter().map(|span| span.bytes).sum(),
            segments: spans.len(),
            syncs: self.syncs.load(Ordering::Relaxed),
            sync_time: Duration::from_nanos(self.sync_nanos.load(Ordering::Relaxed)),
            poisoned: *self.poisoned.borrow(),
        }
    }
}
