//! Top: order, ties, the row `null`, and that the sums reconcile.

use super::*;
use crate::event::{Day, Event, Value};
use crate::store::Entry;
use crate::store::memory::Memory;

/// An event of a day: fields as text.
fn event(day: i64, fields: &[(&str, &str)], visitor: i64) -> Event {
    let mut all = vec![
        ("@timestamp", Value::Int(day * 86_400_000)),
        ("day", Value::Int(day)),
        ("site", Value::text("s")),
        ("action", Value::text("view")),
    ];
    if visitor > 0 {
        all.push(("visitor", Value::Int(visitor)));
    }
    all.extend(fields.iter().map(|(name, value)| (*name, Value::text(*value))));
    Event::from_fields(all.into_iter().map(|(name, value)| (Key::named(name), value)).collect())
}

async fn store() -> Memory {
    let events = [
        event(0, &[("id", "/b"), ("browser", "Firefox")], 1),
        event(1, &[("id", "/b"), ("browser", "Firefox")], 1),
        event(1, &[("id", "/b")], 2),
        event(1, &[("id", "/a"), ("browser", "Chrome")], 2),
        event(1, &[("id", "/c"), ("browser", "Safari")], 0),
        event(1, &[("browser", "Safari")], 3),
        event(1, &[("id", "/c"), ("action", "download"), ("format", "csv")], 3),
        event(1, &[("id", "/c"), ("action", "engage")], 3),
        event(1, &[("id", "/a"), ("bot", "Robot")], 4),
    ];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 9).await.unwrap();
    store
}

fn question(key: &str, by: By) -> Question {
    Question {
        site: "s".into(),
        key: Key::named(key),
        by,
        range: Range::of_days(Day(0), Day(1), TimeZone::UTC),
        site_zone: TimeZone::UTC,
        only: Filter::All,
        bots: Bots::Exclude,
        counting: Counting::Raw,
        limit: 100,
        limits: Limits::default(),
    }
}

fn text(rows: &[Row]) -> String {
    let row = |(label, count): &Row| format!("{}={count}", label.as_deref().unwrap_or("null"));
    rows.iter().map(row).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn rows_come_by_count_and_ties_by_text() {
    let elsewhere = Range::of_days(Day(0), Day(1), TimeZone::get("Africa/Abidjan").unwrap());
    let table = [
        (question("id", By::Views), "/b=3 /a=1 /c=1"),
        (Question { range: elsewhere, ..question("id", By::Views) }, "/b=3 /a=1 /c=1"),
        (Question { limit: 2, ..question("id", By::Views) }, "/b=3 /a=1"),
        (Question { bots: Bots::Include, ..question("id", By::Views) }, "/b=3 /a=2 /c=1"),
        (Question { bots: Bots::Only, ..question("id", By::Views) }, "/a=1"),
        (Question { counting: Counting::Counter, ..question("id", By::Views) }, ""),
        (question("id", By::Downloads), "/c=1"),
        (question("browser", By::Views), "Firefox=2 Safari=2 null=1 Chrome=1"),
        (question("browser", By::Visitors), "null=2 Firefox=2 Chrome=1 Safari=1"),
        (question("browser", By::Events), "null=2 Firefox=2 Safari=2 Chrome=1"),
        (question("id", By::Visitors), "/b=3 /a=1 /c=1"),
        (question("nothing", By::Errors), ""),
    ];
    let store = store().await;
    for (question, expected) in table {
        let top = top(&store, &question).await.unwrap();
        assert_eq!(text(&top.rows), expected, "{:?} {:?}", question.key, question.by);
    }
}

#[tokio::test]
async fn the_sums_reconcile() {
    let sums = |total, shown, rest, without_visitor, bots| Sums { total, shown, rest, without_visitor, bots };
    let table = [
        (Question { limit: 1, ..question("id", By::Views) }, sums(6, 3, Some(3), Some(1), 1)),
        (question("browser", By::Views), sums(6, 6, Some(0), Some(1), 1)),
        (Question { bots: Bots::Include, limit: 1, ..question("id", By::Views) }, sums(7, 3, Some(4), Some(1), 1)),
        (question("browser", By::Visitors), sums(4, 6, None, Some(0), 1)),
    ];
    let store = store().await;
    for (question, expected) in table {
        let meta = top(&store, &question).await.unwrap().meta;
        assert_eq!(meta.sums, Some(expected), "{:?} {:?} {meta:?}", question.key, question.by);
        assert_eq!((meta.from.as_str(), meta.to.as_str()), ("1970-01-01", "1970-01-02"));
        assert_eq!(meta.open_days, ["1970-01-02", "1970-01-01"]);
    }
}

#[tokio::test]
async fn sealed_days_are_not_open() {
    let store = store().await;
    store.seal(Day(0), Box::new(|_| {})).await.unwrap();
    let meta = top(&store, &question("id", By::Views)).await.unwrap().meta;
    assert_eq!(meta.open_days, ["1970-01-02"]);
}
