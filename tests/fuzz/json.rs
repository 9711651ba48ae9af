//! JSON: one event, and whole bodies.

use crate::events::normalized;
use crate::mutants::{files, root, run};
use metronome::event::Value;
use metronome::load::mix::Mix;
use metronome::normalize::json::{self, Layout, read_all, split};
use metronome::normalize::{Limits, Reason, Receiver};
use serde::de::IgnoredAny;
use serde_json::Map;

const BATCH_MAX: usize = 100;

#[test]
fn json_event() {
    run("json_event", seeds(), event);
}

#[test]
fn json_body() {
    let mut seeds = seeds();
    seeds.extend(
        ["[{},{\"a\":1}]", "{}\n{\"a\":[1,2]}\n\nx\n{}", "{} {}{\"a\":{\"b\":\"}\"}}", "\u{feff}[{}]"].map(Into::into),
    );
    run("json_body", seeds, body);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = files(&root().join("fixtures/json-parsing/test_parsing"));
    let mix = Mix::new(1, "s", 1_431_857_103_000, 60_000, 100);
    for number in 0..10 {
        let mut event = Vec::new();
        mix.write(number, &mut event);
        seeds.push(event);
    }
    let rich = r#"{"@timestamp":"2015-05-17T10:05:03.1+02:00","sent_at":1431857103,"url":"https://a.example/d?utm_source=s&q=1#/x",
        "referer":"//b.example/x?y","user_agent":"Mozilla/5.0","ip":"::1","tags":["a",1,null],"error_type":"E","stack":"at f (a.js:1:2)",
        "status":"404","n":{"a":[{"b":1}],"c":[1.0,true,"x"]},"value":1e3,"visitor":"v","visit":5,"site":"s","interactive":false}"#;
    seeds.push(rich.into());
    seeds
}

/// Agrees with another parser on what is JSON, and on its plain texts.
fn event(bytes: &[u8]) {
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let read = json::read(bytes, &Limits::default());
    let object = serde_json::from_slice::<Map<String, serde_json::Value>>(bare);
    match (read, object) {
        (Ok(raw), object) => {
            assert!(serde_json::from_slice::<IgnoredAny>(bare).is_ok());
            for (key, value) in object.into_iter().flatten().filter(|(key, _)| !key.contains('.')) {
                if let Some(text) = value.as_str() {
                    assert_eq!(raw.get(&key), Some(&Value::text(text)), "{key:?}");
                }
            }
            normalized(raw, Receiver::Tick);
        }
        (Err(rejection), Ok(_)) => {
            assert!(!matches!(rejection.reason, Reason::NotJson | Reason::NotAnObject), "{rejection}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// Parts lie one behind the other, and each is read as it would be alone.
fn body(bytes: &[u8]) {
    let limits = Limits::default();
    for layout in [Layout::Any, Layout::Lines] {
        let mut end = 0;
        for part in split(bytes, layout).take(BATCH_MAX) {
            let Ok(slice) = part.bytes else { continue };
            assert!(part.offset >= end && bytes[part.offset..].starts_with(slice), "{part:?}", part = part.offset);
            end = part.offset + slice.len();
        }
        let Ok(events) = read_all(bytes, layout, &limits, BATCH_MAX) else { continue };
        assert!(events.len() <= BATCH_MAX && events.is_sorted_by(|one, next| one.0 <= next.0));
        for raw in events.into_iter().filter_map(|(_, read)| read.ok()) {
            normalized(raw, Receiver::Tick);
        }
    }
}
