//! The oracle against tables worked out by hand: eight events of one day, `EVENTS`.

use super::*;
use crate::event::Value;
use crate::store::plan::*;
use std::sync::{Arc, Mutex};

/// `key=value` fields; numbers, `true` and lists in brackets as in JSON, the rest text.
const EVENTS: [&str; 8] = [
    "at=10 action=view id=a path=/a referer=x.org visitor=1 counted=1 n=1",
    "at=20 action=view id=a path=/a visitor=1 n=2",
    "at=30 action=view id=b path=/b referer=y.org visitor=2 counted=1 n=three",
    "at=40 action=download id=a format=csv referer=x.org visitor=2 counted=1 n=[4,5]",
    "at=50 action=download id=b visitor=3 counted=1 tags=[\"p\",\"q\"]",
    "at=60 action=view id=a visitor=9 bot=crawler counted=1 tags=[\"p\"]",
    "at=70 action=view path=/home tags=[\"q\",\"q\"]",
    "at=80 action=error id=a n=0.5",
];

fn event(text: &str) -> Event {
    let mut event = Event::default();
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Day, Value::Int(0));
    event.set(Known::ReceivedAt, Value::Int(0));
    for field in text.split(' ') {
        let (name, value) = field.split_once('=').expect("key=value");
        let key = if name == "at" { Known::Timestamp.into() } else { Key::named(name) };
        event.set(key, value_of(serde_json::from_str(value).unwrap_or_else(|_| value.into())));
    }
    event
}

fn value_of(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => Value::number(number.as_f64().expect("a float")).expect("finite"),
        serde_json::Value::Array(members) => Value::List(members.into_iter().map(value_of).collect()),
        other => Value::text(other.as_str().expect("text")),
    }
}

async fn store(events: &[&str]) -> Memory {
    let store = Memory::new();
    let entries = events.iter().enumerate().map(|(at, text)| Entry { position: at as u64, event: event(text) });
    store.write(entries.collect(), events.len() as u64).await.expect("write");
    store
}

fn plan(groups: Vec<Group>, metrics: Vec<Metric>) -> Plan {
    let range = TimeRange { key: TimeKey::Timestamp, from: 0, to: 1_000 };
    let limits = Limits::default();
    Plan { filter: Filter::All, range, groups, metrics, order: Vec::new(), offset: 0, limit: 100, limits }
}

/// Rows as text: labels, then values, `-` where there is none.
fn shown(answer: &Answer) -> Vec<String> {
    let label = |label: &Label| match label {
        Label::Null => "null".to_owned(),
        Label::Time(at) => at.to_string(),
        Label::Text(text) => text.to_string(),
    };
    let value = |value: &Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    let row =
        |row: &Row| row.labels.iter().map(label).chain(row.values.iter().map(value)).collect::<Vec<_>>().join(" ");
    answer.rows.iter().map(row).collect()
}

#[tokio::test]
async fn each_measure_is_as_worked_out_by_hand() {
    let n = || Key::named("n");
    let rows = [
        (Measure::Events, "8"),
        (Measure::Having(n()), "5"),
        (Measure::Sum(n()), "12.5"),
        (Measure::Numbers(n()), "5"),
        (Measure::Min(n()), "0.5"),
        (Measure::Max(n()), "5"),
        (Measure::Distinct(n()), "6"),
        (Measure::Percentile(n(), 40.0), "1"),
        (Measure::Percentile(n(), 41.0), "2"),
        (Measure::Percentile(n(), 100.0), "5"),
        (Measure::Max(Key::named("path")), "-"),
        (Measure::Sum(Key::named("path")), "0"),
        (Measure::Distinct(Key::named("absent")), "0"),
    ];
    let store = store(&EVENTS).await;
    for (measure, expected) in rows {
        let plan = plan(vec![], vec![Metric::of(measure.clone())]);
        assert_eq!(shown(&store.aggregate(&plan).await.expect("aggregate")), [expected], "{measure:?}");
    }
}

#[tokio::test]
async fn each_filter_matches_as_worked_out_by_hand() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let key = Key::named;
    let rows = [
        (Filter::All, "8"),
        (Filter::Or(vec![]), "0"),
        (Filter::is(Known::Id, "a"), "5"),
        (Filter::Not(Box::new(Filter::is(Known::Id, "a"))), "3"),
        (Filter::is(key("n"), "4"), "1"),
        (Filter::is(key("tags"), "q"), "2"),
        (Filter::is(Known::Visitor, "0000000000000002"), "2"),
        (Filter::Is(key("bot"), texts(&["CRAWLER"]), Case::Folded), "1"),
        (Filter::Is(key("bot"), texts(&["CRAWLER"]), Case::Exact), "0"),
        (Filter::Contains(key("referer"), texts(&[".org"]), Case::Exact), "3"),
        (Filter::Matches(key("path"), texts(&["^/[AB]$"]), Case::Folded), "3"),
        (Filter::Compare(key("n"), Comparison::Above, 2.0), "1"),
        (Filter::Compare(key("n"), Comparison::AtLeast, 2.0), "2"),
        (Filter::Compare(key("n"), Comparison::Below, 1.0), "1"),
        (Filter::Compare(key("n"), Comparison::AtMost, 1.0), "2"),
        (Filter::Exists(key("n")), "5"),
        (Filter::is(Known::Id, "a").and(Filter::is(Known::Action, "view")), "3"),
    ];
    let store = store(&EVENTS).await;
    for (filter, expected) in rows {
        let plan = Plan { filter: filter.clone(), ..plan(vec![], vec![Metric::of(Measure::Events)]) };
        assert_eq!(shown(&store.aggregate(&plan).await.expect("aggregate")), [expected], "{filter:?}");
    }
}

#[tokio::test]
async fn rows_are_cut_ordered_and_paged_as_worked_out_by_hand() {
    let by = |name: &str| Group::Key(Key::named(name));
    let events = || vec![Metric::of(Measure::Events)];
    let views = Metric { measure: Measure::Events, only: Filter::is(Known::Action, "view") };
    let time = Group::Time { key: TimeKey::Timestamp, edges: vec![20, 40, 50, 75] };
    let down = vec![(OrderBy::Metric(0), Direction::Descending)];
    let rows: [(Plan, &[&str]); 6] = [
        (plan(vec![by("id")], events()), &["null 1", "a 5", "b 2"]),
        (plan(vec![by("tags")], events()), &["null 5", "p 2", "q 2"]),
        (Plan { order: down.clone(), ..plan(vec![by("tags")], events()) }, &["null 5", "p 2", "q 2"]),
        (plan(vec![time], events()), &["20 2", "40 1", "50 3"]),
        (plan(vec![by("id"), by("format")], vec![views]), &["null null 1", "a null 3", "b null 1"]),
        (Plan { order: down, offset: 1, limit: 1, ..plan(vec![by("id")], events()) }, &["b 2"]),
    ];
    let store = store(&EVENTS).await;
    for (plan, expected) in rows {
        assert_eq!(shown(&store.aggregate(&plan).await.expect("aggregate")), expected, "{plan:?}");
    }
}

fn usage(views: u64, downloads: &[(&str, u64)], referers: &[(&str, u64)]) -> Usage {
    let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(text, count)| ((*text).into(), *count)).collect();
    let views = if views == 0 { BTreeMap::new() } else { BTreeMap::from([(Day(0), views)]) };
    Usage { views, downloads: counts(downloads), referers: counts(referers) }
}

#[tokio::test]
async fn usage_is_as_worked_out_by_hand_and_outlives_the_events() {
    let a = |bots, counting| (Items::Ids(vec!["a".into()]), bots, counting);
    let rows = [
        (a(Bots::Exclude, Counting::Raw), "a", usage(2, &[("csv", 1)], &[("x.org", 2)])),
        (a(Bots::Include, Counting::Raw), "a", usage(3, &[("csv", 1)], &[("x.org", 2)])),
        (a(Bots::Only, Counting::Raw), "a", usage(1, &[], &[])),
        (a(Bots::Exclude, Counting::Counter), "a", usage(1, &[("csv", 1)], &[("x.org", 2)])),
        (
            (Items::Site, Bots::Exclude, Counting::Raw),
            "",
            usage(4, &[("csv", 1), ("other", 1)], &[("x.org", 2), ("y.org", 1)]),
        ),
        (
            (Items::Busiest(Tally::Downloads, 1), Bots::Exclude, Counting::Raw),
            "a",
            usage(2, &[("csv", 1)], &[("x.org", 2)]),
        ),
    ];
    let store = store(&EVENTS).await;
    for expired in [false, true] {
        if expired {
            store.expire(Day(1), Day(0)).await.expect("expire");
            assert_eq!(store.days().await.expect("days"), []);
        }
        for ((items, bots, counting), id, expected) in &rows {
            let (items, days, limits) = (items.clone(), (Day(0), Day(0)), Limits::default());
            let plan = UsagePlan { site: "s".into(), items, days, bots: *bots, counting: *counting, limits };
            let answer = store.usage(&plan).await.expect("usage");
            assert_eq!(answer, [((*id).to_owned(), expected.clone())], "{plan:?}, expired: {expired}");
        }
    }
}

#[tokio::test]
async fn sealing_hands_events_over_visitor_by_visitor_in_true_order() {
    let store = store(&[
        "at=5 action=view",
        "at=9 action=view visitor=2",
        "at=9 action=view visitor=1 event_id=b",
        "at=9 action=view visitor=1 event_id=a",
        "at=3 action=view visitor=2",
    ])
    .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let derive = move |event: &mut Event| {
        let mut seen = notes.lock().expect("lock");
        seen.push((event.hash(Known::Visitor), event.at(), event.text(Known::EventId).map(str::to_owned)));
        event.set(Known::VisitMs, Value::Int(seen.len() as i64));
    };
    store.seal(Day(0), Box::new(derive)).await.expect("seal");
    let expected = [
        (Some(1), 9, Some("a".to_owned())),
        (Some(1), 9, Some("b".to_owned())),
        (Some(2), 3, None),
        (Some(2), 9, None),
        (None, 5, None),
    ];
    assert_eq!(*seen.lock().expect("lock"), expected);
    let sum = plan(vec![], vec![Metric::of(Measure::Sum(Known::VisitMs.into()))]);
    assert_eq!(shown(&store.aggregate(&sum).await.expect("aggregate")), ["15"]);
}

#[tokio::test]
async fn a_page_ends_where_the_next_begins() {
    let store = store(&["at=1 action=view", "at=3 action=view", "at=3 action=click", "at=2 action=view"]).await;
    let range = TimeRange { key: TimeKey::Timestamp, from: 0, to: 10 };
    let first = store.events(&Filter::All, range, None, 2).await.expect("events");
    assert_eq!(first.events.iter().map(Event::action).collect::<Vec<_>>(), ["click", "view"]);
    let second = store.events(&Filter::All, range, first.next.as_ref(), 2).await.expect("events");
    assert_eq!(second.events.iter().map(Event::at).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(second.next, None);
    let foreign = store.events(&Filter::All, range, Some(&Cursor("x".into())), 2).await;
    assert!(matches!(foreign, Err(StoreError::Invalid(_))));
}
