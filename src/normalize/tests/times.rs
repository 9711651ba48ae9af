//! When an event happened, its day, and the range that is taken.

use super::support::{NOW, World, holds};
use crate::event::RawEvent;
use crate::normalize::{Reason, json};

#[test]
fn every_form_of_a_time() {
    World::tick().expect(&[
        (
            r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#,
            r#"{"@timestamp":"2015-05-17T10:05:03.123Z","day":"2015-05-17"}"#,
        ),
        (r#"{"@timestamp":"2015-05-17T12:05:03+02:00"}"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#"{"@timestamp":"17/May/2015:10:05:03 +0000"}"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#"{"@timestamp":1431857103}"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#"{"@timestamp":1431857103.25}"#, r#"{"@timestamp":"2015-05-17T10:05:03.250Z"}"#),
        (r#"{"@timestamp":1431857103123}"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#),
        (r#"{"@timestamp":1431857103123456}"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#),
        (r#"{"@timestamp":1431857103123456789}"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#),
        (r#"{"@timestamp":"1431857103"}"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#"{"@timestamp":-1}"#, r#"{"@timestamp":"1969-12-31T23:59:59.000Z","day":"1969-12-31"}"#),
        (r#"{"@timestamp":null}"#, r#"{"@timestamp":"2015-05-17T12:00:00.000Z"}"#),
        // Short names are an application's own on /tick.
        (
            r#"{"time":"2015-05-17T10:05:03Z","ts":5}"#,
            r#"{"@timestamp":"2015-05-17T12:00:00.000Z","time":"2015-05-17T10:05:03Z","ts":5}"#,
        ),
    ]);
}

#[test]
fn a_time_that_is_none_is_refused() {
    for value in ["\"yesterday\"", "\"\"", "true", "[1431857103]", "\"2015-05-17\"", "1e300", "\"2015-05-17T10:05:03\""]
    {
        World::tick().refuses(&format!("{{\"@timestamp\":{value}}}"), Reason::Time, &["@timestamp", "names no time"]);
    }
    World::tick().refuses(r#"{"timestamp":"yesterday"}"#, Reason::Time, &["@timestamp", "a text"]);
}

#[test]
fn a_doubtful_clock_is_corrected() {
    World::tick().expect(&[
        (
            r#"{"@timestamp":"2001-01-01T00:00:00Z","sent_at":"2001-01-01T00:00:10Z"}"#,
            r#"{"@timestamp":"2015-05-17T11:59:50.000Z","sent_at":null}"#,
        ),
        (
            r#"{"@timestamp":"2031-01-01T00:00:00Z","sent_at":1924992000.5}"#,
            r#"{"@timestamp":"2015-05-17T11:59:59.500Z"}"#,
        ),
        (r#"{"sent_at":"2001-01-01T00:00:10Z"}"#, r#"{"@timestamp":"2015-05-17T12:00:00.000Z"}"#),
        (
            r#"{"@timestamp":"2015-05-17T10:00:00Z","sent_at":"never"}"#,
            r#"{"@timestamp":"2015-05-17T10:00:00.000Z","x.sent_at":"never"}"#,
        ),
    ]);
    World::tick().refuses(
        r#"{"@timestamp":"2015-05-17T10:00:00Z","sent_at":"2001-01-01T00:00:00Z"}"#,
        Reason::Time,
        &["24 h ahead"],
    );
}

#[test]
fn the_range_that_is_taken() {
    World::tick().expect(&[
        (r#"{"@timestamp":"2015-05-18T12:00:00.000Z"}"#, r#"{"day":"2015-05-18"}"#),
        (r#"{"@timestamp":"0001-01-01T00:00:00Z"}"#, r#"{"@timestamp":"0001-01-01T00:00:00.000Z"}"#),
    ]);
    World::tick().refuses(r#"{"@timestamp":"2015-05-18T12:00:00.001Z"}"#, Reason::Time, &["@timestamp", "24 h"]);
    World::tick().refuses(r#"{"@timestamp":"9998-01-01T00:00:00Z"}"#, Reason::Time, &["24 h"]);
    let short = World::tick().with_rules(|rules| rules.retention_days = Some(30));
    short.expect(&[(r#"{"@timestamp":"2015-04-17T12:00:00.000Z"}"#, r#"{"day":"2015-04-17"}"#)]);
    short.refuses(r#"{"@timestamp":"2015-04-17T11:59:59.999Z"}"#, Reason::Time, &["retention", "30 days"]);
}

#[test]
fn the_day_is_the_sites() {
    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let world = World::tick().with_rules(|rules| rules.zone = berlin);
    world.expect(&[
        (r#"{"@timestamp":"2015-05-17T21:59:59.999Z"}"#, r#"{"day":"2015-05-17"}"#),
        (r#"{"@timestamp":"2015-05-17T22:00:00Z"}"#, r#"{"day":"2015-05-18"}"#),
    ]);
}

#[test]
fn the_protocols_time_counts_where_the_event_names_none() {
    const SAID: i64 = 1_431_857_103_123;
    let rows = [
        (r#"{"a":1}"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#),
        (r#"{"@timestamp":"2015-05-17T11:00:00Z"}"#, r#"{"@timestamp":"2015-05-17T11:00:00.000Z"}"#),
        (r#"{"timestamp":"2015-05-17T11:00:00Z"}"#, r#"{"@timestamp":"2015-05-17T11:00:00.000Z","timestamp":null}"#),
        (
            r#"{"timestamp":"2015-05-17 11:00:00,123"}"#,
            r#"{"@timestamp":"2015-05-17T10:05:03.123Z","timestamp":"2015-05-17 11:00:00,123"}"#,
        ),
        (r#"{"time":1431860000}"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z","time":1431860000}"#),
        (
            r#"{"time":1431860000,"request":"GET /a HTTP/1.1","status":200}"#,
            r#"{"@timestamp":"2015-05-17T10:53:20.000Z","time":null}"#,
        ),
        (r#"{"sent_at":1431857104.123}"#, r#"{"@timestamp":"2015-05-17T11:59:59.000Z"}"#),
    ];
    let world = World::log();
    let raw = |text: &str, said| RawEvent {
        protocol_time: Some(said),
        ..json::read(text.as_bytes(), &world.limits).expect("JSON")
    };
    for (text, expected) in rows {
        holds(&world.raw(raw(text, SAID)).expect("an event"), expected, text);
    }
    for (text, said) in
        [(r#"{"@timestamp":"noon"}"#, SAID), ("{}", NOW + 86_400_001), ("{}", i64::MAX), ("{}", i64::MIN)]
    {
        assert_eq!(world.raw(raw(text, said)).expect_err(text).reason, Reason::Time, "{text} {said}");
    }
}
