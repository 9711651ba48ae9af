//! Syslog: what nginx, Apache with `logger`, rsyslog and syslog-ng were seen to send, by UDP and TCP; the scenario; frames that
//! are cut, lie or are too long; and the file of what was sent, imported before or after.

use crate::service::run;
use crate::support::{Capture, House, Scenario, assert_holds, connect, converse, meant, send_datagrams};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use metronome::clock::Clock;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::LazyLock;

/// The day of the captures, as RFC 3164 writes it.
const RECORDED: &[u8] = b"Nov 24 1";

/// Today, by UTC: one and the same for a whole run.
static TODAY: LazyLock<DateTime> = LazyLock::new(|| {
    let now = Timestamp::from_millisecond(Clock::System.now()).expect("a time");
    TimeZone::UTC.to_datetime(now)
});

fn syslog() -> House {
    House::with(&["syslog"], &[("METRONOME_PRIVACY_KEEP_USER_AGENT", "true")])
}

/// Sends all of a capture as its sender did.
fn replay(capture: &Capture, address: SocketAddr) {
    for conversation in capture.conversations() {
        let mut stream = connect(address);
        for piece in conversation.sent {
            // A receiver that refuses closes in the middle.
            let _ = stream.write_all(&of_today(&piece));
        }
        drop(stream);
    }
    let datagrams: Vec<Vec<u8>> = capture.datagrams().iter().map(|datagram| of_today(datagram)).collect();
    send_datagrams(address, &datagrams);
}

/// Times without a year moved to today: they are of the year nearest to now, and of no day to come.
fn of_today(bytes: &[u8]) -> Vec<u8> {
    let today = TODAY.strftime("%b %e").to_string();
    let mut moved = bytes.to_vec();
    for at in memchr::memmem::find_iter(bytes, RECORDED) {
        // Of headers alone: a body may name the day too.
        if bytes[..at].ends_with(b">") {
            moved[at..at + today.len()].copy_from_slice(today.as_bytes());
        }
    }
    moved
}

#[test]
fn events_in_bodies_of_rsyslog_and_syslog_ng() {
    let prefixes = ["rsyslog-tcp-", "rsyslog-udp-", "syslogng-network-", "syslogng-syslog-"];
    let captures: Vec<Capture> = prefixes.iter().flat_map(|prefix| Capture::all(prefix)).collect();
    assert_eq!(captures.len(), 15);
    let is_header = |name: &str| name != "rsyslog-tcp-zip" && name != "syslogng-network-json";
    for capture in captures.into_iter().filter(|capture| is_header(capture.name)) {
        let house = syslog();
        replay(&capture, house.port("syslog"));
        let events = house.events(6);
        assert_eq!(events.len(), 6, "{}", capture.name);
        for (at, meant) in meant().iter().enumerate() {
            let stored = events.iter().find(|event| event["id"] == meant["id"]).expect(capture.name);
            assert_holds(stored, meant, capture.name);
            let header = json!({"hostname": "sender.example", "program": "wire", "pid": (70 + at).to_string(),
                "facility": "local0", "severity": "info"});
            assert_holds(stored, &header, capture.name);
            assert!(stored["event_id"].is_string(), "{}: {stored}", capture.name);
        }
        assert_header(&capture, &events);
        let plain = events.iter().find(|event| event["message"] == "plain text ü").expect(capture.name);
        assert_holds(plain, &json!({"action": "log", "program": "wire", "severity": "err"}), capture.name);
    }
}

/// What the header alone says: when it was, and RFC 5424's own.
fn assert_header(capture: &Capture, events: &[Value]) {
    let first = events.iter().find(|event| event["id"] == "wire-1").expect(capture.name);
    let names_year = ["5424", "-syslog-", "close", "forwardformat"].iter().any(|part| capture.name.contains(part))
        && !capture.name.contains("3164");
    let day = if names_year { "2026-11-24".to_owned() } else { TODAY.date().to_string() };
    let at = first["@timestamp"].as_str().expect("a time");
    let clock = if names_year { "T09:11:10" } else { "T10:11:10" };
    assert!(at.starts_with(&(day + clock)), "{}: {at}", capture.name);
    if names_year && !capture.name.contains("forwardformat") {
        assert_eq!(first["msgid"], "ID1", "{}", capture.name);
        let plain = events.iter().find(|event| event["message"] == "plain text ü").expect(capture.name);
        assert_eq!(plain["a@1.k"], "v \"q\" ü", "{}", capture.name);
    }
}

#[test]
fn json_of_syslog_ng_without_any_header_is_an_event_as_it_stands() {
    let house = syslog();
    replay(&Capture::named("syslogng-network-json"), house.port("syslog"));
    let events = house.events(6);
    let last = events.iter().find(|event| event["MESSAGE"] == "plain text ü").expect("the last");
    assert_holds(last, &json!({"PROGRAM": "wire", "_SDATA.a@1.k": "v \"q\" ü", "action": "log"}), "format-json");
}

#[test]
fn what_rsyslog_compressed_is_refused_and_counted_and_others_do_not_notice() {
    let house = syslog();
    let capture = Capture::named("rsyslog-tcp-zip");
    replay(&capture, house.port("syslog"));
    let frame = &capture.conversations()[0].sent[0];
    let inside = frame[frame.iter().position(|byte| *byte == b' ').expect("a length") + 1..][..133].to_vec();
    send_datagrams(house.port("syslog"), &[inside, b"<13>p: after".to_vec()]);
    assert_eq!(house.events(1)[0]["message"], "after");
    let lost = r#"metronome_receiver_lost_total{receiver="syslog",reason="compressed"}"#;
    house.server.wait_until("what was lost", |_| house.metric(lost) == 2);
    house.assert_metric(r#"metronome_receiver_broken_total{receiver="syslog",reason="compressed"}"#, 1);
    let (_, metrics) = house.server.get("/metrics");
    assert!(metrics.contains(r#"metronome_receiver_lost_total{receiver="syslog",reason="kernel"} 0"#), "{metrics}");
}

#[test]
fn access_lines_of_nginx_and_apache() {
    let captures: Vec<Capture> =
        ["nginx-syslog-", "apache-logger-"].iter().flat_map(|prefix| Capture::all(prefix)).collect();
    assert_eq!(captures.len(), 7);
    for capture in captures {
        let house = syslog();
        replay(&capture, house.port("syslog"));
        let events = house.events(5);
        let name = capture.name;
        let by = |key: &str, text: &str| {
            events.iter().find(|event| event[key] == text).unwrap_or_else(|| panic!("{name}: {text}"))
        };
        let page = json!({"action": "view", "method": "GET", "status": 200, "referer": "example.org/a",
            "utm_source": "x", "browser": "Firefox", "os": "Linux"});
        assert_holds(by("path", "/datasets/wire-1"), &page, name);
        let file = json!({"action": "download", "format": "csv", "user_agent": "curl/8.0 \"quoted\" \\back"});
        assert_holds(by("path", "/datasets/wire-2.csv"), &file, name);
        let missing = json!({"action": "error", "status": 404, "user_agent": "Ünïcode 東京"});
        assert_holds(by("path", "/datasets/h%C3%B6he"), &missing, name);
        assert_holds(by("path", "/datasets/wire-4"), &json!({"method": "POST", "status": 404}), name);
        let no_request: Vec<_> = events.iter().filter(|event| event["action"] == "log").collect();
        assert_eq!(no_request.len(), 1, "{name}");
        if name != "nginx-syslog-json" {
            assert!(no_request[0]["message"].as_str().expect(name).contains("x.x.x.x - - ["), "{name}: {no_request:?}");
        }
        assert!(!json!(events).to_string().contains("127.0.0.1"), "{name}: an address is kept");
        if name == "apache-logger-tcp" {
            assert_eq!(by("path", "/datasets/wire-1")["url_host"], "data.example", "of the virtual host");
        }
    }
}

#[test]
fn the_scenario_by_counted_messages_of_rfc_5424() {
    let (house, scenario) = (House::with(&["syslog"], &[]), Scenario::read());
    let message = |event: &Value| format!("<134>1 2026-03-01T00:00:00Z h p - - - {event}");
    let stream: String = scenario.events.iter().map(message).map(|text| format!("{} {text}", text.len())).collect();
    converse(house.port("syslog"), stream.as_bytes());
    scenario.assert_answers(&house);
}

#[test]
fn the_scenario_by_datagrams_of_rfc_3164() {
    let (house, scenario) = (House::with(&["syslog"], &[]), Scenario::read());
    let message = |event: &Value| format!("<134>Mar  1 00:00:00 h p[1]: {event}\n").into_bytes();
    send_datagrams(house.port("syslog"), &scenario.events.iter().map(message).collect::<Vec<_>>());
    scenario.assert_answers(&house);
}

/// Lines of one second and of others, with one that comes twice.
fn lines() -> Vec<String> {
    let line = |second: u32, path: &str| {
        format!(r#"192.0.2.7 - - [24/Nov/2026:22:15:{second} +0000] "GET {path} HTTP/1.1" 200 3 "-" "a \xC3\x9C""#)
    };
    vec![line(45, "/a"), line(45, "/a"), line(45, "/b"), line(46, "/a"), line(47, "/c")]
}

fn messages() -> Vec<Vec<u8>> {
    lines().iter().map(|line| format!("<190>Nov 24 22:15:45 vm nginx: {line}").into_bytes()).collect()
}

/// Imports the lines into a folder that no server has open. What is known is told then, or found when it is indexed.
fn import(folder: &tempfile::TempDir) {
    let log = folder.path().join("access.log");
    std::fs::write(&log, lines().join("\n") + "\n").expect("a log");
    let output = run(&folder.path().join("data"), &["import", &log.display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("rejected    0\n"), "{text}{output:?}");
}

fn paths(house: &House) -> Vec<String> {
    let path = |event: &Value| event["path"].as_str().unwrap_or_default().to_owned();
    let mut paths: Vec<String> = house.server.events("").iter().map(path).collect();
    paths.sort();
    paths
}

#[test]
fn a_file_imported_after_its_lines_came_live_adds_nothing() {
    let house = syslog();
    // Two senders, the seconds of whose lines interleave.
    let messages = messages();
    send_datagrams(house.port("syslog"), &messages[..1]);
    house.events(1);
    send_datagrams(house.port("syslog"), &messages[3..]);
    house.events(3);
    converse(house.port("syslog"), &[messages[1].as_slice(), b"\n", &messages[2]].concat());
    house.events(5);
    assert_eq!(paths(&house), ["/a", "/a", "/a", "/b", "/c"], "equal lines of a second stay two");
    let House { server, folder } = house;
    assert!(server.stop().success());
    import(&folder);
    assert_eq!(paths(&House::on(folder, &[], &[])), ["/a", "/a", "/a", "/b", "/c"]);
}

#[test]
fn lines_that_come_live_after_their_file_was_imported_add_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    import(&folder);
    let house = House::on(folder, &["syslog"], &[]);
    send_datagrams(house.port("syslog"), &messages());
    send_datagrams(house.port("syslog"), &[b"<13>p: the end".to_vec()]);
    house.events(6);
    assert_eq!(paths(&house), ["", "/a", "/a", "/a", "/b", "/c"]);
}

#[test]
fn frames_cut_anywhere_lose_what_was_not_whole() {
    let house = syslog();
    let capture = Capture::named("rsyslog-tcp-octet-counted-5424");
    let stream = capture.conversations()[0].sent.concat();
    let mut whole = connect(house.port("syslog"));
    whole.set_nodelay(true).expect("no delay");
    for byte in &stream {
        whole.write_all(&[*byte]).expect("a byte");
    }
    assert_eq!(house.events(6).len(), 6, "byte by byte");
    let (mut cut, mut known) = (0, 6);
    for end in (0..stream.len()).step_by(13) {
        let (mut at, mut complete) = (0, 0);
        while let Some(length) = stream[at..end].iter().position(|byte| *byte == b' ') {
            let bytes: usize =
                std::str::from_utf8(&stream[at..at + length]).expect("a length").parse().expect("a length");
            if at + length + 1 + bytes > end {
                break;
            }
            at += length + 1 + bytes;
            complete += 1;
        }
        cut += u64::from(at < end);
        known += complete;
        converse(house.port("syslog"), &stream[..end]);
    }
    let accepted = r#"metronome_receiver_events_accepted_total{receiver="syslog"}"#;
    let duplicates = r#"metronome_receiver_events_duplicate_total{receiver="syslog"}"#;
    let lost = r#"metronome_receiver_lost_total{receiver="syslog",reason="cut"}"#;
    assert_eq!((house.metric(accepted) + house.metric(duplicates), house.metric(lost)), (known as u64, cut));
}

#[test]
fn a_message_that_is_too_long_and_a_length_that_lies_are_told_and_counted() {
    let house = syslog();
    let long = "x".repeat(1 << 20);
    let stream = format!("<13>p: one\n<13>p: {long}\n<13>p: two\n{} <13>{long}<13>p: three\n", long.len() + 4);
    converse(house.port("syslog"), stream.as_bytes());
    converse(house.port("syslog"), b"<13>p: four\n99999999 <13>p: lie\n<13>p: never");
    let mut messages: Vec<String> =
        house.events(4).iter().map(|event| event["message"].as_str().expect("text").to_owned()).collect();
    messages.sort();
    assert_eq!(messages, ["four", "one", "three", "two"]);
    assert_eq!(house.metric(r#"metronome_receiver_events_rejected_total{receiver="syslog"}"#), 2);
    house.assert_metric(r#"metronome_receiver_broken_total{receiver="syslog",reason="frame"}"#, 1);
}

#[test]
fn what_came_before_the_server_was_told_to_stop_is_there_afterwards() {
    let house = syslog();
    let mut stream = connect(house.port("syslog"));
    stream.write_all(b"<13>p: first\n").expect("sent");
    house.events(1);
    let more: String = (0..2000).map(|at| format!("<13>p: message {at}\n")).collect();
    stream.write_all(more.as_bytes()).expect("sent");
    assert!(house.server.stop().success());
    let house = House::on(house.folder, &[], &[]);
    assert_eq!(house.events(2001).len(), 2001);
}

#[test]
fn what_the_kernel_has_no_room_for_is_counted() {
    const SENT: u64 = 10_000;
    let house = syslog();
    house.server.signal("-STOP");
    let datagram = format!("<13>p: {}", "x".repeat(2000)).into_bytes();
    send_datagrams(house.port("syslog"), &vec![datagram; SENT as usize]);
    house.server.signal("-CONT");
    let accepted = r#"metronome_receiver_events_accepted_total{receiver="syslog"}"#;
    let lost = r#"metronome_receiver_lost_total{receiver="syslog",reason="kernel"}"#;
    house.server.wait_until("an account of all", |_| house.metric(accepted) + house.metric(lost) == SENT);
    assert!(
        house.metric(accepted) > 0 && house.metric(lost) > 0,
        "{} and {}",
        house.metric(accepted),
        house.metric(lost)
    );
}

#[test]
fn many_connections_that_say_nothing_whole_hold_little_and_others_do_not_notice() {
    let house = syslog();
    converse(house.port("syslog"), b"<13>p: before\n");
    house.events(1);
    let before = house.server.anonymous_bytes();
    let part = format!("60000 <13>p: {}", "x".repeat(1000));
    let idle: Vec<_> = (0..500)
        .map(|_| {
            let mut stream = connect(house.port("syslog"));
            stream.write_all(part.as_bytes()).expect("sent");
            stream
        })
        .collect();
    let open = r#"metronome_receiver_connections{receiver="syslog"}"#;
    house.server.wait_until("all connections", |_| house.metric(open) == 500);
    converse(house.port("syslog"), b"<13>p: whole\n");
    house.events(2);
    // A length is never reserved: 500 times 60,000 bytes would be 30 MB.
    let grown = house.server.anonymous_bytes().saturating_sub(before);
    assert!(grown < 15 << 20, "{grown} bytes for 500 connections");
    drop(idle);
    let lost = r#"metronome_receiver_lost_total{receiver="syslog",reason="cut"}"#;
    house.server.wait_until("what was cut", |_| house.metric(lost) == 500);
}
