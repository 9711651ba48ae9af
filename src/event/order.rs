//! Order: the one order in which a visitor's events are read, a function of the events alone.
//! - By `@timestamp`, then by `event_id` as UTF-8 bytes; events without a sender's id come after those with, by a hash.
//! - The hash covers what `normalize` made, without `received_at`: neither arrival nor increments move an event.
//! - Events that are equal in all of it are interchangeable.

use super::{Event, Known, ORIGIN};
use siphasher::sip::SipHasher13;
use std::cmp::Ordering;
use std::hash::Hasher;

impl Event {
    /// Which of two events of one visitor comes first.
    pub fn in_order(&self, other: &Self) -> Ordering {
        self.at().cmp(&other.at()).then_with(|| match (self.text(Known::EventId), other.text(Known::EventId)) {
            (Some(a), Some(b)) if a != b => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            _ => self.content_hash().cmp(&other.content_hash()),
        })
    }

    /// A stable hash of what `normalize` made of the event: without `received_at` and increments, with its own origin.
    pub fn content_hash(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        for (key, value) in &self.fields {
            let moves = matches!(key, super::Key::Known(known)
                if *known == Known::ReceivedAt || known.is_increment() || ORIGIN.contains(known));
            if !moves {
                write(&mut hasher, key.name());
                write(&mut hasher, &value.as_text());
                hasher.write_u8(kind(value));
            }
        }
        for (known, text) in self.own_origin().texts() {
            write(&mut hasher, known.name());
            write(&mut hasher, text.unwrap_or_default());
        }
        hasher.finish()
    }
}

/// Tells `1` from `"1"`.
fn kind(value: &super::Value) -> u8 {
    match value {
        super::Value::Text(_) => 0,
        super::Value::Int(_) | super::Value::Uint(_) | super::Value::Float(_) => 1,
        super::Value::Bool(_) => 2,
        super::Value::List(_) => 3,
    }
}

/// Length first, so that no two sequences of texts are one.
fn write(hasher: &mut SipHasher13, text: &str) {
    hasher.write_u64(text.len() as u64);
    hasher.write(text.as_bytes());
}
