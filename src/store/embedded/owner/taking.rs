//! Taking: events go to the open parts of their days, and are committed there.
//! - A partition is known from its first event on; what its parts promise together is read from disk then.

use super::Owner;
use crate::event::Day;
use crate::store::embedded::aside;
use crate::store::embedded::committed::Committed;
use crate::store::embedded::current::{Current, open_dir, open_number, open_numbers};
use crate::store::embedded::error::file_error;
use crate::store::embedded::partition::Partition;
use crate::store::embedded::parts::{DayView, Folder, OpenPart};
use crate::store::embedded::payload::Payload;
use crate::store::embedded::position;
use crate::store::embedded::read::{promised_aside, read_current};
use crate::store::{Entry, Position, StoreError};
use std::path::Path;
use std::sync::Arc;

/// Writers open at once.
const WRITERS_MAX: usize = 4;

impl Owner {
    pub(super) fn take_all(&mut self, mut entries: Vec<Entry>) -> Result<(), StoreError> {
        let promised = self.shared.position();
        // What was promised is not looked at again, be its day expired since.
        entries.retain(|entry| entry.position >= promised);
        // Stable: within a day positions go on ascending.
        entries.sort_by_key(|entry| entry.event.day());
        let mut entries = entries.into_iter().peekable();
        while let Some(day) = entries.peek().map(|entry| entry.event.day()) {
            self.take(day, std::iter::from_fn(|| entries.next_if(|entry| entry.event.day() == day)))?;
        }
        Ok(())
    }

    /// Takes entries of one day.
    fn take(&mut self, day: Day, entries: impl Iterator<Item = Entry>) -> Result<(), StoreError> {
        let mut entries = entries.peekable();
        if let Some(first) = entries.peek() {
            self.begin(day, first.position)?;
        }
        self.partition(day)?;
        let Some(partition) = self.partitions.get(&day) else { return Ok(()) };
        let new: Vec<Entry> = entries.filter(|entry| !partition.has(entry.position)).collect();
        self.shared.ids().add(day, self.shared.day(day).as_deref(), new.iter().map(|entry| &entry.event))?;
        self.uncommitted += new.len();
        for entry in new {
            let Some(partition) = self.partitions.get_mut(&day) else { continue };
            partition.take(entry);
            if partition.is_full() {
                self.drain(day)?;
            }
        }
        let uncommitted = self.partitions.get(&day).map_or(0, Partition::uncommitted);
        self.shared.set_pending(day, uncommitted);
        Ok(())
    }

    /// Hands a full partition's events to its writer, closing another's if there are too many.
    fn drain(&mut self, day: Day) -> Result<(), StoreError> {
        self.writers.retain(|other| *other != day);
        while self.writers.len() >= WRITERS_MAX {
            if let Some(oldest) = self.writers.pop_front() {
                self.commit_day(oldest)?;
                self.partitions.get_mut(&oldest).map(Partition::close);
            }
        }
        self.writers.push_back(day);
        match self.partitions.get_mut(&day).is_some_and(Partition::drain) {
            true => self.commit_day(day),
            false => Ok(()),
        }
    }

    /// Makes sure that the partition of a day is known.
    pub(super) fn partition(&mut self, day: Day) -> Result<(), StoreError> {
        if self.partitions.contains_key(&day) {
            return Ok(());
        }
        let dir = self.day_dir(day);
        let (number, payload) = self.held(day, &dir)?;
        self.partitions.insert(day, Partition::new(day, dir, number, payload));
        Ok(())
    }

    /// Makes the folder of a day that begins with the event at `position`, and notes that in it.
    fn begin(&mut self, day: Day, position: Position) -> Result<(), StoreError> {
        let dir = self.day_dir(day);
        if self.partitions.contains_key(&day) || self.shared.day(day).is_some() {
            return Ok(());
        }
        std::fs::create_dir_all(&dir).map_err(file_error("create", &dir))?;
        let is_new = Current::read(&dir).is_ok_and(|current| current.is_none()) && open_numbers(&dir)?.is_empty();
        match is_new {
            true => Current { generation: 0, open: 1, from: Some(position) }.write(&dir),
            false => Ok(()),
        }
    }

    /// The open part that a day is written to, and what all its parts promise together: those too whose commit went well
    /// and could not be shown then, as they are now; and those set aside, as far as they can say.
    fn held(&self, day: Day, dir: &Path) -> Result<(u32, Payload), StoreError> {
        let first = read_current(dir)?.open;
        let mut number = self.frozen.filter(|(frozen, _)| *frozen == day).map_or(first, |(_, open)| first.max(open));
        let mut view = self.view(day);
        let was_damaged = view.damaged.len();
        let mut payload = promised_aside(dir)?;
        if let Some(generation) = &view.generation {
            payload.merge(generation.manifest.promise());
        }
        let lacked = aside::lacked(dir);
        let is_lacked = |part: &u32| lacked.iter().any(|name| open_number(name) == Some(*part));
        for part in open_numbers(dir)?.into_iter().filter(|part| !is_lacked(part)) {
            let at = view.open.iter().position(|shown| shown.number == part);
            if at.is_none() && part < first {
                continue;
            }
            number = number.max(part);
            let before = at.map(|at| view.open[at].clone());
            match read_part(day, part, dir, before.as_deref()) {
                Ok((part, of_part)) => {
                    payload.merge(of_part);
                    view.show(part);
                }
                Err(error) => Self::lose_open(&mut view, dir, &open_dir(dir, part), error)?,
            }
        }
        // The number of a part that is lacked is not given again.
        number = number.max(aside::last_lacked(dir, open_number) + 1);
        if view.late() > 0 || view.damaged.len() > was_damaged {
            self.shared.publish(|days| drop(days.insert(day, Arc::new(view))));
        }
        Ok((number, payload))
    }

    /// A day as readers see it, or one with nothing in it.
    pub(super) fn view(&self, day: Day) -> DayView {
        self.shared.day(day).map_or_else(|| DayView::empty(day), |view| (*view).clone())
    }

    pub(super) fn commit_all(&mut self) -> Result<(), StoreError> {
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
        let part = partition.commit(before.map(|part| &**part), self.shared.position())?;
        view.show(part);
        self.shared.publish(|days| drop(days.insert(day, Arc::new(view))));
        self.shared.set_pending(day, 0);
        Ok(())
    }
}

/// An open part as it is on disk, and what it promises; segments that `before` had open stay open.
fn read_part(day: Day, number: u32, dir: &Path, before: Option<&OpenPart>) -> Result<(OpenPart, Payload), StoreError> {
    let folder = Arc::new(Folder::new(open_dir(dir, number)));
    let committed = Committed::read(folder.path())?;
    let part = OpenPart::open(day, number, folder, &committed, before)?;
    Ok((part, committed.payload))
}
