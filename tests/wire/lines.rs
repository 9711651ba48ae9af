//! JSON lines: what python-logstash, winston-logstash, Fluent Bit and syslog-ng were seen to send by TCP and UDP.

use crate::support::{Capture, House, Scenario, assert_holds, connect, converse, meant, send_datagrams};
use serde_json::{Value, json};
use std::io::Write;

/// Sends a capture as it was sent, and again a byte at a time; the events of each.
fn replayed(name: &str, count: usize) -> [Vec<Value>; 2] {
    let capture = Capture::named(name);
    [false, true].map(|by_bytes| {
        let house = House::with(&["lines"], &[]);
        for conversation in capture.conversations() {
            let mut stream = connect(house.port("lines"));
            for piece in conversation.sent {
                let step = if by_bytes { 1 } else { piece.len() };
                piece.chunks(step).for_each(|part| stream.write_all(part).expect("to be taken"));
            }
        }
        send_datagrams(house.port("lines"), &capture.datagrams());
        let events = house.events(count);
        assert_eq!(events.len(), count, "{name}");
        assert_eq!(house.metric(r#"metronome_receiver_events_rejected_total{receiver="lines"}"#), 0);
        events
    })
}

/// The one event whose key is this.
fn of<'a>(events: &'a [Value], key: &str, value: &str) -> &'a Value {
    let mut found = events.iter().filter(|event| event[key] == value);
    let first = found.next().unwrap_or_else(|| panic!("no {key} {value} in {events:#?}"));
    assert!(found.next().is_none(), "{key} {value} twice");
    first
}

/// What was meant, as a Python logger can carry it: without `id`, and with other names for two that it keeps for itself.
fn as_extra(meant: &Value) -> Value {
    let renamed = |key: &String| match key.as_str() {
        "@timestamp" => Some("ts".to_owned()),
        "message" => Some("message_text".to_owned()),
        "id" => None,
        _ => Some(key.clone()),
    };
    let fields = meant.as_object().expect("an object").iter();
    fields.filter_map(|(key, value)| Some((renamed(key)?, value.clone()))).collect::<serde_json::Map<_, _>>().into()
}

/// What was meant, without these keys.
fn without(meant: &Value, keys: &[&str]) -> Value {
    let mut meant = meant.clone();
    let fields = meant.as_object_mut().expect("an object");
    keys.iter().for_each(|key| drop(fields.remove(*key)));
    meant
}

#[test]
fn python_logstash_of_both_versions() {
    for name in ["python-logstash-tcp-v0", "python-logstash-tcp-v1", "python-logstash-udp-v1"] {
        for events in replayed(name, 6) {
            for (at, meant) in meant().iter().enumerate() {
                let event = of(&events, "message", &format!("event ü wire-{}", at + 1));
                assert_holds(event, &as_extra(meant), name);
                assert!(event["@timestamp"].as_str().is_some_and(|at| at.starts_with("2026-11-24T22:13:2")), "{event}");
                assert_eq!(event["host"], "vm", "{name}");
            }
            let failed = of(&events, "message", "went wrong");
            assert_eq!((&failed["source_path"], &failed["path"]), (&json!("/srv/wire-app/lstash.py"), &Value::Null));
            assert!(failed["stack_trace"].as_str().is_some_and(|stack| stack.contains("ZeroDivisionError")));
        }
    }
    let [events, _] = replayed("python-logstash-tcp-v1", 6);
    assert_eq!(of(&events, "message", "went wrong")["tags"], json!(["a", "b"]));
    let [events, _] = replayed("python-logstash-tcp-v0", 6);
    assert_eq!(of(&events, "message", "went wrong")["type"], "logstash");
}

#[test]
fn python_logstash_async_keeps_its_own_file_beside_the_page() {
    for name in ["python-logstash-async-tcp", "python-logstash-async-udp", "python-logstash-async-tcp-close"] {
        for events in replayed(name, 6) {
            for (at, meant) in meant().iter().enumerate() {
                let event = of(&events, "message", &format!("event ü wire-{}", at + 1));
                // The library overwrites the page with its file.
                assert_holds(event, &without(&as_extra(meant), &["path"]), name);
                assert_eq!(event["source_path"], "/srv/wire-app/lstash.py");
                assert_eq!((&event["path"], &event["logger_name"]), (&Value::Null, &json!("wire")));
            }
            let failed = of(&events, "message", "went wrong");
            assert_eq!((&failed["error_type"], &failed["action"]), (&json!("ZeroDivisionError"), &json!("error")));
        }
    }
}

#[test]
fn winston_logstash_with_and_without_a_time() {
    for name in ["winston-logstash", "winston-logstash-plain"] {
        for events in replayed(name, 5) {
            for meant in meant() {
                let event = of(&events, "id", meant["id"].as_str().expect("an id"));
                // JavaScript's numbers are floats.
                let meant = without(meant, &["big", "max"]);
                assert_holds(event, &meant, name);
                let at = event["@timestamp"].as_str().expect("a time");
                let is_given = meant.get("@timestamp").is_some() || name == "winston-logstash";
                assert_eq!(at.starts_with("2026-11-24"), is_given, "{name}: {event}");
            }
        }
    }
}

#[test]
fn fluent_bits_tcp_output_in_lines() {
    for name in ["fluentbit-tcp-json-lines", "fluentbit-tcp-json-lines-default-date"] {
        for events in replayed(name, 5) {
            for meant in meant() {
                let event = of(&events, "id", meant["id"].as_str().expect("an id"));
                assert_holds(event, meant, name);
                let at = event["@timestamp"].as_str().expect("a time");
                assert!(at.starts_with("2026-11-24T22:06:1") || event["id"] == "wire-4", "{name}: {at}");
            }
        }
    }
}

#[test]
fn fluent_bits_tcp_output_in_messagepack() {
    let name = "fluentbit-tcp-msgpack";
    for events in replayed(name, 5) {
        for meant in meant() {
            let event = of(&events, "id", meant["id"].as_str().expect("an id"));
            assert_holds(event, meant, name);
            let at = event["@timestamp"].as_str().expect("a time");
            assert!(at.starts_with("2026-11-24T22:06:18") || event["id"] == "wire-4", "{at}");
        }
    }
    let whole = Capture::named(name).conversations().remove(0).sent.concat();
    let house = House::with(&["lines"], &[]);
    send_datagrams(house.port("lines"), &[whole.clone(), whole[..whole.len() - 1].to_vec()]);
    assert_eq!(house.events(8).len(), 8, "one bears an id, and the last of the second is cut off");
}

#[test]
fn syslog_ngs_format_json_stands_as_it_is() {
    for events in replayed("syslogng-network-json", 6) {
        let event = of(&events, "PID", "70");
        assert_eq!((&event["PROGRAM"], &event["HOST"]), (&json!("wire"), &json!("sender.example")));
        assert_eq!((&event["ISODATE"], &event["action"]), (&json!("2026-11-24T10:11:10+01:00"), &json!("log")));
    }
}

#[test]
fn gelf_stands_as_it_is_and_may_end_in_nul() {
    let house = House::with(&["lines"], &[]);
    let gelf = "{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"s\",\"timestamp\":1795557927.106,\"_a\":1}\0";
    converse(house.port("lines"), gelf.repeat(2).as_bytes());
    let events = house.events(2);
    let meant =
        json!({"version": "1.1", "host": "h", "short_message": "s", "_a": 1, "@timestamp": "2026-11-24T22:05:27.106Z"});
    events.iter().for_each(|event| assert_holds(event, &meant, "GELF"));
}

#[test]
fn a_connection_goes_on_behind_what_is_broken_too_large_or_no_json() {
    let house = House::with(&["lines"], &[]);
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    let lines =
        ["{\"id\":\"1\"}", "{\"id\":", "{\"id\":\"2\"}", &large, "up at 192.0.2.1", "\u{1}\u{2}", "{\"id\":\"3\"}"];
    converse(house.port("lines"), lines.join("\n").as_bytes());
    let events = house.events(3);
    assert_eq!(events.len(), 3, "{events:#?}");
    assert_eq!(of(&events, "message", "up at x.x.x.x")["action"], "log");
    // Cut off where an object could stand, a line takes the next with it; the rest are rejected by themselves.
    assert_eq!(house.metric(r#"metronome_receiver_events_rejected_total{receiver="lines"}"#), 3);
    assert_eq!(house.metric(r#"metronome_events_rejected_total{site="default",reason="event_too_large"}"#), 1);
}

#[test]
fn the_scenario_by_lines_over_tcp_and_udp() {
    let scenario = Scenario::read();
    let lines: Vec<String> = scenario.events.iter().map(Value::to_string).collect();

    let house = House::with(&["lines"], &[]);
    assert_eq!(converse(house.port("lines"), lines.join("\n").as_bytes()), b"", "nothing is answered");
    scenario.assert_answers(&house);

    let house = House::with(&["lines"], &[]);
    converse(house.port("lines"), lines.concat().as_bytes());
    scenario.assert_answers(&house);

    let house = House::with(&["lines"], &[]);
    let datagrams: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
    send_datagrams(house.port("lines"), &datagrams);
    scenario.assert_answers(&house);
}

#[test]
fn a_ports_site_is_that_of_events_that_name_none() {
    let house = House::with(&["lines"], &[("METRONOME_LINES_SITE", "opendata")]);
    converse(house.port("lines"), b"{\"id\":\"1\"}{\"id\":\"2\",\"site\":\"own\"}");
    house.server.wait_until("both", |server| server.events("&site=opendata").len() == 1);
    house.server.wait_until("both", |server| server.events("&site=own").len() == 1);
}
