//! Promises of rows: their groups, order, pages and bounds, as worked out by hand.

use crate::events::{at, between, event, events, events_by, plan};
use crate::measures::EVENTS;
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Key, Known, Value};
use metronome::store::StoreError;
use metronome::store::plan::{Direction, Filter, Group, Limits, Measure, Metric, OrderBy, Plan, TimeKey};

pub const PROMISES: &[Promise] = promises![
    rows_of_several_values_and_of_none,
    rows_by_keys_of_every_shape,
    rows_nest,
    rows_overlap_where_an_event_is_in_several,
    rows_exist_where_a_metric_saw_an_event,
    rows_by_time_have_the_edges_asked_for,
    rows_that_are_not_asked_for_count_for_no_bound,
    rows_are_ordered_by_metrics_and_labels,
    ties_are_ordered_by_the_rows_text,
    pages_of_rows_know_the_total,
    a_row_may_be_first_over_days_and_of_none,
    one_row_too_many_is_an_error,
];

fn key(name: &str) -> Key {
    Key::named(name)
}

fn by(name: &str) -> Group {
    Group::Key(key(name))
}

fn count() -> Metric {
    Metric::of(Measure::Events)
}

fn only(action: &str) -> Metric {
    Metric { measure: Measure::Events, only: Filter::is(Known::Action, action) }
}

fn rows_of_several_values_and_of_none(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.rows(&events_by(&["tags"])), ["null 5", "p 2", "q 2"], "{state}");
        let rows = ["null 3", "0.5 1", "1 1", "2 1", "4 1", "5 1", "three 1"];
        assert_eq!(subject.rows(&events_by(&["n"])), rows, "{state}");
        assert_eq!(subject.rows(&events_by(&["absent"])), ["null 8"], "{state}");
    });
}

fn rows_by_keys_of_every_shape(subject: &mut Subject) {
    subject.write(events(&[
        "at=0 visitor=1 status=200 interactive=false mixed=1 visit_at=0 visit=9",
        "at=0 visitor=255 status=404 mixed=\"1\" id=é",
        "at=86400 status=200 interactive=false mixed=true id=Z",
        "at=86400.5 mixed=[1.5,\"true\"] id=z duration_ms=0.25",
    ]));
    let rows: [(&str, &[&str]); 11] = [
        ("visitor", &["null 2", "0000000000000001 1", "00000000000000ff 1"]),
        ("visit", &["null 3", "0000000000000009 1"]),
        ("status", &["null 1", "200 2", "404 1"]),
        ("interactive", &["null 2", "false 2"]),
        ("mixed", &["1 2", "1.5 1", "true 2"]),
        ("id", &["null 1", "Z 1", "z 1", "é 1"]),
        ("day", &["2024-01-10 2", "2024-01-11 2"]),
        ("@timestamp", &["2024-01-10T00:00:00.000Z 2", "2024-01-11T00:00:00.000Z 1", "2024-01-11T00:00:00.500Z 1"]),
        ("visit_at", &["null 3", "2024-01-10T00:00:00.000Z 1"]),
        ("site", &["s 4"]),
        ("duration_ms", &["null 3", "0.25 1"]),
    ];
    subject.in_every_state(|subject, state| {
        for (name, expected) in rows {
            assert_eq!(subject.rows(&events_by(&[name])), expected, "{state}: {name}");
        }
    });
}

fn rows_nest(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.in_every_state(|subject, state| {
        let expected = ["null null 1", "a null 3", "a csv 1", "b null 2"];
        let plan = Plan { filter: Filter::Not(Box::new(Filter::Exists(key("bot")))), ..events_by(&["id", "format"]) };
        assert_eq!(subject.rows(&plan), expected, "{state}");
        let expected = [
            "null 2024-01-11 q 1",
            "a 2024-01-10 null 3",
            "a 2024-01-11 null 1",
            "a 2024-01-11 p 1",
            "b 2024-01-10 null 1",
            "b 2024-01-11 p 1",
            "b 2024-01-11 q 1",
        ];
        assert_eq!(subject.rows(&events_by(&["id", "day", "tags"])), expected, "{state}");
        assert_eq!(subject.rows(&events_by(&["tags", "tags"])).len(), 5, "{state}");
    });
}

fn rows_overlap_where_an_event_is_in_several(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    let downloads = |groups| plan(groups, vec![only("download")]);
    let views = |groups| plan(groups, vec![only("view")]);
    let rows: [(Plan, bool); 9] = [
        (events_by(&[]), false),
        (events_by(&["id"]), false),
        (events_by(&["tags"]), true),
        (events_by(&["id", "tags"]), true),
        // Of the views one has the tag `q` twice, which is one row.
        (views(vec![by("tags")]), false),
        (views(vec![by("n")]), false),
        (downloads(vec![by("n"), by("tags")]), true),
        (Plan { range: between(0.0, 35.0), ..events_by(&["n"]) }, false),
        (Plan { limit: 0, ..events_by(&["n"]) }, true),
    ];
    subject.in_every_state(|subject, state| {
        // The second time sealed days answer from what they kept of the first.
        for (plan, expected) in rows.iter().chain(&rows) {
            let answer = subject.wait(subject.store().aggregate(plan)).expect("an answer");
            assert_eq!(answer.overlap, *expected, "{state}: {plan:?}");
        }
    });
}

fn rows_exist_where_a_metric_saw_an_event(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.in_every_state(|subject, state| {
        let downloads = plan(vec![by("id")], vec![only("download")]);
        assert_eq!(subject.ask(&downloads), (vec!["a 1".into(), "b 1".into()], 2), "{state}");
        let either = plan(vec![by("id")], vec![only("download"), only("error")]);
        assert_eq!(subject.rows(&either), ["a 1 1", "b 1 0"], "{state}");
        // The sum saw the events, though none of them had a number.
        let sum = Metric { measure: Measure::Sum(key("n")), only: Filter::is(Known::Path, "/home") };
        assert_eq!(subject.rows(&plan(vec![by("id")], vec![sum])), ["null 0"], "{state}");
    });
}

fn rows_by_time_have_the_edges_asked_for(subject: &mut Subject) {
    subject.write(events(&[
        "at=9.999 id=a",
        "at=10 id=b visitor=1 visit=1 visit_at=10",
        "at=19.999 id=c visitor=1 visit=1 visit_at=10",
        "at=20 id=d",
        "at=86400 id=e visitor=2 visit=2 visit_at=86400",
        "at=200000 id=f",
    ]));
    let time = |key, edges: &[f64]| Group::Time { key, edges: edges.iter().map(|edge| at(*edge)).collect() };
    let rows: [(Group, &[&str]); 5] = [
        (time(TimeKey::Timestamp, &[15.0, 25.0]), &["15 2"]),
        (time(TimeKey::Timestamp, &[10.0, 20.0, 86_400.0, 90_000.0]), &["10 2", "20 1", "86400 1"]),
        (time(TimeKey::Timestamp, &[-100.0, 10.0, 10.001]), &["-100 1", "10 1"]),
        (time(TimeKey::VisitAt, &[0.0, 11.0, 100_000.0]), &["0 2", "11 1"]),
        (time(TimeKey::Timestamp, &[300_000.0, 400_000.0]), &[]),
    ];
    subject.in_every_state(|subject, state| {
        for (group, expected) in &rows {
            assert_eq!(subject.rows(&plan(vec![group.clone()], vec![count()])), *expected, "{state}: {group:?}");
        }
        let nested = plan(vec![time(TimeKey::Timestamp, &[0.0, 86_400.0, 172_800.0]), by("visit")], vec![count()]);
        let expected = ["0 null 2", "0 0000000000000001 2", "86400 0000000000000002 1"];
        assert_eq!(subject.rows(&nested), expected, "{state}");
    });
}

fn rows_that_are_not_asked_for_count_for_no_bound(subject: &mut Subject) {
    let ours = (0..30).map(|n| event(&format!("at={n} site=ours path=/one")));
    subject.write(ours.chain((0..20).map(|n| event(&format!("at={n} site=theirs path=/{n}")))));
    subject.in_every_state(|subject, state| {
        let limits = Limits { rows_max: 5, ..Limits::default() };
        let by_path = Plan { limits, filter: Filter::is(Known::Site, "ours"), ..plan(vec![by("path")], vec![count()]) };
        assert_eq!(subject.rows(&by_path), ["/one 30"], "{state}");
    });
}

fn rows_are_ordered_by_metrics_and_labels(subject: &mut Subject) {
    use Direction::{Ascending as Up, Descending as Down};
    subject.write(events(&EVENTS));
    let metrics = || vec![count(), Metric::of(Measure::Max(key("n")))];
    type Row = (&'static [(OrderBy, Direction)], [&'static str; 3]);
    let rows: [Row; 6] = [
        (&[], ["null 1 -", "a 5 5", "b 2 -"]),
        (&[(OrderBy::Metric(0), Down)], ["a 5 5", "b 2 -", "null 1 -"]),
        (&[(OrderBy::Metric(1), Up)], ["null 1 -", "b 2 -", "a 5 5"]),
        (&[(OrderBy::Metric(1), Down), (OrderBy::Metric(0), Down)], ["a 5 5", "b 2 -", "null 1 -"]),
        (&[(OrderBy::Group(0), Down)], ["b 2 -", "a 5 5", "null 1 -"]),
        (&[(OrderBy::Metric(1), Up), (OrderBy::Group(0), Down)], ["b 2 -", "null 1 -", "a 5 5"]),
    ];
    subject.in_every_state(|subject, state| {
        for (order, expected) in rows {
            let plan = Plan { order: order.to_vec(), ..plan(vec![by("id")], metrics()) };
            assert_eq!(subject.rows(&plan), expected, "{state}: {order:?}");
        }
    });
}

fn ties_are_ordered_by_the_rows_text(subject: &mut Subject) {
    subject.write(events(&["at=4 id=b", "at=3 id=B", "at=2 id=é", "at=1 id=a", "at=0 id=10", "at=5 id=9", "at=6"]));
    subject.in_every_state(|subject, state| {
        for direction in [Direction::Ascending, Direction::Descending] {
            let plan = Plan { order: vec![(OrderBy::Metric(0), direction)], ..events_by(&["id"]) };
            let expected = ["null 1", "10 1", "9 1", "B 1", "a 1", "b 1", "é 1"];
            assert_eq!(subject.rows(&plan), expected, "{state}");
        }
    });
}

fn pages_of_rows_know_the_total(subject: &mut Subject) {
    // Item i has i + 1 events, over two days.
    let table = (0..20).flat_map(|item| (0..=item).map(move |n| format!("at={} id={item:02}", n * 7_000)));
    subject.write(table.map(|text| event(&text)));
    let down = vec![(OrderBy::Metric(0), Direction::Descending)];
    subject.in_every_state(|subject, state| {
        for (offset, limit, expected) in [
            (0, 2, vec!["19 20", "18 19"]),
            (2, 2, vec!["17 18", "16 17"]),
            (19, 5, vec!["00 1"]),
            (20, 5, vec![]),
            (0, 0, vec![]),
            (usize::MAX, usize::MAX, vec![]),
        ] {
            let plan = Plan { order: down.clone(), offset, limit, ..events_by(&["id"]) };
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(subject.ask(&plan), (expected, 20), "{state}: {offset} {limit}");
        }
    });
}

fn a_row_may_be_first_over_days_and_of_none(subject: &mut Subject) {
    // Each day has 20 items of its own with three events each; `steady` has two a day.
    for day in 0..10 {
        let own = (0..60).map(|n| format!("at={} id=d{day}-{:02}", day * 86_400 + n, n % 20));
        let steady = (0..2).map(|n| format!("at={} id=steady", day * 86_400 + n));
        subject.write(own.chain(steady).map(|text| event(&text)));
    }
    subject.in_every_state(|subject, state| {
        let order = vec![(OrderBy::Metric(0), Direction::Descending)];
        let first = Plan { order, limit: 2, ..events_by(&["id"]) };
        assert_eq!(subject.ask(&first), (vec!["steady 20".into(), "d0-00 3".into()], 201), "{state}");
    });
}

fn one_row_too_many_is_an_error(subject: &mut Subject) {
    subject.write((0..20).map(|n| {
        let mut event = event(&format!("at={}", n * 10_000));
        event.set(Known::Id, Value::text(format!("{n}")));
        event
    }));
    subject.in_every_state(|subject, state| {
        let bounded = |rows_max| {
            let limits = Limits { rows_max, ..Limits::default() };
            Plan { limit: 1, limits, ..events_by(&["id"]) }
        };
        assert_eq!(subject.ask(&bounded(20)).1, 20, "{state}");
        let refusal = subject.refusal(&bounded(19));
        assert!(matches!(refusal, StoreError::Limit { limit: 19, .. }), "{state}: {refusal:?}");
    });
}
