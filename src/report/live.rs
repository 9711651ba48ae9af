//! Live: who is here now, the last half hour by minute, and its newest events.
//! - The half hour is thirty minutes of the clock, the one under way among them: within a minute its ends stand still.
//! - Current visitors are those of the last five minutes to the millisecond, as `current_visitors` is in any question.
//! - No other time is ever read, however long nothing happened: it is asked again and again while somebody watches.

use crate::clock::Millis;
use crate::event::{Event, Known};
use crate::query::answer::NOW_MS;
use crate::query::meta::{Meta, Sums, distinct_error};
use crate::query::range::{Bucket, Interval, Range, edges};
use crate::query::scope::{having, not, of_actions, of_site};
use crate::store::plan::{Bots, Filter, Group, Label, Limits, Measure, Metric, Plan, Row, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::HashMap;

const MINUTE_MS: Millis = 60_000;
/// Minutes told, the one under way among them.
const MINUTES: Millis = 30;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// Whose clock minutes are named by.
    pub zone: TimeZone,
    /// Of which events.
    pub only: Filter,
    /// Whether bots count.
    pub bots: Bots,
    /// Newest events at the most.
    pub newest_max: usize,
    /// Bounds.
    pub limits: Limits,
}

/// What there is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Live {
    /// Different visitors of the last five minutes.
    pub current_visitors: u64,
    /// Time forward; the last one is under way.
    pub minutes: Vec<Minute>,
    /// The newest events of these minutes, newest first.
    pub newest: Vec<serde_json::Value>,
    /// What the answer says of itself; its sums are of the minutes' events.
    pub meta: Meta,
}

/// One minute of the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its beginning, with the offset in force.
    pub minute: String,
    /// Different visitors within it.
    pub visitors: u64,
    /// Views.
    pub views: u64,
    /// Events, `engage` excepted.
    pub events: u64,
}

/// What there is at `now`.
pub async fn live(store: &dyn Store, question: &Question, now: Millis) -> Result<Live, StoreError> {
    let range = half_hour(now, &question.zone);
    let buckets = range.buckets(Interval::Minute).unwrap_or_default();
    let mut meta = Meta::of(store, &question.site, &range, question.bots).await?;
    let rows = fetch_minutes(store, question, &buckets).await?;
    let minutes = minutes(&rows, &buckets);
    let total = minutes.iter().map(|minute| minute.events).sum();
    meta.sums = Some(Sums {
        total,
        shown: total,
        rest: Some(0),
        without_visitor: Some(rows.iter().map(|row| number(row, 3)).sum()),
        bots: fetch_one(store, &question.plan(Bots::Only, times(&range), vec![events()])).await?,
    });
    meta.notes.push("visitors are counted in each minute: minutes do not add up".to_owned());
    meta.approximate.extend(distinct_error(store.capabilities(), "visitors"));
    let last = TimeRange { key: TimeKey::Timestamp, from: now.saturating_sub(NOW_MS), to: now.saturating_add(1) };
    let current_visitors = fetch_one(store, &question.plan(question.bots, last, vec![visitors()])).await?;
    Ok(Live { current_visitors, minutes, newest: fetch_newest(store, question, &range).await?, meta })
}

/// The minutes of the clock up to the one under way.
fn half_hour(now: Millis, zone: &TimeZone) -> Range {
    let end = now.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
    Range::of_times(end.saturating_sub(MINUTES * MINUTE_MS), end, zone.clone())
}

fn times(range: &Range) -> TimeRange {
    TimeRange { key: TimeKey::Timestamp, from: range.from, to: range.to }
}

fn visitors() -> Metric {
    Metric::of(Measure::Distinct(Known::Visitor.into()))
}

fn events() -> Metric {
    Metric { measure: Measure::Events, only: not(of_actions(&["engage"])) }
}

impl Question {
    fn plan(&self, bots: Bots, range: TimeRange, metrics: Vec<Metric>) -> Plan {
        Plan {
            filter: of_site(&self.site, bots).and(self.only.clone()),
            range,
            groups: Vec::new(),
            metrics,
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

async fn fetch_minutes(store: &dyn Store, question: &Question, buckets: &[Bucket]) -> Result<Vec<Row>, StoreError> {
    let edges = edges(buckets);
    let (Some(from), Some(to)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    let range = TimeRange { key: TimeKey::Timestamp, from: *from, to: *to };
    let nobodys = Metric { only: events().only.and(not(having(Known::Visitor))), ..events() };
    let views = Metric { measure: Measure::Events, only: of_actions(&["view"]) };
    let plan = question.plan(question.bots, range, vec![visitors(), views, events(), nobodys]);
    let groups = vec![Group::Time { key: TimeKey::Timestamp, edges }];
    Ok(store.aggregate(&Plan { groups, ..plan }).await?.rows)
}

async fn fetch_one(store: &dyn Store, plan: &Plan) -> Result<u64, StoreError> {
    Ok(store.aggregate(plan).await?.rows.first().map_or(0, |row| number(row, 0)))
}

async fn fetch_newest(
    store: &dyn Store,
    question: &Question,
    range: &Range,
) -> Result<Vec<serde_json::Value>, StoreError> {
    if question.newest_max == 0 {
        return Ok(Vec::new());
    }
    let filter = of_site(&question.site, question.bots).and(question.only.clone());
    let newest = store.events(&filter, times(range), None, question.newest_max).await?;
    Ok(newest.events.iter().map(Event::to_json).collect())
}

/// Every minute, those without events too.
fn minutes(rows: &[Row], buckets: &[Bucket]) -> Vec<Minute> {
    let by_start: HashMap<Millis, &Row> = rows.iter().filter_map(|row| Some((start(row)?, row))).collect();
    let minute = |bucket: &Bucket| {
        let count = |at| by_start.get(&bucket.from).map_or(0, |row| number(row, at));
        Minute { minute: bucket.name.clone(), visitors: count(0), views: count(1), events: count(2) }
    };
    buckets.iter().map(minute).collect()
}

fn start(row: &Row) -> Option<Millis> {
    match row.labels.first() {
        Some(Label::Time(at)) => Some(*at),
        _ => None,
    }
}

/// A count of a row: a whole number below 2^53.
fn number(row: &Row, at: usize) -> u64 {
    row.values.get(at).copied().flatten().unwrap_or_default() as u64
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
