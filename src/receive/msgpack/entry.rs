//! Entries: `[time, record]`, or `[[time, {metadata}], record]` as Fluent Bit writes it.
//! - A time is a number (seconds; larger ones are milliseconds and so on, by their size), a text, or an extension that is a
//!   moment. 0 and nil mean now.
//! - Metadata become keys `metadata.NAME`.

use super::{Kind, Malformed, array, bytes, first, record};
use crate::clock::Millis;
use crate::event::{RawEvent, Value};
use crate::normalize::{Limits, Reason, Rejection, extension, time};
use rmp::decode::{read_ext_meta, read_f32, read_f64, read_int};

/// When an entry says it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On being received.
    Now,
    /// At that moment.
    At(Millis),
    /// Never: it begins or ends a group of Fluent Bit's, and is no event.
    Group,
    /// What stands there, and is no time.
    Never(Kind),
}

/// An entry, still as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its time.
    pub when: When,
    /// The map beside its time.
    pub metadata: Option<&'a [u8]>,
    /// The value that should be its record.
    pub record: &'a [u8],
}

/// Takes an entry apart; values beyond time and record are left alone.
///
/// # Errors
/// [`Malformed`] where it is no array of two.
pub fn entry(bytes: &[u8]) -> Result<Entry<'_>, Malformed> {
    let (count, inner) = array(bytes)?;
    if count < 2 {
        return Err(Malformed::Short);
    }
    let (time, rest) = first(inner)?;
    let (record, _) = first(rest)?;
    Entry::of(time, record)
}

impl<'a> Entry<'a> {
    /// The entry of a time and a record that stand apart.
    ///
    /// # Errors
    /// [`Malformed`] where the time is not whole.
    pub fn of(time: &'a [u8], record: &'a [u8]) -> Result<Self, Malformed> {
        let Ok((2.., inner)) = array(time) else {
            return Ok(Self { when: when(time), metadata: None, record });
        };
        let (time, rest) = first(inner)?;
        let (metadata, _) = first(rest)?;
        Ok(Self { when: when(time), metadata: Some(metadata), record })
    }

    /// The event in it; `None` for a mark of a group.
    ///
    /// # Errors
    /// [`Rejection`] where it is none.
    pub fn event(&self, limits: &Limits) -> Result<Option<RawEvent>, Rejection> {
        let protocol_time = match self.when {
            When::Group => return Ok(None),
            When::Now => None,
            When::At(at) => Some(at),
            When::Never(found) => {
                let text =
                    format!("in place of the entry's time stands {found}: a time is seconds since 1970 or EventTime");
                return Err(Rejection::new(Reason::Time, text));
            }
        };
        let mut event = RawEvent { protocol_time, ..record(self.record, limits)? };
        for (name, value) in self.metadata.map(|map| record(map, limits)).transpose()?.unwrap_or_default().fields {
            event.fields.push((format!("metadata.{name}").into(), value));
        }
        Ok(Some(event))
    }
}

/// What a number of seconds says where it begins or ends a group.
const GROUP: [i64; 2] = [-1, -2];

fn when(mut value: &[u8]) -> When {
    let kind = Kind::of(value);
    let said = match kind {
        Kind::Nil => return When::Now,
        Kind::Extension => return moment(value),
        Kind::Int => read_int::<i64, _>(&mut value).ok().map(Value::Int),
        Kind::Float => float(value).and_then(Value::number),
        Kind::Text => bytes(value).ok().and_then(|text| std::str::from_utf8(text).ok()).map(Value::text),
        _ => None,
    };
    said.map_or(When::Never(kind), |said| When::said(&said, kind))
}

impl When {
    /// The moment, where it is another than now; `None` for a mark of a group.
    ///
    /// # Errors
    /// [`Rejection`] where it is no time.
    pub fn moment(self) -> Result<Option<Option<Millis>>, Rejection> {
        match self {
            Self::Group => Ok(None),
            Self::Now => Ok(Some(None)),
            Self::At(at) => Ok(Some(Some(at))),
            Self::Never(found) => {
                let text =
                    format!("in place of the entry's time stands {found}: a time is seconds since 1970 or EventTime");
                Err(Rejection::new(Reason::Time, text))
            }
        }
    }

    /// What a number or a text says; `kind` is what it was.
    pub fn said(said: &Value, kind: Kind) -> Self {
        match said {
            Value::Int(0) => Self::Now,
            Value::Int(seconds) if GROUP.contains(seconds) => Self::Group,
            said => time::read(said).map_or(Self::Never(kind), Self::At),
        }
    }
}

fn float(value: &[u8]) -> Option<f64> {
    read_f64(&mut &*value).ok().or_else(|| read_f32(&mut &*value).ok().map(f64::from))
}

fn moment(mut value: &[u8]) -> When {
    let never = When::Never(Kind::Extension);
    let Ok(meta) = read_ext_meta(&mut value) else { return never };
    match extension::moment(meta.typeid, value) {
        Some((0, 0)) => When::Now,
        Some((seconds, _)) if is_mark(seconds) => When::Group,
        Some(moment) => extension::millis(moment).map_or(never, When::At),
        None => never,
    }
}

/// EventTime has no sign: its -1 is `u32::MAX`.
fn is_mark(seconds: i64) -> bool {
    GROUP.contains(&seconds) || u32::try_from(seconds).is_ok_and(|bits| GROUP.contains(&i64::from(bits as i32)))
}
