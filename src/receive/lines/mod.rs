//! Lines: JSON by TCP and UDP as Logstash's tcp and udp inputs take it, a value a line or one after another; or entries
//! `[time, record]` of MessagePack, as Fluent Bit's tcp output sends where it is not told otherwise.
//! - Nothing is answered, as there. Who sends by TCP is held while events cannot be taken: nothing more is read.
//! - A batch is taken before more of its connection is read; a value that is broken or too large is rejected alone, but for
//!   one that breaks off behind `:` or `,`: the next line may be its rest, and goes with it.
//! - A value that is begun has to end in time, else its connection is closed.
//! - Absent: where values end (`frame`, `stream`), what Logstash's formatters mean (`logstash`).

mod frame;
mod stream;

pub use frame::Frame;
pub use stream::Frames;

use super::deadline::Deadline;
use super::inbox::{EVENT_BYTES, Inbox, hold};
use super::logstash::Shapes;
use super::{Broken, Datagram, Intake, Protocol, logstash};
use crate::event::RawEvent;
use crate::ingest::Item;
use crate::net::{Connection, Stopping};
use crate::normalize::{Limits, Reason, Rejection, access_line};
use async_trait::async_trait;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Events of one batch, or as many as a batch may have.
const BATCH_EVENTS_MAX: usize = 4_096;

/// What of a connection is still read when the server stops, if it is there already.
const LAST_BYTES_MAX: usize = 4 << 20;

/// The receiver.
#[derive(Debug)]
pub struct Lines {
    intake: Intake,
}

impl Lines {
    /// Takes what comes into this intake.
    pub fn new(intake: Intake) -> Self {
        Self { intake }
    }

    fn frames(&self) -> Frames {
        Frames::new(self.intake.parts.limits.event_bytes_max)
    }

    /// Takes frames of these buffers; whether more may come.
    async fn take(&self, frames: &[(&[u8], Frame)], stopping: &mut Stopping) -> bool {
        let limits = &self.intake.parts.limits;
        let items = || {
            let items = frames.iter().enumerate();
            items.filter_map(|(at, (buffer, frame))| Some(Item { at, raw: read(buffer, frame, limits)? })).collect()
        };
        frames.is_empty() || self.intake.take_patiently(items, stopping).await.is_some()
    }

    fn batch_events_max(&self) -> usize {
        BATCH_EVENTS_MAX.min(self.intake.parts.batch_events_max)
    }

    /// Takes every frame that is whole; at the end of the stream also what is left. Whether more may come.
    async fn take_all(
        &self,
        inbox: &mut Inbox,
        stream: &mut Frames,
        is_end: bool,
        stopping: &mut Stopping,
    ) -> Result<bool, Broken> {
        loop {
            let mut frames = Vec::new();
            let mut broken = None;
            while frames.len() < self.batch_events_max() && broken.is_none() {
                match stream.next(inbox.bytes()) {
                    Ok(Some(frame)) => frames.push((inbox.bytes(), frame)),
                    Ok(None) => break,
                    Err(error) => broken = Some(error),
                }
            }
            let is_full = frames.len() == self.batch_events_max();
            if !is_full && is_end {
                frames.extend(stream.finish(inbox.bytes()).map(|frame| (inbox.bytes(), frame)));
            }
            let mut share = self.intake.parts.budget.share();
            hold(&mut share, frames.len() * EVENT_BYTES).await?;
            let goes_on = self.take(&frames, stopping).await;
            if let Some(broken) = broken {
                return Err(broken);
            }
            drop((frames, share));
            inbox.cut(stream.take_done());
            if !goes_on || !is_full {
                return Ok(goes_on);
            }
        }
    }
}

#[async_trait]
impl Protocol for Lines {
    async fn connection(&self, connection: Connection) -> Result<(), Broken> {
        let Connection { mut stream, mut stopping, .. } = connection;
        let (mut inbox, mut frames) = (Inbox::new(&self.intake.parts.budget), self.frames());
        let mut deadline = Deadline::default();
        loop {
            let read = tokio::select! {
                read = inbox.fill(&mut stream) => read?,
                broken = deadline.passed() => return Err(broken),
                () = stopping.wait() => break,
            };
            deadline.came(read);
            let before = inbox.bytes().len();
            if !self.take_all(&mut inbox, &mut frames, read == 0, &mut stopping).await? || read == 0 {
                return Ok(());
            }
            let left = inbox.bytes().len();
            if left < before {
                deadline.ended(left > 0);
            }
        }
        // What the system holds already would be lost with the connection, and its sender would never know.
        let mut last_bytes = 0;
        while let Ok(read) = timeout(Duration::ZERO, inbox.fill(&mut stream)).await {
            let read = read?;
            last_bytes += read;
            let is_end = read == 0 || last_bytes > LAST_BYTES_MAX;
            if !self.take_all(&mut inbox, &mut frames, is_end, &mut stopping).await? || is_end {
                break;
            }
        }
        Ok(())
    }

    async fn datagrams(&self, batch: Vec<Datagram>, _socket: &UdpSocket, stopping: &mut Stopping) {
        let mut frames: Vec<(&[u8], Frame)> = Vec::new();
        for Datagram { bytes, .. } in &batch {
            let mut stream = self.frames();
            // What breaks a connection ends a datagram.
            while let Some(frame) = stream.next(bytes).ok().flatten().or_else(|| stream.finish(bytes)) {
                frames.push((bytes, frame));
                if frames.len() == self.batch_events_max() {
                    self.take(&frames, stopping).await;
                    frames.clear();
                }
            }
        }
        self.take(&frames, stopping).await;
    }
}

/// What a frame of a buffer says; nothing where it is no event, and no mistake.
pub fn read(buffer: &[u8], frame: &Frame, limits: &Limits) -> Option<Result<RawEvent, Rejection>> {
    Some(match frame {
        Frame::Object(range) => logstash::read(&buffer[range.clone()], limits),
        Frame::Entry(range) => return logstash::read_entry(&buffer[range.clone()], Shapes::OfLogs, limits),
        Frame::Text(range) => text(buffer[range.clone()].trim_ascii_end()),
        Frame::TooLarge => {
            let text = format!("a value has more than {} bytes: that is the limit", limits.event_bytes_max);
            Err(Rejection::new(Reason::EventTooLarge, text))
        }
    })
}

/// A line that is no JSON is an event of its own, as in a log file; bytes that are no text are nobody's event.
fn text(line: &[u8]) -> Result<RawEvent, Rejection> {
    const ESCAPE: char = '\u{1b}';
    let is_text = |text: &str| text.chars().all(|letter| !letter.is_control() || matches!(letter, '\t' | ESCAPE));
    if std::str::from_utf8(line).is_ok_and(is_text) {
        return Ok(access_line::unparsed(line));
    }
    Err(Rejection::new(Reason::NotJson, "what came is neither JSON nor a line of text: is it compressed, or TLS?"))
}
