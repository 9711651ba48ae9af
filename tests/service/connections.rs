//! Connections in numbers: more than files may be open, and more than anybody needs, idle and slow.
//! - CONNECTIONS=10000 cargo test --test service idle_and_slow -- --nocapture (1,000 without).

use crate::disk::ledger::{Ledger, Way, compare};
use crate::support::{Server, agent};
use metronome::load::mix::Mix;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SITE: &str = "connections";
/// Files that the server may have open, and connections made to it beside those of its senders.
const FILES_MAX: usize = 200;
const CROWD: usize = 400;
/// What the server promises: a head within 10 s, a small body within 30 s; and what a busy machine may add.
const HEAD_MAX: Duration = Duration::from_secs(10);
const BODY_MAX: Duration = Duration::from_secs(30);
const BUSY: Duration = Duration::from_secs(10);
/// What a connection may cost the server, over what it takes for the good requests alone; and by how much that varies.
const CONNECTION_BYTES_MAX: u64 = 32 << 10;
const VARIES_BYTES_MAX: u64 = 8 << 20;
/// How long the good requests are alone.
const ALONE: Duration = Duration::from_secs(5);

#[test]
fn with_too_few_files_accepting_pauses_and_nothing_is_lost() {
    let folder = in_memory();
    let settings = [("METRONOME_JOURNAL_SEGMENT_BYTES_MAX", "1048576"), ("METRONOME_STORE_COMMIT_MS", "50")];
    let server = Server::start_with_files(folder.path(), &settings, FILES_MAX);
    let ledger = Ledger::new(mix(20_000));
    let way = Way { connections: 8, batch: 10, rate: Some(2_500), time_max: Duration::from_secs(20) };
    let load = ledger.send(server.address, way);
    // All of its connections are made.
    server.wait_until("the load", |_| ledger.count() > 200);
    let crowd: Vec<TcpStream> =
        (0..CROWD).map(|_| TcpStream::connect(server.address).expect("the backlog takes it")).collect();
    std::thread::sleep(Duration::from_secs(3));
    // More than files: some wait to be accepted, a new one does too.
    assert!(ask(server.address, Duration::from_millis(500)).is_none(), "everybody was accepted");
    let report = load.join().expect("the load").expect("a report");
    drop(crowd);
    let asked = Instant::now();
    assert!(ask(server.address, HEAD_MAX + BUSY).is_some(), "it does not accept again");
    println!("{report}\nanswers {:?} after the crowd has gone", asked.elapsed());
    assert!(report.refused.is_empty() && report.unknown == 0, "senders noticed: {report}");
    compare(&server, SITE, &[ledger], "");
}

#[test]
fn idle_and_slow_connections_are_closed_in_time_and_good_clients_do_not_notice() {
    let count = std::env::var("CONNECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let folder = in_memory();
    let server = Server::start(folder.path(), &[]);
    let alone = good_until(&server, |since| since > ALONE);
    let address = server.address;
    let crowd = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(crowd(address, count))
    });
    let Good { slowest, asked, bytes } = good_until(&server, |_| crowd.is_finished());
    let ended = crowd.join().expect("the crowd");
    for (manner, longest) in &ended {
        println!("{manner:?}: the last closed after {longest:?}");
        let promised = if *manner == Manner::SlowBody { BODY_MAX } else { HEAD_MAX };
        assert!(*longest < promised + BUSY, "{manner:?} was open for {longest:?}");
    }
    let grown = bytes.saturating_sub(alone.bytes);
    println!(
        "{count} connections; {asked} good requests, the slowest in {slowest:?}; RssAnon {} KiB without, {} KiB with them at most: \
         {} B a connection",
        alone.bytes >> 10,
        bytes >> 10,
        grown / count as u64
    );
    assert!(slowest < Duration::from_secs(5), "a good client waited {slowest:?}");
    assert!(grown < count as u64 * CONNECTION_BYTES_MAX + VARIES_BYTES_MAX, "memory grew by {} KiB", grown >> 10);
}

/// What good requests met with: the longest wait, how many they were, and the most memory meanwhile.
struct Good {
    slowest: Duration,
    asked: u32,
    bytes: u64,
}

/// Good requests, one after the other, each on a connection of its own.
fn good_until(server: &Server, is_over: impl Fn(Duration) -> bool) -> Good {
    let mut good = Good { slowest: Duration::ZERO, asked: 0, bytes: 0 };
    let begun = Instant::now();
    while !is_over(begun.elapsed()) {
        let started = Instant::now();
        assert_eq!(server.post("/tick", r#"{"path":"/good"}"#).0, 202);
        good.slowest = good.slowest.max(started.elapsed());
        good.bytes = good.bytes.max(server.anonymous_bytes());
        good.asked += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    good
}

/// How a connection wastes a server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Idle,
    SlowHead,
    SlowBody,
}

const MANNERS: [Manner; 3] = [Manner::Idle, Manner::SlowHead, Manner::SlowBody];

/// Opens them all, and answers how long the last of each manner was left open.
async fn crowd(address: SocketAddr, count: usize) -> Vec<(Manner, Duration)> {
    let mut tasks = Vec::with_capacity(count);
    for at in 0..count {
        let manner = MANNERS[at % MANNERS.len()];
        let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        tasks.push((manner, tokio::spawn(waste(stream, manner))));
    }
    let mut longest = MANNERS.map(|manner| (manner, Duration::ZERO));
    for (manner, task) in tasks {
        let took = task.await.expect("it was closed");
        let (_, longest) = longest.iter_mut().find(|(other, _)| *other == manner).expect("a manner");
        *longest = (*longest).max(took);
    }
    longest.to_vec()
}

/// Wastes time until the server has had enough.
async fn waste(mut stream: tokio::net::TcpStream, manner: Manner) -> Duration {
    let started = Instant::now();
    let head: &[u8] = match manner {
        Manner::Idle => b"",
        Manner::SlowHead => b"POST /tick HTTP/1.1\r\nhost: a\r\nx: ",
        Manner::SlowBody => b"POST /tick HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n",
    };
    let mut heard = [0; 1024];
    let mut open = stream.write_all(head).await.is_ok();
    while open {
        let tick = tokio::time::sleep(Duration::from_secs(2));
        tokio::select! {
            read = stream.read(&mut heard) => open = read.is_ok_and(|bytes| bytes > 0),
            () = tick => if manner != Manner::Idle {
                open = stream.write_all(b" ").await.is_ok();
            },
        }
    }
    started.elapsed()
}

/// A data folder whose syncs wait for no disk: what is measured here is the server.
fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("folder")
}

/// A question on a connection of its own; `None` when there is no answer in this time.
fn ask(address: SocketAddr, wait: Duration) -> Option<u16> {
    let asked = agent().get(format!("http://{address}/health"));
    asked.config().timeout_global(Some(wait)).build().call().ok().map(|answer| answer.status().as_u16())
}

fn mix(events: u64) -> Mix {
    let from = metronome::clock::Clock::System.now() - 3_600_000;
    Mix::new(9, SITE, from, 3_600_000, events)
}
