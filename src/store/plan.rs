//! Plan: the typed question every store compiles into what it does best.
//! - filter × range × groupings × metrics, one row a combination of group values; a small algebra, no text.
//! - An event without a group's key is in the row `null`; one with several values is in the row of each different one.
//! - A metric sees the events of a row that its own filter matches; a row exists where any metric saw one.
//! - Rows end up in [`Plan::order`], ties by the row's own text, ascending. Text and number forms are those of `forms`.
//! - Absent: names, units and defaults of the question language; a plan is already checked.

use crate::clock::Millis;
use crate::event::{Day, Key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Which events count. Text comparisons use the values' text forms; of several values any one matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// Every event.
    All,
    /// Events that all of these match.
    And(Vec<Filter>),
    /// Events that any of these matches.
    Or(Vec<Filter>),
    /// Events that this does not match, those that lack its key among them.
    Not(Box<Filter>),
    /// Events that have the key.
    Exists(Key),
    /// A text form is one of these.
    Is(Key, Vec<String>, Case),
    /// A text form contains one of these.
    Contains(Key, Vec<String>, Case),
    /// A text form matches one of these regular expressions (RE2 syntax), anywhere in it.
    Matches(Key, Vec<String>, Case),
    /// A number form compares so.
    Compare(Key, Comparison, f64),
    /// Every word and quoted phrase of this text occurs in `message` or `stack`, as [`super::words`] says.
    Search(String),
}

impl Filter {
    /// A text form of `key` is exactly `text`.
    pub fn is(key: impl Into<Key>, text: impl Into<String>) -> Self {
        Self::Is(key.into(), vec![text.into()], Case::Exact)
    }

    /// Events that both match; flat where it can be.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, only) | (only, Self::All) => only,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }
}

/// Whether letters' case counts; folded by Unicode's simple lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Case {
    /// `a` is not `A`.
    Exact,
    /// `a` is `A`.
    Folded,
}

/// How a number compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// Which of an event's times a range or a time group means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeKey {
    /// `@timestamp`.
    Timestamp,
    /// `visit_at`; events without a visit have none and fall out.
    VisitAt,
}

/// A half-open range of time: `from` ≤ time < `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// Which time.
    pub key: TimeKey,
    /// The first millisecond within.
    pub from: Millis,
    /// The first millisecond past the end.
    pub to: Millis,
}

/// One grouping of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Group {
    /// By the text forms of a key.
    Key(Key),
    /// By intervals of time: `edges` ascend; interval i is `edges[i]` ≤ time < `edges[i + 1]`; times outside have no row.
    /// Calendar and zone are the asker's: it works the edges out.
    Time {
        /// Which time.
        key: TimeKey,
        /// At least two.
        edges: Vec<Millis>,
    },
}

/// What is measured in each row, over the events of the row that `only` matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What is measured.
    pub measure: Measure,
    /// A further filter of this metric alone.
    pub only: Filter,
}

impl Metric {
    /// A measure over all events of the row.
    pub fn of(measure: Measure) -> Self {
        Self { measure, only: Filter::All }
    }
}

/// A measure. Numbers are a key's number form (each member of a list counts); no number at all measures `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Measure {
    /// Events; 0 where there are none.
    Events,
    /// Events that have the key; 0 where there are none.
    Having(Key),
    /// Sum of the numbers; 0 where there are none.
    Sum(Key),
    /// How many numbers there are (the divisor of an average).
    Numbers(Key),
    /// The smallest number.
    Min(Key),
    /// The largest number.
    Max(Key),
    /// Different text forms; exact to 1,000, beyond that within 1 % (standard error).
    Distinct(Key),
    /// The smallest number that at least this many per cent do not exceed; relative error ≤ 1 %.
    Percentile(Key, f64),
    /// Different text forms, each counted once for every [`Known::Day`](crate::event::Known) that has it: a sum of days,
    /// as near as [`Measure::Distinct`] is.
    Daily(Key),
    /// Different visits, exactly. In a sealed day the events of one follow one another.
    Visits,
}

impl Measure {
    /// The key whose numbers it measures, if it does.
    pub fn of_numbers(&self) -> Option<&Key> {
        match self {
            Self::Sum(key) | Self::Numbers(key) | Self::Min(key) | Self::Max(key) | Self::Percentile(key, _) => {
                Some(key)
            }
            Self::Events | Self::Having(_) | Self::Distinct(_) | Self::Daily(_) | Self::Visits => None,
        }
    }
}

/// By what rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderBy {
    /// A metric, by its place in the plan; `None` is below every number.
    Metric(usize),
    /// A group's label, by its place in the plan: `Null` first, then time or text.
    Group(usize),
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The bounds of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows held while the question is worked out; one more is an error.
    pub rows_max: usize,
    /// Memory that rows hold while the question is worked out, as the store estimates it; more is an error.
    pub bytes_max: usize,
    /// Time it may take.
    pub time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows_max: 500_000, bytes_max: 256 << 20, time_max: Duration::from_secs(30) }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Which events.
    pub filter: Filter,
    /// When.
    pub range: TimeRange,
    /// How the rows are cut; none: one row for all, also where no event matches.
    pub groups: Vec<Group>,
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// The order of the rows.
    pub order: Vec<(OrderBy, Direction)>,
    /// Rows passed over.
    pub offset: usize,
    /// Rows answered at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// A group's value in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Label {
    /// The events without the key.
    Null,
    /// The start of an interval.
    Time(Millis),
    /// A text form.
    Text(Box<str>),
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One label a group.
    pub labels: Vec<Label>,
    /// One number a metric.
    pub values: Vec<Option<f64>>,
}

/// What a plan was answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The rows asked for, in order.
    pub rows: Vec<Row>,
    /// How many rows there are before `offset` and `limit`.
    pub rows_total: usize,
    /// Whether some event that a metric saw is in several rows, so that rows do not add up to what they are cut from.
    pub overlap: bool,
}

/// Whether bots count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Bots {
    /// People alone (the default everywhere).
    Exclude,
    /// People and bots.
    Include,
    /// Bots alone.
    Only,
}

/// How clicks on items are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Counting {
    /// Every one.
    Raw,
    /// By the COUNTER Code of Practice: sums of `counted`.
    Counter,
}

/// Which items a usage question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// All events of the site together, those without an item too; answered under the one id `""`.
    Site,
    /// These ids.
    Ids(Vec<String>),
    /// The ids with most views or downloads, largest first, ties by id ascending; this many, none without any.
    Busiest(Tally, usize),
}

/// What makes an item busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Views.
    Views,
    /// Downloads.
    Downloads,
}

/// A question about items over whole days of the site's zone: what item tables answer, raw events gone or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePlan {
    /// The site.
    pub site: String,
    /// The items.
    pub items: Items,
    /// First and last day, both within.
    pub days: (Day, Day),
    /// Whether bots count.
    pub bots: Bots,
    /// How clicks are counted.
    pub counting: Counting,
    /// Bounds.
    pub limits: Limits,
}

/// An item's usage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Views by day; days without are absent.
    pub views: BTreeMap<Day, u64>,
    /// Downloads by format (`other` where none is known).
    pub downloads: BTreeMap<Box<str>, u64>,
    /// Referers of its views and downloads.
    pub referers: BTreeMap<Box<str>, u64>,
}

/// Usage by id, in the order asked; an id never seen has an empty usage.
pub type UsageAnswer = Vec<(String, Usage)>;
