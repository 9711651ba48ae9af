//! Elasticsearch's official clients, and OpenSearch's, with their bulk helpers: each connects as it is, reports exactly what
//! was refused, and what it was told is safe is there, once, whatever happens to the server and on the way.

use crate::proxy::{Cut, Proxy};
use crate::service::{Server, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Every client, by the name of its folder or program.
const CLIENTS: [&str; 7] = ["py7", "py8", "py9", "opensearch", "node", "go8", "go9"];

/// How long a sender may take on however busy a machine.
const SENDER_MAX: Duration = Duration::from_secs(240);

/// A client that sends.
struct Sending {
    name: &'static str,
    process: Child,
    told: Option<JoinHandle<Vec<Value>>>,
}

/// What a client was told of each document.
#[derive(Debug, Default)]
struct Told {
    safe: Vec<String>,
    refused: BTreeMap<String, (u64, String)>,
}

/// Where the parts of these tests are; `None`, with a word why they are skipped, where a client is not installed.
fn tools() -> Option<PathBuf> {
    let tools = std::env::var_os("TESTS_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")).join("elastic");
    if CLIENTS.iter().all(|name| tools.join(name).exists()) {
        return Some(tools);
    }
    assert!(
        std::env::var_os("TESTS_SKIP_NOTHING").is_none(),
        "Elasticsearch's clients are not installed: run scripts/install"
    );
    println!("skipped: Elasticsearch's clients are not installed; scripts/test installs them");
    None
}

fn command(tools: &Path, name: &str) -> Command {
    let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/senders/elastic").join(name);
    let mut command = match name {
        "node" => Command::new("node"),
        "go8" | "go9" => Command::new(tools.join(name)),
        python => Command::new(tools.join(python).join("bin/python")),
    };
    match name {
        "node" => command.arg(script("bulk.js")).env("NODE_PATH", tools.join("node/node_modules")),
        "go8" | "go9" => &mut command,
        _ => command.arg(script("bulk.py")),
    };
    command
}

/// Begins to send documents.
fn send(tools: &Path, name: &'static str, arguments: &[&str], documents: &[Value]) -> Sending {
    let mut command = command(tools, name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines: String = documents.iter().map(|document| format!("{document}\n")).collect();
    process.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("documents");
    let output = BufReader::new(process.stdout.take().expect("its output"));
    let read = |line: Result<String, _>| serde_json::from_str(&line.expect("a line")).expect("JSON");
    let told = std::thread::spawn(move || output.lines().map(read).collect());
    Sending { name, process, told: Some(told) }
}

impl Sending {
    /// Waits until it is done; what it was told.
    fn told(mut self) -> Told {
        let begun = Instant::now();
        while self.process.try_wait().expect("its state").is_none() {
            assert!(begun.elapsed() < SENDER_MAX, "{} does not come to an end", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut told = Told::default();
        let said = self.told.take().expect("asked once").join();
        for said in said.expect("what it said") {
            let id = said["id"].as_str().expect("an id").to_owned();
            match said["ok"] == true {
                true => told.safe.push(id),
                false => {
                    let why =
                        (said["status"].as_u64().expect("a status"), said["reason"].as_str().unwrap_or("").to_owned());
                    told.refused.insert(id, why);
                }
            }
        }
        told.safe.sort();
        told
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Documents that are all taken: as many as this, the ids beginning so.
fn good(prefix: &str, count: usize) -> Vec<Value> {
    let document =
        |n: usize| json!({"path": format!("/datasets/{n}"), "title": format!("Höhe {n}"), "text": "x".repeat(n % 300)});
    (0..count).map(|n| json!({"id": format!("{prefix}-{n:04}"), "op": "index", "document": document(n)})).collect()
}

fn ids(documents: &[Value]) -> Vec<String> {
    documents.iter().map(|document| document["id"].as_str().expect("an id").to_owned()).collect()
}

/// The ids stored that begin so, sorted.
fn stored(server: &Server, prefix: &str, count: usize) -> Vec<String> {
    let of = |server: &Server| -> Vec<String> {
        let ids = server.events("").into_iter().map(|event| event["event_id"].as_str().unwrap_or("-").to_owned());
        let mut ids: Vec<String> = ids.filter(|id| id.starts_with(prefix)).collect();
        ids.sort();
        ids
    };
    server.wait_until(&format!("{count} events of {prefix}"), |server| of(server).len() >= count);
    of(server)
}

/// The text of a new key.
fn key(data: &Path, arguments: &[&str]) -> String {
    let made = run(data, &[&["key", "new"], arguments].concat());
    let said = String::from_utf8(made.stdout).expect("text");
    said.split_whitespace().find(|word| word.starts_with("metronome_")).expect("a key").to_owned()
}

/// What is refused, with its status and a part of the reason.
fn bad() -> [(Value, u64, &'static str); 4] {
    [
        (json!({"@timestamp": "never"}), 400, "@timestamp"),
        (json!({"site": "other"}), 403, "other"),
        (json!({"": 1}), 400, "a key is empty"),
        (json!({"text": "y".repeat(70_000)}), 400, "the limit is 65536"),
    ]
}

#[test]
fn each_client_connects_and_reports_exactly_what_was_refused() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let key = key(&data, &["--scope", "write", "--site", "shop"]);
    let server = Server::start(&data, &[]);
    let url = format!("http://{}", server.address);
    for name in CLIENTS {
        let is_go = name.starts_with("go");
        let forms: &[&str] = match name {
            "go8" | "go9" => &["apikey"],
            "opensearch" => &["basic", "bearer"],
            _ => &["basic", "bearer", "apikey"],
        };
        for form in forms {
            let arguments = if is_go { vec![url.as_str(), &key] } else { vec![url.as_str(), form, &key] };
            let prefix = format!("{name}-{form}");
            let good = good(&prefix, 20);
            let mut documents = good.clone();
            for (at, (document, ..)) in bad().iter().enumerate() {
                documents
                    .insert(7 * at, json!({"id": format!("{prefix}-bad{at}"), "op": "index", "document": document}));
            }
            let told = send(&tools, name, &arguments, &documents).told();
            assert_eq!(told.safe, ids(&good), "{prefix}: {told:?}");
            assert_eq!(told.refused.len(), bad().len(), "{prefix}: {told:?}");
            for (at, (_, status, holds)) in bad().iter().enumerate() {
                let (said, reason) = &told.refused[&format!("{prefix}-bad{at}")];
                assert!(said == status && reason.contains(holds), "{prefix}: {said} {reason}");
            }
            let known = json!({"id": good[0]["id"], "op": "create", "document": {}});
            let told = send(&tools, name, &arguments, &[known]).told();
            let (status, reason) = told.refused.values().next().expect("a refusal");
            assert!(*status == 409 && reason.contains("version conflict"), "{prefix}: {status} {reason}");
        }
    }
}

#[test]
fn a_key_that_is_none_is_read_out_to_whoever_shows_it() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let key = key(&data, &["--scope", "read"]);
    let server = Server::start(&data, &[]);
    let url = format!("http://{}", server.address);
    let document = r#"{"id":"1","op":"index","document":{}}"#;
    for (name, arguments) in [("py9", [url.as_str(), "apikey", &key]), ("node", [url.as_str(), "bearer", &key])] {
        let mut process = command(&tools, name)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a client");
        process.stdin.take().expect("its input").write_all(document.as_bytes()).expect("a document");
        let first = BufReader::new(process.stderr.take().expect("its errors")).lines().next();
        let first = first.expect("a word").expect("text");
        let _ = (process.kill(), process.wait());
        assert!(first.contains("this needs a key with the scope write"), "{name}: {first}");
    }
}

#[test]
fn a_server_that_is_killed_and_restarted_loses_and_doubles_nothing() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut server = Some(Server::start(&data, &[]));
    let proxy = Proxy::start(server.as_ref().expect("a server").address);
    let url = format!("http://{}", proxy.address);
    let sending: Vec<(&str, Vec<Value>, Sending)> = CLIENTS
        .map(|name| {
            let documents = good(name, 2_000);
            let sending = send(&tools, name, &[&url], &documents);
            (name, documents, sending)
        })
        .into();
    for kill in 1..=3 {
        let (begun, so_far) = (Instant::now(), proxy.answered());
        // Something more was answered; then it is killed, in the middle of whatever it does.
        while proxy.answered() < so_far + 50_000 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        println!("kill {kill} after {} bytes of answers", proxy.answered());
        drop(server.take());
        proxy.point_at(None);
        server = Some(Server::start(&data, &[]));
        proxy.point_at(server.as_ref().map(|server| server.address));
    }
    let server = server.expect("a server");
    for (name, documents, sending) in sending {
        let told = sending.told();
        assert_eq!(told.safe, ids(&documents), "{name}: all was told to be safe, {:?} refused", told.refused);
        assert_eq!(stored(&server, name, documents.len()), ids(&documents), "{name}: all is there, once");
    }
}

#[test]
fn a_connection_that_is_cut_at_any_phase_loses_and_doubles_nothing() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"), &[]);
    let sent = |bytes| Cut { sent: Some(bytes), answered: None };
    let answered = |bytes| Cut { sent: None, answered: Some(bytes) };
    // As it is accepted; within the head; within the body; before any answer; within the answer's head, and its body.
    let cuts = [sent(0), sent(40), sent(3_000), answered(0), answered(30), answered(900), answered(5_000)];
    let sending: Vec<_> = CLIENTS
        .map(|name| {
            let proxy = Proxy::start(server.address);
            // Each first, and again once some of it was told.
            proxy.cut([&cuts[..], &cuts[..]].concat());
            let documents = good(name, 300);
            let sending = send(&tools, name, &[&format!("http://{}", proxy.address)], &documents);
            (name, documents, sending, proxy)
        })
        .into();
    for (name, documents, sending, proxy) in sending {
        let told = sending.told();
        assert_eq!(told.safe, ids(&documents), "{name}: {:?}", told.refused);
        assert_eq!(stored(&server, name, documents.len()), ids(&documents), "{name}: all is there, once");
        assert!(proxy.has_cut_all() || name == "node", "{name}: it connected as often as it was cut");
    }
}

#[test]
fn a_server_that_stalls_is_waited_for() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"), &[]);
    let proxy = Proxy::start(server.address);
    let url = format!("http://{}", proxy.address);
    let sending = CLIENTS.map(|name| {
        let documents = good(name, 500);
        (name, send(&tools, name, &[&url], &documents), documents)
    });
    // Longer than the clients for Python wait for an answer.
    proxy.stall(true);
    std::thread::sleep(Duration::from_secs(11));
    proxy.stall(false);
    for (name, sending, documents) in sending {
        let told = sending.told();
        assert_eq!(told.safe, ids(&documents), "{name}: {:?}", told.refused);
        assert_eq!(stored(&server, name, documents.len()), ids(&documents), "{name}: all is there, once");
    }
}

#[test]
fn a_server_without_room_is_waited_for() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    // The journal is full at once, and lets go of what is in it when that is committed: longer after than answers are held.
    let settings = [
        ("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"),
        ("METRONOME_JOURNAL_BYTES_MAX", "2097152"),
        ("METRONOME_STORE_COMMIT_MS", "25000"),
    ];
    let server = Server::start(&folder.path().join("data"), &settings);
    let mut dice = 1_u64;
    let mut noise = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{dice:016x}")
    };
    let full = (0..10_000).map(|_| {
        let text: String = (0..3_000).map(|_| noise()).collect();
        server.post("/tick", &json!({"message": &text[..30_000]}).to_string()).0
    });
    assert!(full.into_iter().any(|status| status == 503), "it is never full");
    let url = format!("http://{}", server.address);
    let begun = Instant::now();
    let sending = CLIENTS.map(|name| {
        let documents = good(name, 120);
        (name, send(&tools, name, &[&url], &documents), documents)
    });
    for (name, sending, documents) in sending {
        let told = sending.told();
        println!("{name}: all told after {:?}", begun.elapsed());
        assert_eq!(told.safe, ids(&documents), "{name}: {:?}", told.refused);
        assert_eq!(stored(&server, name, documents.len()), ids(&documents), "{name}: all is there, once");
    }
}
