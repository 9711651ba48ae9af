//! A server with ports on, and the captures: what a sender sent, in which pieces, and what it was answered.
#![allow(dead_code, reason = "each receiver uses its part")]

use crate::service::Server;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

/// How long an answer may take on however busy a machine.
const ANSWER_MAX: Duration = Duration::from_secs(30);

static INDEX: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read(folder().join("wire.json")).expect("the index of captures");
    serde_json::from_slice(&text).expect("JSON")
});

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire")
}

/// A server on a folder of its own.
pub struct House {
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl House {
    /// One whose receivers of these names are on, each on a free port, with further settings.
    pub fn with(receivers: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::on(tempfile::tempdir().expect("a folder"), receivers, settings)
    }

    /// The same on a folder that a server had before.
    pub fn on(folder: tempfile::TempDir, receivers: &[&str], settings: &[(&str, &str)]) -> Self {
        let listen: Vec<String> =
            receivers.iter().map(|name| format!("METRONOME_{}_LISTEN", name.to_uppercase())).collect();
        let mut all: Vec<(&str, &str)> = listen.iter().map(|name| (name.as_str(), "127.0.0.1:0")).collect();
        all.extend(settings);
        Self { server: Server::start(&folder.path().join("data"), &all), folder }
    }

    /// Where a receiver listens.
    pub fn port(&self, receiver: &str) -> SocketAddr {
        if receiver == "http" { self.server.address } else { self.server.ports[receiver] }
    }

    /// All events, oldest received first, once there are so many.
    pub fn events(&self, count: usize) -> Vec<Value> {
        self.server.wait_until(&format!("{count} events"), |server| server.events("").len() >= count);
        let mut events = self.server.events("");
        events.reverse();
        events
    }

    /// Waits until a series says so much: what closed a connection is counted when it is closed, not before.
    pub fn assert_metric(&self, series: &str, value: u64) {
        self.server.wait_until(&format!("{series} {value}"), |_| self.metric(series) >= value);
        assert_eq!(self.metric(series), value, "{series}");
    }

    /// What `/metrics` says of a series; 0 where it says nothing.
    pub fn metric(&self, series: &str) -> u64 {
        let (_, text) = self.server.get("/metrics");
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        value.unwrap_or(0)
    }
}

/// The five events that the captures are of.
pub fn meant() -> &'static [Value] {
    INDEX["events"].as_array().expect("events")
}

/// What a sender was seen to do.
pub struct Capture {
    pub name: &'static str,
    index: &'static Value,
}

/// One connection of a capture.
pub struct Conversation {
    /// What the sender sent, in the pieces it came in.
    pub sent: Vec<Vec<u8>>,
    /// What it was answered, in all.
    pub answered: Vec<u8>,
    /// Bytes and by whom, in order: `true` for the sender's.
    pub turns: Vec<(bool, Vec<u8>)>,
}

impl Capture {
    /// The capture of this name.
    pub fn named(name: &str) -> Self {
        let all = INDEX["captures"].as_array().expect("captures");
        let index =
            all.iter().find(|capture| capture["capture"] == name).unwrap_or_else(|| panic!("no capture {name}"));
        Self { name: index["capture"].as_str().expect("a name"), index }
    }

    /// Those whose name begins so, in order.
    pub fn all(prefix: &str) -> Vec<Self> {
        let all = INDEX["captures"].as_array().expect("captures");
        let names = all.iter().map(|capture| capture["capture"].as_str().expect("a name"));
        let found: Vec<Self> = names.filter(|name| name.starts_with(prefix)).map(Self::named).collect();
        assert!(!found.is_empty(), "no capture begins with {prefix}");
        found
    }

    /// A field of the index: `sender`, `config`, `events`, `notes`, …
    pub fn field(&self, name: &str) -> &'static Value {
        &self.index[name]
    }

    /// Its connections.
    pub fn conversations(&self) -> Vec<Conversation> {
        let none = Vec::new();
        let connections = self.index["connections"].as_array().unwrap_or(&none);
        connections.iter().map(|connection| self.conversation(connection)).collect()
    }

    fn conversation(&self, connection: &Value) -> Conversation {
        let bytes = |side: &str| connection[side].as_str().map(|file| self.read(file)).unwrap_or_default();
        let (client, answered) = (bytes("client"), bytes("server"));
        let (mut sent, mut turns, mut at) = (Vec::new(), Vec::new(), [0, 0]);
        for chunk in connection["chunks"].as_array().into_iter().flatten() {
            let (is_senders, length) = (chunk[1] == "c", chunk[2].as_u64().expect("a length") as usize);
            let (from, place) = if is_senders { (&client, 0) } else { (&answered, 1) };
            let piece = from[at[place]..at[place] + length].to_vec();
            at[place] += length;
            if is_senders {
                sent.push(piece.clone());
            }
            turns.push((is_senders, piece));
        }
        Conversation { sent, answered, turns }
    }

    /// The datagrams that its sender sent.
    pub fn datagrams(&self) -> Vec<Vec<u8>> {
        let none = Vec::new();
        let datagrams = self.index["datagrams"].as_array().unwrap_or(&none);
        let sent = datagrams.iter().filter(|datagram| datagram[1] == "c");
        sent.map(|datagram| self.read(datagram[3].as_str().expect("a file"))).collect()
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(folder().join(self.name).join(file)).expect("a file of the capture")
    }
}

/// A connection to a receiver.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(ANSWER_MAX)).expect("a time limit");
    stream
}

/// Sends all, says that this was all, and hears what is answered to the end.
pub fn converse(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // It may have been closed already, for what was said first.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Sends datagrams from one socket, and answers it for what comes back.
pub fn send_datagrams(address: SocketAddr, datagrams: &[Vec<u8>]) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(ANSWER_MAX)).expect("a time limit");
    for datagram in datagrams {
        socket.send_to(datagram, address).expect("a datagram");
    }
    socket
}

/// The keys that a sender meant, of an event as it is stored.
pub fn assert_holds(stored: &Value, meant: &Value, context: &str) {
    for (key, value) in flat(meant) {
        assert_eq!(stored[&key], value, "{context}: {key} of {stored}");
    }
}

/// An object as it is stored: flattened with `.`, without nulls.
pub fn flat(object: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, value) in object.as_object().expect("an object") {
        match value {
            Value::Null => {}
            Value::Object(_) => {
                all.extend(flat(value).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)))
            }
            _ => all.push((key.clone(), value.clone())),
        }
    }
    all
}

/// The scenario: events that each receiver is sent in its own words, and what an item's usage then is.
pub struct Scenario {
    pub events: Vec<Value>,
    expect: Value,
}

impl Scenario {
    pub fn read() -> Self {
        let text = std::fs::read(folder().join("scenario.json")).expect("the scenario");
        let all: Value = serde_json::from_slice(&text).expect("JSON");
        Self { events: all["events"].as_array().expect("events").clone(), expect: all["expect"].clone() }
    }

    /// Waits until all is readable and holds every answer against what is expected.
    pub fn assert_answers(&self, house: &House) {
        house.events(self.events.len());
        for (path, expected) in self.expect.as_object().expect("answers by path") {
            assert_eq!(&house.server.json(path), expected, "{path}");
        }
        assert_eq!(house.server.events("").len(), self.events.len());
    }
}
