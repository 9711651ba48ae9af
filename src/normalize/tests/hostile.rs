//! Input that means harm: each has a stated outcome.

use super::support::{World, holds};
use crate::event::{RawEvent, Value};
use crate::normalize::json::{Layout, read_all, split};
use crate::normalize::{Reason, Receiver};
use proptest::prelude::*;

#[test]
fn stated_outcomes() {
    let world = World::tick();
    world.expect(&[
        ("{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\u0000y\"}"),
        ("\u{FEFF}{\"a\":1}", r#"{"a":1}"#),
        (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"😀"}"#),
        (r#"{"a":123456789012345678901234567890}"#, r#"{"a":1.2345678901234568e29}"#),
        (r#"{"__proto__":1,"constructor":2}"#, r#"{"__proto__":1,"constructor":2}"#),
    ]);
    world.refuses(r#"{"a":"\ud800"}"#, Reason::Encoding, &["line 1 column"]);
    world.refuses(r#"{"a":"\udc00x"}"#, Reason::Encoding, &["line 1 column"]);
    world.refuses(r#"{"\udfaa":0}"#, Reason::Encoding, &["line 1 column"]);
    world.refuses(r#"{"a":1e999}"#, Reason::Number, &["line 1 column"]);
    world.refuses(r#"{"a":-1e999}"#, Reason::Number, &["line 1 column"]);
    world.refuses(&format!("{{\"a\":\"{}\"}}", "x".repeat(10_000_000)), Reason::EventTooLarge, &["65536"]);
    world.refuses(&format!("{{\"a\":{}", "[".repeat(100_000)), Reason::EventTooLarge, &[]);
    for text in
        ["", " ", "{", "nope", "{\"a\":1}}", "{'a':1}", "{\"a\":01}", "{\"a\":NaN}", "{\"a\":1,}", "{\"a\":\"\n\"}"]
    {
        world.refuses(text, Reason::NotJson, &["line", "column"]);
    }
    for text in ["[]", "1", "\"a\"", "null", "true", "-0.5"] {
        world.refuses(text, Reason::NotAnObject, &["line 1 column 1", "object"]);
    }
}

/// One file of the public JSON parsing test suite each, by its kind: what is neither JSON, JSON lines nor objects one after
/// another names its place; what is JSON and no object is no event.
#[test]
fn bodies_that_are_no_events_are_refused_with_a_place() {
    let bodies: &[&[u8]] = &[
        b"[1 true]",
        b"[a\xE5]",
        b"[\"\": 1]",
        b"[\"\"],",
        b"[,1]",
        b"[1,,2]",
        b"[\"x\",,]",
        b"[\"x\"]]",
        b"[\"\",]",
        b"[\"x\"",
        b"[x",
        b"[3[4]]",
        b"[\xFF]",
        b"[1:2]",
        b"[,]",
        b"[-]",
        b"[   , \"\"]",
        b"[\"a\",\n4\n,1,",
        b"[1,]",
        b"[1,,]",
        b"[\"\x0Ba\"\\f]",
        b"[*]",
        b"[\"\"",
        b"[fals]",
        b"[nul]",
        b"[tru]",
        b"123\0",
        b"[++1234]",
        b"[+1]",
        b"[-01]",
        b"[0.1.2]",
        b"[0x42]",
        b"[1eE2]",
        b"[Infinity]",
        b"[NaN]",
        b"[- 1]",
        b"[\"x\", truth]",
        b"{[: \"x\"}",
        b"{\"x\", null}",
        b"{\"x\"::\"b\"}",
        b"{\"a\":\"a\" 123}",
        b"{key: 'value'}",
        b"{\"a\" b}",
        b"{:\"b\"}",
        b"{\"a\" \"b\"}",
        b"{\"a\":",
        b"{\"a\"",
        b"{1:1}",
        b"{\"id\":0,,,,,}",
        b"{'a':0}",
        b"{\"id\":0,}",
        b"{\"a\":\"b\"}/**/",
        b"{\"a\":\"b\"}/**//",
        b"{\"a\":\"b\"}//",
        b"{\"a\":\"b\"}/",
        b"{\"a\":\"b\",,\"c\":\"d\"}",
        b"{a: \"b\"}",
        b"{\"a\":\"a",
        b"{ \"foo\" : \"bar\", \"a\" }",
        b"{\"a\":\"b\"}#",
        b" ",
        b"[\"\\uD800\\\"]",
        b"\"",
        b"['single quote']",
        b"abc",
        b"[\"\\",
        b"\xEF\xBB\xBF",
        b"<.>",
        b"[<null>]",
        b"[1]x",
        b"[1]]",
        b"[\"asd]",
        b"a\xC3\xA5",
        b"[True]",
        b"1]",
        b"{\"x\": true,",
        b"[][]",
        b"]",
        b"\xEF\xBB{}",
        b"\xE5",
        b"[",
        b"",
        b"[\0]",
        b"2@",
        b"{}}",
        b"{\"\":",
        b"{\"a\":/*comment*/\"b\"}",
        b"{\"a\": true} \"x\"",
        b"['",
        b"[,",
        b"[{",
        b"[\"a",
        b"[\"a\"",
        b"{",
        b"{]",
        b"{,",
        b"{[",
        b"{\"a",
        b"{'a'",
        b"[\"\\{[\"\\{[\"\\{[\"\\{",
        b"\xE9",
        b"*",
        b"{\"a\":\"b\"}#{}",
        b"[\\u000A\"\"]",
        b"[1",
        b"[ false, nul",
        b"[ true, fals",
        b"[ false, tru",
        b"{\"asd\":\"asd\"",
        b"\xC3\xA5",
        b"[\xE2\x81\xA0]",
        b"\xEF\xBB\xBF\n",
        b"[\x0C]",
        b"123",
        b"\"x\"",
        b"null",
        b"[[]   ]",
        b"[\"a\"]",
        b"[1.5]",
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(body);
        match read_all(body, Layout::Any, &World::tick().limits, 100) {
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains("column") || message.contains("empty"), "{shown}: {message}");
            }
            Ok(events) => {
                assert!(!events.is_empty(), "{shown}");
                for (_, read) in events {
                    let message = read.expect_err(&shown).message;
                    assert!(message.contains("column"), "{shown}: {message}");
                }
            }
        }
    }
    let open = "[{\"\":".repeat(50_000);
    assert!(read_all(open.as_bytes(), Layout::Any, &World::tick().limits, 100).is_err());
    assert!(split("[".repeat(100_000).as_bytes(), Layout::Any).all(|part| part.bytes.is_err()));
}

#[test]
fn absurd_values_under_every_canonical_key_do_no_harm() {
    let values = [
        "\"\"",
        "\"-\"",
        "0",
        "-1",
        "1e308",
        "18446744073709551615",
        "true",
        "[]",
        "[1,\"a\"]",
        "[{}]",
        "\"\\u0000\"",
        "\"%\"",
        "\"//\"",
        "\"?\"",
        "\"#\"",
        "\"/..\"",
        "\"://\"",
        "\"[::1\"",
        "\"https://\"",
        "\"é\\u0300\"",
        "\"GET \"",
        "{\"a\":1}",
    ];
    let others =
        ["url", "ip", "sent_at", "user_agent", "request", "uri", "client", "agent", "referrer", "event.duration"];
    let names: Vec<&str> = crate::event::Known::all().map(crate::event::Known::name).chain(others).collect();
    for receiver in [Receiver::Tick, Receiver::Log] {
        let world = World::of(receiver).with_browser();
        for name in &names {
            for value in values {
                let text = format!(r#"{{"{name}":{value},"status":200,"method":"GET","uri":"/a"}}"#);
                match world.read(&text) {
                    Ok(event) => assert!(event.to_json().is_object()),
                    Err(rejection) => assert_eq!(rejection.reason, Reason::Time, "{text}: {rejection}"),
                }
            }
        }
    }
}

#[test]
fn a_log_lines_address_is_on_no_key() {
    let lines = [
        r#"{"remote_addr":"203.0.113.9","request":"\u0016\u0003","status":400}"#,
        r#"{"remote_addr":"203.0.113.9","client_ip":"203.0.113.9","request":"GET /a","status":200}"#,
        r#"{"ip":"203.0.113.9","remote":"203.0.113.9","x_forwarded_for":"203.0.113.9","request":"GET /a","status":200}"#,
        r#"{"clientip":"203.0.113.9","message":"m"}"#,
    ];
    for line in lines {
        let event = World::log().event(line).to_json().to_string();
        assert!(!event.contains("203.0.113.9"), "{event}");
    }
    holds(&World::log().event(r#"{"client":"acme"}"#), r#"{"client":"acme"}"#, "an application's own");
}

proptest! {
    #[test]
    fn whatever_comes_gives_an_event_within_limits_or_a_reason(
        fields in prop::collection::vec((name(), value()), 0..12),
        typed in any::<bool>(),
        receiver in prop::sample::select(vec![Receiver::Tick, Receiver::Pixel, Receiver::Log, Receiver::File]),
    ) {
        let world = World::of(receiver).with_browser();
        if let Ok(event) = world.raw(RawEvent { fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect(), typed, ..RawEvent::default() }) {
            let day = event.day();
            prop_assert!(day.0 > -5_000_000 && day.0 < 20_000);
            for (key, value) in event.fields() {
                prop_assert!(!key.name().is_empty() && key.name().len() <= 140, "{}", key.name());
                prop_assert!(value.scalars().iter().all(|scalar| scalar.as_text().len() <= 32 * 1024));
                if let crate::event::Key::Known(known) = key {
                    prop_assert!(!known.is_increment());
                }
            }
            prop_assert!(event.text(crate::event::Known::Id).is_none_or(|id| id.len() <= 2048));
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(crate::event::Known::all().map(|known| known.name().to_owned()).collect::<Vec<_>>()),
        prop::sample::select(vec![
            "url",
            "ip",
            "user_agent",
            "sent_at",
            "request",
            "uri",
            "code",
            "time",
            "referrer",
            "@version"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,10}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        "\\PC{0,20}".prop_map(Value::text),
        "(https?://)?[a-z.:@]{0,8}/[a-z./%?&=#]{0,20}".prop_map(Value::text),
        "(GET|POST) /[a-z./%?]{0,12} HTTP/1.1".prop_map(Value::text),
        any::<i64>().prop_map(Value::Int),
        (100_i64..600).prop_map(Value::Int),
        any::<f64>().prop_filter_map("finite", Value::number),
        any::<bool>().prop_map(Value::Bool),
    ];
    prop_oneof![4 => scalar.clone(), 1 => prop::collection::vec(scalar, 1..4).prop_map(Value::List)]
}
