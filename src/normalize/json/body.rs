//! Bodies: all events of a body at once.
//! - An array with anything in it that is no JSON is refused whole; lines are refused one by one.

use super::{Layout, read_within, split};
use crate::event::RawEvent;
use crate::normalize::{Limits, Reason, Rejection};

/// Why nothing of a body was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is no value in it.
    #[error("the body is empty: an event is a JSON object, {{}} at least")]
    Empty,
    /// More events than a batch may hold.
    #[error("the body holds more than {limit} events")]
    TooMany {
        /// How many a batch may hold.
        limit: usize,
    },
    /// It is no JSON from the element at this index on.
    #[error("{rejection}")]
    NotJson {
        /// The element's index from 0.
        at: usize,
        /// What is wrong there.
        #[source]
        rejection: Rejection,
    },
}

/// An event of a body, or why it is none, with its place: index from 0, or line from 1 ([`super::Part::at`]).
pub type Read = (usize, Result<RawEvent, Rejection>);

/// Reads all events of a body. `[]` holds none.
pub fn read_all(body: &[u8], layout: Layout, limits: &Limits, events_max: usize) -> Result<Vec<Read>, BodyError> {
    let in_array = is_array(body, layout);
    let mut events = Vec::new();
    for part in split(body, layout) {
        if events.len() == events_max {
            return Err(BodyError::TooMany { limit: events_max });
        }
        let read = part.bytes.and_then(|bytes| read_within(body, part.offset, bytes, limits));
        match read {
            Err(rejection) if in_array && rejection.reason == Reason::NotJson => {
                return Err(BodyError::NotJson { at: part.at, rejection });
            }
            read => events.push((part.at, read)),
        }
    }
    if events.is_empty() && !in_array {
        return Err(BodyError::Empty);
    }
    Ok(events)
}

fn is_array(body: &[u8], layout: Layout) -> bool {
    let body = body.strip_prefix(super::BOM).unwrap_or(body);
    layout == Layout::Any && body.trim_ascii_start().first() == Some(&b'[')
}
