//! The accept loop: connections within a bound, each in a task of its own, until told to stop.
//! - While the process is out of files accepting pauses; nothing accepted is lost.
//! - A peer that takes nothing of what is written for [`Bounds::stall_max`] loses its connection.
//! - Stopping: no more accepts; every connection is told by its [`Stopping`], and has [`Bounds::stop_max`] to end.

use super::patience::Patient;
use super::{Stream, Tls};
use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// How long a connection may be silent before the system asks whether its peer is still there.
const PROBED_AFTER: Duration = Duration::from_secs(60);

/// How long accepting pauses when the process is out of files.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells whoever has no end of its own when the server stops.
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
pub struct Bounds {
    /// Connections open at once.
    pub connections_max: usize,
    /// Time a peer may take nothing of what is written.
    pub stall_max: Duration,
    /// Time that connections have to end once the server stops.
    pub stop_max: Duration,
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct Connection {
    /// Its bytes, both ways.
    pub stream: Patient<Stream>,
    /// The address at its other end.
    pub peer: SocketAddr,
    /// Tells when the server stops.
    pub stopping: Stopping,
}

/// Serves each connection with `handler` until `stop` is ready, and then lets those under way end.
pub async fn serve<H, F>(
    listener: TcpListener,
    tls: Option<Tls>,
    bounds: Bounds,
    handler: H,
    stop: impl Future<Output = ()>,
) where
    H: Fn(Connection) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let slots_max = bounds.connections_max.clamp(1, Semaphore::MAX_PERMITS).min(u32::MAX as usize);
    let slots = Arc::new(Semaphore::new(slots_max));
    let (stopping, stopped) = watch::channel(());
    let accepting = async {
        while let Ok(slot) = slots.clone().acquire_owned().await {
            let (stream, peer) = next(&listener).await;
            let (tls, handler, stopping) = (tls.clone(), handler.clone(), Stopping(stopped.clone()));
            tokio::spawn(async move {
                connection(stream, peer, tls, bounds, handler, stopping).await;
                drop(slot);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    drop(stopping);
    // Every connection holds a slot until it ends: all slots free means all are done.
    let _ = slots.acquire_many(slots_max as u32).await;
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

/// One connection from its accept to its end.
async fn connection<F: Future<Output = ()>>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Tls>,
    bounds: Bounds,
    handler: impl Fn(Connection) -> F,
    stopping: Stopping,
) {
    // Answers are small and whole: waiting to fill a packet only delays them. A failure changes nothing else.
    let _ = stream.set_nodelay(true);
    // A peer that is no more gives its slot back; where that cannot be asked for it is found out by silence alone.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(PROBED_AFTER));
    let mut stopped = stopping.clone();
    let stream = match tls {
        None => Stream::Plain(stream),
        Some(tls) => {
            let accepted = tokio::select! {
                accepted = tls.accept(stream) => accepted,
                () = stopped.wait() => return,
            };
            match accepted {
                Ok(stream) => Stream::Tls(Box::new(stream)),
                Err(error) => {
                    tracing::debug!(%error, "no TLS connection came about");
                    return;
                }
            }
        }
    };
    let serving = handler(Connection { stream: Patient::new(stream, bounds.stall_max), peer, stopping });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = serving.as_mut() => return,
        () = stopped.wait() => {}
    }
    let _ = timeout(bounds.stop_max, serving).await;
}
