//! One connection: windows come, are taken, and are acknowledged.
//! - Acknowledged in order, by the number of a window's last event; several windows may be under way. What takes long is told
//!   to be under way still, before any sender gives up.
//! - A large window is taken, and acknowledged, in parts.
//! - While enough is under way nothing more is read. What was under way before a connection broke is finished first.
//! - A part of a window that is begun has to end in time.

use super::{Decoder, Numbered};
use crate::ingest::Item;
use crate::net::{Budget, Share, Stopping};
use crate::normalize::Limits;
use crate::receive::Broken;
use crate::receive::deadline::Deadline;
use crate::receive::inbox::{EVENT_BYTES, Inbox, hold};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

/// Bytes of one part of a window, but for its last event.
const PART_BYTES_MAX: usize = 1 << 20;
/// Parts under way at once.
const UNDER_WAY_MAX: usize = 4;
/// How long a sender hears nothing of what is under way; senders give up after 5 s and more.
const QUIET_MAX: Duration = Duration::from_millis(1_500);
/// Says that what was sent is under way: no event has this number.
const UNDER_WAY: u32 = 0;

/// The bounds of a connection.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// The memory it takes from.
    pub budget: Budget,
    /// Those of an event.
    pub limits: Limits,
    /// Events taken at once.
    pub events_max: usize,
}

/// One connection.
pub(super) struct Talk<S, T> {
    bounds: Bounds,
    stream: S,
    take: T,
    inbox: Inbox,
    decoder: Decoder,
    /// What the decoder holds.
    share: Share,
    part: Part,
    deadline: Deadline,
    /// Why nothing more is read.
    end: Option<Result<(), Broken>>,
}

/// Events to be taken together.
#[derive(Debug)]
struct Part {
    items: Vec<Item>,
    bytes: usize,
    last: u32,
    share: Share,
}

impl<S, T, F> Talk<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Fn(Vec<Item>) -> F,
    F: Future<Output = Result<(), Broken>>,
{
    /// A connection whose events `take` takes: `Ok` once they are synced.
    pub(super) fn new(bounds: Bounds, stream: S, take: T) -> Self {
        let Bounds { budget, limits, .. } = &bounds;
        let (inbox, share, part) = (Inbox::new(budget), budget.share(), Part::new(budget));
        let (decoder, deadline) = (Decoder::new(limits.clone()), Deadline::default());
        Self { bounds, stream, take, inbox, decoder, share, part, deadline, end: None }
    }

    /// Talks until either side ends it.
    pub(super) async fn run(mut self, mut stopping: Stopping) -> Result<(), Broken> {
        let mut under_way = FuturesOrdered::new();
        let mut heard = Instant::now();
        loop {
            while under_way.len() < UNDER_WAY_MAX {
                let Some(Part { items, last, share, .. }) = self.next_part() else { break };
                if under_way.is_empty() {
                    heard = Instant::now();
                }
                let taken = (self.take)(items);
                under_way.push_back(async move {
                    let taken = taken.await;
                    drop(share);
                    taken.map(|()| last)
                });
            }
            let may_read = under_way.len() < UNDER_WAY_MAX && self.end.is_none();
            let held = self.decoder.held_bytes();
            let has_room = self.share.hold(held).is_ok();
            if !may_read {
                self.deadline.put_off();
            }
            tokio::select! {
                Some(taken) = under_way.next() => {
                    self.answer(taken?).await?;
                    heard = Instant::now();
                }
                read = self.inbox.fill(&mut self.stream), if may_read && has_room => {
                    match read {
                        Ok(0) => self.end = Some(self.torn()),
                        Ok(read) => self.deadline.came(read),
                        Err(broken) => self.end = Some(Err(broken)),
                    }
                }
                room = hold(&mut self.share, held), if may_read && !has_room => self.end = room.err().map(Err),
                broken = self.deadline.passed(), if may_read => self.end = Some(Err(broken)),
                () = sleep_until(heard + QUIET_MAX), if !under_way.is_empty() => {
                    self.answer(UNDER_WAY).await?;
                    heard = Instant::now();
                }
                () = stopping.wait(), if may_read => self.end = Some(Ok(())),
                else => return self.end.unwrap_or(Ok(())),
            }
        }
    }

    /// The next part of a window out of what came; `None` where more must come first.
    fn next_part(&mut self) -> Option<Part> {
        if self.end.is_some() {
            return None;
        }
        let mut input = self.inbox.bytes();
        let is_whole = loop {
            match self.decoder.next(&mut input) {
                Ok(Some(event)) => {
                    if self.part.add(event, self.bounds.events_max) {
                        break true;
                    }
                }
                Ok(None) => break false,
                Err(broken) => {
                    self.end = Some(Err(broken));
                    break false;
                }
            }
        };
        let left = input.len();
        self.inbox.cut(self.inbox.bytes().len() - left);
        if is_whole || self.decoder.is_between() {
            self.deadline.ended(left > 0 || !self.decoder.is_between());
        }
        is_whole.then(|| std::mem::replace(&mut self.part, Part::new(&self.bounds.budget)))
    }

    /// What an end of the stream means here.
    fn torn(&self) -> Result<(), Broken> {
        match self.decoder.is_between() {
            true => Ok(()),
            false => Err(Broken::new("io", "it ends within a window, which is not acknowledged")),
        }
    }

    async fn answer(&mut self, number: u32) -> Result<(), Broken> {
        let [a, b, c, d] = number.to_be_bytes();
        self.stream.write_all(&[b'2', b'A', a, b, c, d]).await?;
        Ok(self.stream.flush().await?)
    }
}

impl Part {
    fn new(budget: &Budget) -> Self {
        Self { items: Vec::new(), bytes: 0, last: 0, share: budget.share() }
    }

    /// Adds an event; whether the part is to be taken now.
    fn add(&mut self, event: Numbered, events_max: usize) -> bool {
        self.bytes += event.raw.as_ref().map_or(0, |raw| raw.bytes);
        self.last = event.number;
        self.items.push(Item { at: self.items.len(), raw: event.raw });
        let has_no_room = self.share.hold(self.bytes + self.items.len() * EVENT_BYTES).is_err();
        event.ends_window || has_no_room || self.bytes >= PART_BYTES_MAX || self.items.len() >= events_max
    }
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
