use super::*;
use crate::event::Value;
use jiff::tz::TimeZone;

/// 2026-11-24T10:20:00Z.
const NOW: Millis = 1_795_515_600_000;
/// 2026-11-24T10:11:12Z.
const AT: Millis = 1_795_515_072_000;

/// Priority, time, host, program, pid, msgid, body.
type Parts = (Option<u8>, Option<Millis>, [Option<String>; 4], String);

fn parts(message: &[u8]) -> Parts {
    let read = read(message, Calendar { now: NOW, zone: &TimeZone::UTC }, 128);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let words = [read.hostname, read.program, read.pid, read.msgid].map(|word| word.map(text));
    (read.priority, read.at, words, text(read.body))
}

fn assert_parts(message: &str, priority: u8, at: Option<Millis>, words: [&str; 4], body: &str) {
    let words = words.map(|word| (!word.is_empty()).then(|| word.to_owned()));
    assert_eq!(parts(message.as_bytes()), (Some(priority), at, words, body.to_owned()), "{message}");
}

#[test]
fn rfc_5424_is_read_with_its_nils() {
    assert_parts(
        "<134>1 2026-11-24T10:11:12Z h p 70 ID1 - body - x",
        134,
        Some(AT),
        ["h", "p", "70", "ID1"],
        "body - x",
    );
    assert_parts("<134>1 2026-11-24T11:11:12.000999+01:00 h p - - -", 134, Some(AT), ["h", "p", "", ""], "");
    assert_parts("<0>1 - - - - - - \u{feff}body", 0, None, [""; 4], "body");
    assert_parts("<191>1 - h p - - [a b=\"c\"]\u{feff}", 191, None, ["h", "p", "", ""], "");
    assert_parts("<13>1 - h p - - [a b=\"c\"][d]", 13, None, ["h", "p", "", ""], "");
    assert_parts("<13>1 - h p - - -body", 13, None, ["h", "p", "", ""], "-body");
}

#[test]
fn structured_data_that_does_not_parse_is_text() {
    assert_parts("<13>1 - h p - - [a b=c] body", 13, None, ["h", "p", "", ""], "[a b=c] body");
    let read = read(b"<13>1 - h p - - [a b=\"c\"] body", Calendar { now: NOW, zone: &TimeZone::UTC }, 128);
    assert_eq!(read.structured, [("a.b".into(), Value::text("c"))]);
    assert_eq!(read.body, b"body");
}

#[test]
fn rfc_3164_is_read_as_its_senders_write_it() {
    let at = Some(AT);
    let stamp = "<134>Nov 24 10:11:12";
    assert_parts(&format!("{stamp} h p[70]: body: x"), 134, at, ["h", "p", "70", ""], "body: x");
    assert_parts(&format!("{stamp} h p: body"), 134, at, ["h", "p", "", ""], "body");
    assert_parts(&format!("{stamp} h p[70] {{\"a\":1}}"), 134, at, ["h", "p", "70", ""], "{\"a\":1}");
    assert_parts(&format!("{stamp} h p plain text"), 134, at, ["h", "p", "", ""], "plain text");
    assert_parts(&format!("{stamp} p: body"), 134, at, ["", "p", "", ""], "body");
    assert_parts(&format!("{stamp} p[1]: body"), 134, at, ["", "p", "1", ""], "body");
    assert_parts(&format!("{stamp} h postfix/smtpd[1]:  two"), 134, at, ["h", "postfix/smtpd", "1", ""], " two");
    assert_parts(&format!("{stamp} 2001:db8::1 (x)[1]: body"), 134, at, ["2001:db8::1", "(x)", "1", ""], "body");
    assert_parts(&format!("{stamp} h p:"), 134, at, ["h", "p", "", ""], "");
    assert_parts(stamp, 134, at, [""; 4], "");
    assert_parts("<134>2026-11-24T11:11:12.000999+01:00 h p[70]: body", 134, at, ["h", "p", "70", ""], "body");
}

#[test]
fn a_body_behind_no_host_or_no_tag_is_no_part_of_the_header() {
    let stamp = "<134>Nov 24 10:11:12";
    let line = r#"192.0.2.7 - - [24/Nov/2026:10:11:12 +0000] "GET /x HTTP/1.1" 200 3 "-" "-""#;
    assert_parts(&format!("{stamp} {line}"), 134, Some(AT), [""; 4], line);
    assert_parts(&format!("{stamp} h p: {line}"), 134, Some(AT), ["h", "p", "", ""], line);
    let vhost = format!("data.example:80 {line}");
    assert_parts(&format!("{stamp} {vhost}"), 134, Some(AT), [""; 4], &vhost);
    assert_parts(&format!("{stamp} h p: {vhost}"), 134, Some(AT), ["h", "p", "", ""], &vhost);
    assert_parts(&format!("{stamp} h {line}"), 134, Some(AT), ["h", "", "", ""], line);
    let named = line.replace("192.0.2.7", "client.example");
    assert_parts(&format!("{stamp} {named}"), 134, Some(AT), [""; 4], &named);
    assert_parts(&format!("{stamp} h {named}"), 134, Some(AT), ["h", "", "", ""], &named);
    assert_parts(&format!("{stamp} {{\"a\": 1}}"), 134, Some(AT), [""; 4], "{\"a\": 1}");
    assert_parts(&format!("{stamp} h {{\"a\": 1}}"), 134, Some(AT), ["h", "", "", ""], "{\"a\": 1}");
    assert_parts(&format!("{stamp} h 404 things"), 134, Some(AT), ["h", "", "", ""], "404 things");
}

#[test]
fn without_a_time_a_tag_has_a_colon_or_a_pid() {
    assert_parts("<13>p: body", 13, None, ["", "p", "", ""], "body");
    assert_parts("<13>p[7]: body", 13, None, ["", "p", "7", ""], "body");
    assert_parts("<13>just some text", 13, None, [""; 4], "just some text");
    assert_parts("<13>Nov 24 10:11 h p: body", 13, None, [""; 4], "Nov 24 10:11 h p: body");
    assert_parts("<13>", 13, None, [""; 4], "");
    assert_parts(
        "<13>2 2026-11-24T10:11:12Z h p - - - body",
        13,
        None,
        [""; 4],
        "2 2026-11-24T10:11:12Z h p - - - body",
    );
}

#[test]
fn without_a_priority_all_is_body() {
    for text in [
        "",
        "body",
        "<>body",
        "<192>body",
        "<1234>body",
        "<-1>body",
        "<13 body",
        "<1x>body",
        "1 2026-11-24T10:11:12Z h",
    ] {
        assert_eq!(parts(text.as_bytes()), (None, None, [const { None }; 4], text.to_owned()), "{text}");
    }
    assert_eq!(parts("\u{feff}body".as_bytes()).3, "body");
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    let read = read(b"<13>Nov 24 10:11:12 h p: a\xff\x00b", Calendar { now: NOW, zone: &TimeZone::UTC }, 128);
    assert_eq!(read.body, b"a\xff\x00b");
}

#[test]
fn a_header_cut_anywhere_is_read_as_something() {
    let whole = [
        &b"<134>1 2026-11-24T10:11:10.345678+01:00 sender.example wire 70 ID1 [a@1 k=\"v \\\"q\\\" \xff\"] \xEF\xBB\xBFbody"[..],
        b"<134>Nov 24 10:11:10 sender.example wire[70]: body",
    ];
    for message in whole {
        for end in 0..message.len() {
            let _ = parts(&message[..end]);
        }
        assert_eq!(parts(message).3, "body");
    }
}
