//! Streams of frames: whole, cut at every byte, lying, bent, and at their bounds.

use super::*;
use std::io::Write;

fn window(count: u32) -> Vec<u8> {
    [b"2W".as_slice(), &count.to_be_bytes()].concat()
}

fn event(number: u32, json: &str) -> Vec<u8> {
    declared(number, json.len() as u32, json)
}

fn declared(number: u32, bytes: u32, json: &str) -> Vec<u8> {
    [b"2J".as_slice(), &number.to_be_bytes(), &bytes.to_be_bytes(), json.as_bytes()].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn framed(payload: &[u8]) -> Vec<u8> {
    [b"2C".as_slice(), &(payload.len() as u32).to_be_bytes(), payload].concat()
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    framed(&zlib(bytes))
}

/// What a stream holds that comes in these pieces: each event's number, its keys, whether its window ends; and what breaks it.
fn told(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let mut decoder = Decoder::new(Limits::default());
    let mut events = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Numbered { number, raw, ends_window })) => {
                    let said = match raw {
                        Ok(raw) => {
                            format!("{:?}", raw.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
                        }
                        Err(rejection) => rejection.reason.name().to_owned(),
                    };
                    events.push(format!("{number} {said}{}", if ends_window { " end" } else { "" }));
                }
                Ok(None) => break assert!(input.is_empty()),
                Err(broken) => return (events, Some(broken.to_string())),
            }
        }
    }
    let torn = (!decoder.is_between()).then(|| "not at its end".to_owned());
    (events, torn)
}

#[track_caller]
fn holds(stream: &[u8], expected: &[&str]) {
    let expected = (expected.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), None);
    assert_eq!(told(&[stream]), expected);
    assert_eq!(told(&stream.chunks(1).collect::<Vec<_>>()), expected, "byte by byte");
    for cut in 0..=stream.len() {
        assert_eq!(told(&[&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
    }
}

#[track_caller]
fn breaks(stream: &[u8], says: &str) {
    let (_, broken) = told(&[stream]);
    assert!(broken.as_ref().is_some_and(|broken| broken.contains(says)), "{broken:?} says not {says:?}");
    assert_eq!(told(&stream.chunks(1).collect::<Vec<_>>()).1, broken, "byte by byte");
}

#[test]
fn windows_of_plain_and_compressed_frames_are_read_however_they_are_cut() {
    let three = [event(1, r#"{"a":1}"#), event(2, r#"{"b":{"c":2}}"#), event(3, "{}")].concat();
    let stream = [window(3), three.clone(), window(3), compressed(&three), window(1), event(7, "{}")].concat();
    holds(&stream, &[r#"1 ["a"]"#, r#"2 ["b.c"]"#, "3 [] end", r#"1 ["a"]"#, r#"2 ["b.c"]"#, "3 [] end", "7 [] end"]);
    // A window over several compressed frames, and between them a plain one.
    let stream = [window(3), compressed(&event(1, "{}")), event(2, "{}"), compressed(&event(3, "{}"))].concat();
    holds(&stream, &["1 []", "2 []", "3 [] end"]);
    holds(&window(0), &[]);
    holds(&compressed(b""), &[]);
}

#[test]
fn an_event_that_is_no_object_is_rejected_and_the_next_goes_on() {
    let stream = [window(4), event(1, "{"), event(2, "[]"), event(3, ""), event(4, "{}")].concat();
    holds(&stream, &["1 not_json", "2 not_an_object", "3 not_json", "4 [] end"]);
}

#[test]
fn an_event_beyond_its_bound_is_rejected_and_passed_over_without_being_held() {
    let at_bound = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024 - 8));
    let beyond = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024 - 7));
    let stream = [window(3), event(1, &at_bound), event(2, &beyond), event(3, "{}")].concat();
    let expected = [r#"1 ["a"]"#, "2 event_too_large", "3 [] end"].map(str::to_owned).to_vec();
    for pieces in [stream.chunks(stream.len()), stream.chunks(1000)] {
        assert_eq!(told(&pieces.collect::<Vec<_>>()), (expected.clone(), None));
    }
    assert_eq!(told(&[&window(3), &compressed(&stream[6..])]), (expected, None));

    let mut decoder = Decoder::new(Limits::default());
    let opening = [window(1), declared(1, FRAME_BYTES_MAX as u32, "")].concat();
    assert!(decoder.next(&mut &opening[..]).unwrap().is_none());
    for _ in 0..FRAME_BYTES_MAX / 65_536 - 1 {
        assert!(decoder.next(&mut &[b'x'; 65_536][..]).unwrap().is_none());
        assert_eq!(decoder.held_bytes(), 0);
    }
    assert!(decoder.next(&mut &[b'x'; 65_536][..]).unwrap().is_some());
}

#[test]
fn lengths_that_lie_break_the_connection_or_wait_and_reserve_nothing() {
    let limit = format!("limit is {FRAME_BYTES_MAX}");
    breaks(&[window(1), declared(1, u32::MAX, "")].concat(), &limit);
    breaks(&[window(1), declared(1, FRAME_BYTES_MAX as u32 + 1, "")].concat(), &limit);
    breaks(&[window(1), b"2C\xff\xff\xff\xff".to_vec()].concat(), &limit);
    breaks(&[window(2), event(1, "{}"), window(1)].concat(), "1 events of the one before are due");
    breaks(&event(1, "{}"), "in no window");
    breaks(&[window(1), event(1, "{}"), event(2, "{}")].concat(), "in no window");

    let mut decoder = Decoder::new(Limits::default());
    let opening = [window(u32::MAX), declared(1, 60_000, "{")].concat();
    assert!(decoder.next(&mut &opening[..]).unwrap().is_none());
    assert!(decoder.held_bytes() < 100, "{}", decoder.held_bytes());
    assert!(!decoder.is_between());
}

#[test]
fn what_is_not_lumberjack_is_told_apart() {
    breaks(b"1W\0\0\0\x01", "version 1");
    breaks(b"GET / HTTP/1.1\r\n", "2W, 2J and 2C are known");
    breaks(b"2D\0\0\0\x01", "\"2D\"");
    breaks(b"2A\0\0\0\x01", "\"2A\"");
    breaks(b"\x16\x03\x01\x02\0", "TLS");
}

#[test]
fn compression_is_neither_nested_nor_torn_nor_a_bomb() {
    let one = event(1, "{}");
    breaks(&[window(1), compressed(&compressed(&one))].concat(), "within another");
    breaks(&[window(1), compressed(&window(1))].concat(), "within a compressed frame");
    breaks(&[window(1), compressed(&one[..one.len() - 1])].concat(), "ends within an event");
    breaks(&[window(1), framed(b"no zlib at all")].concat(), "not whole zlib");
    let whole = zlib(&one);
    breaks(&[window(1), framed(&whole[..whole.len() - 1])].concat(), "cut off");
    breaks(&[window(1), framed(&[whole.as_slice(), b"xx"].concat())].concat(), "2 bytes follow");
    breaks(&[window(1), framed(b"")].concat(), "cut off");

    let padding = vec![b' '; INFLATED_BYTES_MAX / 4];
    let padded = declared(1, padding.len() as u32, std::str::from_utf8(&padding).unwrap());
    let four = [padded.clone(), padded.clone(), padded.clone(), padded].concat();
    let bomb = compressed(&four);
    assert!(bomb.len() < INFLATED_BYTES_MAX / 100);
    let (events, broken) = told(&[&window(4), &bomb]);
    assert_eq!(events, vec!["1 event_too_large"; 3], "the fourth is beyond the bound");
    assert!(broken.unwrap().contains("67108864 bytes inflated"));
}
