//! Trails: the order of each visitor's events, in columns of a few bytes: what funnels, flows and baskets are worked out of.
//! - A trail is all matching events of one visitor of one day, in the order of [`super::order`]. It is never cut: it comes
//!   whole, in one batch. Those of a day without a visitor are one or several trails, each in order.
//! - Batches come in no promised order, nor do the trails in them: a day's and a visitor's name stand on each.
//! - Of an event there is what was asked for: its time, which filters match it, its visit, texts of some keys.
//! - Absent: the events themselves ([`super::Store::scan`]), and what their order means (`report`).

use super::StoreError;
use super::plan::{Filter, TimeRange};
use crate::clock::Millis;
use crate::event::{Day, Key};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Marks of one question at the most: a bit each.
pub const MARKS_MAX: usize = 64;
/// The code of an event that lacks a label's key.
pub const NONE: u32 = u32::MAX;

/// The bounds of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailLimits {
    /// Events handed over; one more is an error.
    pub events_max: usize,
    /// Time it may take.
    pub time_max: Duration,
}

impl Default for TrailLimits {
    fn default() -> Self {
        Self { events_max: 20_000_000, time_max: Duration::from_secs(30) }
    }
}

/// Whether the visits of events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visits {
    /// They are not.
    Left,
    /// They come with the events.
    Given,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailPlan {
    /// Which events, of those that some mark matches.
    pub filter: Filter,
    /// When.
    pub range: TimeRange,
    /// From 1 to [`MARKS_MAX`]; an event that none of them matches does not come.
    pub marks: Vec<Filter>,
    /// Keys whose texts come with each event.
    pub labels: Vec<Key>,
    /// Whether its visit comes with each event.
    pub visits: Visits,
    /// If given, only visits that have an event which this matches too, within filter and range: theirs are all events that
    /// come, and an event without a visitor or a visit does not.
    pub visits_with: Option<Filter>,
    /// Bounds.
    pub limits: TrailLimits,
}

impl TrailPlan {
    /// [`StoreError::Invalid`] for too many marks, or none.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.marks.len() {
            1..=MARKS_MAX => Ok(()),
            other => Err(StoreError::Invalid(format!("{other} marks; there may be 1 to {MARKS_MAX}"))),
        }
    }

    /// An error past the bound.
    pub fn bound(&self, events: usize) -> Result<(), StoreError> {
        let limit = self.limits.events_max;
        if events <= limit {
            return Ok(());
        }
        Err(StoreError::Limit { operation: "trails", limit: limit as u64, of: "events" })
    }
}

/// Batches of trails; ends after the first error. Whoever leaves it early ends the question.
pub type Trails = tokio::sync::mpsc::Receiver<Result<TrailBatch, StoreError>>;

/// Whole trails, their events in columns: each as long as [`TrailBatch::at`], the events of one trail side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrailBatch {
    /// The trails.
    pub trails: Vec<Trail>,
    /// When each event was.
    pub at: Vec<Millis>,
    /// Bit i: mark i matches the event.
    pub marks: Vec<u64>,
    /// Its visit, where it has one; empty where visits were left.
    pub visits: Vec<Option<Visit>>,
    /// Its texts, a column a label.
    pub labels: Vec<Labels>,
}

impl TrailBatch {
    /// Leaves the events at these places, which ascend, and of the trails those that still have some.
    pub fn keep(&mut self, places: &[usize]) {
        fn picked<T: Copy>(column: &mut Vec<T>, places: &[usize]) {
            *column = places.iter().filter_map(|place| column.get(*place).copied()).collect();
        }
        picked(&mut self.at, places);
        picked(&mut self.marks, places);
        picked(&mut self.visits, places);
        self.labels.iter_mut().for_each(|labels| picked(&mut labels.codes, places));
        let place = |at| places.partition_point(|place| *place < at);
        self.trails.iter_mut().for_each(|trail| trail.events = place(trail.events.start)..place(trail.events.end));
        self.trails.retain(|trail| !trail.events.is_empty());
    }
}

/// Whose events these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The day.
    pub day: Day,
    /// The visitor; `None`: some of the day's events without one.
    pub visitor: Option<u64>,
    /// Its events, by their places in the columns.
    pub events: Range<usize>,
}

/// A visit, by its id and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Visit {
    /// When it began.
    pub at: Millis,
    /// Its id.
    pub id: u64,
}

/// The texts of one key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// Of each event a place in `texts`, or [`NONE`].
    pub codes: Vec<u32>,
    /// What codes stand for, each different.
    pub texts: Texts,
}

impl Labels {
    /// The different texts of the event at a place, ascending; none where it lacks the key.
    pub fn of(&self, place: usize) -> &[Box<str>] {
        let code = self.codes.get(place).copied().unwrap_or(NONE);
        self.texts.get(code as usize).map_or(&[], |texts| texts)
    }
}

/// The different texts of one event's values of a key, ascending. Several only where the key holds a list.
pub type Several = Box<[Box<str>]>;
/// What codes stand for; shared by the batches that were read together.
pub type Texts = Arc<[Several]>;
