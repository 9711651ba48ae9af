//! Scanning: where a value ends, while its bytes still come.
//! - Each byte is looked at once, however the bytes are cut: a scanner goes on where it stopped.
//! - No recursion and no memory at any depth: values still to come are counted, nothing else is kept.
//! - A length is believed only as far as the caller's bound: a value that must become longer is refused as soon as its
//!   head says so, and nothing is ever reserved for it.

use super::Kind;
use crate::receive::Broken;
use rmp::Marker;

/// Why bytes are no values of MessagePack, or none that are taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The one byte that begins no value.
    #[error("byte {at} of the value is c1, which begins none")]
    Reserved {
        /// Its place in the value.
        at: usize,
    },
    /// The value is longer than it may be.
    #[error("a value has {needed} bytes at least: the limit is {limit}")]
    TooLong {
        /// What its heads say, at the least.
        needed: u64,
        /// The bytes it may have.
        limit: usize,
    },
    /// The bytes end within the value.
    #[error("the bytes end within a value")]
    Short,
    /// Another kind of value stands there.
    #[error("in place of {expected} stands {found}")]
    Kind {
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: Kind,
    },
}

/// Finds the end of a value.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// The place of the next head, from the value's start; beyond the bytes that are there while a payload is missing.
    at: usize,
    /// Values that are still to come.
    values: u64,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { at: 0, values: 1 }
    }
}

impl Scanner {
    /// Goes on through `value`, which begins at the value's start and holds all its bytes so far: where it ends, or `None`
    /// while it does not. After an end the next value may be scanned.
    ///
    /// # Errors
    /// [`Malformed::Reserved`] and [`Malformed::TooLong`], by what `bytes_max` allows.
    pub fn scan(&mut self, value: &[u8], bytes_max: usize) -> Result<Option<usize>, Malformed> {
        while self.values > 0 {
            let Some(rest) = value.get(self.at..) else { return Ok(None) };
            let Some(shape) = shape(rest).map_err(|Reserved| Malformed::Reserved { at: self.at })? else {
                return Ok(None);
            };
            self.at = self.at.saturating_add(shape.head).saturating_add(shape.payload);
            self.values = self.values - 1 + shape.values;
            // Each value has a byte at least.
            let needed = (self.at as u64).saturating_add(self.values);
            if needed > bytes_max as u64 {
                return Err(Malformed::TooLong { needed, limit: bytes_max });
            }
        }
        if self.at > value.len() {
            return Ok(None);
        }
        let end = self.at;
        *self = Self::default();
        Ok(Some(end))
    }
}

/// The first value of `bytes`, and what follows it.
///
/// # Errors
/// [`Malformed`] where none is whole.
pub fn first(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    match Scanner::default().scan(bytes, bytes.len()) {
        Ok(Some(end)) => Ok(bytes.split_at(end)),
        Ok(None) | Err(Malformed::TooLong { .. }) => Err(Malformed::Short),
        Err(error) => Err(error),
    }
}

/// How many values the array has that begins `bytes`, and the bytes of them.
pub(in crate::receive) fn array(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    match Kind::of(bytes) {
        Kind::Array => head(bytes).map(|shape| (shape.values, &bytes[shape.head..])),
        found => Err(Malformed::Kind { expected: "an array", found }),
    }
}

/// The bytes of the text, or of the bytes, that begin `value`.
pub(in crate::receive) fn bytes(value: &[u8]) -> Result<&[u8], Malformed> {
    match Kind::of(value) {
        Kind::Text | Kind::Bytes => {
            let Shape { head, payload, .. } = head(value)?;
            value.get(head..head.saturating_add(payload)).ok_or(Malformed::Short)
        }
        found => Err(Malformed::Kind { expected: "a text", found }),
    }
}

fn head(bytes: &[u8]) -> Result<Shape, Malformed> {
    let shape = shape(bytes).map_err(|Reserved| Malformed::Reserved { at: 0 })?;
    shape.ok_or(Malformed::Short)
}

/// What a head says of its value.
struct Shape {
    /// Bytes of the head itself.
    head: usize,
    /// Bytes that follow it and are the value.
    payload: usize,
    /// Values that follow it and belong to the value.
    values: u64,
}

/// The byte that begins no value.
struct Reserved;

/// The head at the start of `bytes`; `None` while it is not whole.
fn shape(bytes: &[u8]) -> Result<Option<Shape>, Reserved> {
    let Some(marker) = bytes.first().map(|byte| Marker::from_u8(*byte)) else { return Ok(None) };
    let payload = |payload: u8| Some(Shape { head: 1, payload: payload.into(), values: 0 });
    let values = |values: u8| Some(Shape { head: 1, payload: 0, values: values.into() });
    let length = |width: usize| length(&bytes[1..], width);
    let long = |width: usize, beside: usize| {
        let payload = usize::try_from(length(width)?).ok()?.saturating_add(beside);
        Some(Shape { head: 1 + width, payload, values: 0 })
    };
    let many = |width: usize, each: u64| Some(Shape { head: 1 + width, payload: 0, values: length(width)? * each });
    Ok(match marker {
        Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => payload(0),
        Marker::U8 | Marker::I8 => payload(1),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => payload(2),
        Marker::FixExt2 => payload(3),
        Marker::U32 | Marker::I32 | Marker::F32 => payload(4),
        Marker::FixExt4 => payload(5),
        Marker::U64 | Marker::I64 | Marker::F64 => payload(8),
        Marker::FixExt8 => payload(9),
        Marker::FixExt16 => payload(17),
        Marker::FixStr(length) => payload(length),
        Marker::Str8 | Marker::Bin8 => long(1, 0),
        Marker::Str16 | Marker::Bin16 => long(2, 0),
        Marker::Str32 | Marker::Bin32 => long(4, 0),
        Marker::Ext8 => long(1, 1),
        Marker::Ext16 => long(2, 1),
        Marker::Ext32 => long(4, 1),
        Marker::FixArray(count) => values(count),
        Marker::FixMap(count) => values(2 * count),
        Marker::Array16 => many(2, 1),
        Marker::Array32 => many(4, 1),
        Marker::Map16 => many(2, 2),
        Marker::Map32 => many(4, 2),
        Marker::Reserved => return Err(Reserved),
    })
}

/// A big-endian number of `width` bytes; `None` while they are not there.
fn length(bytes: &[u8], width: usize) -> Option<u64> {
    Some(bytes.get(..width)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl From<Malformed> for Broken {
    fn from(error: Malformed) -> Self {
        Self::new("frame", error.to_string())
    }
}
