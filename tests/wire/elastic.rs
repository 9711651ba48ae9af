//! Elasticsearch's clients and shippers, by their captures: what they sent is stored, and what they are answered is what
//! they read; where a capture is of a genuine server, in its very form.

use crate::support::{Capture, House, Scenario, assert_holds, connect, meant};
use metronome::clock::Clock;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;

/// Whose captures are replayed.
const SENDERS: [&str; 6] = [
    "elasticsearch-",
    "opensearch-py-",
    "go-elasticsearch-",
    "fluentbit-es-",
    "rsyslog-elasticsearch-",
    "syslogng-elasticsearch",
];

/// A request or an answer.
struct Message {
    /// Method and path, or status.
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// As it came.
    bytes: Vec<u8>,
}

impl Message {
    fn read(from: &mut impl BufRead, of_head: bool) -> Option<Self> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut bytes).expect("bytes") == 0 {
                assert!(bytes.is_empty(), "a head that breaks off");
                return None;
            }
        }
        let head = String::from_utf8(bytes.clone()).expect("a head");
        let (line, rest) = head.split_once("\r\n").expect("a line");
        let headers: BTreeMap<String, String> = rest
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length =
            headers.get("content-length").filter(|_| !of_head).map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        from.read_exact(&mut body).expect("a body");
        bytes.extend_from_slice(&body);
        Some(Self { line: line.to_owned(), headers, body, bytes })
    }

    fn all(bytes: &[u8], heads: &[bool]) -> Vec<Self> {
        let mut reader = BufReader::new(bytes);
        let of_head = |at: usize| heads.get(at).copied().unwrap_or(false);
        (0..).map_while(|at| Self::read(&mut reader, of_head(at))).collect()
    }

    /// The body as text, decompressed.
    fn text(&self) -> String {
        let mut text = String::new();
        match self.headers.get("content-encoding").map(String::as_str) {
            Some("gzip") => {
                flate2::read::MultiGzDecoder::new(self.body.as_slice()).read_to_string(&mut text).expect("gzip")
            }
            _ => self.body.as_slice().read_to_string(&mut text).expect("text"),
        };
        text
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn status(&self) -> &str {
        self.line.split(' ').nth(1).expect("a status")
    }

    fn is_head(&self) -> bool {
        self.line.starts_with("HEAD ")
    }
}

/// Asks on one connection, one after another.
fn ask(address: SocketAddr, requests: &[Message]) -> Vec<Message> {
    let mut stream = BufReader::new(connect(address));
    let answers = requests.iter().map(|request| {
        // In two pieces: no sender promises more.
        let (first, second) = request.bytes.split_at(request.bytes.len() / 2);
        stream.get_mut().write_all(first).expect("a request");
        stream.get_mut().write_all(second).expect("a request");
        Message::read(&mut stream, request.is_head()).expect("an answer")
    });
    answers.collect()
}

/// What a sender does to each document, in order: how, by which id, and what.
fn actions(request: &Message) -> Vec<(String, Option<String>, Value)> {
    let path: Vec<&str> = request.line.split(' ').nth(1).expect("a path").split('/').collect();
    let (text, json) = (request.text(), |text: &str| serde_json::from_str::<Value>(text).expect("JSON"));
    if request.body.is_empty() {
        return Vec::new();
    }
    if path.last() != Some(&"_bulk") {
        let op = if path.get(2) == Some(&"_create") { "create" } else { "index" };
        return vec![(op.to_owned(), path.get(3).map(|id| (*id).to_owned()), json(&text))];
    }
    let mut lines = text.lines();
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let action = json(line);
        let (op, meta) = action.as_object().expect("an action").iter().next().expect("its name");
        let document = if op == "delete" { Value::Null } else { json(lines.next().expect("a document")) };
        all.push((op.clone(), meta["_id"].as_str().map(str::to_owned), document));
    }
    all
}

/// The status of each action, by a server that knows what it has: ids by their day, which is today where none is said.
fn expected(op: &str, id: Option<&str>, document: &Value, known: &mut HashSet<(String, String)>) -> u64 {
    let today = || jiff::Timestamp::from_millisecond(Clock::System.now()).expect("a time").to_string();
    let day = document["@timestamp"].as_str().map_or_else(today, str::to_owned);
    let id = document["event_id"].as_str().or(id).map(|id| (id.to_owned(), day[..10].to_owned()));
    match (op, id.as_ref().is_some_and(|id| known.contains(id))) {
        ("update" | "delete", _) => 400,
        ("create", true) => 409,
        (_, true) => 200,
        (_, false) => {
            known.extend(id);
            201
        }
    }
}

/// Replays a capture against a server of its own; answers the genuine answers beside ours.
fn replay(capture: &Capture) -> Vec<(Message, Message)> {
    let name = capture.name;
    let house = House::with(&[], &[("METRONOME_STORE_COMMIT_MS", "10")]);
    let mut known = HashSet::new();
    let (mut stored, mut pairs) = (Vec::new(), Vec::new());
    for conversation in capture.conversations() {
        let requests = Message::all(&conversation.sent.concat(), &[]);
        let heads: Vec<bool> = requests.iter().map(Message::is_head).collect();
        let answers = ask(house.server.address, &requests);
        for (request, answer) in requests.iter().zip(&answers) {
            assert_eq!(answer.headers["x-elastic-product"], "Elasticsearch", "{name}: {}", request.line);
            let is_bulk = request.line.contains("_bulk ");
            let said = if request.body.is_empty() { Value::Null } else { answer.json() };
            let mut statuses = Vec::new();
            for (op, id, document) in actions(request) {
                let status = expected(&op, id.as_deref(), &document, &mut known);
                statuses.push((op, status));
                if status == 201 {
                    stored.push((id, document));
                }
            }
            if is_bulk {
                assert_eq!(answer.status(), "200", "{name}: {said}");
                let items = said["items"].as_array().expect("items");
                assert_eq!(items.len(), statuses.len(), "{name}: {said}");
                for (item, (op, status)) in items.iter().zip(&statuses) {
                    assert_eq!(item[op]["status"], *status, "{name}: {item}");
                    assert_eq!(item[op]["error"].is_object(), *status >= 400, "{name}: {item}");
                }
                assert_eq!(said["errors"], statuses.iter().any(|(_, status)| *status >= 400), "{name}: {said}");
            } else {
                let status = statuses.first().map_or(200, |(_, status)| *status);
                assert_eq!(answer.status(), status.to_string(), "{name}: {}", request.line);
            }
        }
        let genuine = Message::all(&conversation.answered, &heads);
        pairs.extend(genuine.into_iter().zip(answers));
    }
    let held = house.events(stored.len());
    assert_eq!(held.len(), stored.len(), "{name}: nothing twice");
    for (at, (id, document)) in stored.iter().enumerate() {
        let own = document["event_id"].as_str().or(id.as_deref());
        let is_this = |event: &&Value| {
            own.is_none_or(|id| event["event_id"] == id)
                && document["id"].as_str().is_none_or(|item| event["id"] == item)
        };
        let event = held.iter().find(is_this).unwrap_or_else(|| panic!("{name}: no {document}"));
        if id.is_some() && document["event_id"].is_null() {
            assert_eq!(event["event_id"].as_str(), id.as_deref(), "{name}");
        }
        as_meant(capture, event, document, at);
    }
    pairs
}

/// Holds a stored event against what its sender meant.
fn as_meant(capture: &Capture, event: &Value, document: &Value, at: usize) {
    let context = format!("{}, document {at}", capture.name);
    let Some(meant) = meant().iter().find(|meant| meant["id"] == document["id"]) else {
        // Only syslog-ng's own template wraps the event.
        assert_eq!(event["MESSAGE"], document["MESSAGE"], "{context}");
        return;
    };
    let mut meant = meant.clone();
    if capture.name.starts_with("elasticsearch-js-") && meant["big"].is_number() {
        // They lost their last digits before they were sent.
        (meant["big"], meant["max"]) = (document["big"].clone(), document["max"].clone());
    }
    assert_holds(event, &meant, &context);
}

fn of(sender: &str) {
    for capture in Capture::all(sender) {
        println!("{}", capture.name);
        for (genuine, ours) in replay(&capture) {
            if capture.name.contains("--") && genuine.status() == "200" {
                same_form(capture.name, &genuine, &ours);
            }
        }
    }
}

/// Our answer has the form of a genuine server's: the keys of each kind of item, in their order, and of a probe.
fn same_form(name: &str, genuine: &Message, ours: &Message) {
    assert_eq!(
        genuine.headers["content-type"].split(';').next(),
        ours.headers["content-type"].split(';').next(),
        "{name}"
    );
    let (theirs, said) = (genuine.json(), ours.json());
    if theirs["items"].is_array() {
        let prefix =
            |text: String| text[..text.find("\"items\":[{").expect("items")].replace(|c: char| c.is_ascii_digit(), "");
        let plain = |text: String| prefix(text).replace("true", "false");
        assert_eq!(plain(genuine.text()), plain(ours.text()), "{name}");
        for (theirs, said) in items(&genuine.text()).into_iter().zip(items(&ours.text())) {
            // What the genuine server had refused, and we take, has the form of what it took.
            let kind = |item: &str| item.contains("\"error\"");
            if kind(&theirs) == kind(&said) {
                assert_eq!(keys(&theirs), keys(&said), "{name}");
            }
        }
    } else {
        for (key, value) in theirs.as_object().expect("an object").iter().filter(|(key, _)| *key != "version") {
            assert_eq!(value.is_string(), said[key].is_string(), "{name}: {key}");
        }
        let of_opensearch = |key: &&String| *key != "distribution";
        for key in theirs["version"].as_object().expect("a version").keys().filter(of_opensearch) {
            assert!(!said["version"][key].is_null(), "{name}: {key}");
        }
        assert_eq!(said["version"]["build_snapshot"], theirs["version"]["build_snapshot"], "{name}");
    }
}

/// The items of an answer, each as its text.
fn items(text: &str) -> Vec<String> {
    let items: Value = serde_json::from_str(text).expect("JSON");
    let count = items["items"].as_array().expect("items").len();
    let start = text.find("\"items\":[").expect("items") + 9;
    let mut ends = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    let mut all = Vec::new();
    let mut from = start;
    for _ in 0..count {
        ends.next().expect("an item").expect("JSON");
        let to = from + ends.byte_offset();
        all.push(text[from..to].to_owned());
        // Behind the comma.
        from = to + 1;
        ends = serde_json::Deserializer::from_str(text.get(from..).unwrap_or_default()).into_iter::<Value>();
    }
    all
}

/// The keys of an item, in their order.
fn keys(item: &str) -> Vec<&str> {
    let parts = item.split("\":").filter_map(|part| part.rsplit_once('"')).map(|(_, key)| key);
    parts.filter(|key| !["index", "create"].contains(key)).collect()
}

#[test]
fn python() {
    of("elasticsearch-py-");
}

#[test]
fn javascript() {
    of("elasticsearch-js-");
}

#[test]
fn opensearch() {
    of("opensearch-py-");
}

#[test]
fn go() {
    of("go-elasticsearch-");
}

#[test]
fn fluent_bit() {
    of("fluentbit-es-");
}

#[test]
fn rsyslog() {
    of("rsyslog-elasticsearch-");
}

#[test]
fn syslog_ng() {
    of("syslogng-elasticsearch");
}

#[test]
fn every_capture_of_its_senders_is_replayed() {
    let count: usize = SENDERS.iter().map(|sender| Capture::all(sender).len()).sum();
    assert_eq!(count, 128);
}

#[test]
fn the_scenario_by_bulk() {
    let (house, scenario) = (House::with(&[], &[]), Scenario::read());
    let body: String = scenario.events.iter().map(|event| format!("{{\"index\":{{}}}}\n{event}\n")).collect();
    let (status, said) = house.server.post("/_bulk", &body);
    assert!(status == 200 && said.contains("\"errors\":false"), "{said}");
    scenario.assert_answers(&house);
}
