//! Times: percentiles worked out by hand, rows in order, sums by page view, ratings at their bounds.

use super::*;
use crate::event::{Day, Event, Value};
use crate::query::meta::Sums;
use crate::store::Entry;
use crate::store::memory::Memory;
use jiff::tz::TimeZone;

/// Fields as text or, where they read as one, as a number; `at` in seconds since 1970.
fn event(fields: &str) -> Event {
    let read = |text: &str| text.parse().ok().and_then(Value::number).unwrap_or_else(|| Value::text(text));
    let mut all = vec![("site".to_owned(), Value::text("s")), ("action".to_owned(), Value::text("view"))];
    for (name, text) in fields.split(' ').filter_map(|field| field.split_once('=')) {
        match name {
            "at" => {
                let at: i64 = text.parse().unwrap();
                all.push(("@timestamp".to_owned(), Value::Int(at * 1_000)));
                all.push(("day".to_owned(), Value::Int(at / 86_400)));
            }
            "tags" => all.push((name.to_owned(), Value::List(text.split(',').map(Value::text).collect()))),
            _ => all.push((name.to_owned(), read(text))),
        }
    }
    Event::from_fields(all.into_iter().map(|(name, value)| (Key::named(&name), value)).collect())
}

async fn store(events: &[&str]) -> Memory {
    let store = Memory::new();
    let entries = events.iter().zip(0..).map(|(fields, position)| Entry { position, event: event(fields) }).collect();
    store.write(entries, events.len() as u64).await.unwrap();
    store
}

fn question(metric: &str, by: By) -> Question {
    Question {
        site: "s".into(),
        of: Of::per_view(metric).unwrap_or_else(|| Of::Numbers(Key::named(metric))),
        by,
        range: Range::of_days(Day(0), Day(2), TimeZone::UTC),
        bots: Bots::Exclude,
        only: Filter::All,
        limit: 100,
        limits: Limits::default(),
    }
}

fn text(rows: &[Row]) -> String {
    let number = |value: &Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    let row = |row: &Row| {
        let percentiles: Vec<String> = row.percentiles.iter().map(number).collect();
        let rating = row.rating.map_or("-", Rating::name);
        format!("{}={} {} {rating}", row.label.as_deref().unwrap_or("null"), row.count, percentiles.join(" "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn by(key: &str) -> By {
    By::Key(Key::named(key))
}

const LOADS: [&str; 9] = [
    "at=10 path=/b visitor=1 lcp_ms=100 took=3 tags=x,y",
    "at=20 path=/b visitor=1 lcp_ms=2500 took=slow",
    "at=3600 path=/b visitor=1 lcp_ms=2600 took=5",
    "at=3610 path=/b visitor=1 lcp_ms=9000",
    "at=90000 path=/a visitor=2 lcp_ms=4001 took=1",
    "at=90060 path=/c lcp_ms=4000 took=2",
    "at=90061 lcp_ms=7",
    "at=90070 path=/z visitor=3",
    "at=90080 path=/a visitor=4 bot=Robot lcp_ms=1",
];

#[tokio::test]
async fn percentiles_come_by_count_and_ties_by_text() {
    let table = [
        (question("lcp_ms", By::Nothing), "null=7 2600 4001 9000 9000 poor"),
        (
            question("lcp_ms", by("path")),
            "/b=4 2500 2600 9000 9000 needs-improvement; null=1 7 7 7 7 good; /a=1 4001 4001 4001 4001 poor; \
             /c=1 4000 4000 4000 4000 needs-improvement",
        ),
        (
            Question { limit: 2, ..question("lcp_ms", by("path")) },
            "/b=4 2500 2600 9000 9000 needs-improvement; null=1 7 7 7 7 good",
        ),
        (Question { bots: Bots::Only, ..question("lcp_ms", by("path")) }, "/a=1 1 1 1 1 good"),
        (
            Question { only: Filter::is(Known::Path, "/b"), ..question("lcp_ms", By::Time(Interval::Hour)) },
            "1970-01-01T00:00:00+00:00=2 100 2500 2500 2500 good; \
             1970-01-01T01:00:00+00:00=2 2600 9000 9000 9000 poor",
        ),
        (question("took", by("path")), "/b=2 3 5 5 5 -; /a=1 1 1 1 1 -; /c=1 2 2 2 2 -"),
        (question("nothing", by("path")), ""),
        (question("nothing", By::Nothing), ""),
    ];
    let store = store(&LOADS).await;
    for (question, expected) in table {
        let times = times(&store, &question).await.unwrap();
        assert_eq!(text(&times.rows), expected, "{:?} {:?}", question.of, question.by);
    }
}

#[tokio::test]
async fn counts_reconcile() {
    let store = store(&LOADS).await;
    let sums = |shown, rest, without_visitor| Sums { total: 7, shown, rest, without_visitor, bots: 1 };
    for (question, expected) in [
        (question("lcp_ms", by("path")), sums(7, Some(0), Some(2))),
        (Question { limit: 1, ..question("lcp_ms", by("path")) }, sums(4, Some(3), Some(2))),
        (Question { limit: 1, ..question("lcp_ms", by("tags")) }, sums(6, None, Some(2))),
    ] {
        let meta = times(&store, &question).await.unwrap().meta;
        assert_eq!(meta.sums, Some(expected), "{:?}", question.by);
        assert!(meta.approximate.is_empty(), "the oracle is exact");
    }
}

const ENGAGED: [&str; 8] = [
    "at=10 action=engage path=/a view_id=v1 engaged_ms=1000 scroll_gain=40",
    "at=20 action=engage path=/a view_id=v1 engaged_ms=500 scroll_gain=20",
    "at=86390 action=engage path=/b view_id=v2 engaged_ms=100",
    "at=86410 action=engage path=/b view_id=v2 engaged_ms=200",
    "at=30 action=engage path=/b view_id=v3 engaged_ms=50 scroll_gain=100",
    "at=40 action=engage path=/b view_id=v4 engaged_ms=7",
    "at=50 action=engage path=/b engaged_ms=9000",
    "at=60 action=engage path=/a bot=Robot view_id=v5 engaged_ms=1",
];

#[tokio::test]
async fn what_a_page_view_sends_in_pieces_is_one_sum_also_past_midnight() {
    let table = [
        (question("time_on_page", By::Nothing), "null=4 50 300 1500 1500 -"),
        (question("time_on_page", by("path")), "/b=3 50 300 300 300 -; /a=1 1500 1500 1500 1500 -"),
        (Question { limit: 1, ..question("time_on_page", by("path")) }, "/b=3 50 300 300 300 -"),
        (
            question("time_on_page", By::Time(Interval::Day)),
            "1970-01-01=4 50 100 1500 1500 -; 1970-01-02=1 200 200 200 200 -",
        ),
        (question("scroll_depth", By::Nothing), "null=2 60 100 100 100 -"),
    ];
    let store = store(&ENGAGED).await;
    for (question, expected) in table {
        let times = times(&store, &question).await.unwrap();
        assert_eq!(text(&times.rows), expected, "{:?} {:?}", question.of, question.by);
        let sums = times.meta.sums.unwrap();
        assert_eq!((sums.shown + sums.rest.unwrap(), sums.bots <= 1), (sums.total, true));
    }
}

#[test]
fn a_rating_is_good_up_to_its_first_bound_and_poor_above_its_second() {
    let rating = |name: &str, p75| Rating::of(&Key::named(name), Some(p75)).map(Rating::name);
    for (name, good, poor) in [
        ("lcp_ms", 2500.0, 4000.0),
        ("inp_ms", 200.0, 500.0),
        ("cls", 0.1, 0.25),
        ("fcp_ms", 1800.0, 3000.0),
        ("ttfb_ms", 800.0, 1800.0),
    ] {
        let got = [good, good + 0.001, poor, poor + 0.001].map(|p75| rating(name, p75));
        assert_eq!(got, ["good", "needs-improvement", "needs-improvement", "poor"].map(Some), "{name}");
    }
    assert_eq!((rating("load_ms", 1.0), Rating::of(&Key::named("cls"), None)), (None, None));
}
