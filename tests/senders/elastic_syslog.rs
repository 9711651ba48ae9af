//! rsyslog and syslog-ng by their Elasticsearch outputs, each configured as its page in docs/send says: what they read arrives
//! once, also where there was no room for a while.

use crate::service::Server;
use crate::syslog::{configuration, rsyslog, syslog_ng, unpacked};
use serde_json::json;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Settings of a server whose journal is full at once, and has room again after longer than answers are held.
const NARROW: [(&str, &str); 3] = [
    ("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"),
    ("METRONOME_JOURNAL_BYTES_MAX", "2097152"),
    ("METRONOME_STORE_COMMIT_MS", "20000"),
];

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Hands lines to a program's own TCP input, once it listens.
fn hand_over(port: u16, lines: &str) {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "it does not listen: {error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    stream.write_all(lines.as_bytes()).expect("lines");
}

fn lines(count: usize) -> String {
    let line = |n: usize| {
        let event = json!({"event_id": format!("l-{n:03}"), "path": format!("/datasets/{n}"), "title": "Höhe"});
        format!("<134>1 2026-11-24T10:11:12Z host app 1 - - {event}\n")
    };
    (0..count).map(line).collect()
}

/// Fills the journal with noise.
fn fill(server: &Server) {
    let mut dice = 1_u64;
    let mut noise = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{dice:016x}")
    };
    let is_full = (0..10_000).any(|_| {
        let text: String = (0..2_000).map(|_| noise()).collect();
        server.post("/tick", &json!({"message": &text[..30_000]}).to_string()).0 == 503
    });
    assert!(is_full, "it is never full");
}

/// Waits until all lines are there, and holds that none is twice.
fn all_once(server: &Server, count: usize) {
    let of = |server: &Server| {
        let mut paths: Vec<String> =
            server.events("&where=[%22exists%22,%22path%22]").iter().map(|event| event["path"].to_string()).collect();
        paths.sort();
        paths
    };
    server.wait_until(&format!("{count} lines"), |server| of(server).len() >= count);
    let mut expected: Vec<String> = (0..count).map(|n| format!("\"/datasets/{n}\"")).collect();
    expected.sort();
    assert_eq!(of(server), expected);
}

fn page(name: &str, mark: &str, address: SocketAddr) -> String {
    configuration(name, mark, address, &[])
}

fn by_rsyslog(settings: &[(&str, &str)], full: bool) {
    let Some(root) = unpacked() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"), settings);
    if full {
        fill(&server);
    }
    let port = free_port();
    let input = format!("module(load=\"imptcp\")\ninput(type=\"imptcp\" address=\"127.0.0.1\" port=\"{port}\")\n");
    let action = page("rsyslog.md", "rsyslog-elasticsearch", server.address).replace("localhost", "127.0.0.1");
    let _sender = rsyslog(&root, folder.path(), &(input + &action));
    hand_over(port, &lines(50));
    all_once(&server, 50);
}

fn by_syslog_ng(settings: &[(&str, &str)], full: bool) {
    let Some(root) = unpacked() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"), settings);
    if full {
        fill(&server);
    }
    let port = free_port();
    let scl = root.join("usr/share/syslog-ng/include/scl");
    let include = format!(
        "@define scl-root \"{scl}\"\n@include \"{scl}/elasticsearch/elastic-http.conf\"\noptions {{ stats-freq(0); time-reopen(1); }};\n\
         source s_src {{ network(ip(\"127.0.0.1\") port({port}) transport(\"tcp\") flags(syslog-protocol)); }};\n",
        scl = scl.display()
    );
    let destination = page("syslog-ng.md", "syslog-ng-elasticsearch", server.address).replace("localhost", "127.0.0.1");
    let _sender = syslog_ng(&root, folder.path(), &(include + &destination));
    hand_over(port, &lines(50));
    all_once(&server, 50);
}

#[test]
fn rsyslog_sends_by_omelasticsearch() {
    by_rsyslog(&[], false);
}

#[test]
fn rsyslog_keeps_what_there_is_no_room_for() {
    by_rsyslog(&NARROW, true);
}

#[test]
fn syslog_ng_sends_by_elasticsearch_http() {
    by_syslog_ng(&[], false);
}

#[test]
fn syslog_ng_keeps_what_there_is_no_room_for() {
    by_syslog_ng(&NARROW, true);
}
