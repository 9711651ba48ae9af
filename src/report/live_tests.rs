//! Live: the edges of its minutes, whom it counts, and that both stores say the same.

use super::*;
use crate::event::{Key, Value};
use crate::store::Entry;
use crate::store::embedded::{Embedded, EmbeddedOptions};
use crate::store::memory::Memory;

/// 12:00:30 of 2015-01-22, UTC.
const NOW: Millis = 1_421_928_030_000;
const DAY_MS: Millis = 86_400_000;

/// An event so many seconds ago, with a visitor unless 0.
fn event(ago: f64, visitor: i64, fields: &[(&str, &str)]) -> Event {
    let at = NOW - (ago * 1_000.0) as Millis;
    let mut all = vec![
        ("@timestamp", Value::Int(at)),
        ("day", Value::Int(at.div_euclid(DAY_MS))),
        ("site", Value::text("s")),
        ("action", Value::text("view")),
    ];
    if visitor > 0 {
        all.push(("visitor", Value::Int(visitor)));
    }
    all.extend(fields.iter().map(|(name, value)| (*name, Value::text(*value))));
    Event::from_fields(all.into_iter().map(|(name, value)| (Key::named(name), value)).collect())
}

fn question() -> Question {
    let (site, limits) = ("s".to_owned(), Limits::default());
    Question { site, zone: TimeZone::UTC, only: Filter::All, bots: Bots::Exclude, newest_max: 10, limits }
}

/// Both stores with these events.
async fn stores(events: Vec<Event>) -> (tempfile::TempDir, [Box<dyn Store>; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(folder.path(), EmbeddedOptions::default()).unwrap();
    let stores: [Box<dyn Store>; 2] = [Box::new(Memory::new()), Box::new(embedded)];
    let entries: Vec<Entry> = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    for store in &stores {
        store.write(entries.clone(), entries.len() as u64).await.unwrap();
        store.flush().await.unwrap();
    }
    (folder, stores)
}

/// `minute=visitors/views/events` of minutes that have any.
fn brief(live: &Live) -> String {
    let minutes = live.minutes.iter().filter(|minute| **minute != Minute { minute: minute.minute.clone(), ..NOTHING });
    let brief = |of: &Minute| format!("{}={}/{}/{}", &of.minute[11..16], of.visitors, of.views, of.events);
    format!("{}: {}", live.current_visitors, minutes.map(brief).collect::<Vec<_>>().join(" "))
}

const NOTHING: Minute = Minute { minute: String::new(), visitors: 0, views: 0, events: 0 };

#[tokio::test]
async fn minutes_and_visitors_have_exact_edges() {
    let events = vec![
        event(-29.999, 9, &[]),
        event(-30.0, 8, &[("title", "the next minute")]),
        event(-0.001, 7, &[]),
        event(0.0, 1, &[("title", "now")]),
        event(10.0, 1, &[("action", "engage")]),
        event(31.0, 0, &[]),
        event(300.0, 2, &[]),
        event(300.001, 3, &[("action", "download")]),
        event(29.0 * 60.0 + 30.0, 4, &[]),
        event(29.0 * 60.0 + 30.001, 5, &[("title", "the minute before all")]),
        event(20.0, 6, &[("bot", "Robot")]),
        event(20.0, 6, &[("site", "other")]),
        event(20.0, 6, &[("country", "AT")]),
    ];
    let (_folder, stores) = stores(events).await;
    let table = [
        (question(), "3: 11:31=1/1/1 11:55=2/1/2 11:59=0/1/1 12:00=4/4/4"),
        (Question { bots: Bots::Only, ..question() }, "1: 12:00=1/1/1"),
        (Question { only: Filter::is(Known::Country, "AT"), ..question() }, "1: 12:00=1/1/1"),
        (Question { only: Filter::is(Known::Action, "engage"), ..question() }, "1: 12:00=1/0/0"),
        (Question { site: "nobody's".to_owned(), ..question() }, "0: "),
        (
            Question { zone: TimeZone::get("Asia/Kathmandu").unwrap(), ..question() },
            "3: 17:16=1/1/1 17:40=2/1/2 17:44=0/1/1 17:45=4/4/4",
        ),
    ];
    for (question, expected) in table {
        for store in &stores {
            let live = live(&**store, &question, NOW).await.unwrap();
            assert_eq!(brief(&live), expected, "{question:?}");
            assert_eq!(live.minutes.len(), 30);
        }
    }
}

#[tokio::test]
async fn an_answer_says_what_it_is_of() {
    let events =
        vec![event(3.0, 1, &[]), event(2.0, 0, &[]), event(1.0, 6, &[("bot", "Robot")]), event(9_000.0, 2, &[])];
    let (_folder, stores) = stores(events).await;
    let mut said = Vec::new();
    for store in &stores {
        let live = live(&**store, &Question { newest_max: 1, ..question() }, NOW).await.unwrap();
        assert_eq!(live.newest.len(), 1);
        assert_eq!(live.newest[0]["@timestamp"], "2015-01-22T12:00:28.000Z");
        assert_eq!((live.meta.from.as_str(), live.meta.to.as_str()), ("2015-01-22T11:31:00Z", "2015-01-22T12:01:00Z"));
        let sums = Sums { total: 2, shown: 2, rest: Some(0), without_visitor: Some(1), bots: 1 };
        assert_eq!(live.meta.sums, Some(sums));
        said.push(Live { meta: Meta { approximate: Vec::new(), ..live.meta }, ..live });
    }
    assert_eq!(said[0], said[1]);
    let none = live(&*stores[0], &Question { newest_max: 0, ..question() }, NOW).await.unwrap();
    assert!(none.newest.is_empty());
}

#[tokio::test]
async fn time_alone_lets_visitors_go() {
    let (_folder, stores) = stores(vec![event(0.0, 1, &[])]).await;
    for store in &stores {
        for (later, expected) in
            [(0, "1: 12:00=1/1/1"), (300_000, "1: 12:00=1/1/1"), (300_001, "0: 12:00=1/1/1"), (1_770_000, "0: ")]
        {
            assert_eq!(brief(&live(&**store, &question(), NOW + later).await.unwrap()), expected, "{later}");
        }
    }
}
