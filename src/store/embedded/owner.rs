//! Owner: the one thread that writes open parts, commits them, and says which parts count.
//! - Events are taken at once and committed after a second or 200,000 of them; then the store's position is raised.
//! - When a commit fails all that was not committed is forgotten, ids too, and the next write says so: the caller writes
//!   again from the position.
//! - A commit that fails for a seal or an expiry is told to the writer too: it alone can write again.
//! - Sealing runs elsewhere; only its first step (a new open part) and its last (the swap) happen here.

use super::current::{Current, open_dir, open_numbers};
use super::error::file_error;
use super::expire;
use super::generation::Generation;
use super::partition::{Partition, open_index, payload_of};
use super::parts::{DayView, Folder, OpenPart, Payload, open_fields};
use super::position;
use super::shared::Shared;
use crate::event::Day;
use crate::store::{Entry, Position, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Writers open at once.
const WRITERS_MAX: usize = 4;

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
    /// Let a sealed part count in place of what it was made from.
    Swap(Arc<Generation>, u32, Done),
    /// Drop the events of days before the first, and the item tables of days before the second.
    Expire(Day, Day, Done),
    /// End.
    Stop,
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
                Ok(command) => self.obey(command),
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
            Command::Swap(generation, open, done) => drop(done.send(self.swap(generation, open))),
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

    fn take_all(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let promised = self.shared.position();
        // What was promised is not looked at again, be its day expired since.
        for entry in entries.into_iter().filter(|entry| entry.position >= promised) {
            let day = entry.event.day();
            self.partition(day)?;
            let Some(partition) = self.partitions.get_mut(&day) else { continue };
            if partition.has(entry.position) {
                continue;
            }
            if entry.event.known(crate::event::Known::EventId).is_some() {
                let view = self.shared.day(day);
                self.shared.ids().add(day, view.as_deref(), &entry.event)?;
            }
            partition.take(entry);
            self.shared.set_pending(day, partition.uncommitted());
            self.uncommitted += 1;
            if partition.is_full() {
                self.drain(day)?;
            }
        }
        Ok(())
    }

    /// Hands a full partition's events to its writer, closing another's if there are too many.
    fn drain(&mut self, day: Day) -> Result<(), StoreError> {
        self.writers.retain(|other| *other != day);
        while self.writers.len() >= WRITERS_MAX {
            if let Some(oldest) = self.writers.pop_front() {
                self.commit_day(oldest)?;
                if let Some(partition) = self.partitions.get_mut(&oldest) {
                    partition.close()?;
                }
            }
        }
        self.writers.push_back(day);
        self.partitions.get_mut(&day).map_or(Ok(()), Partition::drain)
    }

    /// Makes sure that the partition of a day is known.
    fn partition(&mut self, day: Day) -> Result<(), StoreError> {
        if self.partitions.contains_key(&day) {
            return Ok(());
        }
        let dir = self.shared.root.join("days").join(day.to_string());
        std::fs::create_dir_all(&dir).map_err(file_error("create", &dir))?;
        let (number, payload) = self.held(day, &dir)?;
        self.partitions.insert(day, Partition::new(day, dir, number, payload));
        Ok(())
    }

    /// The open part that a day is written to, and what all its parts promise together: those too whose commit went well
    /// and could not be shown then, as they are now.
    fn held(&self, day: Day, dir: &Path) -> Result<(u32, Payload), StoreError> {
        let first = Current::read(dir)?.open;
        let mut number = self.frozen.filter(|(frozen, _)| *frozen == day).map_or(first, |(_, open)| first.max(open));
        let mut payload = Payload::default();
        let mut view = self.view(day);
        if let Some(generation) = &view.generation {
            payload.end = generation.manifest.end;
            payload.keys = generation.manifest.keys.clone();
        }
        for part in open_numbers(dir)? {
            let at = view.open.iter().position(|shown| shown.number == part);
            if at.is_none() && part < first {
                continue;
            }
            let folder = Arc::new(Folder::new(open_dir(dir, part)));
            let index = open_index(dir, folder.path())?;
            let of_part = payload_of(&index)?;
            payload.end = payload.end.max(of_part.end);
            payload.keys.merge(of_part.keys);
            number = number.max(part);
            let before = at.map(|at| &*view.open[at]);
            view.show(OpenPart::open(day, part, folder, &index, &open_fields(), before)?);
        }
        if view.late() > 0 {
            self.shared.publish(|days| drop(days.insert(day, Arc::new(view))));
        }
        Ok((number, payload))
    }

    /// A day as readers see it, or one with nothing in it.
    fn view(&self, day: Day) -> DayView {
        let empty = || DayView { day, generation: None, open: Vec::new() };
        self.shared.day(day).map_or_else(empty, |view| (*view).clone())
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

    fn commit_all(&mut self) -> Result<(), StoreError> {
        let waiting = self.partitions.iter().filter(|(_, partition)| partition.uncommitted() > 0);
        for day in waiting.map(|(day, _)| *day).collect::<Vec<_>>() {
            self.drain(day)?;
            self.commit_day(day)?;
        }
        if self.end > self.shared.position() {
            position::write(&self.shared.root, self.end)?;
            self.shared.promise(self.end);
        }
        self.shared.ids().shrink();
        Ok(())
    }

    fn commit_day(&mut self, day: Day) -> Result<(), StoreError> {
        let mut view = self.view(day);
        let Some(partition) = self.partitions.get_mut(&day) else { return Ok(()) };
        if partition.uncommitted() == 0 {
            return Ok(());
        }
        self.uncommitted = self.uncommitted.saturating_sub(partition.uncommitted() as usize); // bounded by commit_events_max
        let before = view.open.iter().find(|part| part.number == partition.number());
        let part = partition.commit(before.map(|part| &**part))?;
        view.show(part);
        self.shared.publish(|days| drop(days.insert(day, Arc::new(view))));
        self.shared.set_pending(day, 0);
        Ok(())
    }

    /// After a failure: forgets what was not committed.
    fn or_forget(&mut self, result: Result<(), StoreError>) -> Result<(), StoreError> {
        if result.is_err() {
            self.partitions.clear();
            self.writers.clear();
            self.uncommitted = 0;
            self.due = None;
            self.end = self.shared.position();
            self.shared.ids().clear();
            self.shared.clear_pending();
        }
        result
    }

    fn freeze(&mut self, day: Day) -> Result<Option<Frozen>, StoreError> {
        self.commit_for_another()?;
        if self.shared.day(day).is_none() {
            return Ok(None);
        }
        self.partition(day)?;
        self.writers.retain(|other| *other != day);
        let (Some(partition), Some(view)) = (self.partitions.get_mut(&day), self.shared.day(day)) else {
            return Ok(None);
        };
        if view.open.iter().any(|part| part.number == partition.number()) {
            partition.next()?;
        }
        let (dir, open) = (partition.dir().to_owned(), partition.number());
        // A swap that failed may have named one that readers do not see.
        let named = Current::read(&dir)?.generation;
        let generation = view.generation.as_ref().map_or(named, |generation| generation.number.max(named)) + 1;
        self.frozen = Some((day, open));
        Ok(Some(Frozen { view, dir, generation, open, payload: partition.payload() }))
    }

    fn swap(&mut self, generation: Arc<Generation>, open: u32) -> Result<(), StoreError> {
        let day = generation.manifest.day;
        let Some(view) = self.shared.day(day) else { return Err(expired(day)) };
        let dir = self.shared.root.join("days").join(day.to_string());
        Current { generation: generation.number, open }.write(&dir)?;
        let (gone, kept): (Vec<_>, Vec<_>) = view.open.iter().cloned().partition(|part| part.number < open);
        gone.iter().for_each(|part| part.folder.retire());
        if let Some(before) = &view.generation {
            before.folder.retire();
            self.shared.months.forget(before.folder.path());
        }
        let new = DayView { day, generation: Some(generation), open: kept };
        self.shared.publish(|days| drop(days.insert(day, Arc::new(new))));
        if self.partitions.get(&day).is_none_or(|partition| partition.uncommitted() == 0) {
            self.shared.ids().forget(day);
        }
        Ok(())
    }

    fn expire(&mut self, events: Day, items: Day) -> Result<(), StoreError> {
        self.commit_for_another()?;
        // A table never goes before its events.
        let items = items.min(events);
        // First: what is left of a month whose table goes is read by its days.
        self.shared.months.expire(items)?;
        let gone: Vec<Arc<DayView>> = self.shared.days().range(..events).map(|(_, view)| view.clone()).collect();
        let mut result = Ok(());
        for view in gone {
            let one = match view.day < items {
                true => self.remove(&view),
                false if view.is_stripped() => Ok(()),
                false => self.strip(view.day),
            };
            // A damaged day does not keep the others.
            result = result.and(one);
        }
        result
    }

    /// Drops a day's events; its item table stays.
    fn strip(&mut self, day: Day) -> Result<(), StoreError> {
        let Some(frozen) = self.freeze(day)? else { return Ok(()) };
        let generation = expire::strip(&frozen)?;
        self.swap(Arc::new(generation), frozen.open)?;
        self.close(day)
    }

    /// Drops a day whole.
    fn remove(&mut self, view: &DayView) -> Result<(), StoreError> {
        self.close(view.day)?;
        let dir = self.shared.root.join("days").join(view.day.to_string());
        let expired = dir.with_extension("expired");
        // One rename: a day is there or it is not. Readers have their files open.
        std::fs::rename(&dir, &expired).map_err(file_error("expire", &dir))?;
        super::current::sync_dir(&self.shared.root.join("days"))?;
        self.shared.publish(|days| drop(days.remove(&view.day)));
        self.shared.ids().forget(view.day);
        self.shared.months.forget(&dir);
        std::fs::remove_dir_all(&expired).map_err(file_error("remove", &expired))
    }

    /// Closes the partition of a day that has nothing uncommitted.
    fn close(&mut self, day: Day) -> Result<(), StoreError> {
        self.writers.retain(|other| *other != day);
        self.partitions.remove(&day).map_or(Ok(()), |mut partition| partition.close())
    }
}

fn expired(day: Day) -> StoreError {
    StoreError::Expired(format!("day {day} expired while it was sealed"))
}
