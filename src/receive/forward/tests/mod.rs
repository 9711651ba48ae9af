//! What each part does alone, and a session over a pipe with a journal behind it.

mod parts;
mod session;

use rmp_serde::to_vec;
use serde::Serialize;
use serde_json::{Value, json};

/// MessagePack of what a sender would write.
fn pack(value: impl Serialize) -> Vec<u8> {
    to_vec(&value).expect("MessagePack")
}

/// A time of ours: 2025-11-24T16:00:00.25Z as EventTime.
const EVENT_TIME: [u8; 10] = [0xd7, 0, 0x69, 0x24, 0x81, 0, 0x0e, 0xe6, 0xb2, 0x80];

/// An entry `[EventTime, record]`.
fn entry(record: &Value) -> Vec<u8> {
    [&[0x92][..], &EVENT_TIME, &pack(record)].concat()
}

/// A chunk of so many entries, one after another.
fn entries(from: usize, count: usize) -> Vec<u8> {
    (from..from + count).flat_map(|n| entry(&json!({ "id": format!("i-{n}"), "n": n }))).collect()
}

/// A message in PackedForward mode.
fn packed(tag: &str, entries: &[u8], options: Value) -> Vec<u8> {
    pack((tag, serde_bytes::Bytes::new(entries), options))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}
