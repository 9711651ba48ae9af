//! Streams of lines: JSON and MessagePack, in whatever pieces.

use crate::events::normalized;
use crate::mutants::{captured, run};
use metronome::normalize::{Limits, Receiver};
use metronome::receive::lines::{Frame, Frames, read};

#[test]
fn lines_stream() {
    let mut seeds = captured(&["python-logstash", "winston", "fluentbit-tcp", "syslogng-network-json"]);
    seeds.extend(
        ["{\"a\":1\n{\"b\":[{}]}{}\n[{},\n{}] x\n\u{feff}", "[2026] a\n[1]\n\0{\"a\":\"\\\"", "[{\"a\":[[{}]]}, ]{"]
            .map(Into::into),
    );
    run("lines_stream", seeds, stream);
}

fn stream(bytes: &[u8]) {
    let limits = Limits::default();
    let whole = told(&[bytes], limits.event_bytes_max);
    for size in [1, 3, 64] {
        assert_eq!(told(&bytes.chunks(size).collect::<Vec<_>>(), limits.event_bytes_max), whole, "by {size}");
    }
    // With a small bound nothing much is held, whatever comes.
    told(&bytes.chunks(16).collect::<Vec<_>>(), 32);
    let mut frames = Frames::new(limits.event_bytes_max);
    while let Some(frame) = frames.next(bytes).ok().flatten().or_else(|| frames.finish(bytes)) {
        if let Some(Ok(raw)) = read(bytes, &frame, &limits) {
            normalized(raw, Receiver::Log);
        }
    }
}

/// The frames of a stream in these pieces, as their bytes; the last is a word where it breaks.
fn told(pieces: &[&[u8]], bytes_max: usize) -> Vec<Vec<u8>> {
    let (mut frames, mut buffer, mut told) = (Frames::new(bytes_max), Vec::new(), Vec::new());
    let bytes_of = |buffer: &[u8], frame: Frame| match frame {
        Frame::Object(range) | Frame::Entry(range) | Frame::Text(range) => buffer[range].to_vec(),
        Frame::TooLarge => b"too large".to_vec(),
    };
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match frames.next(&buffer) {
                Ok(Some(frame)) => told.push(bytes_of(&buffer, frame)),
                Ok(None) => break,
                Err(broken) => {
                    told.push(broken.reason.into());
                    return told;
                }
            }
        }
        buffer.drain(..frames.take_done());
        assert!(buffer.len() <= 16 * bytes_max + piece.len(), "{} held", buffer.len());
    }
    told.extend(frames.finish(&buffer).map(|frame| bytes_of(&buffer, frame)));
    told
}
