//! Lumberjack: streams of frames, plain and compressed, in whatever pieces.

use crate::events::normalized;
use crate::mutants::{captured, run};
use metronome::normalize::{Limits, Receiver};
use metronome::receive::lumberjack::{Decoder, Numbered};

/// Beside the bytes of one event: what inflating takes.
const HELD_MAX: usize = 256 * 1024;

#[test]
fn lumberjack_stream() {
    let mut seeds = captured(&["golumber", "python-logstash-async-beats"]);
    seeds.push(b"2W\0\0\0\x022J\0\0\0\x01\0\0\0\x02{}2J\0\0\0\x02\0\x01\x80\0{".to_vec());
    run("lumberjack_stream", seeds, stream);
}

fn stream(bytes: &[u8]) {
    let (whole, why) = told(&[bytes]);
    for size in [1, 5, 100] {
        let (told, broken) = told(&bytes.chunks(size).collect::<Vec<_>>());
        assert_eq!(broken.is_some(), why.is_some(), "by {size}");
        // What was inflated at once with what is torn is not read; in smaller pieces more was, and may be bent otherwise.
        if [broken, why].contains(&Some("inflate")) {
            assert!(told.starts_with(&whole) || whole.starts_with(&told), "by {size}");
        } else {
            assert_eq!((told, broken), (whole.clone(), why), "by {size}");
        }
    }
}

/// The events of a stream in these pieces, and why it breaks, if it does.
fn told(pieces: &[&[u8]]) -> (Vec<String>, Option<&'static str>) {
    let mut decoder = Decoder::new(Limits::default());
    let mut told = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Numbered { number, raw, ends_window })) => {
                    told.push(format!("{number} {ends_window} {raw:?}"));
                    if let Ok(raw) = raw {
                        normalized(raw, Receiver::Log);
                    }
                }
                Ok(None) => break,
                Err(broken) => return (told, Some(broken.reason)),
            }
        }
        assert!(input.is_empty() && decoder.held_bytes() <= HELD_MAX, "{} held", decoder.held_bytes());
    }
    (told, None)
}
