//! Mending: damaged parts of a day count no longer, and are kept aside until the day is whole again.

use super::Owner;
use crate::event::Day;
use crate::store::StoreError;
use crate::store::embedded::aside;
use crate::store::embedded::current::Current;
use crate::store::embedded::error::why;
use crate::store::embedded::parts::DayView;
use crate::store::embedded::read::read_current;
use crate::store::embedded::scrub::Damaged;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Owner {
    /// Sets parts aside that a scrub found damaged; those that have gone meanwhile are passed over.
    pub(super) fn set_aside(&mut self, day: Day, damaged: Vec<Damaged>) -> Result<(), StoreError> {
        self.commit_for_another()?;
        // Its writer may be at work in one of them.
        self.close(day);
        let (dir, mut view) = (self.day_dir(day), self.view(day));
        for Damaged { part, findings } in damaged {
            lose(&mut view, &dir, &part, &findings);
            self.shared.months.forget(&part);
        }
        self.shared.ids().forget(day);
        self.shared.publish(|days| drop(days.insert(day, Arc::new(view))));
        Ok(())
    }

    /// What is lost is lost: a day is no longer marked, and what it lacks is kept all the same.
    pub(super) fn settle(&mut self, day: Day) -> Result<(), StoreError> {
        let (dir, mut view) = (self.day_dir(day), self.view(day));
        let current = read_current(&dir)?;
        let generation = view.generation.as_ref().map_or(0, |generation| generation.number);
        Current { generation, ..current }.write(&dir)?;
        aside::settle(&dir)?;
        view.damaged = Arc::default();
        self.shared.publish(|days| match view.has_parts() {
            true => drop(days.insert(day, Arc::new(view))),
            false => drop(days.remove(&day)),
        });
        Ok(())
    }

    /// A day's folder.
    pub(super) fn day_dir(&self, day: Day) -> PathBuf {
        self.shared.root.join("days").join(day.to_string())
    }

    /// Sets an open part aside that cannot be written on, if it is damaged and not merely out of reach.
    pub(super) fn lose_open(view: &mut DayView, dir: &Path, part: &Path, error: StoreError) -> Result<(), StoreError> {
        if !aside::is_damage(&error) {
            return Err(error);
        }
        lose(view, dir, part, &[why(&error)]);
        Ok(())
    }
}

/// Takes a part out of a day's view, and sets it aside.
fn lose(view: &mut DayView, dir: &Path, part: &Path, findings: &[String]) {
    let is_sealed = view.generation.as_ref().is_some_and(|generation| generation.folder.path() == part);
    let is_open = view.open.iter().any(|open| open.folder.path() == part);
    if !is_sealed && !is_open && !part.exists() {
        return;
    }
    if is_sealed {
        view.generation = None;
    }
    view.open.retain(|open| open.folder.path() != part);
    view.damaged = aside::set(dir, part, findings).into();
}
