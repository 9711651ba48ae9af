//! Compare: a store's answers beside the oracle's.
//! - Events that are interchangeable (equal but for when they were received) may stand in any order.

use super::dice::Dice;
use super::plans::Asker;
use super::questions;
use crate::events::{DAY, all_time, shown};
use crate::subject::Subject;
use crate::trails;
use metronome::event::{Day, Event, Key, Known};
use metronome::store::Capabilities;
use metronome::store::plan::{Answer, Filter, Measure, Plan, TimeRange};
use metronome::store::trails::TrailPlan;

/// Plans asked each time.
const PLANS: usize = 30;
/// Questions asked each time.
const QUESTIONS: usize = 30;
/// What both are asked each time, at the least: rows, items and trails by plans, and questions.
pub const CASES: u64 = (3 * PLANS + QUESTIONS) as u64;

/// Asks both all kinds of questions; panics at the first answer that differs.
pub fn compare(subject: &Subject, oracle: &Subject, mut dice: Dice) {
    assert_eq!(subject.position(), oracle.position(), "position");
    assert_eq!(subject.days(), oracle.days(), "days");
    let sample = oracle.newest();
    if sample.is_empty() {
        return;
    }
    let mut asker = Asker::new(Dice::of(dice.number()), &sample);
    for first in -1..5 {
        let days = (Day(DAY.0 + first), Day(DAY.0 + first + dice.below(3) as i32));
        assert_eq!(subject.fields(days), oracle.fields(days), "fields of {days:?}");
        let (site, ids) = (asker.site(), asker.ids());
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(subject.known(&site, days, &ids), oracle.known(&site, days, &ids), "known {site} {days:?} {ids:?}");
    }
    for _ in 0..PLANS {
        compare_rows(subject, oracle, &asker.plan());
        let usage = asker.usage();
        assert_eq!(subject.usage(&usage), oracle.usage(&usage), "{usage:#?}");
    }
    questions::compare(subject, oracle, Dice::of(dice.number()), QUESTIONS);
    compare_events(subject, oracle, &Filter::All, all_time(), None, 1_000);
    for _ in 0..PLANS {
        compare_trails(subject, oracle, &asker.trails());
    }
    for _ in 0..4 {
        let (filter, range, keys, limit) = (asker.filter(2), asker.range(), asker.keys(), asker.page_limit());
        compare_events(subject, oracle, &filter, range, Some(&keys), limit);
    }
}

fn compare_rows(subject: &Subject, oracle: &Subject, plan: &Plan) {
    let answer =
        |of: &Subject| of.wait(of.store().aggregate(plan)).unwrap_or_else(|error| panic!("{error}: {plan:#?}"));
    let (got, expected) = (answer(subject), answer(oracle));
    let capabilities = subject.store().capabilities();
    if let Some(why) = difference(&got, &expected, plan, capabilities) {
        let (got, expected) = (shown(&got), shown(&expected));
        let at = got.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(got.len().min(expected.len()));
        let rows = |rows: &[String]| rows.iter().skip(at).take(5).cloned().collect::<Vec<_>>();
        panic!("{why}; from row {at}: {:#?} instead of {:#?} for {plan:#?}", rows(&got), rows(&expected));
    }
}

/// What differs beyond the tolerance, if anything does.
fn difference(got: &Answer, expected: &Answer, plan: &Plan, capabilities: Capabilities) -> Option<String> {
    if got.rows_total != expected.rows_total || got.rows.len() != expected.rows.len() {
        return Some(format!("{} rows instead of {}", got.rows_total, expected.rows_total));
    }
    if got.overlap != expected.overlap {
        return Some(format!("rows overlap: {} instead of {}", got.overlap, expected.overlap));
    }
    for (got, expected) in got.rows.iter().zip(&expected.rows) {
        if got.labels != expected.labels {
            return Some(format!("row {:?} instead of {:?}", got.labels, expected.labels));
        }
        for (metric, (got, expected)) in plan.metrics.iter().zip(got.values.iter().zip(&expected.values)) {
            if !is_close(*got, *expected, tolerance(&metric.measure, *expected, capabilities)) {
                return Some(format!("{got:?} instead of {expected:?} for {:?}", metric.measure));
            }
        }
    }
    None
}

/// The relative error that a measure may have.
fn tolerance(measure: &Measure, expected: Option<f64>, capabilities: Capabilities) -> f64 {
    match measure {
        // Five standard errors.
        Measure::Distinct(_) | Measure::Daily(_) if expected > Some(capabilities.distinct_exact as f64) => {
            5.0 * capabilities.distinct_error
        }
        Measure::Percentile(..) => capabilities.percentile_error + 1e-9,
        Measure::Sum(_) => 1e-9,
        _ => 0.0,
    }
}

fn is_close(got: Option<f64>, expected: Option<f64>, tolerance: f64) -> bool {
    match (got, expected) {
        // Sums of fractions that nearly cancel are off by what was added, which is below ten million.
        (Some(got), Some(expected)) if tolerance > 0.0 => {
            (got - expected).abs() <= (tolerance * expected.abs()).max(1e-6)
        }
        _ => got == expected,
    }
}

fn compare_events(
    subject: &Subject,
    oracle: &Subject,
    filter: &Filter,
    range: TimeRange,
    keys: Option<&[Key]>,
    limit: usize,
) {
    let scans = [subject, oracle].map(|of| settled(of.scan(filter, range, keys), keys.is_some()));
    assert_same(&scans[0], &scans[1], &format!("scan of {filter:?} {range:?} {keys:?}"));
    let pages = [subject, oracle].map(|of| by_time(of.pages(filter, range, limit)));
    assert_same(&pages[0], &pages[1], &format!("pages of {limit} of {filter:?} {range:?}"));
}

fn compare_trails(subject: &Subject, oracle: &Subject, plan: &TrailPlan) {
    let [got, expected] = [subject, oracle].map(|of| {
        let mut trails = trails::trails(of, plan);
        // Interchangeable events may have different increments.
        trails.iter_mut().for_each(|(_, events)| events.sort());
        trails
    });
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got, expected, "{plan:#?}");
    }
    assert_eq!(got.len(), expected.len(), "trails of {plan:#?}");
}

fn assert_same(got: &[Event], expected: &[Event], of: &str) {
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, expected, "event {at} in the {of}");
    }
    assert_eq!(got.len(), expected.len(), "events in the {of}");
}

/// A scan's events with ties in one order. With some keys alone ties cannot be told: then all of a day are sorted.
fn settled(events: Vec<Event>, some_keys: bool) -> Vec<Event> {
    let tied = |a: &Event, b: &Event| {
        a.day() == b.day() && (some_keys || (a.hash(Known::Visitor) == b.hash(Known::Visitor) && a.in_order(b).is_eq()))
    };
    let runs = events.chunk_by(tied).map(<[Event]>::to_vec);
    runs.flat_map(sorted).collect()
}

/// Pages' events with those of one time in one order.
fn by_time(events: Vec<Event>) -> Vec<Event> {
    assert!(events.is_sorted_by_key(|event| std::cmp::Reverse(event.at())), "newest first");
    let runs = events.chunk_by(|a, b| a.at() == b.at()).map(<[Event]>::to_vec);
    runs.flat_map(sorted).collect()
}

/// Events in an order of their own, without what interchangeable ones differ in.
fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        event.remove(&Known::ReceivedAt.into());
    }
    events.sort_by_cached_key(|event| format!("{event:?}"));
    events
}
