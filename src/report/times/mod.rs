//! Times: how the numbers of a key are spread: count and percentiles by row, and a web vital's rating.
//! - A percentile is the smallest number that at least so many per cent do not exceed.
//! - Rows by count, largest first, ties by text. They are found first, then the percentiles of these alone: percentiles of
//!   every value of a key cost many times as much.
//! - Time on page and scroll depth are sums by page view (`per_view`), exact.
//! - Absent: averages (they are queries).

mod per_view;
mod rating;

pub use rating::Rating;

use crate::event::{Key, Known};
use crate::query::account::Counted;
use crate::query::meta::Meta;
use crate::query::range::{Bucket, Interval, Range, edges};
use crate::query::scope::of_site;
use crate::store::plan::{
    Bots, Case, Direction, Filter, Group, Label, Limits, Measure, Metric, OrderBy, Plan, TimeKey, TimeRange,
};
use crate::store::{Store, StoreError};
use std::collections::HashMap;

/// The percentiles of a row.
pub const PERCENTILES: [(&str, f64); 4] = [("p50", 50.0), ("p75", 75.0), ("p95", 95.0), ("p99", 99.0)];

/// What is spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// The numbers of a key.
    Numbers(Key),
    /// The sums of a key by `view_id`.
    PerView(Known),
}

impl Of {
    /// What has a name of its own: sums by page view.
    pub const PER_VIEW: [(&'static str, Known); 2] =
        [("time_on_page", Known::EngagedMs), ("scroll_depth", Known::ScrollGain)];

    /// What this name means, if it is one of sums by page view.
    pub fn per_view(name: &str) -> Option<Self> {
        Self::PER_VIEW.iter().find(|(known, _)| *known == name).map(|(_, key)| Self::PerView(*key))
    }

    /// The key whose numbers are spread or summed.
    pub fn key(&self) -> Key {
        match self {
            Self::Numbers(key) => key.clone(),
            Self::PerView(known) => (*known).into(),
        }
    }
}

/// What makes the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// One row for all.
    Nothing,
    /// A row a value.
    Key(Key),
    /// A row an interval.
    Time(Interval),
}

impl By {
    /// The key, if it is one.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::Nothing | Self::Time(_) => None,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// What is spread.
    pub of: Of,
    /// What makes the rows.
    pub by: By,
    /// When.
    pub range: Range,
    /// Whether bots count.
    pub bots: Bots,
    /// Which events.
    pub only: Filter,
    /// Rows at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// A value of the key, or an interval's name; `None`: the events without the key, or all of them.
    pub label: Option<String>,
    /// Numbers, or page views.
    pub count: u64,
    /// As [`PERCENTILES`].
    pub percentiles: [Option<f64>; PERCENTILES.len()],
    /// A web vital's, at p75.
    pub rating: Option<Rating>,
}

/// The rows, and what they are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Largest count first.
    pub rows: Vec<Row>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// How a key's numbers are spread.
pub async fn times(store: &dyn Store, question: &Question) -> Result<Times, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    let rows = Rows::of(question)?;
    let key = question.of.key();
    let (spread, sums) = match &question.of {
        Of::Numbers(_) => {
            let error = store.capabilities().percentile_error * 100.0;
            if error > 0.0 {
                meta.approximate.push(format!("p50, p75, p95, p99: within {error} % of the number"));
            }
            let (spread, is_overlapping) = of_numbers(store, question, &key, &rows).await?;
            let shown = spread.iter().map(|(_, count, _)| count).sum();
            let sums = question.counted(&key).sums(store, question.bots, shown).await?;
            (spread, sums.overlapping(is_overlapping))
        }
        Of::PerView(known) => {
            meta.notes.push(format!("count is of page views, percentiles are of their sums of {}", key.name()));
            per_view::spread(store, question, *known, &rows).await?
        }
    };
    meta.sums = Some(sums);
    let rows = spread.into_iter().map(|(label, count, percentiles)| {
        let label = rows.name(label);
        Row { label, count, percentiles, rating: Rating::of(&key, percentiles[1]) }
    });
    Ok(Times { rows: rows.collect(), meta })
}

/// A row before it has a name.
type Spread = (Label, u64, [Option<f64>; PERCENTILES.len()]);

/// How events are cut into rows, and what these are called.
struct Rows {
    groups: Vec<Group>,
    names: HashMap<i64, String>,
}

impl Rows {
    fn of(question: &Question) -> Result<Self, StoreError> {
        let (groups, names) = match &question.by {
            By::Nothing => (Vec::new(), HashMap::new()),
            By::Key(key) => (vec![Group::Key(key.clone())], HashMap::new()),
            By::Time(interval) => {
                let buckets = question.range.buckets(*interval).ok_or_else(|| {
                    StoreError::Invalid("more than 10000 intervals in this range; take longer ones".to_owned())
                })?;
                (vec![Group::Time { key: TimeKey::Timestamp, edges: edges(&buckets) }], named(buckets))
            }
        };
        Ok(Self { groups, names })
    }

    fn name(&self, label: Label) -> Option<String> {
        match label {
            Label::Null => None,
            Label::Text(text) => Some(text.into()),
            Label::Time(at) => self.names.get(&at).cloned(),
        }
    }
}

fn named(buckets: Vec<Bucket>) -> HashMap<i64, String> {
    buckets.into_iter().map(|bucket| (bucket.from, bucket.name)).collect()
}

impl Question {
    fn counted(&self, key: &Key) -> Counted<'_> {
        Counted {
            site: &self.site,
            only: self.only.clone().and(Filter::Exists(key.clone())),
            range: TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to },
            measure: Measure::Numbers(key.clone()),
            limits: self.limits,
        }
    }

    fn plan(&self, bots: Bots, only: Filter, groups: Vec<Group>, metrics: Vec<Metric>) -> Plan {
        Plan {
            filter: of_site(&self.site, bots).and(self.only.clone()).and(only),
            range: TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to },
            groups,
            metrics,
            order: vec![(OrderBy::Metric(0), Direction::Descending)],
            offset: 0,
            limit: self.limit,
            limits: self.limits,
        }
    }
}

/// The rows with most numbers, then their percentiles; and whether some event is in several.
async fn of_numbers(
    store: &dyn Store,
    question: &Question,
    key: &Key,
    rows: &Rows,
) -> Result<(Vec<Spread>, bool), StoreError> {
    let count = vec![Metric::of(Measure::Numbers(key.clone()))];
    let plan = question.plan(question.bots, Filter::Exists(key.clone()), rows.groups.clone(), count);
    let counted = store.aggregate(&plan).await?;
    // Texts under the key have no number.
    let shown: Vec<(Label, u64)> = counted.rows.into_iter().map(one).filter(|(_, count)| *count > 0).collect();
    if shown.is_empty() {
        return Ok((Vec::new(), counted.overlap));
    }
    let metrics = PERCENTILES.map(|(_, percent)| Metric::of(Measure::Percentile(key.clone(), percent))).to_vec();
    let only = Filter::Exists(key.clone()).and(of_rows(&question.by, &shown));
    let plan = question.plan(question.bots, only, rows.groups.clone(), metrics);
    // An event of several values brings in rows that are not shown.
    let answer = store.aggregate(&Plan { limit: question.limits.rows_max, ..plan }).await?;
    let mut spread: HashMap<Label, Vec<Option<f64>>> =
        answer.rows.into_iter().map(|row| (row.labels.into_iter().next().unwrap_or(Label::Null), row.values)).collect();
    let rows = shown.into_iter().map(|(label, count)| {
        let values = spread.remove(&label).unwrap_or_default();
        (label, count, std::array::from_fn(|at| values.get(at).copied().flatten()))
    });
    Ok((rows.collect(), counted.overlap))
}

/// The first label of a row (`Null` where there is none), and its first number as a count.
fn one(row: crate::store::plan::Row) -> (Label, u64) {
    // Counts are whole numbers below 2^53.
    let count = row.values.first().copied().flatten().unwrap_or_default() as u64;
    (row.labels.into_iter().next().unwrap_or(Label::Null), count)
}

/// The events of these rows, where that is a matter of a key.
fn of_rows(by: &By, shown: &[(Label, u64)]) -> Filter {
    let Some(key) = by.key() else { return Filter::All };
    let text = |(label, _): &(Label, u64)| match label {
        Label::Text(text) => Some(text.to_string()),
        Label::Null | Label::Time(_) => None,
    };
    let texts: Vec<String> = shown.iter().filter_map(text).collect();
    let has_null = texts.len() < shown.len();
    let named = Filter::Is(key.clone(), texts, Case::Exact);
    if has_null { Filter::Or(vec![named, Filter::Not(Box::new(Filter::Exists(key.clone())))]) } else { named }
}

#[cfg(test)]
mod tests;
