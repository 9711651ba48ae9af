//! A session: one connection from its first byte to its last.
//! - Whole messages that are there are taken together; more is read once they are synced.
//! - A message that was begun must end in time; between messages a sender may be silent for ever.

use super::batch::{Batch, Origin};
use super::buffer::Buffer;
use super::entries::Entries;
use super::frames::Frames;
use super::handshake::{Challenge, Security};
use super::inflate::Inflater;
use super::message::{Message, message};
use super::{ACK_WAIT_MAX, FRAME_BYTES_MAX, answer};
use crate::error::Kind;
use crate::net::{Share, Stopping};
use crate::receive::deadline::due;
use crate::receive::{Broken, Intake};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Bytes of a handshake's message.
const PING_BYTES_MAX: usize = 8 * 1024;
/// Time for a handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long room for a batch is waited for, and how often it is looked for.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
const ROOM_WAIT: Duration = Duration::from_millis(5);
/// The waits between tries of a batch that cannot be taken: the first and the longest.
const TRY_WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A connection under way.
#[derive(Debug)]
pub(super) struct Session<S> {
    buffer: Buffer,
    frames: Frames,
    /// Since when a message is under way.
    begun: Option<Instant>,
    line: Line<S>,
}

/// Where batches go, and their answers.
#[derive(Debug)]
struct Line<S> {
    intake: Intake,
    stream: S,
    stopping: Stopping,
}

/// What became of waiting for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Bytes,
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// A connection that was accepted.
    pub fn new(intake: &Intake, stream: S, stopping: Stopping) -> Self {
        let buffer = Buffer::new(intake.parts.budget.share());
        Self { buffer, frames: Frames::new(), begun: None, line: Line { intake: intake.clone(), stream, stopping } }
    }

    /// Reads to the end.
    pub async fn run(mut self, security: Option<&Security>) -> Result<(), Broken> {
        if let Some(security) = security {
            let handshake = Box::pin(self.handshake(security));
            let Ok(done) = tokio::time::timeout(HANDSHAKE_MAX, handshake).await else {
                return Err(Broken::new("slow", "a handshake did not come about in time"));
            };
            if done? == Next::End {
                return Ok(());
            }
        }
        loop {
            // Boxed: what taking needs is not kept while nothing comes.
            Box::pin(self.take_whole()).await?;
            if self.read().await? == Next::End {
                return Ok(());
            }
        }
    }

    /// Lets the sender in, or says why not.
    async fn handshake(&mut self, security: &Security) -> Result<Next, Broken> {
        let challenge = Challenge::new()?;
        self.line.write(&challenge.helo()?).await?;
        self.frames.limit(PING_BYTES_MAX);
        loop {
            if let Some(ping) = self.frames.next(&self.buffer.bytes)? {
                let (pong, judged) = challenge.judge(ping, security)?;
                self.line.write(&pong).await?;
                self.frames.limit(FRAME_BYTES_MAX);
                return judged.map(|()| Next::Bytes);
            }
            if self.read().await? == Next::End {
                return Ok(Next::End);
            }
        }
    }

    /// Waits for more bytes.
    async fn read(&mut self) -> Result<Next, Broken> {
        let done = self.frames.take_done();
        self.buffer.drop_first(done)?;
        let received = self.buffer.bytes.len();
        let begun = self.begun.filter(|_| done == 0).unwrap_or_else(Instant::now);
        self.begun = (received > 0).then_some(begun);
        let deadline = due(begun, received);
        let Line { stream, stopping, .. } = &mut self.line;
        tokio::select! {
            read = self.buffer.fill(stream) => match read? {
                0 if received > 0 => {
                    let text = format!("the connection ended within a message, behind {received} bytes of it");
                    Err(Broken::new("frame", text))
                }
                0 => Ok(Next::End),
                _ => Ok(Next::Bytes),
            },
            () = sleep_until(deadline), if received > 0 => {
                Err(Broken::new("slow", format!("a message came too slowly: {received} bytes of it are there")))
            }
            () = stopping.wait() => Ok(Next::End),
        }
    }

    /// Takes every message that is whole. Before an error is told, what came before it is taken.
    async fn take_whole(&mut self) -> Result<(), Broken> {
        let Self { buffer: Buffer { bytes, share }, frames, line, .. } = self;
        let mut batch = Batch::new(false);
        let outcome = line.messages(frames, bytes, share, &mut batch).await;
        line.flush(&mut batch, bytes.capacity(), share).await?;
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn messages<'a>(
        &mut self,
        frames: &mut Frames,
        bytes: &'a Vec<u8>,
        share: &mut Share,
        batch: &mut Batch<'a>,
    ) -> Result<(), Broken> {
        while let Some(frame) = frames.next(bytes)? {
            let Some(message) = message(frames.form(), frame, &self.intake.parts.limits)? else { continue };
            let Message { origin, entries, coding, chunk } = message;
            if batch.awaited != chunk.is_some() || coding.is_some() {
                self.flush(batch, bytes.capacity(), share).await?;
                batch.awaited = chunk.is_some();
            }
            match (coding, entries) {
                (Some(coding), Entries::Packed(coded)) => {
                    let inflater = Inflater::new(coding, coded)?;
                    self.inflated(inflater, &origin, batch.awaited, bytes.capacity(), share).await?;
                }
                (_, entries) => self.entries(entries, &origin, 0, batch, bytes.capacity(), share).await.map(drop)?,
            }
            if let Some(chunk) = chunk {
                batch.answers.extend(answer::ack(frames.form(), &chunk)?);
            }
        }
        Ok(())
    }

    /// Takes entries that were coded, window by window; all of them are taken on return.
    async fn inflated(
        &mut self,
        mut inflater: Inflater<'_>,
        origin: &Arc<Origin>,
        awaited: bool,
        held: usize,
        share: &mut Share,
    ) -> Result<(), Broken> {
        // As much as it may hold, for its bytes lie in what is handed on.
        let mut number = 0;
        loop {
            let Some(whole) = inflater.next(held, share).await? else { return Ok(()) };
            let mut batch = Batch::new(awaited);
            let outcome = self.entries(Entries::Packed(whole), origin, number, &mut batch, held, share).await;
            self.flush(&mut batch, held, share).await?;
            number = outcome?;
        }
    }

    /// Adds entries to a batch, the first under the number `number`, and takes it whenever it is full; the number of the next.
    async fn entries<'a>(
        &mut self,
        entries: Entries<'a>,
        origin: &Arc<Origin>,
        mut number: usize,
        batch: &mut Batch<'a>,
        held: usize,
        share: &mut Share,
    ) -> Result<usize, Broken> {
        for entry in entries {
            if batch.is_full(self.intake.parts.batch_events_max) {
                self.flush(batch, held, share).await?;
            }
            batch.push(origin, number, entry?, &self.intake.parts.limits);
            number += 1;
        }
        Ok(number)
    }

    /// Takes a batch, and writes what its senders wait for. The share holds `held` bytes before and after.
    async fn flush(&mut self, batch: &mut Batch<'_>, held: usize, share: &mut Share) -> Result<(), Broken> {
        // Out of it before anything fails: what cannot be taken is not tried once more by the last flush.
        let batch = batch.take();
        if !batch.is_empty() {
            room(share, held + batch.memory()).await?;
            self.take(&batch).await?;
            // Less than before is never refused.
            let _ = share.hold(held);
        }
        if batch.answers.is_empty() { Ok(()) } else { self.write(&batch.answers).await }
    }

    async fn take(&mut self, batch: &Batch<'_>) -> Result<(), Broken> {
        let Self { intake, stopping, .. } = self;
        let limits = &intake.parts.limits;
        if !batch.awaited {
            let taken = intake.take_patiently(|| batch.items(limits), stopping).await;
            return taken.map(drop).ok_or_else(|| Broken::new("unavailable", "events could not be taken"));
        }
        let end = Instant::now() + ACK_WAIT_MAX;
        let mut wait = TRY_WAITS.0;
        loop {
            let Ok(taken) = timeout_at(end, intake.take(batch.items(limits))).await else {
                let text =
                    format!("a chunk cannot be acknowledged: it is not on disk after {} s", ACK_WAIT_MAX.as_secs());
                return Err(Broken::new("unavailable", text));
            };
            let Err(error) = taken else { return Ok(()) };
            let passes = matches!(error.kind(), Kind::Overloaded | Kind::Unavailable);
            if !passes || Instant::now() + wait > end {
                return Err(Broken::new("unavailable", format!("a chunk cannot be acknowledged: {error}")));
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = stopping.wait() => return Err(Broken::new("unavailable", "a chunk is not acknowledged: the server stops")),
            }
            wait = (2 * wait).min(TRY_WAITS.1);
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }
}

/// Waits for room in the budget: others that have it are done in a moment.
async fn room(share: &mut Share, bytes: usize) -> Result<(), Broken> {
    let end = Instant::now() + ROOM_WAIT_MAX;
    while let Err(full) = share.hold(bytes) {
        if Instant::now() > end {
            return Err(Broken::new("memory", full.to_string()));
        }
        sleep(ROOM_WAIT).await;
    }
    Ok(())
}
