//! HTTP as Logstash's input takes it: what python-logstash-async, Fluent Bit and syslog-ng were seen to send to `/` and
//! to `/tick`.

use crate::support::{Capture, House, Scenario, assert_holds, connect, meant};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};

/// Sends the last connection of a capture: those before it were refused, and sent the same. The statuses, and what is
/// stored then.
fn replayed(name: &str, count: usize) -> (Vec<u16>, Vec<Value>) {
    let house = House::with(&[], &[]);
    let sent = Capture::named(name).conversations().pop().expect("a connection").sent.concat();
    let requests = memchr::memmem::find_iter(&sent, b" HTTP/1.1\r\n").count();
    let answers = exchange(&house, &sent, requests);
    (answers.into_iter().map(|(status, _)| status).collect(), house.events(count))
}

/// Sends requests over one connection; status and body of each answer.
fn exchange(house: &House, bytes: &[u8], requests: usize) -> Vec<(u16, String)> {
    let mut stream = connect(house.server.address);
    stream.write_all(bytes).expect("to be taken");
    let mut answers = BufReader::new(stream);
    (0..requests).map(|_| answer(&mut answers)).collect()
}

fn answer(answers: &mut impl BufRead) -> (u16, String) {
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        answers.read_line(&mut line).expect("a head");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(length_said) = line.strip_prefix("content-length: ") {
            length = length_said.parse().expect("a length");
        } else if line.starts_with("http/1.1 ") {
            status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    (status.expect("a status"), String::from_utf8(body).expect("text"))
}

/// Posts a body as it stands.
fn post(house: &House, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    exchange(house, &[head.as_bytes(), body].concat(), 1).remove(0)
}

#[test]
fn python_logstash_async_by_http() {
    for capture in Capture::all("python-logstash-async-http") {
        let (statuses, events) = replayed(capture.name, 6);
        assert_eq!(statuses, [200], "{}: anything else makes it close its session", capture.name);
        assert_eq!(events.len(), 6);
        for at in 1..=5 {
            let message = format!("event ü wire-{at}");
            let event = events.iter().find(|event| event["message"] == message.as_str()).expect("it");
            assert_eq!((&event["logger_name"], &event["action"]), (&json!("wire"), &meant()[at - 1]["action"]));
            assert_eq!((&event["source_path"], &event["path"]), (&json!("/srv/wire-app/lstash.py"), &Value::Null));
        }
    }
}

#[test]
fn fluent_bits_http_output_in_every_format() {
    for name in [
        "fluentbit-http-json",
        "fluentbit-http-json-gzip",
        "fluentbit-http-json_lines",
        "fluentbit-http-json_stream",
        "fluentbit-http-json-400",
        "fluentbit-http-json-413",
        "fluentbit-http-json-429",
        "fluentbit-http-json-503",
        "fluentbit-http-json-close",
        "fluentbit-http-msgpack",
    ] {
        let (statuses, events) = replayed(name, 5);
        assert_eq!(statuses, [202], "{name}");
        for meant in meant() {
            let event = events.iter().find(|event| event["id"] == meant["id"]).expect("it");
            assert_holds(event, meant, name);
        }
    }
}

#[test]
fn messagepack_is_read_as_far_as_it_can_be_followed() {
    let house = House::with(&[], &[]);
    let headers = "Content-Type: application/msgpack\r\n";
    // [[7, {}], {"a": 1}], the mark of a group, and an entry that is cut off.
    let body = b"\x92\x92\x07\x80\x81\xa1a\x01\x92\x92\xff\x80\x80\x92\x07";
    let (status, answer) = post(&house, "/", headers, body);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((status, &answer["accepted"], &answer["rejected"][0]["at"]), (200, &json!(1), &json!(2)), "{answer}");
    let event = house.events(1).remove(0);
    assert_eq!((&event["@timestamp"], &event["a"]), (&json!("1970-01-01T00:00:07.000Z"), &json!(1)));
    assert_eq!(post(&house, "/tick", headers, b"").0, 400);
}

#[test]
fn fluent_bits_gelf_stands_as_it_is() {
    let (statuses, events) = replayed("fluentbit-http-gelf", 5);
    assert_eq!(statuses, [202]);
    let event = events.iter().find(|event| event["short_message"] == "wire-2").expect("it");
    let meant = json!({"_path": "/datasets/wire-2.csv", "_bytes": 1234, "version": "1.1", "@timestamp": "2026-11-24T22:05:27.106Z"});
    assert_holds(event, &meant, "GELF");
}

#[test]
fn syslog_ngs_http_destination() {
    // Bodies of three lines, the last of which is plain text; and one body a message, the first of them sent twice.
    for (name, expected, stored) in [
        ("syslogng-http", vec![202, 202], 5),
        ("syslogng-http-400", vec![202, 202, 202, 202, 202, 202, 400], 6),
        ("syslogng-http-429", vec![202, 202, 202, 202, 202, 202, 400], 6),
        ("syslogng-http-503", vec![202, 202, 202, 202, 202, 202, 400], 6),
    ] {
        let (statuses, events) = replayed(name, stored);
        assert_eq!(statuses, expected, "{name}");
        for meant in meant() {
            let event = events.iter().find(|event| event["id"] == meant["id"]).expect("it");
            assert_holds(event, meant, name);
        }
    }
}

#[test]
fn date_is_the_time_on_the_root_alone() {
    let body = br#"[{"date":1795557975.117,"id":"1"}]"#;
    for (path, is_time) in [("/", true), ("/tick", false)] {
        let house = House::with(&[], &[]);
        post(&house, path, "Content-Type: application/json\r\n", body);
        let event = house.events(1).remove(0);
        assert_eq!(event["@timestamp"] == "2026-11-24T22:06:15.117Z", is_time, "{path}: {event}");
        assert_eq!(event["date"].is_null(), is_time, "{path}: {event}");
        assert_eq!(event["action"], if is_time { "log" } else { "view" });
    }
}

#[test]
fn the_forms_of_logstashs_http_output() {
    let house = House::with(&[], &[]);
    let one = "{\"accepted\":1,\"duplicates\":0,\"rejected\":[]}".to_owned();
    let gzipped = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(br#"[{"id":"gzip"}]"#).expect("memory");
        encoder.finish().expect("memory")
    };
    let table: [(&str, &[u8]); 6] = [
        ("Content-Type: application/json\r\n", br#"{"@version":"1","id":"json"}"#),
        ("Content-Type: application/json\r\n", br#"[{"@version":"1","id":"json_batch"}]"#),
        ("Content-Type: application/x-www-form-urlencoded\r\n", b"id=form&@version=1"),
        ("Content-Type: text/plain\r\n", b"a line\nof 192.0.2.1\n"),
        ("Content-Type: text/plain\r\n", br#" {"id":"message"}"#),
        ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", &gzipped),
    ];
    for (headers, body) in table {
        assert_eq!(post(&house, "/", headers, body), (200, one.clone()), "{}", body.escape_ascii());
    }
    let events = house.events(6);
    for id in ["json", "json_batch", "form", "message", "gzip"] {
        assert!(events.iter().any(|event| event["id"] == id && event["action"] == "log"), "{id}");
    }
    assert!(events.iter().any(|event| event["message"] == "a line\nof x.x.x.x"), "{events:#?}");
}

#[test]
fn what_is_rejected_is_listed_and_never_a_reason_to_send_all_again() {
    let house = House::with(&[], &[]);
    let json = "Content-Type: application/json\r\n";
    let late = r#"{"@timestamp":"2999-01-01T00:00:00Z"}"#;
    let (status, answer) = post(&house, "/", json, format!("[{{}},{late},3]").as_bytes());
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)));
    assert_eq!((&answer["rejected"][0]["at"], &answer["rejected"][1]["at"]), (&json!(1), &json!(2)));

    let (status, answer) = post(&house, "/", json, format!("[{late}]").as_bytes());
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("24 h ahead"), "{answer}");
    let (status, answer) = post(&house, "/", json, b"what is this");
    assert_eq!(status, 400, "{answer}");
}

#[test]
fn a_connection_of_a_log_shipper_is_nobodys() {
    let house = House::with(&[], &[]);
    let headers = "Content-Type: application/json\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\n";
    post(&house, "/", headers, br#"{"path":"/a","action":"view"}"#);
    let event = house.events(1).remove(0);
    assert_eq!((&event["visitor"], &event["browser"]), (&Value::Null, &Value::Null), "{event}");
}

#[test]
fn the_scenario_by_the_root() {
    let (house, scenario) = (House::with(&[], &[]), Scenario::read());
    let body = Value::from(scenario.events.clone()).to_string();
    let (status, answer) = post(&house, "/", "Content-Type: application/json\r\n", body.as_bytes());
    assert_eq!(status, 200, "{answer}");
    scenario.assert_answers(&house);
}
