//! The server loop: accepts connections within a bound, gives each its timeouts, stops gracefully.
//! - A head must be whole 10 s after the connection, or the answer before it, so idle connections end too.
//! - Past the bound on connections, and while the process is out of files, accepting pauses; nothing accepted is lost.
//! - A client that takes nothing of its answer for 30 s loses its connection (`patience`).
//! - Stopping: no more accepts, idle connections end, requests under way finish, within [`Options::stop_max`]; answers that
//!   have no end of their own are told ([`Stopping`]).
//! - Absent: TLS, HTTP/2; bodies' timeouts (`body`).

use super::patience::Patient;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::Service;

/// The address at the other end of the connection a request came by; among the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Tells an answer that has no end of its own when the server stops; among the request's extensions.
#[derive(Debug, Clone)]
pub struct Stopping(pub watch::Receiver<()>);

impl Stopping {
    /// Waits until it does.
    pub async fn wait(&mut self) {
        // Nothing is ever sent: it stops by letting the sender go.
        let _ = self.0.changed().await;
    }
}

/// The bounds of the loop.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Connections open at once.
    pub connections_max: usize,
    /// Time until a head is whole.
    pub head_timeout: Duration,
    /// Bytes of a head.
    pub head_bytes_max: usize,
    /// Time a client may take nothing of its answer.
    pub stall_max: Duration,
    /// Time that requests under way have at the end.
    pub stop_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            head_timeout: Duration::from_secs(10),
            head_bytes_max: 64 * 1024,
            stall_max: Duration::from_secs(30),
            stop_max: Duration::from_secs(9),
        }
    }
}

/// How long accepting pauses when the process is out of files.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that may wait to be accepted; the system may allow fewer. A burst beyond it costs others seconds: the first
/// packet of a connection that finds no place is sent again after one.
const WAITING_MAX: u32 = 4096;

/// Listens on an address. Synchronous, but within a runtime.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that starts again takes its address back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Serves until `stop` is ready, and then finishes what it took.
pub async fn serve(listener: TcpListener, router: Router, options: Options, stop: impl Future<Output = ()>) {
    let slots_max = options.connections_max.clamp(1, Semaphore::MAX_PERMITS).min(u32::MAX as usize);
    let slots = Arc::new(Semaphore::new(slots_max));
    let (stopping, stopped) = watch::channel(());
    tokio::select! {
        () = accept(&listener, &router, options, &slots, &stopped) => {}
        () = stop => {}
    }
    drop(listener);
    drop(stopping);
    // Every connection holds a slot until it ends: all slots free means all are done.
    let _ = slots.acquire_many(slots_max as u32).await;
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    options: Options,
    slots: &Arc<Semaphore>,
    stopped: &watch::Receiver<()>,
) {
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let (stream, peer) = next(listener).await;
        let connection = connection(stream, peer, router.clone(), options, stopped.clone());
        tokio::spawn(async move {
            connection.await;
            drop(slot);
        });
    }
}

/// The next connection, however long that takes.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accepting pauses");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether an accept failed because of the one connection, and the next may succeed at once.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection from its first byte to its last.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    options: Options,
    mut stopped: watch::Receiver<()>,
) {
    // Answers are small and whole: waiting to fill a packet only delays them. A failure changes nothing else.
    let _ = stream.set_nodelay(true);
    let stopping = Stopping(stopped.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(stopping.clone());
        router.clone().call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(options.head_bytes_max)
        .serve_connection(TokioIo::new(Patient::new(stream, options.stall_max)), service);
    let mut serving = pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection broke");
            }
            return;
        }
        _ = stopped.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(options.stop_max, serving).await;
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
