//! Ways in: the same events in each protocol's own words, encoded before anything is sent.

use metronome::load::mix::Mix;
use serde_json::Value;
use std::io::Write;

/// Events of a batch, where a protocol has batches.
const BATCH: u64 = 1000;

/// One way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Tick,
    Forward,
    Bulk,
    Lines,
    SyslogTcp,
    SyslogUdp,
    Lumberjack,
}

/// In the order of the table; the first is what the others are held against.
pub const OURS: [Way; 7] =
    [Way::Tick, Way::Forward, Way::Bulk, Way::Lines, Way::SyslogTcp, Way::SyslogUdp, Way::Lumberjack];
/// The ways that VictoriaLogs has too.
pub const THEIRS: [Way; 3] = [Way::Tick, Way::Bulk, Way::SyslogTcp];

/// How a server says that it has a piece.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// It does not.
    None,
    /// So many bytes.
    Bytes(usize),
    /// Frames of a kind, a number and its sequence, until the last of a window.
    Sequence(u32),
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tick => "JSON lines to `/tick`",
            Self::Forward => "Forward, with acks",
            Self::Bulk => "`_bulk`",
            Self::Lines => "JSON lines by TCP",
            Self::SyslogTcp => "syslog by TCP",
            Self::SyslogUdp => "syslog by UDP",
            Self::Lumberjack => "Lumberjack",
        }
    }

    pub fn goal(self) -> &'static str {
        match self {
            Self::Forward | Self::Bulk | Self::Lines => "0.8",
            Self::SyslogTcp | Self::SyslogUdp => "0.5",
            Self::Tick | Self::Lumberjack => "",
        }
    }

    /// The port it has for itself.
    pub fn port(self) -> Option<&'static str> {
        match self {
            Self::Tick | Self::Bulk => None,
            Self::Forward => Some("forward"),
            Self::Lines => Some("lines"),
            Self::SyslogTcp | Self::SyslogUdp => Some("syslog"),
            Self::Lumberjack => Some("lumberjack"),
        }
    }

    pub fn answer(self) -> Answer {
        match self {
            Self::Forward => Answer::Bytes(forward_answer().len()),
            Self::Lumberjack => Answer::Sequence(BATCH as u32),
            _ => Answer::None,
        }
    }

    /// Batches, or datagrams.
    pub fn encode(self, mix: &Mix) -> Vec<Vec<u8>> {
        let size = if self == Self::SyslogUdp { 1 } else { BATCH };
        assert!(mix.events.is_multiple_of(size), "whole batches of {size}");
        let batches = (0..mix.events / size).map(|batch| batch * size..(batch + 1) * size);
        batches.map(|numbers| self.batch(numbers.map(|number| event(mix, number)))).collect()
    }

    fn batch(self, events: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Forward => return forward(events),
            Self::Lumberjack => return lumberjack(events),
            Self::SyslogTcp | Self::SyslogUdp => {
                for event in events {
                    let _ = out.write_all(b"<134>1 2026-03-01T10:05:03.123Z web1 app 42 - - ");
                    out.extend(event);
                    out.push(b'\n');
                }
            }
            Self::Tick | Self::Bulk | Self::Lines => {
                for event in events {
                    out.extend(event);
                    out.push(b'\n');
                }
            }
        }
        out
    }
}

fn event(mix: &Mix, number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    mix.write(number, &mut out);
    out
}

/// A chunk's id, as long as Fluentd's.
const CHUNK: usize = 25;

/// PackedForward, an entry each with its time, as Fluentd sends with `require_ack_response`.
fn forward(events: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut chunk = String::new();
    let mut count = 0;
    for event in events {
        let mut record: Value = serde_json::from_slice(&event).expect("JSON");
        let object = record.as_object_mut().expect("an object");
        let at = object.remove("@timestamp").and_then(|at| at.as_u64()).expect("a time");
        // No two chunks have the same first event.
        if chunk.is_empty() {
            chunk = format!("{:0>1$}\n", object["event_id"].as_str().expect("an id"), CHUNK - 1);
        }
        count += 1;
        rmp::encode::write_array_len(&mut entries, 2).expect("memory");
        rmp::encode::write_ext_meta(&mut entries, 8, 0).expect("memory");
        entries.extend(((at / 1000) as u32).to_be_bytes());
        entries.extend(((at % 1000) as u32 * 1_000_000).to_be_bytes());
        rmp_serde::encode::write(&mut entries, &record).expect("memory");
    }
    let mut out = Vec::new();
    rmp::encode::write_array_len(&mut out, 3).expect("memory");
    rmp::encode::write_str(&mut out, "app.events").expect("memory");
    rmp::encode::write_bin(&mut out, &entries).expect("memory");
    rmp::encode::write_map_len(&mut out, 2).expect("memory");
    rmp::encode::write_str(&mut out, "chunk").expect("memory");
    rmp::encode::write_str(&mut out, &chunk).expect("memory");
    rmp::encode::write_str(&mut out, "size").expect("memory");
    rmp::encode::write_uint(&mut out, count).expect("memory");
    out
}

/// What a server answers to a chunk, but for the id itself.
fn forward_answer() -> Vec<u8> {
    let mut out = Vec::new();
    rmp::encode::write_map_len(&mut out, 1).expect("memory");
    rmp::encode::write_str(&mut out, "ack").expect("memory");
    rmp::encode::write_str(&mut out, &"x".repeat(CHUNK)).expect("memory");
    out
}

/// A window of JSON frames within one compressed frame, as Beats send.
fn lumberjack(events: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut count = 0_u32;
    for event in events {
        count += 1;
        frames.extend(b"2J");
        frames.extend(count.to_be_bytes());
        frames.extend((event.len() as u32).to_be_bytes());
        frames.extend(event);
    }
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(3));
    packed.write_all(&frames).expect("memory");
    let packed = packed.finish().expect("memory");
    let mut out = b"2W".to_vec();
    out.extend(count.to_be_bytes());
    out.extend(b"2C");
    out.extend((packed.len() as u32).to_be_bytes());
    out.extend(packed);
    out
}
