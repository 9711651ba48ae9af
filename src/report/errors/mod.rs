//! Errors: failures grouped by what caused them, whom they met, and since when.
//! - A group is a fingerprint, its events are all that have it, whatever their action.
//! - One plan finds the groups shown; everything further is asked of these alone.
//! - A person counts once a day as a visitor; days add up.
//! - Absent: how a fingerprint is made (`normalize`).

mod details;

use super::counts::Counts;
use crate::event::{Event, Known};
use crate::query::account::Counted;
use crate::query::meta::{Meta, Sums, distinct_error};
use crate::query::range::Range;
use crate::query::scope::{having, of_site};
use crate::store::plan::{
    Bots, Direction, Filter, Group, Label, Limits, Measure, Metric, OrderBy, Plan, Row, TimeKey, TimeRange,
};
use crate::store::{Store, StoreError};
use serde::Serialize;

/// Releases named of a group at the most.
pub const RELEASES_MAX: usize = 100;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// When.
    pub range: Range,
    /// Of which events.
    pub only: Filter,
    /// Whether bots count.
    pub bots: Bots,
    /// Groups at the most; of one group: events.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// Errors of one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorGroup {
    /// What they have in common: 16 hex digits.
    pub fingerprint: String,
    /// The newest one's.
    pub error_type: Option<String>,
    /// The newest one's.
    pub message: Option<String>,
    /// How many.
    pub events: u64,
    /// Whom they met, each once a day.
    pub visitors: u64,
    /// When the first one in the range was, RFC 3339.
    pub first_seen: String,
    /// When the last one in the range was.
    pub last_seen: String,
    /// By day, newest first; days without are absent.
    pub series: Counts,
    /// By events, largest first, the busiest [`RELEASES_MAX`].
    pub releases: Vec<String>,
    /// The newest one; `null` where it is gone by now.
    pub sample: serde_json::Value,
}

/// The groups, largest first, and what they are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// Ties by fingerprint.
    pub groups: Vec<ErrorGroup>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// One group with its newest events.
#[derive(Debug, Clone, PartialEq)]
pub struct OneGroup {
    /// The group.
    pub group: ErrorGroup,
    /// Newest first.
    pub newest: Vec<serde_json::Value>,
    /// What the answer says of itself; its sums are of events.
    pub meta: Meta,
}

/// The groups with most events.
pub async fn errors(store: &dyn Store, question: &Question) -> Result<Errors, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    let counted = fetch_counted(store, question).await?;
    let shown = counted.iter().map(|(_, events)| events).sum();
    meta.sums = Some(question.counted().sums(store, question.bots, shown).await?);
    meta.notes.push("visitors are counted once a day; days add up, groups do not: one may be in several".into());
    meta.approximate.extend(distinct_error(store.capabilities(), "visitors"));
    let groups = if counted.is_empty() { Vec::new() } else { details::fetch(store, question, counted).await? };
    Ok(Errors { groups, meta })
}

/// One group; `None` if nothing in the range is of it.
pub async fn group(store: &dyn Store, question: &Question, print: u64) -> Result<Option<OneGroup>, StoreError> {
    let only = question.only.clone().and(of_group(&format!("{print:016x}")));
    let question = Question { only, ..question.clone() };
    let Errors { groups, mut meta } = errors(store, &Question { limit: 1, ..question.clone() }).await?;
    let Some(group) = groups.into_iter().next() else { return Ok(None) };
    let filter = question.filter(question.bots, Filter::All);
    let newest = store.events(&filter, question.times(), None, question.limit).await?.events;
    meta.sums = meta.sums.map(|sums| {
        let shown = newest.len() as u64;
        Sums::of(sums.total, shown, sums.without_visitor, sums.bots)
    });
    Ok(Some(OneGroup { group, newest: newest.iter().map(Event::to_json).collect(), meta }))
}

fn of_group(print: &str) -> Filter {
    Filter::is(Known::Fingerprint, print)
}

impl Question {
    fn filter(&self, bots: Bots, only: Filter) -> Filter {
        of_site(&self.site, bots).and(self.only.clone()).and(having(Known::Fingerprint)).and(only)
    }

    fn counted(&self) -> Counted<'_> {
        Counted {
            site: &self.site,
            only: self.only.clone().and(having(Known::Fingerprint)),
            range: self.times(),
            measure: Measure::Events,
            limits: self.limits,
        }
    }

    fn times(&self) -> TimeRange {
        TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to }
    }

    fn plan(&self, bots: Bots, only: Filter, groups: Vec<Group>, measures: Vec<Measure>) -> Plan {
        Plan {
            filter: self.filter(bots, only),
            range: self.times(),
            groups,
            metrics: measures.into_iter().map(Metric::of).collect(),
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

/// The fingerprints with most events.
async fn fetch_counted(store: &dyn Store, question: &Question) -> Result<Vec<(String, u64)>, StoreError> {
    let groups = vec![Group::Key(Known::Fingerprint.into())];
    let mut plan = question.plan(question.bots, Filter::All, groups, vec![Measure::Events]);
    plan.order = vec![(OrderBy::Metric(0), Direction::Descending)];
    plan.limit = question.limit;
    let rows = store.aggregate(&plan).await?.rows;
    Ok(rows.iter().filter_map(|row| Some((text(row, 0)?, number(row, 0)))).collect())
}

/// The text of a row's label; `None` for events without the key.
fn text(row: &Row, at: usize) -> Option<String> {
    match row.labels.get(at) {
        Some(Label::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// A count: a whole number below 2^53.
fn number(row: &Row, at: usize) -> u64 {
    row.values.get(at).copied().flatten().unwrap_or_default() as u64
}

#[cfg(test)]
mod tests;
