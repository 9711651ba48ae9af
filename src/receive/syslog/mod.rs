//! Syslog: messages by UDP and TCP, of RFC 5424 and RFC 3164, counted or by lines.
//! - Nothing here is acknowledged: over TCP a sender is held while its messages cannot be taken, by UDP it is not. What is
//!   lost is counted: what the kernel dropped, what was cut off, what is compressed.
//! - A message that is too long is refused and passed over; the connection goes on. One that does not end in time closes it.
//! - What rsyslog compressed is refused: its connection is closed, with the reason.
//! - A line has the id that an import of its file gives it.
//! - Absent: what a body means (`normalize`).

mod event;
mod frames;
mod header;
mod moment;
mod structured;

pub use event::{Said, read};
pub use frames::{Frames, Next};
pub use moment::Calendar;

use super::deadline::Deadline;
use super::{Broken, Datagram, Intake, Protocol};
use crate::event::{Text, Value};
use crate::ingest::{Item, LineIds, LineOrder};
use crate::net::{Connection, Share, Stopping};
use crate::normalize::Rejection;
use crate::normalize::site::DEFAULT_SITE;
use async_trait::async_trait;
use event::too_long;
use frames::{is_compressed, trimmed};
use jiff::tz::TimeZone;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UdpSocket;

/// Bytes of a message beside its body.
const HEADER_BYTES_MAX: usize = 8 << 10;
/// Room of a connection's buffer: while it is idle, and while it brings all it can.
const ROOM: (usize, usize) = (2 << 10, 256 << 10);

/// The receiver.
pub struct Syslog {
    intake: Intake,
    zone: TimeZone,
    /// `None` where too many sites have keys: lines have no ids then.
    ids: Option<Mutex<LineIds>>,
    is_compression_told: AtomicBool,
}

impl Syslog {
    /// A receiver of messages whose times are of `zone` where they do not say.
    pub fn new(intake: Intake, zone: TimeZone) -> Self {
        let site = intake.site.as_deref().unwrap_or(DEFAULT_SITE);
        let ids = intake.parts.ingest.line_ids(site, intake.now(), LineOrder::Interleaved).unwrap_or_else(|error| {
            tracing::error!(%error, "lines by syslog have no ids: their key cannot be made");
            None
        });
        Self { intake, zone, ids: ids.map(Mutex::new), is_compression_told: AtomicBool::new(false) }
    }

    /// Takes messages, held until they are. `None` stands for one that is too long.
    async fn take(&self, messages: &[Option<&[u8]>], stopping: &mut Stopping) {
        if !messages.is_empty() {
            let mut ids = Vec::new();
            self.intake.take_patiently(|| self.items(messages, &mut ids), stopping).await;
        }
    }

    /// Reads messages; their lines' ids are given the first time, and stay when they are read again.
    fn items(&self, messages: &[Option<&[u8]>], ids: &mut Vec<Option<Text>>) -> Vec<Item> {
        let limits = &self.intake.parts.limits;
        let calendar = Calendar { now: self.intake.now(), zone: &self.zone };
        let said = messages
            .iter()
            .map(|message| message.ok_or_else(|| too_long(limits)).and_then(|bytes| read(bytes, calendar, limits)));
        let said: Vec<_> = said.collect();
        if ids.is_empty() {
            *ids = self.ids_of(&said);
        }
        let item = |(at, (said, id)): (usize, (Result<Said<'_>, Rejection>, &Option<Text>))| {
            let id = id.clone().map(|id| ("event_id".into(), Value::Text(id)));
            let raw = said.map(|Said { mut raw, .. }| {
                raw.fields.extend(id);
                raw
            });
            Item { at, raw }
        };
        said.into_iter().zip(&*ids).enumerate().map(item).collect()
    }

    /// The ids of lines. All connections share what gives them: messages are read before.
    fn ids_of(&self, said: &[Result<Said<'_>, Rejection>]) -> Vec<Option<Text>> {
        let mut ids = self.ids.as_ref().map(|ids| ids.lock().unwrap_or_else(PoisonError::into_inner));
        let mut id = |said: &Said<'_>| {
            let (line, at) = said.line?;
            ids.as_mut()?.id(line, Some(at), &said.raw)
        };
        said.iter().map(|said| said.as_ref().ok().and_then(&mut id)).collect()
    }

    /// Takes what is whole at the beginning of `held` and takes it away.
    async fn take_whole(&self, held: &mut Vec<u8>, frames: &mut Frames, stopping: &mut Stopping) -> Result<(), Broken> {
        let batch_max = self.intake.parts.batch_events_max.max(1);
        loop {
            let mut messages = Vec::new();
            let mut at = 0;
            let broken = loop {
                if messages.len() == batch_max {
                    break None;
                }
                at += match frames.next(&held[at..]) {
                    Ok(Next::More) => break None,
                    Ok(Next::Passed { end }) => end,
                    Ok(Next::TooLong { end }) => {
                        messages.push(None);
                        end
                    }
                    Ok(Next::Message { message, end }) => {
                        let message = &held[at + message.start..at + message.end];
                        if is_compressed(message) == Some(true) {
                            break Some(self.compressed());
                        }
                        messages.extend((!message.is_empty()).then_some(Some(message)));
                        end
                    }
                    Err(broken) => break Some(broken),
                };
            };
            self.take(&messages, stopping).await;
            let is_all = messages.len() < batch_max;
            held.drain(..at);
            match broken {
                Some(broken) => return Err(broken),
                None if is_all => return Ok(()),
                None => {}
            }
        }
    }

    fn compressed(&self) -> Broken {
        self.intake.counts.lost("compressed", 1);
        Broken::new("compressed", "a message is compressed: set zipLevel=\"0\" in rsyslog's action")
    }

    /// Whether a datagram is one that is refused: told once, counted each time.
    fn refuses(&self, message: &[u8]) -> bool {
        let refuses = is_compressed(message) == Some(true);
        if refuses {
            let broken = self.compressed();
            if !self.is_compression_told.swap(true, Relaxed) {
                tracing::warn!(receiver = self.intake.counts.receiver(), %broken, "refused a datagram, and all like it");
            }
        }
        refuses
    }
}

#[async_trait]
impl Protocol for Syslog {
    async fn connection(&self, connection: Connection) -> Result<(), Broken> {
        let Connection { mut stream, mut stopping, .. } = connection;
        let mut frames = Frames::bounded(self.intake.parts.limits.event_bytes_max + HEADER_BYTES_MAX);
        let mut room = Room::of(self.intake.parts.budget.share());
        let (mut held, mut deadline) = (Vec::new(), Deadline::default());
        let ended = loop {
            let more = tokio::select! {
                // What is there already is taken before the end.
                biased;
                more = room.read(&mut stream, &mut held) => more,
                broken = deadline.passed() => Err(broken),
                () = stopping.wait() => break Ok(false),
            };
            match more {
                Ok(0) => break Ok(true),
                Ok(read) => {
                    deadline.came(read);
                    let before = held.len();
                    self.take_whole(&mut held, &mut frames, &mut stopping).await?;
                    if held.len() < before {
                        deadline.ended(!held.is_empty());
                    }
                }
                Err(broken) => break Err(broken),
            }
        };
        if matches!(ended, Ok(true)) && frames.ends_line(&held) {
            held.push(b'\n');
            self.take_whole(&mut held, &mut frames, &mut stopping).await?;
        }
        if !held.is_empty() {
            self.intake.counts.lost("cut", 1);
        }
        ended.map(|_| ())
    }

    async fn datagrams(&self, batch: Vec<Datagram>, _socket: &UdpSocket, stopping: &mut Stopping) {
        let messages = batch.iter().map(|datagram| trimmed(&datagram.bytes));
        let messages = messages.filter(|message| !message.is_empty() && !self.refuses(message)).map(Some);
        let messages: Vec<_> = messages.collect();
        for batch in messages.chunks(self.intake.parts.batch_events_max.max(1)) {
            self.take(batch, stopping).await;
        }
    }
}

/// The room of a connection's buffer: it grows with what comes, out of the budget of all.
struct Room {
    share: Share,
    bytes: usize,
}

impl Room {
    fn of(share: Share) -> Self {
        Self { share, bytes: ROOM.0 }
    }

    /// Reads what has come behind what is held; answers how much.
    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin), held: &mut Vec<u8>) -> Result<usize, Broken> {
        let wanted = held.len() + self.bytes;
        self.share.hold(wanted).map_err(|full| Broken::new("memory", full.to_string()))?;
        if held.capacity() > 2 * wanted {
            held.shrink_to(wanted);
        }
        held.reserve_exact(self.bytes);
        let read = (&mut *stream).take(self.bytes as u64).read_buf(held).await?;
        self.bytes = if read == self.bytes { (2 * read).min(ROOM.1) } else { (2 * read).clamp(ROOM.0, self.bytes) };
        Ok(read)
    }
}
