//! Details: what is asked of the groups shown alone.
//! - Three questions for all of them, and one a group: its newest event, looked for where its last one is.

use super::{ErrorGroup, Question, RELEASES_MAX, number, of_group, text};
use crate::clock::Millis;
use crate::event::{Event, Known, Value};
use crate::query::range::{Interval, Range, day_at};
use crate::report::counts::newest_first;
use crate::store::plan::{Case, Direction, Filter, Group, Label, Measure, OrderBy, Plan, Row, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};

/// A question about the groups shown.
struct Shown<'a> {
    store: &'a dyn Store,
    question: &'a Question,
    only: Filter,
}

impl Shown<'_> {
    /// Rows by group, and within it by a further group.
    async fn rows(
        &self,
        by: Option<Group>,
        measures: Vec<Measure>,
        order: Vec<(OrderBy, Direction)>,
    ) -> Result<Vec<Row>, StoreError> {
        let groups = [Group::Key(Known::Fingerprint.into())].into_iter().chain(by).collect();
        let plan = self.question.plan(self.question.bots, self.only.clone(), groups, measures);
        Ok(self.store.aggregate(&Plan { order, ..plan }).await?.rows)
    }
}

/// What is to be said of these groups beside their events, in the order they come.
pub(super) async fn fetch(
    store: &dyn Store,
    question: &Question,
    counted: Vec<(String, u64)>,
) -> Result<Vec<ErrorGroup>, StoreError> {
    let prints = counted.iter().map(|(print, _)| print.clone()).collect();
    let only = Filter::Is(Known::Fingerprint.into(), prints, Case::Exact);
    let shown = Shown { store, question, only };
    let seen = fetch_seen(&shown).await?;
    let mut series = fetch_series(&shown, &seen).await?;
    let mut releases = fetch_releases(&shown).await?;
    let mut groups = Vec::with_capacity(counted.len());
    for (fingerprint, events) in counted {
        let Some(seen) = seen.get(&fingerprint) else { continue }; // expired meanwhile
        let sample = fetch_sample(store, question, &fingerprint, seen.last).await?;
        let said = |key| sample.as_ref().and_then(|sample| sample.text(key)).map(str::to_owned);
        groups.push(ErrorGroup {
            error_type: said(Known::ErrorType),
            message: said(Known::Message),
            events,
            visitors: seen.visitors,
            first_seen: time_text(seen.first),
            last_seen: time_text(seen.last),
            series: newest_first(&series.remove(&fingerprint).unwrap_or_default(), &[]),
            releases: releases.remove(&fingerprint).unwrap_or_default(),
            sample: sample.as_ref().map_or(serde_json::Value::Null, Event::to_json),
            fingerprint,
        });
    }
    Ok(groups)
}

/// Whom a group met, and when.
struct Seen {
    visitors: u64,
    first: Millis,
    last: Millis,
}

async fn fetch_seen(shown: &Shown<'_>) -> Result<HashMap<String, Seen>, StoreError> {
    let at = Known::Timestamp;
    let measures = vec![Measure::Daily(Known::Visitor.into()), Measure::Min(at.into()), Measure::Max(at.into())];
    let rows = shown.rows(None, measures, Vec::new()).await?;
    let seen = rows.iter().filter_map(|row| {
        // Times are whole numbers far below 2^53.
        let time = |at: usize| row.values.get(at).copied().flatten().map(|ms| ms as Millis);
        Some((text(row, 0)?, Seen { visitors: number(row, 0), first: time(1)?, last: time(2)? }))
    });
    Ok(seen.collect())
}

/// Events by day, ascending. Days are cut from the first event on: the range may begin long before.
async fn fetch_series(
    shown: &Shown<'_>,
    seen: &HashMap<String, Seen>,
) -> Result<HashMap<String, Vec<(String, u64)>>, StoreError> {
    let (first, last) = (seen.values().map(|seen| seen.first).min(), seen.values().map(|seen| seen.last).max());
    let (Some(first), Some(last)) = (first, last) else { return Ok(HashMap::new()) };
    let zone = &shown.question.range.zone;
    let days = Range::of_days(day_at(first, zone), day_at(last, zone), zone.clone());
    let refuse = || StoreError::Invalid("range: errors lie more than 10000 days apart; take a shorter one".into());
    let days = days.buckets(Interval::Day).ok_or_else(refuse)?;
    let edges = days.iter().map(|day| day.from).chain(days.last().map(|day| day.to)).collect();
    let names: BTreeMap<Millis, String> = days.into_iter().map(|day| (day.from, day.name)).collect();
    let by = Group::Time { key: TimeKey::Timestamp, edges };
    let order = vec![(OrderBy::Group(1), Direction::Ascending)];
    let mut series: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    for row in shown.rows(Some(by), vec![Measure::Events], order).await? {
        let Some(Label::Time(day)) = row.labels.get(1) else { continue };
        if let (Some(print), Some(name)) = (text(&row, 0), names.get(day)) {
            series.entry(print).or_default().push((name.clone(), number(&row, 0)));
        }
    }
    Ok(series)
}

async fn fetch_releases(shown: &Shown<'_>) -> Result<HashMap<String, Vec<String>>, StoreError> {
    let by = Group::Key(Known::Release.into());
    let order = vec![(OrderBy::Metric(0), Direction::Descending)];
    let mut releases: HashMap<String, Vec<String>> = HashMap::new();
    for row in shown.rows(Some(by), vec![Measure::Events], order).await? {
        if let (Some(print), Some(release)) = (text(&row, 0), text(&row, 1)) {
            let named = releases.entry(print).or_default();
            if named.len() < RELEASES_MAX {
                named.push(release);
            }
        }
    }
    Ok(releases)
}

/// The newest event of a group, looked for in its last millisecond alone.
async fn fetch_sample(
    store: &dyn Store,
    question: &Question,
    print: &str,
    last: Millis,
) -> Result<Option<Event>, StoreError> {
    let filter = question.filter(question.bots, of_group(print));
    let range = TimeRange { key: TimeKey::Timestamp, from: last, to: last.saturating_add(1) };
    Ok(store.events(&filter, range, None, 1).await?.events.into_iter().next())
}

fn time_text(at: Millis) -> String {
    Known::Timestamp.shape().text(&Value::Int(at))
}
