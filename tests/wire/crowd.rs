//! A crowd: connections in numbers on every port at once, idle or in the middle of what they say, and good senders beside them.
//! - CONNECTIONS=4000 cargo test --test wire crowd -- --nocapture (so many on each port; 250 without). The system must allow
//!   as many files, here and in the server.

use crate::support::{House, connect};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a connection may cost the server, and by how much its memory varies.
const CONNECTION_BYTES_MAX: u64 = 32 << 10;
const VARIES_BYTES_MAX: u64 = 16 << 20;
/// What a good sender may wait on however busy a machine.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const PORTS: [&str; 4] = ["forward", "lines", "syslog", "lumberjack"];

/// What a sender says before it says no more: the beginning of something long.
fn beginning(port: &str) -> &'static [u8] {
    match port {
        // A message whose entries are said to be 8 MiB.
        "forward" => b"\x92\xa3app\xc6\x00\x80\x00\x00",
        "lines" => b"{\"path\":\"/begun",
        "syslog" => b"60000 <134>1 2026-03-01T10:05:03.123Z web1 app - - - begun",
        _ => b"2W\x00\x00\x00\x0a2J\x00\x00\x00\x01\x00\xff\xff\xff",
    }
}

#[test]
fn crowds_on_every_port_cost_little_and_good_senders_do_not_notice() {
    let count: usize = std::env::var("CONNECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(250);
    let house = House::with(&PORTS, &[]);
    let ports: Vec<(String, SocketAddr)> =
        house.server.ports.iter().map(|(name, address)| (name.clone(), *address)).collect();
    assert!(ports.len() >= 3, "ports: {ports:?}");
    let alone = (0..50).map(|_| good(&house)).max().expect("some");
    let before = house.server.anonymous_bytes();
    let mut crowd: Vec<TcpStream> = Vec::new();
    let mut slowest = Duration::ZERO;
    for at in 0..count {
        for (name, address) in &ports {
            let mut stream = connect(*address);
            if at % 2 == 0 {
                stream.write_all(beginning(name)).expect("it listens");
            }
            crowd.push(stream);
        }
        if at % 25 == 0 {
            slowest = slowest.max(good(&house));
        }
    }
    for (name, _) in &ports {
        let open = format!("metronome_receiver_connections{{receiver=\"{name}\"}}");
        house.server.wait_until(&open, |_| house.metric(&open) == count as u64);
    }
    let mut most = 0;
    for _ in 0..50 {
        slowest = slowest.max(good(&house));
        most = most.max(house.server.anonymous_bytes());
    }
    let grown = most.saturating_sub(before);
    println!(
        "{} connections on {} ports: a good sender waits {slowest:?} at the most ({alone:?} alone); {} KiB more, {} B each",
        crowd.len(),
        ports.len(),
        grown >> 10,
        grown / crowd.len() as u64
    );
    assert!(slowest < ANSWER_MAX, "a good sender waited {slowest:?}");
    assert!(grown < crowd.len() as u64 * CONNECTION_BYTES_MAX + VARIES_BYTES_MAX, "memory grew by {} KiB", grown >> 10);
    by_lines(&house);
    drop(crowd);
    for (name, _) in &ports {
        let open = format!("metronome_receiver_connections{{receiver=\"{name}\"}}");
        house.server.wait_until(&format!("the end of {open}"), |_| house.metric(&open) == 0);
    }
}

/// One event by HTTP, acknowledged; how long it took.
fn good(house: &House) -> Duration {
    let asked = Instant::now();
    assert_eq!(house.server.post("/tick", r#"{"path":"/good"}"#).0, 202);
    asked.elapsed()
}

/// One event by a port that is crowded.
fn by_lines(house: &House) {
    connect(house.port("lines")).write_all(b"{\"path\":\"/by-lines\"}\n").expect("it listens");
    house
        .server
        .wait_until("an event by lines", |server| server.events("").iter().any(|event| event["path"] == "/by-lines"));
}
