//! Frames of whole streams, of the same in pieces, and at the bound.

use super::*;

/// The frames of a stream that comes in these pieces, as text.
fn frames(pieces: &[&[u8]], bytes_max: usize) -> Vec<String> {
    let (mut framer, mut buffer, mut found) = (Framer::new(bytes_max), Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(frame) = framer.next(&buffer) {
            found.push(told(&frame, &buffer));
        }
        buffer.drain(..framer.take_done());
    }
    found.extend(framer.finish().map(|frame| told(&frame, &buffer)));
    found
}

fn told(frame: &Frame, buffer: &[u8]) -> String {
    let text = |range: &Range<usize>| String::from_utf8_lossy(&buffer[range.clone()]).into_owned();
    match frame {
        Frame::Object(range) | Frame::Entry(range) => text(range),
        Frame::Text(range) => format!("text {}", text(range)),
        Frame::TooLarge => "too large".to_owned(),
    }
}

#[track_caller]
fn splits(stream: &str, expected: &[&str]) {
    let stream = stream.as_bytes();
    assert_eq!(frames(&[stream], 1000), expected);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(frames(&bytes, 1000), expected, "byte by byte");
    for cut in 0..=stream.len() {
        assert_eq!(frames(&[&stream[..cut], &stream[cut..]], 1000), expected, "cut at {cut}");
    }
}

#[test]
fn values_are_told_apart_however_they_are_laid_out() {
    splits("{\"a\":1}\n{\"b\":2}\r\n\n{}\n", &[r#"{"a":1}"#, r#"{"b":2}"#, "{}"]);
    splits(r#"{"a":"}{\"\\"}{"b":{"c":[{}]}} {}"#, &[r#"{"a":"}{\"\\"}"#, r#"{"b":{"c":[{}]}}"#, "{}"]);
    splits("{\n \"a\": [\n  {\"b\":\n{}},\n{} ]\n}{}", &["{\n \"a\": [\n  {\"b\":\n{}},\n{} ]\n}", "{}"]);
    splits("[{\"a\":1}, {\"b\":2}]\n[]\n[ {} ]{}", &[r#"{"a":1}"#, r#"{"b":2}"#, "{}", "{}"]);
    splits("\u{feff}{}\0{}\0", &["{}", "{}"]);
    splits("", &[]);
}

#[test]
fn a_line_that_is_no_json_is_text_and_ends_with_its_line() {
    splits("GET / HTTP/1.1\r\n{}\n", &["text GET / HTTP/1.1\r", "{}"]);
    splits("[2026-11-24] up\n[1,2]\n{}", &["text [2026-11-24] up", "text [1,2]", "{}"]);
    splits("{} trailing\n{}", &["{}", "text trailing", "{}"]);
    splits("\u{feff}x", &["text x"]);
    splits("\u{ff21}\n[", &["text \u{ff21}", "text ["]);
}

#[test]
fn a_broken_object_takes_its_own_line_and_no_other() {
    splits("{\"a\":1\n{\"b\":2}\n", &["{\"a\":1\n", r#"{"b":2}"#]);
    splits("{\"a\":\"x\n{\"b\":2}\n", &["{\"a\":\"x\n", r#"{"b":2}"#]);
    splits("{\"a\":1 {\"b\":2}\n{\"c\":3}", &[r#"{"a":1 {"b":2}"#, r#"{"c":3}"#]);
    // Cut off where an object may stand: the next line could be it, the one after that not.
    splits("{\"a\":\n{\"b\":2}\n{\"c\":3}\n", &["{\"a\":\n{\"b\":2}\n", r#"{"c":3}"#]);
    splits("{\"a\":1", &[r#"{"a":1"#]);
}

#[test]
fn a_value_beyond_the_bound_is_told_once_and_passed_over_without_being_held() {
    let large = format!("{{\"a\":\"{}\\\"\",\"b\":[{{}}]}}", "x".repeat(90));
    let text = "y".repeat(90);
    for value in [large.as_str(), &text] {
        let stream = format!("{{}}\n{value}\n{{\"c\":1}}");
        for size in [1, 7, 16] {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            assert_eq!(frames(&pieces, 32), ["{}", "too large", r#"{"c":1}"#], "{value} by {size}");
        }
    }
    // What is whole in the buffer is measured by whoever reads it, exactly.
    let whole = frames(&[large.as_bytes()], 32);
    assert_eq!(whole, [large.as_str()]);
}

#[test]
fn no_more_than_the_bound_and_a_piece_is_ever_held() {
    for byte in [b'{', b'[', b'"', b' ', b'x', b'\\', b'\n'] {
        for opening in ["", "{", "{\"", "[", "{\"a\":"] {
            let (mut framer, mut buffer) = (Framer::new(100), opening.as_bytes().to_vec());
            for _ in 0..100 {
                buffer.extend_from_slice(&[byte; 50]);
                while framer.next(&buffer).is_some() {}
                buffer.drain(..framer.take_done());
                assert!(buffer.len() <= 150, "{opening}{}: {}", byte.escape_ascii(), buffer.len());
            }
        }
    }
}
