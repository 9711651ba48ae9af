//! Journal: accepted events wait here, on this machine's disk, until whoever follows has them.
//! - [`Journal::append`] returns after the sync, not after the write: acknowledged means synced, decided here alone.
//! - Payloads are numbered from 0; their positions are consecutive over segments and restarts. Positions that were
//!   never acknowledged may be given again; acknowledged ones are not. A jump (damage) is always told.
//! - Payloads are opaque bytes: this room knows nothing of events.
//! - One process per folder (`lock`), one thread that writes; readers are as many as wanted and see only what is
//!   synced.
//! - A failed write or sync poisons it: nothing is acknowledged until it has reopened itself from disk, in a fresh
//!   segment. No file is synced again whose sync failed.
//! - Bounded: bytes on disk, batches and bytes waiting, bytes of a record.
//!
//! Layers, each knowing only the one before: `files` (the folder; tests put a failing one in its place) → `frame` (the
//! format, a head with checksums around opaque bytes) → `record` (payloads in a frame) → `segment` (a file of records,
//! walked past damage; `aside` keeps what was damaged) → `log` and `recovery` (the segments of a folder) → `writer` behind
//! `queue`, and `reader`. Beside them `losses`: what is gone for good.
//!
//! Deliberately absent: what payloads mean, duplicates, retention by time, preallocation (zeros written ahead save some
//! 0.07 ms of a sync on ext4 and cost every byte twice), retries of an append.

mod aside;
mod batch;
mod error;
mod files;
mod frame;
mod lock;
mod log;
mod losses;
mod queue;
mod reader;
mod record;
mod recovery;
mod segment;
mod shared;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::{Batch, Block};
pub use error::JournalError;
pub use lock::Lock;
pub use losses::Loss;
pub use reader::Reader;
pub use recovery::Recovery;
pub use segment::Damage;
pub use shared::Facts;

use files::{Disk, Files};
use log::Log;
use queue::Queue;
use shared::Shared;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// The journal's bounds; [`Options::default`] is right for a server of its own.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes after which a segment is followed by the next one; at least `record_bytes_max` and a head.
    pub segment_bytes_max: u64,
    /// Bytes of all segments past which [`JournalError::Full`] is answered; at least two segments.
    pub bytes_max: u64,
    /// Batches that may wait for their sync; [`Journal::append`] waits for a place.
    pub queue_batches_max: usize,
    /// Bytes of batches that may wait for their sync; a larger batch waits until it is alone.
    pub queue_bytes_max: usize,
    /// Bytes of a record before compression, so also of a payload; at most 64 MiB.
    pub record_bytes_max: usize,
    /// How many bytes of segments [`Journal::open`] reads and checks, newest first (the newest always whole). Damage in
    /// older ones is found when they are read.
    pub recovery_bytes_max: u64,
    /// The next position given is at least this: what followers already hold, even if the journal lost it.
    pub position_min: u64,
    /// How long after a failure the journal first tries to reopen itself; doubled by each failure up to
    /// `reopen_wait_max`.
    pub reopen_wait: Duration,
    /// The longest wait between two tries.
    pub reopen_wait_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes_max: 64 << 20,
            bytes_max: 8 << 30,
            queue_batches_max: 4096,
            queue_bytes_max: 64 << 20,
            record_bytes_max: 4 << 20,
            recovery_bytes_max: 256 << 20,
            position_min: 0,
            reopen_wait: Duration::from_millis(250),
            reopen_wait_max: Duration::from_secs(10),
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), JournalError> {
        let record_bytes = self.record_bytes_max as u64;
        let checks = [
            ("record_bytes_max", record_bytes, 64, u64::from(frame::RAW_BYTES_MAX)),
            ("segment_bytes_max", self.segment_bytes_max, frame::bytes_bound(record_bytes), u64::MAX / 4),
            ("bytes_max", self.bytes_max, self.segment_bytes_max.saturating_mul(2), u64::MAX),
            ("queue_batches_max", self.queue_batches_max as u64, 1, 1 << 20),
            ("queue_bytes_max", self.queue_bytes_max as u64, 1, 1 << 31),
        ];
        match checks.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            None => Ok(()),
            Some((option, value, min, max)) => Err(JournalError::Option { option, value, min, max }),
        }
    }
}

/// A handle on the one journal of a folder; cheap to clone. It is closed by [`Journal::close`] or with its last clone.
#[derive(Debug, Clone)]
pub struct Journal {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    record_bytes_max: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal of the folder `dir`, made when it is not there: takes its lock, reads to the last whole record,
    /// cuts a torn tail, sets damaged parts aside, and tells what it found. Blocking.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another process or handle has it, [`JournalError::Option`] for bounds that do not
    /// fit, [`JournalError::Version`] when a newer version wrote it, [`JournalError::Io`].
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Recovery), JournalError> {
        options.check()?;
        Self::open_locked(Lock::take(dir)?, options)
    }

    /// The same in a folder whose lock is taken already: for who must look at other folders first.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_locked(lock: Lock, options: Options) -> Result<(Self, Recovery), JournalError> {
        let dir = lock.folder();
        let disk = Disk::open(dir).map_err(|source| JournalError::io("open folder", &dir.display(), source))?;
        Self::open_in(Arc::new(disk), Some(lock), options)
    }

    /// The same in any folder; the lock goes when the writing thread has ended.
    fn open_in(files: Arc<dyn Files>, lock: Option<Lock>, options: Options) -> Result<(Self, Recovery), JournalError> {
        options.check()?;
        let (log, recovery) = Log::open(files, &options)?;
        let shared = log.shared();
        *shared.losses() = losses::read(&*shared.files)?;
        let (held, queue) = (options.position_min, Arc::new(Queue::new(&options)));
        let record_bytes_max = options.record_bytes_max;
        let thread = writer::start(log, Arc::clone(&queue), options, lock)?;
        let owner = Owner { shared, queue, record_bytes_max, thread: Mutex::new(Some(thread)) };
        let journal = Self { owner: Arc::new(owner) };
        // Nobody knows how many they were, so no follower will find a position missing. Those before `held` it has.
        let uncounted =
            |damage: &&Damage| damage.positions.is_empty() && damage.bytes > 0 && damage.positions.start >= held;
        recovery.damaged.iter().filter(uncounted).for_each(|damage| journal.lose(damage.positions.clone(), damage));
        Ok((journal, recovery))
    }

    /// Appends the payloads of `batch`, in order, and returns their positions once they are synced.
    ///
    /// Waits while the queue is full. On an error none of them is acknowledged, yet some may be stored: the caller may
    /// append again, and followers must know payloads by an id of their own. Dropping the future takes nothing back.
    /// An empty batch is answered at once.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Poisoned`], [`JournalError::Closed`],
    /// [`JournalError::PayloadTooLarge`] (then nothing of the batch was taken).
    pub async fn append(&self, batch: Batch) -> Result<Range<u64>, JournalError> {
        let limit = self.owner.record_bytes_max - record::LENGTH_BYTES;
        if let Some(payload) = batch.iter().find(|payload| payload.len() > limit) {
            return Err(JournalError::PayloadTooLarge { bytes: payload.len(), limit });
        }
        if batch.is_empty() {
            let end = self.owner.shared.synced();
            return Ok(end..end);
        }
        let answer = self.owner.queue.push(batch).await?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// The position past the last synced payload, as it grows.
    pub fn synced(&self) -> watch::Receiver<u64> {
        self.owner.shared.watch_synced()
    }

    /// A reader that begins at position `from`.
    ///
    /// # Errors
    /// [`JournalError::PastEnd`] when the journal ends before `from`.
    pub fn reader(&self, from: u64) -> Result<Reader, JournalError> {
        Reader::new(Arc::clone(&self.owner.shared), from)
    }

    /// Notes that payloads of these positions, which were needed, cannot be read; once counts. Blocking.
    pub fn lose(&self, positions: Range<u64>, why: &dyn std::fmt::Display) {
        let mut losses = self.owner.shared.losses();
        tracing::error!(first = positions.start, end = positions.end, %why, "a part of the journal is lost");
        if losses::add(&mut losses, Loss { positions, why: why.to_string() })
            && let Err(error) = losses::write(&*self.owner.shared.files, &losses)
        {
            tracing::error!(%error, "what is lost could not be noted; it is known until the next start");
        }
    }

    /// What was needed and could not be read, since losses were last accepted.
    pub fn losses(&self) -> Vec<Loss> {
        self.owner.shared.losses().clone()
    }

    /// Forgets the losses. Blocking.
    ///
    /// # Errors
    /// [`JournalError::Io`]: they are still known.
    pub fn accept_losses(&self) -> Result<(), JournalError> {
        let mut losses = self.owner.shared.losses();
        losses::write(&*self.owner.shared.files, &[])?;
        losses.clear();
        Ok(())
    }

    /// Lets whole segments go whose positions are all before `before`; the newest always stays. Returns at once, the
    /// writing thread does it.
    pub fn release(&self, before: u64) {
        self.owner.queue.release(before);
    }

    /// What the journal holds and how it does, now.
    pub fn facts(&self) -> Facts {
        self.owner.shared.facts()
    }

    /// Whether the journal is poisoned, as it changes.
    pub fn poisoned(&self) -> watch::Receiver<bool> {
        self.owner.shared.watch_poisoned()
    }

    /// Takes nothing more, syncs and answers what was taken, and frees the folder; other handles then answer
    /// [`JournalError::Closed`], readers read on. Blocks for the last syncs.
    pub fn close(self) {
        self.owner.finish();
    }
}

impl Owner {
    fn finish(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A thread that panicked has closed the queue; its callers were answered `Closed`.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's writer thread panicked");
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.finish();
    }
}
