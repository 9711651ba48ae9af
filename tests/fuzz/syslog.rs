//! Syslog: streams cut anywhere give the same messages, and every message is an event or refused.

use crate::events::normalized;
use crate::mutants::run;
use jiff::tz::TimeZone;
use metronome::normalize::{Limits, Receiver};
use metronome::receive::syslog::{Calendar, Frames, Next, read};

/// 2026-11-24T22:20:00Z.
const NOW: i64 = 1_795_558_800_000;
/// Small, so that mutants go beyond it.
const MESSAGE_BYTES_MAX: usize = 300;

const SEEDS: [&[u8]; 9] = [
    b"\x10<190>Nov 24 22:15:45 vm nginx: 127.0.0.1 - - [24/Nov/2026:22:15:45 +0000] \"GET /a?q=1 HTTP/1.1\" 200 3 \"-\" \"a \\x22 \\xC3\\x9C\"\n",
    b"\x40<182>1 2026-11-24T22:15:57.636809+00:00 vm httpd - - [timeQuality tzKnown=\"1\" isSynced=\"0\"] data.example:80 127.0.0.1 - - [24/Nov/2026:22:15:57 +0000] \"GET /b HTTP/1.1\" 404 3\n",
    b"\x2088 <131>1 2026-11-24T10:11:19Z sender.example wire - - [a@1 k=\"v \\\"q\\\" \xc3\xbc\"] plain text\n12 <1>p[7]: a\nb<13>x\0",
    b"\x80<134>2026-11-24T10:11:10.345678+01:00 sender.example wire[70] {\"action\":\"view\",\"n\":1.5,\"u\":\"\\xC3\xff\"}\n",
    b"\x01{\"PROGRAM\":\"wire\",\"_SDATA\":{\"a@1\":{\"k\":\"v\"}}}\n<13>Feb 29 2024 23:59:60.5 h p plain\r\n",
    b"\x3017 zx\x9c\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e<0>1 - - - - - -\n",
    b"\x7799999999 <1>lie\n9 <1>short\n400 <1>long\n",
    b"\xff<191>1 - h p - - [a b=\"1\" b=\"2\"][c]\xef\xbb\xbfbody ::1 192.0.2.7\n",
    b"\x05<13>kernel: [12.5] text without a time\n<5>Now 99 25:61:61 h p: x\n",
];

#[test]
fn syslog_stream() {
    run("syslog_stream", SEEDS.map(<[u8]>::to_vec).to_vec(), stream);
}

/// The first byte says where the rest is cut.
fn stream(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else { return };
    let cut = stream.len() * usize::from(*first) / 255;
    let whole = messages(&[stream]);
    assert_eq!(messages(&[&stream[..cut], &stream[cut..]]), whole, "cut at byte {cut}");
    let (limits, calendar) = (Limits::default(), Calendar { now: NOW, zone: &TimeZone::UTC });
    for message in whole.iter().flatten() {
        let Ok(said) = read(message, calendar, &limits) else { continue };
        if let Some((line, _)) = said.line {
            assert!(message.ends_with(line), "an id is made of what was sent");
        }
        normalized(said.raw, Receiver::Log);
    }
}

/// A stream's messages, `None` for each that is too long; as far as a lie.
fn messages(pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let (mut frames, mut held, mut found) = (Frames::bounded(MESSAGE_BYTES_MAX), Vec::new(), Vec::new());
    let end: &[u8] = b"";
    for piece in pieces.iter().chain([&end]) {
        if piece.is_empty() && frames.ends_line(&held) {
            held.push(b'\n');
        }
        held.extend_from_slice(piece);
        loop {
            let end = match frames.next(&held) {
                Err(_) => return found,
                Ok(Next::More) => break,
                Ok(Next::Passed { end }) => end,
                Ok(Next::TooLong { end }) => {
                    found.push(None);
                    end
                }
                Ok(Next::Message { message, end }) => {
                    found.push(Some(held[message].to_vec()));
                    end
                }
            };
            held.drain(..end);
        }
        assert!(held.len() < MESSAGE_BYTES_MAX + 20, "held {} bytes", held.len());
    }
    found
}
