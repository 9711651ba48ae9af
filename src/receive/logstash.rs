//! Logstash's shapes: what its formatters nest and rename is made flat and plain before `normalize` reads it.
//! - Version 0 (`@fields{}`, `@message`, `@source_host`, …): the fields move to the top, the names lose their `@`.
//! - `extra{}` moves to the top. The Python file that python-logstash and python-logstash-async give as the event's `path` is
//!   its `source_path`.
//! - `date` is the time where no other is given; `@metadata{}` belongs to the way, not to the event: but for a document's id
//!   it is dropped.
//! - What would move to a name that is taken keeps its own: nothing said is lost.
//! - Absent: what the names mean (`normalize`).

use crate::event::{RawEvent, Text, Value};
use crate::normalize::{Limits, Reason, Rejection, json, time};
use crate::receive::msgpack::{self, Malformed};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Which of the shapes are made plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// All of them: from a receiver of logs.
    OfLogs,
    /// Those alone that nobody else writes: from `/tick`, where `extra` and `date` are an application's own words.
    Unmistakable,
}

/// Names of version 0, and what they are called since.
const VERSION_0: [(&str, &str); 5] = [
    ("@message", "message"),
    ("@source_host", "host"),
    ("@source_path", "source_path"),
    ("@tags", "tags"),
    ("@type", "type"),
];

const FIELDS: &str = "@fields.";
const EXTRA: &str = "extra.";
const METADATA: &str = "@metadata.";

/// What of the shapes is in an event.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    version_0: bool,
    extra: bool,
    metadata: bool,
    date: bool,
    time: bool,
    logger_name: bool,
    async_version: bool,
}

/// Reads an object of JSON as a receiver of logs takes it.
pub fn read(slice: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    json::read(slice, limits).map(|raw| plain(raw, Shapes::OfLogs))
}

/// Reads an entry `[time, record]` of MessagePack; `None` for the mark of a group, which is no event.
pub fn read_entry(slice: &[u8], shapes: Shapes, limits: &Limits) -> Option<Result<RawEvent, Rejection>> {
    let refused = |error: Malformed| Rejection::new(Reason::NotJson, format!("not an entry [time, record]: {error}"));
    let event = msgpack::entry(slice).map_err(refused).and_then(|entry| entry.event(limits));
    event.map(|event| event.map(|raw| plain(raw, shapes))).transpose()
}

/// The event with its shapes made plain.
pub fn plain(mut raw: RawEvent, shapes: Shapes) -> RawEvent {
    let mut seen = Seen { time: raw.protocol_time.is_some(), ..Seen::default() };
    raw.fields.iter().for_each(|(name, value)| seen.look(name, value));
    if shapes == Shapes::Unmistakable {
        let Seen { version_0, async_version, .. } = seen;
        seen = Seen { version_0, async_version, extra: async_version, ..Seen::default() };
    }
    if seen.has_any() {
        rename(&mut raw.fields, seen);
    }
    raw
}

impl Seen {
    fn look(&mut self, name: &str, value: &Value) {
        match name.as_bytes().first() {
            Some(b'@') => match name {
                "@timestamp" => self.time = true,
                _ if name.starts_with(METADATA) => self.metadata = true,
                _ => self.version_0 |= name.starts_with(FIELDS) || VERSION_0.iter().any(|(old, _)| *old == name),
            },
            Some(b'e') if name.starts_with(EXTRA) => {
                self.extra = true;
                self.async_version |= &name[EXTRA.len()..] == "logstash_async_version";
            }
            Some(b'd') if name == "date" => self.date |= time::read(value).is_some(),
            Some(b't') if name == "timestamp" => self.time |= time::read(value).is_some(),
            Some(b'l') if name == "logger_name" => self.logger_name = true,
            _ => {}
        }
    }

    fn has_any(self) -> bool {
        self.version_0 || self.extra || self.metadata || self.logger_name || (self.date && !self.time)
    }

    /// What a name is in plain words, where it is another.
    fn plain_name<'a>(self, name: &'a str, value: &Value) -> Option<&'a str> {
        match name {
            "date" if self.date && !self.time => return Some("@timestamp"),
            "path" if self.logger_name && is_python_file(value) => return Some("source_path"),
            // The library puts its own there over an application's.
            "extra.path" if self.async_version => return Some("source_path"),
            "@metadata._id" if self.metadata => return Some("event_id"),
            _ => {}
        }
        if self.version_0 {
            let renamed = VERSION_0.iter().find(|(old, _)| *old == name).map(|(_, new)| *new);
            return renamed.or_else(|| name.strip_prefix(FIELDS)).or_else(|| self.out_of_extra(name));
        }
        self.out_of_extra(name)
    }

    fn out_of_extra(self, name: &str) -> Option<&str> {
        name.strip_prefix(EXTRA).filter(|_| self.extra)
    }
}

fn rename(fields: &mut Vec<(Text, Value)>, seen: Seen) {
    // Who has a name: at first everybody their own; of a key given twice both move, and the last wins as always.
    let mut owners: HashMap<Text, Text> = fields.iter().map(|(name, _)| (name.clone(), name.clone())).collect();
    for (name, value) in fields.iter_mut() {
        let Some(plain) = seen.plain_name(name, value).map(Text::from) else { continue };
        let is_free = match owners.entry(plain.clone()) {
            Entry::Occupied(owner) => owner.get() == name,
            Entry::Vacant(vacant) => {
                vacant.insert(name.clone());
                true
            }
        };
        if is_free {
            *name = plain;
        }
    }
    if seen.metadata {
        fields.retain(|(name, _)| !name.starts_with(METADATA));
    }
}

/// Whether it is how Python names the file of a caller, and not the path of a page that an application gave.
fn is_python_file(value: &Value) -> bool {
    let Value::Text(path) = value else { return false };
    path.starts_with('<') || [".py", ".pyc", ".pyw", ".pyx"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
#[path = "logstash_tests.rs"]
mod tests;
