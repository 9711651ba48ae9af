//! Rows: a plan's answer by its definition. Each row holds, for each metric, the events that the metric saw.
//! - A metric sees the events of the row that its own filter matches; a row exists where any metric saw one.
//! - Without groups there is one row, also when no event matched.
//! - Rows overlap where an event that a metric saw is in several of them.

use super::select::Test;
use super::time;
use crate::event::{Event, Key, Known};
use crate::store::plan::{Answer, Direction, Group, Label, Measure, OrderBy, Plan, Row};
use crate::store::{StoreError, forms};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Answers `plan` over the events that its filter and range leave.
pub(super) fn answer<'a>(plan: &Plan, events: impl Iterator<Item = &'a Event>) -> Result<Answer, StoreError> {
    let tests = plan.metrics.iter().map(|metric| Test::of(&metric.only)).collect::<Result<Vec<_>, _>>()?;
    let mut seen: BTreeMap<Vec<Label>, Vec<Vec<&Event>>> = BTreeMap::new();
    let mut overlap = false;
    if plan.groups.is_empty() {
        seen.insert(Vec::new(), vec![Vec::new(); tests.len()]);
    }
    for event in events {
        if !tests.iter().any(|test| test.matches(event)) {
            continue;
        }
        let rows = rows_of(event, &plan.groups);
        overlap |= rows.len() > 1;
        for labels in rows {
            let row = seen.entry(labels).or_insert_with(|| vec![Vec::new(); tests.len()]);
            for (events, _) in row.iter_mut().zip(&tests).filter(|(_, test)| test.matches(event)) {
                events.push(event);
            }
        }
    }
    if seen.len() > plan.limits.rows_max {
        return Err(StoreError::Limit { operation: "aggregate", limit: plan.limits.rows_max as u64, of: "rows" });
    }
    let values = |events: Vec<Vec<&Event>>| {
        plan.metrics.iter().zip(events).map(|(metric, events)| measure(&metric.measure, &events)).collect()
    };
    let mut rows: Vec<Row> = seen.into_iter().map(|(labels, events)| Row { labels, values: values(events) }).collect();
    let rows_total = rows.len();
    rows.sort_by(|a, b| compare(a, b, &plan.order));
    Ok(Answer { rows: rows.into_iter().skip(plan.offset).take(plan.limit).collect(), rows_total, overlap })
}

/// The labels of every row that an event is in.
fn rows_of(event: &Event, groups: &[Group]) -> Vec<Vec<Label>> {
    let mut rows = vec![Vec::new()];
    for group in groups {
        let labels = labels_of(event, group);
        rows = rows
            .iter()
            .flat_map(|row| labels.iter().map(|label| [row.as_slice(), std::slice::from_ref(label)].concat()))
            .collect();
    }
    rows
}

/// Each different label of an event in one group.
fn labels_of(event: &Event, group: &Group) -> BTreeSet<Label> {
    match group {
        Group::Key(key) => match event.get(key) {
            Some(value) => forms::texts(key, value).map(|text| Label::Text(text.into())).collect(),
            None => BTreeSet::from([Label::Null]),
        },
        Group::Time { key, edges } => {
            let at = time(event, *key);
            let intervals = edges.windows(2).filter(|ends| at.is_some_and(|at| ends[0] <= at && at < ends[1]));
            intervals.map(|ends| Label::Time(ends[0])).collect()
        }
    }
}

/// A measure over the events it saw.
fn measure(measure: &Measure, events: &[&Event]) -> Option<f64> {
    match measure {
        Measure::Events => Some(events.len() as f64),
        Measure::Having(key) => Some(events.iter().filter(|event| event.get(key).is_some()).count() as f64),
        Measure::Sum(key) => Some(numbers(events, key).into_iter().fold(0.0, |sum, number| sum + number)),
        Measure::Numbers(key) => Some(numbers(events, key).len() as f64),
        Measure::Min(key) => numbers(events, key).first().copied(),
        Measure::Max(key) => numbers(events, key).last().copied(),
        Measure::Distinct(key) => Some(distinct(events, key, |_| ()) as f64),
        Measure::Daily(key) => Some(distinct(events, key, Event::day) as f64),
        Measure::Visits => Some(distinct(events, &Known::Visit.into(), |_| ()) as f64),
        Measure::Percentile(key, percent) => percentile(&numbers(events, key), *percent),
    }
}

/// How many different text forms of a key there are, each once for every different `of` its event.
fn distinct<T: Ord>(events: &[&Event], key: &Key, of: impl Fn(&Event) -> T) -> usize {
    let values = events.iter().filter_map(|event| Some((event, event.get(key)?)));
    let texts = values.flat_map(|(event, value)| forms::texts(key, value).map(|text| (of(event), text)));
    texts.collect::<BTreeSet<_>>().len()
}

/// All numbers of a key, smallest first.
fn numbers(events: &[&Event], key: &Key) -> Vec<f64> {
    let values = events.iter().filter_map(|event| event.get(key));
    let mut numbers: Vec<f64> = values.flat_map(|value| forms::numbers(key, value)).collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// The smallest of the sorted numbers that at least `percent` per cent of them do not exceed.
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let needed = percent * sorted.len() as f64 / 100.0;
    let place = sorted.iter().enumerate().find(|(at, _)| (at + 1) as f64 >= needed);
    place.map(|(_, number)| *number)
}

fn compare(a: &Row, b: &Row, order: &[(OrderBy, Direction)]) -> Ordering {
    let by = order.iter().map(|(by, direction)| {
        let ordering = match by {
            OrderBy::Metric(at) => a.values[*at].partial_cmp(&b.values[*at]).unwrap_or(Ordering::Equal),
            OrderBy::Group(at) => a.labels[*at].cmp(&b.labels[*at]),
        };
        match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    });
    by.fold(Ordering::Equal, Ordering::then).then_with(|| a.labels.cmp(&b.labels))
}
