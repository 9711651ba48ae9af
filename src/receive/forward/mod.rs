//! Forward: the protocol of Fluentd, Fluent Bit, the fluent-loggers and Docker's log driver, by its specification v1.
//! - `{"ack": chunk}` is written once every event of the message is synced, and never before. What cannot be acknowledged
//!   within `ACK_WAIT_MAX` closes the connection: a sender that waits without limit is not left waiting.
//! - A chunk's id and an entry's number in it are an event's id, where it has none of its own: what is sent again counts once.
//! - A sender that asks for no acknowledgement is not read from while its events cannot be taken.
//! - An idle connection holds no buffer. Frames, what they inflate to and what is made of them come out of the shared budget.
//! - A bad frame closes its connection; what came before it is kept. An entry that is no event is refused alone, and counted.
//! - Absent: TLS and listening (`net`), what events mean (`normalize`).

mod answer;
mod batch;
mod buffer;
mod entries;
mod frames;
mod handshake;
mod inflate;
mod json;
mod message;
mod session;

pub use handshake::Security;

use super::{Broken, Datagram, Intake, Protocol};
use crate::ingest::Item;
use crate::net::{Connection, Stopping};
use crate::normalize::Limits;
use async_trait::async_trait;
use batch::Batch;
use frames::Frames;
use message::message;
use session::Session;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Bytes of one message.
const FRAME_BYTES_MAX: usize = 16 << 20;
/// Bytes that a message's entries may inflate to.
const INFLATED_BYTES_MAX: usize = 64 << 20;
/// How long an acknowledgement may be held back before the connection is closed instead.
const ACK_WAIT_MAX: Duration = Duration::from_secs(60);

/// The receiver.
#[derive(Debug)]
pub struct Forward {
    intake: Intake,
    security: Option<Security>,
}

impl Forward {
    /// Takes events by an intake, from those who know the shared key where there is one.
    pub fn new(intake: Intake, security: Option<Security>) -> Self {
        Self { intake, security }
    }
}

#[async_trait]
impl Protocol for Forward {
    async fn connection(&self, connection: Connection) -> Result<(), Broken> {
        let Connection { stream, stopping, .. } = connection;
        Session::new(&self.intake, stream, stopping).run(self.security.as_ref()).await
    }

    /// Heartbeats: one zero byte each, as Fluentd answers.
    async fn datagrams(&self, batch: Vec<Datagram>, socket: &UdpSocket, _stopping: &mut Stopping) {
        for datagram in batch {
            // One that cannot be answered now is as one that was lost on its way.
            let _ = socket.try_send_to(&[0], datagram.from);
        }
    }
}

/// Reads what a connection said, as a session does, but for what is coded; takes nothing. For fuzzing.
///
/// # Errors
/// [`Broken`] where a session would close it; what came before is dropped.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Message>, Broken> {
    let mut frames = Frames::new();
    let mut read = Vec::new();
    while let Some(frame) = frames.next(bytes)? {
        let Some(message) = message(frames.form(), frame, limits)? else { continue };
        let mut batch = Batch::new(false);
        for (number, entry) in message.entries.enumerate() {
            batch.push(&message.origin, number, entry?, limits);
        }
        read.push((message.chunk, batch.items(limits)));
    }
    Ok(read)
}

/// A message's chunk, and what it holds.
pub type Message = (Option<Vec<u8>>, Vec<Item>);

#[cfg(test)]
mod tests;
