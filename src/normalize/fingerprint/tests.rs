//! Fingerprints by tables of what is one error and what is another, and numbers that stay.

use super::*;
use crate::event::Value;

fn error(fields: &[(Known, &str)]) -> Event {
    Event::from_fields(fields.iter().map(|(key, text)| ((*key).into(), Value::text(*text))).collect())
}

fn http(status: i64, method: &str, path: &str) -> Event {
    let mut event = error(&[(Known::ErrorType, "http"), (Known::Method, method), (Known::Path, path)]);
    event.set(Known::Status, Value::Int(status));
    event
}

const V8: &str = "TypeError: x\n    at load (https://example.com/assets/main.3f2a1b9c.js:1:2345)\n    at run (https://example.com/app.js:3:4)";
const V8_NEXT_RELEASE: &str = "TypeError: y\n    at load (https://cdn.example.org/assets/main.77b1c2d3.js:1:9999)\n    at run (https://cdn.example.org/app.js:5:6)";
const FIREFOX: &str = "load@https://example.com/assets/main.3f2a1b9c.js:1:2345\nrun@https://example.com/app.js:3:4";
const V8_OTHER: &str = "TypeError: x\n    at save (https://example.com/assets/main.3f2a1b9c.js:1:2345)\n    at run (https://example.com/app.js:3:4)";

#[test]
fn one_cause_has_one_fingerprint() {
    use Known::{ErrorType, Message, Stack};
    for (what, one, other) in [
        (
            "lines, hashes, hosts, messages",
            error(&[(ErrorType, "TypeError"), (Stack, V8)]),
            error(&[(ErrorType, "TypeError"), (Stack, V8_NEXT_RELEASE), (Message, "y")]),
        ),
        (
            "browsers",
            error(&[(ErrorType, "TypeError"), (Stack, V8)]),
            error(&[(ErrorType, "TypeError"), (Stack, FIREFOX)]),
        ),
        ("numbers in a message", error(&[(Message, "timeout after 30 s")]), error(&[(Message, "timeout after 31 s")])),
        (
            "names in a message",
            error(&[(Message, "no key \"a\" for a@example.com")]),
            error(&[(Message, "no key \"b\" for b@example.org")]),
        ),
        (
            "releases, pages, people",
            error(&[(Message, "x"), (Known::Release, "1")]),
            error(&[(Message, "x"), (Known::Path, "/a"), (Known::User, "anna")]),
        ),
        ("a stack of no known shape", error(&[(Stack, "at line 3 of job 7")]), error(&[(Stack, "at line 4 of job 8")])),
    ] {
        assert!(of(&one, None).is_some(), "{what}");
        assert_eq!(of(&one, None), of(&other, None), "{what}");
    }
}

#[test]
fn another_cause_has_another_fingerprint() {
    use Known::{ErrorType, Message, Stack};
    let all = [
        error(&[(ErrorType, "TypeError"), (Stack, V8)]),
        error(&[(ErrorType, "RangeError"), (Stack, V8)]),
        error(&[(ErrorType, "TypeError"), (Stack, V8_OTHER)]),
        error(&[(ErrorType, "TypeError"), (Message, "x")]),
        error(&[(ErrorType, "TypeError"), (Message, "y")]),
        error(&[(ErrorType, "TypeError")]),
        error(&[(Message, "x")]),
        error(&[(Message, "")]),
        http(404, "GET", "/a"),
        http(500, "GET", "/a"),
        http(404, "POST", "/a"),
        http(404, "GET", "/b"),
    ];
    let found: std::collections::HashSet<_> = all.iter().map(|event| of(event, None)).collect();
    assert_eq!(found.len(), all.len());
    assert!(!found.contains(&None));
}

#[test]
fn http_errors_of_one_route_are_one() {
    let route = Some("/datasets/{id}");
    assert_eq!(of(&http(404, "GET", "/datasets/1"), route), of(&http(404, "GET", "/datasets/2"), route));
    assert_ne!(of(&http(404, "GET", "/datasets/1"), route), of(&http(404, "GET", "/datasets/1"), None));
    // Status, method and path speak alone.
    let mut event = http(404, "GET", "/a");
    event.set(Known::Message, Value::text("not found"));
    assert_eq!(of(&event, None), of(&http(404, "GET", "/a"), None));
}

#[test]
fn what_is_no_error_has_none() {
    assert_eq!(of(&error(&[(Known::Path, "/a"), (Known::Title, "x")]), None), None);
}

#[test]
fn the_numbers_stay_for_ever() {
    use Known::{ErrorType, Message, Stack};
    // Worked out by another implementation of SipHash-2-4 over the parts that the head describes.
    for (event, route, golden) in [
        (error(&[(ErrorType, "TypeError"), (Stack, V8)]), None, 0xf8ad_c498_6a1b_ca94),
        (
            error(&[(ErrorType, "Timeout"), (Message, "timeout after 30 s at https://example.com/a")]),
            None,
            0x7fe6_c847_563d_00c1,
        ),
        (error(&[(ErrorType, "Timeout")]), None, 0x7528_3366_3a27_3385),
        (http(404, "GET", "/a"), None, 0xe247_463a_261b_4a5d),
        (http(404, "GET", "/datasets/1"), Some("/datasets/{id}"), 0x194f_14d6_c04a_a7fe),
    ] {
        assert_eq!(of(&event, route), Some(golden), "{:#018x} {event:?}", of(&event, route).unwrap_or_default());
    }
}
