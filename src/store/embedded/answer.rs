//! Answer: merged rows in the order asked for.

use super::collect::Partial;
use super::measure::State;
use crate::store::plan::{Answer, Direction, OrderBy, Plan, Row};
use std::cmp::Ordering;

/// The answer of a plan whose every event has been seen. Without groups there is one row, also when there was none.
pub fn finish(plan: &Plan, mut merged: Partial) -> Answer {
    if plan.groups.is_empty() && merged.rows.is_empty() {
        merged.rows.insert(Box::default(), plan.metrics.iter().map(|metric| State::empty(&metric.measure)).collect());
    }
    let values = |states: Vec<State>| {
        states.into_iter().zip(&plan.metrics).map(|(state, metric)| state.value(&metric.measure)).collect()
    };
    let (rows, overlap) = (merged.rows.into_iter(), merged.overlap);
    let mut rows: Vec<Row> =
        rows.map(|(labels, states)| Row { labels: labels.into_vec(), values: values(states) }).collect();
    let rows_total = rows.len();
    let wanted = plan.offset.saturating_add(plan.limit);
    if wanted < rows.len() && wanted > 0 {
        rows.select_nth_unstable_by(wanted - 1, |a, b| compare(a, b, &plan.order));
        rows.truncate(wanted);
    }
    rows.sort_unstable_by(|a, b| compare(a, b, &plan.order));
    Answer { rows: rows.into_iter().skip(plan.offset).take(plan.limit).collect(), rows_total, overlap }
}

fn compare(a: &Row, b: &Row, order: &[(OrderBy, Direction)]) -> Ordering {
    for (by, direction) in order {
        let ordering = match by {
            OrderBy::Metric(at) => metric(a, *at).partial_cmp(&metric(b, *at)).unwrap_or(Ordering::Equal),
            OrderBy::Group(at) => a.labels.get(*at).cmp(&b.labels.get(*at)),
        };
        let ordering = if *direction == Direction::Descending { ordering.reverse() } else { ordering };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    a.labels.cmp(&b.labels)
}

fn metric(row: &Row, at: usize) -> Option<f64> {
    row.values.get(at).copied().flatten()
}
