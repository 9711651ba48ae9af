//! The example of docs/metrics.md that says what goes together, asked of the visits it gives.

use crate::events::{DAY, at};
use metronome::event::{Event, Known, Value};
use metronome::query::range::Range;
use metronome::report::recommendations::{Over, Question, Recommended, recommend};
use metronome::store::memory::Memory;
use metronome::store::plan::{Bots, Filter, Limits};
use metronome::store::{Entry, Store};

const PAGE: &str = include_str!("../../docs/metrics.md");

#[tokio::test]
async fn what_goes_together_is_as_it_says() {
    let visits = PAGE.split("```baskets\n").nth(1).and_then(|rest| rest.split("```").next()).expect("visits");
    let visits = visits.lines().zip(1..).flat_map(|(line, visit)| line.split(' ').map(move |item| view(item, visit)));
    let entries: Vec<Entry> = visits.zip(0..).map(|(event, position)| Entry { position, event }).collect();
    let (store, end) = (Memory::new(), entries.len() as u64);
    store.write(entries, end).await.expect("write");
    let example = PAGE.split("together with `").nth(1).expect("an example");
    let (item, rest) = example.split_once("`: `").expect("an item");
    let found = recommend(&store, &question(item)).await.expect("an answer").results;
    let row = |one: Recommended| {
        let score = one.score.map(|score| (score * 1e3).round() / 1e3);
        serde_json::json!([one.id, score, one.together, one.support])
    };
    let expected: serde_json::Value = serde_json::from_str(rest.split('`').next().expect("rows")).expect("rows");
    assert_eq!(found.into_iter().map(row).collect::<serde_json::Value>(), expected);
}

/// A view of a visit, which is another visitor's each.
fn view(item: &str, visit: i64) -> Event {
    let fields = [
        (Known::Site, Value::text("default")),
        (Known::Action, Value::text("view")),
        (Known::Id, Value::text(item)),
        (Known::Visitor, Value::Int(visit)),
        (Known::Visit, Value::Int(visit)),
        (Known::VisitAt, Value::Int(at(0.0))),
        (Known::Timestamp, Value::Int(at(0.0))),
        (Known::Day, Value::Int(i64::from(DAY.0))),
    ];
    Event::from_fields(fields.map(|(known, value)| (known.into(), value)).into())
}

fn question(item: &str) -> Question {
    Question {
        site: "default".to_owned(),
        item: item.to_owned(),
        over: Over::Visit,
        range: Range::of_days(DAY, DAY, jiff::tz::TimeZone::UTC),
        site_zone: jiff::tz::TimeZone::UTC,
        only: Filter::All,
        bots: Bots::Exclude,
        limit: 10,
        limits: Limits::default(),
    }
}
