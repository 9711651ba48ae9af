//! Forward: every capture of Fluentd, Fluent Bit and the fluent-loggers, said again to our server; what is stored, and what
//! was answered, byte for byte, where the genuine server answered.

use crate::support::{Capture, Conversation, House, Scenario, assert_holds, connect, converse, meant, send_datagrams};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

const KEY: &str = "metronome-test";
/// `["PING", host, salt, digest of the key, user, digest of the password]`.
type Ping = (String, serde_bytes::ByteBuf, serde_bytes::ByteBuf, String, Option<String>, String);
/// Bytes of a HELO whose nonces have 16 bytes each, as genuine servers' have.
const HELO_BYTES: usize = 65;

#[test]
fn fluentd_is_understood() {
    replay("fluentd-forward-");
}

#[test]
fn fluent_bit_is_understood() {
    replay("fluentbit-forward-");
}

#[test]
fn the_loggers_of_node_are_understood() {
    replay("fluent-logger-node-");
    replay("fluent-org-logger-");
}

#[test]
fn the_loggers_of_go_and_python_are_understood() {
    replay("fluent-logger-go-");
    replay("fluentlogger-py-");
}

/// Says every capture again, each to a server of its own.
fn replay(prefix: &str) {
    for capture in Capture::all(prefix) {
        println!("{}", capture.name);
        let conversations = capture.conversations();
        let with_key = conversations.iter().any(|one| one.answered.starts_with(b"\x92\xa4HELO"));
        let users = if capture.name.contains("key-user") { r#"["alice:wonder-test"]"# } else { "[]" };
        let security = [("METRONOME_FORWARD_SHARED_KEY", KEY), ("METRONOME_FORWARD_USERS", users)];
        let house = House::with(&["forward"], if with_key { &security } else { &[] });
        let address = house.port("forward");
        for conversation in &conversations {
            say(address, &capture, conversation, with_key);
        }
        let datagrams = capture.datagrams();
        let socket = send_datagrams(address, &datagrams);
        for _ in &datagrams {
            let mut answer = [9; 8];
            assert_eq!(socket.recv(&mut answer).expect("an answer to a heartbeat"), 1);
            assert_eq!(answer[0], 0);
        }
        assert_stored(&house, &capture, &conversations);
    }
}

/// Says what a sender said on one connection, piece by piece, and hears the answers to the end.
fn say(address: SocketAddr, capture: &Capture, conversation: &Conversation, with_key: bool) {
    let mut sent: Vec<u8> = conversation.sent.concat();
    let mut answered = conversation.answered.clone();
    let mut stream = connect(address);
    if with_key {
        let rest = shake_hands(&mut stream, capture, &sent, &answered);
        let Some((rest, greeting_bytes)) = rest else { return };
        sent = rest;
        answered.drain(..greeting_bytes);
    }
    for piece in sent.chunks(conversation.sent.first().map_or(1, |piece| piece.len().max(1))) {
        stream.write_all(piece).expect("sent");
    }
    stream.shutdown(Shutdown::Write).expect("the end");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let expected: Vec<u8> = chunks(&sent).iter().flat_map(|chunk| ack(chunk)).collect();
    assert_eq!(answer.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{}", capture.name);
    // A recorder that did as a server does, and a genuine server that took what it was sent.
    let faithful = !["-never", "-wrong", "-close"].iter().any(|end| capture.name.ends_with(end));
    if faithful && !answered.is_empty() {
        assert_eq!(answer, answered, "{}", capture.name);
    }
}

/// The handshake, with a PING for the nonce of our server: the rest of what is sent, and how long the recorded HELO and PONG
/// were; `None` where the sender is refused.
fn shake_hands(stream: &mut TcpStream, capture: &Capture, sent: &[u8], recorded: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut helo = [0; HELO_BYTES];
    stream.read_exact(&mut helo).expect("a HELO");
    let (nonce, auth) = (at(&helo, b"nonce\xc4\x10"), at(&helo, b"auth\xc4\x10"));
    let is_genuine = capture.name.ends_with("--fluentd");
    let helo_bytes = value_bytes(recorded);
    if is_genuine {
        assert_eq!(masked(&helo), masked(&recorded[..helo_bytes]), "{}: the HELO", capture.name);
    }
    let mut parser = rmp_serde::Deserializer::from_read_ref(sent);
    let (_, host, salt, _, user, _): Ping = serde::Deserialize::deserialize(&mut parser).expect("a PING");
    let rest = sent[value_bytes(sent)..].to_vec();
    let is_wrong = capture.name.contains("-wrong");
    let key = if is_wrong { "another" } else { KEY };
    let of_key = digest(&[&salt, &host, nonce, key.as_bytes()]);
    let of_password = digest(&[auth, user.as_deref().unwrap_or_default().as_bytes(), b"wonder-test"]);
    let host_text = std::str::from_utf8(&host).expect("a host");
    // The salt goes as text, as Fluent Bit sends its raw bytes.
    let mut ping = b"\x96\xa4PING".to_vec();
    for text in [
        Some(&host[..]),
        Some(&salt),
        Some(of_key.as_bytes()),
        user.as_deref().map(str::as_bytes),
        Some(of_password.as_bytes()),
    ] {
        match text {
            Some(text) => ping.extend([&[0xda, 0, text.len() as u8], text].concat()),
            None => ping.push(0xc0),
        }
    }
    stream.write_all(&ping).expect("a PING");
    if is_wrong {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("a PONG, and the end");
        assert_eq!(
            answer.escape_ascii().to_string(),
            b"\x95\xa4PONG\xc2\xb3shared_key mismatch\xa0\xa0".escape_ascii().to_string()
        );
        if is_genuine {
            assert_eq!(answer, recorded[helo_bytes..], "{}", capture.name);
        }
        return None;
    }
    let name = if host_text == "metronome" { "metronome-server" } else { "metronome" };
    let expected = pong(name, &digest(&[&salt, name.as_bytes(), nonce, key.as_bytes()]));
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).expect("a PONG");
    assert_eq!(answer, expected, "{}", capture.name);
    Some((rest, helo_bytes + value_bytes(&recorded[helo_bytes..])))
}

fn pong(name: &str, digest: &str) -> Vec<u8> {
    rmp_serde::to_vec(&("PONG", true, "", name, digest)).expect("a PONG")
}

/// Where the first value of MessagePack ends.
fn value_bytes(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut parser = rmp_serde::Deserializer::new(&mut rest);
    let _: serde::de::IgnoredAny = serde::Deserialize::deserialize(&mut parser).expect("a value");
    bytes.len() - parser.into_inner().len()
}

fn at<'a>(bytes: &'a [u8], name: &[u8]) -> &'a [u8] {
    let start = bytes.windows(name.len()).position(|window| window == name).expect("a nonce") + name.len();
    &bytes[start..start + 16]
}

/// A HELO without what is made up anew each time.
fn masked(helo: &[u8]) -> Vec<u8> {
    let mut masked = helo.to_vec();
    for part in [at(helo, b"nonce\xc4\x10"), at(helo, b"auth\xc4\x10")] {
        let start = part.as_ptr() as usize - helo.as_ptr() as usize;
        masked[start..start + 16].fill(0);
    }
    masked
}

fn digest(parts: &[&[u8]]) -> String {
    let all = parts.iter().fold(Sha512::new(), |all, part| all.chain_update(part));
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The chunk ids in what a sender sent, found without reading it.
fn chunks(sent: &[u8]) -> Vec<Vec<u8>> {
    let name = b"\xa5chunk";
    let places = sent.windows(name.len()).enumerate().filter(|(_, window)| window == name);
    places
        .map(|(at, _)| {
            let value = &sent[at + name.len()..];
            let (start, length) = if value[0] == 0xd9 { (2, value[1] as usize) } else { (1, value[0] as usize & 0x1f) };
            value[start..start + length].to_vec()
        })
        .collect()
}

fn ack(chunk: &[u8]) -> Vec<u8> {
    let head: &[u8] = b"\x81\xa3ack";
    let length = if chunk.len() < 32 { vec![0xa0 | chunk.len() as u8] } else { vec![0xd9, chunk.len() as u8] };
    [head, &length, chunk].concat()
}

/// What is stored is what was meant, as often as it was sent: once, where it came with a chunk or an id of its own.
fn assert_stored(house: &House, capture: &Capture, conversations: &[Conversation]) {
    let name = capture.name;
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    let is_plain = |sent: &[u8]| holds(sent, b"wire-");
    for conversation in conversations.iter().filter(|_| !name.contains("-wrong-") && !name.ends_with("key-wrong")) {
        let sent = conversation.sent.concat();
        for event in meant() {
            let id = event["id"].as_str().expect("an id");
            let is_sent = holds(&sent, &[b"/datasets/", id.as_bytes()].concat())
                || holds(&sent, &[&b"\xa6"[..], id.as_bytes()].concat());
            let is_coded = !is_plain(&sent) && holds(&sent, &[0x1f, 0x8b]);
            let is_json = holds(&sent, format!("\"id\":\"{id}\"").as_bytes());
            if is_sent || is_coded || is_json {
                let once = id == "wire-3" || !chunks(&sent).is_empty();
                let count = expected.entry(id).or_default();
                *count = if once { 1 } else { *count + 1 };
            }
        }
    }
    let more = match name {
        "fluentlogger-py-handler" => 1,
        "fluentlogger-py-nanosecond" => 3,
        _ => 0,
    };
    let total = more + expected.values().sum::<usize>();
    let all = house.events(total);
    assert_eq!(all.len(), total, "{name}: {all:#?}");
    assert!(name.contains("wrong") || name.contains("same-hostname") || !expected.is_empty(), "{name}");
    for (id, count) in expected {
        let found: Vec<&Value> = all.iter().filter(|event| event["id"] == id).collect();
        assert_eq!(found.len(), count, "{name}: {id}");
        let meant = as_sent(name, meant().iter().find(|event| event["id"] == id).expect("an event"));
        for event in found {
            assert_holds(event, &meant, name);
            assert_said(name, event, &meant);
        }
    }
}

/// Tag and time are what the sender's protocol said.
fn assert_said(name: &str, event: &Value, meant: &Value) {
    let tag = event["tag"].as_str().expect("a tag");
    assert!(
        ["app.view", "app.log", "other.app.view", "app.download", "app.search", "app.error"].contains(&tag),
        "{tag}"
    );
    let time = event["@timestamp"].as_str().expect("a time");
    let fixed = name.starts_with("fluent-logger-") || name.starts_with("fluent-org-");
    match meant["@timestamp"].as_str() {
        Some(own) => assert_eq!(time, own, "{name}"),
        None if fixed => {
            assert!(["2025-11-24T16:00:00.000Z", "2025-11-24T16:00:00.250Z"].contains(&time), "{name}: {time}")
        }
        None => assert!(time.starts_with("2026-11-2"), "{name}: {time}"),
    }
    if name.ends_with("metadata-retained") && event["id"] == "wire-1" {
        assert_eq!((&event["metadata.origin"], &event["metadata.k"]), (&json!("wire"), &json!(1)));
    }
}

/// JavaScript knows no whole numbers beyond 2^53.
fn as_sent(name: &str, meant: &Value) -> Value {
    let mut meant = meant.clone();
    if name.contains("-node-") || name.starts_with("fluent-org-") {
        for key in ["big", "max"] {
            if let Some(number) = meant[key].as_f64() {
                meant[key] = json!(number);
            }
        }
    }
    meant
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn pack(value: impl serde::Serialize) -> Vec<u8> {
    rmp_serde::to_vec(&value).expect("MessagePack")
}

#[test]
fn the_scenario_by_forward() {
    let (house, scenario) = (House::with(&["forward"], &[]), Scenario::read());
    let entries: Vec<u8> = scenario.events.iter().flat_map(|event| pack((0, event))).collect();
    let message = pack(("app", serde_bytes::Bytes::new(&entries), json!({ "chunk": "one" })));
    assert_eq!(converse(house.port("forward"), &message), ack(b"one"));
    scenario.assert_answers(&house);
}

#[test]
fn a_chunk_sent_again_after_a_kill_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let settings = [("METRONOME_FORWARD_LISTEN", "127.0.0.1:0")];
    let entries: Vec<u8> = (0..50).flat_map(|n| pack((1_764_000_000 + n, json!({ "n": n })))).collect();
    let message = pack(("app", serde_bytes::Bytes::new(&entries), json!({ "chunk": "again\n" })));
    for _ in 0..3 {
        // Dropped at the end of each round: killed.
        let server = crate::service::Server::start(&data, &settings);
        for _ in 0..2 {
            assert_eq!(converse(server.ports["forward"], &message), ack(b"again\n"));
        }
        server.wait_until("fifty events", |server| server.events("").len() == 50);
    }
    let server = crate::service::Server::start(&data, &settings);
    let other = pack(("app", 1_764_000_000, json!({ "n": 50 }), json!({ "chunk": "other" })));
    assert_eq!(converse(server.ports["forward"], &other), ack(b"other"));
    server.wait_until("one more", |server| server.events("").len() > 50);
    assert_eq!(server.events("").len(), 51);
}

#[test]
fn a_bomb_and_idle_connections_cost_little_and_others_do_not_notice() {
    let house = House::with(&["forward"], &[]);
    let address = house.port("forward");
    let mut good = connect(address);
    let mut ask = |chunk: &str| {
        good.write_all(&pack(("t", 0, json!({}), json!({ "chunk": chunk })))).expect("sent");
        let mut answer = vec![0; ack(chunk.as_bytes()).len()];
        good.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, ack(chunk.as_bytes()));
    };
    ask("before");
    let before = house.server.anonymous_bytes();
    let mut idle: Vec<TcpStream> = (0..1_000).map(|_| connect(address)).collect();
    for stream in &mut idle {
        stream.write_all(&[0xc0]).expect("a heartbeat");
    }
    ask("among idle ones");
    let each = house.server.anonymous_bytes().saturating_sub(before) / 1_000;
    println!("{each} bytes for each idle connection");
    // A buffer of their own would be 64 KiB.
    assert!(each < 40 << 10, "{each} bytes for each idle connection");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![0; 100 << 20]).expect("gzip");
    let bomb = encoder.finish().expect("gzip");
    let bomb = pack(("t", serde_bytes::Bytes::new(&bomb), json!({ "compressed": "gzip", "chunk": "bomb" })));
    for _ in 0..4 {
        assert_eq!(converse(address, &bomb), b"", "closed, and never acknowledged");
        ask("after a bomb");
    }
    let grown = house.server.anonymous_bytes().saturating_sub(before) >> 20;
    println!("{grown} MiB after the bombs");
    assert!(grown < 64, "{grown} MiB");
    house.assert_metric("metronome_receiver_broken_total{receiver=\"forward\",reason=\"frame\"}", 4);
}
