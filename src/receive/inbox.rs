//! Inbox: what came by a connection and is not yet taken.
//! - It grows with its sender: a quiet one holds next to nothing, a busy one is read in large pieces.
//! - All room is of the budget. Who finds none waits a while, and is closed where none comes: one that waits for the rest of
//!   its value holds room that others wait for.

use crate::net::{Budget, Full, Share};
use crate::receive::Broken;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, sleep};

/// Room for the next bytes, at first and at the most.
const ROOM_BYTES: (usize, usize) = (1 << 10, 512 << 10);
/// What an event takes once it is read, beside its bytes.
pub(super) const EVENT_BYTES: usize = 1_536;
/// How long one waits for room, and how often one looks.
const WAITS: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(20));

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// How much is read next, at the most.
    room: usize,
    share: Share,
}

impl Inbox {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { bytes: Vec::new(), room: ROOM_BYTES.0, share: budget.share() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads more bytes behind those that are there; 0 at the end. Nothing is lost where it is given up.
    pub(super) async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<usize, Broken> {
        let wanted = self.bytes.len() + self.room;
        if self.share.hold(wanted).is_err() {
            // No room to be quick: then little by little.
            self.room = ROOM_BYTES.0;
            hold(&mut self.share, self.bytes.len() + self.room).await?;
        }
        self.bytes.reserve_exact(self.room);
        let room = self.bytes.capacity() - self.bytes.len();
        let read = stream.read_buf(&mut self.bytes).await?;
        if read == room {
            self.room = (2 * self.room).min(ROOM_BYTES.1);
        } else if read < self.room / 4 {
            self.room = (self.room / 2).max(ROOM_BYTES.0);
        }
        Ok(read)
    }

    /// Cuts off what is done with.
    pub(super) fn cut(&mut self, done: usize) {
        if done == self.bytes.len() {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..done);
            self.bytes.shrink_to(self.bytes.len() + self.room);
        }
        // Less than before: there is always room.
        let _ = self.share.hold(self.bytes.capacity());
    }
}

/// Holds room for `bytes` in all from now on; waits for it a while.
pub(super) async fn hold(share: &mut Share, bytes: usize) -> Result<(), Broken> {
    let start = Instant::now();
    while let Err(full @ Full) = share.hold(bytes) {
        if start.elapsed() > WAITS.0 {
            return Err(Broken::new("memory", full.to_string()));
        }
        sleep(WAITS.1).await;
    }
    Ok(())
}
