//! How long one event takes from JSON to [`Event`](metronome::event::Event), beside a parser that builds a tree.
//!
//! `cargo bench --bench normalize`. Nanoseconds per event, the best of several rounds, in one run on one core.

use metronome::event::Day;
use metronome::normalize::access_line::{self, LineFormat};
use metronome::normalize::{Context, Limits, Notes, Receiver, Salts, Sender, Sites, json, normalize};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 20_000;
const BATCH: usize = 100;
const ROUNDS: usize = 15;
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

struct OneSalt;

impl Salts for OneSalt {
    fn daily(&self, _: &str, _: Day) -> Option<[u8; 16]> {
        Some([7; 16])
    }

    fn permanent(&self, _: &str) -> Option<[u8; 16]> {
        Some([9; 16])
    }
}

fn main() {
    let events: Vec<String> = (0..EVENTS).map(event).collect();
    let lines: Vec<String> = (0..EVENTS).map(line).collect();
    let bytes: usize = events.iter().map(String::len).sum();
    println!("{EVENTS} events of {} B and 17 keys, best of {ROUNDS} rounds", bytes / EVENTS);
    let limits = Limits::default();
    report("serde_json::Value", || {
        for event in &events {
            black_box(serde_json::from_slice::<serde_json::Value>(event.as_bytes()).ok());
        }
    });
    report("json::read", || {
        for event in &events {
            black_box(json::read(event.as_bytes(), &limits).ok());
        }
    });
    let sites = Sites::default();
    let of = |receiver| Context {
        sender: Sender { ip: "203.0.113.9".parse().ok(), ..Sender::unknown(receiver, 1_431_864_000_000) },
        sites: &sites,
        salts: &OneSalt,
        places: None,
        limits: &limits,
        keep_user_agent: false,
    };
    let context = of(Receiver::Tick);
    report("json::read + normalize", || {
        for event in &events {
            let raw = json::read(event.as_bytes(), &limits).expect("an object");
            black_box(normalize(raw, &context, &mut Notes::off()).expect("an event"));
        }
    });
    let bodies: Vec<String> = events.chunks(BATCH).map(|batch| batch.join("\n")).collect();
    report("json::read_all, 100 lines each", || {
        for body in &bodies {
            black_box(json::read_all(body.as_bytes(), json::Layout::Any, &limits, BATCH).expect("lines"));
        }
    });
    let context = of(Receiver::File);
    report("access_line::read + normalize", || {
        for line in &lines {
            let raw = access_line::read(line.as_bytes(), &LineFormat::Combined, &limits).expect("a line");
            black_box(normalize(raw, &context, &mut Notes::off()).expect("an event"));
        }
    });
}

/// Runs and tells one measure; an argument chooses those whose names hold it.
fn report(what: &str, mut round: impl FnMut()) {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    if wanted.is_some_and(|wanted| !what.contains(&wanted)) {
        return;
    }
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed());
    }
    println!("{what:32} {:6} ns per event", best.as_nanos() / EVENTS as u128);
}

/// An event as an application sends it: 17 keys, about 300 bytes with its user agent.
fn event(n: usize) -> String {
    let agent = AGENTS[n % AGENTS.len()].split(' ').take(6).collect::<Vec<_>>().join(" ");
    format!(
        r#"{{"@timestamp":"2015-05-17T10:05:{:02}.123Z","event_id":"e-{n:08}","site":"data","action":"view","id":"set-{}","path":"/datasets/set-{}","title":"Roads","referer":"https://www.r.org/a","user":"u{}","ip":"203.0.{}.{}","user_agent":"{agent}","value":{}.5,"status":200,"lang":"de","a":{n},"b":true,"c":"x y"}}"#,
        n % 60,
        n % 500,
        n % 500,
        n % 3000,
        n % 200,
        n % 250,
        n % 9,
    )
}

fn line(n: usize) -> String {
    format!(
        r#"203.0.{}.{} - - [17/May/2015:10:05:{:02} +0000] "GET /datasets/set-{}?utm_source=s HTTP/1.1" 200 {n} "https://www.r.org/a" "{}""#,
        n % 200,
        n % 250,
        n % 60,
        n % 500,
        AGENTS[n % AGENTS.len()],
    )
}
