//! The server loop of HTTP: gives each connection its timeouts, hands each request to the router, stops gracefully.
//! - A head must be whole 10 s after the connection, or the answer before it, so idle connections end too.
//! - A client that takes nothing of its answer for 30 s loses its connection (`net`).
//! - Stopping: no more accepts, idle connections end, requests under way finish, within [`Options::stop_max`]; answers that
//!   have no end of their own are told ([`crate::net::Stopping`]).
//! - Absent: accepting, TLS (`net`); HTTP/2; bodies' timeouts (`body`).

use crate::net::{Bounds, Connection, Tls};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::Service;

/// The address at the other end of the connection a request came by; among the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Among a response's extensions: it is not sent, the connection is closed in its place. For clients that take any answer
/// that is an error for the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("closed without an answer")]
pub struct HangUp;

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

/// Serves until `stop` is ready, and then finishes what it took.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    options: Options,
    stop: impl Future<Output = ()>,
) {
    let Options { connections_max, stall_max, stop_max, .. } = options;
    let handler = move |connection| serve_connection(connection, router.clone(), options);
    crate::net::serve(listener, tls, Bounds { connections_max, stall_max, stop_max }, handler, stop).await;
}

/// One connection from its first byte to its last.
async fn serve_connection(connection: Connection, router: Router, options: Options) {
    let Connection { stream, peer, stopping } = connection;
    let mut stopped = stopping.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(stopping.clone());
        let answering = router.clone().call(request);
        async move {
            let Ok(response) = answering.await;
            if response.extensions().get::<HangUp>().is_some() { Err(HangUp) } else { Ok(response) }
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(options.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped.wait() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke");
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
