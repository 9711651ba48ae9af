//! MessagePack: records as raw events, and the `[time, record]` entries that loggers put them in.
//! - A record is flattened by the same reader as a JSON object (`normalize::flatten`), within the same limits.
//! - Bytes that are no UTF-8 become U+FFFD, as in a log file: a logger passes on what it found there.
//! - What a length says is never believed before its bytes are there ([`Scanner`]).

mod entry;
mod kind;
mod scan;

pub use entry::{Entry, When, entry};
pub use kind::Kind;
pub use scan::{Malformed, Scanner, first};
pub(super) use scan::{array, bytes};

use crate::event::RawEvent;
use crate::normalize::flatten::{self, Refusal};
use crate::normalize::{Limits, Reason, Rejection};
use rmp_serde::decode::Error;

/// Reads one record: the bytes of a whole map.
///
/// # Errors
/// [`Rejection`] where it is no event; its message names the key, the kind of value or the limit.
pub fn record(slice: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    if slice.len() > limits.event_bytes_max {
        let text =
            format!("the event has {} bytes of MessagePack: the limit is {}", slice.len(), limits.event_bytes_max);
        return Err(Rejection::new(Reason::EventTooLarge, text));
    }
    let kind = Kind::of(slice);
    if kind != Kind::Map {
        let text = format!("in place of the record stands {kind}: an event is a map");
        return Err(Rejection::new(Reason::NotAnObject, text));
    }
    let mut parser = rmp_serde::Deserializer::from_read_ref(slice);
    // It refuses the level at which its count is used up.
    parser.set_max_depth(limits.depth_max + 1);
    let fields = flatten::fields(&mut parser, limits).map_err(|refusal| match refusal {
        Refusal::Rule(rejection) => rejection,
        Refusal::Syntax(error) => refused(&error, limits),
    })?;
    Ok(RawEvent { fields, typed: true, protocol_time: None, bytes: slice.len() })
}

fn refused(error: &Error, limits: &Limits) -> Rejection {
    match error {
        Error::DepthLimitExceeded => {
            let text = format!("nested too deep: the limit is {} levels", limits.depth_max);
            Rejection::new(Reason::TooDeep, text)
        }
        Error::Syntax(what) => Rejection::new(Reason::BadKey, format!("a key is no text: {what}")),
        error => Rejection::new(Reason::NotJson, format!("not MessagePack: {error}")),
    }
}

#[cfg(test)]
mod tests;
