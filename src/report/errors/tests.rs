//! Errors: groups in order, what each says of itself, and that the sums reconcile.

use super::*;
use crate::event::{Day, Key, Value};
use crate::store::Entry;
use crate::store::memory::Memory;
use jiff::tz::TimeZone;

const DAY: i64 = 86_400_000;

/// An event at an instant, with a fingerprint and a visitor unless 0; a release, a message, and what else.
fn event(at: i64, print: u64, visitor: i64, fields: &[(&str, &str)]) -> Event {
    let mut all = vec![
        ("@timestamp", Value::Int(at)),
        ("day", Value::Int(at.div_euclid(DAY))),
        ("site", Value::text("s")),
        ("action", Value::text("error")),
    ];
    if print > 0 {
        all.push(("fingerprint", Value::hash(print)));
    }
    if visitor > 0 {
        all.push(("visitor", Value::Int(visitor)));
    }
    all.extend(fields.iter().map(|(name, value)| (*name, Value::text(*value))));
    Event::from_fields(all.into_iter().map(|(name, value)| (Key::named(name), value)).collect())
}

async fn store() -> Memory {
    let late = [("error_type", "TypeError"), ("message", "x is 2"), ("release", "1.1")];
    let events = [
        event(1_000, 0xb, 1, &[("error_type", "TypeError"), ("message", "x is 1"), ("release", "1.0")]),
        event(DAY + 5, 0xb, 1, &late),
        event(DAY + 3, 0xb, 2, &[("release", "1.1"), ("action", "log")]),
        event(DAY + 4, 0xb, 2, &[]),
        event(10 * 3_600_000, 0xa, 0, &[("error_type", "http"), ("release", "1.1")]),
        event(11 * 3_600_000, 0xa, 3, &[("error_type", "http"), ("release", "1.0")]),
        event(20 * 3_600_000, 0xc, 3, &[("country", "AT")]),
        event(DAY + 20 * 3_600_000, 0xc, 3, &[("country", "AT")]),
        event(5, 0xb, 9, &[("bot", "Robot")]),
        event(6, 0, 9, &[("message", "no cause")]),
        event(3 * DAY, 0xb, 9, &[]),
        event(7, 0xb, 9, &[("site", "other")]),
    ];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 12).await.unwrap();
    store
}

fn question() -> Question {
    Question {
        site: "s".into(),
        range: Range::of_days(Day(0), Day(1), TimeZone::UTC),
        only: Filter::All,
        bots: Bots::Exclude,
        limit: 100,
        limits: Limits::default(),
    }
}

fn brief(groups: &[ErrorGroup]) -> String {
    let brief = |group: &ErrorGroup| format!("{}={}/{}", &group.fingerprint[15..], group.events, group.visitors);
    groups.iter().map(brief).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn groups_come_by_events_and_ties_by_fingerprint() {
    let store = store().await;
    let table = [
        (question(), "b=4/3 a=2/1 c=2/2"),
        (Question { limit: 2, ..question() }, "b=4/3 a=2/1"),
        (Question { bots: Bots::Include, ..question() }, "b=5/4 a=2/1 c=2/2"),
        (Question { bots: Bots::Only, ..question() }, "b=1/1"),
        (Question { only: Filter::is(Known::Country, "AT"), ..question() }, "c=2/2"),
        (Question { range: Range::of_days(Day(0), Day(0), TimeZone::UTC), ..question() }, "a=2/1 b=1/1 c=1/1"),
        (Question { range: Range::of_days(Day(8), Day(9), TimeZone::UTC), ..question() }, ""),
        (Question { site: "nobody's".into(), ..question() }, ""),
    ];
    for (question, expected) in table {
        assert_eq!(brief(&errors(&store, &question).await.unwrap().groups), expected, "{question:?}");
    }
}

#[tokio::test]
async fn a_group_says_when_where_and_what() {
    let groups = errors(&store().await, &question()).await.unwrap().groups;
    let said: Vec<_> = groups.iter().map(|group| serde_json::to_value(group).unwrap()).collect();
    let expected = serde_json::json!({
        "fingerprint": "000000000000000b",
        "error_type": "TypeError",
        "message": "x is 2",
        "events": 4,
        "visitors": 3,
        "first_seen": "1970-01-01T00:00:01.000Z",
        "last_seen": "1970-01-02T00:00:00.005Z",
        "series": {"1970-01-02": 3, "1970-01-01": 1},
        "releases": ["1.1", "1.0"],
        "sample": {
            "@timestamp": "1970-01-02T00:00:00.005Z", "@version": "1", "action": "error", "day": "1970-01-02",
            "error_type": "TypeError", "fingerprint": "000000000000000b", "message": "x is 2", "release": "1.1",
            "site": "s", "visitor": "0000000000000001",
        },
    });
    assert_eq!(said[0], expected);
    assert_eq!(said[1]["releases"], serde_json::json!(["1.0", "1.1"]), "ties by text");
    assert_eq!((&said[2]["message"], &said[2]["releases"]), (&serde_json::Value::Null, &serde_json::json!([])));
}

#[tokio::test]
async fn days_of_the_series_are_the_askers() {
    let zone = TimeZone::get("Pacific/Auckland").unwrap();
    let range = Range::of_days(Day(-40_000), Day(40_000), zone);
    let groups = errors(&store().await, &Question { range, ..question() }).await.unwrap().groups;
    let series = |at: usize| serde_json::to_string(&groups[at].series).unwrap();
    assert_eq!(series(0), r#"{"1970-01-04":1,"1970-01-02":3,"1970-01-01":1}"#);
    assert_eq!(series(2), r#"{"1970-01-03":1,"1970-01-02":1}"#);
}

#[tokio::test]
async fn the_sums_reconcile() {
    let store = store().await;
    let sums = |total, shown, rest, without_visitor, bots| Sums {
        total,
        shown,
        rest: Some(rest),
        without_visitor: Some(without_visitor),
        bots,
    };
    let table = [
        (question(), sums(8, 8, 0, 1, 1)),
        (Question { limit: 1, ..question() }, sums(8, 4, 4, 1, 1)),
        (Question { bots: Bots::Include, limit: 1, ..question() }, sums(9, 5, 4, 1, 1)),
    ];
    for (question, expected) in table {
        let meta = errors(&store, &question).await.unwrap().meta;
        assert_eq!(meta.sums, Some(expected), "{question:?}");
    }
    let one = group(&store, &Question { limit: 3, ..question() }, 0xb).await.unwrap().unwrap();
    assert_eq!(one.meta.sums, Some(sums(4, 3, 1, 0, 1)));
}

#[tokio::test]
async fn one_group_comes_with_its_newest_events() {
    let store = store().await;
    let all = errors(&store, &question()).await.unwrap().groups;
    let one = group(&store, &Question { limit: 3, ..question() }, 0xb).await.unwrap().unwrap();
    assert_eq!(one.group, all[0]);
    let times: Vec<_> =
        one.newest.iter().map(|event| event["@timestamp"].as_str().unwrap()[20..23].to_owned()).collect();
    assert_eq!(times, ["005", "004", "003"]);
    assert_eq!(one.newest[0], one.group.sample);
    assert_eq!(group(&store, &question(), 0xd).await.unwrap(), None);
    assert_eq!(group(&store, &Question { bots: Bots::Only, ..question() }, 0xa).await.unwrap(), None);
}
