//! The buffer of a connection: the bytes of the message that is under way.
//! - Empty it holds no memory; otherwise it grows by a quarter, out of the budget.
//! - Bytes are read into the stack first, so that waiting for them costs nothing.

use crate::net::Share;
use crate::receive::Broken;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::ready;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes read at once.
const STEP_BYTES: usize = 64 * 1024;
/// An empty buffer of no more is kept.
const KEPT_BYTES_MAX: usize = 1024;

/// The bytes under way, and their share of the budget.
#[derive(Debug)]
pub(super) struct Buffer {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their share.
    pub share: Share,
}

impl Buffer {
    /// An empty one.
    pub fn new(share: Share) -> Self {
        Self { bytes: Vec::new(), share }
    }

    /// Drops the first `done` bytes.
    pub fn drop_first(&mut self, done: usize) -> Result<(), Broken> {
        self.bytes.drain(..done);
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
        self.hold(self.bytes.capacity())
    }

    /// Reads what is there, and waits for something; how much it was, 0 at the end.
    pub async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<usize, Broken> {
        let read = std::future::poll_fn(|context| {
            let mut step = [const { MaybeUninit::<u8>::uninit() }; STEP_BYTES];
            let mut step = ReadBuf::uninit(&mut step);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut step))?;
            io::Result::Ok(self.extend(step.filled())).into()
        });
        read.await?
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let more = bytes.len().max(self.bytes.len() / 4);
            self.hold(self.bytes.len() + more)?;
            self.bytes.reserve_exact(more);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Broken> {
        self.share.hold(bytes).map_err(|full| Broken::new("memory", full.to_string()))
    }
}
