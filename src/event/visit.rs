//! Visit: the id of a visit, which says nothing that its first event does not say.

use super::{Day, Event, Known};
use crate::clock::Millis;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The stable id of a visit: of a visitor of a site's day, begun then.
pub fn visit_id(site: &str, day: Day, visitor: u64, visit_at: Millis) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64(site.len() as u64);
    hasher.write(site.as_bytes());
    hasher.write_i32(day.0);
    hasher.write_u64(visitor);
    hasher.write_i64(visit_at);
    hasher.finish()
}

impl Event {
    /// The id of the visit that began at the event's `visit_at`; `None` for an event without that, a visitor or a site.
    pub fn visit_id(&self) -> Option<u64> {
        Some(visit_id(self.text(Known::Site)?, self.day(), self.hash(Known::Visitor)?, self.int(Known::VisitAt)?))
    }
}
