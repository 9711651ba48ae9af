//! `/live` over connections: messages as things happen, the bound, heartbeats, the end.

use crate::broken::Broken;
use crate::support::{App, NOW, Served, Setup};
use metronome::api::StreamOptions;
use metronome::catalog::keys::Scope;
use metronome::event::{Event, Key, Value};
use metronome::http::Options;
use metronome::store::memory::Memory;
use metronome::store::{Entry, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Looks, and heartbeats, that come at once; and such as never come.
const AT_ONCE: Duration = Duration::from_millis(2);
const NEVER: Duration = Duration::from_secs(3_600);
/// Far longer than anything here takes.
const HANGS: Duration = Duration::from_secs(60);

/// A stream as its client reads it.
struct Client {
    lines: BufReader<TcpStream>,
    head: String,
}

impl Client {
    async fn ask(served: &Served, query: &str) -> Self {
        Self::ask_with(served, query, "last-event-id: 7").await
    }

    async fn ask_with(served: &Served, query: &str, header: &str) -> Self {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET /live{query} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut client = Self { lines: BufReader::new(stream), head: String::new() };
        while !client.head.ends_with("\r\n\r\n") {
            let line = client.line().await;
            client.head += &line;
        }
        client
    }

    /// The next line of head or body, chunks' lengths and ends among them; nothing at the end.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(HANGS, self.lines.read_line(&mut line)).await.expect("something is heard").unwrap();
        line
    }

    /// The next message: its id and what it says; `None` at a proper end.
    async fn message(&mut self) -> Option<(String, serde_json::Value)> {
        let (mut event, mut id) = (String::new(), String::new());
        loop {
            let line = self.line().await;
            if let Some(data) = line.strip_prefix("data: ") {
                assert_eq!(event, "live");
                return Some((id, serde_json::from_str(data).unwrap()));
            }
            match line.trim_end().split_once(": ") {
                Some(("event", name)) => event = name.to_owned(),
                Some(("id", text)) => id = text.to_owned(),
                _ if line == "0\r\n" => return None,
                _ => assert!(!line.is_empty(), "it broke off"),
            }
        }
    }

    fn status(&self) -> &str {
        &self.head[9..12]
    }
}

fn streams(look_every: Duration, heartbeat_every: Duration) -> StreamOptions {
    StreamOptions { look_every, heartbeat_every, watchers_max: 3, ..StreamOptions::default() }
}

async fn happens(store: &dyn Store, n: u64) {
    let fields =
        [("site", "default"), ("action", "view"), ("path", "/a")].map(|(name, text)| (name, Value::text(text)));
    let numbers =
        [("@timestamp", Value::Int(NOW)), ("day", Value::Int(NOW.div_euclid(86_400_000))), ("visitor", Value::hash(n))];
    let fields = fields.into_iter().chain(numbers).map(|(name, value)| (Key::named(name), value));
    store.write(vec![Entry { position: n, event: Event::from_fields(fields.collect()) }], n + 1).await.unwrap();
}

fn start(store: Arc<dyn Store>, streams: StreamOptions, options: Options) -> (App, Served) {
    let app = Setup { store, streams, ..Setup::default() }.start();
    let served = Served::start(app.router.clone(), options);
    (app, served)
}

#[tokio::test]
async fn what_happens_is_heard_by_all_who_watch() {
    let store = Arc::new(Memory::new());
    let (app, served) = start(store.clone(), streams(AT_ONCE, NEVER), Options::default());
    let mut clients = [Client::ask(&served, "").await, Client::ask(&served, "?limit=0").await];
    for client in &mut clients {
        let head = client.head.to_lowercase();
        for header in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
            assert!(head.contains(header), "{head}");
        }
        assert_eq!(client.message().await.unwrap().1["current_visitors"], 0);
    }
    for n in 0..3 {
        happens(&*store, n).await;
        for client in &mut clients {
            let (id, live) = client.message().await.unwrap();
            assert_eq!((id, &live["current_visitors"]), (NOW.to_string(), &(n + 1).into()));
        }
    }
    let once = app.get("/live.json").await.json();
    assert_eq!((once["newest"].as_array().unwrap().len(), &once["meta"]["sums"]["total"]), (3, &3.into()));
}

#[tokio::test]
async fn time_alone_is_heard_too() {
    let store = Arc::new(Memory::new());
    happens(&*store, 0).await;
    let (app, served) = start(store, streams(AT_ONCE, NEVER), Options::default());
    let mut client = Client::ask(&served, "").await;
    assert_eq!(client.message().await.unwrap().1["current_visitors"], 1);
    // Twice: the store is asked at the first look whatever the time.
    for (later, total) in [(300_001, 1), (1_800_000, 0)] {
        app.clock.set(NOW + later);
        let (id, live) = client.message().await.unwrap();
        assert_eq!((id, &live["current_visitors"]), ((NOW + later).to_string(), &0.into()));
        assert_eq!(live["meta"]["sums"]["total"], total);
    }
}

#[tokio::test]
async fn those_who_watch_the_same_cost_one_question() {
    let (app, served) = start(Arc::new(Memory::new()), streams(NEVER, NEVER), Options::default());
    let mut held = Vec::new();
    for (query, asked) in [("", 1), ("?bots=exclude&limit=20", 1), ("?bots=only", 2)] {
        let mut client = Client::ask(&served, query).await;
        client.message().await.unwrap();
        held.push(client);
        let metrics = app.get("/metrics").await;
        let line = format!("metronome_question_seconds_count{{report=\"live\"}} {asked}");
        assert!(metrics.text().lines().any(|found| found == line), "{query}: {}", metrics.text());
    }
}

#[tokio::test]
async fn past_the_bound_a_watcher_is_refused_until_one_has_left() {
    let (_app, served) = start(Arc::new(Memory::new()), streams(AT_ONCE, NEVER), Options::default());
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Client::ask(&served, "").await);
    }
    let refused = Client::ask(&served, "").await;
    assert_eq!(refused.status(), "503");
    assert!(refused.head.contains("retry-after: 30"), "{}", refused.head);
    held.pop();
    // The server hears of it in its own time.
    while Client::ask(&served, "").await.status() != "200" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_quiet_stream_says_nothing_new_and_is_alive_longer_than_any_answer_may_take() {
    let short = Duration::from_millis(50);
    let options = Options { head_timeout: short, stall_max: short, ..Options::default() };
    let (_app, served) = start(Arc::new(Memory::new()), streams(AT_ONCE, AT_ONCE), options);
    let mut client = Client::ask(&served, "").await;
    client.message().await.unwrap();
    let (begun, mut heartbeats) = (std::time::Instant::now(), 0);
    while begun.elapsed() < short * 4 || heartbeats < 10 {
        let line = client.line().await;
        assert!(!line.is_empty(), "it was cut after {:?}", begun.elapsed());
        assert!(!line.starts_with("data"), "{line}");
        heartbeats += usize::from(line == ":\n");
    }
}

#[tokio::test]
async fn streams_end_as_they_should_when_the_server_stops() {
    let (_app, served) = start(Arc::new(Memory::new()), streams(NEVER, NEVER), Options::default());
    let mut client = Client::ask(&served, "").await;
    client.message().await.unwrap();
    drop(served);
    assert!(client.message().await.is_none());
    let mut rest = Vec::new();
    client.lines.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\r\n", "and so does the connection");
}

/// Two clients that heard what there was, the first of whom has lost its key since.
async fn one_loses_its_key(app: &App, served: &Served) -> [Client; 2] {
    let mut clients = Vec::new();
    let made = [(); 2].map(|()| app.keys.make(Scope::Read, None).unwrap());
    for (_, text) in &made {
        let mut client = Client::ask_with(served, "", &format!("x-metronome-key: {text}")).await;
        assert_eq!(client.message().await.unwrap().1["current_visitors"], 0);
        clients.push(client);
    }
    assert!(app.keys.revoke(&made[0].0.id).unwrap());
    clients.try_into().unwrap_or_else(|_| unreachable!("two"))
}

#[tokio::test]
async fn whose_key_was_revoked_hears_nothing_of_what_happens_next() {
    let store = Arc::new(Memory::new());
    let (app, served) = start(store.clone(), streams(AT_ONCE, NEVER), Options::default());
    let [mut revoked, mut other] = one_loses_its_key(&app, &served).await;
    happens(&*store, 0).await;
    assert_eq!(other.message().await.unwrap().1["current_visitors"], 1);
    assert!(revoked.message().await.is_none());
}

#[tokio::test]
async fn whose_key_was_revoked_is_not_kept_waiting_where_nothing_happens() {
    let (app, served) = start(Arc::new(Memory::new()), streams(NEVER, AT_ONCE), Options::default());
    let [mut revoked, mut other] = one_loses_its_key(&app, &served).await;
    // Each heartbeat is something heard: one that never ends would be heard for ever.
    let end = tokio::time::timeout(HANGS, revoked.message()).await;
    assert!(end.expect("it ends").is_none());
    while other.line().await != ":\n" {}
}

#[tokio::test]
async fn a_stream_whose_answer_fails_ends_and_the_next_is_told_why() {
    let store = Arc::new(Broken::after(usize::MAX, Memory::new(), || StoreError::Stopped));
    let (_app, served) = start(store.clone(), streams(AT_ONCE, NEVER), Options::default());
    let mut client = Client::ask(&served, "").await;
    client.message().await.unwrap();
    store.break_now();
    assert!(client.message().await.is_none());
    assert_eq!(Client::ask(&served, "").await.status(), "503");
}
