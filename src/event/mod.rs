//! Event: one flat thing that happened, as every room after `normalize` sees it.
//! - Keys are unique and sorted; canonical keys ([`Known`]) come first, free keys after them by their bytes.
//! - A canonical key's value fits its [`Shape`]; a free key's value is any [`Value`].
//! - `@timestamp`, `received_at`, `site`, `day` and `action` are always there.
//! - Absent: parsing of what senders send (`normalize`), meaning of increments (`visits`).

mod known;
mod order;
mod origin;
mod payload;
mod raw;
mod recent;
mod value;
mod visit;

pub use known::{Known, Shape};
pub use origin::{ORIGIN, Origin};
pub use payload::PayloadError;
pub use raw::RawEvent;
pub use recent::{IdHash, IdScope, RecentIds};
pub use value::{Text, Value, number_text};
pub use visit::visit_id;

use crate::clock::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A calendar day as days since 1970-01-01; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
        let since = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?;
        Some(Self(since.get_days()))
    }

    /// The calendar date.
    pub fn date(self) -> jiff::civil::Date {
        let span = jiff::Span::new().try_days(i64::from(self.0));
        let epoch = jiff::civil::date(1970, 1, 1);
        span.and_then(|span| epoch.checked_add(span)).unwrap_or(if self.0 < 0 {
            jiff::civil::Date::MIN
        } else {
            jiff::civil::Date::MAX
        })
    }

    /// The day after it.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Its first moment in a zone.
    pub fn start(self, zone: &jiff::tz::TimeZone) -> Millis {
        let in_utc = i64::from(self.0).saturating_mul(86_400_000);
        let midnight = self.date().to_datetime(jiff::civil::Time::midnight());
        zone.to_timestamp(midnight).map_or(in_utc, |start| start.as_millisecond())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(out)
    }
}

/// The name of a value in an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// A key with a meaning.
    Known(Known),
    /// A key of the application's own; never the name of a canonical one.
    Free(Text),
}

impl Key {
    /// The key of this name.
    pub fn named(name: &str) -> Self {
        Known::named(name).map_or_else(|| Self::Free(name.into()), Self::Known)
    }

    /// Its name, as senders and readers write it.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(known) => known.name(),
            Self::Free(name) => name,
        }
    }
}

impl From<Known> for Key {
    fn from(known: Known) -> Self {
        Self::Known(known)
    }
}

/// One event: sorted, unique keys with their values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    fields: Vec<(Key, Value)>,
}

impl Event {
    /// An event of these fields; of a key given twice the last value stays.
    pub fn from_fields(mut fields: Vec<(Key, Value)>) -> Self {
        fields.reverse();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, kept| later.0 == kept.0);
        Self { fields }
    }

    /// An event of fields that are in order of their keys, each key once.
    pub(crate) fn from_sorted(fields: Vec<(Key, Value)>) -> Self {
        debug_assert!(fields.is_sorted_by(|a, b| a.0 < b.0), "{fields:?}");
        Self { fields }
    }

    /// All fields in order of their keys.
    pub fn fields(&self) -> &[(Key, Value)] {
        &self.fields
    }

    /// The value of `key`.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        match key {
            Key::Known(known) => self.known(*known),
            Key::Free(_) => self.fields.binary_search_by(|(other, _)| other.cmp(key)).ok().map(|at| &self.fields[at].1),
        }
    }

    /// The value of a canonical key.
    pub fn known(&self, known: Known) -> Option<&Value> {
        self.place(known).ok().map(|at| &self.fields[at].1)
    }

    /// The text of a canonical key, where it is one text.
    pub fn text(&self, known: Known) -> Option<&str> {
        match self.known(known)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number of a canonical key.
    pub fn int(&self, known: Known) -> Option<i64> {
        match self.known(known)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The 64-bit hash of a canonical key ([`Shape::Hash`]).
    pub fn hash(&self, known: Known) -> Option<u64> {
        match self.known(known)? {
            Value::Uint(number) => Some(*number),
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Sets a key, replacing what it held.
    pub fn set(&mut self, key: impl Into<Key>, value: Value) {
        let key = key.into();
        match self.fields.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(at) => self.fields[at].1 = value,
            Err(at) => self.fields.insert(at, (key, value)),
        }
    }

    /// Replaces all canonical keys from `first` to `last` by these, which lie among them, ascending.
    pub fn replace(&mut self, first: Known, last: Known, by: impl IntoIterator<Item = (Known, Value)>) {
        let border = |key: Key| self.fields.partition_point(|(other, _)| *other < key);
        let from = border(Key::Known(first));
        let to = self.fields[from..].iter().take_while(|(key, _)| *key <= Key::Known(last)).count();
        self.fields.drain(from..from + to);
        let behind = self.fields.len();
        self.fields.extend(by.into_iter().map(|(known, value)| (Key::Known(known), value)));
        let new = self.fields.len() - behind;
        self.fields[from..].rotate_right(new);
    }

    /// Takes a key out and returns what it held.
    pub fn remove(&mut self, key: &Key) -> Option<Value> {
        let at = self.fields.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        Some(self.fields.remove(at).1)
    }

    /// When it happened.
    pub fn at(&self) -> Millis {
        self.int(Known::Timestamp).unwrap_or_default()
    }

    /// The partition it lies in: the calendar day in its site's time zone.
    pub fn day(&self) -> Day {
        Day(self.int(Known::Day).and_then(|day| i32::try_from(day).ok()).unwrap_or_default())
    }

    /// The site it belongs to.
    pub fn site(&self) -> &str {
        self.text(Known::Site).unwrap_or("default")
    }

    /// What was done.
    pub fn action(&self) -> &str {
        self.text(Known::Action).unwrap_or("view")
    }

    /// The event as readers see it: flat JSON in Logstash format, `@version` included.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::with_capacity(self.fields.len() + 1);
        for (key, value) in &self.fields {
            let json = match key {
                Key::Known(known) => known.shape().json(value),
                Key::Free(_) => value.json(),
            };
            object.insert(key.name().to_owned(), json);
        }
        object.insert("@version".to_owned(), "1".into());
        serde_json::Value::Object(object)
    }

    fn place(&self, known: Known) -> Result<usize, usize> {
        self.fields.binary_search_by(|(key, _)| match key {
            Key::Known(other) => other.cmp(&known),
            Key::Free(_) => std::cmp::Ordering::Greater,
        })
    }
}

#[cfg(test)]
mod tests;
