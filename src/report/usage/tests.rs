//! Usage: the shape of its answers, and that item tables and events give the same ones.

use super::*;
use crate::event::{Day, Event, Value};
use crate::query::range::Interval;
use crate::store::Entry;
use crate::store::memory::Memory;

const DAY_MS: i64 = 86_400_000;

/// An event of day `day` (from 1970-01-01), at this hour: id, action, and more fields.
fn event(day: i64, hour: i64, id: &str, action: &str, more: &[(&str, &str)]) -> Event {
    let mut fields = vec![
        ("@timestamp", Value::Int(day * DAY_MS + hour * 3_600_000)),
        ("day", Value::Int(day)),
        ("site", Value::text("s")),
        ("action", Value::text(action)),
        ("id", Value::text(id)),
        ("visitor", Value::Int(1)),
        ("visit", Value::Int(day * 10 + hour / 12)),
        ("visit_at", Value::Int((day * 24 + hour / 12 * 12) * 3_600_000)),
    ];
    fields.extend(more.iter().map(|(name, value)| (*name, Value::text(*value))));
    Event::from_fields(fields.into_iter().map(|(name, value)| (Key::named(name), value)).collect())
}

async fn store() -> Memory {
    let mut counted = event(1, 2, "/a", "view", &[("referer", "x.org")]);
    counted.set(Known::Counted, Value::Int(1));
    let events = vec![
        event(0, 1, "/a", "view", &[("referer", "y.org"), ("country", "AT"), ("path", "/a")]),
        counted,
        event(1, 3, "/a", "view", &[("referer", "x.org"), ("country", "AT")]),
        event(1, 4, "/a", "download", &[("format", "csv"), ("referer", "b.org"), ("country", "DE")]),
        event(1, 4, "/a", "download", &[]),
        event(9, 13, "/a", "view", &[("bot", "Robot")]),
        event(40, 0, "/a", "view", &[("browser", "Firefox"), ("source", "news")]),
        event(1, 0, "/a", "engage", &[]),
        event(1, 0, "/b", "view", &[]),
        event(1, 0, "/b", "error", &[]),
    ];
    let mut other = event(1, 0, "/a", "view", &[]);
    other.set(Known::Site, Value::text("other"));
    let entries: Vec<Entry> =
        events.into_iter().chain([other]).zip(0..).map(|(event, position)| Entry { position, event }).collect();
    let store = Memory::new();
    let end = entries.len() as u64;
    store.write(entries, end).await.unwrap();
    store
}

fn question(ids: &[&str]) -> Question {
    Question {
        site: "s".into(),
        ids: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
        range: Range::of_days(Day(0), Day(40), TimeZone::UTC),
        site_zone: TimeZone::UTC,
        interval: Interval::Day,
        only: Filter::All,
        bots: Bots::Exclude,
        counting: Counting::Raw,
        fill: false,
        limit: 100,
        fields: Field::PLAIN.to_vec(),
        limits: Limits::default(),
    }
}

async fn json(store: &Memory, question: &Question) -> String {
    let answer = usage(store, question).await.unwrap();
    answer.iter().map(|(id, item)| format!("{id} {}\n", serde_json::to_string(item).unwrap())).collect()
}

#[tokio::test]
async fn an_item_answers_three_keys_in_their_order() {
    let found = json(&store().await, &question(&["/a", "/never"])).await;
    let a = r#"{"views":{"1970-02-10":1,"1970-01-02":2,"1970-01-01":1},"downloads":{"csv":1,"other":1},"referers":{"x.org":2,"b.org":1,"y.org":1}}"#;
    assert_eq!(found, format!("/a {a}\n/never {{\"views\":{{}},\"downloads\":{{}},\"referers\":{{}}}}\n"));
}

#[tokio::test]
async fn every_choice_changes_what_it_says() {
    let base = || Question { fields: vec![Field::Views], ..question(&["/a"]) };
    let table = [
        (Question { interval: Interval::Week, ..base() }, r#"{"views":{"1970-02-09":1,"1969-12-29":3}}"#),
        (Question { interval: Interval::Month, ..base() }, r#"{"views":{"1970-02-01":1,"1970-01-01":3}}"#),
        (Question { bots: Bots::Only, ..base() }, r#"{"views":{"1970-01-10":1}}"#),
        (Question { counting: Counting::Counter, ..base() }, r#"{"views":{"1970-01-02":1}}"#),
        (
            Question { fields: vec![Field::Total], bots: Bots::Include, ..base() },
            r#"{"total":{"views":5,"downloads":2}}"#,
        ),
        (Question { fields: vec![Field::Referers], limit: 1, ..base() }, r#"{"referers":{"x.org":2}}"#),
        (Question { fields: vec![Field::Countries], ..base() }, r#"{"countries":{"AT":2,"DE":1}}"#),
        (
            Question { fields: vec![Field::Browsers, Field::Sources], ..base() },
            r#"{"browsers":{"Firefox":1},"sources":{"news":1}}"#,
        ),
        (Question { fields: vec![Field::Pages], ..base() }, r#"{"pages":{"/a":1}}"#),
        // One visitor on three days; two visits on one of them... and one each on the others.
        (Question { fields: vec![Field::Visitors, Field::Visits], ..base() }, r#"{"visitors":3,"visits":3}"#),
    ];
    let store = store().await;
    for (question, expected) in table {
        assert_eq!(json(&store, &question).await, format!("/a {expected}\n"));
    }
}

#[tokio::test]
async fn filling_puts_a_zero_on_every_day_without_views() {
    let range = Range::of_days(Day(0), Day(2), TimeZone::UTC);
    let question = Question { range, fill: true, fields: vec![Field::Views], ..question(&["/a", "/never"]) };
    let expected = "/a {\"views\":{\"1970-01-03\":0,\"1970-01-02\":2,\"1970-01-01\":1}}\n\
                    /never {\"views\":{\"1970-01-03\":0,\"1970-01-02\":0,\"1970-01-01\":0}}\n";
    assert_eq!(json(&store().await, &question).await, expected);
}

#[tokio::test]
async fn hours_and_other_zones_are_asked_of_the_events() {
    let store = store().await;
    let range = Range::of_days(Day(0), Day(1), TimeZone::UTC);
    let hours = Question { range, interval: Interval::Hour, fields: vec![Field::Views], ..question(&["/a"]) };
    let expected =
        r#"{"views":{"1970-01-02T03:00:00+00:00":1,"1970-01-02T02:00:00+00:00":1,"1970-01-01T01:00:00+00:00":1}}"#;
    assert_eq!(json(&store, &hours).await, format!("/a {expected}\n"));
    // 01:00 UTC on the 1st is still the 31st in New York.
    let zone = TimeZone::get("America/New_York").unwrap();
    let range = Range::of_days(Day(-1), Day(1), zone);
    let there = Question { range, fields: vec![Field::Views], ..question(&["/a"]) };
    assert_eq!(json(&store, &there).await, "/a {\"views\":{\"1970-01-01\":2,\"1969-12-31\":1}}\n");
}

#[tokio::test]
async fn tables_and_events_agree_on_every_question_both_can_answer() {
    let store = store().await;
    for ids in [None, Some(vec!["/a".to_owned(), "/b".to_owned(), "/never".to_owned()])] {
        for (bots, counting) in [
            (Bots::Exclude, Counting::Raw),
            (Bots::Include, Counting::Raw),
            (Bots::Only, Counting::Raw),
            (Bots::Include, Counting::Counter),
        ] {
            let by_tables = Question { ids: ids.clone(), bots, counting, ..question(&[]) };
            // The same instants in a zone of another name: the events must be asked.
            let zone = TimeZone::get("Africa/Abidjan").unwrap();
            let by_events = Question { range: Range::of_days(Day(0), Day(40), zone), ..by_tables.clone() };
            assert!(by_tables.table_plan().is_some() && by_events.table_plan().is_none());
            assert_eq!(json(&store, &by_tables).await, json(&store, &by_events).await, "{ids:?} {bots:?} {counting:?}");
        }
    }
}
