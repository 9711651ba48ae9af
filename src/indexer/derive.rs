//! Derive: the increments of a whole day, visitor by visitor, for sealing.

use crate::event::{Day, Event, Known};
use crate::store::Derive;
use crate::visits::{VisitorDay, step};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Whose day an event is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    day: Day,
    site: u64,
    visitor: u64,
}

impl Whose {
    /// `None` for an event without a visitor.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let visitor = event.hash(Known::Visitor)?;
        let mut site = SipHasher13::new();
        site.write(event.site().as_bytes());
        Some(Self { day: event.day(), site: site.finish(), visitor })
    }
}

/// Derives the increments of events that come visitor by visitor, each in order: what [`crate::store::Store::seal`] needs.
pub fn derive() -> Derive {
    let mut whose = None;
    let mut state = VisitorDay::default();
    Box::new(move |event| {
        let next = Whose::of(event);
        if next != whose {
            whose = next;
            state = VisitorDay::default();
        }
        step(&mut state, event).write(event);
    })
}
