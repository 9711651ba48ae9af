//! Events, plans and answers in short, for tables that a reader can check by hand.
//! - An event is `key=value` fields; `at` and `visit_at` are seconds from the midnight that begins [`DAY`].
//! - Values are JSON where they parse as such, else text; hashes are small numbers.

use metronome::clock::Millis;
use metronome::event::{Day, Event, Key, Known, Shape, Value};
use metronome::store::Derive;
use metronome::store::plan::{Answer, Group, Label, Limits, Measure, Metric, Plan, TimeKey, TimeRange};
use metronome::visits::{VisitorDay, step};

/// The first day of all tests, 2024-01-10.
pub const DAY: Day = Day(19_732);
/// A day's length.
pub const DAY_MS: Millis = 86_400_000;

/// The time `seconds` after the midnight that begins [`DAY`].
pub fn at(seconds: f64) -> Millis {
    Millis::from(DAY.0) * DAY_MS + (seconds * 1_000.0) as Millis
}

/// The event of `text`: site `s`, action `view`, the day of its time, unless it says so.
pub fn event(text: &str) -> Event {
    let mut event = Event::default();
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Action, Value::text("view"));
    for field in text.split(' ') {
        let (name, value) = field.split_once('=').expect("key=value");
        let key = if name == "at" { Known::Timestamp.into() } else { Key::named(name) };
        event.set(key.clone(), value_of(&key, value));
    }
    event.set(Known::ReceivedAt, Value::Int(event.at() + 5));
    if event.known(Known::Day).is_none() {
        event.set(Known::Day, Value::Int(event.at().div_euclid(DAY_MS)));
    }
    event
}

/// The events of a table.
pub fn events(table: &[&str]) -> Vec<Event> {
    table.iter().map(|text| event(text)).collect()
}

fn value_of(key: &Key, text: &str) -> Value {
    let shape = match key {
        Key::Known(known) => Some(known.shape()),
        Key::Free(_) => None,
    };
    match shape {
        Some(Shape::Time) => Value::Int(at(text.parse().expect("seconds"))),
        Some(Shape::Day) => Value::Int(Day::parse(text).expect("a day").0.into()),
        Some(Shape::Text) => Value::text(text),
        _ => serde_json::from_str(text).map_or_else(|_| Value::text(text), json_value),
    }
}

fn json_value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::Uint))
            .or_else(|| Value::number(number.as_f64()?))
            .expect("a number"),
        serde_json::Value::Array(members) => Value::List(members.into_iter().map(json_value).collect()),
        other => Value::text(other.as_str().expect("text")),
    }
}

/// A plan over all time and events.
pub fn plan(groups: Vec<Group>, metrics: Vec<Metric>) -> Plan {
    let (filter, range, limits) = (metronome::store::plan::Filter::All, all_time(), Limits::default());
    Plan { filter, range, groups, metrics, order: Vec::new(), offset: 0, limit: 1_000, limits }
}

/// Events by these keys.
pub fn events_by(keys: &[&str]) -> Plan {
    plan(keys.iter().map(|key| Group::Key(Key::named(key))).collect(), vec![Metric::of(Measure::Events)])
}

/// Every time that tests use.
pub fn all_time() -> TimeRange {
    TimeRange { key: TimeKey::Timestamp, from: at(-400.0 * 86_400.0), to: at(400.0 * 86_400.0) }
}

/// Times from one second up to another.
pub fn between(from: f64, to: f64) -> TimeRange {
    TimeRange { key: TimeKey::Timestamp, from: at(from), to: at(to) }
}

/// Rows as text: labels, then values; `null` and `-` where there is none, times as seconds.
pub fn shown(answer: &Answer) -> Vec<String> {
    let label = |label: &Label| match label {
        Label::Null => "null".to_owned(),
        Label::Time(time) => ((time - at(0.0)) as f64 / 1_000.0).to_string(),
        Label::Text(text) => text.to_string(),
    };
    let value = |value: &Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    let rows = answer.rows.iter();
    rows.map(|row| row.labels.iter().map(label).chain(row.values.iter().map(value)).collect::<Vec<_>>().join(" "))
        .collect()
}

/// What the `id` keys of events say, `-` for none.
pub fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.text(Known::Id).unwrap_or("-")).collect()
}

/// Derives visits as the product does.
pub fn visits() -> Derive {
    let (mut of, mut state) = (None, VisitorDay::default());
    Box::new(move |event| {
        let whose = event.hash(Known::Visitor).map(|visitor| (event.site().to_owned(), visitor));
        if whose.is_none() || whose != of {
            (of, state) = (whose, VisitorDay::default());
        }
        step(&mut state, event).write(event);
    })
}
