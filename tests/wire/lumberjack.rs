//! Lumberjack v2: what go-lumber and python-logstash-async (pylogbeat) were seen to send, and Beats' own fields.

use crate::support::{Capture, House, Scenario, assert_holds, connect, converse, meant};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

fn window(count: usize) -> Vec<u8> {
    [b"2W".as_slice(), &(count as u32).to_be_bytes()].concat()
}

fn frames(events: &[Value]) -> Vec<u8> {
    let frame = |(at, event): (usize, &Value)| {
        let json = event.to_string().into_bytes();
        [b"2J".as_slice(), &(at as u32 + 1).to_be_bytes(), &(json.len() as u32).to_be_bytes(), &json].concat()
    };
    events.iter().enumerate().flat_map(frame).collect()
}

fn compressed(frames: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(frames).expect("memory");
    let zlib = encoder.finish().expect("memory");
    [b"2C".as_slice(), &(zlib.len() as u32).to_be_bytes(), &zlib].concat()
}

/// The numbers that are acknowledged, without those that say that a window is under way.
fn acknowledged(answer: &[u8]) -> Vec<u32> {
    let frames = answer.chunks(6);
    let number = |frame: &[u8]| {
        assert_eq!(&frame[..2], b"2A", "{}", answer.escape_ascii());
        u32::from_be_bytes(frame[2..].try_into().expect("four bytes"))
    };
    frames.map(number).filter(|number| *number > 0).collect()
}

#[test]
fn go_lumber_in_plain_and_compressed_windows_is_answered_as_by_its_own_server() {
    // Windows of five and two events, or three of five; one event bears an id and is stored once.
    for (name, windows, stored) in [
        ("golumber-sync-plain", vec![5, 2], 7),
        ("golumber-sync-zlib", vec![5, 2], 7),
        ("golumber-sync-zlib--golumber", vec![5, 2], 7),
        ("golumber-sync-partial", vec![5, 2], 7),
        ("golumber-sync-keepalive", vec![5, 2], 7),
        ("golumber-sync-noack", vec![5, 2], 7),
        ("golumber-async-zlib", vec![5, 5, 5], 13),
    ] {
        let house = House::with(&["lumberjack"], &[]);
        for conversation in Capture::named(name).conversations() {
            let answer = converse(house.port("lumberjack"), &conversation.sent.concat());
            assert_eq!(acknowledged(&answer), windows, "{name}");
            if name.ends_with("--golumber") {
                assert_eq!(acknowledged(&answer), acknowledged(&conversation.answered), "{name}");
            }
        }
        let events = house.events(stored);
        assert_eq!(events.len(), stored, "{name}");
        for meant in meant() {
            let event = events.iter().find(|event| event["id"] == meant["id"]).expect("it");
            assert_holds(event, meant, name);
        }
    }
}

#[test]
fn pylogbeat_is_answered_as_by_a_genuine_server() {
    for capture in Capture::all("python-logstash-async-beats") {
        let house = House::with(&["lumberjack"], &[]);
        let conversations = capture.conversations();
        for conversation in &conversations {
            let mut stream = connect(house.port("lumberjack"));
            conversation.sent.iter().for_each(|piece| stream.write_all(piece).expect("to be taken"));
            assert_eq!(answer(&mut stream), 6, "{}", capture.name);
            if capture.name.ends_with("--golumber") {
                assert_eq!(conversation.answered, b"2A\0\0\0\x06");
            }
        }
        let events = house.events(5 * conversations.len() + 1);
        for at in 1..=5 {
            let message = format!("event ü wire-{at}");
            let found = events.iter().filter(|event| event["message"] == message.as_str());
            // One bears an id; the same window sent again is no news of it.
            assert_eq!(found.count(), if at == 3 { 1 } else { conversations.len() }, "{}: {at}", capture.name);
        }
        let failed = events.iter().find(|event| event["message"] == "went wrong").expect("it");
        assert_eq!((&failed["source_path"], &failed["path"]), (&json!("/srv/wire-app/lstash.py"), &Value::Null));
    }
}

/// The next acknowledgement of a window.
fn answer(stream: &mut TcpStream) -> u32 {
    let mut frame = [0; 6];
    loop {
        stream.read_exact(&mut frame).expect("an acknowledgement");
        if let [number] = acknowledged(&frame)[..] {
            return number;
        }
    }
}

#[test]
fn several_windows_are_under_way_and_answered_in_order_by_their_last_numbers() {
    let house = House::with(&["lumberjack"], &[]);
    let events: Vec<Value> = (0..6).map(|at| json!({"id": at.to_string()})).collect();
    let all = frames(&events);
    let one = frames(&events[..1]).len();
    // As pylogbeat numbers: on and on over the windows of a connection.
    let stream = [window(1), all[..one].to_vec(), window(2), all[one..3 * one].to_vec(), window(3)].concat();
    let mut connection = connect(house.port("lumberjack"));
    connection.write_all(&stream).expect("to be taken");
    assert_eq!((answer(&mut connection), answer(&mut connection)), (1, 3));
    connection.write_all(&all[3 * one..]).expect("to be taken");
    assert_eq!(answer(&mut connection), 6);
    house.events(6);
}

#[test]
fn what_breaks_closes_its_connection_and_no_window_but_its_own_is_sent_again() {
    let house = House::with(&["lumberjack"], &[]);
    let whole = [window(2), frames(&[json!({"id": "1"}), json!({"id": "2"})])].concat();
    let nested = compressed(&compressed(&frames(&[json!({"id": "3"})])));
    let table = [
        (nested, "frame"),
        (b"2J\0\0\0\x01\xff\xff\xff\xff".to_vec(), "frame"),
        (b"1D\0\0\0\x01".to_vec(), "frame"),
        (b"2C\0\0\0\x04abcd".to_vec(), "inflate"),
    ];
    for (at, (broken, reason)) in table.into_iter().enumerate() {
        let stream = [whole.clone(), window(2), frames(&[json!({"id": "lost"})]), broken].concat();
        assert_eq!(acknowledged(&converse(house.port("lumberjack"), &stream)), [2], "{reason}");
        house.events(2 * at + 2);
        let series = format!("metronome_receiver_broken_total{{receiver=\"lumberjack\",reason=\"{reason}\"}}");
        house.server.wait_until(&series, |_| house.metric(&series) > 0);
    }
    assert!(house.events(8).iter().all(|event| event["id"] == "1" || event["id"] == "2"));
}

#[test]
fn an_event_that_is_rejected_does_not_stop_its_window() {
    let house = House::with(&["lumberjack"], &[]);
    let events = [json!({"id": "1"}), json!([1]), json!({"@timestamp": "soon"}), json!({"id": "2"})];
    let stream = [window(4), compressed(&frames(&events))].concat();
    assert_eq!(acknowledged(&converse(house.port("lumberjack"), &stream)), [4]);
    assert_eq!(house.events(2).len(), 2);
    assert_eq!(house.metric(r#"metronome_receiver_events_rejected_total{receiver="lumberjack"}"#), 2);
}

#[test]
fn beats_own_fields_are_kept_but_for_the_way_they_came() {
    let house = House::with(&["lumberjack"], &[]);
    // As the protocol's documentation shows an event of Filebeat's.
    let event = json!({
        "@timestamp": "2026-11-24T10:11:12.345Z",
        "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.15.0", "_id": "doc-1"},
        "message": "{}", "log": {"offset": 12, "file": {"path": "/var/log/app.json"}}, "input": {"type": "filestream"},
        "host": {"name": "web-1"}, "agent": {"type": "filebeat", "version": "8.15.0"}, "ecs": {"version": "8.0.0"},
        "action": "download", "path": "/data.csv"
    });
    let stream = [window(1), compressed(&frames(&[event]))].concat();
    assert_eq!(acknowledged(&converse(house.port("lumberjack"), &stream)), [1]);
    let stored = house.events(1).remove(0);
    let meant = json!({
        "event_id": "doc-1", "log.file.path": "/var/log/app.json", "host.name": "web-1", "agent.type": "filebeat",
        "action": "download", "path": "/data.csv", "format": "csv", "@timestamp": "2026-11-24T10:11:12.345Z"
    });
    assert_holds(&stored, &meant, "Filebeat");
    let kept = stored.as_object().expect("an object").keys().any(|key| key.starts_with("@metadata"));
    assert!(!kept, "{stored}");
}

#[test]
fn a_window_larger_than_a_batch_is_taken_and_acknowledged_in_parts() {
    let house = House::with(&["lumberjack"], &[]);
    let events: Vec<Value> = (0..10_000).map(|at| json!({"id": (at % 7).to_string()})).collect();
    let stream = [window(events.len()), compressed(&frames(&events))].concat();
    assert_eq!(acknowledged(&converse(house.port("lumberjack"), &stream)), [4_096, 8_192, 10_000]);
    house.server.wait_until("all", |_| {
        house.metric(r#"metronome_receiver_events_accepted_total{receiver="lumberjack"}"#) == 10_000
    });
}

#[test]
fn the_scenario_by_lumberjack() {
    let scenario = Scenario::read();
    let frames = frames(&scenario.events);
    for frames in [compressed(&frames), frames] {
        let house = House::with(&["lumberjack"], &[]);
        let stream = [window(scenario.events.len()), frames].concat();
        assert_eq!(acknowledged(&converse(house.port("lumberjack"), &stream)), [scenario.events.len() as u32]);
        scenario.assert_answers(&house);
    }
}
