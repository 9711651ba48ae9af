//! The examples of docs/metrics.md, asked of the events it gives: a definition that says one thing and counts another fails.

use metronome::event::{Day, Event, Key, Known, Value};
use metronome::query::number::json as number;
use metronome::query::question::Setting;
use metronome::query::read::read;
use metronome::query::run::run;
use metronome::store::memory::Memory;
use metronome::store::plan::Limits;
use metronome::store::{Entry, Store};
use metronome::visits::{VisitorDay, step};
use std::collections::HashMap;

const PAGE: &str = include_str!("../../docs/metrics.md");
/// Noon of 2015-01-23, UTC.
const NOW: i64 = 1_422_014_400_000;
/// Examples on the page; a page that lost some would test less in silence.
const EXAMPLES: usize = 8;

#[tokio::test]
async fn every_example_is_answered_as_it_says() {
    let store = Memory::new();
    let events = blocks("ndjson").concat();
    let mut visitors: HashMap<(i64, u64), VisitorDay> = HashMap::new();
    let events = events.lines().map(|line| event(line, &mut visitors));
    let entries: Vec<Entry> = events.zip(0..).map(|(event, position)| Entry { position, event }).collect();
    let end = entries.len() as u64;
    store.write(entries, end).await.expect("write");
    let (questions, answers) = (blocks("json"), answers());
    assert_eq!((questions.len(), answers.len()), (EXAMPLES, EXAMPLES));
    for (question, expected) in questions.iter().zip(answers) {
        assert_eq!(answer(&store, question).await, expected, "{question}");
    }
}

/// The rows of an answer: labels, then numbers.
async fn answer(store: &Memory, question: &str) -> serde_json::Value {
    let json = serde_json::from_str(question).expect("a question");
    let (site, site_zone) = ("default".to_owned(), jiff::tz::TimeZone::UTC);
    let setting = Setting { site, site_zone, goals: &[], now: NOW, limits: Limits::default() };
    let query = read(&json, &setting).unwrap_or_else(|unfit| panic!("{question}: {unfit:?}"));
    let rows = run(store, &query).await.expect("an answer").rows.into_iter().map(|row| {
        let labels = row.labels.into_iter().map(serde_json::Value::from);
        labels.chain(row.values.into_iter().map(number)).collect::<serde_json::Value>()
    });
    rows.collect()
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// What stands behind each arrow.
fn answers() -> Vec<serde_json::Value> {
    let arrows = PAGE.lines().filter_map(|line| line.strip_prefix("→ `")?.strip_suffix('`'));
    arrows.map(|answer| serde_json::from_str(answer).expect("an answer")).collect()
}

/// An event of the page, with the increments of its arrival.
fn event(line: &str, visitors: &mut HashMap<(i64, u64), VisitorDay>) -> Event {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("an event");
    let mut event = Event::default();
    event.set(Known::Site, Value::text("default"));
    for (name, value) in fields {
        let value = match &value {
            serde_json::Value::String(text) if name == "@timestamp" => {
                Value::Int(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
            }
            serde_json::Value::String(text) => Value::text(text.as_str()),
            number => Value::number(number.as_f64().expect("a number")).expect("finite"),
        };
        event.set(Key::named(&name), value);
    }
    let day = event.at().div_euclid(86_400_000);
    event.set(Known::Day, Value::Int(i64::from(Day(day as i32).0)));
    let mut nobody = VisitorDay::default();
    let state = match event.hash(Known::Visitor) {
        Some(visitor) => visitors.entry((day, visitor)).or_default(),
        None => &mut nobody,
    };
    step(state, &event).write(&mut event);
    event
}
