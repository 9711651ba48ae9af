//! A clock that jumps: the real binary under libfaketime. Nothing is lost, and no day goes before its time.

use crate::support::Server;
use serde_json::json;
use std::path::Path;

const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];
const DAY_MS: i64 = 86_400_000;
const KEEPS_30_DAYS: (&str, &str) = ("METRONOME_RETENTION_DAYS", "30");

#[test]
fn a_clock_that_jumps_takes_no_event_away() {
    let Some(library) = LIBRARIES.into_iter().find(|library| Path::new(library).exists()) else {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "libfaketime is not installed: run scripts/install");
        return println!("skipped: libfaketime is not installed; scripts/test installs it");
    };
    let folder = tempfile::tempdir().expect("folder");
    let now = metronome::clock::Clock::System.now();
    let start = |settings: &[(&str, &str)]| Server::start(folder.path(), settings);
    let jumped = |by: &str| start(&[KEEPS_30_DAYS, ("LD_PRELOAD", library), ("FAKETIME", by)]);

    let server = start(&[KEEPS_30_DAYS]);
    send(&server, "yesterday", Some(now - DAY_MS));
    assert!(server.stop().success());
    let server = start(&[]);
    send(&server, "long ago", Some(now - 100 * DAY_MS));
    assert!(server.stop().success());

    // What is due by the time that passed goes, so expiry runs; what is due by the clock alone stays.
    let server = jumped("+400d");
    server.wait_until("the expiry", |server| names(server) == ["yesterday"]);
    send(&server, "ahead", None);
    assert!(server.stop().success());
    let server = jumped("-400d");
    assert_eq!(names(&server), ["ahead", "yesterday"]);
    send(&server, "behind", None);
    assert!(server.stop().success());

    let server = start(&[KEEPS_30_DAYS]);
    send(&server, "today", None);
    assert_eq!(names(&server), ["ahead", "behind", "today", "yesterday"]);
}

/// Sends an event and waits until it is readable.
fn send(server: &Server, name: &str, at: Option<i64>) {
    let event = json!({"path": "/a", "name": name, "@timestamp": at});
    assert_eq!(server.post("/tick", &event.to_string()).0, 202);
    server.wait_until(name, |server| names(server).iter().any(|there| there == name));
}

fn names(server: &Server) -> Vec<String> {
    // Not all of them are in any range that a clock knows of.
    let page = server.json("/events.json?from=2001-01-01&to=2099-12-31&bots=include");
    let name = |event: &serde_json::Value| event["name"].as_str().expect("a name").to_owned();
    let mut names: Vec<String> = page["events"].as_array().expect("events").iter().map(name).collect();
    names.sort();
    names
}
