use super::*;
use jiff::tz::TimeZone;

/// 2026-11-24T22:20:00Z.
const NOW: Millis = 1_795_558_800_000;
const LINE: &str =
    r#"192.0.2.7 - - [24/Nov/2026:22:15:45 +0000] "GET /x?q=1 HTTP/1.1" 200 3 "-" "a \x22b\x22 \xC3\x9C""#;

fn said(message: &[u8]) -> Said<'_> {
    read(message, Calendar { now: NOW, zone: &TimeZone::UTC }, &Limits::default()).expect("a message")
}

fn fields(all: &[(Text, Value)]) -> Vec<(&str, String)> {
    all.iter().map(|(name, value)| (name.as_str(), value.as_text().into_owned())).collect()
}

#[test]
fn a_line_of_a_web_server_is_that_line_and_its_id_is_made_of_it_alone() {
    for header in [
        "<190>Nov 24 22:15:46 vm nginx: ",
        "<190>Nov 24 22:15:46 nginx: ",
        "<182>1 2026-11-24T22:15:46Z vm httpd - - [t a=\"1\"] ",
    ] {
        let message = format!("{header}{LINE}");
        let said = said(message.as_bytes());
        let alone = access_line::read(LINE.as_bytes(), &LineFormat::Combined, &Limits::default()).expect("a line");
        assert!(said.raw.fields.starts_with(&alone.fields), "{header}");
        assert_eq!(said.raw.get("user_agent"), Some(&Value::text("a \"b\" Ü")));
        assert_eq!(said.line, Some((LINE.as_bytes(), 1_795_558_545_000)), "{header}");
    }
}

#[test]
fn a_header_is_told_for_what_the_body_does_not_say() {
    let said = said(b"<131>1 2026-11-24T10:11:19+01:00 sender.example wire 7 ID [a@1 k=\"v\"] plain \xff 192.0.2.7");
    let expected = [
        ("message", "plain \u{fffd} x.x.x.x"),
        ("a@1.k", "v"),
        ("hostname", "sender.example"),
        ("program", "wire"),
        ("pid", "7"),
        ("msgid", "ID"),
        ("facility", "local0"),
        ("severity", "err"),
    ];
    assert_eq!(fields(&said.raw.fields), expected.map(|(name, text)| (name, text.to_owned())));
    assert_eq!(said.raw.protocol_time, Some(1_795_511_479_000));
    let body = br#"<131>Nov 24 10:11:19 sender.example wire: {"hostname":"mine","program":null}"#;
    assert_eq!(self::said(body).raw.get("hostname"), Some(&Value::text("mine")));
}

#[test]
fn an_address_as_host_is_masked() {
    let said = said(b"<131>Nov 24 22:15:46 192.0.2.7 wire: x");
    assert_eq!(said.raw.get("hostname"), Some(&Value::text("x.x.x.x")));
}

#[test]
fn a_line_without_a_time_of_its_own_has_an_id_of_the_whole_message_or_none() {
    let message = b"<131>Nov 24 22:15:46 h p: again";
    assert_eq!(said(message).line, Some((&message[..], 1_795_558_546_000)));
    assert_eq!(said(b"<131>p: again").line, None);
    assert_eq!(said(b"again").line, None);
}

#[test]
fn json_is_that_event_and_what_only_looks_like_it_is_text() {
    let json = br#"<134>Nov 24 10:11:10 h p[70]: {"action":"view","nested":{"a":"x"},"bad":"\xC3\x9C"}"#;
    assert_eq!(said(json).raw.get("nested.a"), Some(&Value::text("x")));
    assert_eq!(said(json).raw.get("bad"), Some(&Value::text("Ü")));
    assert_eq!(said(b"<134>p: {\"a\":\"\xff\"}").raw.get("a"), Some(&Value::text("\u{fffd}")));
    for body in ["{not json}", "[1,2]", "{", "{}x"] {
        let message = format!("<134>Nov 24 10:11:10 h p: {body}");
        assert_eq!(said(message.as_bytes()).raw.get("message"), Some(&Value::text(body)), "{body}");
    }
}

#[test]
fn a_line_whose_request_is_none_is_text_with_its_addresses_masked() {
    let body = r#"192.0.2.7 - - [24/Nov/2026:22:15:45 +0000] "\x16\x03\x01" 400 157 "-" "-""#;
    let message = format!("<190>Nov 24 22:15:45 vm nginx: {body}");
    assert_eq!(said(message.as_bytes()).raw.get("message"), Some(&Value::text(body.replace("192.0.2.7", "x.x.x.x"))));
}

#[test]
fn what_an_event_may_not_be_is_refused() {
    let calendar = Calendar { now: NOW, zone: &TimeZone::UTC };
    let limits = Limits { event_bytes_max: 20, ..Limits::default() };
    let reason = |body: &str| {
        read(format!("<134>p: {body}").as_bytes(), calendar, &limits).map(|_| ()).map_err(|refused| refused.reason)
    };
    assert_eq!(reason(&"x".repeat(20)), Ok(()));
    assert_eq!(reason(&"x".repeat(21)), Err(Reason::EventTooLarge));
    assert_eq!(reason("{\"a\":1e999}"), Err(Reason::Number));
    assert_eq!(reason(&format!("{{\"a\":{}}}", "[".repeat(50))), Err(Reason::EventTooLarge));
}
