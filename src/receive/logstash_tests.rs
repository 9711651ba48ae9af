//! What becomes of each shape, and of the names that collide.

use super::*;
use crate::normalize::{Limits, json};

fn after(text: &str, shapes: Shapes) -> serde_json::Value {
    let raw = plain(json::read(text.as_bytes(), &Limits::default()).unwrap(), shapes);
    raw.fields.iter().map(|(name, value)| (name.to_string(), value.json())).collect::<serde_json::Map<_, _>>().into()
}

#[track_caller]
fn becomes(text: &str, expected: serde_json::Value) {
    assert_eq!(after(text, Shapes::OfLogs), expected, "{text}");
}

#[test]
fn version_0_is_flattened_and_renamed() {
    becomes(
        r#"{"@timestamp":"2026-11-24T22:13:21.249Z","@message":"m","@source":"logstash://vm//a.py","@source_host":"vm",
            "@source_path":"/a.py","@tags":["a"],"@type":"logstash","@fields":{"path":"/p","nested":{"a":1}}}"#,
        serde_json::json!({
            "@timestamp": "2026-11-24T22:13:21.249Z", "message": "m", "@source": "logstash://vm//a.py", "host": "vm",
            "source_path": "/a.py", "tags": ["a"], "type": "logstash", "path": "/p", "nested.a": 1
        }),
    );
}

#[test]
fn extra_is_flattened_and_a_taken_name_keeps_its_own() {
    becomes(
        r#"{"host":"vm","extra":{"host":"other","n":{"a":1}}}"#,
        serde_json::json!({"host": "vm", "extra.host": "other", "n.a": 1}),
    );
    becomes(
        r#"{"@message":"m","@fields":{"message":"f"},"extra":{"message":"e"}}"#,
        serde_json::json!({"message": "m", "@fields.message": "f", "extra.message": "e"}),
    );
    becomes(r#"{"extra":{"a":1,"a":2}}"#, serde_json::json!({"a": 2}));
    becomes(r#"{"extra":"text"}"#, serde_json::json!({"extra": "text"}));
}

#[test]
fn a_python_file_is_no_page() {
    let library = r#"{"logger_name":"l","path":"/srv/app.py"}"#;
    becomes(library, serde_json::json!({"logger_name": "l", "source_path": "/srv/app.py"}));
    let own = r#"{"logger_name":"l","path":"/datasets/1"}"#;
    becomes(own, serde_json::json!({"logger_name": "l", "path": "/datasets/1"}));
    let asynchronous = r#"{"extra":{"logstash_async_version":"4.1.0","path":"/usr/bin/tool"}}"#;
    becomes(asynchronous, serde_json::json!({"logstash_async_version": "4.1.0", "source_path": "/usr/bin/tool"}));
    let other = r#"{"path":"/cgi/a.py","extra":{"path":"/b"}}"#;
    becomes(other, serde_json::json!({"path": "/cgi/a.py", "extra.path": "/b"}));
}

#[test]
fn date_is_the_time_where_there_is_no_other() {
    becomes(r#"{"date":1795557975.117}"#, serde_json::json!({"@timestamp": 1_795_557_975.117}));
    becomes(r#"{"date":"2026-11-24T22:00:00Z"}"#, serde_json::json!({"@timestamp": "2026-11-24T22:00:00Z"}));
    for kept in [
        r#"{"date":"next week"}"#,
        r#"{"date":"2026-11-24 22:00:00"}"#,
        r#"{"date":1,"@timestamp":"2026-11-24T22:00:00Z"}"#,
        r#"{"date":1,"timestamp":2}"#,
    ] {
        becomes(kept, serde_json::from_str(kept).unwrap());
    }
}

#[test]
fn metadata_is_dropped_but_for_a_documents_id() {
    becomes(
        r#"{"@metadata":{"beat":"filebeat","version":"8.1","_id":"d1"},"a":1}"#,
        serde_json::json!({"event_id": "d1", "a": 1}),
    );
    becomes(r#"{"@metadata":{"_id":"d1"},"event_id":"own"}"#, serde_json::json!({"event_id": "own"}));
}

#[test]
fn from_tick_only_what_nobody_else_writes_is_made_plain() {
    let kept = r#"{"date":1795557975,"extra.a":1,"logger_name":"l","path":"/a.py","@metadata.a":1}"#;
    assert_eq!(after(kept, Shapes::Unmistakable), serde_json::from_str::<serde_json::Value>(kept).unwrap());
    let v0 = after(r#"{"@message":"m","@fields":{"a":1},"extra":{"b":1}}"#, Shapes::Unmistakable);
    assert_eq!(v0, serde_json::json!({"message": "m", "a": 1, "extra.b": 1}));
    let marked = after(r#"{"extra":{"logstash_async_version":"4","path":"/a","b":1}}"#, Shapes::Unmistakable);
    assert_eq!(marked, serde_json::json!({"logstash_async_version": "4", "source_path": "/a", "b": 1}));
}
