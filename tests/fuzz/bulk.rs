//! Elasticsearch's bulk: where actions and documents begin and end; and what a filter leaves of an answer.

use crate::mutants::{files, root, run};
use metronome::receive::elastic::bulk::{Action, Op, actions};
use metronome::receive::elastic::filter::Filter;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::HashMap;

#[test]
fn bulk_body() {
    let mut seeds: Vec<Vec<u8>> = [
        "{\"index\":{}}\n{}\n\n{\"delete\":{\"_id\":7}}\r\n{\"create\":{\"_index\":\"\\u00fc\"}}\n{\"a\":\n1}\n{\"update\":{}}\n",
        "{\"index\":{\"_id\":null,\"routing\":[[{}]]}}\n[]\n{\"index\":{}}",
    ]
    .map(Into::into)
    .into();
    seeds.extend(captured());
    run("bulk_body", seeds, body);
}

#[test]
fn bulk_filter() {
    let answer = "{\"took\":7,\"errors\":true,\"items\":[{\"index\":{\"_id\":\"1\",\"status\":201}},{\"create\":{\"error\":{\"type\":\"t\"}}}]}";
    let paths = ["items.*.error,took", "-**.status,-items.index", "**.type", "i*s.**,*", "a.b,,-", "**.**.**"];
    run("bulk_filter", paths.map(|paths| format!("{paths}\n{answer}").into_bytes()).into(), filter);
}

/// The bodies of bulks that real senders sent.
fn captured() -> Vec<Vec<u8>> {
    let folders = [
        "elasticsearch-py-8-ops",
        "elasticsearch-js-create",
        "fluentbit-es-default",
        "go-elasticsearch-8-noid",
        "rsyslog-elasticsearch-bulk",
        "syslogng-elasticsearch-type-id",
    ];
    let of = |name: &str| files(&root().join("fixtures/wire").join(name)).into_iter();
    let body = |bytes: Vec<u8>| {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        (bytes.starts_with(b"P")).then(|| bytes[end + 4..].to_vec())
    };
    folders.into_iter().flat_map(of).filter_map(body).collect()
}

/// Documents are lines, one behind the other; the line before is the action, which another parser finds to have the one name;
/// after a line that is none comes nothing.
fn body(bytes: &[u8]) {
    let (mut end, mut ended) = (0, false);
    for action in actions(bytes) {
        assert!(!ended, "something after the end");
        let Ok(Action { head, document }) = action else {
            ended = true;
            continue;
        };
        assert!(head.op != Op::Delete || document.is_none());
        let Some(document) = document else { continue };
        let offset = document.as_ptr() as usize - bytes.as_ptr() as usize;
        assert!(offset >= end && bytes[offset..].starts_with(document) && !document.contains(&b'\n'));
        end = offset + document.len();
        let before = bytes[..offset].trim_ascii_end();
        let line = before.rsplit(|byte| *byte == b'\n').next().expect("a line");
        let members = serde_json::from_str::<HashMap<String, IgnoredAny>>(&String::from_utf8_lossy(line));
        assert!(members.expect("an action").keys().eq([head.op.name()]), "{}", line.escape_ascii());
    }
}

/// A filter adds nothing, leaves JSON, and leaves the same when it is applied again.
fn filter(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (paths, json) = (String::from_utf8_lossy(&bytes[..at]), bytes[at + 1..].to_vec());
    let (Ok(Some(filter)), true) = (Filter::read(&paths), serde_json::from_slice::<Value>(&json).is_ok()) else {
        return;
    };
    let left = filter.cut(json.clone());
    assert!(left == b"{}" || left.len() <= json.len());
    assert!(serde_json::from_slice::<Value>(&left).is_ok());
    assert_eq!(filter.cut(left.clone()), left);
}
