//! Owner: the one thread that writes open parts, commits them, and says which parts count.
//! - Events are taken at once and committed after a second or 200,000 of them; then the store's position is raised.
//! - When a commit fails all that was not committed is forgotten, ids too, and the next write says so: the caller writes
//!   again from the position.
//! - A commit that fails for a seal or an expiry is told to the writer too: it alone can write again.
//! - Sealing runs elsewhere; only its first step (a new open part) and its last (the swap) happen here.
//! - `taking` puts events into the partitions of their days and commits them; `changes` replaces and drops parts,
//!   `mending` sets damaged ones aside.

mod changes;
mod mending;
mod taking;

use super::generation::Generation;
use super::partition::Partition;
use super::parts::DayView;
use super::payload::Payload;
use super::scrub::Damaged;
use super::shared::Shared;
use crate::event::Day;
use crate::store::{Entry, Position, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Told when a command is done.
pub type Done<T = ()> = oneshot::Sender<Result<T, StoreError>>;

/// What the owner is asked to do.
pub enum Command {
    /// Take entries.
    Write(Vec<Entry>, Position, Done),
    /// Commit now.
    Flush(Done),
    /// Begin a new open part of a day, and say what it is to be sealed from; `None` for a day that is not held.
    Freeze(Day, Done<Option<Frozen>>),
    /// Let a sealed part count in place of what it was made from, which made a damaged day whole or did not.
    Swap(Arc<Generation>, u32, Mended, Done),
    /// Let parts of a day count no longer, and keep them aside.
    SetAside(Day, Vec<Damaged>, Done),
    /// A damaged day counts as it is from now on.
    Settle(Day, Done),
    /// Drop the events of days before the first, and the item tables of days before the second.
    Expire(Day, Day, Done),
    /// End.
    Stop,
}

/// Whether a damaged day is whole by what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It is.
    Yes,
    /// It is not, or never was damaged.
    No,
}

/// A day to be sealed.
pub struct Frozen {
    /// The day's parts that the sealed one takes the place of.
    pub view: Arc<DayView>,
    /// The day's folder.
    pub dir: PathBuf,
    /// The number of the sealed part to be made.
    pub generation: u32,
    /// The first open part that will not be in it.
    pub open: u32,
    /// What the partition promises.
    pub payload: Payload,
}

/// The thread's state.
pub struct Owner {
    shared: Arc<Shared>,
    partitions: BTreeMap<Day, Partition>,
    /// Days whose writer is open, the one used last at the end.
    writers: VecDeque<Day>,
    /// Everything before it was taken.
    end: Position,
    uncommitted: usize,
    due: Option<Instant>,
    /// What the next write or flush is told.
    failed: Option<StoreError>,
    /// The day frozen last, and the first of its open parts that its seal leaves alone.
    frozen: Option<(Day, u32)>,
}

impl Owner {
    /// An owner of what `shared` holds.
    pub fn new(shared: Arc<Shared>) -> Self {
        let end = shared.position();
        Self {
            shared,
            partitions: BTreeMap::new(),
            writers: VecDeque::new(),
            end,
            uncommitted: 0,
            due: None,
            failed: None,
            frozen: None,
        }
    }

    /// Runs until told to stop, or until nobody can tell it anything any more. Uncommitted events are not committed
    /// then: who wants that flushes first.
    pub fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let command = match self.due {
                Some(due) => commands.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(command) => {
                    // Reading what is damaged may panic, deep in the engine. Whoever waits is told that it failed.
                    if catch_unwind(AssertUnwindSafe(|| self.obey(command))).is_err() {
                        tracing::error!("a command to the store broke off; what was not committed is written again");
                        self.forget();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.commit() {
                        self.failed = Some(error);
                    }
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        // A caller that has gone does not want to know.
        match command {
            Command::Write(entries, end, done) => drop(done.send(self.write(entries, end))),
            Command::Flush(done) => drop(done.send(self.flush())),
            Command::Freeze(day, done) => drop(done.send(self.freeze(day))),
            Command::Swap(generation, open, mended, done) => drop(done.send(self.swap(generation, open, mended))),
            Command::SetAside(day, damaged, done) => drop(done.send(self.set_aside(day, damaged))),
            Command::Settle(day, done) => drop(done.send(self.settle(day))),
            Command::Expire(events, items, done) => drop(done.send(self.expire(events, items))),
            Command::Stop => {}
        }
    }

    fn write(&mut self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        self.failed.take().map_or(Ok(()), Err)?;
        let taken = self.take_all(entries);
        self.or_forget(taken)?;
        self.end = self.end.max(end);
        if self.due.is_none() && self.end > self.shared.position() {
            self.due = Some(Instant::now() + self.shared.options.commit_every);
        }
        if self.uncommitted >= self.shared.options.commit_events_max {
            self.commit()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.failed.take().map_or(Ok(()), Err)?;
        self.commit()
    }

    /// Commits for another than the writer.
    fn commit_for_another(&mut self) -> Result<(), StoreError> {
        let committed = self.commit();
        if let Err(error) = &committed {
            let source = format!("a commit before a seal or an expiry failed: {error}").into();
            self.failed = Some(StoreError::Engine { operation: "commit", source });
        }
        committed
    }

    /// Commits every partition that has something to commit, then raises the position.
    fn commit(&mut self) -> Result<(), StoreError> {
        self.due = None;
        let committed = self.commit_all();
        self.or_forget(committed)
    }

    /// After a failure: forgets what was not committed.
    fn or_forget(&mut self, result: Result<(), StoreError>) -> Result<(), StoreError> {
        if result.is_err() {
            self.forget();
        }
        result
    }

    fn forget(&mut self) {
        self.partitions.clear();
        self.writers.clear();
        self.uncommitted = 0;
        self.due = None;
        self.end = self.shared.position();
        self.shared.ids().clear();
        self.shared.clear_pending();
    }
}
