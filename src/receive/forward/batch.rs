//! Batches: entries that are taken together, and the acknowledgements that are written once they are.
//! - Entries stay bytes until they are taken, and can be read again where they cannot be taken at once.
//! - Those of senders that wait for an acknowledgement and those of others are never in one batch.

use super::entries::Entry;
use crate::event::{RawEvent, Text, Value};
use crate::ingest::Item;
use crate::normalize::Limits;
use sha2::{Digest, Sha512};
use std::sync::Arc;

/// Bytes of records after which a batch is taken.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// Bytes that a byte of a record may become as a raw event: a field of three bytes is two texts in place.
const EXPANSION: usize = 20;
/// What stands between a chunk's id and an entry's number, the longest number included.
const NUMBER_BYTES_MAX: usize = 12;

/// What the events of a message have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    tag: Text,
    chunk: Option<String>,
    event_id_bytes_max: usize,
}

impl Origin {
    /// Events of a tag; of one longer than a text may be as much as shows that it is cut.
    pub fn tagged(tag: &[u8], limits: &Limits) -> Self {
        let kept = &tag[..tag.len().min(limits.text_bytes_max + 4)];
        let event_id_bytes_max = limits.event_id_bytes_max;
        Self { tag: String::from_utf8_lossy(kept).into(), chunk: None, event_id_bytes_max }
    }

    /// The same, in a chunk of this id: as it stands where it is plain text, else its hash.
    pub fn in_chunk(self, chunk: Option<&[u8]>) -> Self {
        let text = |chunk: &[u8]| {
            let plain = std::str::from_utf8(chunk).ok().map(str::trim_ascii_end).filter(|text| {
                let fits = text.len() + NUMBER_BYTES_MAX <= self.event_id_bytes_max;
                fits && !text.is_empty() && !text.chars().any(char::is_control)
            });
            plain.map_or_else(|| hex(&Sha512::digest(chunk)[..16]), str::to_owned)
        };
        Self { chunk: chunk.map(text), ..self }
    }

    /// Adds to an event what it has of its message; its own `tag` moves to `x.tag`, its own id stays.
    fn mark(&self, mut event: RawEvent, number: usize) -> RawEvent {
        for (name, _) in event.fields.iter_mut().filter(|(name, _)| name == "tag") {
            *name = "x.tag".into();
        }
        if !self.tag.is_empty() {
            event.fields.push(("tag".into(), Value::Text(self.tag.clone())));
        }
        if let Some(chunk) = self.chunk.as_ref().filter(|_| !has_id(&event)) {
            event.fields.push(("event_id".into(), Value::text(format!("{chunk}-{number}"))));
        }
        event
    }
}

/// Whether an event names an id of its own.
fn has_id(event: &RawEvent) -> bool {
    let is_id = |value: &Value| match value {
        Value::Text(text) => !text.is_empty(),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => true,
        Value::Bool(_) | Value::List(_) => false,
    };
    ["event_id", "event.id"].iter().any(|name| event.get(name).is_some_and(is_id))
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Entries on their way.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    entries: Vec<(Arc<Origin>, usize, Entry<'a>)>,
    bytes: usize,
    /// Whether their sender waits for an acknowledgement.
    pub awaited: bool,
    /// What is written once they are synced.
    pub answers: Vec<u8>,
}

impl<'a> Batch<'a> {
    /// An empty one, of senders that wait or of others.
    pub fn new(awaited: bool) -> Self {
        Self { awaited, ..Self::default() }
    }

    /// Adds the entry of this number in its message.
    pub fn push(&mut self, origin: &Arc<Origin>, number: usize, entry: Entry<'a>, limits: &Limits) {
        self.bytes += entry.bytes(limits) + origin.tag.len();
        self.entries.push((Arc::clone(origin), number, entry));
    }

    /// Whether it is to be taken before anything is added.
    pub fn is_full(&self, events_max: usize) -> bool {
        self.entries.len() >= events_max || self.bytes >= BATCH_BYTES_MAX
    }

    /// Whether there is nothing in it to be taken.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Memory that its events may take.
    pub fn memory(&self) -> usize {
        self.bytes * EXPANSION + self.entries.len() * size_of::<Item>()
    }

    /// Reads its events; marks of groups are none.
    pub fn items(&self, limits: &Limits) -> Vec<Item> {
        let item = |(origin, number, entry): &(Arc<Origin>, usize, Entry<'_>)| {
            let raw = entry.event(limits).transpose()?;
            Some(Item { at: *number, raw: raw.map(|event| origin.mark(event, *number)) })
        };
        self.entries.iter().filter_map(item).collect()
    }

    /// All that is in it; it is empty from now on.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.awaited))
    }
}
