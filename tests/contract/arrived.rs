//! Events as fixtures and documents write them, one JSON object a line, in a store as they arrive.
//! - They are of the site `default` unless they say so, days are UTC's, and nothing but the increments of visits is derived.

use metronome::event::{Event, Key, Known, Value};
use metronome::store::memory::Memory;
use metronome::store::{Entry, Store};
use metronome::visits::{VisitorDay, step};
use serde_json::Value as Json;
use std::collections::HashMap;

/// The oracle, with these events.
pub async fn stored(lines: &str) -> Memory {
    let store = Memory::new();
    let mut visitors = HashMap::new();
    let events = lines.lines().map(|line| arrived(line, &mut visitors));
    let entries: Vec<Entry> = events.zip(0..).map(|(event, position)| Entry { position, event }).collect();
    let end = entries.len() as u64;
    store.write(entries, end).await.expect("write");
    store
}

/// A line's event, with the increments of its arrival.
fn arrived(line: &str, visitors: &mut HashMap<(i64, u64), VisitorDay>) -> Event {
    let fields: serde_json::Map<String, Json> = serde_json::from_str(line).expect("an event");
    let mut event = Event::default();
    event.set(Known::Site, Value::text("default"));
    for (name, value) in fields {
        let value = match &value {
            Json::String(text) if name == "@timestamp" => {
                Value::Int(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
            }
            Json::String(text) => Value::text(text.as_str()),
            number => Value::number(number.as_f64().expect("a number")).expect("finite"),
        };
        event.set(Key::named(&name), value);
    }
    let day = event.at().div_euclid(86_400_000);
    event.set(Known::Day, Value::Int(day));
    let mut nobody = VisitorDay::default();
    let state = match event.hash(Known::Visitor) {
        Some(visitor) => visitors.entry((day, visitor)).or_default(),
        None => &mut nobody,
    };
    step(state, &event).write(&mut event);
    event
}
