//! Promises of measures, as worked out by hand.

use crate::events::{at, event, events, events_by, plan};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Key, Known};
use metronome::store::plan::{Filter, Group, Measure, Metric, Plan, TimeKey, TimeRange};

pub const PROMISES: &[Promise] = promises![
    each_measure_is_as_worked_out_by_hand,
    measures_of_nothing_are_zero_or_none,
    measures_in_each_row_see_its_events_alone,
    percentiles_are_within_their_tolerance,
    distinct_counts_are_exact_in_their_range,
    distinct_counts_reach_over_days,
    daily_counts_are_sums_of_days,
    visits_are_counted_once_wherever_their_events_lie,
    visits_are_counted_however_many,
];

/// Eight events of two days; `n` has the numbers 0.5 1 2 4 5 and the text `three`.
pub const EVENTS: [&str; 8] = [
    "at=10 id=a path=/a visitor=1 n=1",
    "at=20 id=a path=/a visitor=1 n=2",
    "at=30 id=b path=/b visitor=2 n=three",
    "at=40 action=download id=a format=csv visitor=2 n=[4,5]",
    "at=86450 action=download id=b visitor=3 tags=[\"p\",\"q\"]",
    "at=86460 id=a visitor=9 bot=crawler tags=[\"p\"]",
    "at=86470 path=/home tags=[\"q\",\"q\"]",
    "at=86480 action=error id=a n=0.5",
];

fn key(name: &str) -> Key {
    Key::named(name)
}

fn by(name: &str) -> Group {
    Group::Key(key(name))
}

fn each_measure_is_as_worked_out_by_hand(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    let rows = [
        (Measure::Events, "8"),
        (Measure::Having(key("n")), "5"),
        (Measure::Having(key("tags")), "3"),
        (Measure::Having(key("visitor")), "6"),
        (Measure::Sum(key("n")), "12.5"),
        (Measure::Numbers(key("n")), "5"),
        (Measure::Min(key("n")), "0.5"),
        (Measure::Max(key("n")), "5"),
        (Measure::Distinct(key("n")), "6"),
        (Measure::Distinct(key("visitor")), "4"),
        (Measure::Distinct(key("tags")), "2"),
        (Measure::Distinct(key("day")), "2"),
        (Measure::Daily(key("n")), "6"),
        (Measure::Daily(key("tags")), "2"),
        (Measure::Daily(key("site")), "2"),
        (Measure::Daily(key("day")), "2"),
        (Measure::Percentile(key("n"), 20.0), "0.5"),
        (Measure::Percentile(key("n"), 100.0), "5"),
    ];
    subject.in_every_state(|subject, state| {
        for (measure, expected) in &rows {
            let plan = plan(vec![], vec![Metric::of(measure.clone())]);
            assert_close(&subject.rows(&plan)[0], expected, 0.01, &format!("{state}: {measure:?}"));
        }
        let times = [Measure::Min(Known::Timestamp.into()), Measure::Max(Known::Timestamp.into())];
        let plan = plan(vec![by("path")], times.map(Metric::of).to_vec());
        let expected = format!("/a {} {}", at(10.0), at(20.0));
        assert_eq!(subject.rows(&plan)[1], expected, "{state}");
    });
}

/// Two numbers as text, equal but for a relative error.
fn assert_close(got: &str, expected: &str, error: f64, of: &str) {
    let (a, b): (f64, f64) = (got.parse().expect(of), expected.parse().expect(of));
    assert!((a - b).abs() <= error * b.abs(), "{a} instead of {b}: {of}");
}

fn measures_of_nothing_are_zero_or_none(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    let key = || key("title");
    let all = [
        Measure::Having(key()),
        Measure::Sum(key()),
        Measure::Numbers(key()),
        Measure::Distinct(key()),
        Measure::Daily(key()),
        Measure::Visits,
        Measure::Min(key()),
        Measure::Max(key()),
        Measure::Percentile(key(), 50.0),
    ];
    let textual = [Measure::Sum(Known::Path.into()), Measure::Max(Known::Path.into())];
    subject.in_every_state(|subject, state| {
        let absent = plan(vec![], all.clone().map(Metric::of).to_vec());
        assert_eq!(subject.rows(&absent), ["0 0 0 0 0 0 - - -"], "{state}");
        let textual = plan(vec![], textual.clone().map(Metric::of).to_vec());
        assert_eq!(subject.rows(&textual), ["0 -"], "{state}");
        let none = Plan { filter: Filter::is(Known::Id, "none"), ..events_by(&[]) };
        assert_eq!(subject.rows(&none), ["0"], "{state}");
        let none = Plan { filter: Filter::is(Known::Id, "none"), ..events_by(&["id"]) };
        assert_eq!(subject.ask(&none), (vec![], 0), "{state}");
    });
}

fn measures_in_each_row_see_its_events_alone(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    let n = || key("n");
    let all = [
        Measure::Events,
        Measure::Having(n()),
        Measure::Sum(n()),
        Measure::Numbers(n()),
        Measure::Min(n()),
        Measure::Max(n()),
        Measure::Distinct(n()),
        Measure::Distinct(Known::Visitor.into()),
    ];
    subject.in_every_state(|subject, state| {
        let plan = plan(vec![by("id")], all.clone().map(Metric::of).to_vec());
        let expected = ["null 1 0 0 0 - - 0 0", "a 5 4 12.5 5 0.5 5 5 3", "b 2 1 0 0 - - 1 2"];
        assert_eq!(subject.rows(&plan), expected, "{state}");
    });
}

fn percentiles_are_within_their_tolerance(subject: &mut Subject) {
    // Of 1..=200 the value that N % do not exceed is 2 N.
    subject.write((0..200).map(|n| event(&format!("at={} n={} m={}", n * 500, (n * 37) % 200 + 1, n % 3))));
    let error = subject.store().capabilities().percentile_error;
    assert!(error <= 0.01);
    subject.in_every_state(|subject, state| {
        for percent in [1.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 100.0] {
            let plan = plan(vec![], vec![Metric::of(Measure::Percentile(key("n"), percent))]);
            let expected = (percent * 2.0).to_string();
            assert_close(&subject.rows(&plan)[0], &expected, error + 1e-9, &format!("{state}: p{percent}"));
        }
        let plan = plan(vec![by("m")], vec![Metric::of(Measure::Percentile(key("m"), 50.0))]);
        for (m, row) in subject.rows(&plan).iter().enumerate() {
            let (label, value) = row.split_once(' ').expect("a label and a value");
            assert_eq!(label, m.to_string(), "{state}");
            assert_close(value, label, error + 1e-9, &format!("{state}: p50 of {m}"));
        }
    });
}

fn distinct_counts_are_exact_in_their_range(subject: &mut Subject) {
    subject
        .write((0..1_500).map(|n| event(&format!("at={} visitor={} few={} many={n}", n * 60, n % 30 + 1, n % 1_000))));
    let capabilities = subject.store().capabilities();
    subject.in_every_state(|subject, state| {
        for (name, expected) in [("few", 1_000), ("many", 1_500)] {
            let plan = plan(vec![], vec![Metric::of(Measure::Distinct(key(name)))]);
            let exact = expected <= capabilities.distinct_exact;
            // Five standard errors: one in two million would be further off by chance.
            let error = if exact { 0.0 } else { 5.0 * capabilities.distinct_error };
            assert_close(&subject.rows(&plan)[0], &expected.to_string(), error, &format!("{state}: {name}"));
        }
    });
}

fn distinct_counts_reach_over_days(subject: &mut Subject) {
    subject.write((0..90).map(|n| event(&format!("at={} user=u{} visitor={}", n * 3_600, n % 7, n % 5 + 1))));
    subject.in_every_state(|subject, state| {
        let metrics = [Measure::Distinct(Known::User.into()), Measure::Distinct(Known::Visitor.into())];
        assert_eq!(subject.rows(&plan(vec![], metrics.map(Metric::of).to_vec())), ["7 5"], "{state}");
    });
}

fn daily_counts_are_sums_of_days(subject: &mut Subject) {
    // Four days; user 0 comes on each of them, users 1 to 4 on one each, twice; late on the second day comes one of the first.
    let steady = (0..4).map(|day| format!("at={} user=u0", day * 86_400 + 7));
    let once = (0..8).map(|n| format!("at={} user=u{} path=/once", n % 4 * 86_400 + n, n % 4 + 1));
    let late = ["at=90000 user=u1 day=2024-01-10".to_owned(), "at=90001".to_owned()];
    subject.write(steady.chain(once).chain(late).map(|text| event(&text)));
    // More than are counted exactly, on two days each.
    subject.write((0..3_000).map(|n| event(&format!("at={} many={}", n % 2 * 86_400, n / 2))));
    let error = 5.0 * subject.store().capabilities().distinct_error;
    subject.in_every_state(|subject, state| {
        let users =
            || [Measure::Distinct(Known::User.into()), Measure::Daily(Known::User.into())].map(Metric::of).to_vec();
        assert_eq!(subject.rows(&plan(vec![], users())), ["5 8"], "{state}");
        let by_path = plan(vec![by("path")], users());
        assert_eq!(subject.rows(&by_path), ["null 2 5", "/once 4 4"], "{state}");
        let by_day = plan(vec![by("day")], users());
        let rows = ["2024-01-10 2 2", "2024-01-11 2 2", "2024-01-12 2 2", "2024-01-13 2 2"];
        assert_eq!(subject.rows(&by_day), rows, "{state}");
        let many = plan(vec![], vec![Metric::of(Measure::Daily(key("many")))]);
        assert_close(&subject.rows(&many)[0], "3000", error, state);
    });
}

/// Visits of two visitors and days; the second is entered again under another source.
const VISITS: [&str; 8] = [
    "at=1 id=a visitor=1 visit=7 visit_at=1",
    "at=2 id=b visitor=1 visit=7 visit_at=1",
    "at=3 id=a visitor=1 visit=7 visit_at=1",
    "at=90 id=a visitor=1 visit=8 visit_at=90",
    "at=95 id=a visitor=1 visit=8 visit_at=90 source=x",
    "at=96 id=a",
    "at=97 id=b visitor=2",
    "at=86500 id=b visitor=1 visit=18446744073709551615 visit_at=86500",
];

fn visits_are_counted_once_wherever_their_events_lie(subject: &mut Subject) {
    let daily =
        plan(vec![], [Known::Visit, Known::Visitor].map(|known| Metric::of(Measure::Daily(known.into()))).to_vec());
    let only = Metric { measure: Measure::Visits, only: Filter::is(Known::Id, "b") };
    let all = plan(vec![], vec![Metric::of(Measure::Visits), only]);
    subject.take(events(&VISITS[..7]));
    subject.seal_as_it_is();
    // Asked before what is late comes: what is kept of it must not count then.
    assert_eq!(subject.rows(&all), ["2 1"]);
    assert_eq!(subject.rows(&daily), ["2 2"]);
    subject.take(events(&["at=4 id=a visitor=1 visit=7 visit_at=1", VISITS[7]]));
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.rows(&all), ["3 2"], "{state}");
        let rows = plan(vec![by("id")], vec![Metric::of(Measure::Visits)]);
        assert_eq!(subject.rows(&rows), ["a 2", "b 2"], "{state}");
        let range = TimeRange { key: TimeKey::VisitAt, from: at(50.0), to: at(100.0) };
        assert_eq!(subject.rows(&Plan { range, ..all.clone() }), ["1 0"], "{state}");
        assert_eq!(subject.rows(&daily), ["3 3"], "{state}");
    });
}

fn visits_are_counted_however_many(subject: &mut Subject) {
    let many = |n: u64| event(&format!("at={n} id=a visitor={} visit={} visit_at={n}", n / 3, 1_000_000 + n));
    subject.write((0..1_200).map(many));
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.rows(&plan(vec![], vec![Metric::of(Measure::Visits)])), ["1200"], "{state}");
    });
}
