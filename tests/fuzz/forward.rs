//! Forward: a connection's bytes, and a record of MessagePack.

use crate::events::normalized;
use crate::mutants::{files, root, run};
use metronome::normalize::{Limits, Receiver};
use metronome::receive::forward::read;
use metronome::receive::msgpack::{Scanner, entry, first, record};

const BYTES_MAX: usize = 1 << 20;

#[test]
fn forward() {
    let mut seeds = seeds();
    seeds.extend(files(&root().join("fixtures/wire/fluent-logger-go-json")));
    run("forward", seeds, connection);
}

#[test]
fn forward_msgpack() {
    run("forward_msgpack", seeds(), values);
}

/// What real senders sent (fixtures/wire).
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for capture in [
        "fluentd-forward-ack",
        "fluentd-forward-time-integer",
        "fluentbit-forward-ack",
        "fluentbit-forward-metadata-retained",
        "fluentbit-forward-tag-record-accessor",
        "fluent-logger-go-subsec",
        "fluent-logger-node-ms",
        "fluent-logger-node-packed",
        "fluent-org-logger-forward",
        "fluentlogger-py-nanosecond",
    ] {
        let found = files(&root().join("fixtures/wire").join(capture));
        assert!(!found.is_empty(), "{capture}");
        seeds.extend(found);
    }
    seeds
}

/// A connection is read or broken; every event of it becomes one that is whole.
fn connection(bytes: &[u8]) {
    for item in read(bytes, &Limits::default()).into_iter().flatten().flat_map(|(_, items)| items) {
        if let Ok(raw) = item.raw {
            normalized(raw, Receiver::Log);
        }
    }
}

/// Values end where they end however they are cut; what is an entry or a record is read without harm.
fn values(bytes: &[u8]) {
    let limits = Limits::default();
    let mut rest = bytes;
    while let Ok((value, after)) = first(rest) {
        let mut cut = Scanner::default();
        let half = cut.scan(&value[..value.len() / 2], BYTES_MAX);
        let whole = cut.scan(rest, BYTES_MAX);
        if value.len() <= BYTES_MAX {
            assert_eq!((half, whole), (Ok(None), Ok(Some(value.len()))));
        }
        if let Ok(raw) = record(value, &limits) {
            normalized(raw, Receiver::Log);
        }
        if let Ok(entry) = entry(value)
            && let Ok(Some(raw)) = entry.event(&limits)
        {
            normalized(raw, Receiver::Log);
        }
        rest = after;
    }
}
