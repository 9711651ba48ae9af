//! Meta: what every answer says of itself, so that its numbers can be reconciled.
//! - `total` is the sum of all rows, shown or not; `rest` what the rows not shown and events without the key add.
//! - A sum that does not add up across rows has no rest; the answer says so.

use super::range::{Range, day_at};
use crate::event::{Day, Key};
use crate::store::plan::{Bots, Counting};
use crate::store::{Capabilities, DayState, Store, StoreError};
use serde::Serialize;

/// What an answer says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Meta {
    /// The site.
    pub site: String,
    /// The first day, or the first instant.
    pub from: String,
    /// The last day, within; or the first instant past the end.
    pub to: String,
    /// The zone of the days.
    pub tz: String,
    /// `exclude`, `include` or `only`.
    pub bots: &'static str,
    /// `raw` or `counter`, where clicks are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counting: Option<&'static str>,
    /// Days in the range whose numbers are provisional: not sealed, or changed since.
    pub open_days: Vec<String>,
    /// Days in the range that something is lost of, where an answer from the rest was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged_days: Vec<String>,
    /// Numbers that are estimates, with their error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approximate: Vec<String>,
    /// Keys that were read as others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub substitutions: Vec<Substitution>,
    /// What else to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How the numbers add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sums: Option<Sums>,
}

/// A key that a number read as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Substitution {
    /// The number: a metric, or a member of the answer.
    pub metric: String,
    /// The key asked for.
    pub key: String,
    /// What it was read as.
    pub read_as: String,
}

impl Substitution {
    /// `key` as `read_as`.
    pub fn new(metric: &str, key: &Key, read_as: &Key) -> Self {
        Self { metric: metric.to_owned(), key: key.name().to_owned(), read_as: read_as.name().to_owned() }
    }
}

/// How the numbers of an answer add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sums<N = u64> {
    /// Over all rows.
    pub total: N,
    /// Over the rows shown.
    pub shown: N,
    /// What is in none of the rows shown; absent where rows do not add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<N>,
    /// Of the total, what has no visitor; beside it in reports that follow somebody, whom these events lack. Absent where
    /// the events have expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_visitor: Option<N>,
    /// What bots did in the same range.
    pub bots: N,
}

impl Sums {
    /// Those of rows that add up.
    pub fn of(total: u64, shown: u64, without_visitor: Option<u64>, bots: u64) -> Self {
        Self { total, shown, rest: total.checked_sub(shown), without_visitor, bots }
    }

    /// The same without a rest, where something is in several rows.
    pub fn overlapping(self, is_overlapping: bool) -> Self {
        Self { rest: self.rest.filter(|_| !is_overlapping), ..self }
    }
}

/// The names of the ways bots are counted.
pub const BOTS: [(&str, Bots); 3] = [("exclude", Bots::Exclude), ("include", Bots::Include), ("only", Bots::Only)];

/// The names of the ways clicks are counted.
pub const COUNTING: [(&str, Counting); 2] = [("raw", Counting::Raw), ("counter", Counting::Counter)];

impl Meta {
    /// What can be said of a range before anything is counted.
    pub async fn of(store: &dyn Store, site: &str, range: &Range, bots: Bots) -> Result<Self, StoreError> {
        let [from, to] = range.ends();
        Ok(Self {
            site: site.to_owned(),
            from,
            to,
            tz: range.zone.iana_name().unwrap_or("UTC").to_owned(),
            bots: BOTS.iter().find(|(_, one)| *one == bots).map_or("", |(name, _)| name),
            counting: None,
            open_days: open_days(&store.days().await?, range),
            damaged_days: damaged_days(store, range).await?,
            approximate: Vec::new(),
            substitutions: Vec::new(),
            notes: Vec::new(),
            sums: None,
        })
    }

    /// The same for counted clicks.
    pub fn counting(mut self, counting: Counting) -> Self {
        self.counting = COUNTING.iter().find(|(_, one)| *one == counting).map(|(name, _)| *name);
        self
    }
}

/// The error of a count of different values, where it has one.
pub fn distinct_error(can: Capabilities, name: &str) -> Option<String> {
    let (error, exact) = (can.distinct_error * 100.0, can.distinct_exact);
    (error > 0.0).then(|| format!("{name}: beyond {exact} in one row, within {error:.1} % (standard error)"))
}

/// The error of a percentile, where it has one.
pub fn percentile_error(can: Capabilities, name: &str) -> Option<String> {
    let error = can.percentile_error * 100.0;
    (error > 0.0).then(|| format!("{name}: within {error:.1} %"))
}

/// The days of the range that are not sealed, newest first, a hundred at the most.
fn open_days(days: &[DayState], range: &Range) -> Vec<String> {
    named(days.iter().filter(|state| !state.sealed).map(|state| state.day), range)
}

/// The days of the range that something is lost of, newest first, a hundred at the most.
pub async fn damaged_days(store: &dyn Store, range: &Range) -> Result<Vec<String>, StoreError> {
    let damaged = store.damaged().await?;
    Ok(named(damaged.iter().map(|damaged| damaged.day), range))
}

fn named(days: impl DoubleEndedIterator<Item = Day>, range: &Range) -> Vec<String> {
    // Days are counted in each site's own zone: one more on either side may hold events of the range.
    let (first, last) = (day_at(range.from, &range.zone).0, day_at(range.to.saturating_sub(1), &range.zone).0);
    let margin = i32::from(range.days.is_none());
    let held = |day: &Day| first.saturating_sub(margin) <= day.0 && day.0 <= last.saturating_add(margin);
    days.rev().filter(held).take(100).map(|day| day.to_string()).collect()
}
