//! Entries of a message, one by one, in whichever of its forms they came.

use super::json;
use crate::event::RawEvent;
use crate::normalize::json::Parts;
use crate::normalize::{Limits, Rejection};
use crate::receive::Broken;
use crate::receive::msgpack::{self, Malformed, entry, first};

/// What is left of a message's entries.
#[derive(Debug)]
pub(super) enum Entries<'a> {
    /// The one of a message of its own.
    One(Option<msgpack::Entry<'a>>),
    /// An array's.
    Listed {
        /// How many are still to come.
        left: u64,
        /// Their bytes.
        rest: &'a [u8],
    },
    /// One after another to the end of the bytes, inflated.
    Packed(&'a [u8]),
    /// The one of a message of JSON.
    JsonOne(Option<json::Entry<'a>>),
    /// An array's of JSON.
    Json(Parts<'a>),
}

/// One entry, still as bytes.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    Msgpack(msgpack::Entry<'a>),
    Json(json::Entry<'a>),
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::One(one) => one.take().map(|one| Ok(Entry::Msgpack(one))),
            Self::JsonOne(one) => one.take().map(|one| Ok(Entry::Json(one))),
            Self::Json(parts) => parts.next().map(|part| json::Entry::read(part).map(Entry::Json)),
            Self::Listed { left: 0, .. } => None,
            Self::Packed([]) => None,
            Self::Listed { left, rest } => {
                *left -= 1;
                Some(cut(rest))
            }
            Self::Packed(rest) => Some(cut(rest)),
        }
    }
}

/// Takes the first entry off the bytes.
fn cut<'a>(rest: &mut &'a [u8]) -> Result<Entry<'a>, Broken> {
    let cut = || -> Result<_, Malformed> {
        let (value, after) = first(rest)?;
        Ok((entry(value)?, after))
    };
    let (entry, after) = cut()?;
    *rest = after;
    Ok(Entry::Msgpack(entry))
}

impl Entry<'_> {
    /// The event in it; `None` for a mark of a group.
    pub fn event(&self, limits: &Limits) -> Result<Option<RawEvent>, Rejection> {
        match self {
            Self::Msgpack(entry) => entry.event(limits),
            Self::Json(entry) => entry.event(limits),
        }
    }

    /// Its bytes, as far as they make up an event: those of a value that is too long for one are refused by their length.
    pub fn bytes(&self, limits: &Limits) -> usize {
        let values = match self {
            Self::Msgpack(entry) => [Some(entry.record), entry.metadata],
            Self::Json(entry) => [Some(entry.record), None],
        };
        values.into_iter().flatten().map(<[u8]>::len).filter(|&length| length <= limits.event_bytes_max).sum()
    }
}
