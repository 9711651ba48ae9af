//! The JSON form: the same messages as JSON text, one after another, as the Go logger's `MarshalAsJSON` writes them.
//! - Entries are read by `normalize::json`, like those of any other body; packed entries have no JSON form.

use super::batch::Origin;
use super::entries::Entries;
use super::message::{Message, Options};
use crate::event::{RawEvent, Value};
use crate::normalize::json::{self, Layout, Part};
use crate::normalize::{Limits, Rejection};
use crate::receive::Broken;
use crate::receive::msgpack::{Kind, When};
use serde::de::DeserializeOwned;

/// Finds the end of an array, while its bytes still come.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanner {
    at: usize,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
}

impl Scanner {
    /// Goes on through `value`: where the array ends that begins there; `None` while it does not.
    pub fn scan(&mut self, value: &[u8], bytes_max: usize) -> Result<Option<usize>, Broken> {
        while let Some(byte) = value.get(self.at) {
            self.at += 1;
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_text => self.is_escaped = true,
                b'"' if self.depth > 0 => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'[' => self.depth += 1,
                b'{' if self.depth > 0 => self.depth += 1,
                b']' | b'}' if self.depth > 1 => self.depth -= 1,
                b']' | b'}' if self.depth == 1 => {
                    let end = self.at;
                    *self = Self::default();
                    return Ok(Some(end));
                }
                byte if self.depth == 0 => {
                    let text = format!("in place of a message stands {:?}: a message is an array", char::from(*byte));
                    return Err(Broken::new("frame", text));
                }
                _ => {}
            }
            if self.at > bytes_max {
                return Err(Broken::new("frame", format!("a message has more than {bytes_max} bytes")));
            }
        }
        Ok(None)
    }
}

/// An entry as JSON text.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    when: When,
    /// The value that should be its record.
    pub record: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Of its time and its record, each as JSON text.
    fn of(time: &[u8], record: &'a [u8]) -> Self {
        let (said, kind) = match serde_json::from_slice(time) {
            Ok(serde_json::Value::Null) => return Self { when: When::Now, record },
            Ok(serde_json::Value::Number(number)) => {
                let whole = number.as_i64().map(Value::Int);
                (whole.or_else(|| Value::number(number.as_f64()?)), Kind::Float)
            }
            Ok(serde_json::Value::String(text)) => (Some(Value::text(text)), Kind::Text),
            _ => (None, Kind::Array),
        };
        Self { when: said.map_or(When::Never(kind), |said| When::said(&said, kind)), record }
    }

    /// Of an array of both.
    pub fn read(part: Part<'a>) -> Result<Self, Broken> {
        let mut parts = elements(part.bytes.map_err(broken)?);
        let (time, record) = (required(&mut parts, "an entry's time")?, required(&mut parts, "an entry's record")?);
        Ok(Self::of(time, record))
    }

    /// The event in it.
    pub fn event(&self, limits: &Limits) -> Result<Option<RawEvent>, Rejection> {
        let Some(protocol_time) = self.when.moment()? else { return Ok(None) };
        Ok(Some(RawEvent { protocol_time, ..json::read(self.record, limits)? }))
    }
}

/// Reads one message.
pub(super) fn message<'a>(frame: &'a [u8], limits: &Limits) -> Result<Message<'a>, Broken> {
    let mut parts = elements(frame);
    let tag: String = value(required(&mut parts, "a tag")?, "a tag")?;
    let second = required(&mut parts, "entries, or a time")?;
    let entries = match second.first() {
        Some(b'[') => Entries::Json(json::split(second, Layout::Any)),
        Some(b'"') => {
            return Err(Broken::new("frame", "packed entries stand in a message of JSON: they have no such form"));
        }
        _ => Entries::JsonOne(Some(Entry::of(second, required(&mut parts, "a record")?))),
    };
    let options = parts.next().transpose()?.map(|options| value::<Option<Options>>(options, "options")).transpose()?;
    Message::new(Origin::tagged(tag.as_bytes(), limits), entries, options.flatten().unwrap_or_default())
}

fn elements(array: &[u8]) -> impl Iterator<Item = Result<&[u8], Broken>> {
    json::split(array, Layout::Any).map(|part| part.bytes.map_err(broken))
}

fn required<'a>(parts: &mut impl Iterator<Item = Result<&'a [u8], Broken>>, what: &str) -> Result<&'a [u8], Broken> {
    parts.next().ok_or_else(|| Broken::new("frame", format!("{what} is missing")))?
}

fn value<T: DeserializeOwned>(text: &[u8], what: &str) -> Result<T, Broken> {
    serde_json::from_slice(text).map_err(|error| {
        // The error's own words quote what stands there.
        let found = if error.is_data() { "a value of another kind" } else { "no JSON" };
        let (line, column) = (error.line(), error.column());
        Broken::new("frame", format!("in place of {what} stands {found}, at line {line} column {column} of it"))
    })
}

fn broken(rejection: Rejection) -> Broken {
    Broken::new("frame", rejection.message)
}
