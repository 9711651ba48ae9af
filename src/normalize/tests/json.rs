use super::*;
use crate::event::Value;
use proptest::prelude::*;

fn limits() -> Limits {
    Limits::default()
}

/// The parts of a body, as `at:text` or `at!`.
fn parts(body: &str, layout: Layout) -> String {
    let shown = split(body.as_bytes(), layout).map(|part| match part.bytes {
        Ok(bytes) => format!("{}:{}", part.at, String::from_utf8_lossy(bytes)),
        Err(_) => format!("{}!", part.at),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_body_is_split_into_its_values() {
    let rows = [
        ("", ""),
        ("  \r\n ", ""),
        ("{}", "0:{}"),
        ("\u{FEFF}{}", "0:{}"),
        ("{\"a\":\n1}\n", "0:{\"a\":\n1}"),
        ("[]", ""),
        (" [ ] ", ""),
        ("[{}, {\"a\":[1,\"]\"]},3]", "0:{} 1:{\"a\":[1,\"]\"]} 2:3"),
        ("[{}", "0!"),
        ("[{},", "0:{} 1!"),
        ("[{},]", "0:{} 1!"),
        ("[,]", "0!"),
        ("[{} {}]", "0!"),
        ("[{}]]", "1!"),
        ("[][]", "0!"),
        ("{}{}", "0:{} 1:{}"),
        ("{} {}", "0:{} 1:{}"),
        ("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}", "1:{\"a\":1} 2:{\"a\":2} 4:{\"a\":3}"),
        ("{}\n{bad\n{}", "1:{} 2! 3:{}"),
        ("{}\n{} x\n{}", "1:{} 2! 3:{}"),
        ("{}\n{}{}\n{}", "1:{} 2:{} 2:{} 3:{}"),
        ("{}\n\"a\n{}", "1:{} 2! 3:{}"),
        ("{}\n1\n[2]\n", "1:{} 2:1 3:[2]"),
        ("{}}", "0!"),
        ("{} \"x\"", "0!"),
        ("{}#", "0!"),
        ("{", "1!"),
        ("}", "1!"),
        ("{\n\"a\":1\n}\n{\n\"b\":2\n}", "1:{\n\"a\":1\n} 4:{\n\"b\":2\n}"),
        ("{\n{\n{}\n", "1! 2! 3:{}"),
    ];
    for (body, expected) in rows {
        assert_eq!(parts(body, Layout::Any), expected, "{body:?}");
    }
    let lines = [("{}", "1:{}"), ("\n{}\n[{}]\n", "2:{} 3:[{}]"), ("{\n}\n{}", "1! 2! 3:{}"), ("{}{}", "1:{} 1:{}")];
    for (body, expected) in lines {
        assert_eq!(parts(body, Layout::Lines), expected, "{body:?}");
    }
}

#[test]
fn a_message_names_the_place_in_the_body() {
    let rows = [
        ("{\"a\":tru}", "not JSON at line 1 column 9"),
        ("{}\n{\"a\":tru}\n", "not JSON at line 2 column 9"),
        ("{} {\"a\":tru}", "not JSON at line 1 column 12"),
        ("{}\nhello\n", "not JSON at line 2 column 1"),
        ("{}\n  [1]\n", "at line 2 column 3 stands an array"),
        ("{}\n12\n", "at line 2 column 1 stands a number"),
        ("{}\n\"a\"\n", "at line 2 column 1 stands a text"),
        ("{}\ntrue\n", "at line 2 column 1 stands a boolean"),
        ("{}\nnull\n", "at line 2 column 1 stands null"),
        ("{}\n{\"a\":\"\\ud800\"}", "no Unicode text at line 2 column 13: half of a surrogate pair"),
        ("{}\n{\"a\":1e999}", "no 64-bit number at line 2 column"),
        ("{}\n{\"a\":1} x", "not JSON at line 2 column 9"),
        ("[{},{\"a\" 1}]", "not JSON at line 1 column 10"),
        ("[\n{}\n{}]", "not JSON at line 3 column 1"),
    ];
    for (body, expected) in rows {
        let message = match read_all(body.as_bytes(), Layout::Any, &limits(), 10) {
            Ok(events) => events.into_iter().find_map(|(_, read)| read.err()).expect(body).message,
            Err(error) => error.to_string(),
        };
        assert!(message.starts_with(expected), "{body:?}: {message}");
    }
}

#[test]
fn an_array_stands_or_falls_as_a_whole_and_lines_one_by_one() {
    let read = |body: &str, max: usize| {
        read_all(body.as_bytes(), Layout::Any, &limits(), max).map(|events| {
            events
                .iter()
                .map(|(at, read)| format!("{at}{}", if read.is_ok() { "+" } else { "-" }))
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(read("[{},3,{}]", 3), Ok("0+ 1- 2+".to_owned()));
    assert!(matches!(read("[{},nope]", 9), Err(BodyError::NotJson { at: 1, .. })));
    assert!(matches!(read("[{}", 9), Err(BodyError::NotJson { at: 0, .. })));
    assert_eq!(read("{}\nnope\n{}", 9), Ok("1+ 2- 3+".to_owned()));
    assert_eq!(read("[]", 9), Ok(String::new()));
    assert_eq!(read(" ", 9), Err(BodyError::Empty));
    assert_eq!(read("\u{FEFF}", 9), Err(BodyError::Empty));
    assert_eq!(read("[{},{},{}]", 2), Err(BodyError::TooMany { limit: 2 }));
    assert_eq!(read("{}\n{}\n{}", 2), Err(BodyError::TooMany { limit: 2 }));
    assert_eq!(read("{}{}", 2), Ok("0+ 1+".to_owned()));
}

#[test]
fn depth_is_counted_without_recursion() {
    let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let mut limits = limits();
    limits.key_bytes_max = 1000;
    assert!(read(nested(32).as_bytes(), &limits).is_ok());
    let error = read(nested(33).as_bytes(), &limits).expect_err("too deep");
    assert_eq!(error.reason, Reason::TooDeep);
    assert_eq!(error.message, "nested too deep at line 1 column 161: the limit is 32 levels");
    let deep = format!("{{\"a\":{}", "[".repeat(60_000));
    assert_eq!(read(deep.as_bytes(), &limits).map_err(|e| e.reason), Err(Reason::TooDeep));
    let brackets_in_text = format!("{{\"a\":\"{}\"}}", "[\\\"{".repeat(100));
    assert!(read(brackets_in_text.as_bytes(), &limits).is_ok());
    let many = "[".repeat(100_000);
    assert_eq!(split(many.as_bytes(), Layout::Any).count(), 1);
}

#[test]
fn a_body_of_openings_is_read_at_most_twice() {
    let body = "{\n".repeat(200_000);
    assert_eq!(split(body.as_bytes(), Layout::Any).filter(|part| part.bytes.is_err()).count(), 200_000);
}

#[test]
fn log_lines_are_repaired() {
    let rows: [(&[u8], &str); 9] = [
        (b"{\"a\":\"\xFC\"}", "\u{FFFD}"),
        (b"{\"a\":\"x\\x22y\"}", "x\"y"),
        (b"{\"a\":\"\\xC3\\x9C\"}", "\u{DC}"),
        (b"{\"a\":\"\\x5C\\x16\"}", "\\\u{16}"),
        (b"{\"a\":\"\\ud800!\"}", "\u{FFFD}!"),
        (b"{\"a\":\"\\udc00\"}", "\u{FFFD}"),
        (b"{\"a\":\"\\ud83d\\ude00\\ud83d\"}", "\u{1F600}\u{FFFD}"),
        (b"{\"a\":\"\\\\x41 \xFF\"}", "\\x41 \u{FFFD}"),
        (b"{\"a\":\"\\u00e9\"}", "\u{e9}"),
    ];
    for (line, expected) in rows {
        let raw = read_lossy(line, &limits()).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!(raw.fields, [("a".into(), Value::text(expected))], "{line:?}");
    }
    for line in [b"{\"a\":\"\xFC\"}".as_slice(), b"{\"a\":\"\\ud800\"}", b"{\"\xFC\":1}", b"{\"\\udfaa\":0}"] {
        assert_eq!(read(line, &limits()).map_err(|error| error.reason), Err(Reason::Encoding), "{line:?}");
    }
    assert!(read_lossy(b"{\"a\":\\x2", &limits()).is_err());
    assert!(read_lossy(b"{\"a\":\"\\", &limits()).is_err());
}

proptest! {
    #[test]
    fn whatever_is_read_is_within_limits(body in json_like()) {
        let limits = Limits { event_bytes_max: 300, keys_max: 8, key_bytes_max: 12, depth_max: 4, ..limits() };
        for layout in [Layout::Any, Layout::Lines] {
            let mut last = 0;
            for part in split(&body, layout) {
                prop_assert!(part.at >= last);
                last = part.at;
                let Ok(bytes) = part.bytes else { continue };
                prop_assert_eq!(&body[part.offset..part.offset + bytes.len()], bytes);
                if let Ok(raw) = read(bytes, &limits) {
                    prop_assert!(raw.bytes <= 300);
                    for (key, value) in &raw.fields {
                        prop_assert!(!key.is_empty() && key.len() <= 12 && !key.chars().any(char::is_control));
                        for scalar in value.scalars() {
                            prop_assert!(!matches!(scalar, Value::List(_)));
                            prop_assert!(scalar.as_number().is_none_or(f64::is_finite));
                        }
                    }
                }
                let _ = read_lossy(bytes, &limits);
            }
            let _ = read_all(&body, layout, &limits, 20);
        }
    }
}

/// Bytes that look like JSON more often than chance has it.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\n",
            " ",
            "{}",
            "{\"a\":1}",
            "\"key\":",
            "\"\"",
            "1e9",
            "1e999",
            "-",
            "null",
            "true",
            "\\ud800",
            "\\x22",
            "{\"a\":{\"b\":[1,{}]}}",
            "\u{FEFF}",
            "\u{0}",
            "é",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}
