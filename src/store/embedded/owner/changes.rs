//! Changes: which parts of a day count: the two ends of a seal, and expiry.
//! - A day changes by one rename, and readers see it before or after.
//! - What cannot be removed any more does not count, and goes at the next try or the next start.

use super::{Frozen, Mended, Owner};
use crate::event::Day;
use crate::store::StoreError;
use crate::store::embedded::aside;
use crate::store::embedded::current::{Current, generation_number, sync_dir};
use crate::store::embedded::error::file_error;
use crate::store::embedded::expire;
use crate::store::embedded::generation::Generation;
use crate::store::embedded::parts::DayView;
use crate::store::embedded::payload::Payload;
use crate::store::embedded::read::read_current;
use std::path::Path;
use std::sync::Arc;

impl Owner {
    pub(super) fn freeze(&mut self, day: Day) -> Result<Option<Frozen>, StoreError> {
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
            partition.next();
        }
        let (dir, open) = (partition.dir().to_owned(), partition.number());
        // A swap that failed may have named one that readers do not see, and one may be set aside.
        let named = read_current(&dir)?.generation.max(aside::last_lacked(&dir, generation_number));
        let generation = view.generation.as_ref().map_or(named, |generation| generation.number.max(named)) + 1;
        self.frozen = Some((day, open));
        let payload = Payload { promised: self.shared.position(), ..partition.payload() };
        Ok(Some(Frozen { view, dir, generation, open, payload }))
    }

    pub(super) fn swap(&mut self, generation: Arc<Generation>, open: u32, mended: Mended) -> Result<(), StoreError> {
        let day = generation.manifest.day;
        let Some(view) = self.shared.day(day) else { return Err(expired(day)) };
        let dir = self.day_dir(day);
        let from = read_current(&dir)?.from;
        Current { generation: generation.number, open, from }.write(&dir)?;
        let (gone, kept): (Vec<_>, Vec<_>) = view.open.iter().cloned().partition(|part| part.number < open);
        gone.iter().for_each(|part| part.folder.retire());
        if let Some(before) = &view.generation {
            before.folder.retire();
            self.shared.months.forget(before.folder.path());
        }
        let damaged = match mended {
            Mended::Yes => Arc::default(),
            Mended::No => view.damaged.clone(),
        };
        let new = DayView { day, generation: Some(generation), open: kept, damaged };
        self.shared.publish(|days| drop(days.insert(day, Arc::new(new))));
        if self.partitions.get(&day).is_none_or(|partition| partition.uncommitted() == 0) {
            self.shared.ids().forget(day);
        }
        // Last: a crash before it leaves a day that is repaired once more.
        if mended == Mended::Yes { aside::settle(&dir) } else { Ok(()) }
    }

    pub(super) fn expire(&mut self, events: Day, items: Day) -> Result<(), StoreError> {
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
                // It is kept as it is until it is repaired or its loss accepted: what is set aside of it may be made whole.
                false if view.is_stripped() || !view.damaged.is_empty() => Ok(()),
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
        self.swap(Arc::new(generation), frozen.open, Mended::No)?;
        aside::expire(&frozen.dir)?;
        self.close(day);
        Ok(())
    }

    /// Drops a day whole.
    fn remove(&mut self, view: &DayView) -> Result<(), StoreError> {
        self.close(view.day);
        let dir = self.day_dir(view.day);
        let expired = dir.with_extension("expired");
        // What an earlier try could not remove would be in the way.
        remove_dir(&expired)?;
        // One rename: a day is there or it is not. Readers have their files open.
        match std::fs::rename(&dir, &expired) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(file_error("expire", &dir))?,
        }
        // Its folder is gone, whatever fails from here on.
        self.shared.publish(|days| drop(days.remove(&view.day)));
        self.shared.ids().forget(view.day);
        self.shared.months.forget(&dir);
        sync_dir(&self.shared.root.join("days"))?;
        remove_dir(&expired)
    }

    /// Closes the partition of a day that has nothing uncommitted.
    pub(super) fn close(&mut self, day: Day) {
        self.writers.retain(|other| *other != day);
        self.partitions.remove(&day);
    }
}

fn expired(day: Day) -> StoreError {
    StoreError::Expired(format!("day {day} expired while it was sealed"))
}

/// Removes a folder that may be there.
fn remove_dir(dir: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(file_error("remove", dir)),
    }
}
