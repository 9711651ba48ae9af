//! Raw event: what a sender said, flattened, before anything is worked out.
//! - Nested objects are flattened with `.`; arrays of objects are already their JSON text; `null` is gone.
//! - Keys keep the order of arrival; of duplicate keys the last wins (settled by `normalize`).
//! - A protocol's own time stands beside the fields: it counts only where the event names none, by whatever name.
//! - In forms and query strings everything is text: `typed` is false.

use super::{Text, Value};
use crate::clock::Millis;

/// What a sender said of one event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawEvent {
    /// Flat keys and values, in order of arrival.
    pub fields: Vec<(Text, Value)>,
    /// Whether values carry their JSON kinds; false for forms and query strings, where all is text.
    pub typed: bool,
    /// When it happened as its protocol says, for an event that does not say so itself.
    pub protocol_time: Option<Millis>,
    /// Bytes of JSON (or what stands for it) that it came in.
    pub bytes: usize,
}

impl RawEvent {
    /// The last value given for `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}
