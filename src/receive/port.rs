//! Port: what a receiver of its own port is, and how it is served: connections, and datagrams where its protocol has them.
//! - A connection that is closed for what it said is logged once, with the reason, and counted; what it said before stays.
//! - Datagrams are taken in batches of what is there; while one batch is synced the system holds the next ones.
//! - Absent: what is said (the receivers).

use super::Counts;
use crate::net::{Bounds, Connection, Stopping, Tls, serve};
use async_trait::async_trait;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};

/// Datagrams of one batch.
const BATCH_DATAGRAMS_MAX: usize = 1_000;
/// Bytes of one batch, but for its last datagram.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Bytes of why a connection was closed, in the log.
const MESSAGE_BYTES_MAX: usize = 300;
/// Batches taken at the most once the server stops.
const LAST_BATCHES_MAX: usize = 64;
/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// A protocol that has a port of its own.
#[async_trait]
pub trait Protocol: Send + Sync + 'static {
    /// Reads a connection to its end. When the server stops it takes what is whole, and ends.
    ///
    /// # Errors
    /// [`Broken`]: why this end closes it.
    async fn connection(&self, connection: Connection) -> Result<(), Broken>;

    /// Takes datagrams, and answers by `socket` where the protocol answers. Only asked where the port has datagrams.
    async fn datagrams(&self, _batch: Vec<Datagram>, _socket: &UdpSocket, _stopping: &mut Stopping) {}
}

/// Why a connection was closed by this end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    /// The class, for counts: `frame`, `inflate`, `slow`, `auth`, `memory`, `compressed`,
    /// `unavailable`, `io`.
    pub reason: &'static str,
    /// What is wrong, for the operator.
    pub message: String,
}

impl Broken {
    /// Closed for this reason.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        // It may quote what was said, which may be long.
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        Self { reason, message }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::new("io", error.to_string())
    }
}

/// One datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it came from.
    pub from: SocketAddr,
}

/// A port that listens.
#[derive(Debug)]
pub struct Port {
    /// For connections.
    pub listener: TcpListener,
    /// For datagrams, where the protocol has them.
    pub socket: Option<UdpSocket>,
    /// Wraps connections.
    pub tls: Option<Tls>,
    /// The bounds of connections.
    pub bounds: Bounds,
    /// What is counted.
    pub counts: Arc<Counts>,
}

impl Port {
    /// Serves a protocol until the server stops, and finishes what was taken.
    pub async fn serve(self, protocol: Arc<dyn Protocol>, stopping: Stopping) {
        let Self { listener, socket, tls, bounds, counts } = self;
        let (of_connections, mut of_datagrams) = (stopping.clone(), stopping);
        let handler = {
            let protocol = Arc::clone(&protocol);
            move |connection| handle(Arc::clone(&protocol), Arc::clone(&counts), connection)
        };
        let mut stop = of_connections;
        let connections = serve(listener, tls, bounds, handler, async move { stop.wait().await });
        let datagrams = async {
            if let Some(socket) = socket {
                take_datagrams(&socket, protocol.as_ref(), &mut of_datagrams).await;
            }
        };
        tokio::join!(connections, datagrams);
    }
}

async fn handle(protocol: Arc<dyn Protocol>, counts: Arc<Counts>, connection: Connection) {
    let _open = counts.opened();
    let receiver = counts.receiver();
    if let Err(broken) = protocol.connection(connection).await {
        counts.broken(broken.reason);
        // A sender that goes in the middle is none of the operator's business, everything else is.
        match broken.reason {
            "io" => tracing::debug!(receiver, %broken, "connection broke"),
            reason => tracing::warn!(receiver, reason, %broken, "closed a connection"),
        }
    }
}

async fn take_datagrams(socket: &UdpSocket, protocol: &dyn Protocol, stopping: &mut Stopping) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    // Once the server stops: batches of what had come by then, which senders that never pause would not let end.
    let mut left = None;
    while left != Some(0) {
        let mut batch = Vec::new();
        match &mut left {
            Some(left) => *left -= 1,
            None => tokio::select! {
                first = socket.recv_from(&mut buffer) => batch.extend(datagram(first, &buffer)),
                () = stopping.wait() => left = Some(LAST_BATCHES_MAX),
            },
        }
        let mut bytes = 0;
        while batch.len() < BATCH_DATAGRAMS_MAX && bytes < BATCH_BYTES_MAX {
            match socket.try_recv_from(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                received => {
                    let next = datagram(received, &buffer);
                    bytes += next.as_ref().map_or(0, |datagram| datagram.bytes.len());
                    batch.extend(next);
                }
            }
        }
        match batch.is_empty() {
            true if left.is_some() => return,
            true => {}
            false => protocol.datagrams(batch, socket, stopping).await,
        }
    }
}

/// What was received; an error is of an answer that could not be delivered, and concerns no datagram.
fn datagram(received: io::Result<(usize, SocketAddr)>, buffer: &[u8]) -> Option<Datagram> {
    let (length, from) = received.ok()?;
    Some(Datagram { bytes: buffer[..length].to_vec(), from })
}
