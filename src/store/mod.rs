//! Store: where indexed events are kept and asked. One small contract, several stores behind it.
//! - Everything about one visitor's day lies in one partition: the event's `day`.
//! - `position() = P` promises that every event before P is stored and survives a crash; writing again from P stores
//!   nothing twice.
//! - A write becomes visible to readers within [`Capabilities::visible_within`], or at `flush`.
//! - Increments are handed in on the events; sealing derives them anew by the [`Derive`] it is given.
//! - Absent: the question language (`query`), shapes of answers (`report`), any knowledge of the journal's files.

pub mod embedded;
pub mod forms;
pub mod memory;
pub mod order;
pub mod plan;
pub mod trails;
pub mod whole;
pub mod words;

use crate::error::Kind;
use crate::event::{Day, Event, Key};
use async_trait::async_trait;
use plan::{Answer, Filter, Plan, TimeRange, UsageAnswer, UsagePlan};
use std::time::Duration;
use trails::{TrailPlan, Trails};

/// The number of an event in its node's journal: how many were accepted before it.
pub type Position = u64;

/// Derives the increments of a day's events, handed over one visitor after another, each in the order of
/// [`Event::in_order`]; events without a visitor come too. It keeps its own state between calls.
pub type Derive = Box<dyn FnMut(&mut Event) + Send>;

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number there.
    pub position: Position,
    /// The event, increments and all.
    pub event: Event,
}

/// What one store can do; the default is the least able one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Capabilities {
    /// Relative standard error of distinct counts past the exact range; 0 if always exact.
    pub distinct_error: f64,
    /// Up to how many different values a distinct count is exact.
    pub distinct_exact: u64,
    /// Relative error of percentiles; 0 if exact.
    pub percentile_error: f64,
    /// How soon a write is seen by readers.
    pub visible_within: Duration,
}

/// A day as it lies in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayState {
    /// Which day.
    pub day: Day,
    /// Events in it, visible or not.
    pub events: u64,
    /// Whether it was sealed, and holds no event that came later.
    pub sealed: bool,
    /// Whether it was sealed and events came later: its numbers are provisional until it is sealed again.
    pub dirty: bool,
}

/// A day of which something is lost, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Which day.
    pub day: Day,
    /// What was damaged, by name, with what did not fit.
    pub parts: Vec<String>,
    /// No event of the day stands in the journal before this position, where that is known.
    pub from: Option<Position>,
    /// Whether all events of the day, once in the journal, can be had from there: none of them expired.
    pub is_plain: bool,
}

/// What a damaged day is made whole from.
pub enum Remedy {
    /// All events of the day before this position, ascending, as the journal has them.
    Events(EntryStream, Position),
    /// What was set aside, where its events are sound.
    Aside,
    /// Nothing: what is lost is lost, and the day counts as it is.
    Loss,
}

/// Entries in batches; ends after the first error.
pub type EntryStream = tokio::sync::mpsc::Receiver<Result<Vec<Entry>, StoreError>>;

/// A key that a store holds values of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key.
    pub key: Key,
    /// Whether some values have a text form that is no number (texts and booleans).
    pub texts: bool,
    /// Whether some values have a number form.
    pub numbers: bool,
}

/// Where a page of events ended; opaque to all but the store that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Events newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// `None` at the end.
    pub next: Option<Cursor>,
}

/// Events in batches, in order; ends after the first error.
pub type Scan = tokio::sync::mpsc::Receiver<Result<Vec<Event>, StoreError>>;

/// Keeps events and answers plans. Every method may be called at any time from any task; `write`, `flush`, `seal` and
/// `expire` are called by one owner (`indexer`).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Takes `entries` (ascending positions), all accepted before `end`. An entry that is stored already (by position) is
    /// passed over. On an error the caller writes again from `position()`.
    async fn write(&self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError>;

    /// Everything before it is stored and synced.
    async fn position(&self) -> Result<Position, StoreError>;

    /// Makes everything written so far durable and visible.
    async fn flush(&self) -> Result<(), StoreError>;

    /// For each of `ids`, whether an event of `site` with this sender's `event_id` is among the events of these days
    /// (inclusive), those written and not yet visible too.
    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError>;

    /// Answers a plan over all visible events.
    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError>;

    /// Answers what items were used, from item tables where there are some.
    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError>;

    /// The newest visible events that match, newest first (ties in one fixed order), after a page's end.
    async fn events(
        &self,
        filter: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// All visible events that match, day by day, within a day by visitor, then [`Event::in_order`]: those
    /// without a visitor last. With `keys` only these keys of each event come (and `@timestamp`, `site`, `day`, `action`).
    async fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Result<Scan, StoreError>;

    /// All visible events that match, as trails. [`StoreError::Limit`] past its bounds: at once, or as the last of the batches.
    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError>;

    /// The keys that days in the range hold values of, by name.
    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError>;

    /// The days held, ascending.
    async fn days(&self) -> Result<Vec<DayState>, StoreError>;

    /// Derives a day's increments anew and writes it again, in the background of readers, who see the old day or the new.
    /// Events written while it runs make the day dirty. `Ok` for a day that is not held.
    async fn seal(&self, day: Day, derive: Derive) -> Result<(), StoreError>;

    /// Drops the events of days before `events`, and item tables of days before `items` (never before their events).
    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError>;

    /// Reads every checksum of a day and of what is kept beside it; answers what is damaged, by name. Empty: all is sound.
    /// What is damaged does not count from then on, is kept for a repair, and its day is one of [`Store::damaged`].
    async fn verify(&self, day: Day) -> Result<Vec<String>, StoreError>;

    /// The days that something is lost of, ascending. Questions answer what is left of them: whoever must not be told less
    /// than all there was asks through [`whole::Whole`]. They are not sealed.
    async fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        Ok(Vec::new())
    }

    /// Makes a damaged day whole, in the background of readers, who see the old day or the new; its increments are derived
    /// anew. Nothing is changed on an error. `Ok` for a day that is not damaged.
    async fn repair(&self, day: Day, remedy: Remedy, derive: Derive) -> Result<(), StoreError> {
        let _ = (day, remedy, derive);
        Ok(())
    }

    /// What it can do.
    fn capabilities(&self) -> Capabilities;
}

/// Why a store could not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The plan does not fit.
    #[error("{0}")]
    Invalid(String),
    /// A bound of the question is reached.
    #[error("{operation}: more than {limit} {of}")]
    Limit {
        /// What was going on.
        operation: &'static str,
        /// The bound.
        limit: u64,
        /// What is bounded.
        of: &'static str,
    },
    /// What was asked has expired.
    #[error("{0}")]
    Expired(String),
    /// Stored bytes are damaged.
    #[error("read {object}: {why}")]
    Corrupt {
        /// The file or part.
        object: String,
        /// What does not fit.
        why: String,
    },
    /// What was asked touches days that something is lost of.
    #[error("stored data of {} is damaged", listed(days))]
    Damaged {
        /// Which days, ascending.
        days: Vec<Day>,
    },
    /// The file system, or what stands for it, failed.
    #[error("{operation} {object}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        object: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The engine underneath failed.
    #[error("{operation}")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store is stopped.
    #[error("the store is stopped")]
    Stopped,
}

impl StoreError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::Expired(_) => Kind::Unsupported,
            Self::Limit { .. } => Kind::Overloaded,
            Self::Corrupt { .. } | Self::Damaged { .. } => Kind::Corrupt,
            Self::Io { .. } | Self::Engine { .. } => Kind::Internal,
            Self::Stopped => Kind::Unavailable,
        }
    }
}

/// Days told in one error at the most.
const DAYS_TOLD_MAX: usize = 10;

/// Days in words.
fn listed(days: &[Day]) -> String {
    let told: Vec<String> = days.iter().take(DAYS_TOLD_MAX).map(Day::to_string).collect();
    match days.len().saturating_sub(told.len()) {
        0 => told.join(", "),
        more => format!("{} and {more} more days", told.join(", ")),
    }
}
