//! Shared: what the owner thread and all readers hold together.
//! - Readers take the days as they are and keep them; the owner replaces them whole.

use super::ids::Ids;
use super::items::Months;
use super::kept::Kept;
use super::parts::{DayView, Days};
use super::read::Found;
use crate::event::Day;
use crate::store::{DayState, Position};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// How the store is run.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The longest that events wait for their commit.
    pub commit_every: Duration,
    /// Events taken before a commit at the latest.
    pub commit_events_max: usize,
    /// Events of a sealed segment.
    pub segment_events_max: usize,
    /// Threads that answer one question.
    pub threads: usize,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            commit_every: Duration::from_secs(1),
            commit_events_max: 200_000,
            segment_events_max: 250_000,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The state that is shared.
pub struct Shared {
    /// The store's folder.
    pub root: PathBuf,
    /// How it is run.
    pub options: EmbeddedOptions,
    /// Item tables, of months and of days.
    pub months: Months,
    /// Answers of sealed days together.
    pub kept: Kept,
    /// Open ids.
    ids: Mutex<Ids>,
    /// Events taken and not yet committed.
    pending: Mutex<BTreeMap<Day, u64>>,
    days: RwLock<Arc<Days>>,
    position: AtomicU64,
    /// Some part has an event before this position.
    pub reached: Position,
}

impl Shared {
    /// Of a store just opened.
    pub fn new(root: PathBuf, options: EmbeddedOptions, months: Months, found: Found, position: Position) -> Self {
        Self {
            ids: Mutex::new(Ids::new(root.clone())),
            root,
            options,
            months,
            kept: Kept::default(),
            pending: Mutex::default(),
            days: RwLock::new(Arc::new(found.days)),
            position: AtomicU64::new(position),
            reached: found.reached.max(position),
        }
    }

    /// The days as they are now.
    pub fn days(&self) -> Arc<Days> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A day as it is now.
    pub fn day(&self, day: Day) -> Option<Arc<DayView>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }

    /// Replaces the days; called by the owner alone.
    pub fn publish(&self, change: impl FnOnce(&mut Days)) {
        let mut days = (*self.days()).clone();
        change(&mut days);
        *self.days.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(days);
    }

    /// Open ids.
    pub fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events of a day are taken and not yet committed.
    pub fn set_pending(&self, day: Day, events: u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match events {
            0 => drop(pending.remove(&day)),
            events => drop(pending.insert(day, events)),
        }
    }

    /// Nothing is pending any more.
    pub fn clear_pending(&self) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All days with events, those with nothing committed too.
    pub fn states(&self) -> Vec<DayState> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut states: BTreeMap<Day, DayState> = self
            .days()
            .iter()
            .filter(|(_, view)| !view.is_stripped() && view.has_parts())
            .map(|(day, view)| (*day, view.state()))
            .collect();
        for (day, events) in &*pending {
            let state = states.entry(*day);
            let state = state.or_insert(DayState { day: *day, events: 0, sealed: false, dirty: false });
            state.events += events;
            state.dirty |= state.sealed;
            state.sealed = false;
        }
        states.into_values().collect()
    }

    /// The promise that was made.
    pub fn position(&self) -> Position {
        self.position.load(Ordering::Acquire)
    }

    /// Raises the promise once it is on disk.
    pub fn promise(&self, position: Position) {
        self.position.store(position, Ordering::Release);
    }
}
