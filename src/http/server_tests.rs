//! The loop over real loopback sockets: slow heads, slow bodies, the bound on connections, the graceful stop.

use super::*;
use crate::catalog::Catalog;
use crate::catalog::keys::Keys;
use crate::clock::Clock;
use crate::http::{Access, Bodies, BodyLimits, Gate, Need, Origins, Rate, Rates, Routes};
use axum::http::Method;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// Bytes of an answer that no socket's buffers hold.
const LARGE: usize = 64 << 20;

const SHORT: Duration = Duration::from_millis(100);

fn options() -> Options {
    Options { head_timeout: SHORT, stop_max: Duration::from_secs(5), ..Options::default() }
}

fn gate(rate: Option<Rate>, folder: &tempfile::TempDir) -> Gate {
    let catalog = Arc::new(Catalog::open(&folder.path().join("catalog")).unwrap());
    let keys = Keys::open(catalog, Clock::manual(0)).unwrap();
    Gate {
        access: Access::new(Arc::new(keys)),
        trusted_proxies: Vec::new(),
        rates: Rates::new(None, rate, 1000),
        origins: Origins::default(),
    }
}

/// Answers `/echo` with the body, and `/wait` once `release` fires.
async fn start(options: Options, rate: Option<Rate>) -> (Server, Arc<Semaphore>) {
    let bodies = Bodies::new(BodyLimits { grace: SHORT, ..BodyLimits::default() });
    let folder = tempfile::tempdir().unwrap();
    let release = Arc::new(Semaphore::new(0));
    let echo = |axum::extract::State(bodies): axum::extract::State<Bodies>, request: Request| async move {
        let (parts, body) = request.into_parts();
        bodies.read(&parts.headers, body).await.map(|body| body.to_vec())
    };
    let wait = |axum::extract::State(release): axum::extract::State<Arc<Semaphore>>, uri: axum::http::Uri| async move {
        let _ = release.acquire().await;
        if uri.query() == Some("large") { "x".repeat(LARGE) } else { "done".to_owned() }
    };
    let router = Routes::default()
        .add(Method::POST, &["/echo"], Need::Write, echo, &bodies)
        .add(Method::GET, &["/wait"], Need::Open, wait, &release)
        .into_router(gate(rate, &folder));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, None, router, options, async { drop(stopped.await) }));
    (Server { address, stop, serving, _folder: folder }, release)
}

async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// All the server says until it closes.
async fn hear(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

const POST: &str = "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";

#[tokio::test]
async fn slow_heads_and_idle_connections_end_and_good_clients_do_not_notice() {
    let (server, _release) = start(options(), None).await;
    for slow in ["", "POST /echo HT", "POST /echo HTTP/1.1\r\nhost: x\r\n"] {
        assert_eq!(hear(send(server.address, slow).await).await, "", "{slow:?}");
    }
    let good = hear(send(server.address, &format!("{POST}content-length: 2\r\n\r\nhi")).await).await;
    assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("hi"), "{good}");
}

#[tokio::test]
async fn a_slow_body_is_answered_408_and_closed() {
    let (server, _release) = start(options(), None).await;
    let said = hear(send(server.address, &format!("{POST}content-length: 9\r\n\r\nhi")).await).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("urn:metronome:problem:timeout") && said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn a_body_that_breaks_off_or_lies_about_its_chunks_takes_nothing_down() {
    let (server, _release) = start(options(), None).await;
    let torn = send(server.address, &format!("{POST}content-length: 9\r\n\r\nhi")).await;
    drop(torn);
    let lying = send(server.address, &format!("{POST}transfer-encoding: chunked\r\n\r\nzz\r\nhi\r\n")).await;
    let said = hear(lying).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{said}");
    let good = hear(send(server.address, &format!("{POST}content-length: 2\r\n\r\nhi")).await).await;
    assert!(good.ends_with("hi"), "{good}");
}

#[tokio::test]
async fn a_refused_large_body_hears_why_while_it_is_being_sent() {
    let (server, _release) = start(Options { head_timeout: Duration::from_secs(10), ..options() }, None).await;
    let length = 17 << 20;
    let mut stream = send(server.address, &format!("{POST}content-length: {length}\r\n\r\n")).await;
    stream.write_all(&vec![b' '; length]).await.unwrap();
    let said = hear(stream).await;
    assert!(said.starts_with("HTTP/1.1 413") && said.contains("16777216"), "{said}");
}

#[tokio::test]
async fn past_the_bound_on_connections_the_next_waits_for_one_to_end() {
    let (server, release) = start(Options { connections_max: 1, ..options() }, None).await;
    let first = send(server.address, "GET /wait HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let second = send(server.address, &format!("{POST}content-length: 2\r\n\r\nhi")).await;
    release.add_permits(1);
    assert!(hear(first).await.ends_with("done"));
    assert!(hear(second).await.ends_with("hi"));
}

#[tokio::test]
async fn a_client_that_never_reads_its_answer_makes_room_for_the_next() {
    let (server, release) = start(Options { connections_max: 1, stall_max: SHORT, ..options() }, None).await;
    let deaf = send(server.address, "GET /wait?large HTTP/1.1\r\n\r\n").await;
    release.add_permits(1);
    let good = hear(send(server.address, &format!("{POST}content-length: 2\r\n\r\nhi")).await).await;
    assert!(good.ends_with("hi"), "{good}");
    assert!(hear(deaf).await.len() < LARGE, "the rest of the answer was never sent");
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_finishes_requests_under_way() {
    let (server, release) = start(Options { head_timeout: Duration::from_secs(60), ..options() }, None).await;
    let idle = send(server.address, "").await;
    let mut busy = send(server.address, "GET /wait HTTP/1.1\r\n\r\nGET /wait HT").await;
    let mut again = send(server.address, "GET /wait HTTP/1.1\r\n\r\n").await;
    release.add_permits(1);
    let mut head = [0; 12];
    busy.read_exact(&mut head).await.unwrap();
    again.read_exact(&mut head).await.unwrap();
    server.stop.send(()).unwrap();
    assert_eq!(hear(idle).await, "");
    assert!(hear(again).await.ends_with("done"));
    drop(busy);
    server.serving.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_request_without_end() {
    let (server, _release) = start(Options { stop_max: SHORT, ..options() }, None).await;
    let endless = send(server.address, "GET /wait HTTP/1.1\r\n\r\n").await;
    let heard = tokio::spawn(hear(endless));
    let asked = Instant::now();
    server.stop.send(()).unwrap();
    server.serving.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(heard.await.unwrap(), "");
}

#[tokio::test]
async fn over_the_rate_is_429_with_the_time_to_wait() {
    let (server, _release) = start(options(), Some(Rate { per_second: 1, burst: 1 })).await;
    let ask = async || hear(send(server.address, &format!("{POST}content-length: 0\r\n\r\n")).await).await;
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    let said = ask().await;
    assert!(said.starts_with("HTTP/1.1 429") && said.contains("retry-after: 1"), "{said}");
}
