//! Sums by page view: what the tracker sends in pieces is one number a view, and these are spread.
//! - Exact: every sum is held, day by day, so that a view that goes on past midnight is one. Bounded by [`VIEWS_MAX`].
//! - A view that is in several rows has a sum in each.

use super::{PERCENTILES, Question, Rows, Spread};
use crate::event::Known;
use crate::query::meta::Sums;
use crate::query::range::Interval;
use crate::store::plan::{Bots, Filter, Group, Label, Measure, Metric, Plan, TimeRange};
use crate::store::{Store, StoreError};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hasher;

/// Sums held at the most; some 40 B each.
const VIEWS_MAX: usize = 4_000_000;

/// The rows with most views, and how the views add up.
pub(super) async fn spread(
    store: &dyn Store,
    question: &Question,
    key: Known,
    rows: &Rows,
) -> Result<(Vec<Spread>, Sums), StoreError> {
    let mut views = Views::default();
    for range in days(question)? {
        let groups = [&[Group::Key(Known::ViewId.into())], rows.groups.as_slice()].concat();
        let plan = question.plan(question.bots, of_views(key), groups, vec![Metric::of(Measure::Sum(key.into()))]);
        let plan = Plan { range, order: Vec::new(), limit: question.limits.rows_max, ..plan };
        for row in store.aggregate(&plan).await?.rows {
            let mut labels = row.labels.into_iter();
            let (view, label) = (labels.next().unwrap_or(Label::Null), labels.next().unwrap_or(Label::Null));
            views.add(view, label, row.values.first().copied().flatten().unwrap_or_default())?;
        }
    }
    let bots =
        question.plan(Bots::Only, of_views(key), Vec::new(), vec![Metric::of(Measure::Distinct(Known::ViewId.into()))]);
    let bots = store.aggregate(&bots).await?.rows.first().and_then(|row| row.values.first().copied().flatten());
    let total = views.sums.len() as u64;
    let spread = views.spread(question.limit);
    let shown = spread.iter().map(|(_, count, _)| count).sum();
    let bots = bots.unwrap_or_default() as u64; // a count
    Ok((spread, Sums::of(total, shown, None, bots)))
}

/// Events that say something of a view.
fn of_views(key: Known) -> Filter {
    Filter::Exists(key.into()).and(Filter::Exists(Known::ViewId.into()))
}

/// The range day by day, or as it is cut where that is longer, so that the rows of one answer stay few.
fn days(question: &Question) -> Result<Vec<TimeRange>, StoreError> {
    let whole = question.plan(question.bots, Filter::All, Vec::new(), Vec::new()).range;
    let buckets = question
        .range
        .buckets(Interval::Day)
        .ok_or_else(|| StoreError::Invalid("more than 10000 days in this range; take a shorter one".to_owned()))?;
    Ok(buckets.into_iter().map(|day| TimeRange { from: day.from, to: day.to, ..whole }).collect())
}

/// Sums as they grow.
#[derive(Default)]
struct Views {
    labels: HashMap<Label, u32>,
    /// By row and a view's hash: 128 bits of it are never those of another view.
    sums: HashMap<(u32, u128), f64>,
}

impl Views {
    fn add(&mut self, view: Label, label: Label, sum: f64) -> Result<(), StoreError> {
        let Label::Text(view) = view else { return Ok(()) };
        let next = self.labels.len() as u32; // no more than sums, which are bounded
        let row = *self.labels.entry(label).or_insert(next);
        let mut hasher = SipHasher13::new();
        hasher.write(view.as_bytes());
        *self.sums.entry((row, hasher.finish128().as_u128())).or_default() += sum;
        if self.sums.len() > VIEWS_MAX {
            return Err(StoreError::Limit { operation: "times", limit: VIEWS_MAX as u64, of: "page views" });
        }
        Ok(())
    }

    fn spread(self, limit: usize) -> Vec<Spread> {
        let mut by_row: Vec<Vec<f64>> = vec![Vec::new(); self.labels.len()];
        for ((row, _), sum) in self.sums {
            by_row[row as usize].push(sum);
        }
        let mut rows: Vec<(Label, Vec<f64>)> =
            self.labels.into_iter().map(|(label, row)| (label, std::mem::take(&mut by_row[row as usize]))).collect();
        rows.sort_by(|(a, many), (b, more)| (Reverse(many.len()), a).cmp(&(Reverse(more.len()), b)));
        rows.truncate(limit);
        rows.into_iter().map(|(label, sums)| (label, sums.len() as u64, percentiles(sums))).collect()
    }
}

/// The smallest numbers that at least so many per cent do not exceed.
fn percentiles(mut numbers: Vec<f64>) -> [Option<f64>; PERCENTILES.len()] {
    numbers.sort_unstable_by(f64::total_cmp);
    PERCENTILES.map(|(_, percent)| {
        let place = (percent * numbers.len() as f64 / 100.0).ceil() as usize;
        numbers.get(place.max(1) - 1).copied()
    })
}
